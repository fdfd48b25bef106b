// SPDX-License-Identifier: GPL-2.0
/* Chains: addresses, MTU, QR codes, and the files that are read again. */
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "../chain/conf.hpp"
#include "../chain/files.hpp"
#include "../chain/network.hpp"
#include "../chain/notes.hpp"
#include "../chain/plan.hpp"
#include "../chain/qr.hpp"
#include "../chain/routeros.hpp"
#include "../chain/side.hpp"
#include "../config/file.hpp"
#include "chain.hpp"

extern "C" {
#include <cmocka.h>
}

using namespace nwgctl;
using namespace nwgctl::chain;

static Prefix network(const char *text)
{
	return parse_network(text).take();
}

static Address address(const char *text)
{
	return *Address::from_text(text);
}

static std::string host_text(const char *prefix, uint32_t number)
{
	const auto host = host_of(network(prefix), number);

	return host ? host->text() : "none";
}

static void assert_text(const std::string &got, const std::string &wanted)
{
	assert_string_equal(got.c_str(), wanted.c_str());
}

void test_chain_network(void **)
{
	assert_text(network("192.168.88.0/24").text(), "192.168.88.0/24");
	assert_text(network("fd00:8000::/17").text(), "fd00:8000::/17");
	for (const char *text :
	     { "", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/24", "10.0.0.0/8/8",
	       "10.0.0.0/+8", "10.0.0.0/0008", "fd00::/129", "fd00::1/64", "home/24" })
		assert_false(static_cast<bool>(parse_network(text)));
	assert_text(parse_network("10.0.0.9/24").error().hint, "the network is 10.0.0.0/24");

	assert_text(parse_host("vps.example.net").value(), "vps.example.net");
	assert_text(parse_host("[2001:DB8::1]").value(), "2001:db8::1");
	for (const char *text : { "", "0.0.0.0", "::", "300.1.1.1", "1.2.3", "a b", "a:80", "-a",
				  ".a", "a/b", "a\"b", "a$b", "[vps]" })
		assert_false(static_cast<bool>(parse_host(text)));
	assert_text(host_port("192.0.2.1", 5), "192.0.2.1:5");
	assert_text(host_port("2001:db8::1", 5), "[2001:db8::1]:5");

	/* A network's first address and the last of IPv4 are no hosts, those of a pair are. */
	assert_text(host_text("10.10.10.0/24", 0), "none");
	assert_text(host_text("10.10.10.0/24", 1), "10.10.10.1");
	assert_text(host_text("10.10.10.0/24", 254), "10.10.10.254");
	assert_text(host_text("10.10.10.0/24", 255), "none");
	assert_text(host_text("10.10.0.0/16", 256), "10.10.1.0");
	assert_text(host_text("10.0.0.4/30", 2), "10.0.0.6");
	assert_text(host_text("10.0.0.4/30", 3), "none");
	assert_text(host_text("10.0.0.4/31", 1), "10.0.0.4");
	assert_text(host_text("10.0.0.4/31", 2), "10.0.0.5");
	assert_text(host_text("10.0.0.4/31", 3), "none");
	assert_text(host_text("10.0.0.4/32", 1), "none");
	assert_text(host_text("0.0.0.0/0", UINT32_MAX - 1), "255.255.255.254");
	assert_text(host_text("0.0.0.0/0", UINT32_MAX), "none");
	assert_text(host_text("fd07::/64", 1), "fd07::1");
	assert_text(host_text("fd07::/64", 0x10002), "fd07::1:2");
	assert_text(host_text("fd07::/64", UINT32_MAX), "fd07::ffff:ffff");
	assert_text(host_text("fd07::4/127", 2), "fd07::5");
	assert_text(host_text("fd07::8/125", 7), "fd07::f");
	assert_text(host_text("fd07::8/125", 8), "none");

	for (const char *text : { "10.10.0.0/16", "10.0.0.4/31", "fd07::/64", "fd07::4/127" }) {
		for (uint32_t number : { 1u, 2u, 300u, 65534u }) {
			const auto host = host_of(network(text), number);

			if (host)
				assert_int_equal(host_number(network(text), *host), number);
		}
	}
	assert_int_equal(host_number(network("10.10.10.0/24"), address("10.10.11.1")), 0);
	assert_int_equal(host_number(network("10.10.10.0/24"), address("10.10.10.255")), 0);
	assert_int_equal(host_number(network("fd07::/64"), address("fd07::1:0:0:1")), 0);
	assert_int_equal(addresses_from(network("10.0.0.8/29"), address("10.0.0.8")), 8);
	assert_int_equal(addresses_from(network("10.0.0.8/29"), address("10.0.0.14")), 2);
	assert_int_equal(addresses_from(network("10.0.0.8/32"), address("10.0.0.8")), 1);
	assert_int_equal(addresses_from(network("fd07::/64"), address("fd07::8")), UINT32_MAX);

	assert_true(overlap(network("10.0.0.0/8"), network("10.10.10.0/24")));
	assert_true(overlap(network("10.10.10.0/24"), network("10.0.0.0/8")));
	assert_false(overlap(network("10.10.10.0/24"), network("10.10.11.0/24")));
	assert_false(overlap(network("0.0.0.0/0"), network("::/0")));
	assert_true(contains(network("::/0"), address("fd07::1")));
	assert_false(contains(network("0.0.0.0/0"), address("fd07::1")));

	for (const char *text : { "10.1.2.3", "172.31.0.1", "192.168.88.1", "fd07::1" })
		assert_true(is_private(address(text)) && is_unreachable(address(text)));
	/* Somebody's, as far as names are asked for there; but nobody dials it. */
	for (const char *text :
	     { "100.64.0.1", "100.127.255.254", "169.254.1.1", "127.0.0.1", "fe80::1", "::1" })
		assert_true(!is_private(address(text)) && is_unreachable(address(text)));
	for (const char *text : { "100.63.0.1", "100.128.0.1", "198.51.100.1", "2001:db8::1" })
		assert_false(is_private(address(text)) || is_unreachable(address(text)));
}

