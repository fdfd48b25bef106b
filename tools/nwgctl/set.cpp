// SPDX-License-Identifier: GPL-2.0
/* set: a change of an interface from the command line. */
#include "command.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "config/value.hpp"
#include "netlink/device.hpp"
#include "words.hpp"

namespace nwgctl
{

static Result<bool> parse_device_word(Words &words, DeviceChange &change)
{
	if (words.take("listen-port"))
		change.listen_port = TRY(config::parse_port(TRY(words.value())));
	else if (words.take("fwmark"))
		change.fwmark = TRY(config::parse_fwmark(TRY(words.value())));
	else if (words.take("private-key"))
		change.private_key = TRY(config::read_key_file(TRY(words.value())));
	else
		return false;
	return true;
}

static Result<bool> parse_peer_word(Words &words, PeerChange &peer)
{
	if (words.take("remove")) {
		peer.remove = true;
	} else if (words.take("preshared-key")) {
		peer.preshared_key = TRY(config::read_key_file(TRY(words.value())));
	} else if (words.take("endpoint")) {
		peer.endpoint = TRY(config::parse_endpoint(TRY(words.value())));
	} else if (words.take("persistent-keepalive")) {
		peer.keepalive = TRY(config::parse_keepalive(TRY(words.value())));
	} else if (words.take("allowed-ips")) {
		peer.replace_allowed_ips = true;
		std::ranges::move(TRY(config::parse_allowed_ips(TRY(words.value()))),
				  std::back_inserter(peer.allowed_ips));
	} else {
		return false;
	}
	return true;
}

static Result<DeviceChange> parse(Words words)
{
	DeviceChange change;

	while (!words.empty()) {
		bool known;

		if (words.take("peer")) {
			change.peers.push_back({ .public_key = TRY(config::parse_public_key(
							 TRY(words.value()))) });
			continue;
		}
		if (change.peers.empty())
			known = TRY(parse_device_word(words, change));
		else
			known = TRY(parse_peer_word(words, change.peers.back()));
		if (!known)
			return words.unknown();
	}
	return change;
}

Status set(const Options &, Arguments arguments)
{
	if (arguments.size() < 2)
		return wrong_usage("an interface and what to set are to be named");
	const auto change = TRY(parse(Words(arguments.subspan(1))));

	return netlink::set_device(TRY(netlink::wireguard_link(arguments[0])), change);
}

} // namespace nwgctl
