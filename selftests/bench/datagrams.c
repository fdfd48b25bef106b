// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams of the protocol through a relay, or whatever else leads to the home, for bench.sh.
 *
 *	datagrams CLIENT HOME ADDRESS PORT HOME-ADDRESS SIZE...
 *
 * CLIENT and HOME are network namespaces, by the names that ip(8) has for them; the client sends to ADDRESS
 * and PORT, the home has HOME-ADDRESS and the same port. Nobody here has any keys: they say hello as an
 * initiation and a response would, and then send transport messages of SIZE bytes, batch by batch, each when
 * the one before has arrived. Prints for each SIZE a line with that, and what a datagram takes from the client
 * to the home and back, in ns, which with virtual time are instructions.
 */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "program.h"

#define TRANSPORT_MIN_LEN 32

#define MAX_LEN 2048
#define SESSION 1

#define BATCH 32
#define ROUNDS 200

union message {
	uint32_t word[MAX_LEN / sizeof(uint32_t)];
};

/* One of the two, and who it sends to */
struct end {
	int sock;
	struct sockaddr_in to;
};

static void send_one(const struct end *end, const union message *message, size_t len)
{
	if (sendto(end->sock, message, len, 0, (const struct sockaddr *)&end->to, sizeof(end->to)) <
	    0)
		err(1, "send");
}

static void receive_one(const struct end *end, uint32_t type, size_t len, struct sockaddr_in *from)
{
	socklen_t from_len = sizeof(*from);
	union message message;

	if (recvfrom(end->sock, &message, sizeof(message), 0, (struct sockaddr *)from, &from_len) !=
	    (ssize_t)len)
		err(1, "a message of %zu bytes does not come", len);
	if (le32toh(message.word[0]) != type)
		errx(1, "type %u in place of %u", le32toh(message.word[0]), type);
}

static void say_hello(const struct end *client, struct end *home)
{
	const union message initiation = { .word = { htole32(INITIATION), htole32(SESSION) } };
	const union message response = { .word = { htole32(RESPONSE), htole32(SESSION),
						   htole32(SESSION) } };
	struct sockaddr_in from;

	send_one(client, &initiation, INITIATION_LEN);
	receive_one(home, INITIATION, INITIATION_LEN, &home->to);
	send_one(home, &response, RESPONSE_LEN);
	receive_one(client, RESPONSE, RESPONSE_LEN, &from);
}

/* Return: what a datagram takes. A mean: who runs when gives batches one cost or another. */
static uint64_t cost(const struct end *from, const struct end *to, size_t len)
{
	const union message message = { .word = { htole32(TRANSPORT), htole32(SESSION) } };
	const uint64_t start = now();
	struct sockaddr_in source;
	unsigned int round, i;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < BATCH; i++)
			send_one(from, &message, len);
		for (i = 0; i < BATCH; i++)
			receive_one(to, TRANSPORT, len, &source);
	}
	return (now() - start) / (ROUNDS * BATCH);
}

int main(int argc, char **argv)
{
	const struct sockaddr_in any = { .sin_family = AF_INET };
	struct sockaddr_in own;
	struct end client, home;
	size_t len;
	int i;

	if (argc < 7)
		errx(2,
		     "usage: datagrams CLIENT HOME ADDRESS PORT HOME-ADDRESS SIZE..., see datagrams.c");
	client.to = endpoint(argv[3], argv[4]);
	own = endpoint(argv[5], argv[4]);
	client.sock = socket_in(argv[1], &any);
	home.sock = socket_in(argv[2], &own);
	say_hello(&client, &home);
	for (i = 6; i < argc; i++) {
		len = number_of(argv[i]);
		if (len < TRANSPORT_MIN_LEN || len > MAX_LEN)
			errx(2, "%s: not a length of a transport message", argv[i]);
		printf("%zu %llu %llu\n", len, (unsigned long long)cost(&client, &home, len),
		       (unsigned long long)cost(&home, &client, len));
	}
	return 0;
}