void test_chain_mtu(void **)
{
	/* What README and the manual say. */
	assert_int_equal(inner_mtu(1500, AF_INET6), 1420);
	assert_int_equal(inner_mtu(1420, AF_INET), 1360);
	assert_int_equal(inner_mtu(1420, AF_INET6), 1340);
	assert_int_equal(inner_mtu(60, AF_INET), 0);
	assert_int_equal(inner_mtu(80, AF_INET6), 0);
	assert_int_equal(carrier_size(1, 1360, AF_INET), 16 + 60);
	assert_int_equal(carrier_size(16, 1360, AF_INET), 16 + 60);
	assert_int_equal(carrier_size(0, 1360, AF_INET6), 80);
	/* Padding ends at the MTU, that of 1340 is no multiple of 16. */
	assert_int_equal(carrier_size(1339, 1340, AF_INET6), 1420);
	/* Each packet fits, nested, and one more byte would not. */
	for (const uint16_t outer : { AF_INET, AF_INET6 }) {
		for (const uint16_t inner : { AF_INET, AF_INET6 }) {
			for (uint32_t line = 1280; line <= 1500; line++) {
				const uint32_t wg1 = inner_mtu(line, outer);
				const uint32_t wg0 = inner_mtu(wg1, inner);

				for (uint32_t size = 20; size <= wg0; size++)
					assert_in_range(carrier_size(carrier_size(size, wg0, inner),
								     wg1, outer),
							1, line);
				assert_true(carrier_size(wg0 + 1, wg0 + 1, inner) > wg1);
			}
		}
	}
}

/* One that is in order. */
static Plan plan_of(const char *wg1 = "172.16.1.0/24")
{
	Plan plan;

	plan.vps = "vps.example.net";
	plan.wg1 = network(wg1);
	plan.wg0 = { network("10.10.10.0/24"), network("fd07::/64") };
	plan.lan = { network("192.168.88.0/24") };
	plan.vps_wg1 = Key::random_private();
	plan.home_wg1 = Key::random_private();
	plan.home_wg0 = Key::random_private();
	plan.clients = { new_client("laptop", 2), new_client("phone", 3) };
	return plan;
}

