// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The list of all claims.
 */
#include <errno.h>
#include <stdlib.h>

#include "events/events.h"

struct seal_list {
	struct channel channel;
	struct seal_claim claim;
};

SEAL_EXPORT int seal_list_open(struct seal_list **list)
{
	struct seal_list *new = calloc(1, sizeof(*new));
	int ret;

	if (!new)
		return -ENOMEM;
	ret = channel_open(&new->channel);
	if (ret) {
		free(new);
		return ret;
	}
	ret = channel_request(&new->channel, SEAL_CMD_CLAIM, NLM_F_DUMP, 0);
	if (ret) {
		seal_list_close(new);
		return ret;
	}
	*list = new;
	return 0;
}

SEAL_EXPORT int seal_list_next(struct seal_list *list,
			       const struct seal_claim **claim)
{
	struct attributes a;
	int ret = channel_next(&list->channel, SEAL_CMD_CLAIM, &a);

	if (ret <= 0)
		return ret;
	list->claim = (struct seal_claim){
		.claim		= attribute_u64(&a, SEAL_A_CLAIM),
		.inode		= attribute_u64(&a, SEAL_A_INODE),
		.dev_major	= attribute_u32(&a, SEAL_A_DEV_MAJOR),
		.dev_minor	= attribute_u32(&a, SEAL_A_DEV_MINOR),
		.path		= attribute_text(&a, SEAL_A_PATH),
		.deleted	= a.attr[SEAL_A_DELETED],
		.pid		= attribute_u32(&a, SEAL_A_PID),
		.uid		= attribute_u32(&a, SEAL_A_UID),
		.comm		= attribute_text(&a, SEAL_A_COMM),
		.since		= attribute_u64(&a, SEAL_A_SINCE),
		.require	= attribute_u32(&a, SEAL_A_REQUIRE),
		.flags		= attribute_u32(&a, SEAL_A_FLAGS),
		.max_extents	= attribute_u64(&a, SEAL_A_MAX_EXTENTS),
		.holders	= attribute_u32(&a, SEAL_A_HOLDERS),
		.file_size	= attribute_u64(&a, SEAL_A_FILE_SIZE),
		.extents	= attribute_u64(&a, SEAL_A_EXTENTS),
		.in_place	= attribute_u64(&a, SEAL_A_IN_PLACE),
		.refused	= attribute_u64(&a, SEAL_A_REFUSED),
		.broken		= attribute_u64(&a, SEAL_A_BROKEN),
	};
	/* every module sends it, so callers need not check for NULL */
	if (!list->claim.comm)
		return -EPROTO;
	*claim = &list->claim;
	return 1;
}

SEAL_EXPORT void seal_list_close(struct seal_list *list)
{
	if (!list)
		return;
	channel_close(&list->channel);
	free(list);
}
