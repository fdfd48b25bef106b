// SPDX-License-Identifier: GPL-2.0
#include "migration.hpp"

#include <algorithm>
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "../config/value.hpp"
#include "../migration/file.hpp"
#include "../migration/hooks.hpp"
#include "../migration/plan.hpp"
#include "../migration/steps.hpp"
#include "../ruleset/iptables.hpp"
#include "../ruleset/nft.hpp"

/* Last: it has macros such as fail(), and no extern "C" of its own. */
extern "C" {
#include <cmocka.h>
}

using namespace nwgctl;
using namespace nwgctl::migration;

static const std::string home_text = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
static const std::string other_text = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=";

static const std::string dnat = "-A PREROUTING -i eth0 -p udp -m udp --dport 60000 -j DNAT "
				"--to-destination 172.16.1.254:60000\n";
static const std::string masquerade = "-A POSTROUTING -o wg1 -j MASQUERADE\n";

static void assert_text(const std::string &got, const std::string &wanted)
{
	assert_string_equal(got.c_str(), wanted.c_str());
}

static Prefix prefix(const char *address, uint8_t length)
{
	return { *Address::from_text(address), length };
}

/* A vps with these rules in iptables' table nat, and in its table filter. */
static Machine vps(const std::string &nat, const std::string &filter = {},
		   const char *program = "iptables")
{
	Machine machine;

	machine.device.name = "wg1";
	machine.device.listen_port = 60100;
	machine.device.peers.resize(1);
	machine.device.peers[0].public_key = *Key::from_base64(home_text);
	machine.device.peers[0].allowed_ips = { prefix("172.16.1.254", 32), prefix("fd16::", 64) };
	machine.addresses = { prefix("172.16.1.1", 24), prefix("fd16::1", 64) };
	machine.local = { prefix("203.0.113.10", 24), prefix("172.17.0.1", 16),
			  prefix("192.168.122.1", 24) };
	machine.ruleset = ruleset::parse_iptables_save(
		"*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n" +
			nat + "COMMIT\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n" +
			filter + "COMMIT\n",
		program);
	resolve_jumps(machine.ruleset);
	return machine;
}

/* "LISTEN TO SOURCE;" of each relay, and how many rules go, stay, and are to be minded; what needs forwarding. */
static std::string planned(const Machine &machine)
{
	const auto plan = make_plan(machine);
	std::string text;

	for (const auto &[relay, rules] : plan.relays)
		text += fmt::format("{} {} {};", relay.listen.text(), relay.to->text(),
				    relay.source->text());
	return text + fmt::format(" {} go, {} left, {} minded, {} forwarded", plan.gone.size(),
				  plan.left.size(), plan.changes.size(), plan.forwarding.size());
}

void test_migrate_plan(void **)
{
	/* To be minded: IPv6. */
	assert_text(
		planned(vps(dnat + masquerade)),
		"*%eth0:60000 172.16.1.254:60000 masquerade; 2 go, 0 left, 1 minded, 0 forwarded");
	assert_text(
		planned(vps(dnat)),
		"*%eth0:60000 172.16.1.254:60000 transparent; 1 go, 0 left, 1 minded, 0 forwarded");
	assert_text(
		planned(vps("-A POSTROUTING -d 172.16.1.254/32 -o wg1 -j ACCEPT\n" + dnat +
			    masquerade)),
		"*%eth0:60000 172.16.1.254:60000 transparent; 2 go, 0 left, 1 minded, 0 forwarded");
	assert_text(
		planned(vps("-A PREROUTING ! -i wg1 -d 203.0.113.10/32 -p udp -m multiport --dports "
			    "60000,60001 -j DNAT --to-destination 172.16.1.254\n" +
			    masquerade)),
		"203.0.113.10:60000 172.16.1.254:60000 masquerade;"
		"203.0.113.10:60001 172.16.1.254:60001 masquerade; 2 go, 0 left, 0 minded, 0 forwarded");
	/* The home sees another address. */
	assert_text(
		planned(vps(dnat + "-A POSTROUTING -o wg1 -j SNAT --to-source 10.9.9.9\n")),
		"*%eth0:60000 172.16.1.254:60000 masquerade; 2 go, 0 left, 2 minded, 0 forwarded");
	assert_text(
		planned(vps(dnat + "-A POSTROUTING -o wg1 -j SNAT --to-source 172.16.1.1\n")),
		"*%eth0:60000 172.16.1.254:60000 masquerade; 2 go, 0 left, 1 minded, 0 forwarded");
	/* The same rule twice goes twice. */
	assert_text(
		planned(vps(dnat + dnat + masquerade)),
		"*%eth0:60000 172.16.1.254:60000 masquerade; 3 go, 0 left, 1 minded, 0 forwarded");
	/* What goes with it, and what does not. */
	assert_text(
		planned(vps(dnat + masquerade,
			    "-A FORWARD -i eth0 -o wg1 -p udp -m udp --dport 60000 -j ACCEPT\n"
			    "-A FORWARD -i wg1 -j ACCEPT\n"
			    "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
			    "-A FORWARD -i eth0 -o eth1 -j ACCEPT\n")),
		"*%eth0:60000 172.16.1.254:60000 masquerade; 2 go, 2 left, 1 minded, 1 forwarded");
	/* What kept some out: that is said. */
	assert_text(
		planned(vps(dnat + masquerade,
			    "-A FORWARD -s 198.51.100.0/24 -p udp -m udp --dport 60000 -j ACCEPT\n"
			    "-A FORWARD -s 192.0.2.7/32 -j DROP\n")),
		"*%eth0:60000 172.16.1.254:60000 masquerade; 1 go, 1 left, 3 minded, 1 forwarded");
	assert_text(
		planned(vps(dnat + masquerade, ":x - [0:0]\n-A INPUT -j x\n-A FORWARD -j x\n"
					       "-A x -s 192.0.2.7/32 -j DROP\n")),
		"*%eth0:60000 172.16.1.254:60000 masquerade; 2 go, 0 left, 2 minded, 0 forwarded");
	assert_text(
		planned(vps("-A PREROUTING -p udp -m udp --dport 60000 -j DNAT --to-destination "
			    "[fd16::254]:60000\n" +
				    masquerade,
			    {}, "ip6tables")),
		"*:60000 [fd16::254]:60000 masquerade; 2 go, 0 left, 0 minded, 0 forwarded");
	/* A chain of its own. */
	assert_text(
		planned(vps(":relay - [0:0]\n-A PREROUTING -i eth0 -j relay\n-A relay -p udp -m udp "
			    "--dport 60000 -j DNAT --to-destination 172.16.1.254:60000\n" +
			    masquerade)),
		"*%eth0:60000 172.16.1.254:60000 masquerade; 2 go, 0 left, 1 minded, 0 forwarded");
	Machine two = vps(dnat + masquerade);
	two.device.peers.resize(2);
	two.device.peers[1].public_key = *Key::from_base64(other_text);
	two.device.peers[1].allowed_ips = { prefix("172.16.0.0", 16) };
	assert_text(make_plan(two).relays[0].relay.peer->base64(), home_text);
	assert_int_equal(make_plan(two).forwarding.size(), 2);
	two.device.peers[1].allowed_ips = { prefix("172.16.1.254", 32) };
	two.device.peers[0].allowed_ips = { prefix("172.16.1.0", 24) };
	assert_text(make_plan(two).relays[0].relay.peer->base64(), other_text);
}

