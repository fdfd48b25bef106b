/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What these programs share: messages, time, and what their arguments say.
 */
#ifndef _NWG_BENCH_PROGRAM_H
#define _NWG_BENCH_PROGRAM_H

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_SEC 1000000000ULL

/* Messages of the protocol: type, length (white paper, section 5.4) */
#define INITIATION 1
#define INITIATION_LEN 148
#define RESPONSE 2
#define RESPONSE_LEN 92
#define TRANSPORT 4

static inline uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * NSEC_PER_SEC + time.tv_nsec;
}

static inline void sleep_until(uint64_t moment)
{
	const struct timespec time = { .tv_sec = moment / NSEC_PER_SEC,
				       .tv_nsec = moment % NSEC_PER_SEC };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static inline unsigned long number_of(const char *text)
{
	char *end;
	const unsigned long number = strtoul(text, &end, 10);

	if (!*text || *end)
		errx(2, "%s: not a number", text);
	return number;
}

static inline struct sockaddr_in endpoint(const char *address, const char *port)
{
	struct sockaddr_in end = { .sin_family = AF_INET, .sin_port = htons(number_of(port)) };

	if (inet_pton(AF_INET, address, &end.sin_addr) != 1)
		errx(2, "%s: no IPv4 address", address);
	return end;
}

static inline void enter(const char *netns)
{
	char path[256];
	int file;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || setns(file, CLONE_NEWNET))
		err(1, "%s", path);
	close(file);
}

/* A socket in a namespace. What does not come within a second does not come. */
static inline int socket_in(const char *netns, const struct sockaddr_in *own)
{
	const struct timeval second = { .tv_sec = 1 };
	int sock;

	enter(netns);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)) ||
	    bind(sock, (const struct sockaddr *)own, sizeof(*own)))
		err(1, "socket in %s", netns);
	return sock;
}

#endif /* _NWG_BENCH_PROGRAM_H */
