// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors for people: the object, the cause and the remedy.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/errors.h"
#include "base/escape.h"
#include "base/module_file.h"
#include "base/sealctl.h"

void complain(const char *object, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	/* Keeps the order of messages if both streams go to one file. */
	fflush(stdout);
	fputs("sealctl: ", stderr);
	print_text(stderr, object);
	fputs(": ", stderr);
	print_text(stderr, text);
	fputc('\n', stderr);
	free(text);
}

static void explain_abi(FILE *out, int abi)
{
	if (abi < 0) {
		fprintf(out,
			"this is not the node of the seal module, or the module is far older than sealctl; reload the module (\"rmmod seal; modprobe seal\") or update it");
		return;
	}
	fprintf(out, "the loaded module speaks ABI version %d, sealctl version %d; ",
		abi, SEAL_ABI_VERSION);
	fputs(abi < SEAL_ABI_VERSION ?
	      "update the module and load it again (\"rmmod seal; modprobe seal\")" :
	      "update sealctl", out);
}

/* Explain why there is no module, better than modprobe would. */
static void explain_not_loaded(FILE *out)
{
	struct utsname kernel;

	if (!uname(&kernel) && !module_installed(kernel.release))
		fprintf(out,
			"the module is not loaded, and there is no module seal for the running kernel %s; install linux-headers-%s, with which DKMS builds it (\"dkms autoinstall\"), or use \"make install\", then \"modprobe seal\"",
			kernel.release, kernel.release);
	else if (module_signed_only())
		fprintf(out,
			"the module is not loaded, and this kernel loads signed modules only; \"modprobe seal\" as root, and if that is refused enroll the key it is signed with (docs/SECURE-BOOT.md)");
	else
		fputs("the module is not loaded; load it with \"modprobe seal\" as root",
		      out);
}

void explain_session(FILE *out, int error, int abi, const char *group)
{
	switch (error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		explain_not_loaded(out);
		break;
	case EACCES:
	case EPERM:
		if (group && strcmp(group, "root"))
			fprintf(out, "no permission; be root or a member of the group \"%s\"",
				group);
		else
			fprintf(out,
				"no permission; be root, or let an administrator give the node a group (seal(4))");
		break;
	case EPROTO:
		explain_abi(out, abi);
		break;
	default:
		fputs(strerror(error), out);
		break;
	}
}

void explain_range(FILE *out, int error, const char *path)
{
	switch (error) {
	case ETXTBSY:
		fprintf(out,
			"the file is sealed, or swapped to; end that first (\"sealctl unseal %s\", \"swapoff %s\")",
			shown(path), shown(path));
		break;
	case ENOSPC:
	case EDQUOT:
		fprintf(out,
			"%s; make room and run the same command again, which goes on with what is left",
			strerror(error));
		break;
	case EOPNOTSUPP:
		fprintf(out,
			"its filesystem or its kind of file does not support this (\"sealctl info\" lists what can be sealed)");
		break;
	case EPERM:
		fprintf(out,
			"not permitted; be its owner or root, and see whether it is immutable or append-only (lsattr)");
		break;
	case EINVAL:
		fputs("the filesystem refuses this range; give one that lies within the file",
		      out);
		break;
	case EBUSY:
		fprintf(out,
			"other programs change it all the time; try again when they have stopped");
		break;
	case EFBIG:
		fprintf(out,
			"the range ends beyond what the filesystem or the file size limit (ulimit -f) allows; give a smaller one");
		break;
	case ECANCELED:
	case EINTR:
		fputs("interrupted; the file is consistent, the same command continues",
		      out);
		break;
	default:
		fputs(strerror(error), out);
		break;
	}
}

void complain_range(const char *path, const char *step, int error)
{
	fflush(stdout);
	fprintf(stderr, "sealctl: %s: %s: ", shown(path), step);
	explain_range(stderr, error, path);
	fputc('\n', stderr);
}

