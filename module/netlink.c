// SPDX-License-Identifier: GPL-2.0-only
/* The generic netlink family of uapi/seal_netlink.h. */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "base/compat.h"
#include "device.h"
#include "netlink.h"
#include "table/claim.h"
#include "table/events.h"

static struct genl_family family;

/* --- who may ask --- */

static int may_ask(struct sk_buff *skb, struct nlattr *session,
		   struct netlink_ext_ack *extack)
{
	struct file *file;
	bool good;

	if (session) {
		file = fget(nla_get_s32(session));
		good = file && seal_device_is(file);
		if (file)
			fput(file);
		if (good)
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, session,
				    "SESSION is not a descriptor of /dev/seal");
		return -EBADF;
	}
	if (netlink_capable(skb, CAP_LINUX_IMMUTABLE))
		return 0;
	NL_SET_ERR_MSG(extack,
		       "needs CAP_LINUX_IMMUTABLE, or in SESSION a descriptor of /dev/seal");
	return -EPERM;
}

static struct seal_viewer viewer_of(struct sk_buff *skb)
{
	return (struct seal_viewer){
		.uid	= NETLINK_CREDS(skb)->uid,
		.all	= netlink_capable(skb, CAP_DAC_READ_SEARCH),
	};
}

/* --- pieces of messages; false if there is no room --- */

static bool put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return !nla_put_u64_64bit(skb, attr, value, SEAL_A_PAD);
}

static bool put_file(struct sk_buff *skb, dev_t dev, u64 ino, const char *path,
		     bool deleted)
{
	return put_u64(skb, SEAL_A_INODE, ino) &&
	       !nla_put_u32(skb, SEAL_A_DEV_MAJOR, MAJOR(dev)) &&
	       !nla_put_u32(skb, SEAL_A_DEV_MINOR, MINOR(dev)) &&
	       (!path || !nla_put_string(skb, SEAL_A_PATH, path)) &&
	       (!path || !deleted || !nla_put_flag(skb, SEAL_A_DELETED));
}

static bool put_who(struct sk_buff *skb, pid_t pid, kuid_t uid,
		    const char *comm)
{
	return !nla_put_u32(skb, SEAL_A_PID, pid) &&
	       !nla_put_u32(skb, SEAL_A_UID, from_kuid(&init_user_ns, uid)) &&
	       !nla_put_string(skb, SEAL_A_COMM, comm);
}

/* --- the list of claims --- */

struct claim_dump {
	u64	next;
	u64	last;
	char	*page;
	struct seal_viewer viewer;
};

static struct claim_dump *claim_dump(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct claim_dump) > sizeof(cb->ctx));
	return (struct claim_dump *)cb->ctx;
}

static int claim_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = seal_dump_attrs(cb);
	struct claim_dump *dump = claim_dump(cb);
	int ret;

	ret = may_ask(cb->skb, attrs ? attrs[SEAL_A_SESSION] : NULL,
		      cb->extack);
	if (ret)
		return ret;
	dump->page = (char *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!dump->page)
		return -ENOMEM;
	dump->next = 0;
	dump->viewer = viewer_of(cb->skb);
	/* the dump ends here, even if claims are made faster than it reads */
	dump->last = seal_last_claim();
	/* room for the longest path and the other attributes */
	cb->min_dump_alloc = SZ_8K;
	return 0;
}

static int claim_done(struct netlink_callback *cb)
{
	free_page((unsigned long)claim_dump(cb)->page);
	return 0;
}

struct claim_message {
	struct sk_buff		*skb;
	struct netlink_callback	*cb;
};

static int claim_fill(void *arg, const struct seal_claim_info *info)
{
	struct claim_message *msg = arg;
	struct sk_buff *skb = msg->skb;
	bool sees;
	void *hdr;

	sees = seal_viewer_sees(&claim_dump(msg->cb)->viewer, info->owner);
	hdr = genlmsg_put(skb, NETLINK_CB(msg->cb->skb).portid,
			  msg->cb->nlh->nlmsg_seq, &family, NLM_F_MULTI,
			  SEAL_CMD_CLAIM);
	if (!hdr)
		return -EMSGSIZE;
	if (put_u64(skb, SEAL_A_CLAIM, info->id) &&
	    put_file(skb, info->dev, info->ino, sees ? info->path : NULL,
		     info->deleted) &&
	    put_who(skb, info->pid, info->uid, info->comm) &&
	    put_u64(skb, SEAL_A_SINCE, info->since) &&
	    !nla_put_u32(skb, SEAL_A_REQUIRE, info->require) &&
	    put_u64(skb, SEAL_A_MAX_EXTENTS, info->max_extents) &&
	    !nla_put_u32(skb, SEAL_A_FLAGS, info->flags) &&
	    !nla_put_u32(skb, SEAL_A_HOLDERS, info->holders) &&
	    put_u64(skb, SEAL_A_FILE_SIZE, info->sum.file_size) &&
	    put_u64(skb, SEAL_A_EXTENTS, info->sum.extents) &&
	    put_u64(skb, SEAL_A_IN_PLACE, seal_map_in_place(&info->sum)) &&
	    put_u64(skb, SEAL_A_REFUSED, info->refused) &&
	    put_u64(skb, SEAL_A_BROKEN, info->broken)) {
		genlmsg_end(skb, hdr);
		return 0;
	}
	genlmsg_cancel(skb, hdr);
	return -EMSGSIZE;
}