static std::string file_of(const Plan &plan, const std::string &name)
{
	for (const auto &[file, text] : plan_files(plan, "home")) {
		if (file == name)
			return text;
	}
	fail_msg("no file %s", name.c_str());
	return "";
}

static Side side_of(const std::string &text, bool relays)
{
	return read_side(parse_conf(text, "file"), relays,
			 [](unsigned int line, const std::string &what, const std::string &) {
				 fail_msg("line %u: %s", line, what.c_str());
			 });
}

static void assert_bad(const Plan &plan, const char *words)
{
	const auto status = verify(plan);

	assert_false(static_cast<bool>(status));
	if (status.error().what.find(words) == std::string::npos)
		fail_msg("`%s' is not in: %s", words, status.error().what.c_str());
}

void test_chain_plan(void **)
{
	Plan plan = plan_of();

	assert_true(static_cast<bool>(verify(plan)));
	assert_int_equal(plan.wg1_mtu(), 1420);
	assert_int_equal(plan.wg0_mtu(), 1360);
	assert_int_equal(plan_of("fd16::/64").wg0_mtu(), 1340);
	plan.line_mtu = 1492;
	assert_int_equal(plan.wg0_mtu(), 1352);

	plan = plan_of();
	const auto vps = side_of(file_of(plan, "vps/wg1.conf"), true);
	assert_true(*vps.private_key == plan.vps_wg1);
	assert_int_equal(*vps.port, 51821);
	assert_text(vps.relays.at(0).listen->text(), "*:51820");
	assert_text(vps.relays[0].to->text(), "172.16.1.2:51820");
	assert_true(*vps.relays[0].responder == plan.home_wg0.public_key());
	assert_true(*vps.relays[0].peer == plan.home_wg1.public_key());
	assert_true(vps.peer(plan.home_wg1.public_key()) != nullptr);
	const auto wg0 = side_of(file_of(plan, "home/wg0.conf"), false);
	assert_int_equal(wg0.peers.size(), 2);
	assert_text(join(*wg0.peers[1].allowed), "10.10.10.3/32, fd07::3/128");
	assert_int_equal(*wg0.mtu, 1360);
	const auto phone = side_of(file_of(plan, "clients/phone.conf"), false);
	assert_text(phone.peers.at(0).endpoint->first, "vps.example.net");
	assert_int_equal(phone.peers[0].endpoint->second, 51820);
	assert_text(join(*phone.peers[0].allowed), "10.10.10.0/24, fd07::/64, 192.168.88.0/24");
	assert_true(*phone.peers[0].preshared_key == *wg0.peers[1].preshared_key);
	assert_false(*wg0.peers[0].preshared_key == *wg0.peers[1].preshared_key);
	plan.full = true;
	plan.dns = { address("192.168.88.1") };
	const auto all = file_of(plan, "clients/phone.conf");
	assert_text(join(*side_of(all, false).peers.at(0).allowed), "0.0.0.0/0, ::/0");
	assert_true(all.find("DNS = 192.168.88.1\n") != all.npos);

	plan = plan_of();
	plan.wg1_port = plan.port;
	assert_bad(plan, "cannot both have port");
	plan = plan_of();
	plan.clients[1].name = "laptop";
	assert_bad(plan, "Two clients");
	plan = plan_of("172.16.1.0/32");
	assert_bad(plan, "too small for VPS and home");
	plan = plan_of();
	plan.wg0[0] = network("10.10.10.0/30");
	assert_bad(plan, "too small for 2 clients");
	plan = plan_of();
	plan.wg0[1] = network("10.11.0.0/24");
	assert_bad(plan, "one address family");
	plan.wg0.push_back(network("fd07::/64"));
	assert_bad(plan, "one address family");
	plan = plan_of();
	plan.lan.push_back(network("10.10.0.0/16"));
	assert_bad(plan, "overlap");
	plan = plan_of();
	plan.dns = { address("10.10.10.1"), address("192.168.88.1"), address("1.1.1.1") };
	assert_true(static_cast<bool>(verify(plan)));
	plan.lan.clear();
	assert_bad(plan, "Clients ask 192.168.88.1 for names, which is in no network");
	plan.full = true;
	assert_true(static_cast<bool>(verify(plan)));
	plan.wg0.pop_back();
	plan.dns = { address("2606:4700:4700::1111") };
	assert_bad(plan, "wg0 has no network of IPv6");
	plan.full = false;
	assert_true(static_cast<bool>(verify(plan)));
	plan = plan_of();
	plan.lan.push_back(network("192.168.0.0/16"));
	assert_true(static_cast<bool>(verify(plan)));
	plan = plan_of();
	plan.source = { .kind = NWG_SOURCE_POOL, .pool = network("fd99::/56") };
	assert_bad(plan, "not of wg1's address family");
	plan = plan_of();
	plan.source = { .kind = NWG_SOURCE_POOL, .pool = network("172.16.99.0/24") };
	plan.vps = "192.168.88.7";
	assert_bad(plan, "The VPS, 192.168.88.7, is in lan 192.168.88.0/24");
	plan.vps = "172.16.1.5";
	assert_bad(plan, "is in wg1-network");
	plan.vps = "fd07::9";
	assert_bad(plan, "is in wg0-network");
	plan.vps = "172.16.99.4";
	assert_bad(plan, "is in pool");
	plan = plan_of();
	plan.line_mtu = 1400;
	assert_bad(plan, "1280 is the least");
	plan.wg0.pop_back();
	assert_true(static_cast<bool>(verify(plan)));
	plan.full = true;
	assert_bad(plan, "leaves 1260 for wg0, and 1280 is the least");
	plan.line_mtu = 1420;
	assert_true(static_cast<bool>(verify(plan)));
	plan = plan_of("fd16::/64");
	plan.wg0.pop_back();
	plan.line_mtu = 1359;
	assert_bad(plan, "leaves 1279 for wg1, and 1280 is the least");
	plan.line_mtu = 1360;
	assert_true(static_cast<bool>(verify(plan)));
	plan.line_mtu = 65536;
	assert_bad(plan, "No line has an MTU of 65536");
	for (const char *name : { "", ".", "-a", "a/b", "a b", "sixteen-letters-", "\xc3\xa4" })
		assert_false(static_cast<bool>(parse_client_name(name)));
	assert_text(parse_client_name("fifteen.letters").value(), "fifteen.letters");
}

