/* SPDX-License-Identifier: GPL-2.0 */
/* What happens to interfaces and relays, as the family "nwg" tells it. */
#ifndef NWGCTL_NETLINK_EVENTS_HPP
#define NWGCTL_NETLINK_EVENTS_HPP

#include <cstdint>
#include <optional>
#include <vector>

#include "../device.hpp"
#include "../result.hpp"
#include "../secret.hpp"
#include "relay.hpp"
#include "socket.hpp"

namespace nwgctl::netlink
{

/* One event; of relay, flow and device there is what it is about, none if it is of an unknown kind. */
struct Event {
	/* NWG_CMD_*_NTF, or the number of another kind. */
	uint8_t kind = 0;
	std::optional<Relay> relay = {};
	std::optional<Flow> flow = {};
	/* Its name, and the one peer. */
	std::optional<Device> device = {};

	/* "relay-new" and so on, as in the kernel's netlink specs; empty if it is unknown. */
	[[nodiscard]] std::string_view name() const;
};

/* Events of this network namespace. */
class Events {
    public:
	/* From now on. */
	static Result<Events> open();

	/* For poll(2): readable if there is something to hear. */
	int descriptor() const
	{
		return socket.descriptor();
	}
	/* Messages for parse_event(). */
	Result<Heard> heard();
	/* Whether what was heard is the last, as the module is unloaded. */
	bool over() const
	{
		return ended;
	}

    private:
	Events(Socket socket, uint16_t family)
		: socket(std::move(socket))
		, family(family)
	{
	}

	Socket socket;
	uint16_t family;
	bool ended = false;
};

Event parse_event(const SecretBytes &message);

} // namespace nwgctl::netlink

#endif