static int claim_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct claim_message msg = { .skb = skb, .cb = cb };
	struct claim_dump *dump = claim_dump(cb);
	int ret;

	ret = seal_claims_walk(&dump->next, dump->last, dump->page, claim_fill,
			       &msg);
	/* the next message has the rest */
	if (ret == -EMSGSIZE && skb->len)
		ret = 0;
	return ret ?: skb->len;
}

/* --- events --- */

static int listen_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *events = info->attrs[SEAL_A_EVENTS];
	struct seal_viewer viewer = viewer_of(skb);
	int ret;

	ret = may_ask(skb, info->attrs[SEAL_A_SESSION], info->extack);
	if (ret)
		return ret;
	return seal_events_listen(NETLINK_CB(skb).sk, info->snd_portid,
				  events ? nla_get_u32(events) :
					   SEAL_EVENTS_ALL, &viewer);
}

/* The operation that a call refused by @gate belongs to, in a user's words. */
static const char *operation_of(const char *gate)
{
	static const struct {
		const char	*gate;
		const char	*operation;
	} operations[] = {
		{ "generic_write_checks",		"write" },
		{ "iomap_file_buffered_write",		"write" },
		{ "iomap_page_mkwrite",			"write" },
		{ "xfs_atomic_write_cow_iomap_begin",	"atomic-write" },
		{ "xfs_atomic_write_cow_iomap_next",	"atomic-write" },
		{ "ext4_da_get_block_prep",		"write" },
		{ "ext4_get_block",			"write" },
		{ "ext4_get_block_unwritten",		"write" },
		{ "dax_iomap_fault",			"write" },
		{ "notify_change",			"truncate" },
		{ "ext4_fallocate",			"fallocate" },
		{ "xfs_file_fallocate",			"fallocate" },
		{ "generic_remap_file_range_prep",	"reflink" },
		{ "dax_remap_file_range_prep",		"reflink" },
		{ "ext4_move_extents",			"move-extents" },
		{ "ext4_ioctl",				"swap-boot" },
		{ "ext4_fileattr_set",			"set-flags" },
		{ "ext4_ext_migrate",			"migrate" },
		{ "ext4_begin_enable_verity",		"enable-verity" },
		{ "dquot_quota_on",			"quota-on" },
		{ "xfs_swap_extents",			"swap-extents" },
		{ "xfs_exchrange_prep",			"exchange-range" },
		{ "xfs_fs_map_blocks",			"pnfs-layout" },
		{ "xfs_fs_commit_blocks",		"pnfs-commit" },
		{ "xfs_free_eofblocks",			"trim" },
		/* the last line */
		{ "xfs_iomap_write_direct",		"allocate" },
		{ "xfs_bmapi_reserve_delalloc",		"allocate" },
		{ "xfs_reflink_allocate_cow",		"allocate" },
		{ "ext4_ext_map_blocks",		"allocate" },
		{ "ext4_ind_map_blocks",		"allocate" },
		{ "ext4_da_reserve_space",		"allocate" },
		{ "seal",				"seal" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(operations); i++)
		if (!strcmp(operations[i].gate, gate))
			return operations[i].operation;
	return "other";
}

static bool put_claim_event(struct sk_buff *skb, const struct seal_event *event)
{
	return put_u64(skb, SEAL_A_CLAIM, event->claim) &&
	       !nla_put_u32(skb, SEAL_A_HOLDERS, event->holders) &&
	       !nla_put_u32(skb, SEAL_A_FLAGS, event->flags) &&
	       (!event->why || !nla_put_u32(skb, SEAL_A_WHY, event->why));
}

static bool put_range(struct sk_buff *skb, const struct seal_event *event)
{
	return put_u64(skb, SEAL_A_OFFSET, event->start) &&
	       put_u64(skb, SEAL_A_LENGTH, event->end - event->start);
}

static bool put_gate_event(struct sk_buff *skb, const struct seal_event *event)
{
	return (event->type == SEAL_EVENT_BROKEN ||
		!nla_put_string(skb, SEAL_A_OPERATION,
				operation_of(event->gate))) &&
	       !nla_put_string(skb, SEAL_A_GATE, event->gate) &&
	       (!event->end || put_range(skb, event));
}

static bool put_recall_event(struct sk_buff *skb,
			     const struct seal_event *event)
{
	return put_u64(skb, SEAL_A_RECALL, event->recall) &&
	       put_u64(skb, SEAL_A_DEADLINE, event->deadline) &&
	       put_claim_event(skb, event) && put_gate_event(skb, event);
}

static bool put_refused_event(struct sk_buff *skb,
			      const struct seal_event *event)
{
	return (!event->flags || !nla_put_u32(skb, SEAL_A_FLAGS, event->flags)) &&
	       put_gate_event(skb, event);
}

static bool put_details(struct sk_buff *skb, const struct seal_event *event)
{
	switch (event->type) {
	case SEAL_EVENT_REFUSED:
		return put_refused_event(skb, event);
	case SEAL_EVENT_BROKEN:
		return put_gate_event(skb, event);
	case SEAL_EVENT_RECALL:
		return put_recall_event(skb, event);
	case SEAL_EVENT_COMMITTED:
		return put_range(skb, event);
	default:
		return put_claim_event(skb, event);
	}
}

static bool put_event(struct sk_buff *skb, const struct seal_event *event,
		      u64 serial, u64 lost)
{
	if (nla_put_u32(skb, SEAL_A_EVENT, event->type) ||
	    !put_u64(skb, SEAL_A_SERIAL, serial) ||
	    !put_u64(skb, SEAL_A_TIME, event->time))
		return false;
	if (event->type == SEAL_EVENT_LOST)
		return put_u64(skb, SEAL_A_LOST, lost);
	return put_file(skb, event->dev, event->ino, event->path,
			event->deleted) &&
	       put_who(skb, event->pid, event->uid, event->comm) &&
	       put_details(skb, event);
}

/* Room for all attributes but the path; their number is small and fixed. */
#define EVENT_ROOM	512

static struct sk_buff *event_message(const struct seal_event *event, u64 serial,
				     u64 lost)
{
	size_t room = EVENT_ROOM;
	struct sk_buff *skb;
	void *hdr;

	if (event->path)
		room += nla_total_size(strlen(event->path) + 1);
	skb = genlmsg_new(room, GFP_KERNEL);
	if (!skb)
		return NULL;
	hdr = genlmsg_put(skb, 0, 0, &family, 0, SEAL_CMD_EVENT);
	if (WARN_ON_ONCE(!hdr || !put_event(skb, event, serial, lost))) {
		kfree_skb(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

/* As netlink does it when it has found a socket by its number. */
static int message_send(struct sk_buff *skb, struct sock *sk)
{
	return sock_queue_rcv_skb(sk, skb);
}

const struct seal_events_sink seal_netlink_sink = {
	.message	= event_message,
	.send		= message_send,
};

/* --- the family --- */

static const struct nla_policy claim_policy[] = {
	[SEAL_A_SESSION]	= NLA_POLICY_MIN(NLA_S32, 0),
};

static const struct nla_policy listen_policy[] = {
	[SEAL_A_SESSION]	= NLA_POLICY_MIN(NLA_S32, 0),
	[SEAL_A_EVENTS]		= NLA_POLICY_MASK(NLA_U32, SEAL_EVENTS_ALL),
};

static const struct genl_ops ops[] = {
	{
		.cmd		= SEAL_CMD_CLAIM,
		.start		= claim_start,
		.dumpit		= claim_dumpit,
		.done		= claim_done,
		.policy		= claim_policy,
		.maxattr	= ARRAY_SIZE(claim_policy) - 1,
	}, {
		.cmd		= SEAL_CMD_LISTEN,
		.doit		= listen_doit,
		.policy		= listen_policy,
		.maxattr	= ARRAY_SIZE(listen_policy) - 1,
	},
};

/* There is no module alias: asking for the family does not load the module. */
static struct genl_family family __ro_after_init = {
	.name		= SEAL_GENL_NAME,
	.version	= SEAL_GENL_VERSION,
	.module		= THIS_MODULE,
	.parallel_ops	= true,
	.ops		= ops,
	.n_ops		= ARRAY_SIZE(ops),
	.resv_start_op	= SEAL_CMD_CLAIM,
};

static int netlink_event(struct notifier_block *nb, unsigned long action,
			 void *data)
{
	const struct netlink_notify *notify = data;

	if (action == NETLINK_URELEASE &&
	    notify->protocol == NETLINK_GENERIC &&
	    net_eq(notify->net, &init_net))
		seal_events_mute(notify->portid);
	return NOTIFY_DONE;
}

static struct notifier_block netlink_notifier = {
	.notifier_call	= netlink_event,
};

int seal_netlink_init(void)
{
	int ret;

	ret = netlink_register_notifier(&netlink_notifier);
	if (ret)
		return ret;
	ret = genl_register_family(&family);
	if (ret)
		netlink_unregister_notifier(&netlink_notifier);
	return ret;
}

/* The listeners stay until seal_events_exit(), which is called after this. */
void seal_netlink_exit(void)
{
	genl_unregister_family(&family);
	netlink_unregister_notifier(&netlink_notifier);
}