/* What qr_text() has drawn, module by module. */
static bool drawn(const std::string &text, std::size_t size, bool colored, std::size_t margin,
		  const QrCode &code)
{
	std::size_t row = 0, column = 0;
	bool same = true;
	const auto see = [&](std::size_t at_row, std::size_t at_column, bool dark) {
		if (at_row < size + 2 * margin)
			same &= code.dark(static_cast<std::ptrdiff_t>(at_row - margin),
					  static_cast<std::ptrdiff_t>(at_column - margin)) == dark;
	};

	for (std::size_t at = 0; at < text.size();) {
		if (text[at] == '\x1b') {
			at = text.find('m', at) + 1;
			continue;
		}
		if (text[at] == '\n') {
			same &= column == size + 2 * margin;
			row += 2, column = 0, at++;
			continue;
		}
		const auto symbol = text[at] == ' ' ? " " : text.substr(at, 3);
		const bool upper = symbol == "█" || symbol == "▀";
		const bool lower = symbol == "█" || symbol == "▄";
		see(row, column, upper == colored);
		see(row + 1, column, lower == colored);
		at += symbol.size();
		column++;
	}
	return same && row >= size + 2 * margin;
}

void test_chain_qr(void **)
{
	const std::string text = file_of(plan_of(), "clients/phone.conf");
	const auto code = encode_qr(text).take();
	char path[] = "/tmp/nwgctl-test.XXXXXX";

	/* A finder pattern is in three corners, and a light frame around it. */
	assert_true(code.dark(0, 0) && code.dark(6, 6) && !code.dark(1, 1) && code.dark(3, 3));
	assert_false(code.dark(-1, 0) || code.dark(0, static_cast<std::ptrdiff_t>(code.size)));
	/* It fits a terminal of 80 columns. */
	assert_in_range(code.size, 21, 72);
	assert_false(static_cast<bool>(encode_qr(std::string(2954, 'x'))));
	assert_true(static_cast<bool>(encode_qr(std::string(2953, 'x'))));

	const auto png = qr_png(code).take();
	const int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(write(file, png.data(), png.size()), png.size());
	close(file);
	assert_true(read_qr_png(path) == code);
	assert_int_equal(truncate(path, 100), 0);
	assert_false(static_cast<bool>(read_qr_png(path)));
	unlink(path);
	assert_false(static_cast<bool>(read_qr_png(path)));

	for (const std::size_t margin : { 2u, 4u }) {
		for (const bool colored : { true, false })
			assert_true(drawn(qr_text(code, { true, colored, margin }), code.size,
					  colored, margin, code));
	}
	const auto plain = qr_text(code, { false, false, 2 });
	assert_text(plain.substr(0, 2 * (code.size + 4)), std::string(2 * (code.size + 4), '#'));
}

