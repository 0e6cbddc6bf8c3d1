# SPDX-License-Identifier: GPL-2.0-only
# fish completion for sealctl(8)

set -l verbs info prealloc unshare seal unseal status hold map diff snapshot \
    send receive record verify offset export unexport list monitor revoke restore forget

complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -f
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a info -d 'what can be sealed on this kernel'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a prealloc -d 'allocate the holes of files'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a unshare -d 'give files their own copy of reflinked blocks'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a seal -d 'seal files until they are unsealed'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a unseal -d 'lift the seal of "sealctl seal"'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a status -d 'who seals files, and their maps in numbers'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a hold -d 'seal files while a command runs'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a map -d 'list the extents of a file'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a diff -d 'list the blocks in which two files differ'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a snapshot -d 'copy a file that is in use, by sharing its blocks'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a send -d 'write what differs from another file as a delta'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a receive -d 'bring a file to the contents that were sent'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a record -d 'store the maps of files'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a verify -d 'check files against their stored maps'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a offset -d 'where a file begins on its device'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a export -d 'make the blocks of a file a device'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a unexport -d 'remove a device that export made'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a list -d 'sealed files, or those to be sealed at boot'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a restore -d 'seal the recorded files again'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a forget -d 'do not seal files at boot any more'

complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a monitor -d 'print what happens to sealed files'
complete -c sealctl -n "not __fish_seen_subcommand_from $verbs" -a revoke -d 'take files from all who hold them sealed'
complete -c sealctl -n '__fish_seen_subcommand_from revoke' -f -a '(sealctl list --paths 2>/dev/null)'
complete -c sealctl -n '__fish_seen_subcommand_from unseal' -f -a '(sealctl list --paths 2>/dev/null)'
complete -c sealctl -n '__fish_seen_subcommand_from forget' -f -a '(sealctl list --paths --persistent 2>/dev/null)'
complete -c sealctl -n '__fish_seen_subcommand_from info status map diff list monitor' -l json -d 'for programs'
complete -c sealctl -n '__fish_seen_subcommand_from prealloc' -l written -d 'leave nothing unwritten'
complete -c sealctl -n '__fish_seen_subcommand_from prealloc' -s n -l keep-size -d 'do not move the end'
complete -c sealctl -n '__fish_seen_subcommand_from prealloc unshare' -s o -l offset -x -d 'start of the range'
complete -c sealctl -n '__fish_seen_subcommand_from prealloc unshare' -s l -l length -x -d 'length of the range'
complete -c sealctl -n '__fish_seen_subcommand_from seal' -l prepare -d 'allocate, write, unshare first'
complete -c sealctl -n '__fish_seen_subcommand_from seal' -l dry-run -d 'change nothing'
complete -c sealctl -n '__fish_seen_subcommand_from seal' -l persist -d 'also after the next boot'
complete -c sealctl -n '__fish_seen_subcommand_from unseal' -l persistent -d 'all recorded files'
complete -c sealctl -n '__fish_seen_subcommand_from seal hold' -l require -x -a 'allocated written unshared extents=' -d 'checks'
complete -c sealctl -n '__fish_seen_subcommand_from status snapshot send receive verify' -s q -l quiet
complete -c sealctl -n '__fish_seen_subcommand_from diff' -l bmap -d 'for bmaptool'
complete -c sealctl -n '__fish_seen_subcommand_from send' -s b -l base -r -F -d 'what the receiver has'
complete -c sealctl -n '__fish_seen_subcommand_from send' -s s -l snapshot -d 'send a snapshot of it'
complete -c sealctl -n '__fish_seen_subcommand_from send' -s c -l check -x -a 'ranges all'
complete -c sealctl -n '__fish_seen_subcommand_from send' -s z -l compress -d 'with zstd'
complete -c sealctl -n '__fish_seen_subcommand_from receive' -s i -l in-place -d 'update the file itself'
complete -c sealctl -n '__fish_seen_subcommand_from verify' -s m -l manifest -r -F -d 'stored maps'
complete -c sealctl -n '__fish_seen_subcommand_from offset' -l bytes
complete -c sealctl -n '__fish_seen_subcommand_from offset' -l pages
complete -c sealctl -n '__fish_seen_subcommand_from offset' -l sectors
complete -c sealctl -n '__fish_seen_subcommand_from export' -l dm -x -d 'make a device'
complete -c sealctl -n '__fish_seen_subcommand_from export' -l table -d 'print the table'
complete -c sealctl -n '__fish_seen_subcommand_from list' -l persistent -d 'to be sealed at boot'
complete -c sealctl -n '__fish_seen_subcommand_from list' -l paths -d 'only the paths'
complete -c sealctl -n '__fish_seen_subcommand_from list' -s m -l mount -r -d 'only of the filesystem a path is on'
complete -c sealctl -n '__fish_seen_subcommand_from list' -s p -l pid -x -d 'only what a process took'
complete -c sealctl -n '__fish_seen_subcommand_from list' -l state -x -a 'sealed sticky broken missed log-only'
complete -c sealctl -n '__fish_seen_subcommand_from list' -l sort -x -a 'age path pid size refused'
complete -c sealctl -n '__fish_seen_subcommand_from monitor' -s e -l events -x -a 'sealed unsealed refused broken revoked recall committed'
