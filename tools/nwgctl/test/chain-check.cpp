// SPDX-License-Identifier: GPL-2.0
/* What chain check says of files that are wrong, one fault each. */
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <sys/stat.h>

#include "../chain/check.hpp"
#include "../chain/directory.hpp"
#include "../chain/files.hpp"
#include "../chain/network.hpp"
#include "../chain/plan.hpp"
#include "../chain/qr.hpp"
#include "../config/value.hpp"
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

/* A chain's files, made and looked at in a directory that is gone afterwards. */
class Chain {
    public:
	explicit Chain(const netlink::Source &source = {}, const char *wg1 = "172.16.1.0/24")
	{
		plan.vps = "198.51.100.1";
		plan.wg1 = network(wg1);
		plan.wg0 = { network("10.10.10.0/24") };
		plan.lan = { network("192.168.88.0/24") };
		plan.source = source;
		plan.vps_wg1 = Key::random_private();
		plan.home_wg1 = Key::random_private();
		plan.home_wg0 = Key::random_private();
		plan.clients = { new_client("pc", 2), new_client("pc2", 3) };
		for (const auto &[name, text] : plan_files(plan, "home"))
			files[name] = text;
		draw();
	}
	std::string &operator[](const std::string &name)
	{
		const auto file = files.find(name);

		assert_true(file != files.end());
		return file->second;
	}
	/* In its place; it has to be there. */
	Chain &replace(const char *name, const std::string &from, const std::string &to)
	{
		std::string &text = (*this)[name];
		const auto at = text.find(from);

		if (at == text.npos)
			fail_msg("no `%s' in %s: %s", from.c_str(), name, text.c_str());
		text.replace(at, from.size(), to);
		return *this;
	}
	/* Each that is there. */
	void rename(const char *name, const std::string &from, const std::string &to)
	{
		std::string &text = (*this)[name];

		for (auto at = text.find(from); at != text.npos;
		     at = text.find(from, at + to.size()))
			text.replace(at, from.size(), to);
	}
	/* All of the first line that begins so. */
	Chain &line(const char *name, const std::string &start, const std::string &to)
	{
		const auto &text = (*this)[name];
		auto at = text.starts_with(start) ? 0 : text.find('\n' + start);

		if (at == text.npos)
			fail_msg("no line `%s' in %s", start.c_str(), name);
		at += text[at] == '\n';
		return replace(name, text.substr(at, text.find('\n', at) + 1 - at), to);
	}
	void remove(const char *name)
	{
		files.erase(name);
	}
	/* Clients' QR codes are of their files. */
	void draw()
	{
		for (const auto &client : plan.clients) {
			const auto name = fmt::format("clients/{}", client.name);

			if (files.contains(name + ".conf"))
				files[name + ".png"] =
					qr_png(encode_qr(files[name + ".conf"]).take()).take();
		}
	}
	std::vector<Finding> check()
	{
		char base[] = "/tmp/nwgctl-test.XXXXXX";

		draw();
		assert_non_null(mkdtemp(base));
		const auto directory = fmt::format("{}/home", base);
		assert_true(static_cast<bool>(
			make_directory(directory, { files.begin(), files.end() })));
		auto findings = check_directory(directory).take();
		std::filesystem::remove_all(base);
		return findings;
	}
	/* @line is a beginning of the line that it is at; empty: that does not matter. */
	void assert_found(const char *words, const char *name, const std::string &line = {},
			  const char *remedy = "")
	{
		std::string all;

		for (const auto &finding : check()) {
			all += fmt::format("\n{}:{}: {} - {}", finding.file, finding.line,
					   finding.what, finding.remedy);
			if (finding.file.ends_with(std::string("/home/") + name) &&
			    finding.what.find(words) != std::string::npos &&
			    !finding.remedy.empty() &&
			    finding.remedy.find(remedy) != std::string::npos &&
			    (line.empty() || text_of(name, finding.line).starts_with(line)))
				return;
		}
		fail_msg("not found: %s in %s:%s", words, name, all.c_str());
	}
	void assert_right()
	{
		for (const auto &finding : check())
			fail_msg("found: %s:%u: %s", finding.file.c_str(), finding.line,
				 finding.what.c_str());
	}