void test_chain_conf(void **)
{
	const auto conf = parse_conf("# nothing\n[Interface]\nListenPort=5 # a port\n\n[peer]\n"
				     "Key\nPublicKey = a=\nx = 1\nX = 2\n",
				     "name");
	std::vector<unsigned int> lines;

	assert_int_equal(conf.sections.size(), 2);
	assert_int_equal(conf.sections[0].line, 2);
	assert_text(conf.sections[0].find("listenport")->value, "5");
	assert_int_equal(conf.sections[0].find("listenport")->line, 3);
	assert_text(conf.section("Peer")->find("PublicKey")->value, "a=");
	assert_text(conf.section("Peer")->find("x")->value, "2");
	assert_int_equal(conf.faults.size(), 1);
	assert_int_equal(conf.faults[0].line, 6);
	read_side(conf, false,
		  [&lines](unsigned int line, const std::string &, const std::string &) {
			  lines.push_back(line);
		  });
	/* Fault, no private key, a key that is none, two that nobody knows. */
	assert_true((lines == std::vector<unsigned int>{ 6, 2, 7, 8, 9 }));

	const auto list = parse_addresses("10.0.0.1/24 , fd07::1").take();
	assert_text(join(list), "10.0.0.1/24, fd07::1/128");
	for (const char *text : { "", "10.0.0.1/33", "10.0.0.1,", "x", "10.0.0.1/" })
		assert_false(static_cast<bool>(parse_addresses(text)));
}

