// SPDX-License-Identifier: GPL-2.0
#include "route.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "message.hpp"
#include "socket.hpp"

namespace nwgctl::netlink
{

/* The fixed header of a message; all zeroes if it is too short for one. */
template <typename Header> static Header header_of(const SecretBytes &message)
{
	Header header{};

	if (message.size() >= MNL_NLMSG_HDRLEN + sizeof(header))
		memcpy(&header, message.data() + MNL_NLMSG_HDRLEN, sizeof(header));
	return header;
}

static std::optional<Address> address_of(uint16_t family, const Attribute &attribute)
{
	const auto bytes = attribute.payload();

	if (family == AF_INET && bytes.size() == 4)
		return Address::v4(bytes.data());
	if (family == AF_INET6 && bytes.size() == 16)
		return Address::v6(bytes.data());
	return std::nullopt;
}

/* One request, for which nothing is answered. */
static Status carry_out(Request &request, const std::string &operation)
{
	Socket socket = TRY(Socket::open(NETLINK_ROUTE));

	auto done = socket.request(request);
	if (!done)
		return failed(done.error(), operation,
			      done.error().number == EPERM ?
				      "be root, or have CAP_NET_ADMIN in this network namespace" :
				      "");
	return {};
}

static Result<std::vector<SecretBytes>> dump(Request &request, const std::string &operation)
{
	Socket socket = TRY(Socket::open(NETLINK_ROUTE));

	/* A kernel that does not filter sends all; what does not fit is left out here anyway. */
	socket.filter_dumps();
	auto messages = socket.dump(request);
	if (!messages)
		return failed(messages.error(), operation);
	return messages;
}

static std::optional<LinkState> parse_link(const SecretBytes &message)
{
	const Attributes<IFLA_MAX> attributes(attributes_of(message, sizeof(ifinfomsg)));
	const auto header = header_of<ifinfomsg>(message);
	LinkState link;

	if (!header.ifi_index)
		return std::nullopt;
	link.index = header.ifi_index;
	link.up = header.ifi_flags & IFF_UP;
	link.name = attributes[IFLA_IFNAME].string();
	link.mtu = attributes[IFLA_MTU].get<uint32_t>().value_or(0);
	if (attributes[IFLA_LINKINFO])
		link.kind = Attributes<IFLA_INFO_MAX>(attributes[IFLA_LINKINFO])[IFLA_INFO_KIND]
				    .string();
	return link;
}

/* By its name, or if that is empty by its index. */
static Result<std::optional<LinkState>> get_link(const std::string &name, int index)
{
	Socket socket = TRY(Socket::open(NETLINK_ROUTE));
	Request request(RTM_GETLINK, 0);

	static_cast<ifinfomsg *>(request.put_header(sizeof(ifinfomsg)))->ifi_index = index;
	if (!name.empty())
		request.put_string(IFLA_IFNAME, name);
	request.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	auto messages = socket.request(request);
	if (!messages && messages.error().number == ENODEV)
		return std::optional<LinkState>();
	if (!messages)
		return failed(messages.error(), fmt::format("Unable to find interface {}", name));
	for (const auto &message : messages.value()) {
		/* Not what has it as its other name. */
		if (auto link = parse_link(message); link && (name.empty() || link->name == name))
			return link;
	}
	return std::optional<LinkState>();
}

Result<std::optional<LinkState>> find_link(const std::string &name)
{
	return get_link(name, 0);
}

Status add_link(const std::string &name, const std::string &kind)
{
	Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);

	request.put_header(sizeof(ifinfomsg));
	request.put_string(IFLA_IFNAME, name);
	const auto nest = request.begin_nest(IFLA_LINKINFO);
	request.put_string(IFLA_INFO_KIND, kind);
	request.end_nest(nest);
	auto done = carry_out(request, fmt::format("Unable to make interface {}", name));
	if (!done && done.error().number == EOPNOTSUPP)
		done.error().hint = fmt::format("the kernel has no interfaces of kind {}: load the "
						"module that has: modprobe {}",
						kind, kind);
	return done;
}

