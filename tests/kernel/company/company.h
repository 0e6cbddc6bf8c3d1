/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPANY_H
#define COMPANY_H

#include <stdint.h>

/* Prints the message with that of errno and ends the program with status 2. */
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *fmt, ...);

/* btf.c: type information of the kernel */
struct btf {
	char		*data;		/* header and all, as sysfs shows it */
	uint32_t	first_id;	/* of its types */
	uint32_t	first_string;	/* offset of its strings */
	uint32_t	end_id;
};

/* That of @module, or, with NULL, of the kernel itself; false: there is none. */
int btf_read(struct btf *btf, const struct btf *kernel, const char *module);
/* The type of the function @name, or 0. */
uint32_t btf_function(const struct btf *btf, const char *name);

/* bpf.c: "company bpf fentry|fexit [MODULE:]FUNCTION..." */
int bpf_main(int argc, char **argv);

/* calls.c: what the usage text in main.c says */
int hold_main(const char *recall_ms, int nr, char **paths);
int files_main(int nr, char **paths);
int lease_main(const char *path);
int info_main(void);
int spin_main(const char *seconds);
int swap_boot_main(const char *path);

#endif /* COMPANY_H */
