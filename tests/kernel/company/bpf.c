// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaches a BPF program to the entry (fentry) or the exit (fexit) of functions.
 * The programs count the calls. One line per function says "on FUNCTION", or
 * "cannot FUNCTION: why"; then comes "ready". From then on each line of input
 * is answered with "hits FUNCTION NUMBER" lines and "end". The programs are
 * detached at the end of the input.
 */
#include "company.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_FUNCTIONS	64
#define MAX_MODULES	4
#define PAGE		4096

static struct module {
	const char	*name;		/* NULL: the kernel itself */
	struct btf	btf;
	int		fd;
} modules[MAX_MODULES];
static unsigned int nr_modules;

static uint64_t *counts;	/* shared with the programs */

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A descriptor of the type information of @module. */
static int btf_open(const char *module)
{
	union bpf_attr attr = { 0 };

	for (;;) {
		struct bpf_btf_info info = { 0 };
		union bpf_attr open = { 0 }, ask = { 0 };
		char name[64] = "";
		int fd;

		if (bpf(BPF_BTF_GET_NEXT_ID, &attr))
			die("no BTF of %s", module);
		attr.start_id = attr.next_id;
		open.btf_id = attr.start_id;
		fd = bpf(BPF_BTF_GET_FD_BY_ID, &open);
		if (fd < 0)
			continue;
		info.name = (uintptr_t)name;
		info.name_len = sizeof(name);
		ask.info.bpf_fd = fd;
		ask.info.info_len = sizeof(info);
		ask.info.info = (uintptr_t)&info;
		if (!bpf(BPF_OBJ_GET_INFO_BY_FD, &ask) && !strcmp(name, module))
			return fd;
		close(fd);
	}
}

static struct module *module_of(const char *name)
{
	struct module *module;

	for (unsigned int i = 0; i < nr_modules; i++)
		if (modules[i].name ? name && !strcmp(modules[i].name, name) :
				      !name)
			return &modules[i];
	if (nr_modules == MAX_MODULES)
		die("too many modules");
	module = &modules[nr_modules];
	module->name = name;
	if (!btf_read(&module->btf, &modules[0].btf, name))
		die("no BTF of %s", name ?: "the kernel");
	module->fd = name ? btf_open(name) : 0;
	nr_modules++;
	return module;
}

/* One number per function, in a page that is mapped here. */
static int counts_create(void)
{
	union bpf_attr attr = {
		.map_type	= BPF_MAP_TYPE_ARRAY,
		.key_size	= sizeof(uint32_t),
		.value_size	= MAX_FUNCTIONS * sizeof(uint64_t),
		.max_entries	= 1,
		.map_flags	= BPF_F_MMAPABLE,
	};
	int fd = bpf(BPF_MAP_CREATE, &attr);

	if (fd < 0)
		die("BPF_MAP_CREATE");
	counts = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (counts == MAP_FAILED)
		die("mmap");
	return fd;
}

/* counts[index]++; return 0 */
static int program_load(int map, unsigned int index, int type,
			const struct module *module, uint32_t function,
			char *log, size_t log_size)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_VALUE, .imm = map },
		{ .imm = index * sizeof(uint64_t) },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2,
		  .imm = 1 },
		{ .code = BPF_STX | BPF_DW | BPF_ATOMIC, .dst_reg = BPF_REG_1,
		  .src_reg = BPF_REG_2, .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type	= BPF_PROG_TYPE_TRACING,
		.expected_attach_type = type,
		.insns		= (uintptr_t)program,
		.insn_cnt	= sizeof(program) / sizeof(program[0]),
		.license	= (uintptr_t)"GPL",
		.attach_btf_id	= function,
		.attach_btf_obj_fd = module->fd,
		.log_buf	= (uintptr_t)log,
		.log_size	= log_size,
		.log_level	= 1,
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

/* 0, or @why it cannot be. */
static int attach(int map, unsigned int index, int type, const char *target,
		  char *why, size_t size)
{
	const char *colon = strchr(target, ':');
	const char *name = colon ? colon + 1 : target;
	const struct module *module;
	union bpf_attr attr = { 0 };
	static char log[16384];
	uint32_t function;
	int fd;

	module = module_of(colon ? strndup(target, colon - target) : NULL);
	function = btf_function(&module->btf, name);
	if (!function) {
		snprintf(why, size, "it has no BTF");
		return -1;
	}
	log[0] = '\0';
	fd = program_load(map, index, type, module, function, log, sizeof(log));
	if (fd < 0) {
		snprintf(why, size, "load: %s: %s", strerror(errno), log);
		why[strcspn(why, "\n")] = '\0';
		return -1;
	}
	attr.raw_tracepoint.prog_fd = fd;
	if (bpf(BPF_RAW_TRACEPOINT_OPEN, &attr) < 0) {
		snprintf(why, size, "attach: %s", strerror(errno));
		return -1;
	}
	return 0;
}

int bpf_main(int argc, char **argv)
{
	int type = !strcmp(argv[0], "fexit") ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY;
	bool on[MAX_FUNCTIONS];
	char line[64], why[300];
	int map;

	if (argc - 1 > MAX_FUNCTIONS)
		die("too many functions");
	module_of(NULL);
	map = counts_create();
	for (int i = 1; i < argc; i++) {
		on[i - 1] = !attach(map, i - 1, type, argv[i], why, sizeof(why));
		if (on[i - 1])
			printf("on %s\n", argv[i]);
		else
			printf("cannot %s: %s\n", argv[i], why);
	}
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		for (int i = 1; i < argc; i++)
			if (on[i - 1])
				printf("hits %s %llu\n", argv[i],
				       (unsigned long long)counts[i - 1]);
		puts("end");
	}
	return 0;
}