static Status change_link(uint16_t type, const LinkState &link, unsigned int flags,
			  unsigned int mask, std::optional<uint32_t> mtu,
			  const std::string &operation)
{
	Request request(type, 0);
	auto header = static_cast<ifinfomsg *>(request.put_header(sizeof(ifinfomsg)));

	header->ifi_index = link.index;
	header->ifi_flags = flags;
	header->ifi_change = mask;
	if (!link.index)
		request.put_string(IFLA_IFNAME, link.name);
	if (mtu)
		request.put_u32(IFLA_MTU, *mtu);
	return carry_out(request, fmt::format("Unable to {} {}", operation, link.name));
}

Status delete_link(const LinkState &link)
{
	return change_link(RTM_DELLINK, link, 0, 0, {}, "remove interface");
}

Status set_mtu(const LinkState &link, uint32_t mtu)
{
	return change_link(RTM_NEWLINK, link, 0, 0, mtu, fmt::format("set MTU {} of", mtu));
}

Status set_up(const LinkState &link, bool up)
{
	return change_link(RTM_NEWLINK, link, up ? IFF_UP : 0, IFF_UP, {},
			   up ? "set up" : "set down");
}

Result<std::vector<Prefix>> list_addresses(const LinkState &link)
{
	Request request(RTM_GETADDR, 0);
	std::vector<Prefix> addresses;

	static_cast<ifaddrmsg *>(request.put_header(sizeof(ifaddrmsg)))->ifa_index = link.index;
	for (const auto &message :
	     TRY(dump(request, fmt::format("Unable to list addresses of {}", link.name)))) {
		const Attributes<IFA_MAX> attributes(attributes_of(message, sizeof(ifaddrmsg)));
		const auto header = header_of<ifaddrmsg>(message);
		const auto address = address_of(header.ifa_family, attributes[IFA_ADDRESS]);
		const auto local = address_of(header.ifa_family, attributes[IFA_LOCAL]);

		/* Of a point-to-point link that somebody has made it is the other end's. */
		if (address && address == local.value_or(*address) &&
		    header.ifa_index == static_cast<uint32_t>(link.index) &&
		    (header.ifa_flags & IFA_F_PERMANENT))
			addresses.push_back({ *address, header.ifa_prefixlen });
	}
	return addresses;
}

static Status change_address(uint16_t type, uint16_t flags, const LinkState &link,
			     const Prefix &address, const std::string &operation)
{
	Request request(type, flags);
	auto header = static_cast<ifaddrmsg *>(request.put_header(sizeof(ifaddrmsg)));

	header->ifa_family = static_cast<uint8_t>(address.address.family);
	header->ifa_prefixlen = address.length;
	header->ifa_index = static_cast<uint32_t>(link.index);
	request.put(IFA_LOCAL, address.address.raw());
	request.put(IFA_ADDRESS, address.address.raw());
	return carry_out(request,
			 fmt::format("Unable to {} address {} {} {}", operation, address.text(),
				     type == RTM_NEWADDR ? "to" : "from", link.name));
}

Status add_address(const LinkState &link, const Prefix &address)
{
	auto done = change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, link, address, "add");

	if (!done && address.address.family == AF_INET6 && done.error().number != EPERM &&
	    done.error().number != EEXIST)
		done.error().hint =
			"IPv6 takes an MTU of 1280 or more, and is not to be switched off "
			"by net.ipv6.conf.*.disable_ipv6";
	return done;
}

Status delete_address(const LinkState &link, const Prefix &address)
{
	return change_address(RTM_DELADDR, 0, link, address, "remove");
}

/* As the kernel has it. */
struct KernelRoute {
	Route route;
	/* 0 if there are several, or none. */
	uint32_t interface = 0;
	/* RTN_UNICAST, or what does not lead anywhere. */
	uint8_t type = RTN_UNSPEC;
};

