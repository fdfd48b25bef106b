/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_ASM_BYTEORDER_H
#define _SHIM_ASM_BYTEORDER_H

#include_next <asm/byteorder.h>
#include <endian.h>

#define le32_to_cpu(value) le32toh(value)
#define cpu_to_le32(value) htole32(value)
#define le64_to_cpu(value) le64toh(value)
#define cpu_to_le64(value) htole64(value)
#define be32_to_cpu(value) be32toh(value)
#define be64_to_cpu(value) be64toh(value)
#define cpu_to_be64(value) htobe64(value)
#define htons(value) htobe16(value)
#define ntohs(value) be16toh(value)
#define htonl(value) htobe32(value)
#define ntohl(value) be32toh(value)

#endif /* _SHIM_ASM_BYTEORDER_H */