	Plan plan;

    private:
	std::string text_of(const char *name, unsigned int line)
	{
		std::string text = (*this)[name];

		for (; line > 1; line--)
			text.erase(0, text.find('\n') + 1);
		return text.substr(0, text.find('\n'));
	}

	std::map<std::string, std::string> files;
};

static const netlink::Source pool{ NWG_SOURCE_POOL,
				   Prefix{ *Address::from_text("172.16.99.0"), 24 } };
static const netlink::Source transparent{ NWG_SOURCE_TRANSPARENT };
static constexpr const char *vps = "vps/wg1.conf", *wg1 = "home/wg1.conf", *wg0 = "home/wg0.conf",
			    *pc = "clients/pc.conf", *script = "home/mt.rsc";

static std::string some_key()
{
	return Key::random_private().public_key().base64();
}

static void check_right()
{
	for (const auto &source : { netlink::Source(), pool, transparent })
		Chain(source).assert_right();
	Chain(transparent, "fd16::/64").assert_right();
	assert_false(static_cast<bool>(check_directory("/nonexistent")));
	assert_string_equal(check_directory("/nonexistent").error().hint.c_str(),
			    "make a chain: nwgctl chain new DIR");
	assert_non_null(strstr(check_directory("/dev/null").error().what.c_str(),
			       "`/dev/null' is no directory"));
}

/* Each file by itself. */
static void check_file()
{
	Chain().line(wg0, "[Interface]", "").assert_found("There is no [Interface]", wg0, "#");
	Chain().line(wg0, "# Home", "MTU = 1\n")
		.assert_found("stands before the first section", wg0, "MTU = 1");
	for (const char *key : { "Listen", "Peer", "To" }) {
		Chain().line(vps, fmt::format("{} =", key), "")
			.assert_found(fmt::format("[Relay] has no {}", key).c_str(), vps,
				      "[Relay]");
	}
	/* What up refuses. */
	Chain().line(vps, "MTU", "MTU = 1420\nKind = nwgg\n")
		.assert_found("is of that kind", vps, "Kind");
	Chain().line(vps, "MTU", "MTU = 1420\nTable = no such\n")
		.assert_found("No routing table", vps, "Table");
	Chain().line(vps, "MTU", "MTU = 70000\n").assert_found("MTU is not from", vps, "MTU");
	Chain().line(vps, "MTU", "MTU = x\n").assert_found("MTU is not a number", vps, "MTU");
	Chain().line(vps, "Source", "Source = all\n")
		.assert_found("Source is none of", vps, "Source");
	Chain().line(vps, "Source", "Source = pool 172.16.99.7/24\n")
		.assert_found("is an address in a network", vps, "Source");
}

/* The tunnel between VPS and home. */
static void check_wg1()
{
	Chain().line(wg1, "PublicKey", fmt::format("PublicKey = {}\n", some_key()))
		.assert_found("No [Peer] has the public key of the VPS", wg1, "PublicKey");
	Chain().line(wg1, "AllowedIPs",
		     fmt::format("PresharedKey = {}\nAllowedIPs = 172.16.1.1/32\n", some_key()))
		.assert_found("The preshared key is not that of", wg1, "PresharedKey");
	Chain().line(wg1, "Endpoint", "").assert_found("The home does not dial", wg1, "[Peer]");
	Chain().line(wg1, "AllowedIPs", "AllowedIPs = 172.16.1.9/32\n")
		.assert_found("The VPS' address in wg1, 172.16.1.1", wg1, "AllowedIPs",
			      "add 172.16.1.1/32");
	Chain().line(vps, "Address", "Address = 172.16.1.2/24\n")
		.assert_found("have the same address in wg1", wg1, "Address");
	for (const char *name : { vps, wg1, wg0 }) {
		Chain().line(name, "Address", "")
			.assert_found("[Interface] has no Address", name, "[Interface]");
		Chain().line(name, "MTU", "")
			.assert_found("[Interface] has no MTU", name, "[Interface]");
	}
}

