// SPDX-License-Identifier: GPL-2.0
/* metrics: for Prometheus, by way of the node exporter's textfile collector. */
#include "command.hpp"

#include <cerrno>

#include <fmt/format.h>

#include "netlink/device.hpp"
#include "netlink/relay.hpp"
#include "render/metrics.hpp"
#include "words.hpp"

namespace nwgctl
{

Status metrics(const Options &options, Arguments arguments)
{
	std::vector<render::Interface> interfaces;
	netlink::RelayFilter filter;
	Words words(arguments);

	if (options.json)
		return usage_error("Metrics are not shown as JSON",
				   "the same is in: nwgctl -j relay show; nwgctl -j show");
	while (!words.empty()) {
		if (!words.take("dev"))
			return words.unknown();
		if (filter.interface)
			return words.repeated();
		filter.interface = TRY(netlink::interface_name(TRY(words.value())));
	}
	/* An error before anything is written: half of it would look like the whole. That the module is not there is told by
	 * the metrics, so that who reads them learns of it. */
	auto relays = netlink::list_relays(filter);
	const bool is_up = static_cast<bool>(relays);
	if (!is_up && relays.error().number != ENOENT)
		return relays.error();
	if (!is_up && filter.interface)
		TRY(netlink::wireguard_link(*filter.interface));
	const auto name = netlink::own_name(filter.interface.value_or(""));
	for (const auto &link : TRY(netlink::wireguard_links(true))) {
		if (filter.interface && link.name != name)
			continue;
		auto device = netlink::get_device(link);

		/* Gone since it was listed. */
		if (!device && device.error().number == ENODEV)
			continue;
		if (!device)
			return device.error();
		interfaces.push_back({ link, device.take() });
	}
	fmt::print("{}", render::metrics_text(is_up ? std::optional(relays.take()) : std::nullopt,
					      interfaces));
	return {};
}

} // namespace nwgctl
