// SPDX-License-Identifier: GPL-2.0-only
/* Seal the block map of files: loading and unloading. */
#include <linux/module.h>

#include "claim.h"
#include "device.h"
#include "entered.h"
#include "gate.h"

static int __init seal_init(void)
{
	int ret;

	ret = seal_claims_init();
	if (ret)
		return ret;
	ret = seal_entered_init();
	if (ret)
		goto err_claims;
	ret = seal_gates_init();
	if (ret)
		goto err_entered;
	/* the last thing to appear, the first to go */
	ret = seal_device_init();
	if (ret)
		goto err_gates;
	return 0;

err_gates:
	seal_gates_exit();
err_entered:
	seal_entered_exit();
err_claims:
	seal_claims_exit();
	return ret;
}

static void __exit seal_exit(void)
{
	seal_device_exit();
	seal_gates_exit();
	seal_entered_exit();
	seal_claims_exit();
}

module_init(seal_init);
module_exit(seal_exit);

MODULE_DESCRIPTION("Seal the block map of files");
MODULE_AUTHOR("The seal authors");
MODULE_VERSION(SEAL_VERSION);
MODULE_LICENSE("GPL");
