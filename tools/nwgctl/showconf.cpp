// SPDX-License-Identifier: GPL-2.0
/* showconf: an interface as a configuration file. */
#include "command.hpp"

#include <fmt/format.h>

#include "config/file.hpp"
#include "netlink/device.hpp"
#include "render/device.hpp"

namespace nwgctl
{

Status showconf(const Options &options, Arguments arguments)
{
	if (arguments.size() != 1)
		return wrong_usage("one interface is to be named");
	const auto link = TRY(netlink::wireguard_link(arguments[0]));
	const auto device = TRY(netlink::get_device(link));
	if (options.json)
		render::print_json(render::Json::array({ render::field_json(device, "dump") }),
				   options);
	else
		fmt::print("{}", config::print(device));
	return {};
}

} // namespace nwgctl
