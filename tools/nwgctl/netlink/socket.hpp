/* SPDX-License-Identifier: GPL-2.0 */
/* A netlink socket: requests and dumps, with the kernel's own words when it refuses. */
#ifndef NWGCTL_NETLINK_SOCKET_HPP
#define NWGCTL_NETLINK_SOCKET_HPP

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <libmnl/libmnl.h>

#include "../result.hpp"
#include "../secret.hpp"
#include "message.hpp"

namespace nwgctl::netlink
{

/* Takes one message of an answer. */
using Visit = std::function<void(SecretBytes message)>;

/* What was sent to a multicast group. */
struct Heard {
	std::vector<SecretBytes> messages;
	/* Whether there were more behind these for which there was no room. */
	bool lost = false;
};

/*
 * The errors of request() and dump() have the errno in @number, its text in @what and the extended ack in @kernel; the
 * caller knows what was being done and adds it with failed().
 */
class Socket {
    public:
	/* @protocol is NETLINK_ROUTE or NETLINK_GENERIC. */
	static Result<Socket> open(int protocol);

	/* Dumps of rtnetlink are of what the request names only, where the kernel can do that. */
	void filter_dumps();

	/* Sends one request and waits for the kernel's verdict. Returns the messages that came before it. */
	Result<std::vector<SecretBytes>> request(Request &request);
	/* Sends a dump request and returns its messages; again from the start if what is dumped changed meanwhile. */
	Result<std::vector<SecretBytes>> dump(Request &request);
	/* The same once, each message as it comes, for what is too much to be kept. */
	Status dump(Request &request, const Visit &visit);
	/* What is sent to a multicast group arrives from now on, for heard() on a socket that requests nothing. */
	Status join(uint32_t group);
	/* What has arrived of no request; nothing if nothing has. */
	Result<Heard> heard();
	int descriptor() const
	{
		return mnl_socket_get_fd(socket.get());
	}

    private:
	struct Close {
		void operator()(mnl_socket *socket) const
		{
			mnl_socket_close(socket);
		}
	};

	explicit Socket(mnl_socket *socket);
	Status send(Request &request);
	/* Hands over what arrives until the verdict. Returns whether the dump was interrupted. */
	Result<bool> receive(Request &request, const Visit &visit);

	std::unique_ptr<mnl_socket, Close> socket;
	uint32_t port = 0, sequence = 0;
	/* Whether something was lost behind what still waits to be heard. */
	bool overrun = false;
};

/* @error with the failed operation before the reason, and a hint if it has none. */
Error failed(Error error, const std::string &operation, const std::string &hint = {});

} // namespace nwgctl::netlink

#endif
