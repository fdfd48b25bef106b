// SPDX-License-Identifier: GPL-2.0
/*
 * The two ends of a relay that has many flows, and who has them listed, for flows.sh.
 *
 *	flows home ADDRESS PORT                 be the home there: answer initiations, send data back
 *	flows fill ADDRESS PORT FIRST COUNT     have COUNT clients' flows established by the relay there
 *	flows ask ADDRESS PORT CLIENTS TIMES    send data as one of so many clients, and wait for them
 *	flows dump                              have all flows of the namespace listed
 *
 * Client N has address 10.128.0.0 + N, which is to be local, and the port 51820. Nobody here has any keys:
 * the relay that is asked has no responder. "ask" prints the median of the round trips, "dump" the number
 * of flows and how long it took; all in ns, which with virtual time are instructions.
 */
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nwg.h"
#include "program.h"

#define CLIENTS 0x0a800000
#define MAX_CLIENTS (1 << 23)
#define CLIENT_PORT "51820"

#define TRANSPORT_LEN 128

/* A message, as far as it matters: a type, and two indices */
union message {
	uint32_t word[INITIATION_LEN / 4];
};

/* Initiations under way, and how often one is sent that is not answered within a second */
#define BATCH 64
#define TRIES 10

/*
 * Time for one, at least: the relay's rate limiter has room for 32768 sources, and forgets one after two
 * seconds at the latest.
 */
#define PACE_NS 100000

static int bound_socket(const char *address, const char *port)
{
	const struct sockaddr_in own = endpoint(address, port);
	const int sock = socket(AF_INET, SOCK_DGRAM, 0);

	if (sock < 0 || bind(sock, (const struct sockaddr *)&own, sizeof(own)))
		err(1, "%s:%s", address, port);
	return sock;
}

/* The socket of all clients. What does not come within a second does not come. */
static int clients_socket(void)
{
	const struct timeval second = { .tv_sec = 1 };
	const int sock = bound_socket("0.0.0.0", CLIENT_PORT);

	if (setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)))
		err(1, "SO_RCVTIMEO");
	return sock;
}

static void send_as(int sock, uint32_t client, const struct sockaddr_in *to,
		    const union message *message, size_t len)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = { .header = { .cmsg_level = IPPROTO_IP,
				  .cmsg_type = IP_PKTINFO,
				  .cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)) } };
	const struct in_pktinfo source = { .ipi_spec_dst.s_addr = htonl(CLIENTS + client) };
	struct iovec part = { .iov_base = (void *)message, .iov_len = len };
	const struct msghdr header = { .msg_name = (void *)to,
				       .msg_namelen = sizeof(*to),
				       .msg_iov = &part,
				       .msg_iovlen = 1,
				       .msg_control = &control,
				       .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.header), &source, sizeof(source));
	if (sendmsg(sock, &header, 0) < 0)
		err(1, "client %u", client);
}

/* Return: false if nothing comes. */
static bool receive(int sock, union message *message)
{
	if (recv(sock, message, sizeof(*message), 0) >= 0)
		return true;
	if (errno != EAGAIN)
		err(1, "recv");
	return false;
}

static void home(int sock)
{
	union message message;
	struct sockaddr_in from;
	uint32_t session = 0;
	socklen_t from_len;
	ssize_t len;

	for (;;) {
		from_len = sizeof(from);
		len = recvfrom(sock, &message, sizeof(message), 0, (struct sockaddr *)&from,
			       &from_len);
		if (len < 0)
			err(1, "recvfrom");
		if (le32toh(message.word[0]) == INITIATION) {
			message.word[2] = message.word[1];
			message.word[1] = htole32(++session);
			message.word[0] = htole32(RESPONSE);
			len = RESPONSE_LEN;
		}
		if (sendto(sock, &message, len, 0, (const struct sockaddr *)&from, from_len) < 0)
			err(1, "sendto");
	}
}

/* Have the flows of some clients established. They call their sessions by their numbers. */
static void establish(int sock, const struct sockaddr_in *to, uint32_t first, uint32_t count)
{
	union message message;
	bool known[BATCH] = { false };
	uint32_t left = count, i;
	unsigned int tries;

	for (tries = 0; left && tries < TRIES; tries++) {
		for (i = 0; i < count; i++) {
			if (known[i])
				continue;
			memset(&message, 0, sizeof(message));
			message.word[0] = htole32(INITIATION);
			message.word[1] = htole32(first + i);
			send_as(sock, first + i, to, &message, INITIATION_LEN);
		}
		while (left && receive(sock, &message)) {
			i = le32toh(message.word[2]) - first;
			if (le32toh(message.word[0]) != RESPONSE || i >= count || known[i])
				continue;
			known[i] = true;
			left--;
		}
	}
	if (left)
		errx(1, "%u of the clients from %u on are not answered", left, first);
}