static void check_relay()
{
	Chain chain;

	Chain().line(vps, "ListenPort", "")
		.assert_found("wg1 has no ListenPort", vps, "[Interface]");
	Chain().line(wg0, "ListenPort", "")
		.assert_found("home's wg0 has no ListenPort", wg0, "[Interface]");
	Chain().line(wg1, "MTU", "MTU = 1420\nListenPort = 51820\n")
		.assert_found("The home's wg0 has port 51820, too", wg1, "ListenPort");
	const auto at = chain[vps].find("\n[Relay]");
	const auto relay = chain[vps].substr(at);
	chain[vps] += relay;
	chain.assert_found("Another relay listens there", vps, "Listen");
	for (const char *listen : { "203.0.113.10:51820", "%eth0:51820" }) {
		chain[vps].resize(at);
		chain[vps] += relay + relay;
		chain.line(vps, "Listen =", fmt::format("Listen = {}\n", listen));
		chain.assert_found("Another relay listens there", vps, "Listen = 51820");
	}
	chain[vps].resize(at);
	chain.assert_found("There is no [Relay]", vps);

	/* Who the clients are to the home. */
	Chain(pool)
		.line(wg1, "AllowedIPs", "AllowedIPs = 172.16.1.1/32\n")
		.assert_found("AllowedIPs of the VPS lacks 172.16.99.0/24", wg1, "AllowedIPs",
			      "add 172.16.99.0/24");
	Chain(pool)
		.line(vps, "Source", "Source = pool fd99::/56\n")
		.assert_found("not of the inner endpoint's address family", vps, "Source");
	Chain(pool)
		.line(vps, "Source", "Source = pool 172.16.1.128/25\n")
		.assert_found("The pool 172.16.1.128/25 and 172.16.1.0/24 of wg1 overlap", vps,
			      "Source");
	Chain(pool).line(vps, "Source", "Source = pool\t172.16.99.0/24\n").assert_right();
	/* By hand, after it was made without. */
	Chain().line(vps, "Source", "Source = transparent\n")
		.assert_found("AllowedIPs of the VPS lacks 0.0.0.0/0", wg1, "AllowedIPs",
			      "first Table = off");
	Chain().line(vps, "Source", "Source = transparent\n")
		.assert_found("it has no mark to send them there", wg0, "[Interface]",
			      "FwMark = 0x60");
	Chain(transparent)
		.line(wg1, "Table", "")
		.assert_found("of AllowedIPs the home's default route", wg1, "[Interface]",
			      "Table = off");
	Chain(transparent)
		.line(wg1, "Table", "Table = auto\n")
		.assert_found("of AllowedIPs the home's default route", wg1, "Table");
	Chain(transparent).line(wg1, "Table", "Table = 60\n").assert_right();
}

/* Another home's relay is not held against this one. */
static void check_two_homes()
{
	const auto other = some_key();
	const auto peer =
		fmt::format("\n[Peer]\nPublicKey = {}\nAllowedIPs = 172.16.1.3/32\n", other);
	const auto relay = fmt::format("\n[Relay]\nListen = 51900\nPeer = {}\nTo = 172.16.1.3:9\n"
				       "ResponderKey = {}\nSource = pool 10.10.10.0/24\n",
				       other, some_key());
	Chain chain;

	/* First, as it would be taken for that of this one. */
	chain.replace(vps, "\n# clients' port", peer + relay + "\n# clients' port");
	chain.assert_right();
	chain.replace(pc, ":51820", ":51900");
	chain.assert_found("No relay listens on port 51900", pc, "Endpoint",
			   "Endpoint = 198.51.100.1:51820");
	chain.replace(vps, "To = 172.16.1.3:9", "To = 172.16.1.4:9");
	chain.assert_found("The inner endpoint 172.16.1.4 is not in AllowedIPs", vps, "To");
	chain[vps].resize(chain[vps].find("\n# clients' port"));
	chain.assert_found("No [Relay] leads to this home", vps);
}