void test_chain_routeros(void **)
{
	const auto commands = parse_routeros("# a comment\n\n/a/add one=1 two=\"b c=d\" \\\n"
					     "    three=\"x\"\n#/no\n/b\nset x y=1\n"
					     "/c/d e add f=1\nremove g\n../h print\n");

	assert_int_equal(commands.size(), 5);
	assert_int_equal(commands[0].line, 3);
	assert_text(commands[0].path, "/a/add");
	assert_text(commands[0].value("two"), "b c=d");
	assert_text(commands[0].value("three"), "x");
	assert_text(commands[0].value("four"), "");
	assert_int_equal(commands[1].line, 7);
	assert_text(commands[1].path, "/b/set");
	assert_text(commands[1].value("y"), "1");
	assert_text(commands[2].path, "/c/d/e/add");
	/* A command does not change the menu. */
	assert_text(commands[3].path, "/b/remove");
	assert_text(commands[4].path, "/h/print");

	/* What stands in blocks, whatever is around it. */
	const auto blocks = parse_routeros(
		"/m\n:if ([:len [/a/find]] > 0) do={/a/add b=\"}\" c=2} else={:if (x) do={ d/add "
		"e=1 }}\n:error \"x\"\nadd f=1\n");
	assert_int_equal(blocks.size(), 3);
	assert_text(blocks[0].path, "/a/add");
	assert_text(blocks[0].value("b"), "}");
	assert_text(blocks[0].value("c"), "2");
	assert_int_equal(blocks[0].line, 2);
	assert_text(blocks[1].path, "/m/d/add");
	assert_text(blocks[1].value("e"), "1");
	assert_text(blocks[2].path, "/m/add");

	/* Several in one line, or in one block; what is in quotes or brackets is one. */
	const auto several = parse_routeros(
		"/a; add b=1;add c=\"2;3\" ; # add d=1; add e=1\n"
		":if ([:len [/a/find; x]] > 0) do={ /m/add f=1; :if (y) do={n/add g=2;}; add h=3; }\n"
		":if (z) do={\n/p/add i=1;\n} else={ /p/add j=2; }\n");
	std::string all;
	for (const auto &command : several)
		all += fmt::format("{} {}\n", command.path, command.values);
	assert_text(all, "/a/add {\"b\": \"1\"}\n/a/add {\"c\": \"2;3\"}\n/m/add {\"f\": \"1\"}\n"
			 "/a/add {\"h\": \"3\"}\n/a/n/add {\"g\": \"2\"}\n/p/add {\"i\": \"1\"}\n"
			 "/p/add {\"j\": \"2\"}\n");

	/* Each line is a comment, empty, or a command with a path. */
	Plan plan = plan_of("fd16::/64");
	plan.source = { .kind = NWG_SOURCE_TRANSPARENT };
	plan.full = true;
	for (const auto &command : parse_routeros(routeros_script(plan)))
		assert_true(command.path.starts_with('/') && !command.values.empty() &&
			    /* Not before version 7.17. */
			    command.value("responder").empty());

	/* The interface of a key, by whatever name. */
	const auto script = parse_routeros(routeros_script(plan));
	assert_text(routeros_tunnel(script, plan.home_wg0)->value("name"), "wg0");
	assert_text(routeros_tunnel(script, plan.home_wg1)->value("name"), "wg1");
	assert_true(routeros_tunnel(script, plan.vps_wg1) == nullptr);
	assert_true(routeros_client("x", plan.wg0, plan.clients[0])
			    .starts_with("/interface/wireguard/peers/add interface=x "));
	assert_true(
		routeros_client("home clients", plan.wg0, plan.clients[0])
			.starts_with("/interface/wireguard/peers/add interface=\"home clients\" "));
	assert_text(routeros_value("wg-1.b_c"), "wg-1.b_c");
	assert_text(routeros_value(""), "\"\"");
}

/* Lines of @text that begin so. */
static std::size_t lines_of(const std::string &text, const std::string &start)
{
	std::size_t count = text.starts_with(start);

	for (auto at = text.find('\n' + start); at != text.npos;
	     at = text.find('\n' + start, at + 1))
		count++;
	return count;
}

/* What clients may do, as the script has it, for a router that has rules already. */
static void assert_client_rules(const Plan &plan, const std::vector<std::string> &wanted)
{
	std::vector<std::string> rules;

	for (const auto &command : parse_routeros(routeros_script(plan))) {
		if (command.value("in-interface") != "wg0" || command.value("place-before").empty())
			continue;
		rules.push_back(command.path.starts_with("/ipv6") ? "ipv6" : "ip");
		for (const char *name : { "chain", "action", "connection-state", "protocol",
					  "dst-port", "dst-address" }) {
			if (!command.value(name).empty())
				rules.back() += " " + command.value(name);
		}
	}
	assert_text(fmt::format("{}", fmt::join(rules, "\n")),
		    fmt::format("{}", fmt::join(wanted, "\n")));
}