/* Say how to make a map meet a requirement. */
static void remedy(FILE *out, uint32_t require, const char *path, bool sealed)
{
	/* Whatever is said below is refused for a sealed file. */
	if (sealed) {
		fprintf(out,
			"it is sealed already, so that its map cannot be changed; run \"sealctl unseal %s\" first (\"sealctl list\" shows who else holds it), then ",
			shown(path));
		if (require != SEAL_REQ_EXTENTS) {
			fprintf(out, "\"sealctl seal --prepare %s\"", shown(path));
			return;
		}
	}
	switch (require) {
	case SEAL_REQ_ALLOCATED:
	case SEAL_REQ_WRITTEN:
		fprintf(out, "run \"sealctl prealloc --written %s\" first, or seal with --prepare",
			shown(path));
		break;
	case SEAL_REQ_UNSHARED:
		fprintf(out, "run \"sealctl unshare %s\" first, or seal with --prepare",
			shown(path));
		break;
	case SEAL_REQ_EXTENTS:
		fputs("defragment it first (xfs_fsr, e4defrag), or allow more extents",
		      out);
		break;
	default:
		fprintf(out, "\"sealctl map %s\" shows the map", shown(path));
		break;
	}
}

void explain_unmet(FILE *out, uint32_t require, const char *path, bool sealed)
{
	fprintf(out, "requirement \"%s\" not met; ", require_name(require));
	remedy(out, require, path, sealed);
}

/* Too many extents: no range is to blame for that. */
static void explain_extents(FILE *out, const struct seal_files *report)
{
	if (report->reason[0])
		fprintf(out, ": it has %s", (const char *)report->reason);
	else
		fprintf(out, ": it has more than the %llu extent%s that are allowed at most",
			(unsigned long long)report->max_extents,
			report->max_extents == 1 ? "" : "s");
}

static void explain_offence(FILE *out, const struct seal_files *report)
{
	fputc(':', out);
	if (report->bad_length)
		fprintf(out, " %llu bytes at offset %llu,",
			(unsigned long long)report->bad_length,
			(unsigned long long)report->bad_offset);
	fprintf(out, " state %s", seal_range_state_name(report->bad_state));
	/* Of other states it says the same once more. */
	if (report->bad_state == SEAL_RANGE_COW && report->reason[0])
		fprintf(out, " (%s)", (const char *)report->reason);
}

static void explain_requirement(FILE *out, const struct seal_files *report,
				const char *path, bool sealed)
{
	fprintf(out, "requirement \"%s\" not met", require_name(report->bad_require));
	if (report->bad_require == SEAL_REQ_EXTENTS)
		explain_extents(out, report);
	else
		explain_offence(out, report);
	fputs("; ", out);
	remedy(out, report->bad_require, path, sealed);
}

void explain_seal(FILE *out, int error, const struct seal_files *report,
		  const char *path, bool sealed)
{
	const char *reason = (const char *)report->reason;

	switch (error) {
	case EBADFD:
		explain_requirement(out, report, path, sealed);
		return;
	case EOPNOTSUPP:
		fprintf(out,
			"cannot be sealed: %s; \"sealctl info\" lists what this kernel supports",
			*reason ? reason : "the kernel gave no reason");
		return;
	case EPERM:
		fprintf(out,
			"not permitted%s%s; be its owner or root, and note that a lasting seal needs CAP_LINUX_IMMUTABLE (\"sealctl hold\" does not)",
			*reason ? ": " : "", reason);
		return;
	case ETXTBSY:
		fprintf(out,
			"it is %s, which its seal would hurt; use a copy that \"sealctl snapshot %s COPY\" makes, or end that program",
			*reason ? reason : "open for writing", shown(path));
		return;
	case EBUSY:
		fprintf(out, "busy: %s; try again when that has ended",
			*reason ? reason :
			"the filesystem is frozen, or the file has a layout lease");
		return;
	case ESTALE:
		fprintf(out, "not sealed: %s; \"sealctl status %s\" and the kernel log tell more",
			*reason ? reason : "its seal was broken", shown(path));
		return;
	default:
		fputs(strerror(error), out);
		if (*reason)
			fprintf(out, ": %s", reason);
		return;
	}
}