static void check_client()
{
	Chain chain;

	Chain().line(wg0, "AllowedIPs", "").assert_found("[Peer] has no AllowedIPs", wg0, "[Peer]");
	Chain().line(wg0, "AllowedIPs", "AllowedIPs = 10.10.10.0/31\n")
		.assert_found("has the home's own address in it", wg0, "AllowedIPs");
	Chain().line(pc, "Endpoint", "").assert_found("[Peer] has no Endpoint", pc, "[Peer]");
	Chain().line(pc, "Address", "")
		.assert_found("[Interface] has no Address", pc, "[Interface]");
	Chain().line(pc, "AllowedIPs", "AllowedIPs = 192.168.88.0/24\n")
		.assert_found("The home's address 10.10.10.1 is not in AllowedIPs", pc,
			      "AllowedIPs", "add 10.10.10.0/24");
	Chain().line(pc, "Endpoint", "Endpoint = vps\n")
		.assert_found("No port in endpoint", pc, "Endpoint");
	Chain().line(pc, "Endpoint", "Endpoint = vps:0\n")
		.assert_found("Port 0 is none", pc, "Endpoint");
	const auto at = chain[pc].find("\n[Peer]");
	chain[pc] += chain[pc].substr(at);
	chain.assert_found("There are 2 sections [Peer], not 1", pc, "[Interface]");
	chain[pc].resize(at);
	chain.assert_found("There are 0 sections [Peer], not 1", pc, "[Interface]");
	chain.remove(pc);
	chain.remove("clients/pc.png");
	chain.assert_right();
	chain.remove("clients/pc2.conf");
	chain.remove("clients/pc2.png");
	chain.assert_found("Unable to read it", "clients");
}

/* Numbers that were given by hand are no fault, and what would be given again is. */
static void check_notes()
{
	Chain chain;

	chain.line(wg0, "Address", "Address = 10.10.10.254/24\n");
	chain[wg0] +=
		fmt::format("\n[Peer]\nPublicKey = {}\nAllowedIPs = 10.10.10.200/32\n", some_key());
	chain.line(script, "/ip/address/add address=10.10.10.1/24",
		   "/ip/address/add address=10.10.10.254/24 interface=wg0\n");
	for (const auto &finding : chain.check())
		assert_false(finding.file.ends_with("chain.json"));
	chain.replace("chain.json", "\"last_host\": 3", "\"last_host\": 2");
	chain.assert_found("`last_host' is 2, and host 3 is in use", "chain.json", "",
			   "\"last_host\": 3");
	/* What follows of an Address that is missing is not said, too. */
	chain = Chain();
	chain.replace("chain.json", "\"dns\": []", "\"dns\": [\"192.168.88.1\"]");
	chain.line(wg0, "Address", "");
	for (const auto &finding : chain.check())
		assert_false(finding.file.ends_with("chain.json"));
	/* A new client would get no answers. */
	Chain().replace("chain.json", "\"dns\": []", "\"dns\": [\"192.168.89.1\"]")
		.assert_found("Clients ask 192.168.89.1 for names", "chain.json", "",
			      "192.168.89.1/32");
}

