// SPDX-License-Identifier: GPL-2.0
/* Chains that run: what is told of them, and how they are drawn. */
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <arpa/inet.h>

#include "../chain/live.hpp"
#include "../render/chain.hpp"
#include "../render/screen.hpp"
#include "chain.hpp"

extern "C" {
#include <cmocka.h>
}

using namespace nwgctl;
using chain::Live;

static constexpr time_t now = 1000000;

static Transport transport(const char *address, uint16_t port)
{
	return { *Address::from_text(address), port };
}

static Endpoint endpoint(const char *address, uint16_t port)
{
	Endpoint endpoint;
	const auto place = reinterpret_cast<sockaddr_in6 *>(&endpoint.storage);

	place->sin6_family = AF_INET6;
	place->sin6_port = htons(port);
	assert_int_equal(inet_pton(AF_INET6, address, &place->sin6_addr), 1);
	return endpoint;
}

/* One in which all is well. */
static Live live_of()
{
	Live live;
	netlink::Relay relay;
	netlink::Flow flow;
	Peer home;

	live.interface = "wg1";
	live.kind = "nwg";
	live.up = true;
	live.mtu = 1420;
	live.port = 51821;
	live.addresses = { { *Address::from_text("172.16.1.1"), 24 } };
	relay.interface = "wg1";
	relay.listen.port = 51820;
	relay.peer = home.public_key = Key::random_private().public_key();
	relay.to = transport("172.16.1.2", 51820);
	relay.responder = Key::random_private().public_key();
	relay.max_flows = 4096;
	relay.flows_established = 1;
	relay.forward.packets = 1;
	live.relay = relay;
	sockaddr_in at{};
	at.sin_family = AF_INET;
	at.sin_port = htons(41234);
	inet_pton(AF_INET, "198.51.100.200", &at.sin_addr);
	home.endpoint.emplace();
	memcpy(&home.endpoint->storage, &at, sizeof(at));
	home.last_handshake.tv_sec = now - 42;
	home.allowed_ips = { { *Address::from_text("172.16.1.2"), 32 } };
	live.home = home;
	flow.interface = "wg1";
	flow.listen = relay.listen;
	flow.client = transport("192.0.2.2", 51820);
	flow.mapped = transport("172.16.1.1", 1024);
	flow.state = NWG_FLOW_ESTABLISHED;
	flow.reverse_idle = 3000;
	flow.reverse.responses = 1;
	flow.forward.forwarded_bytes = 1234567;
	live.flows = { flow };
	return live;
}

static void assert_trouble(Live live, chain::Part part, bool broken, const char *words,
			   const char *remedy = "")
{
	chain::diagnose(live, now);
	for (const auto &trouble : live.troubles) {
		if (trouble.part == part && trouble.broken == broken && !trouble.remedy.empty() &&
		    trouble.what.find(words) != std::string::npos &&
		    trouble.remedy.find(remedy) != std::string::npos) {
			assert_true(!broken || live.broken(part));
			return;
		}
	}
	fail_msg("not told: %s; %s", words, remedy);
}

static void assert_healthy(Live live)
{
	chain::diagnose(live, now);
	for (const auto &trouble : live.troubles)
		fail_msg("told: %s", trouble.what.c_str());
}

/* A client with nothing but its keepalive, every 25 s, and a new handshake as soon as one is older than 120 s. */
void test_chain_idle(void **)
{
	Live live = live_of();

	for (uint64_t second = 0; second < 145; second++) {
		live.flows[0].reverse_idle = second * 1000;
		live.flows[0].forward_idle = second % 25 * 1000;
		live.home->last_handshake.tv_sec = now - static_cast<time_t>(second);
		assert_healthy(live);
	}
	/* It sends nothing, or does so every two minutes. */
	live.flows[0].forward_idle = live.flows[0].reverse_idle.emplace(500000);
	assert_healthy(live);
	live.flows[0].forward_idle = 5000;
	live.flows[0].reverse_idle = 125000;
	assert_healthy(live);
}

