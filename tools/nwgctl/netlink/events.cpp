// SPDX-License-Identifier: GPL-2.0
#include "events.hpp"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "device.hpp"
#include "generic.hpp"

namespace nwgctl::netlink
{

std::string_view Event::name() const
{
	if (!relay && !flow && !device)
		return {};
	switch (kind) {
	case NWG_CMD_RELAY_NEW_NTF:
		return "relay-new";
	case NWG_CMD_RELAY_SET_NTF:
		return "relay-set";
	case NWG_CMD_RELAY_DEL_NTF:
		return "relay-del";
	case NWG_CMD_RELAY_PRESSURE_NTF:
		return "relay-pressure";
	case NWG_CMD_FLOW_BEGIN_NTF:
		return "flow-begin";
	case NWG_CMD_FLOW_STATE_NTF:
		return "flow-state";
	case NWG_CMD_FLOW_MTU_NTF:
		return "flow-mtu";
	case NWG_CMD_FLOW_END_NTF:
		return "flow-end";
	case NWG_CMD_PEER_HANDSHAKE_NTF:
		return "peer-handshake";
	default:
		return {};
	}
}

Result<Events> Events::open()
{
	static constexpr const char *operation = "Unable to hear events";
	const auto nwg = TRY(Family::open(NWG_GENL_NAME));
	const auto control = TRY(Family::open("nlctrl"));
	Socket socket = TRY(Socket::open(NETLINK_GENERIC));

	if (!nwg.groups().contains(NWG_MCGRP_EVENTS))
		return Error{
			Exit::refused,
			fmt::format("{}: the module that is loaded has none", operation),
			{},
			"load the one that came with this program: modprobe -r nwg, modprobe nwg"
		};
	auto joined = socket.join(nwg.groups().at(NWG_MCGRP_EVENTS));
	if (!joined)
		return failed(joined.error(), operation,
			      joined.error().number == EPERM ?
				      "be root, or have CAP_NET_ADMIN in this network namespace" :
				      "");
	/* Where it is told that the module goes: who listens would hear nothing more, also of one that comes then. */
	if (const auto notify = control.groups().find("notify"); notify != control.groups().end()) {
		joined = socket.join(notify->second);
		if (!joined)
			return failed(joined.error(), operation);
	}
	return Events(std::move(socket), nwg.number());
}

/* Of a message of the control family: whether it says that family nwg is gone. */
static bool module_gone(const SecretBytes &message)
{
	const Attributes<CTRL_ATTR_MAX> attributes(attributes_of(message, sizeof(genlmsghdr)));
	genlmsghdr header;

	if (message.size() < MNL_NLMSG_HDRLEN + sizeof(header))
		return false;
	memcpy(&header, message.data() + MNL_NLMSG_HDRLEN, sizeof(header));
	return header.cmd == CTRL_CMD_DELFAMILY &&
	       attributes[CTRL_ATTR_FAMILY_NAME].string() == NWG_GENL_NAME;
}

static uint16_t type_of(const SecretBytes &message)
{
	nlmsghdr header;

	memcpy(&header, message.data(), sizeof(header));
	return header.nlmsg_type;
}

Result<Heard> Events::heard()
{
	auto result = socket.heard();

	if (!result)
		return failed(result.error(), "Unable to hear events");
	auto &messages = result.value().messages;
	ended |= std::ranges::any_of(messages, [](const SecretBytes &message) {
		return type_of(message) == GENL_ID_CTRL && module_gone(message);
	});
	std::erase_if(messages,
		      [this](const SecretBytes &message) { return type_of(message) != family; });
	return result;
}

Event parse_event(const SecretBytes &message)
{
	const auto attributes = attributes_of(message, sizeof(genlmsghdr));
	genlmsghdr header{};
	Event event;

	if (message.size() >= MNL_NLMSG_HDRLEN + sizeof(header))
		memcpy(&header, message.data() + MNL_NLMSG_HDRLEN, sizeof(header));
	event.kind = header.cmd;
	switch (header.cmd) {
	case NWG_CMD_RELAY_NEW_NTF:
	case NWG_CMD_RELAY_SET_NTF:
	case NWG_CMD_RELAY_DEL_NTF:
	case NWG_CMD_RELAY_PRESSURE_NTF:
		event.relay = parse_relay(message);
		break;
	case NWG_CMD_FLOW_BEGIN_NTF:
	case NWG_CMD_FLOW_STATE_NTF:
	case NWG_CMD_FLOW_MTU_NTF:
	case NWG_CMD_FLOW_END_NTF:
		event.flow = parse_flow(message);
		break;
	case NWG_CMD_PEER_HANDSHAKE_NTF: {
		Device device;

		device.name =
			Attributes<NWG_DEVICE_A_MAX>(attributes)[NWG_DEVICE_A_IFNAME].string();
		add_device_message(device, message);
		if (!device.peers.empty())
			event.device = std::move(device);
		break;
	}
	default:
		break;
	}
	return event;
}

} // namespace nwgctl::netlink
