// SPDX-License-Identifier: GPL-2.0
/* Configuration files. What can be read can be written, and reads the same then. */
#include "fuzz.hpp"

#include "../config/file.hpp"
#include "../config/quick.hpp"

using namespace nwgctl;

/* What the kernel would have after @change. */
static Device device_of(const DeviceChange &change)
{
	Device device;

	if (change.private_key && !change.private_key->is_zero())
		device.private_key = change.private_key;
	device.listen_port = change.listen_port.value_or(0);
	device.fwmark = change.fwmark.value_or(0);
	for (const auto &peer : config::difference({}, change).peers) {
		Peer made;

		made.public_key = peer.public_key;
		if (peer.preshared_key && !peer.preshared_key->is_zero())
			made.preshared_key = peer.preshared_key;
		made.endpoint = peer.endpoint;
		made.keepalive = peer.keepalive.value_or(0);
		made.allowed_ips = peer.allowed_ips;
		device.peers.push_back(made);
	}
	return device;
}

static netlink::Relay relay_of(const netlink::RelayChange &change)
{
	netlink::Relay relay;

	relay.listen = change.listen;
	relay.peer = *change.peer;
	relay.to = *change.to;
	relay.responder = change.responder;
	relay.source = change.source.value_or(netlink::Source());
	relay.max_flows = change.max_flows.value_or(1);
	relay.max_flows_per_source = change.max_flows_per_source.value_or(1);
	return relay;
}

static std::string saved(const config::Quick &quick)
{
	std::vector<Prefix> addresses;
	std::vector<netlink::Relay> relays;

	for (const auto &address : quick.addresses)
		addresses.push_back(address.value);
	for (const auto &relay : quick.relays)
		relays.push_back(relay_of(relay.value));
	return config::print_quick(quick, device_of(quick.device), addresses, relays);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, std::size_t size)
{
	const auto text = fuzz::text_of(data, size);
	const std::string name = "wg0.conf";

	static_cast<void>(config::parse(text, name, config::Mode::append));
	if (const auto change = config::parse(text, name, config::Mode::replace)) {
		const auto written = config::print(device_of(change.value()));
		const auto again = config::parse(written, name, config::Mode::replace);

		fuzz::must(again && config::print(device_of(again.value())) == written);
	}
	for (const auto part : { config::Part::relays, config::Part::frame })
		static_cast<void>(config::parse_quick(text, name, part));
	if (const auto quick = config::parse_quick(text, name, config::Part::whole)) {
		const auto written = saved(quick.value());
		const auto again = config::parse_quick(written, name, config::Part::whole);

		fuzz::must(again && saved(again.value()) == written);
	}
	return 0;
}
