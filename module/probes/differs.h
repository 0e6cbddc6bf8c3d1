/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the kernel that this is built for differs from those that were reviewed, for
 * each filesystem. scripts/review/compare writes it before the build.
 */
#ifndef SEAL_DIFFERS_H
#define SEAL_DIFFERS_H

#ifdef __has_include
#if __has_include("probes/compared.h")
#include "probes/compared.h"
#endif
#endif

#ifndef SEAL_DIFFERS_XFS
#define SEAL_DIFFERS_XFS	"?the build did not do it, scripts/pre-build does"
#endif
#ifndef SEAL_DIFFERS_EXT4
#define SEAL_DIFFERS_EXT4	"?the build did not do it, scripts/pre-build does"
#endif

/* The version of that kernel, as uname -v prints it. */
#ifndef SEAL_COMPARED_VERSION
#define SEAL_COMPARED_VERSION	""
#endif

#endif /* SEAL_DIFFERS_H */
