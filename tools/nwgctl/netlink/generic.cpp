// SPDX-License-Identifier: GPL-2.0
#include "generic.hpp"

#include <cerrno>

#include <fmt/format.h>

namespace nwgctl::netlink
{

Result<Family> Family::open(const std::string &name)
{
	Socket socket = TRY(Socket::open(NETLINK_GENERIC));
	Request request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, 0);

	request.put_string(CTRL_ATTR_FAMILY_NAME, name);
	auto messages = socket.request(request);
	if (!messages) {
		const bool absent = messages.error().number == ENOENT;

		return failed(
			messages.error(),
			fmt::format("Unable to find the generic netlink family {}", name),
			absent ? fmt::format(
					 "module {0} is not loaded: modprobe {0}; if there is none "
					 "for this kernel: dkms status",
					 name) :
				 "");
	}
	for (const auto &message : messages.value()) {
		const Attributes<CTRL_ATTR_MAX> attributes(
			attributes_of(message, sizeof(genlmsghdr)));

		if (const auto id = attributes[CTRL_ATTR_FAMILY_ID].get<uint16_t>())
			return Family(std::move(socket), *id);
	}
	return Error{ Exit::refused,
		      fmt::format("The generic netlink family {} has no number", name) };
}

} // namespace nwgctl::netlink
