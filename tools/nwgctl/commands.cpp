// SPDX-License-Identifier: GPL-2.0
#include "commands.hpp"

#include <cstring>

#include <fmt/format.h>

namespace nwgctl
{

static constexpr Command table[] = {
	{ nullptr, "show", show, "Show WireGuard interfaces",
	  "{ IFACE | all | interfaces }\n"
	  "    [public-key | private-key | listen-port | fwmark | peers | preshared-keys | endpoints |\n"
	  "    allowed-ips | latest-handshakes | transfer | persistent-keepalive | dump]",
	  "nwgctl show wg0" },
	{ nullptr, "showconf", showconf, "Show an interface as a configuration file", "IFACE",
	  "nwgctl showconf wg0 > wg0.conf" },
	{ nullptr, "set", set, "Change an interface, add, change or remove peers",
	  "IFACE [listen-port PORT] [fwmark MARK] [private-key FILE]\n"
	  "    [peer KEY [remove] [preshared-key FILE] [endpoint HOST:PORT] [persistent-keepalive SECONDS]\n"
	  "    [allowed-ips ADDR/LENGTH[,ADDR/LENGTH]...] ]...",
	  "nwgctl set wg0 private-key wg0.key listen-port 51820" },
	{ nullptr, "setconf", setconf, "Make an interface what a file says", "IFACE FILE",
	  "nwgctl setconf wg0 wg0.conf" },
	{ nullptr, "addconf", addconf, "Add what a file says to an interface", "IFACE FILE",
	  "nwgctl addconf wg0 more.conf" },
	{ nullptr, "syncconf", syncconf, "As setconf, and leave alone what is right", "IFACE FILE",
	  "nwgctl syncconf wg0 wg0.conf" },
	{ nullptr, "genkey", genkey, "Write a new private key to standard output", "",
	  "(umask 077; nwgctl genkey > wg0.key)" },
	{ nullptr, "genpsk", genpsk, "Write a new preshared key to standard output", "",
	  "(umask 077; nwgctl genpsk > peer.psk)" },
	{ nullptr, "pubkey", pubkey, "Read a private key and write its public key", "",
	  "nwgctl pubkey < wg0.key" },
	{ nullptr, "up", up, "Make an interface, and all that a file says of it",
	  "{ FILE | IFACE }", "nwgctl up wg1" },
	{ nullptr, "down", down, "Remove an interface, and what was made for it",
	  "{ FILE | IFACE }", "nwgctl down wg1" },
	{ nullptr, "reload", reload,
	  "Make an interface what its file says, and leave alone what is right", "{ FILE | IFACE }",
	  "nwgctl reload wg1" },
	{ nullptr, "save", save, "Write an interface's file anew, as it is now", "{ FILE | IFACE }",
	  "nwgctl save wg1" },
	{ nullptr, "migrate", migrate, "Write a file with relays in place of DNAT rules",
	  "[FILE | IFACE] [to FILE]", "nwgctl migrate --dry-run wg1" },
	{ nullptr, "doctor", doctor, "Find what is wrong, and say what to do", "[seconds N]",
	  "nwgctl doctor" },
	{ "relay", "add", relay_add, "Relay a UDP port into a peer",
	  "dev IFACE listen [[ADDR][%DEV]:]PORT peer KEY to ADDR:PORT\n"
	  "    [responder KEY] [max-flows N] [max-flows-per-source N]\n"
	  "    [source { masquerade | pool PREFIX | transparent }]",
	  "nwgctl relay add dev wg1 listen 60000 peer \"$(cat home1.pub)\" to 172.16.1.254:60000 "
	  "responder \"$(cat home0.pub)\"" },
	{ "relay", "set", relay_set, "Change a relay and keep its flows",
	  "listen [[ADDR][%DEV]:]PORT [dev IFACE] [peer KEY] [to ADDR:PORT]\n"
	  "    [responder { KEY | none }] [max-flows N] [max-flows-per-source N]\n"
	  "    [source { masquerade | pool PREFIX | transparent }]",
	  "nwgctl relay set listen 60000 max-flows 100" },
	{ "relay", "del", relay_del, "Remove a relay and its flows",
	  "listen [[ADDR][%DEV]:]PORT [dev IFACE]", "nwgctl relay del listen 60000" },
	{ "relay", "show", relay_show, "Show relays and what they do",
	  "[dev IFACE] [listen [[ADDR][%DEV]:]PORT]", "nwgctl -j relay show listen 60000" },
	{ "flow", "show", flow_show, "Show the flows of relays",
	  "[dev IFACE] [listen [[ADDR][%DEV]:]PORT] [peer KEY]\n"
	  "    [client { ADDR[/LENGTH] | *}[:PORT]] [state { new | established | tentative }[,...]]\n"
	  "    [sort { client | bytes | packets | age | idle | expires } [reverse]] [limit N]",
	  "nwgctl flow show state established sort bytes limit 10" },
	{ "chain", "new", chain_new, "Write the files of a VPS, a home and its clients",
	  "DIR [vps { HOST | ADDR }] [port PORT] [wg1-port PORT]\n"
	  "    [client NAME]... [clients N] [lan { PREFIX | none }]... [full] [dns { ADDR | none }]...\n"
	  "    [wg0-network PREFIX]... [wg1-network PREFIX] [mtu N] [kind { nwg | wireguard }]\n"
	  "    [source { masquerade | pool PREFIX | transparent }]\n"
	  "    [max-flows N] [max-flows-per-source N]",
	  "nwgctl chain new home vps vps.example.net lan 192.168.88.0/24 client laptop client phone" },
	{ "chain", "add-client", chain_add_client, "Add a client to the files", "DIR NAME",
	  "nwgctl chain add-client home tablet" },
	{ "chain", "qr", chain_qr, "Show a client's file as a QR code", "DIR NAME [png]",
	  "nwgctl chain qr home phone" },
	{ "chain", "check", chain_check, "Find what is wrong with the files", "DIR",
	  "nwgctl chain check home" },
	{ "chain", "show", chain_show, "Show what of a chain is up on this VPS", "[dev IFACE]",
	  "nwgctl chain show dev wg1" },
	{ nullptr, "monitor", monitor,
	  "Show what happens to relays, flows and peers, as it happens",
	  "[dev IFACE] [listen [[ADDR][%DEV]:]PORT]", "nwgctl -t monitor dev wg1" },
	{ nullptr, "top", run_top, "Show relays, flows and peers with their rates, live",
	  "[dev IFACE] [delay SECONDS]", "nwgctl top dev wg1" },
	{ nullptr, "metrics", metrics, "Show all that is counted in the form that Prometheus reads",
	  "[dev IFACE]", "nwgctl metrics > nwg.prom.new && mv nwg.prom.new nwg.prom" },
};

std::span<const Command> commands()
{
	return table;
}

const char *const options_help =
	"Options:\n"
	"  -j, --json         JSON, from commands that show\n"
	"  -p, --pretty       with -j: with indentation\n"
	"  -s, --statistics   everything that is counted, from relay show and monitor\n"
	"  -t, --timestamp    the time of each event, from monitor\n"
	"      --dry-run      show what would be written, and write nothing, with migrate\n"
	"  -n, --netns NETNS  in the network namespace NETNS of ip-netns(8)\n"
	"  -b, --batch FILE   commands from a file, one a line; - is standard input\n"
	"  -f, --force        with -b: go on after a command that fails\n"
	"  -c, --color[=WHEN] colours: always, as without WHEN, auto, or never\n"
	"  -h, --help         this text; behind a command, its own\n"
	"  -v, --version      the version\n";

std::string usage(const Command &command)
{
	return fmt::format("Usage: nwgctl [OPTIONS] {}{}{}{}{}\n",
			   command.object ? command.object : "", command.object ? " " : "",
			   command.name, *command.arguments ? " " : "", command.arguments);
}

std::string command_help(const Command &command)
{
	return fmt::format("{}\n{}.\n\nExample:\n  {}\n\n{}\nSee nwgctl(8).\n", usage(command),
			   command.summary, command.example, options_help);
}

std::string list_help(const char *object)
{
	std::string text =
		fmt::format("Usage: nwgctl [OPTIONS] {}{}COMMAND [ARGUMENTS]\n\nCommands:\n",
			    object ? object : "", object ? " " : "");

	for (const auto &command : table) {
		if (object && (!command.object || strcmp(command.object, object)))
			continue;
		const auto name = command.object ?
					  fmt::format("{} {}", command.object, command.name) :
					  command.name;
		text += fmt::format("  {:<18}{}\n", name, command.summary);
	}
	if (!object)
		text += "Without a command: show.\n";
	return fmt::format("{}\n{}\nExample:\n  nwgctl {}--help\n\nSee nwgctl(8).\n", text,
			   options_help, object ? fmt::format("{} show ", object) : "set ");
}

} // namespace nwgctl