/* What was counted once is no trouble for ever. */
void test_chain_counted(void **)
{
	using chain::Part;
	Live live = live_of();

	live.flows.clear();
	live.relay->flows_established = 0;
	live.relay->forward.forwarded_packets = 1;
	live.relay->forward_drops[NWG_DROP_MAC1] = 1;
	live.relay->forward_drops[NWG_DROP_NO_ADDRESS] = 1;
	assert_healthy(live);
	live.relay->source.kind = NWG_SOURCE_TRANSPARENT;
	live.addresses.clear();
	assert_healthy(live);
	live.relay->source = { NWG_SOURCE_POOL, Prefix{ *Address::from_text("172.16.9.0"), 30 } };
	assert_healthy(live);
	live.flows.assign(2, live_of().flows[0]);
	assert_trouble(live, Part::relay, false, "All addresses of the pool 172.16.9.0/30",
		       "nwgctl relay set listen 51820 source pool");
	live.relay->listen = transport("198.51.100.1", 51820);
	live.relay->source.pool->length = 29;
	assert_healthy(live);
	live.flows.assign(6, live_of().flows[0]);
	assert_trouble(live, Part::relay, false, "All addresses of the pool",
		       "listen 198.51.100.1:51820 source pool");
}

void test_chain_diagnose(void **)
{
	using chain::Part;
	Live live = live_of();

	chain::diagnose(live, now);
	assert_true(live.troubles.empty());
	live.up = false;
	assert_trouble(live, Part::tunnel, true, "wg1 is down");
	live = live_of();
	live.home.reset();
	assert_trouble(live, Part::home, true, "no such peer");
	live = live_of();
	live.home->allowed_ips = { { *Address::from_text("172.16.7.0"), 24 },
				   { *Address::from_text("fd16::"), 64 } };
	assert_trouble(live, Part::home, true, "not in the allowed IPs",
		       "allowed-ips 172.16.7.0/24,fd16::/64,172.16.1.2/32");
	live = live_of();
	live.home->last_handshake.tv_sec = 0;
	assert_trouble(live, Part::tunnel, true, "never dialled in");
	live.home->last_handshake.tv_sec = now - 3700;
	assert_trouble(live, Part::tunnel, true, "last handshake was 1h01m ago");
	live.home->keepalive = 3700;
	assert_healthy(live);
	live.home->last_handshake.tv_sec = now - 3720;
	assert_trouble(live, Part::tunnel, true, "last handshake was 1h02m ago");
	live.home->keepalive = 0;
	live.flows[0].forward_idle = 15000;
	assert_trouble(live, Part::tunnel, false, "last handshake was 1h02m ago");
	live = live_of();
	live.relay->forward.packets = 0;
	assert_trouble(live, Part::clients, false, "has come to UDP port 51820",
		       "let UDP port 51820 in");
	live = live_of();
	live.relay->pressed = true;
	assert_trouble(live, Part::relay, false, "under pressure");
	live = live_of();
	live.relay->max_flows = 1;
	assert_trouble(live, Part::relay, false, "All of the 1 flows", "listen 51820 max-flows");
	live = live_of();
	live.relay->responder.reset();
	assert_trouble(live, Part::relay, false, "No responder key", "listen 51820 responder");
	live.relay->listen = transport("198.51.100.1", 51820);
	assert_trouble(live, Part::relay, false, "No responder key",
		       "listen 198.51.100.1:51820 responder");
	live.relay->listen = { {}, 51820, "eth0" };
	assert_trouble(live, Part::relay, false, "No responder key",
		       "listen %eth0:51820 responder");
	live = live_of();
	live.flows.clear();
	live.relay->flows_established = 0;
	live.relay->forward_drops[NWG_DROP_MAC1] = 7;
	assert_trouble(live, Part::relay, false, "7 handshakes for another key");
	live.relay->forward_drops[NWG_DROP_NO_ADDRESS] = 1;
	assert_healthy([&live] {
		auto other = live;

		other.relay->forward_drops[NWG_DROP_MAC1] = 0;
		return other;
	}());
	live.addresses = { { *Address::from_text("fd16::1"), 64 } };
	assert_trouble(live, Part::tunnel, true, "no IPv4 address to send from");
	live = live_of();
	live.flows[0].state = NWG_FLOW_NEW;
	live.flows[0].reverse.responses = 0;
	assert_trouble(live, Part::home, true, "does not answer 1 client's");
	live.flows.push_back(live_of().flows[0]);
	assert_trouble(live, Part::home, false, "does not answer 1 client's");
	live = live_of();
	live.flows[0].reverse_idle = 190001;
	assert_trouble(live, Part::home, true, "fallen silent to 1 client that sends");
	live = live_of();
	live.flows[0].mtu = 1360;
	assert_trouble(live, Part::clients, false, "1 client has larger packets");
	live = live_of();
	live.relay.reset();
	live.home.reset();
	live.flows.clear();
	assert_trouble(live, Part::relay, true, "wg1 has no relay");
}

