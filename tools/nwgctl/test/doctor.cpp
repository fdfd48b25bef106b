// SPDX-License-Identifier: GPL-2.0
/* The doctor: what is wrong with machines that are made up. */
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "../config/value.hpp"
#include "../diagnosis/finding.hpp"
#include "doctor.hpp"

extern "C" {
#include <cmocka.h>
}

using namespace nwgctl;
using diagnosis::Finding;
using diagnosis::Machine;

static constexpr time_t now = 2000000000;

/* A VPS with one relay, in which all is well. */
static Machine machine_of()
{
	Machine machine;
	diagnosis::Interface interface;
	netlink::Relay relay;
	Peer peer;

	machine.has_module = true;
	machine.now = now;
	peer.public_key = Key::random_private().public_key();
	/* To which there is a route everywhere. */
	peer.endpoint = config::parse_endpoint("127.0.0.1:41234").take();
	peer.last_handshake.tv_sec = now - 100;
	peer.tx_bytes = 1000;
	peer.rx_bytes = 1000;
	interface.link.name = "wg1";
	interface.link.kind = "nwg";
	interface.link.up = true;
	interface.link.mtu = 1420;
	interface.before.name = "wg1";
	interface.before.public_key = Key::random_private().public_key();
	interface.before.peers = { peer };
	interface.after = interface.before;
	machine.interfaces = { interface };
	relay.interface = "wg1";
	relay.listen.port = 60000;
	relay.peer = peer.public_key;
	relay.to = config::parse_transport("172.16.1.254:60000").take();
	relay.responder = Key::random_private().public_key();
	relay.peer_present = true;
	machine.relays_before = machine.relays = { relay };
	return machine;
}

static std::vector<Finding> findings_of(const Machine &machine)
{
	std::vector<Finding> findings;

	for (const auto check :
	     { diagnosis::check_module, diagnosis::check_files, diagnosis::check_interfaces,
	       diagnosis::check_relays, diagnosis::check_firewall }) {
		for (auto &finding : check(machine))
			findings.push_back(std::move(finding));
	}
	return findings;
}

static void assert_healthy(const Machine &machine)
{
	for (const auto &finding : findings_of(machine))
		fail_msg("found: %s: %s", finding.id.c_str(), finding.what.c_str());
}

/* Once, and with these words. */
static void assert_found(const Machine &machine, const char *id, bool is_note = false,
			 const char *remedy = "")
{
	std::string all;
	unsigned int count = 0;

	for (const auto &finding : findings_of(machine)) {
		all += fmt::format("\n{}: {} - {}", finding.id, finding.what, finding.remedy);
		count += finding.id == id && finding.is_note == is_note && !finding.what.empty() &&
			 !finding.remedy.empty() &&
			 finding.remedy.find(remedy) != std::string::npos;
	}
	if (count != 1)
		fail_msg("%u times, not once: %s%s", count, id, all.c_str());
}

static void check_machine()
{
	Machine machine = machine_of();

	assert_healthy(machine);
	machine.unwatched = "Operation not permitted";
	assert_found(machine, "not-watched", true, "tracefs");
	machine = machine_of();
	machine.forwards_v6 = true;
	assert_found(machine, "forwarding", true);
	machine = Machine();
	machine.now = now;
	assert_found(machine, "no-module", false, "modprobe nwg; if");
	machine.has_stock_module = true;
	assert_found(machine, "no-module", false, "modprobe -r wireguard first");
	machine = machine_of();
	machine.broken_files = { usage_error("/etc/nwg/wg1.conf:1: x") };
	assert_found(machine, "file", false, "see nwg.conf(5)");
	/* At boot something else was faster. */
	machine = machine_of();
	machine.files.resize(1);
	machine.files[0].path = "/etc/nwg/wg1.conf";
	machine.files[0].interface = "wg1";
	machine.files[0].relays.resize(1);
	machine.files[0].relays[0].value.listen.port = 60007;
	assert_found(machine, "no-relay", false, "nwgctl reload wg1");
	machine.interfaces[0].link.kind = "wireguard";
	assert_found(machine, "other-kind", false, "ip link del wg1 && nwgctl up wg1");
	/* A file of wg-quick's. */
	machine.files[0].path = "/etc/wireguard/wg1.conf";
	assert_found(machine, "other-kind");
	machine.files[0].relays.clear();
	assert_healthy(machine);
}

/* What was seen while somebody watched, each with its remedy. */
static void check_symptoms()
{
	for (const auto &[reason, id] : { std::pair("WRONG_MAC1", "wrong-public-key"),
					  { "UNKNOWN_PEER", "unknown-peer" },
					  { "OLD_TIMESTAMP", "old-time-stamp" },
					  { "NOT_AUTHENTIC", "not-authentic" },
					  { "NO_PRIVATE_KEY", "no-private-key" },
					  { "NO_PEER", "no-peer-for" },
					  { "NO_ENDPOINT", "no-endpoint" },
					  { "INNER_SOURCE", "inner-source" },
					  { "ROUTING_LOOP", "routing-loop" } }) {
		Machine machine = machine_of();

		machine.interfaces[0].drops[reason] = 2;
		assert_found(machine, id);
		/* A stranger does not hide that the home is dead. */
		machine.interfaces[0].after.peers[0].last_handshake.tv_sec = now - 1000;
		machine.interfaces[0].after.peers[0].tx_bytes += 148;
		assert_found(machine, id);
		assert_found(machine, "no-answer");
	}
}

