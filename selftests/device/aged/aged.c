// SPDX-License-Identifier: GPL-2.0
/*
 * Makes a session one that has sent more messages than anybody waits for: writing the number to the
 * parameter "sent" has the session whose own index is in the parameter "index" have sent so many, as
 * soon as a message is received on it. Then "sent" is 0 again. Loaded by selftests only.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/ptrace.h>

#include "transport/session.h"

static unsigned int index;
module_param(index, uint, 0600);
MODULE_PARM_DESC(index, "own index of the session, as the message has it read as little endian");

static unsigned long long sent;
module_param(sent, ullong, 0600);
MODULE_PARM_DESC(sent, "messages that it has sent");

static int looked_up(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct nwg_session *session = (struct nwg_session *)regs_return_value(regs);

	if (session && READ_ONCE(sent) && le32_to_cpu(session->index.value) == READ_ONCE(index))
		WRITE_ONCE(session->send_counter, xchg(&sent, 0));
	return 0;
}

static struct kretprobe lookup = {
	.kp.symbol_name = "nwg:nwg_session_lookup",
	.handler = looked_up,
};

static int __init aged_init(void)
{
	return register_kretprobe(&lookup);
}

static void __exit aged_exit(void)
{
	unregister_kretprobe(&lookup);
}

module_init(aged_init);
module_exit(aged_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("nwg's sessions of great age, for its selftests");