static void fill(const struct sockaddr_in *to, uint32_t first, uint32_t count)
{
	const int sock = clients_socket();
	const uint64_t start = now();
	uint32_t done, batch;

	for (done = 0; done < count; done += batch) {
		batch = count - done < BATCH ? count - done : BATCH;
		establish(sock, to, first + done, batch);
		sleep_until(start + (uint64_t)(done + batch) * PACE_NS);
	}
}

static int compare(const void *a, const void *b)
{
	const uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

	return (first > second) - (first < second);
}

static void ask(const struct sockaddr_in *to, uint32_t clients, unsigned int times)
{
	union message message = { .word[0] = htole32(TRANSPORT) };
	uint64_t *took = calloc(times, sizeof(*took)), start;
	const int sock = clients_socket();
	unsigned int i;

	if (!took || !clients || !times)
		errx(2, "nobody to ask");
	for (i = 0; i < times; i++) {
		start = now();
		send_as(sock, random() % clients, to, &message, TRANSPORT_LEN);
		if (!receive(sock, &message) || le32toh(message.word[0]) != TRANSPORT)
			errx(1, "the data do not come back");
		took[i] = now() - start;
	}
	qsort(took, times, sizeof(*took), compare);
	printf("%llu\n", (unsigned long long)took[times / 2]);
	free(took);
}

/* A request of generic netlink in a buffer */
static struct nlmsghdr *request(char *buffer, uint16_t type, uint8_t command, uint16_t flags)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	genl = mnl_nlmsg_put_extra_header(header, sizeof(*genl));
	genl->cmd = command;
	genl->version = 1;
	return header;
}

static int take_family(const struct nlmsghdr *header, void *id)
{
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, header,
			  sizeof(struct genlmsghdr)) if (mnl_attr_get_type(attribute) ==
							 CTRL_ATTR_FAMILY_ID) *
		(uint16_t *)id = mnl_attr_get_u16(attribute);
	return MNL_CB_OK;
}

static int count_flow(const struct nlmsghdr *header, void *count)
{
	(void)header;
	++*(unsigned long *)count;
	return MNL_CB_OK;
}

/* Send a request, and have each answer taken. */
static void answers(struct mnl_socket *sock, const struct nlmsghdr *header, mnl_cb_t take,
		    void *data)
{
	static char buffer[65536];
	ssize_t len;
	int more;

	if (mnl_socket_sendto(sock, header, header->nlmsg_len) < 0)
		err(1, "sendto");
	do {
		len = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));
		if (len < 0)
			err(1, "recvfrom");
		more = mnl_cb_run(buffer, len, 0, 0, take, data);
		if (more < 0)
			err(1, "netlink");
	} while (more > MNL_CB_STOP);
}

static void dump(void)
{
	struct mnl_socket *sock = mnl_socket_open(NETLINK_GENERIC);
	char buffer[256];
	struct nlmsghdr *header;
	unsigned long count = 0;
	uint16_t family = 0;
	uint64_t start;

	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID))
		err(1, "netlink");
	header = request(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	mnl_attr_put_strz(header, CTRL_ATTR_FAMILY_NAME, NWG_GENL_NAME);
	answers(sock, header, take_family, &family);
	start = now();
	answers(sock, request(buffer, family, NWG_CMD_FLOW_GET, NLM_F_DUMP), count_flow, &count);
	printf("%lu %llu\n", count, (unsigned long long)(now() - start));
	mnl_socket_close(sock);
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	struct sockaddr_in to;
	unsigned long clients;

	if (!strcmp(command, "dump") && argc == 2) {
		dump();
	} else if (!strcmp(command, "home") && argc == 4) {
		home(bound_socket(argv[2], argv[3]));
	} else if ((!strcmp(command, "fill") || !strcmp(command, "ask")) && argc == 6) {
		to = endpoint(argv[2], argv[3]);
		clients = number_of(argv[4]) + (*command == 'f' ? number_of(argv[5]) : 0);
		if (clients > MAX_CLIENTS)
			errx(2, "no more than %u clients", MAX_CLIENTS);
		if (*command == 'f')
			fill(&to, number_of(argv[4]), number_of(argv[5]));
		else
			ask(&to, clients, number_of(argv[5]));
	} else {
		errx(2, "usage: flows home|fill|ask|dump ARGUMENT..., see flows.c");
	}
	return 0;
}
