/* SPDX-License-Identifier: GPL-2.0 */
/* What is counted, in Prometheus' text exposition format. */
#ifndef NWGCTL_RENDER_METRICS_HPP
#define NWGCTL_RENDER_METRICS_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../device.hpp"
#include "../netlink/link.hpp"
#include "../netlink/relay.hpp"

namespace nwgctl::render
{

/* An interface as it is, and what it has counted. */
struct Interface {
	netlink::Link link;
	Device device;
};

/*
 * All families that have a sample, each with HELP and TYPE. Keys are public ones only. Without @relays the module is not
 * there.
 */
std::string metrics_text(const std::optional<std::vector<netlink::Relay>> &relays,
			 const std::vector<Interface> &interfaces);

/* A label's value between its quotes; bytes that are no UTF-8 become \\xNN. */
std::string label_value(std::string_view text);

} // namespace nwgctl::render

#endif
