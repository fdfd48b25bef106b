// SPDX-License-Identifier: GPL-2.0
/* Files in the format of wg-quick(8): what they mean, what is refused, and what is saved. */
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include <fmt/format.h>

#include "../config/file.hpp"
#include "../config/quick.hpp"
#include "../config/value.hpp"
#include "quick.hpp"

extern "C" {
#include <cmocka.h>
}

using namespace nwgctl;

static void assert_text(const std::string &got, const std::string &wanted)
{
	assert_string_equal(got.c_str(), wanted.c_str());
}

template <typename T> static void assert_refused(const Result<T> &result)
{
	assert_false(static_cast<bool>(result));
}

/* The lines that WireGuard knows go to its parser, which still counts all. */
void test_quick(void **)
{
	static constexpr const char *key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
	const auto quick =
		config::parse_quick(
			fmt::format(
				"[Interface]\nAddress = 10.0.0.1/24, fd00::1 # two\n"
				"ListenPort = 7\nMTU=1300\npostup = echo a = %i\n"
				"DNS = 10.0.0.9, home.example\nTable = 77\n[Peer]\n"
				"PublicKey = {0}\nAllowedIPs = 10.0.0.2\n[Relay]\n"
				"Listen = [::1]%eth0:60000\nPeer = {0}\nTo = 10.0.0.2:1\n"
				"Source = pool  10.1.0.0/24\nLimit = 9\n[Interface]\nFwMark = 8\n",
				key),
			"/etc/nwg/wg-7.conf", config::Part::whole)
			.take();
	const auto &relay = quick.relays.at(0).value;

	assert_text(quick.interface, "wg-7");
	assert_text(quick.kind, "nwg");
	assert_int_equal(quick.addresses.size(), 2);
	assert_text(quick.addresses[0].value.text(), "10.0.0.1/24");
	assert_text(quick.addresses[1].value.text(), "fd00::1/128");
	assert_int_equal(quick.addresses[1].line, 2);
	assert_int_equal(quick.device.listen_port.value(), 7);
	assert_int_equal(quick.device.fwmark.value(), 8);
	assert_int_equal(quick.device.peers.size(), 1);
	assert_int_equal(quick.peer_lines.at(0), 8);
	assert_int_equal(quick.mtu.value().value, 1300);
	assert_int_equal(quick.table.value.number, 77);
	assert_text(quick.post_up.at(0).value, "echo a = %i");
	assert_text(quick.dns_servers.at(0), "10.0.0.9");
	assert_text(quick.dns_domains.at(0), "home.example");
	assert_int_equal(quick.relays.at(0).line, 11);
	assert_text(relay.listen.text(), "[::1]%eth0:60000");
	assert_text(relay.to.value().text(), "10.0.0.2:1");
	assert_text(relay.source.value().text(), "pool 10.1.0.0/24");
	assert_int_equal(relay.max_flows.value(), 9);
	assert_text(relay.interface.value(), "wg-7");
}