/* Why a rule is not carried over. */
static std::string why(const std::string &rule)
{
	Machine machine = vps(rule);

	machine.others = { Device() };
	machine.others[0].name = "wg2";
	machine.others[0].peers = { Peer() };
	machine.others[0].peers[0].allowed_ips = { prefix("10.2.0.0", 16) };
	machine.sockets = { diagnosis::Socket() };
	machine.sockets[0].port = 53;
	const auto plan = make_plan(machine);
	if (!plan.relays.empty() || plan.left.empty() || !plan.gone.empty() ||
	    plan.left[0].remedy.empty())
		return "?";
	return plan.left[0].reason;
}

void test_migrate_left(void **)
{
	const std::string start = "-A PREROUTING -p udp -m udp --dport ";
	const std::string to = " -j DNAT --to-destination 172.16.1.254:60000\n";
	static const char *const wanted[][2] = {
		{ "1:9", "it is for a range of ports, 1 to 9, and a relay has one" },
		{ "53", "UDP port 53 has a socket, and a relay wants it for itself" },
		{ "60100", "UDP port 60100 has a socket, and a relay wants it for itself" },
		{ "1 -s 192.0.2.0/24",
		  "it is limited by -s 192.0.2.0/24, which a relay cannot be" },
		{ "1 ! -i eth1", "it is for all interfaces but eth1" },
		{ "1 -d 203.0.113.11/32",
		  "203.0.113.11 is not an address of this machine, and a relay "
		  "takes what is for those" },
	};

	for (const auto &[match, reason] : wanted)
		assert_text(why(start + match + to), reason);
	assert_text(why("-A PREROUTING -p udp" + to), "it is for all ports, and a relay has one");
	assert_text(why("-A PREROUTING -p tcp -m tcp --dport 80" + to),
		    "it translates tcp, and a relay is for WireGuard, which is UDP");
	assert_text(why("-A PREROUTING" + to),
		    "it translates all protocols, and a relay is for WireGuard, which is UDP");
	assert_text(why("-A OUTPUT -p udp -m udp --dport 1" + to),
		    "it is for what this machine sends itself");
	assert_text(why(":x - [0:0]\n-A x -p udp -m udp --dport 1" + to),
		    "nothing jumps to its chain");
	assert_text(why(":x - [0:0]\n-A PREROUTING -i eth0 -j x\n-A PREROUTING -j x\n"
			"-A x -p udp -m udp --dport 1" +
			to),
		    "several rules jump to its chain, and who comes there is not known here");
	assert_text(why(":x - [0:0]\n-A OUTPUT -j x\n-A PREROUTING -j x\n"
			"-A x -p udp -m udp --dport 1" +
			to),
		    "several rules jump to its chain, and who comes there is not known here");
	assert_text(why(start + "1 -j DNAT --to-destination 10.2.3.4:5\n"),
		    "10.2.3.4 is behind another interface, wg2");
	assert_text(why(start + "1 -j DNAT --to-destination 172.16.1.7:5\n"),
		    "no peer of wg1 has 172.16.1.7 in its allowed IPs");
	assert_text(
		why(start + "1 -j DNAT --to-destination 172.17.0.2:5\n"),
		"it leads to another interface: no WireGuard peer has 172.17.0.2 in its allowed IPs");
	assert_text(why(start + "1 -j DNAT --to-destination 172.16.1.254:1-9\n"),
		    "it leads to 172.16.1.254:1-9, which is no single address");
	assert_text(why("-A PREROUTING -i eth0 -j NETMAP --to 172.16.1.0/24\n"),
		    "what it does is not known here");
	assert_text(
		why(start + "1 -j ACCEPT\n" + start + "1" + to),
		"another rule comes before it, which may have these packets: -p udp -m udp --dport 1 "
		"-j ACCEPT");
	/* Allowed IPs are wide, and part of them is elsewhere. */
	Machine wide = vps(start + "1 -j DNAT --to-destination 10.0.3.2:5\n");
	wide.device.peers[0].allowed_ips.push_back(prefix("10.0.0.0", 8));
	assert_int_equal(make_plan(wide).relays.size(), 1);
	wide.ways[*Address::from_text("10.0.3.2")] = "lxcbr0";
	assert_text(make_plan(wide).left[0].reason,
		    "10.0.3.2 is reached by another interface, lxcbr0");
	wide.ways[*Address::from_text("10.0.3.2")] = "";
	assert_text(make_plan(wide).left[0].reason, "there is no route to 10.0.3.2");
	assert_int_equal(make_plan(wide).relays.size(), 0);
	/* Several ports, of which one is taken: all of it stays, and the other has its relay. */
	const auto plan = make_plan(vps("-A PREROUTING -p udp -m multiport --dports 1,60100" + to));
	assert_int_equal(plan.relays.size(), 1);
	assert_int_equal(plan.gone.size(), 0);
	assert_int_equal(plan.left.size(), 1);
}

