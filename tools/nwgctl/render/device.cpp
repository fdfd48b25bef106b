// SPDX-License-Identifier: GPL-2.0
#include "device.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "quantity.hpp"
#include "screen.hpp"

namespace nwgctl::render
{

static constexpr int green = 32, yellow = 33;

bool keys_visible()
{
	const char *mode = getenv("WG_HIDE_KEYS");

	return mode && !strcmp(mode, "never");
}

static std::vector<std::string> prefix_texts(const Peer &peer)
{
	std::vector<std::string> texts;

	for (const auto &prefix : peer.allowed_ips)
		texts.push_back(prefix.text());
	return texts;
}

static std::string allowed_ips_for_people(const Peer &peer, const Palette &palette)
{
	std::string text;

	for (const auto &prefix : peer.allowed_ips)
		text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", prefix.address.text(),
				    palette.unit("/"), prefix.length);
	return text.empty() ? "(none)" : text;
}

static void add_secret(Block &block, const char *label, const char *key,
		       const std::optional<Key> &secret, bool show)
{
	const std::string text = secret && show ? secret->base64() : "(hidden)";

	if (secret)
		block.fields.push_back({ label, text, key, text });
}

static Block peer_block(const Peer &peer, const Palette &palette, bool show_keys)
{
	const std::string name = peer.public_key.base64();
	Block block{ yellow, "peer", name, {}, {}, {} };

	block.fields.push_back({ "", "", "public_key", name });
	add_secret(block, "preshared key", "preshared_key", peer.preshared_key, show_keys);
	if (peer.endpoint)
		block.fields.push_back({ "endpoint", for_output(peer.endpoint->text()), "endpoint",
					 peer.endpoint->text() });
	block.fields.push_back({ "allowed ips", allowed_ips_for_people(peer, palette),
				 "allowed_ips", prefix_texts(peer) });
	const bool heard = peer.last_handshake.tv_sec;
	block.fields.push_back({ heard ? "latest handshake" : "",
				 ago(peer.last_handshake.tv_sec, time(nullptr), palette),
				 "latest_handshake", peer.last_handshake.tv_sec });
	block.fields.push_back({ peer.rx_bytes || peer.tx_bytes ? "transfer" : "",
				 fmt::format("{} received, {} sent", bytes(peer.rx_bytes, palette),
					     bytes(peer.tx_bytes, palette)),
				 "transfer_rx", peer.rx_bytes });
	block.fields.push_back({ "", "", "transfer_tx", peer.tx_bytes });
	block.fields.push_back({ peer.keepalive ? "persistent keepalive" : "",
				 "every " + duration(peer.keepalive, palette),
				 "persistent_keepalive", peer.keepalive });
	return block;
}

Block device_block(const Device &device, const Palette &palette, bool show_keys, bool by_time)
{
	Block block{ green, "interface", device.name, {}, "peers", {} };
	std::vector<const Peer *> peers;

	block.fields.push_back({ "", "", "ifname", device.name });
	block.fields.push_back({ "", "", "kind", device.kind });
	if (device.public_key)
		block.fields.push_back({ "public key", device.public_key->base64(), "public_key",
					 device.public_key->base64() });
	add_secret(block, "private key", "private_key", device.private_key, show_keys);
	block.fields.push_back({ device.listen_port ? "listening port" : "",
				 fmt::format("{}", device.listen_port), "listen_port",
				 device.listen_port });
	block.fields.push_back({ device.fwmark ? "fwmark" : "",
				 fmt::format("0x{:x}", device.fwmark), "fwmark", device.fwmark });

	for (const auto &peer : device.peers)
		peers.push_back(&peer);
	if (by_time)
		std::ranges::stable_sort(peers, [](const Peer *a, const Peer *b) {
			return std::pair(a->last_handshake.tv_sec, a->last_handshake.tv_nsec) >
			       std::pair(b->last_handshake.tv_sec, b->last_handshake.tv_nsec);
		});
	for (const auto *peer : peers)
		block.children.push_back(peer_block(*peer, palette, show_keys));
	return block;
}

/* A field of wg show(8): its name there, the JSON keys that it stands for, its text for scripts. */
template <typename Object> struct ScriptField {
	const char *name;
	std::vector<std::string> keys;
	std::string (*text)(const Object &);
};

static std::string key_text(const std::optional<Key> &key)
{
	return key ? key->base64() : "(none)";
}