/* The routes of a table; of a link only, if one is named. */
static Result<std::vector<KernelRoute>> dump_routes(uint32_t table, int interface, uint8_t protocol)
{
	std::vector<KernelRoute> routes;

	for (const uint8_t family : { AF_INET, AF_INET6 }) {
		Request request(RTM_GETROUTE, 0);
		auto header = static_cast<rtmsg *>(request.put_header(sizeof(rtmsg)));

		header->rtm_family = family;
		header->rtm_protocol = protocol;
		if (table)
			request.put_u32(RTA_TABLE, table);
		if (interface)
			request.put_u32(RTA_OIF, static_cast<uint32_t>(interface));
		auto messages = dump(request, "Unable to list routes");
		/* A table that never had a route, or a kernel without IPv6. */
		if (!messages &&
		    (messages.error().number == ENOENT || messages.error().number == EOPNOTSUPP))
			continue;
		for (const auto &message : TRY(std::move(messages))) {
			const Attributes<RTA_MAX> attributes(attributes_of(message, sizeof(rtmsg)));
			const auto found = header_of<rtmsg>(message);
			const auto in_table =
				attributes[RTA_TABLE].get<uint32_t>().value_or(found.rtm_table);
			const auto out = attributes[RTA_OIF].get<uint32_t>().value_or(0);
			Address address{ .family = found.rtm_family };

			if (found.rtm_family != family || (found.rtm_flags & RTM_F_CLONED) ||
			    (protocol && found.rtm_protocol != protocol) ||
			    (interface && out != static_cast<uint32_t>(interface)) ||
			    (table && in_table != table))
				continue;
			if (attributes[RTA_DST])
				address = address_of(family, attributes[RTA_DST]).value_or(address);
			routes.push_back({ { { address, found.rtm_dst_len }, in_table },
					   out,
					   found.rtm_type });
		}
	}
	return routes;
}

Result<std::vector<Route>> list_routes(const LinkState &link)
{
	std::vector<Route> routes;

	for (const auto &found : TRY(dump_routes(0, link.index, made_here)))
		routes.push_back(found.route);
	return routes;
}

Result<std::vector<Network>> list_networks()
{
	std::vector<Network> networks;
	char name[IF_NAMESIZE];

	for (const auto &found : TRY(dump_routes(main_table, 0, 0))) {
		if (found.type == RTN_UNICAST && found.interface &&
		    if_indextoname(found.interface, name))
			networks.push_back({ found.route.destination, name });
	}
	return networks;
}

Result<bool> is_table_empty(uint32_t table)
{
	return TRY(dump_routes(table, 0, 0)).empty();
}

/* As a fixed header has it; the attribute has all. */
static uint8_t short_table(uint32_t table)
{
	return table <= UINT8_MAX ? static_cast<uint8_t>(table) : uint8_t(RT_TABLE_UNSPEC);
}

static Status change_route(uint16_t type, uint16_t flags, const LinkState &link, const Route &route,
			   const std::string &operation)
{
	const Address &destination = route.destination.address;
	Request request(type, flags);
	auto header = static_cast<rtmsg *>(request.put_header(sizeof(rtmsg)));

	header->rtm_family = static_cast<uint8_t>(destination.family);
	header->rtm_dst_len = route.destination.length;
	header->rtm_table = short_table(route.table);
	header->rtm_protocol = made_here;
	header->rtm_scope = destination.family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	header->rtm_type = RTN_UNICAST;
	request.put_u32(RTA_TABLE, route.table);
	if (route.destination.length)
		request.put(RTA_DST, destination.raw());
	request.put_u32(RTA_OIF, static_cast<uint32_t>(link.index));
	return carry_out(request, fmt::format("Unable to {} route {} over {}", operation,
					      route.destination.text(), link.name));
}

Status add_route(const LinkState &link, const Route &route)
{
	auto done = change_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, link, route, "add");

	if (!done && done.error().number == EEXIST)
		done.error().hint = fmt::format(
			"there is one already: ip{} route show table {} exact {}; or write Table = off",
			route.destination.address.family == AF_INET6 ? " -6" : "", route.table,
			route.destination.text());
	return done;
}

Status delete_route(const LinkState &link, const Route &route)
{
	return change_route(RTM_DELROUTE, 0, link, route, "remove");
}