/* A vps with rules of both families. */
static Machine both(const std::string &nat4, const std::string &nat6)
{
	Machine machine = vps(nat4);
	const auto six = vps(nat6, {}, "ip6tables").ruleset;

	std::ranges::copy(six.chains, std::back_inserter(machine.ruleset.chains));
	std::ranges::copy(six.rules, std::back_inserter(machine.ruleset.rules));
	return machine;
}

/* Of two that the kernel does not let be both. */
void test_migrate_conflicts(void **)
{
	const std::string start = "-A PREROUTING -p udp -m udp --dport 60000 ",
			  to = "-j DNAT --to-destination 172.16.1.254:60000\n",
			  to6 = "-j DNAT --to-destination [fd16::254]:60000\n";
	const std::string relay = " 172.16.1.254:60000 transparent; ";

	/* An address, and all of them. */
	assert_text(planned(both(start + "-d 203.0.113.10/32 " + to, start + to6)),
		    "203.0.113.10:60000" + relay + "1 go, 1 left, 1 minded, 1 forwarded");
	/* An interface, and all of them. */
	assert_text(planned(vps(start + "-i eth0 " + to + start + to)),
		    "*%eth0:60000" + relay + "1 go, 1 left, 1 minded, 1 forwarded");
	/* These are apart. */
	assert_text(planned(vps(start + "-i eth0 " + to + start + "-i eth1 " + to)),
		    "*%eth0:60000 172.16.1.254:60000 transparent;*%eth1:60000" + relay +
			    "2 go, 0 left, 2 minded, 0 forwarded");
	Machine machine = vps(start + "-i eth0 " + to);
	machine.relays.resize(1);
	machine.relays[0].listen.port = 60000;
	assert_text(make_plan(machine).left[0].reason, "there is a relay on *:60000 already");
	machine.relays[0].listen.interface = "eth1";
	assert_int_equal(make_plan(machine).left.size(), 0);
}

/* Rules of both families for one port: a relay leads all clients to one place. */
void test_migrate_families(void **)
{
	const std::string start = "-A PREROUTING -p udp -m udp --dport 60000 -j DNAT "
				  "--to-destination ",
			  four = start + "172.16.1.254:60000\n";
	const std::string relay = "*:60000 172.16.1.254:60000 ";

	/* To be minded: IPv6, and that it is another address. */
	assert_text(planned(both(four + masquerade, start + "[fd16::254]:60000\n" + masquerade)),
		    relay + "masquerade; 4 go, 0 left, 2 minded, 0 forwarded");
	/* Another WireGuard. */
	assert_text(planned(both(four + masquerade, start + "[fd16::254]:60001\n")),
		    relay + "masquerade; 2 go, 1 left, 1 minded, 1 forwarded");
	/* A home of IPv4 has no clients of IPv6 that it would know by their address. */
	assert_text(planned(both(four, start + "[fd16::254]:60000\n")),
		    relay + "transparent; 1 go, 1 left, 1 minded, 1 forwarded");
}

/* A rule for what a relay leads to goes, unless something that stays needs it. */
void test_migrate_companions(void **)
{
	const std::string start = "-A PREROUTING -p udp -m udp --dport ",
			  to = " -j DNAT --to-destination 172.16.1.254:60000\n",
			  forward = "-A FORWARD -o wg1 -p udp -m udp --dport 60000 -j ACCEPT\n";
	const auto reason = [](const Machine &machine) {
		const auto plan = make_plan(machine);

		assert_int_equal(plan.gone.size(), 1);
		assert_int_equal(plan.relays.size(), 1);
		return plan.left.empty() ? "" : plan.left.back().reason;
	};

	/* From another port to the same, for some clients only. */
	assert_text(
		reason(vps(dnat + start + "60005 -s 192.0.2.0/24" + to, forward)),
		"what stays needs it: iptables -t nat -A PREROUTING -p udp -m udp --dport 60005 "
		"-s 192.0.2.0/24 -j DNAT --to-destination 172.16.1.254:60000");
	/* A range, which has it among others. */
	assert_text(reason(vps(dnat + start + "59000:61000 -j DNAT --to-destination 172.16.1.254\n",
			       forward))
			    .substr(0, 19),
		    "what stays needs it");
	/* All that is for another address. */
	assert_text(reason(vps(dnat + "-A PREROUTING -d 203.0.113.10/32 -j DNAT --to-destination "
				      "172.16.1.254\n",
			       forward))
			    .substr(0, 19),
		    "what stays needs it");
	/* What is no UDP, and what leads elsewhere. */
	assert_int_equal(
		make_plan(vps(dnat + "-A PREROUTING -p tcp -m tcp --dport 60000" + to, forward))
			.gone.size(),
		2);
	assert_int_equal(
		make_plan(vps(dnat + start + "60005 -j DNAT --to-destination 10.9.9.9:60000\n",
			      forward))
			.gone.size(),
		2);
	assert_text(reason(vps(dnat,
			       "-A FORWARD -o wg1 -p udp -m multiport --dports 60000,60005 -j "
			       "ACCEPT\n")),
		    "it is for other ports, too");
	assert_text(reason(vps(dnat,
			       "-A FORWARD -o wg1 -p udp -m udp --dport 60000:60001 -j ACCEPT\n")),
		    "it is for other ports, too");
}