static std::string allowed_ips_text(const Peer &peer, const char *separator)
{
	return peer.allowed_ips.empty() ?
		       "(none)" :
		       fmt::format("{}", fmt::join(prefix_texts(peer), separator));
}

static const ScriptField<Device> device_fields[] = {
	{ "public-key",
	  { "public_key" },
	  [](const Device &device) { return key_text(device.public_key); } },
	{ "private-key",
	  { "private_key" },
	  [](const Device &device) { return key_text(device.private_key); } },
	{ "listen-port",
	  { "listen_port" },
	  [](const Device &device) { return fmt::format("{}", device.listen_port); } },
	{ "fwmark",
	  { "fwmark" },
	  [](const Device &device) {
		  return device.fwmark ? fmt::format("0x{:x}", device.fwmark) : "off";
	  } },
};

static const ScriptField<Peer> peer_fields[] = {
	{ "peers", {}, nullptr },
	{ "preshared-keys",
	  { "preshared_key" },
	  [](const Peer &peer) { return key_text(peer.preshared_key); } },
	{ "endpoints",
	  { "endpoint" },
	  [](const Peer &peer) { return peer.endpoint ? peer.endpoint->text() : "(none)"; } },
	{ "allowed-ips",
	  { "allowed_ips" },
	  [](const Peer &peer) { return allowed_ips_text(peer, " "); } },
	{ "latest-handshakes",
	  { "latest_handshake" },
	  [](const Peer &peer) { return fmt::format("{}", peer.last_handshake.tv_sec); } },
	{ "transfer",
	  { "transfer_rx", "transfer_tx" },
	  [](const Peer &peer) { return fmt::format("{}\t{}", peer.rx_bytes, peer.tx_bytes); } },
	{ "persistent-keepalive",
	  { "persistent_keepalive" },
	  [](const Peer &peer) {
		  return peer.keepalive ? fmt::format("{}", peer.keepalive) : "off";
	  } },
};

template <typename Fields> static auto find_field(const Fields &fields, std::string_view name)
{
	return std::ranges::find_if(fields, [&](const auto &field) { return name == field.name; });
}

bool is_field(std::string_view field)
{
	return field == "dump" || find_field(device_fields, field) != std::end(device_fields) ||
	       find_field(peer_fields, field) != std::end(peer_fields);
}

static std::string dump_text(const Device &device, const std::string &prefix)
{
	std::string text = fmt::format("{}{}\t{}\t{}\t{}\n", prefix, key_text(device.private_key),
				       key_text(device.public_key), device.listen_port,
				       find_field(device_fields, "fwmark")->text(device));

	for (const auto &peer : device.peers)
		text += fmt::format("{}{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", prefix,
				    peer.public_key.base64(), key_text(peer.preshared_key),
				    find_field(peer_fields, "endpoints")->text(peer),
				    allowed_ips_text(peer, ","), peer.last_handshake.tv_sec,
				    peer.rx_bytes, peer.tx_bytes,
				    find_field(peer_fields, "persistent-keepalive")->text(peer));
	return text;
}

std::string field_text(const Device &device, std::string_view field, const std::string &prefix)
{
	const auto of_device = find_field(device_fields, field);
	std::string text;

	if (field == "dump")
		return dump_text(device, prefix);
	if (of_device != std::end(device_fields))
		return fmt::format("{}{}\n", prefix, of_device->text(device));
	const auto of_peer = find_field(peer_fields, field);
	for (const auto &peer : device.peers)
		text += fmt::format("{}{}{}{}\n", prefix, peer.public_key.base64(),
				    of_peer->text ? "\t" : "",
				    of_peer->text ? of_peer->text(peer) : "");
	return text;
}

static void keep_fields(Block &block, const std::vector<std::string> &keys, const char *name)
{
	std::erase_if(block.fields, [&](const Field &field) {
		return field.key != name && std::ranges::find(keys, field.key) == keys.end();
	});
}

Json field_json(const Device &device, std::string_view field)
{
	Block block = device_block(device, Palette(false), true, false);
	const auto of_device = find_field(device_fields, field);

	if (of_device != std::end(device_fields)) {
		keep_fields(block, of_device->keys, "ifname");
		block.children_key.clear();
	} else if (field != "dump") {
		keep_fields(block, {}, "ifname");
		for (auto &peer : block.children)
			keep_fields(peer, find_field(peer_fields, field)->keys, "public_key");
	}
	return to_json({ block }).front();
}

} // namespace nwgctl::render