static std::optional<Rule> parse_rule(const SecretBytes &message)
{
	const Attributes<FRA_MAX> attributes(attributes_of(message, sizeof(fib_rule_hdr)));
	const auto header = header_of<fib_rule_hdr>(message);

	if (attributes[FRA_PROTOCOL].get<uint8_t>() != made_here ||
	    !(header.flags & FIB_RULE_INVERT))
		return std::nullopt;
	return Rule{ .family = header.family,
		     .unless_mark = attributes[FRA_FWMARK].get<uint32_t>().value_or(0),
		     .table = attributes[FRA_TABLE].get<uint32_t>().value_or(header.table),
		     .no_default = attributes[FRA_SUPPRESS_PREFIXLEN].get<uint32_t>() == 0u };
}

Result<std::vector<Rule>> list_rules()
{
	std::vector<Rule> rules;

	for (const uint8_t family : { AF_INET, AF_INET6 }) {
		Request request(RTM_GETRULE, 0);

		static_cast<fib_rule_hdr *>(request.put_header(sizeof(fib_rule_hdr)))->family =
			family;
		auto messages = dump(request, "Unable to list routing rules");
		/* A kernel without rules for it. */
		if (!messages && (messages.error().number == EOPNOTSUPP ||
				  messages.error().number == EAFNOSUPPORT))
			continue;
		for (const auto &message : TRY(std::move(messages))) {
			if (const auto rule = parse_rule(message))
				rules.push_back(*rule);
		}
	}
	return rules;
}

static Status change_rule(uint16_t type, uint16_t flags, const Rule &rule,
			  const std::string &operation)
{
	Request request(type, flags);
	auto header = static_cast<fib_rule_hdr *>(request.put_header(sizeof(fib_rule_hdr)));

	header->family = static_cast<uint8_t>(rule.family);
	header->action = FR_ACT_TO_TBL;
	header->flags = FIB_RULE_INVERT;
	header->table = short_table(rule.table);
	request.put_u32(FRA_TABLE, rule.table);
	request.put_u32(FRA_FWMARK, rule.unless_mark);
	request.put_u8(FRA_PROTOCOL, made_here);
	if (rule.no_default)
		request.put_u32(FRA_SUPPRESS_PREFIXLEN, 0);
	return carry_out(request, fmt::format("Unable to {} the routing rule for table {}",
					      operation, rule.table));
}

Status add_rule(const Rule &rule)
{
	return change_rule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule, "add");
}

Status delete_rule(const Rule &rule)
{
	return change_rule(RTM_DELRULE, 0, rule, "remove");
}

Result<std::optional<Way>> find_way(const Address &address, uint32_t mark)
{
	static constexpr int no_way[] = { ENETUNREACH, EHOSTUNREACH, EACCES,
					  EINVAL,      EOPNOTSUPP,   EAFNOSUPPORT };
	Socket socket = TRY(Socket::open(NETLINK_ROUTE));
	Request request(RTM_GETROUTE, 0);
	auto header = static_cast<rtmsg *>(request.put_header(sizeof(rtmsg)));

	header->rtm_family = static_cast<uint8_t>(address.family);
	header->rtm_dst_len = address.bits();
	request.put(RTA_DST, address.raw());
	if (mark)
		request.put_u32(RTA_MARK, mark);
	auto messages = socket.request(request);
	/* No route, or one that says so; or a kernel without the family. */
	if (!messages &&
	    std::ranges::find(no_way, messages.error().number) != std::ranges::end(no_way))
		return std::optional<Way>();
	if (!messages)
		return failed(messages.error(),
			      fmt::format("Unable to find the route to {}", address.text()));
	for (const auto &message : messages.value()) {
		const Attributes<RTA_MAX> attributes(attributes_of(message, sizeof(rtmsg)));
		const Attributes<RTAX_MAX> metrics(attributes[RTA_METRICS]);

		const auto mtu = metrics[RTAX_MTU].get<uint32_t>().value_or(0);
		const auto out = attributes[RTA_OIF].get<uint32_t>();

		if (!out)
			continue;
		if (const auto link = TRY(get_link("", static_cast<int>(*out))))
			return std::optional(Way{ link->name, mtu ? mtu : link->mtu });
	}
	return std::optional<Way>();
}

Result<std::optional<uint32_t>> path_mtu(const Address &address, uint32_t mark)
{
	const auto way = TRY(find_way(address, mark));

	return way ? std::optional(way->mtu) : std::nullopt;
}

} // namespace nwgctl::netlink
