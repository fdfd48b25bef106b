// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes from the network: as the payload of a datagram through what reads the protocol's messages, as
 * an IP packet through what reads and rewrites a relay's headers. For libFuzzer ("make fuzz"), whose findings and
 * whose corpus the tests run once more ("make check"). The first byte of an input is what it is; what
 * follows it are choices that are not the sender's, and then the bytes.
 *
 * Memory is of the exact size, and moves whenever it may: the address sanitizer tells what is read or
 * written beside it. What has to hold is asserted.
 */
#undef NDEBUG
#include <assert.h>
#include <linux/skbuff.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include <net/udp.h>
#include <stdlib.h>
#include <string.h>

#include "aead.h"
#include "cookie.h"
#include "noise.h"
#include "relay/datagram.h"
#include "test.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len);

/* What has not been taken of an input */
struct input {
	const u8 *bytes;
	size_t len;
};

/* The next bytes; zeroes behind the end */
static void take(struct input *input, void *to, size_t len)
{
	const size_t left = len < input->len ? len : input->len;

	memset(to, 0, len);
	memcpy(to, input->bytes, left);
	input->bytes += left;
	input->len -= left;
}

static u8 take_byte(struct input *input)
{
	u8 byte;

	take(input, &byte, sizeof(byte));
	return byte;
}

/* Messages */

static struct noise_identity own, other;
static struct noise_remote to_other, to_own;
static struct noise_handshake begun;
static struct cookie_keys own_keys;

static void introduce(void)
{
	static const u8 own_private[NWG_KEY_LEN] = { 8, 1 }, other_private[NWG_KEY_LEN] = { 8, 2 };
	static const u8 ephemeral[NWG_KEY_LEN] = { 8, 3 }, timestamp[NWG_TIMESTAMP_LEN] = { 0x40 };
	struct nwg_message_initiation initiation;

	noise_init();
	assert(noise_identity_set(&own, own_private) && noise_identity_set(&other, other_private));
	memcpy(to_other.public, other.public, NWG_KEY_LEN);
	memcpy(to_own.public, own.public, NWG_KEY_LEN);
	noise_remote_precompute(&to_other, &own);
	noise_remote_precompute(&to_own, &other);
	assert(noise_initiation_create(&initiation, &begun, &own, &to_other, ephemeral, timestamp,
				       1));
	cookie_keys_derive(&own_keys, own.public);
}

/* Nobody can guess a tag: whatever comes, it is not authentic. */
static void read_initiation(const struct nwg_message_initiation *message)
{
	u8 public[NWG_KEY_LEN];
	struct noise_handshake handshake;

	assert(!noise_initiation_open_static(&handshake, public, message, &own));
	assert(test_is_zero(&handshake, sizeof(handshake)));
}

static void read_response(const struct nwg_message_response *message)
{
	struct noise_handshake handshake = begun;

	assert(!noise_response_consume(&handshake, message, &own, &to_other));
	assert(!memcmp(&handshake, &begun, sizeof(begun)));
}

static void read_cookie_reply(const struct nwg_message_cookie_reply *message)
{
	static const u8 mac1[NWG_MAC_LEN], before[NWG_COOKIE_LEN];
	u8 cookie[NWG_COOKIE_LEN] = { 0 };

	assert(!cookie_reply_open(cookie, message, mac1, &own_keys));
	assert(!memcmp(cookie, before, sizeof(cookie)));
}

static void read_transport(u8 *message, size_t len, const u8 *before)
{
	struct nwg_message_transport header;

	memcpy(&header, message, sizeof(header));
	assert(!aead_decrypt(message + sizeof(header), len - NWG_TRANSPORT_MIN_LEN,
			     le64_to_cpu(header.counter), own_keys.reply));
	assert(!memcmp(message, before, len));
}

static void read_message(struct input *input)
{
	const bool right_mac1 = take_byte(input) & 1;
	const size_t len = input->len;
	enum nwg_message_type type;
	u8 *message = malloc(len);

	assert(message || !len);
	if (len)
		memcpy(message, input->bytes, len);
	type = nwg_message_classify(message, len);
	assert(type == NWG_MESSAGE_INVALID ||
	       (len >= 4 && message[0] == type && !message[1] && !message[2] && !message[3]));
	if (type == NWG_MESSAGE_INITIATION || type == NWG_MESSAGE_RESPONSE) {
		if (right_mac1)
			cookie_macs_add(message, len, &own_keys, NULL);
		assert(cookie_mac1_valid(message, len, &own_keys) == right_mac1);
		assert(!cookie_mac2_valid(message, len, own_keys.mac1));
	}
	switch (type) {
	case NWG_MESSAGE_INITIATION:
		assert(len == NWG_INITIATION_LEN);
		read_initiation((void *)message);
		break;
	case NWG_MESSAGE_RESPONSE:
		assert(len == NWG_RESPONSE_LEN);
		read_response((void *)message);
		break;
	case NWG_MESSAGE_COOKIE_REPLY:
		assert(len == NWG_COOKIE_REPLY_LEN);
		read_cookie_reply((void *)message);
		break;
	case NWG_MESSAGE_TRANSPORT:
		assert(len >= NWG_TRANSPORT_MIN_LEN);
		read_transport(message, len, input->bytes);
		break;
	case NWG_MESSAGE_INVALID:
		break;
	}
	free(message);
}

