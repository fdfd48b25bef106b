/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_RCULIST_H
#define _SHIM_LINUX_RCULIST_H

#include <linux/list.h>
#include <linux/rcupdate.h>

#define list_for_each_entry_rcu(position, head, member) list_for_each_entry(position, head, member)

#define hlist_for_each_entry_rcu(position, head, member)                                           \
	for ((position) = (head)->first ? list_entry((head)->first, typeof(*(position)), member) : \
					  NULL;                                                    \
	     (position);                                                                           \
	     (position) = (position)->member.next ? list_entry((position)->member.next,            \
							       typeof(*(position)), member) :      \
						    NULL)

#endif /* _SHIM_LINUX_RCULIST_H */
