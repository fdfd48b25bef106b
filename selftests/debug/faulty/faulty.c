// SPDX-License-Identifier: GPL-2.0
/*
 * Commits the faults that the debug kernel is there to find: each by writing its name to the
 * parameter "commit". Loaded by checkers.sh only.
 */
#include <linux/delay.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/ref_tracker.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spinlock);
static int value;
static int __rcu *pointer;

static void lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void no_rcu(void)
{
	rcu_assign_pointer(pointer, &value);
	WRITE_ONCE(value, *rcu_dereference(pointer));
}

static void atomic_sleep(void)
{
	spin_lock(&spinlock);
	might_sleep();
	spin_unlock(&spinlock);
}

static void any_cpu(void)
{
	WRITE_ONCE(value, smp_processor_id());
}

static void use_after_free(void)
{
	int *object = kzalloc(sizeof(*object), GFP_KERNEL);

	kfree(object);
	if (object)
		WRITE_ONCE(value, READ_ONCE(*object));
}

static void far_shift(void)
{
	unsigned int bits = 40;

	OPTIMIZER_HIDE_VAR(bits);
	WRITE_ONCE(value, 1 << bits);
}

static void past_array(void)
{
	/* Of the array, but not of the object, which KASAN would see. */
	static struct {
		int array[4];
		int more[4];
	} object;
	unsigned int beyond = 4;

	OPTIMIZER_HIDE_VAR(beyond);
	object.array[beyond & 7] = 1;
	WRITE_ONCE(value, object.more[0]);
}

static void timer_expired(struct timer_list *timer)
{
}

static void free_active_timer(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, timer_expired, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

static void list(void)
{
	LIST_HEAD(head);
	LIST_HEAD(entry);

	list_add(&entry, &head);
	list_del(&entry);
	list_del(&entry);
}

static void refcount(void)
{
	refcount_t count = REFCOUNT_INIT(0);

	refcount_inc(&count);
}

static void tracker(void)
{
	struct ref_tracker_dir directory;
	struct ref_tracker *reference;

	ref_tracker_dir_init(&directory, 16);
	ref_tracker_alloc(&directory, &reference, GFP_KERNEL);
	ref_tracker_dir_exit(&directory);
}

static void leak(void)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		WRITE_ONCE(value, !kzalloc(4000, GFP_KERNEL));
}

static void hang(void)
{
	schedule_timeout_uninterruptible(60 * HZ);
}

static const struct {
	const char *name;
	void (*commit)(void);
} faults[] = {
	{ "no_rcu", no_rcu },
	{ "any_cpu", any_cpu },
	{ "atomic_sleep", atomic_sleep },
	{ "lock_order", lock_order },
	{ "far_shift", far_shift },
	{ "past_array", past_array },
	{ "refcount", refcount },
	{ "list", list },
	{ "free_active_timer", free_active_timer },
	{ "tracker", tracker },
	{ "leak", leak },
	{ "hang", hang },
	{ "use_after_free", use_after_free },
};

static int commit_fault(const char *name, const struct kernel_param *param)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (!sysfs_streq(name, faults[i].name))
			continue;
		faults[i].commit();
		return 0;
	}
	return -EINVAL;
}

static const struct kernel_param_ops commit_ops = { .set = commit_fault };
module_param_cb(commit, &commit_ops, NULL, 0200);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Faults for the checkers of a debug kernel to find");