/* No line is wider; and nothing but ASCII where that is wanted. */
static void assert_fits(const std::string &text, std::size_t columns, bool utf8)
{
	std::size_t start = 0;

	while (start < text.size()) {
		const std::size_t end = text.find('\n', start);

		assert_true(end != text.npos);
		const auto line = text.substr(start, end - start);
		if (render::text_columns(line) > columns)
			fail_msg("wider than %zu: %s", columns, line.c_str());
		for (const char character : line)
			assert_true(utf8 || (character >= ' ' && character <= '~'));
		start = end + 1;
	}
}

void test_chain_picture(void **)
{
	std::vector<Live> lives(4, live_of());

	/* Addresses that are as long as they get. */
	lives[1].relay->to = transport("fd16:1234:5678:9abc:def0:1234:5678:9abc", 51820);
	lives[1].home->endpoint = endpoint("2001:db8:1234:5678:9abc:def0:1234:5678", 41234);
	lives[1].flows[0].client = transport("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", 51820);
	lives[1].flows[0].mapped = transport("fd16:1234:5678:9abc:def0:1234:5678:9abd", 51820);
	lives[1].flows[0].mtu = 1340;
	lives[2].home->last_handshake.tv_sec = 0;
	lives[2].home->endpoint.reset();
	lives[2].interface = "a-longer-name-1";
	lives[2].flows.assign(20, lives[2].flows[0]);
	lives[3].relay.reset();
	lives[3].home.reset();
	lives[3].flows.clear();
	for (auto &live : lives) {
		chain::diagnose(live, now);
		for (const std::size_t columns : { 80u, 120u }) {
			for (const bool utf8 : { true, false }) {
				const auto text = render::chain_text(
					live, { columns, utf8, render::Palette(false), now });

				assert_fits(text, columns, utf8);
				if (getenv("SHOW"))
					printf("%s\n", text.c_str());
			}
		}
		const auto json = render::chain_json(live);
		assert_int_equal(json["troubles"].size(), live.troubles.size());
	}
	/* The edges of the boxes are one below the other. */
	for (const auto &live : lives) {
		const auto text =
			render::chain_text(live, { 120, false, render::Palette(false), now });
		const auto first = text.substr(0, text.find('\n'));
		const auto second = text.substr(first.size() + 1, first.size());

		assert_int_equal(text.find('\n', first.size() + 1), 2 * first.size() + 1);
		for (std::size_t at = 0; at < first.size(); at++)
			assert_int_equal(first[at] == '+', second[at] == '|');
	}
	const auto good = render::chain_text(lives[0], { 80, true, render::Palette(false), now });
	assert_true(good.find("✓") != good.npos && good.find("✗") == good.npos);
	/* What nobody has tried is not said to be good. */
	Live untried = live_of();
	untried.relay->forward.packets = 0;
	for (const std::size_t columns : { 80u, 120u }) {
		const auto text =
			render::chain_text(untried, { columns, true, render::Palette(false), now });
		assert_int_equal(text.find("✓"), text.rfind("✓"));
		assert_true(text.find("✓") != text.npos && text.find("!") != text.npos);
	}
	/* Nor is a terminal told anything by a name. */
	untried.interface = "w\x1b[2J\x7f";
	untried.up = false;
	untried.flows.assign(20, untried.flows[0]);
	chain::diagnose(untried, now);
	for (const std::size_t columns : { 80u, 120u })
		assert_fits(render::chain_text(untried,
					       { columns, false, render::Palette(false), now }),
			    columns, false);
	const auto bad = render::chain_text(lives[2], { 80, true, render::Palette(false), now });
	assert_true(bad.find("✗") != bad.npos && bad.find("and 12 more") != bad.npos);
	/* Colours take no columns. */
	const auto colored = render::chain_text(lives[2], { 80, true, render::Palette(true), now });
	assert_true(colored.find("\x1b[31m") != colored.npos);
}