void test_quick_errors(void **)
{
	static constexpr std::pair<const char *, const char *> cases[] = {
		{ "[Interface]\n\nAddress = 10.0.0.1/33", "a.conf:3: " },
		{ "[Interface]\nMTU = 65456", "a.conf:2: " },
		{ "[Interface]\nTable = 0", "a.conf:2: Table is not a number" },
		{ "[Interface]\nTable = 12x", "a.conf:2: Table is not a number" },
		{ "[Interface]\nTable = 0x", "a.conf:2: Table is not a number" },
		{ "[Interface]\nTable = 0x0", "a.conf:2: Table is not a number" },
		{ "[Interface]\nKind =", "a.conf:2: No WireGuard interface is of that kind" },
		{ "[Interface]\nTable = mine", "a.conf:2: No routing table has that name" },
		{ "[Interface]\nDNS = 10.0.0.999", "a.conf:2: Unable to parse the name server's" },
		{ "[Relay]\nLimitPerSource = 0", "a.conf:2: LimitPerSource is not a number" },
		{ "[Relay]\nListen = 1\nLISTEN = 2", "a.conf:3: LISTEN is there twice" },
		{ "[Relay]\nListen = 1\n[Interface]\n", "a.conf:1: " },
		{ "[Relay]\nPeer", "a.conf:2: " },
		{ "[Relay]\nPeer =", "a.conf:2: Peer has no value" },
		{ "[Relay]\nPublicKey = 1", "a.conf:2: " },
		{ "[Interface]\nDNS = 1.1.1.1\n[Peer]\nAddress = 10.0.0.1", "a.conf:4: " },
		{ "[Interface]\nDNS = 1.1.1.1\n[Relais]", "a.conf:3: " },
	};

	for (const auto &[text, where] : cases) {
		const auto quick = config::parse_quick(text, "a.conf", config::Part::whole);

		assert_refused(quick);
		assert_text(quick.error().what.substr(0, strlen(where)), where);
		assert_false(quick.error().show_usage);
	}
	/* A shell would get half of the command. */
	using namespace std::string_view_literals;
	for (const auto text : { "[Interface]\nPostUp = a\0b"sv, "[Relay]\nListen = 1\0"sv }) {
		for (const auto part :
		     { config::Part::whole, config::Part::relays, config::Part::frame })
			assert_refused(config::parse_quick(text, "a.conf", part));
	}
	/* Where a line of another section lands in a relay, its value may be a key. */
	for (const char *line : { "PresharedKey = ", "PrivateKey ", "" }) {
		static constexpr const char *secret =
			"yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
		const auto quick = config::parse_quick(fmt::format("[Relay]\n{}{}", line, secret),
						       "a.conf", config::Part::relays);

		assert_refused(quick);
		assert_text(quick.error().what.substr(0, 28), "a.conf:2: Line unrecognized:");
		assert_true(quick.error().what.find("yAnz") == std::string::npos);
	}
	for (const char *path :
	     { "a", "/tmp/.conf", "a b.conf", "a1234567890123456.conf", "..conf" })
		assert_refused(config::parse_quick("", path, config::Part::whole));
}

/* What is saved is read again as the same. */
void test_quick_saved(void **)
{
	const auto parse = [](const std::string &text) {
		return config::parse_quick(text, "wg1.conf", config::Part::whole).take();
	};
	const auto quick =
		parse("[Interface]\nAddress = 10.9.9.9\nPostUp = true\nSaveConfig = true\n");
	netlink::Relay relay;
	Device device;

	device.private_key = Key::random_private();
	device.peers.emplace_back();
	device.peers[0].public_key = Key::random_private().public_key();
	relay.listen = config::parse_listen("%eth0:60000").take();
	relay.peer = device.peers[0].public_key;
	relay.to = config::parse_transport("[fd00::1]:5").take();
	relay.max_flows = 7;
	relay.max_flows_per_source = 3;
	const auto again = parse(config::print_quick(
		quick, device, { config::parse_interface_address("10.0.0.1/24").take() },
		{ relay }));
	assert_int_equal(again.addresses.size(), 1);
	assert_text(again.addresses[0].value.text(), "10.0.0.1/24");
	assert_text(again.post_up.at(0).value, "true");
	assert_true(again.save_config);
	assert_true(again.device.private_key == device.private_key);
	assert_text(again.relays.at(0).value.listen.text(), "*%eth0:60000");
	assert_text(again.relays[0].value.to.value().text(), "[fd00::1]:5");
	assert_int_equal(again.relays[0].value.max_flows.value(), 7);
}

/* To take an interface down, what is wrong with lines that are not needed for that is no obstacle. */
void test_quick_frame(void **)
{
	static constexpr const char *text =
		"[Interface]\nAddress = 10.0.0.1/33\nMTU = all\nTable = nosuch\nKind = tun\n"
		"DNS = 10.0.0.999\nBogus = 1\nPostDown = true\n[Relay]\nBogus = 1\nBogus\n";
	const auto quick = config::parse_quick(text, "wg1.conf", config::Part::frame).take();

	assert_text(quick.post_down.at(0).value, "true");
	assert_int_equal(quick.dns_line, 6);
	/* Not the main table, of whose mark others may be. */
	assert_false(quick.table.value.is_automatic());
	/* All but addresses is in the file that is saved. */
	assert_int_equal(quick.kept.size(), 5);
	assert_refused(config::parse_quick("[Interface]\nSaveConfig = yes\n", "wg1.conf",
					   config::Part::frame));
}

