/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Since 6.6 a dump has a struct genl_info like a do, from genl_info_dump(). Before, it had a struct
 * genl_dumpit_info of its own; the members that both have are family and attrs. Kbuild looks for
 * the new name and defines NWG_HAVE_GENL_INFO_DUMP if it is there.
 *
 * Multicast groups have flags of their own in later kernels, and in later ones of 6.1; in others they
 * have that of commands that need CAP_NET_ADMIN.
 */
#ifndef _NWG_COMPAT_NET_GENETLINK_H
#define _NWG_COMPAT_NET_GENETLINK_H

#include_next <net/genetlink.h>

#ifndef NWG_HAVE_GENL_INFO_DUMP
#define genl_info_dump(cb) genl_dumpit_info(cb)
#endif

#ifndef GENL_MCAST_CAP_NET_ADMIN
#define GENL_MCAST_CAP_NET_ADMIN GENL_UNS_ADMIN_PERM
#endif

#endif /* _NWG_COMPAT_NET_GENETLINK_H */
