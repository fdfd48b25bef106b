// SPDX-License-Identifier: GPL-2.0
/* The doctor: rules that keep a relay from its packets, or do not, as nft and iptables-save print them. */
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "../config/value.hpp"
#include "../diagnosis/finding.hpp"
#include "../ruleset/iptables.hpp"
#include "../ruleset/nft.hpp"
#include "doctor.hpp"

extern "C" {
#include <cmocka.h>
}

using namespace nwgctl;
using ruleset::Ruleset;

#define PORT(op, right)          \
	R"({"match":{"op":")" op \
	R"(","left":{"payload":{"protocol":"udp","field":"dport"}},"right":)" right "}}"
#define ADDRESS(field, address)                                                     \
	R"({"match":{"op":"==","left":{"payload":{"protocol":"ip","field":")" field \
	R"("}},"right":")" address R"("}})"
#define COMES_IN(op, name) \
	R"({"match":{"op":")" op R"(","left":{"meta":{"key":"iifname"}},"right":")" name R"("}})"

static constexpr const char *drop = R"({"drop":null})", *lets_in = R"({"accept":null})",
			    *port = PORT("==", "60000"), *others = PORT("!=", "53"),
			    *from = ADDRESS("saddr", "203.0.113.66"),
			    *to = ADDRESS("daddr", "203.0.113.10"),
			    *limit = R"({"limit":{"rate":10,"per":"second","inv":true}})",
			    *dnat = R"({"dnat":{"addr":"172.16.1.254","port":60000}})",
			    *jump = R"({"jump":{"target":"more"}})",
			    *go = R"({"goto":{"target":"more"}})";

using Expressions = std::vector<std::string>;
using Rules = std::vector<Expressions>;

/* The chain "c" that hangs there, with these rules; and one that it may jump to. */
static std::string json_of(const Rules &rules, const Rules &more = {}, const char *table = "t",
			   const char *hook = "prerouting", int priority = -300,
			   const char *policy = "accept", const char *sets = "")
{
	std::string text = fmt::format(
		R"({{"nftables":[{{"chain":{{"family":"inet","table":"{0}","name":"c","hook":"{1}",)"
		R"("prio":{2},"policy":"{3}","type":"filter"}}}},)"
		R"({{"chain":{{"family":"inet","table":"{0}","name":"more"}}}}{4})",
		table, hook, priority, policy, sets);
	unsigned int handle = 1;

	for (const auto &[chain, list] : { std::pair("c", rules), std::pair("more", more) }) {
		for (const auto &rule : list)
			text += fmt::format(
				R"(,{{"rule":{{"family":"inet","table":"{}","chain":"{}","handle":{},)"
				R"("expr":[{}]}}}})",
				table, chain, handle++, fmt::join(rule, ","));
	}
	return text + "]}";
}

template <typename... Arguments> static Ruleset nft(const Rules &rules, Arguments... arguments)
{
	return ruleset::parse_nft(json_of(rules, arguments...), "").take();
}

static Ruleset iptables(const std::string &rules, const char *table = "raw")
{
	return ruleset::parse_iptables_save(
		fmt::format("*{}\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:more - [0:0]\n"
			    "{}\nCOMMIT\n",
			    table, rules),
		"iptables");
}

/* "drop", "maybe", "dnat", several with a space between, or nothing. */
static std::string told(Ruleset ruleset, const char *listen = "60000")
{
	diagnosis::Machine machine;
	netlink::Relay relay;
	std::string text;

	relay.listen = config::parse_listen(listen).take();
	machine.relays = { relay };
	machine.local = { { *Address::from_text("203.0.113.10"), 24 } };
	machine.ruleset = std::move(ruleset);
	for (const auto &finding : diagnosis::check_firewall(machine)) {
		assert_false(finding.what.empty() || finding.remedy.empty());
		assert_true(
			finding.what.find("what comes to the port before the relay sees it: ") !=
				std::string::npos ||
			finding.what.starts_with(
				"A rule still translates what comes to the port to "
				"172.16.1.254:60000, which the relay has now: "));
		assert_int_equal(finding.is_note, finding.id == "raw-may-drop" ||
							  finding.remedy.starts_with("take port"));
		text += fmt::format("{}{}", text.empty() ? "" : " ",
				    finding.id == "raw-may-drop" ? "maybe" :
				    finding.id == "raw-drop"	 ? "drop" :
				    finding.is_note		 ? finding.remedy :
								   "dnat");
	}
	return text;
}

/* A machine with wg1 at port 60100, and a peer that has not dialled in. */
static diagnosis::Machine waiting(Ruleset ruleset)
{
	diagnosis::Machine machine;
	diagnosis::Interface interface;

	interface.link.name = "wg1";
	interface.link.up = true;
	interface.after.listen_port = 60100;
	interface.after.peers.resize(1);
	machine.interfaces = { interface };
	machine.ruleset = std::move(ruleset);
	return machine;
}

/* Rules of iptables in INPUT, whose policy is to drop. */
static Ruleset input(const std::string &rules, const char *program = "iptables")
{
	return ruleset::parse_iptables_save(
		"*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n:more - [0:0]\n" + rules +
			"\nCOMMIT\n",
		program);
}

/* What keeps that peer from it, and where. */
static std::string kept_out(const std::string &rules, const char *program = "iptables")
{
	auto machine = waiting(input(rules, program));
	std::string text;

	for (const auto &finding : diagnosis::check_firewall(machine)) {
		assert_string_equal(finding.where.c_str(), "wg1");
		assert_true(finding.what.find(
				    "what comes to the port, and a peer does not come in: ") !=
			    std::string::npos);
		assert_int_equal(finding.is_note, finding.id == "input-may-drop");
		text += fmt::format("{}{}:{}", text.empty() ? "" : " ", finding.id,
				    finding.what.substr(finding.what.rfind(',') + 1));
	}
	/* One that has its session, or is dialled from here, is not kept out. */
	machine.now = 100;
	machine.interfaces[0].after.peers[0].endpoint =
		config::parse_endpoint("198.51.100.2:41234").take();
	assert_true(diagnosis::check_firewall(machine).empty());
	return text;
}

static void assert_kept_out(const std::string &rules, const char *wanted)
{
	assert_string_equal(kept_out(rules).c_str(), wanted);
}

static void check_input()
{
	/* As ufw has them, but for their number. */
	const std::string start = "-A INPUT -i lo -j ACCEPT\n"
				  "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
				  "-A INPUT -m conntrack --ctstate INVALID -j DROP\n"
				  "-A INPUT -j more\n"
				  "-A more -m addrtype --dst-type LOCAL -j RETURN\n"
				  "-A more -m addrtype --dst-type BROADCAST -j RETURN\n"
				  "-A more -j DROP\n"
				  "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n";

	assert_kept_out(start, "input-drop: its policy");
	assert_kept_out(start + "-A INPUT -p udp -m udp --dport 60101 -j ACCEPT",
			"input-drop: its policy");
	assert_kept_out(start + "-A INPUT -p udp -m udp --dport 60100 -j ACCEPT", "");
	assert_kept_out(
		start + "-A INPUT -p udp -m conntrack --ctstate NEW -m udp --dport 60100 -j ACCEPT",
		"");
	assert_kept_out(start + "-A INPUT -s 198.51.100.0/24 -j ACCEPT",
			"input-may-drop: its policy");
	assert_kept_out("-A INPUT -p udp -j REJECT", "input-drop: chain INPUT: -p udp -j REJECT");
	/* It may well not come over IPv6. */
	assert_string_equal(kept_out(start, "ip6tables").c_str(), "input-may-drop: its policy");
	/* A rule that drops all else, as a policy does. */
	assert_kept_out(start + "-A INPUT -j DROP", "input-drop: chain INPUT: -j DROP");
	assert_kept_out("-A INPUT -i eth0 -p udp -m udp --dport 60100 -j ACCEPT\n-A INPUT -j DROP",
			"input-may-drop: chain INPUT: -j DROP");
	/* What comes out of the tunnel is not what it is sent in. */
	assert_kept_out("-A INPUT -i wg1 -j ACCEPT\n-A INPUT -j DROP",
			"input-drop: chain INPUT: -j DROP");
	assert_kept_out("-A INPUT ! -i wg1 -j ACCEPT\n-A INPUT -j DROP", "");
	assert_kept_out("-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT", "");
	assert_kept_out("-A INPUT -m addrtype --dst-type LOCAL,BROADCAST -j ACCEPT", "");
	assert_kept_out("-A INPUT -m addrtype --dst-type BROADCAST -j ACCEPT",
			"input-drop: its policy");
	/* A chain that several rules jump to. */
	const std::string twice = "-A INPUT -i eth0 -j more\n-A INPUT -j more\n"
				  "-A more -p udp -m udp --dport 60100 -j ";
	assert_kept_out(twice + "ACCEPT\n-A INPUT -j REJECT", "");
	assert_kept_out(twice + "DROP",
			"input-drop: chain more: -p udp -m udp --dport 60100 -j DROP");
	assert_kept_out("-A INPUT -j more\n-A more -s 198.51.100.0/24 -j RETURN\n-A more -j DROP\n"
			"-A INPUT -j ACCEPT",
			"input-may-drop: chain more: -j DROP");
	assert_kept_out("-A INPUT -s 198.51.100.0/24 -j RETURN\n-A INPUT -j more\n-A more -j DROP",
			"input-may-drop: chain more: -j DROP input-drop: its policy");
}

/* Likewise by nft, without the place. */
static void assert_nft_keeps_out(const Rules &rules, const Rules &more, const char *wanted)
{
	std::string text;

	for (const auto &finding :
	     diagnosis::check_firewall(waiting(nft(rules, more, "t", "input", 0, "accept"))))
		text += finding.id;
	assert_string_equal(text.c_str(), wanted);
}

static void check_nft_input()
{
	static constexpr const char *
		own = PORT("==", "60100"),
	       *refuses = R"({"reject":null})",
	       *other_family =
		       R"({"match":{"op":"==","left":{"meta":{"key":"nfproto"}},"right":"ipv6"}})",
	       *v4 = R"({"match":{"op":"==","left":{"meta":{"key":"nfproto"}},"right":"ipv4"}})",
	       *other_header = R"({"match":{"op":"==","left":{"payload":{"protocol":"ip6",)"
			       R"("field":"nexthdr"}},"right":"udp"}})",
	       *protocols = R"({"match":{"op":"==","left":{"meta":{"key":"l4proto"}},)"
			    R"("right":{"set":["tcp","udp"]}}})",
	       *any_port =
		       R"({"match":{"op":"==","left":{"payload":{"protocol":"th","field":"dport"}},)"
		       R"("right":60100}})",
	       *both = R"({"match":{"op":"==","left":{"concat":[{"meta":{"key":"l4proto"}},)"
		       R"({"payload":{"protocol":"th","field":"dport"}}]},)"
		       R"("right":{"set":[{"concat":["udp",60100]}]}}})",
	       *map = R"({"vmap":{"key":{"payload":{"protocol":"udp","field":"dport"}},)"
		      R"("data":{"set":[[60100,{"accept":null}]]}}})",
	       *here = R"({"match":{"op":"==","left":{"fib":{"result":"type","flags":["daddr"]}},)"
		       R"("right":{"set":["broadcast","local"]}}})";

	assert_nft_keeps_out({ { drop } }, {}, "input-drop");
	assert_nft_keeps_out({ { own, lets_in }, { refuses } }, {}, "");
	for (const char *some : { both, map })
		assert_nft_keeps_out({ { some, lets_in }, { refuses } }, {}, "input-may-drop");
	assert_nft_keeps_out({ { COMES_IN("==", "eth0"), own, lets_in }, { drop } }, {},
			     "input-may-drop");
	assert_nft_keeps_out({ { protocols, any_port, lets_in }, { refuses } }, {},
			     "input-may-drop");
	assert_nft_keeps_out({ { here, lets_in }, { refuses } }, {}, "");
	const auto by = [](const char *names) {
		return fmt::format(R"({{"match":{{"op":"==","left":{{"meta":{{"key":"iifname"}}}},)"
				   R"("right":{}}}}})",
				   names);
	};
	for (const char *names : { R"({"set":["lo","wg1"]})", R"({"set":["lo"]})", R"("wg1")" })
		assert_nft_keeps_out({ { by(names), lets_in }, { refuses } }, {}, "input-drop");
	for (const char *names : { R"({"set":["lo","docker0"]})", R"("@inside")",
				   R"({"set":["lo",{"range":["a","b"]}]})" })
		assert_nft_keeps_out({ { by(names), lets_in }, { refuses } }, {}, "input-may-drop");
	/* As iptables drops it; and what is of IPv6 still comes by. */
	assert_nft_keeps_out({ { v4, own, drop } }, {}, "input-drop");
	assert_nft_keeps_out({ { v4, own, drop }, { refuses } }, {}, "input-dropinput-drop");
	assert_nft_keeps_out({ { v4, from, own, drop } }, {}, "input-may-drop");
	assert_nft_keeps_out({ { own, lets_in }, { v4, drop } }, {}, "");
	/* Of IPv6 it is a note. */
	assert_nft_keeps_out({ { other_family, drop }, { own, lets_in } }, {}, "input-may-drop");
	assert_nft_keeps_out({ { other_header, drop }, { own, lets_in } }, {}, "input-may-drop");
	/* As firewalld has its zones. */
	assert_nft_keeps_out({ { COMES_IN("==", "eth0"), jump }, { jump }, { refuses } },
			     { { own, lets_in } }, "");
	assert_nft_keeps_out({ { COMES_IN("==", "eth0"), jump }, { jump } }, { { own, drop } },
			     "input-drop");
}

/* A peer of a relay that is quiet: it may be dialled from here, and then comes in with what is known. */
static void check_dialled()
{
	const std::string known = "-A INPUT -m conntrack --ctstate INVALID -j DROP\n"
				  "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";
	const auto findings_of = [](Ruleset ruleset) {
		auto machine = waiting(std::move(ruleset));

		machine.now = 1000;
		machine.relays.resize(1);
		machine.relays[0].interface = "wg1";
		machine.interfaces[0].after.peers[0].endpoint =
			config::parse_endpoint("198.51.100.2:41234").take();
		return diagnosis::check_firewall(machine);
	};
	const auto id = [&](const std::string &rules) {
		const auto findings = findings_of(input(rules));
		assert_int_equal(findings.size(), 1);
		return findings[0].id;
	};
	const auto by_state = [&](const char *data) {
		const auto rule = fmt::format(
			R"({{"vmap":{{"key":{{"ct":{{"key":"state"}}}},"data":{}}}}})", data);
		return findings_of(nft({ { rule } }, Rules{}, "t", "input", 0, "accept")).size();
	};

	assert_string_equal(id("").c_str(), "input-drop");
	assert_string_equal(id(known).c_str(), "input-may-drop");
	/* A map that drops nobody. */
	assert_int_equal(
		by_state(
			R"({"set":[["established",{"accept":null}],["related",{"accept":null}]]})"),
		0);
	assert_int_equal(
		by_state(R"({"set":[["established",{"accept":null}],["invalid",{"drop":null}]]})"),
		1);
	assert_int_equal(by_state(R"("@states")"), 1);
}

/* Nobody is told to take out the rule that drops all the rest. */
static void check_remedies()
{
	const auto remedy = [](const std::string &rules) {
		return diagnosis::check_firewall(waiting(input(rules)))[0].remedy;
	};

	assert_string_equal(remedy("").c_str(), "accept UDP port 60100 before that");
	assert_string_equal(remedy("-A INPUT -j DROP").c_str(),
			    "accept UDP port 60100 before that");
	assert_string_equal(remedy("-A INPUT -p udp -m udp --dport 60000:61000 -j DROP").c_str(),
			    "accept UDP port 60100 before that");
	assert_string_equal(remedy("-A INPUT -p udp -m udp --dport 60100 -j DROP").c_str(),
			    "take it out, or accept UDP port 60100 before that");
}

static void assert_told(const Ruleset &ruleset, const char *wanted, const char *listen = "60000")
{
	assert_string_equal(told(ruleset, listen).c_str(), wanted);
}

static void check_nft()
{
	assert_told(nft({}), "");
	assert_told(nft({ { port, drop } }), "drop");
	assert_told(nft({ { drop } }), "drop");
	assert_told(nft({ { PORT("==", R"({"set":[53,{"range":[59000,61000]}]})"), drop } }),
		    "drop");
	assert_told(nft({ { PORT("==", "53"), drop } }), "");
	/* Only the kind of filter that is right there. */
	assert_told(nft({ { from, port, drop } }), "maybe");
	assert_told(nft({ { port, limit, drop } }), "maybe");
	assert_told(nft({ { others, drop } }), "maybe");
	assert_told(nft({ { R"({"xt":{"type":"match","name":"set"}})", drop } }), "maybe");
	/* In order. */
	assert_told(nft({ { port, lets_in }, { port, drop } }), "");
	assert_told(nft({ { from, port, lets_in }, { port, drop } }), "maybe");
	assert_told(nft({ { COMES_IN("==", "eth0"), port, lets_in }, { port, drop } }), "maybe");
	assert_told(nft({ { COMES_IN("==", "eth0"), port, lets_in }, { port, drop } }), "drop",
		    "%eth1:60000");
	assert_told(nft({ { port, drop }, { port, lets_in } }), "drop");
	assert_told(nft({}, Rules{}, "t", "prerouting", -300, "drop"), "drop");
	assert_told(nft({ { port, lets_in } }, Rules{}, "t", "prerouting", -300, "drop"), "");
	assert_told(nft({ { from, port, lets_in } }, Rules{}, "t", "prerouting", -300, "drop"),
		    "maybe");
	/* Elsewhere. */
	assert_told(nft({ { port, drop } }, Rules{}, "t", "prerouting", -150), "");
	assert_told(nft({ { port, drop } }, Rules{}, "t", "input", -300), "");
	assert_told(nft({ { port, drop } }, Rules{}, "t", "ingress", 0), "drop");
	assert_told(nft({ { port, drop } }, Rules{}, "nwg-wg1"), "");
	assert_told(nft({ { port, drop } }, Rules{}, "wg-quick-wg1"), "");
	/* Of one address, or interface. */
	assert_told(nft({ { to, drop } }), "maybe");
	assert_told(nft({ { to, drop } }), "drop", "203.0.113.10:60000");
	assert_told(nft({ { to, drop } }), "", "203.0.113.11:60000");
	assert_told(nft({ { to, drop } }), "", "[2001:db8::1]:60000");
	assert_told(nft({ { COMES_IN("==", "eth0"), port, drop } }), "maybe");
	assert_told(nft({ { COMES_IN("==", "eth0"), port, drop } }), "drop", "%eth0:60000");
	assert_told(nft({ { COMES_IN("==", "eth0"), port, drop } }), "", "%eth1:60000");
	assert_told(nft({ { COMES_IN("!=", "eth0"), drop } }), "", "%eth0:60000");
	assert_told(nft({ { COMES_IN("!=", "lo"), drop } }), "drop");
	assert_told(nft({ { COMES_IN("==", "lo"), drop } }), "");
	/* What another chain does. */
	assert_told(nft({ { jump } }, Rules{ { port, drop } }), "drop");
	assert_told(nft({ { from, jump } }, Rules{ { port, drop } }), "maybe");
	assert_told(nft({ { jump }, { port, drop } }, Rules{ { port, lets_in } }), "");
	assert_told(nft({ { jump }, { port, drop } }, Rules{ { R"({"return":null})" } }), "drop");
	assert_told(
		nft({ { PORT("==", R"("@ports")"), drop } }, Rules{}, "t", "prerouting", -300,
		    "accept",
		    R"(,{"set":{"family":"inet","table":"t","name":"ports","elem":[53,60000]}})"),
		"drop");
	assert_told(nft({ { R"({"vmap":{"key":{"payload":{"protocol":"udp","field":"dport"}},)"
			    R"("data":{"set":[[60000,{"drop":null}]]}}})" } }),
		    "maybe");
	/* What comes back from where it went goes to the policy, not to the next rule. */
	const auto gone = [](const Rules &rules, const Rules &more, const char *policy) {
		return nft(rules, more, "t", "prerouting", -300, policy);
	};
	const Rules ssh = { { PORT("==", "22"), lets_in } };
	assert_told(gone({ { go }, { port, lets_in } }, ssh, "drop"), "drop");
	assert_told(gone({ { jump }, { port, lets_in } }, ssh, "drop"), "");
	assert_told(gone({ { COMES_IN("==", "eth0"), go }, { port, lets_in } }, ssh, "drop"),
		    "maybe");
	assert_told(gone({ { go }, { port, lets_in } }, { { port, lets_in } }, "drop"), "");
	assert_told(gone({ { port, go }, { drop } }, ssh, "accept"), "");
	assert_told(gone({ { port, jump }, { drop } }, ssh, "accept"), "drop");
	assert_told(gone({ { from, go }, { drop } }, ssh, "accept"), "maybe");
	assert_told(gone({ { R"({"vmap":{"key":{"payload":{"protocol":"udp","field":"dport"}},)"
			     R"("data":{"set":[[60000,{"goto":{"target":"more"}}]]}}})" },
			   { drop } },
			 ssh, "accept"),
		    "maybe");
	/* What is of a known connection is no client's first packet. */
	const std::string states = R"({"vmap":{"key":{"ct":{"key":"state"}},"data":{"set":)";
	assert_told(
		nft({ { states +
			R"([["established",{"accept":null}],["invalid",{"drop":null}]]}}})" } }),
		"");
	assert_told(nft({ { states + R"([["new",{"drop":null}]]}}})" } }), "maybe");
	assert_told(nft({ { R"({"match":{"op":"==","left":{"payload":{"protocol":"icmp",)"
			    R"("field":"type"}},"right":"echo-request"}})",
			    drop } }),
		    "");
}

static void check_iptables()
{
	assert_told(iptables("-A PREROUTING -p udp -m udp --dport 60000 -j DROP"), "drop");
	assert_told(iptables("-A PREROUTING -p udp -m udp --dport 59000:61000 -j DROP"), "drop");
	assert_told(iptables("-A PREROUTING -j DROP"), "drop");
	assert_told(iptables("-A PREROUTING -p tcp -m tcp --tcp-flags FIN,SYN NONE -j DROP"), "");
	assert_told(iptables("-A PREROUTING -p icmp -j DROP"), "");
	assert_told(iptables("-A PREROUTING -p udp -m multiport --dports 53,123 -j DROP"), "");
	assert_told(iptables("-A PREROUTING -p udp -m multiport --dports 53,60000 -j DROP"),
		    "drop");
	assert_told(iptables("-A PREROUTING -m set --match-set x src -j DROP"), "maybe");
	assert_told(iptables("-A PREROUTING -m addrtype --src-type BROADCAST -j DROP"), "maybe");
	assert_told(iptables("-A PREROUTING -p udp -m udp ! --dport 53 -j DROP"), "maybe");
	assert_told(iptables("-A PREROUTING -s 203.0.113.66/32 -j DROP"), "maybe");
	assert_told(iptables("-A PREROUTING -p udp -m udp --dport 60000 -j ACCEPT\n"
			     "-A PREROUTING -p udp -j DROP"),
		    "");
	assert_told(iptables("-A PREROUTING -p udp -j more\n-A more -p udp --dport 60000 -j DROP"),
		    "drop");
	assert_told(iptables("-A PREROUTING -p udp -g more\n-A PREROUTING -j DROP"), "");
	assert_told(iptables("-A PREROUTING -p udp -g more\n-A more -p udp --dport 60000 -j DROP"),
		    "drop");
	assert_told(iptables("-A PREROUTING ! -i wg0 -d 10.0.0.2/32 -m addrtype ! --src-type LOCAL "
			     "-m comment --comment \"wg-quick(8) rule for wg0\" -j DROP"),
		    "");
	assert_told(iptables("-A OUTPUT -p udp -m udp --dport 60000 -j DROP"), "");
	/* Docker's, for containers: no address of this machine. */
	assert_told(iptables("-A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP"), "");
	assert_told(iptables("-A PREROUTING -d 203.0.113.10/32 ! -i docker0 -j DROP"), "maybe");
	assert_told(iptables("-A PREROUTING -p udp -m udp --dport 60000 -j DROP", "mangle"), "");
	assert_told(iptables("-A PREROUTING -p udp -m udp --dport 60000 -j DROP"), "",
		    "[2001:db8::1]:60000");
}

/* Rules that a relay has replaced. */
static void check_dnat()
{
	assert_told(nft({ { port, dnat } }, Rules{}, "t", "prerouting", -100), "dnat");
	assert_told(nft({ { from, port, dnat } }, Rules{}, "t", "prerouting", -100), "dnat");
	assert_told(nft({ { to, port, dnat } }, Rules{}, "t", "prerouting", -100), "dnat");
	assert_told(nft({ { to, port, dnat } }, Rules{}, "t", "prerouting", -100), "",
		    "203.0.113.11:60000");
	assert_told(nft({ { port, dnat } }, Rules{}, "t", "output", -100), "");
	assert_told(iptables("-A OUTPUT -j more\n-A PREROUTING -j more\n-A more -p udp -m udp "
			     "--dport 60000 -j DNAT --to-destination 172.16.1.254:60000",
			     "nat"),
		    "dnat");
	/* Of a range the rest may be needed; of another machine's address all of it. */
	assert_told(
		nft({ { PORT("==", R"({"set":[53,{"range":[59999,60002]}]})"), dnat } }, Rules{},
		    "t", "prerouting", -100),
		"take port 60000 out of it, not all of it: 53, 59999, 60001-60002 may be needed");
	assert_told(iptables("-A PREROUTING -d 203.0.113.99/32 -p udp -m udp --dport 60000 -j DNAT "
			     "--to-destination 172.16.1.254:60000",
			     "nat"),
		    "");
	assert_told(nft({ { PORT("==", "60001"), dnat } }, Rules{}, "t", "prerouting", -100), "");
	assert_told(iptables("-A PREROUTING -d 203.0.113.10/32 -p udp -m udp --dport 60000 -j DNAT "
			     "--to-destination 172.16.1.254:60000",
			     "nat"),
		    "dnat", "203.0.113.10:60000");
	assert_told(iptables("-A OUTPUT -p udp -m udp --dport 60000 -j DNAT "
			     "--to-destination 172.16.1.254:60000",
			     "nat"),
		    "");
}

/* What no nft writes, which is no reason for the doctor to die. */
static void check_malformed()
{
	for (const char *expression :
	     { R"({"match":{}})", R"({"match":null})", R"({"match":{"left":1}})",
	       R"({"match":{"left":{"payload":1}}})", R"({"dnat":null})", R"({"dnat":{}})",
	       R"({"vmap":1})", R"({"vmap":{"key":1}})", R"({"vmap":null})",
	       R"({"match":{"left":{"payload":{"protocol":"ip","field":"saddr"}},"right":{"prefix":1}}})",
	       R"({"match":{"left":{"payload":{"protocol":"ip","field":"saddr"}},"right":[1]}})",
	       R"({"match":{"left":{"payload":{"field":"dport"}}}})", "1", "[]", "null" })
		assert_true(
			ruleset::parse_nft(json_of({ { expression } }), "") ||
			!ruleset::parse_nft(json_of({ { expression } }), "").error().what.empty());
	/* Beyond all ports: not certain. */
	for (const char *ports :
	     { PORT("==", "125536"), PORT("==", R"({"range":[0,4294967295]})"),
	       PORT("==", R"({"range":60000})"), PORT("==", R"({"range":[60000]})") })
		assert_told(nft({ { ports, drop } }), "maybe");
	assert_told(nft({ { PORT("==", R"({"range":[60001,60000]})"), drop } }), "");
	for (const char *text :
	     { "", "{", "[]", R"({"nftables":1})", R"({"nftables":[1,null,{"chain":1}]})",
	       R"({"nftables":[{"chain":{"family":1,"prio":"x","hook":null}}]})",
	       R"({"nftables":[{"rule":1},{"rule":{"expr":1}}]})" }) {
		auto read = ruleset::parse_nft(text, "");

		if (read)
			assert_told(read.take(), "");
		else
			assert_false(read.error().what.empty());
	}
}

void test_doctor_firewall(void **)
{
	check_malformed();
	check_nft();
	check_iptables();
	check_dnat();
	check_input();
	check_nft_input();
	check_dialled();
	check_remedies();
}
