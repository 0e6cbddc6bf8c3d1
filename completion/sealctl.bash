# SPDX-License-Identifier: GPL-2.0-only
# bash completion for sealctl(8)

# _sealctl_sealed PREFIX [--persistent]: complete the paths of sealed files, or
# of recorded ones
_sealctl_sealed() {
	local prefix=$1 path

	shift
	compopt -o filenames 2>/dev/null
	while IFS= read -r -d '' path; do
		[[ $path != "$prefix"* ]] || COMPREPLY+=("$path")
	done < <(sealctl list --null "$@" 2>/dev/null)
}

_sealctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verb=${COMP_WORDS[1]} options='' verbs name i
	COMPREPLY=()

	verbs="info prealloc unshare seal unseal status hold map diff bitmap serve snapshot
		send receive record verify offset swapfile export unexport list monitor revoke restore
		forget"
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs --help --version" -- "$cur")
		return
	fi
	# The command of "hold" and what belongs to it.
	if [ "$verb" = hold ]; then
		for ((i = 2; i < COMP_CWORD; i++)); do
			[ "${COMP_WORDS[i]}" = -- ] || continue
			if [ $((i + 1)) -eq "$COMP_CWORD" ]; then
				mapfile -t COMPREPLY < <(compgen -c -- "$cur")
			else
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			fi
			return
		done
	fi
	case $prev in
	--require)
		mapfile -t COMPREPLY < <(compgen -W \
			"allocated written unshared extents= allocated,written,unshared" \
			-- "$cur")
		return
		;;
	--check | -c)
		mapfile -t COMPREPLY < <(compgen -W "ranges all" -- "$cur")
		return
		;;
	-l | --length | --offset | --dm | --claim | -n | --name | -g | --granularity | --starting-offset)
		return
		;;
	-o)
		[ "$verb" != bitmap ] ||
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	case $verb in
	info) options="--json" ;;
	prealloc) options="--written --keep-size --offset --length" ;;
	unshare) options="--offset --length" ;;
	seal) options="--prepare --require --dry-run --persist" ;;
	unseal) options="--claim --persistent" ;;
	status) options="--quiet --json" ;;
	hold) options="--require --" ;;
	map) options="--json" ;;
	diff) options="--json --bmap --allocated --zeros --starting-offset" ;;
	bitmap) options="--output --name --granularity --quiet --json" ;;
	serve) options="--name --granularity --socket --persistent" ;;
	snapshot) options="--quiet" ;;
	send) options="--base --snapshot --resume --check --compress --quiet" ;;
	receive) options="--in-place --max-size --where --dump --json --quiet" ;;
	verify) options="--manifest --quiet" ;;
	offset) options="--bytes --pages --sectors" ;;
	swapfile) options="--persist" ;;
	export) options="--dm --table" ;;
	list) options="--mount --pid --state --sort --persistent --paths --null --json" ;;
	monitor) options="--events --json" ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options --help" -- "$cur")
		return
	fi
	case $verb in
	unseal | revoke) _sealctl_sealed "$cur" ;;
	forget) _sealctl_sealed "$cur" --persistent ;;
	unexport)
		# not by compgen -W, which would expand what is in a name
		while IFS= read -r name; do
			[[ $name != "$cur"* ]] || COMPREPLY+=("$name")
		done < <(dmsetup info -c --noheadings -o name,uuid 2>/dev/null |
			sed -n 's/:SEAL-.*//p')
		;;
	info | list | restore) ;;
	*)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}

complete -F _sealctl sealctl
