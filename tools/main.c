// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl: seal the block map of files.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"
#include "cmd/cmd.h"
#include "steps/overlay.h"

#define OPTION_REQUIRE \
	"  --require LIST  seal only if all hold: allocated (no hole before EOF),\n" \
	"                  written (nothing unwritten), unshared, extents=N (at most)\n"
#define OPTIONS_RANGE \
	"  -o, --offset OFF  start of the range (0)\n" \
	"  -l, --length LEN  length of the range (up to the end of the file)\n" \
	"Sizes are bytes, or numbers with K, M, G or T.\n"

static const struct verb verbs[] = {
	{
		"info", cmd_info, "[--json]",
		"what can be sealed on this kernel",
		"  --json          for programs\n"
	}, {
		"prealloc", cmd_prealloc,
		"[--written] [-n] [-o OFF] [-l LEN] FILE...",
		"allocate the holes of files",
		"  --written         leave no block unwritten, contents stay as they are\n"
		"  -n, --keep-size   allocate beyond the end, but do not move it\n"
		OPTIONS_RANGE
	}, {
		"unshare", cmd_unshare, "[-o OFF] [-l LEN] FILE...",
		"give files their own copy of reflinked blocks",
		OPTIONS_RANGE
	}, {
		"seal", cmd_seal,
		"[--prepare] [--require LIST] [--dry-run | --persist] FILE...",
		"seal files until they are unsealed, all or none",
		"  --prepare       first allocate, write and unshare everything, then require it\n"
		OPTION_REQUIRE
		"  --dry-run       change nothing, tell what would happen\n"
		"  --persist       record them, and seal them again at every boot\n"
	}, {
		"unseal", cmd_unseal, "{FILE... | --claim NUMBER | --persistent}",
		"lift the seal of \"sealctl seal\"",
		"  --claim NUMBER  of a file that no path leads to; \"sealctl list\" has the number\n"
		"  --persistent    of all files that are recorded, which stay recorded\n"
	}, {
		"status", cmd_status, "[-q] [--json] FILE...",
		"who seals files, and their maps in numbers",
		"  -q, --quiet     print nothing, exit with 0 if all are sealed and protected, else\n"
		"                  with 1\n"
		"  --json          for programs\n"
	}, {
		"hold", cmd_hold, "[--require LIST] FILE... -- CMD [ARG...]",
		"seal files while a command runs",
		OPTION_REQUIRE
	}, {
		"map", cmd_map, "[--json] FILE",
		"list the extents of a file",
		"  --json          for programs\n"
	}, {
		"diff", cmd_diff,
		"[--json [-s OFF] | --bmap] OLD NEW | --allocated [--json [-s OFF]] FILE | --bmap [--zeros] FILE",
		"list the blocks in which two files differ, or where one has data",
		"  --json                     for programs, a line for each range\n"
		"  -s, --starting-offset OFF  leave out what lies before, to go on there\n"
		"  --bmap                     the block map that \"bmaptool copy\" reads, with checksums\n"
		"  --allocated                where one file has data\n"
		"  --zeros                    in the block map of one file also where it has none, so\n"
		"                             that zeros are written there\n"
	}, {
		"bitmap", cmd_bitmap,
		"[-n NAME] [-g SIZE] [-q | --json] -o OVERLAY OLD NEW",
		"make a qcow2 file over NEW, with a dirty bitmap of what differs from OLD",
		"  -o, --output OVERLAY    the qcow2 file; it must not be there yet\n"
		"  -n, --name NAME         of the bitmap (" OVERLAY_BITMAP ")\n"
		"  -g, --granularity SIZE  bytes per bit, a power of two from 512 to 64M (64K)\n"
		"  -q, --quiet             no summary\n"
		"  --json                  the summary, for programs\n"
	}, {
		"serve", cmd_serve,
		"[-n NAME] [-g SIZE] [-s SOCKET] [-t] OLD NEW",
		"serve NEW and the bitmap over NBD, until the last client goes",
		"  -n, --name NAME         of the bitmap (" OVERLAY_BITMAP ")\n"
		"  -g, --granularity SIZE  bytes per bit, a power of two from 512 to 64M (64K)\n"
		"  -s, --socket SOCKET     where to listen (a new directory)\n"
		"  -t, --persistent        until it is interrupted\n"
		"The URI for clients is printed. It takes qemu-nbd (Debian: qemu-utils).\n"
	}, {
		"snapshot", cmd_snapshot, "[-q] FILE COPY",
		"copy a file that is in use, by sharing its blocks",
		"  -q, --quiet     do not say what kind of copy it is\n"
	}, {
		"send", cmd_send,
		"[--base OLD] [--snapshot[=COPY]] [--resume TOKEN] [--check WHAT] [-z[LEVEL]] [-q] FILE >DELTA",
		"write what differs from OLD, or all of a file, as a delta",
		"  -b, --base OLD          send only blocks that are not those of OLD\n"
		"  -s, --snapshot[=COPY]   send a snapshot of FILE, and keep it as COPY\n"
		"  -r, --resume TOKEN      leave out what \"receive --where\" says is there\n"
		"  -c, --check ranges|all  hash what is replaced, or both files as a whole\n"
		"  -z, --compress[=LEVEL]  with zstd, level 1 to 19\n"
		"  -q, --quiet             no summary\n"
	}, {
		"receive", cmd_receive,
		"[-i] [--max-size SIZE] [-q | --json] DELTA FILE | --where [-i] FILE | --dump [--json] DELTA",
		"bring a file to the contents that were sent",
		"  -i, --in-place       update the file itself; otherwise a new one takes its place\n"
		"  -m, --max-size SIZE  the file may become so large (as its filesystem)\n"
		"  -w, --where          where an interrupted transfer is to go on, for send --resume\n"
		"  -d, --dump           print what a delta has, and check it\n"
		"  -q, --quiet          no summary\n"
		"      --json           the summary, or what is dumped, for programs\n"
		"DELTA may be \"-\", the standard input.\n"
	}, {
		"record", cmd_record, "FILE... >MANIFEST",
		"store the maps of files", ""
	}, {
		"verify", cmd_verify, "[-m MANIFEST] [-q] [FILE...]",
		"check files against their stored maps",
		"  -m, --manifest MANIFEST  what \"sealctl record\" stored (standard input)\n"
		"  -q, --quiet              only say what is wrong\n"
	}, {
		"offset", cmd_offset, "[--bytes | --pages | --sectors] FILE",
		"where a file begins on its device",
		"  --bytes         print only this number\n"
		"  --pages         of a swap file, in pages, the unit of resume_offset=\n"
		"  --sectors       the same in sectors of 512 bytes\n"
	}, {
		"swapfile", cmd_swapfile, "[--persist] FILE SIZE",
		"make a swap file that stays where it is",
		"  --persist       seal it again at every boot\n"
		"SIZE is bytes, or a number with K, M, G or T. What the kernel has to be told to\n"
		"resume from it is printed.\n"
	}, {
		"export", cmd_export, "{--dm NAME | --table} FILE",
		"make the blocks of a file a device, and seal it",
		"  --dm NAME       make /dev/mapper/NAME\n"
		"  --table         only print the table, of a file that is sealed\n"
	}, {
		"unexport", cmd_unexport, "NAME",
		"remove a device that export made, and the seal with it", ""
	}, {
		"list", cmd_list,
		"[-m PATH] [-p PID] [--state STATE] [--sort KEY] [--paths [-0] | --json] | --persistent [--paths [-0] | --json]",
		"list all holders of all sealed files, or what is sealed at boot",
		"  -m, --mount PATH  only of the filesystem that PATH is on\n"
		"  -p, --pid PID     only what this process took\n"
		"  --state STATE     only those: sealed, sticky, broken, missed, log-only\n"
		"  --sort KEY        by age (the default), path, pid, size or refused\n"
		"  --persistent      the files that \"sealctl seal --persist\" recorded\n"
		"  --paths           print only the paths\n"
		"  -0, --null        as they are, each with a NUL behind it; implies --paths\n"
		"  --json            for programs\n"
	}, {
		"monitor", cmd_monitor, "[-e LIST] [--json] [FILE...]",
		"print what happens to sealed files, until interrupted",
		"  -e, --events LIST  some of sealed,unsealed,refused,broken,revoked,recall,committed\n"
		"  --json             an object per line, for programs\n"
	}, {
		"revoke", cmd_revoke, "FILE...",
		"take files from whoever holds them sealed",
		"The holders are told. What they do with the blocks meanwhile may be lost.\n"
	}, {
		"restore", cmd_restore, "",
		"seal the recorded files again, if they are as recorded", ""
	}, {
		"forget", cmd_forget, "FILE...",
		"do not seal files at boot any more", ""
	},
};

