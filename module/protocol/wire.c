// SPDX-License-Identifier: GPL-2.0
/*
 * Tell WireGuard messages by their shape.
 */
#include "wire.h"

#include <asm/byteorder.h>
#include <linux/build_bug.h>
#include <linux/string.h>

static_assert(NWG_INITIATION_LEN == 148);
static_assert(NWG_RESPONSE_LEN == 92);
static_assert(NWG_COOKIE_REPLY_LEN == 64);
static_assert(NWG_TRANSPORT_HEADER_LEN == 16);

enum nwg_message_type nwg_message_classify(const void *data, size_t len)
{
	__le32 type;

	if (len < sizeof(type))
		return NWG_MESSAGE_INVALID;
	memcpy(&type, data, sizeof(type));

	switch (le32_to_cpu(type)) {
	case NWG_MESSAGE_INITIATION:
		return len == NWG_INITIATION_LEN ? NWG_MESSAGE_INITIATION : NWG_MESSAGE_INVALID;
	case NWG_MESSAGE_RESPONSE:
		return len == NWG_RESPONSE_LEN ? NWG_MESSAGE_RESPONSE : NWG_MESSAGE_INVALID;
	case NWG_MESSAGE_COOKIE_REPLY:
		return len == NWG_COOKIE_REPLY_LEN ? NWG_MESSAGE_COOKIE_REPLY : NWG_MESSAGE_INVALID;
	case NWG_MESSAGE_TRANSPORT:
		return len >= NWG_TRANSPORT_MIN_LEN ? NWG_MESSAGE_TRANSPORT : NWG_MESSAGE_INVALID;
	default:
		return NWG_MESSAGE_INVALID;
	}
}
