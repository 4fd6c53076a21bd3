// SPDX-License-Identifier: GPL-2.0-only
/*
 * The time of one RDMSR in a guest: `echo 0x35 >/proc/bench; cat /proc/bench` prints the
 * mean of 2,000 RDMSRs, in nanoseconds of the guest's clock. In the lab under icount, a
 * nanosecond is an instruction.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include <asm/msr.h>

#define TURNS 2000

static u64 each;

static ssize_t bench_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *pos)
{
	u64 value;
	ktime_t from;
	u32 msr;
	int i, err;

	err = kstrtou32_from_user(buf, len, 0, &msr);
	if (err)
		return err;
	/* One RDMSR before the loop: it fails if there is no such MSR. */
	err = rdmsrl_safe(msr, &value);
	if (err)
		return err;
	from = ktime_get();
	for (i = 0; i < TURNS; i++)
		rdmsrl_safe(msr, &value);
	each = div_u64(ktime_to_ns(ktime_sub(ktime_get(), from)), TURNS);
	return len;
}

static ssize_t bench_read(struct file *file, char __user *buf, size_t len,
			  loff_t *pos)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu\n", each);

	return simple_read_from_buffer(buf, len, pos, text, n);
}

static const struct proc_ops ops = {
	.proc_read = bench_read,
	.proc_write = bench_write,
};

static int __init bench_init(void)
{
	return proc_create("bench", 0600, NULL, &ops) ? 0 : -ENOMEM;
}

static void __exit bench_exit(void)
{
	remove_proc_entry("bench", NULL);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Cost of an RDMSR, seen from a test guest");
