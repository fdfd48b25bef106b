// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <limits.h>
#include <stdlib.h>

unsigned long shim_objects;
unsigned long shim_allocations_left = ULONG_MAX;

void *kzalloc(size_t size, int gfp)
{
	void *object;

	(void)gfp;
	if (!shim_allocations_left)
		return NULL;
	shim_allocations_left--;
	object = calloc(1, size);
	if (object)
		shim_objects++;
	return object;
}

void kfree(void *object)
{
	if (object)
		shim_objects--;
	free(object);
}
