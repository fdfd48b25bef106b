/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_LIST_H
#define _SHIM_LINUX_LIST_H

#include <linux/types.h>

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list->prev = list;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline void list_del_init(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	INIT_LIST_HEAD(entry);
}

static inline void list_del(struct list_head *entry)
{
	list_del_init(entry);
	entry->next = entry->prev = NULL;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *list)
{
	entry->prev = list->prev;
	entry->next = list;
	list->prev->next = entry;
	list->prev = entry;
}

static inline void list_move_tail(struct list_head *entry, struct list_head *list)
{
	list_del_init(entry);
	list_add_tail(entry, list);
}

#define list_entry(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))

#define list_for_each(position, head) \
	for ((position) = (head)->next; (position) != (head); (position) = (position)->next)

#define list_for_each_entry(position, head, member)                            \
	for ((position) = list_first_entry(head, typeof(*(position)), member); \
	     &(position)->member != (head);                                    \
	     (position) = list_entry((position)->member.next, typeof(*(position)), member))

#define list_for_each_entry_safe(position, following, head, member)                         \
	for ((position) = list_entry((head)->next, typeof(*(position)), member),            \
	    (following) = list_entry((position)->member.next, typeof(*(position)), member); \
	     &(position)->member != (head); (position) = (following),                       \
	    (following) = list_entry((following)->member.next, typeof(*(position)), member))

#endif /* _SHIM_LINUX_LIST_H */
