// SPDX-License-Identifier: GPL-2.0-only
/* The smallest module: shows that lab/guest-module's output loads in a guest. */
#include <linux/init.h>
#include <linux/module.h>

static int __init trivial_init(void)
{
	pr_alert("TRIVIAL-LOADED\n");
	return 0;
}

static void __exit trivial_exit(void)
{
}

module_init(trivial_init);
module_exit(trivial_exit);
MODULE_DESCRIPTION("Does nothing, to show that modules load");
MODULE_LICENSE("GPL");
