// SPDX-License-Identifier: GPL-2.0
/* setconf, addconf and syncconf: a configuration file onto an interface. */
#include "command.hpp"

#include "config/file.hpp"
#include "netlink/device.hpp"

namespace nwgctl
{

struct Loaded {
	netlink::Link link;
	DeviceChange change;
};

/* The whole file is read before the kernel is asked for anything. */
static Result<Loaded> load(Arguments arguments, config::Mode mode)
{
	if (arguments.size() != 2)
		return wrong_usage("an interface and a file are to be named");
	auto change = TRY(config::load(arguments[1], mode));
	return Loaded{ TRY(netlink::wireguard_link(arguments[0])), std::move(change) };
}

Status setconf(const Options &, Arguments arguments)
{
	const auto loaded = TRY(load(arguments, config::Mode::replace));

	return netlink::set_device(loaded.link, loaded.change);
}

Status addconf(const Options &, Arguments arguments)
{
	const auto loaded = TRY(load(arguments, config::Mode::append));

	return netlink::set_device(loaded.link, loaded.change);
}

Status syncconf(const Options &, Arguments arguments)
{
	const auto loaded = TRY(load(arguments, config::Mode::replace));
	const auto current = TRY(netlink::get_device(loaded.link));

	return netlink::set_device(loaded.link, config::difference(current, loaded.change));
}

} // namespace nwgctl
