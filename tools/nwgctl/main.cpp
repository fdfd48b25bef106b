// SPDX-License-Identifier: GPL-2.0
/* nwgctl: options, and which command it is. */
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sodium.h>
#include <unistd.h>

#include "batch.hpp"
#include "command.hpp"
#include "render/block.hpp"

namespace nwgctl
{

struct Command {
	/* "relay add": the command of an object. */
	const char *object, *name;
	Status (*run)(const Options &options, Arguments arguments);
	const char *summary, *arguments, *example;
};

static constexpr Command commands[] = {
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
	  "    [client NAME]... [clients N] [lan { PREFIX | none }]... [full] [dns ADDR]...\n"
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
	{ nullptr, "metrics", metrics, "Show all that is counted in the form that Prometheus reads",
	  "[dev IFACE]", "nwgctl metrics > nwg.prom.new && mv nwg.prom.new nwg.prom" },
};

static constexpr const char *options_help =
	"Options:\n"
	"  -j, --json         JSON, from commands that show\n"
	"  -p, --pretty       with -j: with indentation\n"
	"  -s, --statistics   everything that is counted, from relay show and monitor\n"
	"  -t, --timestamp    the time of each event, from monitor\n"
	"  -n, --netns NAME   in the network namespace NAME of ip-netns(8)\n"
	"  -b, --batch FILE   commands from a file, one a line; - is standard input\n"
	"  -f, --force        with -b: go on after a command that fails\n"
	"  -c, --color[=WHEN] colours: always, as without WHEN, auto, or never\n"
	"  -h, --help         this text; behind a command, its own\n"
	"  -v, --version      the version\n";

static std::string usage(const Command &command)
{
	return fmt::format("Usage: nwgctl [OPTIONS] {}{}{}{}{}\n",
			   command.object ? command.object : "", command.object ? " " : "",
			   command.name, *command.arguments ? " " : "", command.arguments);
}

static std::string command_help(const Command &command)
{
	return fmt::format("{}\n{}.\n\nExample:\n  {}\n\n{}\nSee nwgctl(8).\n", usage(command),
			   command.summary, command.example, options_help);
}

/* Of the program, or of an object such as "relay". */
static std::string list_help(const char *object)
{
	std::string text =
		fmt::format("Usage: nwgctl [OPTIONS] {}{}COMMAND [ARGUMENTS]\n\nCommands:\n",
			    object ? object : "", object ? " " : "");

	for (const auto &command : commands) {
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

static Status enter_namespace(const std::string &name)
{
	const std::string path = "/run/netns/" + name;

	if (name.empty() || name.find('/') != name.npos)
		return usage_error(
			fmt::format("`{}' is not the name of a network namespace", name));
	const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return usage_error(fmt::format("Unable to open network namespace {}: {}", name,
					       strerror(errno)),
				   errno == ENOENT ? "see which there are: ip netns list" : "");
	const int error = setns(file, CLONE_NEWNET) ? errno : 0;
	close(file);
	if (error)
		return Error{ Exit::refused,
			      fmt::format("Unable to enter network namespace {}: {}", name,
					  strerror(error)),
			      {},
			      error == EPERM ? "be root" : "",
			      error };
	return {};
}

/* Commands hold the words that are theirs for their grammar; options are taken out wherever they stand. */
class Program {
    public:
	Program()
	{
		prepare(app)->require_subcommand(0, 1);
		for (const auto &command : commands) {
			CLI::App *parent = &app;

			if (command.object) {
				CLI::App *&object = objects[command.object];

				if (!object)
					object = prepare(*app.add_subcommand(command.object))
							 ->require_subcommand(0, 1);
				parent = object;
			}
			parsers.push_back(prepare(*parent->add_subcommand(command.name)));
		}
	}

	/* All words behind the program's name. */
	Exit run(std::vector<std::string> words)
	{
		for (auto &word : words) {
			/* CLI11 takes the value of a long option only. */
			if (word.starts_with("-c="))
				word.insert(1, "-").insert(3, "olor");
		}
		std::ranges::reverse(words);
		try {
			app.parse(words);
		} catch (const CLI::ParseError &error) {
			return fail(usage_error(error.what(), "nwgctl --help"));
		}
		if (version) {
			fmt::print("nwgctl {}\n", NWGCTL_VERSION);
			return Exit::ok;
		}
		if (!render::Palette::choose(color))
			return fail(usage_error(fmt::format("Invalid colour: `{}'", color),
						"it is one of always, auto, never"));
		if (in_batch && (force || batch))
			return fail(usage_error("Invalid option: `--batch' or `--force' in a batch",
						"they are for the whole of it"));
		if (batch && !help)
			return run_batch();
		if (app.remaining_size())
			return unknown_word(app.remaining()[0], nullptr);
		for (std::size_t index = 0; index < parsers.size(); index++) {
			if (*parsers[index])
				return run(commands[index], parsers[index]->remaining());
		}
		return without_command();
	}

    private:
	/* What is no option stays, in its order, as the parser's remaining words. */
	CLI::App *prepare(CLI::App &parser)
	{
		parser.set_help_flag();
		parser.allow_extras();
		parser.add_flag("-j,--json", options.json);
		parser.add_flag("-p,--pretty", options.pretty);
		parser.add_flag("-s,--statistics,--stats", options.statistics);
		parser.add_flag("-t,--timestamp", options.timestamp);
		parser.add_option("-n,--netns", netns)->take_last();
		parser.add_option("-b,--batch", batch)->take_last();
		parser.add_flag("-f,--force", force);
		parser.add_flag("-c{always},--color{always}", color)->take_last();
		parser.add_flag("-h,--help", help);
		parser.add_flag("-v,--version", version);
		return &parser;
	}

	/* As ip(8): the first command that fails ends it, unless forced, and then or at the end it is 1. */
	Exit run_batch()
	{
		if (app.remaining_size() || !app.get_subcommands().empty())
			return fail(usage_error("Invalid option: `--batch' with a command",
						"the commands are in the file"));
		if (auto status = enter(); !status)
			return fail(status.error());
		auto opened = Batch::open(*batch);
		if (!opened)
			return fail(opened.error());
		Batch lines = opened.take();
		Exit exit = Exit::ok;
		for (;;) {
			auto words = lines.next();

			if (words && words.value().empty())
				return exit;
			auto status = words ? run_line(words.take()) : words.error();
			if (status && status.value() == Exit::ok)
				continue;
			if (!status)
				print_error(status.error());
			fmt::print(stderr, "Command failed {}\n", lines.place());
			exit = Exit::usage;
			/* Whoever cannot come back from a namespace would do the rest in the wrong one. */
			if (!force || lines.ended() || (!status && status.error().number))
				return exit;
		}
	}
	/* One command of a batch. What its options say is for it alone. An error with a number ends the batch. */
	Result<Exit> run_line(std::vector<std::string> words) const
	{
		const int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		int number = own < 0 ? errno : 0;
		Exit exit = Exit::ok;
		Program line;

		line.options = options;
		line.color = color;
		line.in_batch = true;
		if (!number)
			exit = line.run(std::move(words));
		/* Keys are written past the buffer. */
		fflush(stdout);
		if (line.entered && setns(own, CLONE_NEWNET))
			number = errno;
		close(own);
		if (number)
			return Error{ Exit::refused,
				      fmt::format("Unable to stay in the network namespace: {}",
						  strerror(number)),
				      {},
				      {},
				      number };
		return exit;
	}
	/* The namespace that was asked for, if one was. */
	Status enter()
	{
		if (netns)
			TRY(enter_namespace(*netns));
		entered = netns.has_value();
		return {};
	}

	Exit without_command()
	{
		for (const auto &[object, parser] : objects) {
			if (!*parser)
				continue;
			if (help)
				return print_help(list_help(object.c_str()));
			if (parser->remaining_size())
				return unknown_word(parser->remaining()[0], object.c_str());
			return run(
				*std::ranges::find_if(commands,
						      [&object = object](const Command &command) {
							      return command.object &&
								     command.object == object &&
								     !strcmp(command.name, "show");
						      }),
				{});
		}
		if (help)
			return print_help(list_help(nullptr));
		return run(commands[0], {});
	}

	Exit run(const Command &command, const std::vector<std::string> &arguments)
	{
		/* As wg(8) and ip(8) have it; an interface of that name is for other commands. */
		if (help ||
		    (command.run == show && arguments == std::vector<std::string>{ "help" }))
			return print_help(command_help(command));
		if (auto entering = enter(); !entering)
			return fail(entering.error());
		/* A value can be a negative number, which is for the command to refuse. */
		for (const auto &word : arguments) {
			if (word.size() > 1 && word[0] == '-' &&
			    !isdigit(static_cast<unsigned char>(word[1]))) {
				fmt::print(stderr, "Invalid option: `{}'\n{}", word,
					   usage(command));
				return Exit::usage;
			}
		}
		auto status = command.run(options, arguments);
		if (!status && status.error().show_usage) {
			fmt::print(stderr, "{}\n{}", status.error().what, usage(command));
			return Exit::usage;
		}
		if (!status)
			return fail(status.error());
		return Exit::ok;
	}

	static Exit print_help(const std::string &text)
	{
		fmt::print("{}", text);
		return Exit::ok;
	}
	static Exit unknown_word(const std::string &word, const char *object)
	{
		if (word == "help")
			return print_help(list_help(object));
		fmt::print(stderr, "Invalid {}: `{}'\n{}",
			   word.starts_with('-') ? "option" : "subcommand", word,
			   list_help(object));
		return Exit::usage;
	}
	static Exit fail(const Error &error)
	{
		print_error(error);
		return error.exit;
	}

	CLI::App app{ "nwgctl" };
	Options options;
	std::optional<std::string> netns, batch;
	std::string color;
	bool help = false, version = false, force = false;
	/* Whether this is one command of a batch, and whether it has left the namespace. */
	bool in_batch = false, entered = false;
	/* In the order of the commands. */
	std::vector<CLI::App *> parsers;
	std::map<std::string, CLI::App *> objects;
};

} // namespace nwgctl

int main(int count, char **words)
{
	if (sodium_init() < 0) {
		fmt::print(stderr, "Unable to get randomness from the kernel\n");
		return static_cast<int>(nwgctl::Exit::refused);
	}
	const auto exit = nwgctl::Program().run({ words + std::min(count, 1), words + count });

	if (fflush(stdout) || ferror(stdout)) {
		fmt::print(stderr, "Unable to write: {}\n", strerror(errno));
		return static_cast<int>(nwgctl::Exit::usage);
	}
	return static_cast<int>(exit);
}
