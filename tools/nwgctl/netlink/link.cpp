// SPDX-License-Identifier: GPL-2.0
#include "link.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "message.hpp"
#include "socket.hpp"

namespace nwgctl::netlink
{

static bool is_wireguard(const Link &link)
{
	return link.kind == NWG_LINK_KIND || link.kind == stock_kind;
}

static std::optional<Link> parse_link(const SecretBytes &message)
{
	const Attributes<IFLA_MAX> attributes(attributes_of(message, sizeof(ifinfomsg)));
	ifinfomsg header;
	Link link;

	if (message.size() < MNL_NLMSG_HDRLEN + sizeof(header))
		return std::nullopt;
	memcpy(&header, message.data() + MNL_NLMSG_HDRLEN, sizeof(header));
	link.index = header.ifi_index;
	link.name = attributes[IFLA_IFNAME].string();
	if (const auto bytes = attributes[IFLA_STATS64].payload(); !bytes.empty()) {
		/* Other kernels have fewer or more. */
		link.statistics.emplace();
		memcpy(&*link.statistics, bytes.data(),
		       std::min(bytes.size(), sizeof(*link.statistics)));
	}
	if (attributes[IFLA_LINKINFO]) {
		const Attributes<IFLA_INFO_MAX> info(attributes[IFLA_LINKINFO]);

		link.kind = info[IFLA_INFO_KIND].string();
	}
	return link;
}

Result<std::vector<Link>> wireguard_links(bool with_statistics)
{
	Socket socket = TRY(Socket::open(NETLINK_ROUTE));
	Request request(RTM_GETLINK, 0);
	std::vector<Link> links;

	request.put_header(sizeof(ifinfomsg));
	if (!with_statistics)
		request.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	auto messages = socket.dump(request);
	if (!messages)
		return failed(messages.error(), "Unable to list interfaces");
	for (const auto &message : messages.value()) {
		if (auto link = parse_link(message); link && is_wireguard(*link))
			links.push_back(*link);
	}
	return links;
}

Result<std::string> interface_name(std::string text)
{
	if (text.empty() || text.size() >= IFNAMSIZ || text == "." || text == ".." ||
	    text.find_first_of("/: \t\n\v\f\r") != text.npos)
		return usage_error(
			fmt::format("`{}' is not a valid interface name", text),
			fmt::format("a name has 1 to {} characters, no `/' or `:', no white space",
				    IFNAMSIZ - 1));
	return text;
}

Result<Link> wireguard_link(const std::string &given)
{
	const auto name = TRY(interface_name(given));
	Socket socket = TRY(Socket::open(NETLINK_ROUTE));
	Request request(RTM_GETLINK, 0);
	request.put_header(sizeof(ifinfomsg));
	request.put_string(IFLA_IFNAME, name);
	request.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	auto messages = socket.request(request);
	if (!messages && messages.error().number == ENODEV)
		return failed(
			messages.error(), fmt::format("Unable to access interface {}", name),
			fmt::format("see which there are: nwgctl show interfaces; or make it: "
				    "ip link add {} type " NWG_LINK_KIND,
				    name));
	if (!messages)
		return failed(messages.error(), fmt::format("Unable to access interface {}", name));

	for (const auto &message : messages.value()) {
		auto link = parse_link(message);

		if (!link || link->name != name)
			continue;
		if (is_wireguard(*link))
			return *link;
		return Error{
			Exit::refused,
			fmt::format("Unable to access interface {}: {}", name,
				    strerror(EOPNOTSUPP)),
			{},
			fmt::format(
				"{} is not a WireGuard interface{}; list those with: nwgctl show interfaces",
				name,
				link->kind.empty() ? "" :
						     fmt::format(" but of kind {}", link->kind)),
			EOPNOTSUPP
		};
	}
	return Error{ Exit::refused,
		      fmt::format("Unable to access interface {}: the kernel did not describe it",
				  name) };
}

} // namespace nwgctl::netlink