/* Packets */

static struct net net;

static struct udphdr *udp_of(const struct sk_buff *skb)
{
	return (struct udphdr *)(skb->data + nwg_ip_header_len(skb));
}

/* Sum over the pseudo-header */
static u16 pseudo_sum(const struct sk_buff *skb)
{
	const __be32 last[] = { htonl(skb->len - nwg_ip_header_len(skb)), htonl(IPPROTO_UDP) };
	const __wsum sum = csum_partial(last, sizeof(last), 0);

	if (nwg_is_ipv4(skb))
		return csum_partial(&ip_hdr(skb)->saddr, 2 * sizeof(__be32), sum);
	return csum_partial(&ipv6_hdr(skb)->saddr, 2 * sizeof(struct in6_addr), sum);
}

/* Whether the UDP checksum is right, or as right as it has to be before the network card writes it */
static bool sum_right(const struct sk_buff *skb)
{
	const unsigned int offset = nwg_ip_header_len(skb);

	if (skb->ip_summed == CHECKSUM_PARTIAL)
		return udp_of(skb)->check % 0xffff == pseudo_sum(skb) % 0xffff;
	if (!udp_of(skb)->check)
		return nwg_is_ipv4(skb);
	return skb_checksum(skb, offset, skb->len - offset, pseudo_sum(skb)) % 0xffff == 0;
}

static u8 ttl_of(const struct sk_buff *skb)
{
	return nwg_is_ipv4(skb) ? ip_hdr(skb)->ttl : ipv6_hdr(skb)->hop_limit;
}

static u8 ds_of(const struct sk_buff *skb)
{
	return nwg_is_ipv4(skb) ? ip_hdr(skb)->tos : ipv6_get_dsfield(ipv6_hdr(skb));
}

static void take_ends(struct input *input, struct nwg_ends *ends, bool ipv4)
{
	take(input, ends, sizeof(*ends));
	if (!ipv4) {
		/* No address of IPv6 is v4-mapped. */
		ends->source.s6_addr[0] = ends->destination.s6_addr[0] = 0xfd;
		return;
	}
	ipv6_addr_set_v4mapped(ends->source.s6_addr32[3], &ends->source);
	ipv6_addr_set_v4mapped(ends->destination.s6_addr32[3], &ends->destination);
}

static bool same_message(const struct sk_buff *skb, const void *message, unsigned int len)
{
	void *copy = malloc(len);
	bool same;

	assert(nwg_message_offset(skb) + len == skb->len);
	shim_copy_bits(skb, nwg_message_offset(skb), copy, len);
	same = !memcmp(copy, message, len);
	free(copy);
	return same;
}

/* What a datagram is when it has been given other ends */
static void check_rewritten(struct sk_buff *skb, const struct nwg_ends *ends, u8 ttl, u8 ds)
{
	struct nwg_ends is;

	assert(nwg_datagram_ends(skb, nwg_ip_header_len(skb), &is));
	assert(!memcmp(&is.source, &ends->source, sizeof(is.source)) &&
	       !memcmp(&is.destination, &ends->destination, sizeof(is.destination)));
	assert(is.source_port == ends->source_port &&
	       is.destination_port == ends->destination_port);
	assert(ttl_of(skb) == ttl - 1 && ds_of(skb) == ds);
	assert(ntohs(udp_of(skb)->len) == skb->len - nwg_ip_header_len(skb));
	if (nwg_is_ipv4(skb))
		assert(!ip_fast_csum(ip_hdr(skb), 5) && ntohs(ip_hdr(skb)->tot_len) == skb->len);
	else
		assert(ntohs(ipv6_hdr(skb)->payload_len) + sizeof(struct ipv6hdr) == skb->len);
	assert(sum_right(skb));
}