/* What comes by another interface than the relay's clients is somebody else's. */
void test_migrate_sides(void **)
{
	const std::string any = "-A PREROUTING -p udp -m udp --dport 60000 -j DNAT "
				"--to-destination 172.16.1.254:60000\n",
			  here = "-A PREROUTING -d 203.0.113.10/32 -p udp -m udp --dport 60000 -j "
				 "DNAT --to-destination 172.16.1.254:60000\n",
			  narrow = " -p udp -m udp --dport 60000";
	const auto from = [](const std::string &nat, const std::string &interface,
			     const std::string &ports = {}) {
		Machine machine = vps(nat + masquerade, "-A FORWARD -i " + interface + " -o wg1" +
								ports + " -j ACCEPT\n");

		machine.networks = { { prefix("0.0.0.0", 0), "eth0" },
				     { prefix("203.0.113.0", 24), "eth1" },
				     { prefix("203.0.113.0", 28), "wg1" },
				     { prefix("10.8.0.0", 24), "tun0" } };
		const auto plan = make_plan(machine);
		return fmt::format("{} go, {} left{}", plan.gone.size(), plan.left.size(),
				   plan.needless().v4 ? ", and forwarding" : "");
	};
	const std::string all = "3 go, 0 left, and forwarding", one = "1 go, 1 left";

	assert_text(from(dnat, "eth0"), all);
	assert_text(from(dnat, "eth0", narrow), all);
	assert_text(from(dnat, "eth0", narrow + " -m conntrack --ctstate NEW"), all);
	assert_text(from(dnat, "tun0"), one);
	assert_text(from(dnat, "tun0", narrow), one);
	assert_text(from(dnat, "eth0", narrow + " -s 10.8.0.0/24"), one);
	/* Those of all interfaces come by the default route, those to an address where that is. */
	assert_text(from(any, "eth0"), all);
	assert_text(from(any, "eth1"), one);
	assert_text(from(here, "eth1"), all);
	assert_text(from(here, "eth0"), one);
	assert_text(from(any, "tun0", narrow), one);
	/* A chain for several. */
	assert_text(planned(vps(dnat, ":x - [0:0]\n-A FORWARD -i eth0 -j x\n"
				      "-A FORWARD -i tun0 -j x\n"
				      "-A x -o wg1 -p udp -m udp --dport 60000 -j ACCEPT\n")),
		    "*%eth0:60000 172.16.1.254:60000 transparent; 1 go, 0 left, 2 minded, "
		    "1 forwarded");
}

/* Of which family forwarding is needless: "4", "6", both or none; and what needs it. */
static std::string needless(const Machine &machine)
{
	const auto plan = make_plan(machine);
	const auto [v4, v6] = plan.needless();
	std::string text = fmt::format("{}{}", v4 ? "4" : "", v6 ? "6" : "");

	for (const auto &user : plan.forwarding)
		text += fmt::format("; {}: {}{}", user.what, user.families.v4 ? "4" : "",
				    user.families.v6 ? "6" : "");
	return text;
}

void test_migrate_forwarding(void **)
{
	const std::string to6 = "-A PREROUTING -p udp -m udp --dport 60001 -j DNAT "
				"--to-destination [fd16::254]:60000\n";
	const auto with_peer = [](const char *address, uint8_t length) {
		Machine machine = vps(dnat);

		machine.device.peers[0].allowed_ips.push_back(prefix(address, length));
		return machine;
	};

	assert_text(needless(vps(dnat)), "4");
	assert_text(needless(vps(to6, {}, "ip6tables")), "6");
	assert_text(needless(both(dnat, to6)), "46");
	/* What is behind a peer is reached by forwarding, and only that family. */
	assert_text(needless(with_peer("2001:db8:5::", 48)),
		    "4; 2001:db8:5::/48, which is behind a peer of wg1: 6");
	assert_text(needless(with_peer("192.168.88.0", 24)),
		    "; 192.168.88.0/24, which is behind a peer of wg1: 4");
	assert_text(needless(with_peer("0.0.0.0", 0)),
		    "; 0.0.0.0/0, which is behind a peer of wg1: 4");
	/* Of a tunnel that has no network, the home has one address, to which the relay leads. */
	Machine narrow = vps(dnat);
	narrow.addresses = { prefix("172.16.1.1", 32) };
	narrow.device.peers[0].allowed_ips = { prefix("172.16.1.254", 32) };
	assert_text(needless(narrow), "4");
	/* Answers alone need nothing; what asks does. */
	const std::string answers = "-A FORWARD -i wg1 -o eth0 -m conntrack --ctstate "
				    "RELATED,ESTABLISHED -j ACCEPT\n";
	assert_text(needless(vps(dnat, answers)), "4");
	assert_text(needless(vps(dnat, answers + "-A FORWARD -i wg1 -o eth0 -j ACCEPT\n")),
		    "; iptables -t filter -A FORWARD -i wg1 -o eth0 -j ACCEPT: 4");
	assert_text(needless(vps(dnat, "-A FORWARD -i wg1 -o eth0 -m conntrack --ctstate NEW -j "
				       "ACCEPT\n")),
		    "; iptables -t filter -A FORWARD -i wg1 -o eth0 -m conntrack --ctstate NEW -j "
		    "ACCEPT: 4");
}

/* A vps with a relay for IPv4, and a rule of nft in a forward chain. */
static Machine with_nft(const std::string &expressions)
{
	Machine machine = vps(dnat);
	const auto nft = ruleset::parse_nft(
		fmt::format(R"({{"nftables":[{{"chain":{{"family":"inet","table":"t","name":"f",)"
			    R"("type":"filter","hook":"forward","prio":0,"policy":"drop"}}}},)"
			    R"({{"rule":{{"family":"inet","table":"t","chain":"f","handle":1,)"
			    R"("expr":[{}]}}}}]}})",
			    expressions),
		"");

	std::ranges::copy(nft.value().chains, std::back_inserter(machine.ruleset.chains));
	std::ranges::copy(nft.value().rules, std::back_inserter(machine.ruleset.rules));
	resolve_jumps(machine.ruleset);
	return machine;
}

static std::string by_meta(const char *key, const char *right)
{
	return fmt::format(R"({{"match":{{"op":"==","left":{{"meta":{{"key":"{}"}}}},)"
			   R"("right":{}}}}},{{"accept":null}})",
			   key, right);
}

static std::string by_map(const char *key, const char *data)
{
	return fmt::format(R"({{"vmap":{{"key":{},"data":{}}}}})", key, data);
}

