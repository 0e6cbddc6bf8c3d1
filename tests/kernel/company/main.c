// SPDX-License-Identifier: GPL-2.0-only
/* What the script "guest" needs and no tool of the guest can do. */
#include "company.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char *fmt, ...)
{
	int error = errno;
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(error));
	exit(2);
}

static const char usage[] =
	"usage: company bpf fentry|fexit [MODULE:]FUNCTION...\n"
	"       company files FILE...   new ones of 256 KiB, all zeros\n"
	"       company hold RECALL_MS FILE...  seal them until the input ends\n"
	"       company lease FILE      break a lease of one's own\n"
	"       company info            ask for INFO\n"
	"       company spin SECONDS    once no gate is attached, keep a kernel thread busy\n"
	"       company swap-boot FILE  exchange it with the boot loader inode\n";

int main(int argc, char **argv)
{
	setlinebuf(stdout);
	if (argc > 3 && !strcmp(argv[1], "bpf"))
		return bpf_main(argc - 2, argv + 2);
	if (argc > 3 && argc <= 11 && !strcmp(argv[1], "hold"))
		return hold_main(argv[2], argc - 3, argv + 3);
	if (argc > 2 && !strcmp(argv[1], "files"))
		return files_main(argc - 2, argv + 2);
	if (argc == 3 && !strcmp(argv[1], "lease"))
		return lease_main(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "info"))
		return info_main();
	if (argc == 3 && !strcmp(argv[1], "spin"))
		return spin_main(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "swap-boot"))
		return swap_boot_main(argv[2]);
	fputs(usage, stderr);
	return 2;
}
