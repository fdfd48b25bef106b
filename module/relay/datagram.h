/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A datagram that a relay looks at.
 */
#ifndef _NWG_RELAY_DATAGRAM_H
#define _NWG_RELAY_DATAGRAM_H

#include "protocol/wire.h"

/* What has to be readable of a datagram: an initiation, the longest message that is looked into. */
#define NWG_RELAY_LOOK NWG_INITIATION_LEN

/**
 * struct nwg_datagram - a UDP datagram, taken apart
 * @type: what message it is by its shape
 * @len: length of the UDP payload
 * @message: the payload, of which the first %NWG_RELAY_LOOK bytes can be read; moves when the
 *	packet's head does
 */
struct nwg_datagram {
	enum nwg_message_type type;
	unsigned int len;
	const void *message;
};

#endif /* _NWG_RELAY_DATAGRAM_H */