/* Where and whom a client asks. */
static void check_client_hosts()
{
	Chain chain;

	Chain().line(pc, "Endpoint", "Endpoint = 198.51.100.2:51820\n")
		.assert_found("The home dials the VPS as 198.51.100.1", pc, "Endpoint",
			      "Endpoint = 198.51.100.1:51820");
	/* A name may be of that address, and the VPS may have one of IPv6. */
	Chain().line(pc, "Endpoint", "Endpoint = vps.example.net:51820\n").assert_right();
	Chain().line(pc, "Endpoint", "Endpoint = [2001:db8::1]:51820\n").assert_right();
	chain.line(wg1, "Endpoint", "Endpoint = VPS.example.net:51821\n");
	chain.replace(script, "endpoint-address=198.51.100.1", "endpoint-address=VPS.example.net");
	chain.line(pc, "Endpoint", "Endpoint = vps.example.net:51820\n");
	chain.assert_right();
	/* A machine may have several names, and the root's dot is part of one. */
	for (const char *name : { "wg.example.net", "vps.example.net." }) {
		chain.line(pc, "Endpoint", fmt::format("Endpoint = {}:51820\n", name));
		chain.assert_right();
	}

	Chain().line(vps, "Listen =", "Listen = 198.51.100.1:51820\n").assert_right();
	Chain().line(vps, "Listen =", "Listen = 198.51.100.7:51820\n")
		.assert_found("The relay listens on 198.51.100.7:51820", pc, "Endpoint",
			      "Endpoint = 198.51.100.7:51820");
	/* What the provider translates the VPS' address to is not known here. */
	for (const char *address : { "10.1.2.3", "100.64.1.2" }) {
		const auto listen = fmt::format("Listen = {}:51820\n", address);

		Chain().line(vps, "Listen =", listen).assert_right();
		Chain().line(vps, "Listen =", listen)
			.line(pc, "Endpoint", "Endpoint = 203.0.113.99:51820\n")
			.assert_found("The home dials the VPS as 198.51.100.1", pc, "Endpoint",
				      "Endpoint = 198.51.100.1:51820");
	}
	/* A second address of the VPS, which the home does not dial. */
	chain = Chain();
	chain.line(vps, "Listen =", "Listen = 198.51.100.7:51820\n");
	for (const char *name : { pc, "clients/pc2.conf" })
		chain.line(name, "Endpoint", "Endpoint = 198.51.100.7:51820\n");
	chain.assert_right();
	/* Two relays of one port, each on an address of its own. */
	chain = Chain();
	const auto relay = chain[vps].substr(chain[vps].find("\n[Relay]"));
	chain[vps] += relay;
	chain.line(vps, "Listen =", "Listen = 198.51.100.1:51820\n");
	chain.line(vps, "Listen = 51820", "Listen = [2001:db8::1]:51820\n");
	chain.line(pc, "Endpoint", "Endpoint = [2001:db8::1]:51820\n");
	chain.assert_right();
	chain.line(pc, "Endpoint", "Endpoint = [2001:db8::2]:51820\n");
	chain.assert_found("The relay listens on 198.51.100.1:51820", pc, "Endpoint");

	const auto asks = [](const char *dns) {
		return Chain().line(pc, "MTU", fmt::format("MTU = 1360\nDNS = {}\n", dns));
	};
	asks("1.1.1.1, 192.168.88.1,10.10.10.1 example.net").assert_right();
	asks("1.1.1.1, 192.168.89.1")
		.assert_found("It asks 192.168.89.1 for names, which is not in AllowedIPs", pc,
			      "DNS", "add 192.168.89.1/32");
	asks("fd00::53").assert_found("It asks fd00::53", pc, "DNS");
	/* Several of them add up. */
	asks("192.168.89.1\nDNS = 192.168.88.1").assert_found("It asks 192.168.89.1", pc, "DNS");
	asks("2606:4700:4700::1111").assert_right();
	asks("2606:4700:4700::1111")
		.line(pc, "AllowedIPs", "AllowedIPs = 0.0.0.0/0, ::/0\n")
		.assert_found("and has no Address of IPv6", pc, "DNS");
}

/* What only the notes have is held against the files. */
static void check_lan()
{
	const auto lan = [](const char *network) {
		return Chain().replace("chain.json", "192.168.88.0/24", network);
	};

	lan("10.10.0.0/16")
		.assert_found("10.10.0.0/16 of lan and 10.10.10.0/24 of wg0 overlap", "chain.json");
	lan("172.16.1.0/25")
		.assert_found("172.16.1.0/25 of lan and 172.16.1.0/24 of wg1 overlap",
			      "chain.json");
	lan("198.51.100.0/24").assert_found("The VPS, 198.51.100.1, is in", "chain.json");
	Chain().line(wg1, "Endpoint", "Endpoint = 172.16.1.9:51821\n")
		.assert_found("The VPS, 172.16.1.9, is in 172.16.1.0/24 of wg1", wg1, "Address");
	Chain().line(wg1, "Endpoint", "Endpoint = 10.10.10.9:51821\n")
		.assert_found("The VPS, 10.10.10.9, is in 10.10.10.0/24 of wg0", wg0, "Address");
	Chain(pool)
		.replace("chain.json", "192.168.88.0/24", "172.16.99.0/25")
		.assert_found("The pool 172.16.99.0/24 and 172.16.99.0/25 of lan overlap", vps,
			      "Source");
	/* Nothing is said of a line where there is none. */
	Chain(pool)
		.replace("chain.json", "192.168.88.0/24", "172.16.99.0/25")
		.assert_found("chain.json)", vps, "Source");
	lan("192.168.89.0/24").assert_right();
}