/* Whoever may be forwarded, and by whichever rule. */
void test_migrate_users(void **)
{
	const auto is_needed = [](const Machine &machine) {
		const auto plan = make_plan(machine);

		assert_int_equal(plan.relays.size(), 1);
		return !plan.needless().v4;
	};
	const auto state = R"({"ct":{"key":"state"}})", in = R"({"meta":{"key":"iifname"}})";

	for (const char *rule :
	     { "-s 10.8.0.0/24 -d 10.9.0.0/24", "-i tun+", "-o tun+", "! -i eth0",
	       "-p tcp -m tcp --dport 443", "-s 10.8.0.0/24 -m conntrack --ctstate NEW",
	       "-m set --match-set friends src", "-p gre -s 10.8.0.0/24" })
		assert_true(is_needed(vps(dnat, fmt::format("-A FORWARD {} -j ACCEPT\n", rule))));
	for (const char *rule : { "-j ACCEPT", "-p icmp -s 10.8.0.0/24 -j ACCEPT",
				  "-i lo -j ACCEPT", "-m conntrack --ctstate NEW -j ACCEPT",
				  "-p udp -m udp --dport 60000 -j ACCEPT", "-i tun0 -j DROP" })
		assert_false(is_needed(vps(dnat, fmt::format("-A FORWARD {}\n", rule))));
	assert_true(is_needed(vps(dnat, ":x - [0:0]\n-A INPUT -j x\n-A FORWARD -j x\n"
					"-A x -i tun0 -o eth0 -j ACCEPT\n")));
	assert_true(is_needed(vps(dnat + "-A POSTROUTING -o tun0 -j NETMAP --to 10.0.0.0/24\n")));
	assert_false(is_needed(vps(dnat + "-A POSTROUTING -o tun0 -j LOG\n")));
	assert_true(is_needed(with_nft(by_meta("iifname", R"({"set":["tun0","tun1"]})"))));
	assert_false(is_needed(with_nft(by_meta("l4proto", R"({"set":["icmp","ipv6-icmp"]})"))));
	assert_true(is_needed(with_nft(by_meta("l4proto", R"({"set":["icmp","esp","gre"]})"))));
	assert_true(is_needed(
		with_nft(by_map(R"({"meta":{"key":"l4proto"}})",
				R"({"set":[["icmp",{"accept":null}],["esp",{"accept":null}]]})"))));
	assert_true(is_needed(with_nft(by_map(in, R"({"set":[["tun2",{"accept":null}]]})"))));
	assert_true(is_needed(with_nft(by_map(in, R"("@ways")"))));
	assert_false(is_needed(with_nft(by_map(in, R"({"set":[["tun2",{"drop":null}]]})"))));
	assert_false(
		is_needed(with_nft(by_map(state, R"({"set":[["established",{"accept":null}]]})"))));
	assert_false(is_needed(with_nft(
		R"({"match":{"op":"in","left":{"ct":{"key":"status"}},"right":"dnat"}},{"accept":null})")));
	/* Where no rule has to let anybody through, it is the networks behind this machine. */
	const auto routed = [&](const Prefix &network, const char *interface, bool drops = false) {
		Machine machine = vps(dnat);

		for (auto &chain : machine.ruleset.chains)
			chain.drops = drops;
		machine.networks = { { prefix("0.0.0.0", 0), "eth0" },
				     { prefix("0.0.0.0", 0), "eth1" },
				     { network, interface } };
		return needless(machine);
	};
	assert_text(routed(prefix("10.8.0.0", 24), "tun0"),
		    "; 10.8.0.0/24, which is behind tun0: 4");
	assert_text(routed(prefix("2001:db8:7::", 64), "tun0"),
		    "4; 2001:db8:7::/64, which is behind tun0: 6");
	assert_text(routed(prefix("10.8.0.0", 24), "tun0", true), "4");
	assert_text(routed(prefix("fe80::", 64), "tun0"), "4");
	for (const char *interface : { "eth0", "eth1", "wg1", "lo" })
		assert_text(routed(prefix("10.8.0.0", 24), interface), "4");
	/* Nor where one lets them through whichever interface they come in by, though it were for the relays. */
	const auto by_any = [](Machine machine) {
		machine.networks = { { prefix("0.0.0.0", 0), "eth0" },
				     { prefix("10.8.0.0", 24), "tun0" } };
		const auto plan = make_plan(machine);

		return fmt::format("{} go{}", plan.gone.size(),
				   plan.needless().v4 ? ", and forwarding" : "");
	};
	const std::string known =
		"-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";
	assert_text(by_any(vps(dnat + masquerade, known)), "2 go, and forwarding");
	assert_text(by_any(vps(dnat + masquerade, known + "-A FORWARD -p icmp -j ACCEPT\n")),
		    "2 go, and forwarding");
	assert_text(by_any(vps(dnat + masquerade, known + "-A FORWARD -i eth0 -o wg1 -j ACCEPT\n")),
		    "3 go, and forwarding");
	assert_text(by_any(vps(dnat + masquerade, known + "-A FORWARD -o wg1 -j ACCEPT\n")),
		    "1 go");
	for (const char *rule : { "-j ACCEPT", "-p tcp -j ACCEPT", "-j NFQUEUE --queue-num 0",
				  "-m conntrack --ctstate NEW -j ACCEPT", "-i wg1 -j ACCEPT" })
		assert_text(by_any(vps(dnat, fmt::format("{}-A FORWARD {}\n", known, rule))),
			    "1 go");
	assert_text(by_any(with_nft(R"({"match":{"op":"in","left":{"ct":{"key":"state"}},)"
				    R"("right":["new"]}},{"accept":null})")),
		    "1 go");
	assert_text(by_any(with_nft(by_map(state, R"({"set":[["new",{"accept":null}]]})"))),
		    "1 go");
	assert_text(by_any(with_nft(R"({"queue":{"num":0}})")), "1 go");
	assert_text(by_any(with_nft(by_meta("iifname", R"("eth0")"))), "1 go");
	/* A network that the home is in is one, too; and half of all addresses makes no uplink. */
	Machine edge = vps(dnat);
	for (auto &chain : edge.ruleset.chains)
		chain.drops = false;
	edge.device.peers[0].endpoint = config::parse_endpoint("198.51.100.2:41234").take();
	edge.networks = { { prefix("0.0.0.0", 0), "eth0" },
			  { prefix("198.51.100.0", 24), "eth1" } };
	assert_text(needless(edge), "; 198.51.100.0/24, which is behind eth1: 4");
	edge.networks = { { prefix("0.0.0.0", 0), "eth0" },
			  { prefix("0.0.0.0", 1), "tun0" },
			  { prefix("203.0.113.0", 24), "eth0" } };
	assert_text(needless(edge), "; 0.0.0.0/1, which is behind tun0: 4");
}

