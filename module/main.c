// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading of the module, which seals the block maps of files. */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "base/errand.h"
#include "device.h"
#include "gates/filesystems.h"
#include "gates/inside.h"
#include "gates/recall.h"
#include "netlink.h"
#include "probes/set.h"
#include "sealing/pages.h"
#include "sealing/release.h"
#include "table/claim.h"
#include "table/entry.h"
#include "table/events.h"

/*
 * No set has a user any more, but sets may still be attached. After they are
 * detached, no task is on its way from a gate into a function of this module, but
 * one may be inside a wrapper, or on its way out of one. Wait for each in turn.
 */
static void gates_exit(void)
{
	seal_filesystems_exit();
	seal_errands_wait();
	seal_sets_exit();
	seal_recall_exit();
	seal_inside_wait_all();
	seal_pages_exit();
	synchronize_rcu_tasks();
}

static int __init seal_init(void)
{
	int ret;

	ret = seal_errands_init();
	if (ret)
		return ret;
	ret = seal_entries_init();
	if (ret)
		goto err_errands;
	ret = seal_claims_init();
	if (ret)
		goto err_entries;
	ret = seal_sets_init();
	if (ret)
		goto err_claims;
	seal_filesystems_init();
	ret = seal_events_init(&seal_netlink_sink);
	if (ret)
		goto err_gates;
	ret = seal_release_init();
	if (ret)
		goto err_events;
	ret = seal_netlink_init();
	if (ret)
		goto err_release;
	/* the device appears last and disappears first */
	ret = seal_device_init();
	if (ret)
		goto err_netlink;
	return 0;

err_netlink:
	seal_netlink_exit();
err_release:
	seal_release_exit();
err_events:
	seal_events_exit();
err_gates:
	gates_exit();
err_claims:
	seal_claims_exit();
err_entries:
	seal_entries_exit();
err_errands:
	seal_errands_exit();
	return ret;
}

static void __exit seal_exit(void)
{
	seal_device_exit();
	seal_netlink_exit();
	/* what it still does can make events */
	seal_release_exit();
	seal_events_exit();
	gates_exit();
	seal_claims_exit();
	seal_entries_exit();
	seal_errands_exit();
}

module_init(seal_init);
module_exit(seal_exit);

MODULE_DESCRIPTION("Seal the block map of files");
MODULE_AUTHOR("The seal authors");
MODULE_VERSION(SEAL_VERSION);
MODULE_LICENSE("GPL");