/* What a router that has rules, or none, and interfaces of its own is told. */
void test_chain_routeros_rules(void **)
{
	Plan plan = plan_of();
	const auto script = routeros_script(plan);

	/*
	 * The tunnel; then, of IPv4 and IPv6, the lan, each other, the rest, pings, and the rest of the router: in
	 * place of the first, or as the only one.
	 */
	assert_int_equal(lines_of(script,
				  ":if ([:len [/ip/firewall/filter/find where !dynamic]] > 0) "
				  "do={/ip/firewall/filter/add chain="),
			 6);
	assert_int_equal(lines_of(script,
				  ":if ([:len [/ipv6/firewall/filter/find where !dynamic]] > 0) "
				  "do={/ipv6/firewall/filter/add chain="),
			 4);
	assert_true(
		script.find("dst-port=51820 in-interface=wg1 src-address=172.16.1.1 "
			    "place-before=[:pick [/ip/firewall/filter/find where !dynamic] 0]} "
			    "else={/ip/firewall/filter/add chain=input action=accept protocol=udp "
			    "dst-port=51820 in-interface=wg1 src-address=172.16.1.1}\n") !=
		script.npos);
	assert_true(script.find("comment=\"phone\"") < script.find("/firewall/filter/add"));
	assert_client_rules(plan, { "ip forward drop new", "ip forward accept 192.168.88.0/24",
				    "ip forward accept 10.10.10.0/24", "ipv6 forward drop new",
				    "ipv6 forward accept fd07::/64", "ip input drop new",
				    "ip input accept icmp", "ipv6 input drop new",
				    "ipv6 input accept icmpv6" });
	plan.lan.clear();
	/* Of those that are asked, who may be the router. */
	plan.dns = { address("10.10.10.1"), address("1.1.1.1") };
	assert_client_rules(plan, { "ip forward drop new", "ip forward accept 10.10.10.0/24",
				    "ipv6 forward drop new", "ipv6 forward accept fd07::/64",
				    "ip input drop new", "ip input accept udp 53 10.10.10.1",
				    "ip input accept tcp 53 10.10.10.1", "ip input accept icmp",
				    "ipv6 input drop new", "ipv6 input accept icmpv6" });
	plan.dns.clear();
	plan.full = true;
	assert_client_rules(plan, { "ip forward accept", "ipv6 forward accept", "ip input drop new",
				    "ip input accept icmp", "ipv6 input drop new",
				    "ipv6 input accept icmpv6" });
	plan = plan_of();
	/* Before anything is made, those of the same name; and how to take it back. */
	const auto guard = script.find(
		":if ([:len [/interface/find where name=wg0 or name=wg1]] > 0) do={:error ");
	assert_true(guard < script.find("\n/"));
	assert_int_equal(lines_of(script, "#/interface/wireguard/remove [find where name=wg0"), 1);
	assert_int_equal(lines_of(script, "#/routing/table/remove"), 0);
	assert_true(script.find("/routing/table") == script.npos);
	plan.source = { .kind = NWG_SOURCE_TRANSPARENT };
	const auto marked = routeros_script(plan);
	assert_int_equal(lines_of(marked, "#/routing/table/remove [find where name=wg1]"), 1);
	assert_int_equal(lines_of(marked, "#/ip/firewall/mangle/remove [find where "
					  "new-routing-mark=wg1]"),
			 1);
	/* One that is there is not the script's, and is found before anything is made. */
	assert_true(
		marked.find(":if ([:len [/routing/table/find where name=wg1]] > 0) do={:error ") <
		marked.find("\n/"));
	assert_int_equal(lines_of(marked, "/routing/table/add name=wg1 fib"), 1);
}

static uint32_t free_of(const std::string &addresses, const std::string &allowed, uint32_t host)
{
	const auto text = fmt::format("[Interface]\nPrivateKey = {0}\nAddress = {1}\n[Peer]\n"
				      "PublicKey = {0}\nAllowedIPs = {2}\n",
				      Key::random_private().base64(), addresses, allowed);

	return free_host(side_of(text, false), host);
}

