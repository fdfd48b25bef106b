/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_SLAB_H
#define _SHIM_LINUX_SLAB_H

#include <linux/string.h>
#include <linux/types.h>

#define GFP_KERNEL 0
#define GFP_ATOMIC 0
#define GFP_KERNEL_ACCOUNT 0

/* Objects allocated and not freed */
extern unsigned long shim_objects;
/* How many more allocations succeed; those after them fail. ULONG_MAX at the start. */
extern unsigned long shim_allocations_left;

void *kzalloc(size_t size, int gfp);
void kfree(void *object);

struct kmem_cache {
	size_t size;
};

#define KMEM_CACHE(name, flags) shim_cache(sizeof(struct name))
struct kmem_cache *shim_cache(size_t size);
#define kmem_cache_destroy(cache) kfree(cache)
#define kmem_cache_zalloc(cache, gfp) kzalloc((cache)->size, gfp)
#define kmem_cache_free(cache, object) ((void)(cache), kfree(object))

#endif /* _SHIM_LINUX_SLAB_H */