/* Of a socket it matters which address has the port. */
void test_migrate_sockets(void **)
{
	const auto with = [](const char *match, const char *local, bool connected = false) {
		Machine machine = vps(std::string("-A PREROUTING -p udp -m udp --dport 53 ") +
				      match + " -j DNAT --to-destination 172.16.1.254:60000\n");

		machine.sockets = { { .local = *Address::from_text(local),
				      .port = 53,
				      .remote = {},
				      .remote_port = 0,
				      .connected = connected } };
		return planned(machine);
	};
	const std::string here = "203.0.113.10:53 172.16.1.254:60000 transparent; 1 go, 0 left, ",
			  all = "*:53 172.16.1.254:60000 transparent; 1 go, 0 left, ",
			  none = " 0 go, 1 left, 0 minded, 1 forwarded";

	assert_text(with("-d 203.0.113.10/32", "127.0.0.53"), here + "1 minded, 0 forwarded");
	assert_text(with("-d 203.0.113.10/32", "203.0.113.10"), none);
	assert_text(with("-d 203.0.113.10/32", "0.0.0.0"), none);
	assert_text(with("-d 203.0.113.10/32", "::"), none);
	assert_text(with("", "127.0.0.53"), none);
	/* A query of somebody's. */
	assert_text(with("", "203.0.113.10", true), all + "2 minded, 0 forwarded");
	assert_text(with("-d 203.0.113.10/32", "198.51.100.1", true),
		    here + "1 minded, 0 forwarded");
}

/* Who masquerades: rules of Docker and libvirt are for their own networks. */
void test_migrate_masquerade(void **)
{
	const std::string docker = "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\n",
			  libvirt = "-A POSTROUTING -s 192.168.122.0/24 -d 224.0.0.0/24 -j RETURN\n"
				    "-A POSTROUTING -s 192.168.122.0/24 ! -d 192.168.122.0/24 -j "
				    "MASQUERADE\n",
			  limited = "-A POSTROUTING -m mark --mark 0x1 -j ACCEPT\n";
	const auto source = [](const std::string &rules) {
		return make_plan(vps(dnat + rules)).relays[0].relay.source->text();
	};

	assert_text(source(docker), "transparent");
	assert_text(source(libvirt), "transparent");
	assert_text(source(limited), "transparent");
	assert_text(source(limited + docker + masquerade), "masquerade");
	assert_text(source("-A POSTROUTING -s 198.51.100.0/24 -o wg1 -j MASQUERADE\n"),
		    "masquerade");
}

static Needless needless_of(const Machine &machine)
{
	return { .interface = "wg1",
		 .rules = make_plan(machine).gone,
		 .tables = {},
		 .forwarding = { true, true } };
}

/* What is left of a hook; "=" if it is as it was, and "?" behind it if it is not clear. */
static std::string hook(const std::string &text)
{
	static const Needless needless = needless_of(vps(dnat + masquerade));
	const auto left = without_needless(text, needless);

	return (left.changed ? left.text : "=") + (left.unclear ? "?" : "");
}

static ruleset::Rule nft_rule(const char *family, const char *table, const char *chain)
{
	ruleset::Rule rule;

	rule.program = "nft";
	rule.family = family;
	rule.table = table;
	rule.chain = chain;
	rule.text = "iifname \"wg1\" counter packets 1 bytes 2 accept";
	return rule;
}

