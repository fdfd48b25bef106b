// SPDX-License-Identifier: GPL-2.0
#include "generic.hpp"

#include <cerrno>
#include <unistd.h>

#include <fmt/format.h>

#include "nwg.h"

namespace nwgctl::netlink
{

/* Why a family may be missing, and what to do. */
static std::string why_absent(const std::string &name)
{
	std::string hint = fmt::format("module {0} is not loaded: modprobe {0}; if there is none "
				       "for this kernel: dkms status",
				       name);

	if (name == NWG_GENL_NAME && access("/sys/module/" NWG_DROP_IN_NAME, F_OK) == 0)
		hint += "; if it is to have drop_in=1: modprobe -r " NWG_DROP_IN_NAME
			" first, which removes all interfaces of that module";
	return hint;
}

static std::map<std::string, uint32_t> parse_groups(Attribute nest)
{
	std::map<std::string, uint32_t> groups;

	for_each_attribute(nest.payload(), [&](const nlattr *group) {
		const Attributes<CTRL_ATTR_MCAST_GRP_MAX> attributes{ Attribute(group) };

		if (const auto number = attributes[CTRL_ATTR_MCAST_GRP_ID].get<uint32_t>())
			groups[attributes[CTRL_ATTR_MCAST_GRP_NAME].string()] = *number;
	});
	return groups;
}

Result<Family> Family::open(const std::string &name)
{
	Socket socket = TRY(Socket::open(NETLINK_GENERIC));
	Request request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, 0);

	request.put_string(CTRL_ATTR_FAMILY_NAME, name);
	auto messages = socket.request(request);
	if (!messages) {
		return failed(messages.error(),
			      fmt::format("Unable to find the generic netlink family {}", name),
			      messages.error().number == ENOENT ? why_absent(name) : "");
	}
	for (const auto &message : messages.value()) {
		const Attributes<CTRL_ATTR_MAX> attributes(
			attributes_of(message, sizeof(genlmsghdr)));

		if (const auto id = attributes[CTRL_ATTR_FAMILY_ID].get<uint16_t>())
			return Family(std::move(socket), *id,
				      parse_groups(attributes[CTRL_ATTR_MCAST_GROUPS]));
	}
	return Error{ Exit::refused,
		      fmt::format("The generic netlink family {} has no number", name) };
}

} // namespace nwgctl::netlink
