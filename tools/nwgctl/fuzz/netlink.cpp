// SPDX-License-Identifier: GPL-2.0
/* Messages of the kernel, read and shown. The first byte says how many parts the rest has, which a dump has. */
#include "fuzz.hpp"

#include <algorithm>
#include <cstring>

#include "../config/file.hpp"
#include "../netlink/device.hpp"
#include "../netlink/events.hpp"
#include "../netlink/relay.hpp"
#include "../render/device.hpp"
#include "../render/event.hpp"
#include "../render/metrics.hpp"
#include "../render/relay.hpp"

using namespace nwgctl;

static void show(const render::Block &block)
{
	render::json_text(render::to_json({ block }), {});
}

static void show_event(const SecretBytes &message)
{
	const auto event = netlink::parse_event(message);

	static_cast<void>(event.name());
	render::event_text(event, render::Palette(true), true);
	render::json_text(render::event_json(event), {});
}

static void show_device(const Device &device)
{
	show(render::device_block(device, render::Palette(true), true, true));
	config::print(device);
	for (const char *field : { "dump", "endpoints", "allowed-ips", "latest-handshakes" }) {
		render::field_text(device, field, "");
		render::json_text(render::field_json(device, field), {});
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, std::size_t size)
{
	std::vector<netlink::Relay> relays;
	Device device;

	if (!size)
		return 0;
	const std::size_t step = std::max<std::size_t>(1, size / (data[0] % 3 + 1u));
	for (std::size_t start = 1; start < size; start += step) {
		/* Of the exact size; the header was looked at before, see Socket. */
		const std::size_t length = std::min(step, size - start);
		SecretBytes message(MNL_NLMSG_HDRLEN + length);

		memcpy(message.data() + MNL_NLMSG_HDRLEN, data + start, length);
		show_event(message);
		if (auto relay = netlink::parse_relay(message)) {
			show(render::relay_block(*relay, render::Palette(true), true));
			relays.push_back(*relay);
		}
		if (const auto flow = netlink::parse_flow(message))
			show(render::flow_block(*flow));
		netlink::add_device_message(device, message);
	}
	show_device(device);
	render::metrics_text(relays, { { { .index = 1, .name = "wg0", .kind = "nwg" }, device } });
	return 0;
}