/* Two relays at one place. */
void test_quick_relays(void **)
{
	static constexpr const char *key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
	const auto relay = [](const char *listen) {
		return fmt::format("[Relay]\nListen = {}\nPeer = {}\nTo = 10.0.0.2:1\n", listen,
				   key);
	};
	const auto parsed = [](const std::string &text) {
		return config::parse_quick(text, "wg1.conf", config::Part::relays);
	};

	const auto twice = parsed(relay("60000") + relay("60001") + relay("*:60000"));
	assert_refused(twice);
	assert_text(twice.error().what,
		    "wg1.conf:9: Two relays listen to the same: *:60000, and *:60000 of line 1");
	/* Of all addresses one cannot be another's. */
	assert_refused(parsed(relay("60000") + relay("192.0.2.1:60000")));
	assert_int_equal(
		parsed(relay("192.0.2.2:60000") + relay("192.0.2.1:60000")).take().relays.size(),
		2);
}

/* What wg-quick(8) takes as well: white space between items and in headings. */
void test_quick_space(void **)
{
	static constexpr const char *key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
	const auto quick =
		config::parse_quick(
			fmt::format("[ Interface ]\nAddress = 10.0.0.1/24 10.0.0.2/24,, fd00::1,\n"
				    "DNS = 1.1.1.1 8.8.8.8, fe80::1%eth0 , home.example lan\n"
				    "listenport = 7\n[\tPeer ]\nPublicKey = {}\n",
				    key),
			"wg1.conf", config::Part::whole)
			.take();

	assert_int_equal(quick.addresses.size(), 3);
	assert_int_equal(quick.dns_servers.size(), 3);
	assert_text(quick.dns_servers[2], "fe80::1%eth0");
	/* Nor does it mind values that are not there. */
	const auto empty =
		config::parse_quick("[Interface]\nAddress =\nDNS=\nMTU = # none\nTable =\n"
				    "PreUp =\nPostUp =\nPreDown =\nPostDown =\nFwMark = 0x7\n",
				    "wg1.conf", config::Part::whole)
			.take();
	assert_true(empty.addresses.empty() && empty.dns_servers.empty() && !empty.mtu &&
		    empty.post_up.empty() && empty.kept.empty());
	assert_true(empty.table.value.is_automatic());
	assert_int_equal(empty.mark_line, 10);
	assert_int_equal(config::parse_quick("[Interface]\nTable = 0x64\n", "wg1.conf",
					     config::Part::whole)
				 .take()
				 .table.value.number,
			 100);
	assert_int_equal(quick.dns_domains.size(), 2);
	assert_int_equal(quick.port_line, 4);
	assert_int_equal(quick.device.peers.size(), 1);
	assert_int_equal(quick.peer_lines.at(0), 5);
}

/* What is not said of a peer is none: also what it has. */
void test_quick_completed(void **)
{
	const Key peer = Key::random_private().public_key();
	DeviceChange wanted;
	Device now;

	now.peers.emplace_back();
	now.peers[0].public_key = peer;
	now.peers[0].preshared_key = Key::random_private();
	now.peers[0].keepalive = 25;
	wanted.replace_peers = true;
	wanted.peers.push_back({ .public_key = peer, .replace_allowed_ips = true });
	assert_true(config::difference(now, wanted).peers.empty());
	const auto change = config::difference(now, config::completed(wanted));
	assert_int_equal(change.peers.size(), 1);
	assert_true(change.peers[0].preshared_key->is_zero());
	assert_int_equal(*change.peers[0].keepalive, 0);
	/* What an earlier section of the same peer says counts. */
	wanted.peers.insert(wanted.peers.begin(), { .public_key = peer, .keepalive = 25 });
	assert_int_equal(config::completed(wanted).peers.at(0).keepalive.value(), 25);
}