void test_migrate_hooks(void **)
{
	const std::string add = "iptables -t nat -A PREROUTING -i eth0 -p udp --dport 60000 -j DNAT "
				"--to-destination 172.16.1.254:60000",
			  both = add + "; iptables -t nat -A POSTROUTING -o %i -j MASQUERADE";

	assert_text(hook(add), "");
	assert_text(hook(both), "");
	assert_text(hook(both + ";"), "");
	assert_text(hook(add + " || true; sysctl -q -w net.ipv4.ip_forward=1 && echo x"), "echo x");
	assert_text(hook("echo 'a;b' && " + add + " && ip route add 10.0.0.0/8 dev %i"),
		    "echo 'a;b' && ip route add 10.0.0.0/8 dev %i");
	assert_text(
		hook("iptables -t nat -C POSTROUTING -o wg1 -j MASQUERADE 2>/dev/null || iptables -t nat "
		     "-A POSTROUTING -o wg1 -j MASQUERADE"),
		"");
	assert_text(hook("echo 1 >/proc/sys/net/ipv4/ip_forward"), "");
	assert_text(hook("echo 1 > /proc/sys/net/ipv4/conf/eth0/proxy_arp"), "");
	assert_text(hook("sysctl -w net.ipv4.ip_forward=1 vm.swappiness=1"), "=?");
	assert_text(hook("ip route add 10.0.0.0/8 dev %i"), "=");
	/* What cannot be told apart stays as it is. */
	assert_text(hook("iptables -A INPUT -i %i -j ACCEPT"), "=?");
	assert_text(hook("iptables -t nat -A POSTROUTING -o wg2 -j MASQUERADE"), "=?");
	assert_text(hook(add + " || logger failed"), "=?");
	assert_text(hook("if true; then " + add + "; fi"), "=?");
	assert_text(hook("for d in eth0 eth1; do (" + add + "); done"), "=?");
	assert_text(hook("iptables -t nat -A POSTROUTING -o $(echo wg1) -j MASQUERADE"), "=?");
	assert_text(hook("iptables -t nat -A POSTROUTING -o wg1 -j 'MASQUERADE"), "=?");
	assert_text(hook(""), "=");
	/* nft's commands may be in one word: all of them are needless, or that stays. */
	const auto by_nft = [](const std::string &text) {
		const auto rule = nft_rule("ip", "nat", "post");
		const auto left = without_needless(text, { .interface = "wg1",
							   .rules = { rule },
							   .tables = { "ip nat" },
							   .forwarding = {} });

		return fmt::format("{}{} {}", left.changed ? left.text : "=",
				   left.unclear ? "?" : "", left.makes.size());
	};
	const std::string tables = "add table ip nat; add chain ip nat post { type nat hook "
				   "postrouting priority 100 ; }; add rule ip nat post iifname wg1 "
				   "accept",
			  ssh = "add rule inet filter input tcp dport 22 accept";
	assert_text(by_nft("nft '" + tables + ";'"), " 1");
	assert_text(by_nft("nft '" + tables + "; " + ssh + "'"), "=? 0");
	assert_text(by_nft("nft '" + ssh + "'"), "=? 0");
	assert_text(by_nft("nft '" + tables + "'; nft '" + ssh + "'"), "nft '" + ssh + "'? 1");
	const auto of_v4 = [](const std::string &text) {
		const auto left = without_needless(text, { .interface = "wg1",
							   .rules = {},
							   .tables = {},
							   .forwarding = { true, false } });

		return (left.changed ? left.text : "=") + (left.unclear ? "?" : "");
	};
	assert_text(of_v4("sysctl -w net.ipv4.ip_forward=1"), "");
	assert_text(of_v4("sysctl -w net.ipv6.conf.all.forwarding=1"), "=");
	assert_text(of_v4("sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"), "=?");
	const auto down = without_needless("iptables -t nat -D POSTROUTING -o wg1 -j MASQUERADE",
					   needless_of(vps(dnat + masquerade)));
	assert_int_equal(down.deletes.size(), 1);
	assert_int_equal(down.deletes[0], 1);
	assert_true(down.switches.empty());
	const auto switches = [](const std::string &text) {
		return fmt::format(
			"{}",
			fmt::join(without_needless(text, needless_of(vps(dnat))).switches, " "));
	};
	assert_text(switches("echo x; sysctl -w net.ipv4.ip_forward=1"), "net/ipv4/ip_forward");
	assert_text(switches("sysctl -qw net/ipv4/conf/eth0/proxy_arp=1; echo 1 > "
			     "/proc/sys/net/ipv4/ip_forward"),
		    "net/ipv4/conf/eth0/proxy_arp net/ipv4/ip_forward");
	assert_text(switches("sysctl -w net.ipv4.ip_forward=0; echo 0 > "
			     "/proc/sys/net/ipv4/conf/eth0/proxy_arp"),
		    "");
	/* Two that are the same, and one of them goes so. */
	const auto twice = without_needless("iptables -t nat -D POSTROUTING -o wg1 -j MASQUERADE",
					    needless_of(vps(dnat + masquerade + masquerade)));
	assert_int_equal(twice.deletes.size(), 1);
}

static const std::string old_file =
	"[Interface]\n"
	"# Secret\n"
	"PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n"
	"PostUp=iptables -t nat -A POSTROUTING -o %i -j MASQUERADE; true\n"
	"PostDown = iptables -t nat -D POSTROUTING -o wg1 -j MASQUERADE\n"
	"[Peer]\n"
	"PublicKey = " +
	home_text + "\n";

void test_migrate_file(void **)
{
	const auto machine = vps(dnat + masquerade);
	const auto quick = config::parse_quick(old_file, "/x/wg1.conf", config::Part::relays);
	const auto file =
		make_file(old_file, quick.value(), needless_of(machine), make_plan(machine).relays);

	assert_text(
		file.text,
		"[Interface]\n"
		"# Secret\n"
		"PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n"
		"PostUp= true\n"
		"[Peer]\n"
		"PublicKey = " +
			home_text +
			"\n"
			"\n[Relay]\n"
			"# in place of: iptables -t nat -A PREROUTING -i eth0 -p udp -m udp --dport "
			"60000 -j DNAT --to-destination 172.16.1.254:60000\n"
			"Listen = *%eth0:60000\n"
			"Peer = " +
			home_text +
			"\n"
			"To = 172.16.1.254:60000\n"
			"# The public key of the WireGuard that listens at 172.16.1.254:60000, which "
			"this machine does not know: with it, what is not made for that is dropped.\n"
			"# ResponderKey =\n"
			"Source = masquerade\n");
	assert_int_equal(file.deletes.size(), 1);
	assert_true(file.unclear.empty());
	const auto again = config::parse_quick(file.text, "/x/wg1.conf", config::Part::whole);
	assert_true(static_cast<bool>(again));
	assert_text(again.value().relays[0].value.listen.text(), "*%eth0:60000");
}

static std::string lines(const std::string &text, const char *program,
			 const std::vector<ruleset::Rule> &rules)
{
	return fmt::format("{}", fmt::join(lines_with(text, program, rules), " "));
}

/* What is said of a hook that is not clear has no key of it. */
void test_migrate_secrets(void **)
{
	const std::string key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=",
			  text = "[Interface]\nPostUp = nft -f x; wg set %i private-key <(echo " +
				 key + ")\n";
	const auto quick = config::parse_quick(text, "/x/wg1.conf", config::Part::relays);
	const auto file = make_file(text, quick.value(), {}, {});

	assert_int_equal(file.unclear.size(), 1);
	assert_text(file.unclear[0].what,
		    "/x/wg1.conf:2: PostUp = nft -f x; wg set %i private-key (hidden)");
	/* Where no word says so, it may be one, too. */
	const auto shown = [](const std::string &line) {
		const auto text = difference(line + "\n", "", false);

		return text.substr(text.find("\n-") + 2);
	};
	assert_text(shown("# old private key: " + key), "# old private key: (hidden)\n");
	assert_text(shown("# psk " + key), "# psk (hidden)\n");
	assert_text(shown("PostUp = K=" + key), "PostUp = K=(hidden)\n");
	assert_text(shown("PostUp = echo " + key + " >/run/k; wg addconf %i /run/k"),
		    "PostUp = echo (hidden) >/run/k; wg addconf %i /run/k\n");
	assert_text(shown("publickey = " + home_text + " # psk " + key),
		    "publickey = " + home_text + " # psk (hidden)\n");
	for (const char *name : { "PublicKey", "Peer", "ResponderKey" })
		assert_text(shown(name + (" = " + home_text)), name + (" = " + home_text) + "\n");
}