void test_check_routeros(void **)
{
	const auto swap = [](const char *from, const char *to) {
		return Chain().replace(script, from, to);
	};
	Chain chain;

	swap("add name=wg1", "remove name=wg1").assert_found("No command makes wg1", script);
	/* By whatever name, as long as all of it has that one. */
	swap("add name=wg1", "add name=wg7")
		.assert_found("wg7 does not get the address 172.16.1.2/24", script);
	swap("add name=wg1", "add name=wg7").assert_found("wg7 does not get the peer of", script);
	for (const char *name : { "wg0", "wg1" })
		chain.rename(script, std::string("=") + name, std::string("=x") + name);
	chain.assert_right();
	chain = Chain();
	chain.rename(script, "=wg0", "=\"home clients\"");
	chain.assert_right();
	chain.line(script, "/ip/address/add address=10.10.10.1/24", "");
	chain.assert_found("home clients does not get the address", script, "",
			   "interface=\"home clients\"");
	swap("add name=wg0 ", "add ").assert_found("It gives wg0 no name", script, "/interface");
	swap("mtu=1360", "mtu=1350")
		.assert_found("The MTU is not that of", script, "/interface", "mtu=1360");
	swap("mtu=1360 ", "").assert_found("The MTU is not that of", script);
	swap("mtu=1420 ", "").assert_right();
	swap("listen-port=51820", "listen-port=1").assert_found("The port is not that of", script);
	swap("address=172.16.1.2/24", "address=172.16.1.3/24")
		.assert_found("wg1 does not get the address 172.16.1.2/24", script);
	swap("preshared-key=", "preshared-key=x").assert_found("The preshared key is not", script);
	swap("allowed-address=10.10.10.2/32", "allowed-address=10.10.10.9/32")
		.assert_found("allowed-address is not AllowedIPs of", script);
	swap("endpoint-port=51821", "endpoint-port=1").assert_found("The endpoint is not", script);
	swap("endpoint-address=198.51.100.1", "endpoint-address=198.51.100.2")
		.assert_found("The endpoint is not that of", script);
	swap(" persistent-keepalive=25s", "").assert_found("has no keepalive", script);

	/* What the router has, and the files have not. */
	const std::string own = "/interface/wireguard/peers/add interface=wg0 comment=\"pc\"";
	swap(own.c_str(), (own + " disabled=yes").c_str())
		.assert_found("The peer is disabled", script, own);
	swap("/interface/wireguard/add name=wg0", "/interface/wireguard/add disabled=yes name=wg0")
		.assert_found("wg0 is disabled", script, "/interface/wireguard/add");
	chain = Chain();
	chain.line(script, own, "");
	chain[script] += fmt::format(
		"/interface/wireguard/peers/add interface=wg0 public-key=\"{}\" allowed-address={}\n",
		some_key(), "10.10.10.9/32");
	chain.assert_found("wg0 gets a peer that", script, "/interface/wireguard/peers",
			   "peers/remove [find where interface=wg0 and public-key=");
	chain = Chain();
	const auto at = chain[script].find("/interface/wireguard/peers/add interface=wg0");
	chain[script] += chain[script].substr(at, chain[script].find('\n', at) + 1 - at);
	chain.assert_found("wg0 gets the peer twice (line", script, own);
	chain = Chain();
	chain.remove(script);
	chain.assert_right();
	chain = Chain();

	/* The rule that lets clients' tunnels in, for a router with rules, and for one without. */
	const auto rule = [](const char *from, const char *to, bool all = true) {
		Chain changed;

		changed.replace(script, from, to);
		if (all)
			changed.rename(script, from, to);
		changed.assert_found("does not let clients' tunnels in", script, ":if", from);
	};
	rule("dst-port=51820", "dst-port=51821");
	rule("dst-port=51820", "dst-port=51821", false);
	rule("in-interface=wg1", "in-interface=wg7");
	rule("src-address=172.16.1.1", "src-address=172.16.1.3");
	/* In all of its two commands. */
	const auto tunnel = [](const std::string &from, const std::string &to) {
		Chain changed;
		const auto at = changed[script].find(":if ([:len [/ip/firewall");
		auto text = changed[script].substr(at, changed[script].find('\n', at) - at);
		const auto before = text;

		for (auto place = text.find(from); place != text.npos;
		     place = text.find(from, place + to.size()))
			text.replace(place, from.size(), to);
		changed.replace(script, before, text);
		return changed;
	};
	for (const auto &[from, to] : { std::pair{ "action=accept", "action=drop" },
					{ "protocol=udp", "protocol=tcp" },
					{ "chain=input", "chain=forward" },
					{ "in-interface=wg1", "in-interface-list=WAN" } })
		tunnel(from, to).assert_found("does not let clients' tunnels in", script, ":if",
					      from);
	tunnel("chain=input", "disabled=yes chain=input")
		.assert_found("does not let clients' tunnels in", script, ":if",
			      "take disabled=yes out");
	tunnel("protocol=udp", "protocol=17").assert_right();
	tunnel("in-interface=wg1", "in-interface-list=!WAN").assert_right();
	/* To which input jumps. */
	tunnel("chain=input", "chain=tunnels").assert_right();
	chain = tunnel("in-interface=wg1", "in-interface-list=tunnels");
	chain[script] += "/interface/list/member/add list=tunnels interface=wg1\n";
	chain.assert_right();
	chain = tunnel("src-address=172.16.1.1}", "src-address=172.16.1.1;}");
	chain.assert_right();
	for (const char *to : { "dst-port=1,51820", "dst-port=51000-52000" }) {
		chain = Chain();
		chain.rename(script, "dst-port=51820", to);
		chain.assert_right();
	}
	chain = Chain(pool);
	chain.rename(script, "src-address=172.16.99.0/24", "src-address=172.16.1.1");
	chain.assert_found("does not let clients' tunnels in", script, ":if",
			   "src-address=172.16.99.0/24");
	/* One of the router's own, and one that says less. */
	chain = Chain();
	chain[script] +=
		"/ip/firewall/filter/add chain=input in-interface=wg1 dst-port=53 protocol=udp\n";
	chain.rename(script, " src-address=172.16.1.1", "");
	chain.assert_right();
	chain = Chain();
	/* With rules for clients, one for their tunnels is needed; a router that does without rules has none of both. */
	chain.line(script, ":if ([:len [/ip/firewall", "");
	chain.assert_found("and none that lets their tunnels in", script, ":if",
			   "/ip/firewall/filter/add chain=input action=accept protocol=udp "
			   "dst-port=51820 in-interface=wg1");
	chain[script].resize(chain[script].find(":if ([:len [/ip/firewall"));
	chain.assert_right();
	/* With two relays to one home, each would be said twice. */
	chain = tunnel("dst-port=51820", "dst-port=51821");
	const auto one = chain.check().size();
	chain[vps] += chain[vps].substr(chain[vps].find("\n[Relay]"));
	chain.line(vps, "Listen = 51820", "Listen = 51900\n");
	assert_int_equal(chain.check().size(), one);
	chain = Chain();

	/* As its documentation writes it, and as export does. */
	swap("/interface/wireguard/peers/add interface=wg1",
	     "/interface wireguard peers add interface=wg1")
		.assert_right();
	swap("/interface/wireguard/add name=wg1", "/interface wireguard\nadd name=wg1")
		.assert_right();
	chain = Chain(pool);
	chain.replace(script, "allowed-address=172.16.1.1/32,172.16.99.0/24",
		      "allowed-address=172.16.99.7/24,172.16.1.1");
	chain.assert_right();
}

void test_check_files(void **)
{
	check_right();
	check_file();
	check_wg1();
	check_relay();
	check_two_homes();
	check_client();
	check_client_hosts();
	check_lan();
	check_notes();
}
