// SPDX-License-Identifier: GPL-2.0
/* What the code would ask the machine, answered without it: the same input does the same, and quickly. */
#include <cstring>

#include <net/if.h>
#include <netdb.h>

/* The linker has each of them called instead of the function without the prefix; see Makefile. */
extern "C" {
int __real_getaddrinfo(const char *host, const char *service, const addrinfo *hints,
		       addrinfo **found);
int __wrap_getaddrinfo(const char *host, const char *service, const addrinfo *hints,
		       addrinfo **found);
char *__wrap_if_indextoname(unsigned int index, char *name);
unsigned int __wrap_if_nametoindex(const char *name);

int __wrap_getaddrinfo(const char *host, const char *service, const addrinfo *hints,
		       addrinfo **found)
{
	addrinfo numeric = *hints;

	numeric.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
	return __real_getaddrinfo(host, service, &numeric, found);
}

char *__wrap_if_indextoname(unsigned int index, char *name)
{
	return index == 1 ? strcpy(name, "lo") : nullptr;
}

unsigned int __wrap_if_nametoindex(const char *name)
{
	return !strcmp(name, "lo");
}
}