/* Lines that switch on what is to be off. */
void test_migrate_switches(void **)
{
	const auto found = switch_lines("net.ipv4.ip_forward = 1\n"
					"# net.ipv4.ip_forward = 1\n"
					"net.ipv4.ip_forward = 0\n"
					"-net/ipv4/conf/eth0/proxy_arp=1\n"
					"net.ipv4.tcp_sack=1\n"
					"net.ipv4.ip_forward\n"
					"net.ipv4.ip_forward=\n",
					{ "net/ipv4/ip_forward", "net/ipv4/conf/eth0/proxy_arp" });

	assert_int_equal(found.size(), 2);
	assert_text(found.at(1), "net/ipv4/ip_forward");
	assert_text(found.at(4), "net/ipv4/conf/eth0/proxy_arp");
}

/* Whatever a step does that fails, those that are needed come before it. */
void test_migrate_steps(void **)
{
	std::vector<Remark> minded;
	const auto gone = make_plan(vps(dnat + masquerade)).gone;
	const auto steps = make_steps({ .interface = "wg1",
					.kind = "nwg",
					.old_file = "/nowhere/wg1.conf",
					.new_file = "/elsewhere/wg1.conf",
					.back_file = {},
					.gone = { gone[0] },
					.deleted_by_hook = { gone[1] },
					.needless = {},
					.dialled_in = {},
					.forwarding = {},
					.switched_by_hook = {} },
				      minded);
	const auto at = [&](const std::string &start) {
		return std::ranges::find_if(steps, [&](const Step &step) {
			return step.command.starts_with(start);
		});
	};

	assert_text(at("nwgctl down")->command,
		    "nwgctl down /nowhere/wg1.conf || test ! -e /sys/class/net/wg1");
	assert_text(at("nwgctl up")->command, "nwgctl up /elsewhere/wg1.conf || { nwgctl up "
					      "/nowhere/wg1.conf; false; }");
	assert_text(at(gone[0].delete_command())->command,
		    gone[0].delete_command() + " || echo 'Not deleted: see whether it is there'");
	assert_true(at("nwgctl down") < at("nwgctl up") &&
		    at("nwgctl up") < at(gone[0].delete_command()));
	/* Before the new one, which may make others in that place; the old one makes them again. */
	assert_text(at(gone[1].delete_command())->command,
		    gone[1].delete_command() + " 2>/dev/null || true");
	assert_true(at("nwgctl down") < at(gone[1].delete_command()) &&
		    at(gone[1].delete_command()) < at("nwgctl up"));
}

/* Lines of files that are read at boot. */
void test_migrate_lines(void **)
{
	const auto gone = make_plan(vps(dnat + masquerade)).gone;
	const auto saved = "# x\n*nat\n" + dnat + "-A POSTROUTING -o eth0 -j MASQUERADE\n" +
			   masquerade + "COMMIT\n*mangle\n" + masquerade + "COMMIT\n";
	const std::string nft = "#!/usr/sbin/nft -f\n"
				"table inet filter {\n"
				"	set ports { type inet_service; elements = { 1,\n"
				"		2 }\n"
				"	}\n"
				"	chain input {\n"
				"		iifname \"wg1\" accept\n"
				"	}\n"
				"	chain forward { # {\n"
				"		udp dport { 1, 2 } accept\n"
				"		iifname \"wg1\" accept\n"
				"	}\n"
				"}\n"
				"table ip filter {\n"
				"	chain forward\n"
				"	{\n"
				"		iifname wg1 counter accept;\n"
				"	}\n"
				"}\n";

	assert_text(lines(saved, "iptables", gone), "3 5");
	/* The other family's are others. */
	assert_text(lines(saved, "ip6tables", gone), "");
	/* As are another chain's and another table's. */
	assert_text(lines(nft, "nft", { nft_rule("inet", "filter", "forward") }), "11");
	assert_text(lines(nft, "nft", { nft_rule("inet", "filter", "input") }), "7");
	assert_text(lines(nft, "nft", { nft_rule("ip", "filter", "forward") }), "17");
	assert_text(lines(nft, "nft", { nft_rule("ip", "filter", "input") }), "");
	assert_text(lines(nft, "iptables", { nft_rule("inet", "filter", "input") }), "");
}

void test_migrate_diff(void **)
{
	assert_text(difference("", "", false), "");
	assert_text(difference("a\nb\n", "a\nb\n", false), "");
	assert_text(difference("a\n", "b\n", false), "@@ -1,1 +1,1 @@\n-a\n+b\n");
	assert_text(difference("", "b\n", false), "@@ -0,0 +1,1 @@\n+b\n");
	assert_text(difference("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n7\n8\n9\n10\n",
			       false),
		    "@@ -3,7 +3,7 @@\n 3\n 4\n 5\n-6\n 7\n 8\n 9\n+10\n");
	assert_text(difference("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "1\n2\n3\n4\n5\n6\n7\n", false),
		    "@@ -1,4 +1,3 @@\n-a\n 1\n 2\n 3\n@@ -6,4 +5,3 @@\n 5\n 6\n 7\n-b\n");
	const std::string keys = "PrivateKey = a=\n#presharedkey=b=\nPublicKey = c=\n"
				 "PostUp = wg set %i private-key <(echo d=)\n";
	assert_text(
		difference(keys, keys + "x\n", false),
		"@@ -2,3 +2,4 @@\n #presharedkey= (hidden)\n PublicKey = c=\n PostUp = wg set %i "
		"private-key (hidden)\n+x\n");
	const std::string key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
	assert_text(difference("# PrivateKey: " + key + "\n", "", false),
		    "@@ -1,1 +0,0 @@\n-# PrivateKey (hidden)\n");
	assert_text(difference("PostUp = echo " + key + " | wg set %i private-key /dev/stdin\n", "",
			       false),
		    "@@ -1,1 +0,0 @@\n-PostUp = echo (hidden) | wg set %i private-key (hidden)\n");
	assert_text(difference("PrivateKey = a=\n", "PrivateKey = a=\nx\n", true),
		    "@@ -1,1 +1,2 @@\n PrivateKey = a=\n+x\n");
}