static void check_peer()
{
	Machine machine = machine_of();
	Peer &before = machine.interfaces[0].before.peers[0];
	Peer &after = machine.interfaces[0].after.peers[0];

	/* Nothing is sent: that may be right. */
	after.last_handshake.tv_sec = now - 1000;
	assert_found(machine, "quiet", true);
	after.tx_bytes += 148;
	assert_found(machine, "no-answer");
	after.rx_bytes += 92;
	assert_healthy(machine);
	after.rx_bytes = before.rx_bytes;
	after.tx_bytes = before.tx_bytes;
	after.keepalive = 25;
	assert_found(machine, "no-answer");
	after.keepalive = 990;
	assert_healthy(machine);
	/* No relay needs it. */
	after.keepalive = 0;
	machine.relays.clear();
	assert_healthy(machine);
	/* It never was there. */
	after.last_handshake.tv_sec = 0;
	assert_found(machine, "no-answer");
	after.tx_bytes = before.tx_bytes = 0;
	assert_healthy(machine);
	machine = machine_of();
	machine.interfaces[0].after.peers[0].endpoint.reset();
	assert_found(machine, "not-dialled-in");
}

/* What is counted for ever, and was wrong once, is no finding. */
static void check_counters()
{
	Machine machine = machine_of();
	netlink::Relay &before = machine.relays_before[0], &relay = machine.relays[0];

	before.forward_drops[NWG_DROP_MAC1] = relay.forward_drops[NWG_DROP_MAC1] = 5;
	before.forward_drops[NWG_DROP_NO_ADDRESS] = relay.forward_drops[NWG_DROP_NO_ADDRESS] = 5;
	assert_healthy(machine);
	relay.forward_drops[NWG_DROP_MAC1]++;
	assert_found(machine, "wrong-responder");
	relay.flows_established = 1;
	assert_healthy(machine);
	relay.forward_drops[NWG_DROP_NO_ADDRESS]++;
	assert_found(machine, "no-address", false, "ip address add ADDR/LENGTH dev wg1");
	relay.source = { NWG_SOURCE_POOL, config::parse_pool("172.16.99.0/30").take() };
	assert_found(machine, "no-address", false,
		     "nwgctl relay set listen 60000 source pool PREFIX");
	relay.listen = config::parse_listen("203.0.113.10%eth0:60000").take();
	assert_found(machine, "no-address", false, "listen 203.0.113.10%eth0:60000 source");
	relay = machine_of().relays[0];
	relay.responder.reset();
	assert_found(machine, "no-responder", false, "listen 60000 responder KEY");
	relay.peer_present = false;
	assert_found(machine, "no-peer", false, "nwgctl relay set listen 60000 peer KEY");
}

/* As Linux on a little-endian machine has them. */
static void check_sockets()
{
	const auto sockets = diagnosis::parse_sockets(
		"   sl  local_address rem_address   st tx_queue\n"
		" 7: 3500007F:0035 00000000:0000 07 00000000:00000000\n"
		" 8: 0A7100CB:EA60 016433C6:0035 01 00000000:00000000\n"
		" 9: 00000000000000000000000000000000:EA61 00000000000000000000000000000000:0000 07 0\n"
		" 10: 0000000000000000FFFF00000A7100CB:0016 0000000000000000FFFF0000016433C6:C350 01 0\n");
	static constexpr const char *wanted[] = { "127.0.0.53 53 0.0.0.0 0 0",
						  "203.0.113.10 60000 198.51.100.1 53 1",
						  ":: 60001 :: 0 0",
						  "203.0.113.10 22 198.51.100.1 50000 1" };

	assert_int_equal(sockets.size(), 4);
	for (std::size_t at = 0; at < sockets.size(); at++) {
		const auto &[local, port, remote, remote_port, connected] = sockets[at];

		assert_string_equal(fmt::format("{} {} {} {} {:d}", local.text(), port,
						remote.text(), remote_port, connected)
					    .c_str(),
				    wanted[at]);
	}
	assert_true(sockets[2].takes(config::parse_listen("203.0.113.10:60001").take()));
	assert_true(sockets[2].takes(config::parse_listen("60001").take()));
	assert_false(sockets[2].takes(config::parse_listen("60000").take()));
	assert_false(sockets[1].takes(config::parse_listen("203.0.113.11:60000").take()));
}

void test_doctor(void **)
{
	check_sockets();
	check_machine();
	check_symptoms();
	check_peer();
	check_counters();
}
