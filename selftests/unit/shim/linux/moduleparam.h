/* SPDX-License-Identifier: GPL-2.0 */
/* A parameter of the module, which a test sets by its address. */
#ifndef _SHIM_LINUX_MODULEPARAM_H
#define _SHIM_LINUX_MODULEPARAM_H

#include <errno.h>
#include <stdlib.h>

/**
 * struct kernel_param - a parameter
 * @arg: where it is
 */
struct kernel_param {
	void *arg;
};

struct kernel_param_ops {
	int (*set)(const char *text, const struct kernel_param *param);
	int (*get)(char *text, const struct kernel_param *param);
};

static inline int param_set_uint_minmax(const char *text, const struct kernel_param *param,
					unsigned int min, unsigned int max)
{
	const unsigned long number = strtoul(text, NULL, 0);

	if (number < min || number > max)
		return -EINVAL;
	*(unsigned int *)param->arg = number;
	return 0;
}

#define param_get_uint NULL

#define module_param_cb(name, ops, place, mode)                       \
	const struct kernel_param_ops *const shim_ops_##name = (ops); \
	const struct kernel_param shim_param_##name = { .arg = (place) }
#define __MODULE_PARM_TYPE(name, type) struct module_param_shim
#define MODULE_PARM_DESC(name, text) struct module_param_shim

#endif /* _SHIM_LINUX_MODULEPARAM_H */