/* No number is given of which somebody has an address, in either network, however it was written. */
void test_chain_free_host(void **)
{
	assert_int_equal(free_of("10.10.10.1/24", "10.10.10.2/32", 1), 3);
	assert_int_equal(free_of("10.10.10.1/24", "10.10.10.8/29", 7), 7);
	for (uint32_t host = 8; host <= 16; host++)
		assert_int_equal(free_of("10.10.10.1/24", "10.10.10.8/29", host), 16);
	assert_int_equal(free_of("10.10.10.1/24", "10.10.10.8/29, 10.10.10.16/30", 9), 20);
	/* With the home's own among them; but what is all of the network, or more, is no client's. */
	assert_int_equal(free_of("10.10.10.1/24", "10.10.10.0/29", 2), 8);
	assert_int_equal(free_of("10.10.10.1/24", "10.10.10.0/24, 0.0.0.0/0", 2), 2);
	assert_int_equal(free_of("10.10.10.1/24, fd07::1/64", "10.10.10.2/32, fd07::4/126", 2), 3);
	assert_int_equal(free_of("10.10.10.1/24, fd07::1/64", "10.10.10.2/32, fd07::4/126", 4), 8);
	assert_int_equal(free_of("fd07::1/64", "fd07::/96", 2), 0);
	assert_int_equal(free_of("fd07::1/64", "fd07::8000:0/97", 0x7fffffff), 0x7fffffff);
	assert_int_equal(free_of("fd07::1/64", "fd07::8000:0/97", 0x80000000), 0);
}

/* What is to be done at home is of the networks that clients have there. */
void test_chain_readme(void **)
{
	Plan plan = plan_of();
	const auto has = [&plan](const char *words) {
		const auto text = file_of(plan, "README.txt");
		return text.find(words) != text.npos;
	};

	assert_true(has("make this chain anew with others: port, wg1-port, wg0-network"));
	assert_true(has("\n           net.ipv4.ip_forward = 1\n"));
	assert_true(has("\n           net.ipv6.conf.all.forwarding = 1\n"));
	assert_true(has("net.ipv6.conf.IFACE.accept_ra = 2\n"));
	assert_false(has("MASQUERADE"));
	plan.full = true;
	assert_true(
		has("iptables -t nat -A POSTROUTING -s 10.10.10.0/24 ! -o wg0 -j MASQUERADE\n"));
	assert_true(has("ip6tables -t nat -A POSTROUTING -s fd07::/64 ! -o wg0 -j MASQUERADE\n"));
	plan.wg0.pop_back();
	assert_false(has("ipv6"));
	plan.full = false;
	plan.lan.clear();
	assert_false(has("forward"));
}

void test_chain_notes(void **)
{
	const Notes notes{ { network("192.168.88.0/24") }, { address("fd88::1") }, true, 7 };
	const auto again = parse_notes(print_notes(notes), "chain.json").take();

	assert_text(join(again.lan), "192.168.88.0/24");
	assert_text(again.dns.at(0).text(), "fd88::1");
	assert_true(again.full);
	assert_int_equal(again.last_host, 7);
	for (const char *text :
	     { "", "[]", "{}", "{\"version\":2}", "{\"version\":1}",
	       "{\"version\":1,\"lan\":[1],\"dns\":[],\"full\":true,\"last_host\":1}",
	       "{\"version\":1,\"lan\":[],\"dns\":[\"x\"],\"full\":true,\"last_host\":1}",
	       "{\"version\":1,\"lan\":[],\"dns\":[],\"full\":1,\"last_host\":1}",
	       "{\"version\":1,\"lan\":[],\"dns\":[],\"full\":true,\"last_host\":-1}" })
		assert_false(static_cast<bool>(parse_notes(text, "chain.json")));
	const auto bad = parse_notes("{\"version\":1,\"lan\":[\"10.0.0.1/8\"],\"dns\":[],"
				     "\"full\":true,\"last_host\":1}",
				     "chain.json");
	assert_text(bad.error().what,
		    "chain.json: `10.0.0.1/8' is an address in a network, and no network");
}