static void send_on(struct input *choices, struct sk_buff *skb, const struct nwg_datagram *datagram)
{
	const unsigned int len = datagram->len;
	const u8 ttl = ttl_of(skb), ds = ds_of(skb);
	const bool to_ipv4 = take_byte(choices) & 1;
	unsigned int offset;
	struct nwg_ends ends;
	u8 bytes[NWG_MAC_LEN], *message = malloc(len);

	shim_copy_bits(skb, nwg_message_offset(skb), message, len);
	assert(!memcmp(datagram->message, message, min_t(unsigned int, len, NWG_RELAY_LOOK)));
	take_ends(choices, &ends, to_ipv4);
	if (nwg_datagram_rewrite(&net, skb, &ends)) {
		/* The one reason that there is: too long for IPv4 */
		assert(to_ipv4 && !nwg_is_ipv4(skb) && len + 28 > IP_MAX_MTU);
		goto out;
	}
	assert(nwg_is_ipv4(skb) == to_ipv4 && same_message(skb, message, len));
	check_rewritten(skb, &ends, ttl, ds);
	/* A mac2, a cookie reply: at the same place of each packet in a word's alignment */
	offset = min_t(unsigned int, take_byte(choices), len - sizeof(bytes)) & ~1U;
	take(choices, bytes, sizeof(bytes));
	memcpy(message + offset, bytes, sizeof(bytes));
	assert(nwg_datagram_exchange(skb, nwg_message_offset(skb) + offset, bytes, sizeof(bytes)));
	assert(same_message(skb, message, len));
	check_rewritten(skb, &ends, ttl, ds);
out:
	free(message);
}

/* Whether the stack would hand on a packet with this header, of which the relay then sees so much at least */
static bool begins_as_ip(const struct sk_buff *skb, unsigned int *header)
{
	if (!skb->len)
		return false;
	if (skb->rest[0] >> 4 == 6) {
		*header = sizeof(struct ipv6hdr);
		return skb->len >= *header;
	}
	*header = (skb->rest[0] & 0xf) * 4;
	return skb->rest[0] >> 4 == 4 && *header >= sizeof(struct iphdr) && skb->len >= *header;
}

static void read_packet(struct input *input)
{
	const u8 summed = take_byte(input), more = take_byte(input);
	struct sk_buff skb = { .ip_summed = summed & 1 ? CHECKSUM_PARTIAL : CHECKSUM_NONE };
	struct input choices = { .bytes = input->bytes };
	struct nwg_datagram datagram;
	struct nwg_ends ends;
	unsigned int header;
	bool elsewhere;
	u8 *packet;

	choices.len = min_t(size_t, input->len, 1 + sizeof(ends) + 1 + NWG_MAC_LEN);
	input->bytes += choices.len;
	input->len -= choices.len;
	if (input->len > 0xffff)
		return;
	packet = malloc(input->len);
	if (input->len)
		memcpy(packet, input->bytes, input->len);
	skb.rest = packet;
	skb.len = input->len;
	if (!begins_as_ip(&skb, &header))
		goto out;
	skb.protocol = htons(packet[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
	shim_move(&skb, min_t(unsigned int, skb.len, header + more), 0);
	skb.csum_start = summed & 16 ? more : header;
	skb.csum_offset = summed & 8 ? more : offsetof(struct udphdr, check);
	elsewhere = skb.csum_start != header || skb.csum_offset != offsetof(struct udphdr, check);

	/* What this machine sends has right ones; and few made at random would. */
	if (summed & 3 && pskb_may_pull(&skb, nwg_message_offset(&skb)) &&
	    nwg_ip_header_plain(&skb)) {
		if (nwg_is_ipv4(&skb))
			ip_hdr(&skb)->tot_len = htons(skb.len);
		else
			ipv6_hdr(&skb)->payload_len = htons(skb.len - header);
		udp_of(&skb)->len = htons(skb.len - header);
		if (skb.ip_summed == CHECKSUM_PARTIAL)
			udp_of(&skb)->check = pseudo_sum(&skb);
		else if (summed & 4)
			udp_set_csum(false, &skb, 0, 0, skb.len - header);
	}

	/* A shorter one has none; behind extension headers it is anywhere. */
	assert(nwg_datagram_ends(&skb, header, &ends) ==
	       (skb.len >= header + sizeof(struct udphdr)));
	nwg_datagram_ends(&skb, (skb.len - min_t(unsigned int, more, skb.len)) & ~3U, &ends);
	if (!nwg_datagram_read(&skb, &datagram)) {
		assert(sum_right(&skb));
		assert(skb.ip_summed != CHECKSUM_PARTIAL || !elsewhere);
		assert(datagram.type == nwg_message_classify(datagram.message, datagram.len));
		if (!nwg_ttl_used_up(&skb))
			send_on(&choices, &skb, &datagram);
	}
out:
	free(skb.head);
	free(packet);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len)
{
	static bool introduced;
	struct input input = { .bytes = bytes, .len = len };

	if (!introduced)
		introduce();
	introduced = true;
	if (take_byte(&input) & 1)
		read_packet(&input);
	else
		read_message(&input);
	return 0;
}
