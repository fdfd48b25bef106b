// SPDX-License-Identifier: GPL-2.0
/* nwgctl: options, and which command it is; the commands are in commands.cpp. */
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <optional>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sodium.h>
#include <unistd.h>

#include "batch.hpp"
#include "commands.hpp"
#include "completion/complete.hpp"
#include "namespace.hpp"
#include "render/block.hpp"
#include "say.hpp"

namespace nwgctl
{

/* Commands hold the words that are theirs for their grammar; options are taken out wherever they stand. */
class Program {
    public:
	Program()
	{
		prepare(app)->require_subcommand(0, 1);
		for (const auto &command : commands()) {
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
				return run(commands()[index], parsers[index]->remaining());
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
		parser.add_flag("--dry-run", options.dry_run);
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
			say("Command failed {}\n", lines.place());
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
				*std::ranges::find_if(commands(),
						      [&object = object](const Command &command) {
							      return command.object &&
								     command.object == object &&
								     !strcmp(command.name, "show");
						      }),
				{});
		}
		if (help)
			return print_help(list_help(nullptr));
		return run(commands()[0], {});
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
				say("Invalid option: `{}'\n{}", word, usage(command));
				return Exit::usage;
			}
		}
		if (options.dry_run && command.run != migrate)
			return fail(
				usage_error("Invalid option: `--dry-run'", "only migrate has it"));
		auto status = command.run(options, arguments);
		if (!status && status.error().show_usage) {
			say("{}\n{}", status.error().what, usage(command));
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
		say("Invalid {}: `{}'\n{}", word.starts_with('-') ? "option" : "subcommand", word,
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

/* What is thrown unwinds, so that a change that is half done is undone. */
static nwgctl::Exit run(int count, char **words)
{
	using nwgctl::Exit;
	using nwgctl::say;

	try {
		/* For the scripts of shells: what is behind it are another command line's words, its options included. */
		const bool completes = count > 2 && !strcmp(words[1], "complete") &&
				       !strcmp(words[2], "--");
		const auto exit = completes ? nwgctl::complete({ words + 3, words + count }) :
					      nwgctl::Program().run({ words + std::min(count, 1),
								      words + count });

		if (!fflush(stdout) && !ferror(stdout))
			return exit;
		say("Unable to write: {}\n", strerror(errno));
		return Exit::usage;
	} catch (const std::system_error &error) {
		/* fmt::print(), which has more to say than a buffer takes. */
		say("Unable to write: {}\n", strerror(error.code().value()));
		return Exit::usage;
	} catch (const std::exception &error) {
		say("Unable to go on: {}\n", error.what());
		return Exit::refused;
	}
}

/*
 * What is opened next would take the place of one of the three that is closed, and be handed to who is started, such as a lock.
 * Neither can be read or written, as before.
 */
static void fill_standard_files()
{
	for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) {
		if (fcntl(file, F_GETFD) < 0)
			static_cast<void>(
				open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY));
	}
}

int main(int count, char **words)
{
	fill_standard_files();
	if (sodium_init() < 0) {
		nwgctl::say("Unable to get randomness from the kernel\n");
		return static_cast<int>(nwgctl::Exit::refused);
	}
	return static_cast<int>(run(count, words));
}
