// SPDX-License-Identifier: GPL-2.0
/*
 * What handshakes take: a datagram to each of so many peers, with none of which there is a session, until all
 * of them have arrived.
 *
 *	handshakes FROM TO FIRST COUNT
 *
 * FROM and TO are network namespaces. Peer N is 10.9.0.N, an address of TO's. Prints the mean of a handshake
 * with its datagram, in ns, which with virtual time are instructions.
 */
#include <err.h>
#include <stdio.h>

#include "program.h"

#define PEERS 0x0a090000
#define MAX_PEERS 255
#define PORT 7777

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	unsigned long first, count, i;
	int sender, receiver;
	uint64_t start;
	char byte = 0;

	if (argc != 5)
		errx(2, "usage: handshakes FROM TO FIRST COUNT");
	first = number_of(argv[3]);
	count = number_of(argv[4]);
	if (!first || !count || count > MAX_PEERS || first > MAX_PEERS - count + 1)
		errx(2, "peers 1 to %d", MAX_PEERS);
	receiver = socket_in(argv[2], &to);
	sender = socket_in(argv[1], &(struct sockaddr_in){ .sin_family = AF_INET });
	start = now();
	for (i = 0; i < count; i++) {
		to.sin_addr.s_addr = htonl(PEERS + first + i);
		if (sendto(sender, &byte, sizeof(byte), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			err(1, "peer %lu", first + i);
	}
	for (i = 0; i < count; i++) {
		if (recv(receiver, &byte, sizeof(byte), 0) < 0)
			err(1, "%lu of %lu have come", i, count);
	}
	printf("%llu\n", (unsigned long long)((now() - start) / count));
	return 0;
}
