// SPDX-License-Identifier: GPL-2.0
/*
 * A flood of one handshake initiation from sources that are forged, each a different one, at a rate.
 *
 *	flood DEVICE ADDRESS PORT MESSAGE RATE SECONDS
 *
 * DEVICE is one of kind tun, and there: whoever has it gets them from a line of its own. Through a packet
 * socket and a pair of veth, all of it would take a tenth longer.
 * MESSAGE is in hexadecimal digits, as flood.py prints it: mac1, all that can be told of it without the
 * responder's private key, covers neither address nor port. RATE messages are sent per second, a
 * millisecond's together, for so many seconds, or until SIGTERM. What could not be sent in time is made up
 * for. Prints how many were sent, and in how many ns.
 *
 * The sources are all of 198.18.0.0/15 in turn, then again with another port. What is sent to them is lost:
 * nobody reads it. The line is kept for a second longer than the flood, so that all that waits still to be
 * answered has one.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "program.h"

#define FIRST_SOURCE 0xc6120001
#define SOURCES 0x1fffe
#define FIRST_PORT 1024

/* How long is waited for more to be due, and how many are sent before it is looked again what is */
#define PAUSE_NS 1000000
#define BATCH 50

#define LINGER_NS NSEC_PER_SEC

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t message[INITIATION_LEN];
};

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

/* Read so many bytes in hexadecimal digits, no more. */
static void read_bytes(const char *text, uint8_t *bytes, size_t len)
{
	size_t i;

	if (strlen(text) != 2 * len)
		errx(2, "not %zu bytes", len);
	for (i = 0; i < len; i++) {
		if (sscanf(text + 2 * i, "%2hhx", &bytes[i]) != 1)
			errx(2, "not in hexadecimal digits");
	}
}

/* The checksum of a header that has none yet. */
static uint16_t checksum(const struct iphdr *ip)
{
	uint16_t words[sizeof(*ip) / sizeof(uint16_t)];
	uint32_t sum = 0;
	size_t i;

	memcpy(words, ip, sizeof(words));
	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

/* All but the source. Without UDP checksum, which is a choice over IPv4. */
static struct packet packet_to(const struct sockaddr_in *to, const char *message)
{
	struct packet packet = {
		.ip = { .version = 4,
			.ihl = 5,
			.tot_len = htons(sizeof(packet)),
			.ttl = 64,
			.protocol = IPPROTO_UDP,
			.daddr = to->sin_addr.s_addr },
		.udp = { .dest = to->sin_port, .len = htons(sizeof(packet.udp) + INITIATION_LEN) },
	};

	read_bytes(message, packet.message, INITIATION_LEN);
	return packet;
}

static int attach(const char *device)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	const int tun = open("/dev/net/tun", O_RDWR);

	strncpy(request.ifr_name, device, sizeof(request.ifr_name) - 1);
	if (tun < 0 || ioctl(tun, TUNSETIFF, &request))
		err(1, "%s", device);
	return tun;
}

static void send_from(int tun, struct packet *packet, uint64_t number)
{
	packet->ip.saddr = htonl(FIRST_SOURCE + number % SOURCES);
	packet->ip.check = 0;
	packet->ip.check = checksum(&packet->ip);
	packet->udp.source = htons(FIRST_PORT + number / SOURCES);
	if (write(tun, packet, sizeof(*packet)) != sizeof(*packet))
		err(1, "write");
}

static void flood(int tun, struct packet *packet, uint64_t rate, uint64_t seconds)
{
	const uint64_t start = now(), stop = start + seconds * NSEC_PER_SEC;
	uint64_t moment = start, sent = 0, due, i;

	while (!ended && moment < stop) {
		due = (moment - start) * rate / NSEC_PER_SEC - sent;
		for (i = 0; i < due && i < BATCH; i++)
			send_from(tun, packet, sent++);
		if (!due)
			sleep_until(moment + PAUSE_NS);
		moment = now();
	}
	printf("%llu %llu\n", (unsigned long long)sent, (unsigned long long)(moment - start));
	sleep_until(now() + LINGER_NS);
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = end };
	struct sockaddr_in to;
	struct packet packet;

	if (argc != 7)
		errx(2, "usage: flood DEVICE ADDRESS PORT MESSAGE RATE SECONDS");
	if (sigaction(SIGTERM, &action, NULL))
		err(1, "SIGTERM");
	to = endpoint(argv[2], argv[3]);
	packet = packet_to(&to, argv[4]);
	flood(attach(argv[1]), &packet, number_of(argv[5]), number_of(argv[6]));
	return 0;
}