static int print_verbs(FILE *out)
{
	unsigned int i;

	fputs("usage: sealctl VERB [OPTION...] [FILE...]\n", out);
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\"sealctl VERB --help\" tells more, as does sealctl(8); ", out);
	fputs("\"sealctl --version\" prints the version.\n", out);
	return out == stdout ? STATUS_OK : STATUS_USAGE;
}

/* getopt() begins its messages with the first argument, as ours begin. */
static int run_verb(const struct verb *verb, int argc, char **argv)
{
	static char name[40];

	snprintf(name, sizeof(name), "sealctl: %s", verb->name);
	argv[0] = name;
	return verb->run(verb, argc, argv);
}

static int run(int argc, char **argv)
{
	unsigned int i;

	if (argc < 2)
		return print_verbs(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help"))
		return print_verbs(stdout);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("sealctl " VERSION);
		return STATUS_OK;
	}
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return run_verb(&verbs[i], argc - 1, argv + 1);
	complain(argv[1], "no such verb");
	return print_verbs(stderr);
}

/*
 * Without standard streams, files that are opened would get their numbers, and
 * messages would be written into them. To write to these is an error still.
 */
static int fill_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	return fd < 0 ? -1 : close(fd);
}

/* What could not be written is I/O that failed, which has a status of its own here. */
static int lost_output(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "send") || !strcmp(argv[1], "receive")))
		return STATUS_IO;
	return STATUS_FAILED;
}

int main(int argc, char **argv)
{
	/* before arguments are changed */
	const int lost = lost_output(argc, argv);
	int status;

	if (fill_streams())
		return STATUS_FAILED;
	status = run(argc, argv);

	/* Lost output is a failure, whether by a full disk or a closed pipe. */
	if (fflush(stdout) || ferror(stdout)) {
		complain("output", "%s", strerror(errno));
		if (status == STATUS_OK)
			status = lost;
	}
	return status;
}
