// SPDX-License-Identifier: GPL-2.0
/* show: WireGuard interfaces, whole or by field. */
#include "command.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "netlink/device.hpp"
#include "render/device.hpp"
#include "render/screen.hpp"

namespace nwgctl
{

using netlink::Link;

static Status show_names(const Options &options)
{
	const auto links = TRY(netlink::wireguard_links());
	std::vector<std::string> names;
	auto list = render::Json::array();

	for (const auto &link : links) {
		names.push_back(render::for_output(link.name));
		list.push_back({ { "ifname", link.name }, { "kind", link.kind } });
	}
	if (options.json)
		render::print_json(list, options);
	else if (!names.empty())
		fmt::print("{}\n", fmt::join(names, " "));
	return {};
}

static void print_devices(const std::vector<Device> &devices, const Options &options)
{
	const auto palette = options.json ? render::Palette(false) : render::Palette::for_output();
	std::vector<render::Block> blocks;

	for (const auto &device : devices)
		blocks.push_back(render::device_block(device, palette, render::keys_visible(),
						      !options.json));
	if (options.json)
		return render::print_json(render::to_json(blocks), options);
	for (const auto &block : blocks) {
		fmt::print("{}{}", &block == &blocks.front() ? "" : "\n", palette.reset());
		render::print_text({ block }, palette);
	}
}

static void print_field(const std::vector<Device> &devices, std::string_view field, bool named,
			const Options &options)
{
	auto list = render::Json::array();

	for (const auto &device : devices) {
		if (options.json)
			list.push_back(render::field_json(device, field));
		else
			fmt::print("{}",
				   render::field_text(
					   device, field,
					   named ? render::for_output(device.name) + '\t' : ""));
	}
	if (options.json)
		render::print_json(list, options);
}

Status show(const Options &options, Arguments arguments)
{
	const std::string which = arguments.empty() ? "all" : arguments[0];
	const std::string field = arguments.size() > 1 ? arguments[1] : "";
	std::vector<Device> devices;
	std::vector<Link> links;
	Status status;

	if (arguments.size() > 2 || (which == "interfaces" && !field.empty()))
		return wrong_usage("too many arguments");
	if (arguments.size() > 1 && !render::is_field(field))
		return wrong_usage(fmt::format("Invalid parameter: `{}'", field));
	if (which == "interfaces")
		return show_names(options);
	if (which == "all")
		links = TRY(netlink::wireguard_links());
	else
		links = { TRY(netlink::wireguard_link(which)) };
	for (const auto &link : links) {
		auto device = netlink::get_device(link);

		if (device) {
			devices.push_back(device.take());
			continue;
		}
		/* One that cannot be read does not hide the others. */
		if (!status)
			print_error(status.error());
		status = device.error();
	}
	if (!devices.empty() || options.json) {
		if (field.empty())
			print_devices(devices, options);
		else
			print_field(devices, field, which == "all", options);
	}
	return status;
}

} // namespace nwgctl
