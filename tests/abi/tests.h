/* SPDX-License-Identifier: GPL-2.0-only */
/* The test cases of tests/abi, one file each. */
#ifndef ABI_TESTS_H
#define ABI_TESTS_H

#include <check.h>

TCase *abi_args(void);
TCase *abi_memory(void);
TCase *abi_descriptors(void);
TCase *abi_rights(void);
TCase *abi_require(void);
TCase *abi_node(void);
TCase *abi_compat(void);

#endif /* ABI_TESTS_H */
