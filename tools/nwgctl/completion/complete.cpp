// SPDX-License-Identifier: GPL-2.0
#include "complete.hpp"

#include <algorithm>
#include <cstring>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "../commands.hpp"
#include "grammar.hpp"

namespace nwgctl::completion
{

struct Option {
	std::string short_name, long_name, about;
	/* The kind of its value; empty if it has none. */
	std::string kind;
	/* Whether it has one only behind a =. */
	bool may_stand_alone = false;
};

/* As the help has them. */
static std::vector<Option> read_options()
{
	std::istringstream lines(options_help);
	std::vector<Option> options;
	std::string line;

	while (std::getline(lines, line)) {
		Option option;
		std::string blank;

		if (!line.starts_with("  -"))
			continue;
		std::istringstream words(line);
		words >> option.short_name >> option.long_name;
		option.short_name.pop_back();
		const auto bracket = option.long_name.find("[=");
		option.may_stand_alone = bracket != std::string::npos;
		if (option.may_stand_alone) {
			option.kind = option.long_name.substr(bracket + 2);
			option.kind.pop_back();
			option.long_name.resize(bracket);
		} else if (words.get() == ' ' && words.peek() != ' ') {
			words >> option.kind;
		}
		std::getline(words >> std::ws, option.about);
		options.push_back(option);
	}
	return options;
}

static bool is_option(const std::string &word)
{
	return word.size() > 1 && word[0] == '-' && !isdigit(static_cast<unsigned char>(word[1]));
}

/* A command line without its options, which may be anywhere. */
class Line {
    public:
	void take(const std::string &word)
	{
		if (awaiting) {
			value(*awaiting, word);
			awaiting.reset();
		} else if (word.starts_with("--")) {
			take_long(word);
		} else if (is_option(word)) {
			take_short(word);
		} else {
			words.push_back(word);
		}
	}
	/* Of which a value comes next. */
	std::optional<Option> awaiting;
	std::vector<std::string> words;
	std::optional<std::string> netns;
	const std::vector<Option> options = read_options();

    private:
	void value(const Option &option, const std::string &text)
	{
		if (option.kind == "NETNS")
			netns = text;
	}
	void take_long(const std::string &word)
	{
		const auto equals = word.find('=');

		for (const auto &option : options) {
			if (option.long_name != word.substr(0, equals))
				continue;
			if (equals != word.npos)
				value(option, word.substr(equals + 1));
			else if (!option.kind.empty() && !option.may_stand_alone)
				awaiting = option;
		}
	}
	/* Several letters; behind one with a value the rest is that. */
	void take_short(const std::string &word)
	{
		for (std::size_t index = 1; index < word.size(); index++) {
			for (const auto &option : options) {
				if (option.short_name[1] != word[index] || option.kind.empty())
					continue;
				if (option.may_stand_alone)
					return;
				if (index + 1 == word.size())
					awaiting = option;
				else
					value(option, word.substr(index + 1));
				return;
			}
		}
	}
};

class Completer {
    public:
	explicit Completer(std::vector<std::string> words)
	{
		if (!words.empty()) {
			last = std::move(words.back());
			words.pop_back();
		}
		for (const auto &word : words)
			line.take(word);
	}
	Completion run()
	{
		if (line.awaiting)
			add(line.awaiting->kind, {});
		else if (last.starts_with('-'))
			add_options();
		else
			add_words();
		std::erase_if(result.words, [this](const Candidate &candidate) {
			return !candidate.word.starts_with(last);
		});
		return std::move(result);
	}

    private:
	void add_options()
	{
		const auto equals = last.find('=');

		for (const auto &option : line.options) {
			if (equals == last.npos) {
				result.words.push_back({ option.short_name, option.about });
				result.words.push_back({ option.long_name, option.about });
			} else if (option.long_name == last.substr(0, equals) &&
				   !option.kind.empty()) {
				result.prefix = last.substr(0, equals + 1);
				add(option.kind, {});
			}
		}
	}
	/* A value of a kind; @wanted says more of it. */
	void add(const std::string &kind, Wanted wanted)
	{
		if (kind == "FILE") {
			result.files = Completion::Files::files;
		} else if (kind == "DIR") {
			result.files = Completion::Files::directories;
		} else if (kind == "WHEN") {
			for (const char *when : { "always", "auto", "never" })
				result.words.push_back({ result.prefix + when });
		} else {
			wanted.kind = kind;
			wanted.netns = line.netns;
			result.wanted.push_back(std::move(wanted));
		}
	}
	void add_words()
	{
		const std::string first = line.words.empty() ? "" : line.words[0];
		std::vector<std::string> object;

		for (const auto &command : commands()) {
			const std::size_t own = command.object ? 2 : 1;

			if (!command.object && line.words.empty())
				result.words.push_back({ command.name, command.summary });
			if (command.object && line.words.empty())
				add_object(command.object);
			if (first != (command.object ? command.object : command.name))
				continue;
			if (line.words.size() < own)
				result.words.push_back({ command.name, command.summary });
			else if (line.words[own - 1] == command.name)
				add_arguments(command, std::span(line.words).subspan(own));
		}
	}
	void add_object(const std::string &object)
	{
		std::vector<std::string> names;

		if (std::ranges::find(result.words, object, &Candidate::word) != result.words.end())
			return;
		for (const auto &command : commands()) {
			if (command.object && command.object == object)
				names.emplace_back(command.name);
		}
		result.words.push_back({ object, fmt::format("{}", fmt::join(names, ", ")) });
	}
	void add_arguments(const Command &command, std::span<const std::string> arguments)
	{
		/* A name that something has is none for what is made. */
		const bool makes = !strncmp(command.name, "add", 3) || !strcmp(command.name, "new");
		Position position(Grammar::from_usage(command.arguments));

		for (const auto &argument : arguments) {
			if (!position.take(argument))
				return;
		}
		const Wanted wanted{ .kind = {},
				     .keyword = position.keyword(),
				     .interface = position.written("IFACE"),
				     .directory = position.written("DIR") };
		for (const auto &value : position.values())
			add_value(value, wanted, makes);
		for (const auto &keyword : position.keywords())
			result.words.push_back({ keyword });
	}
	void add_value(const Value &value, Wanted wanted, bool makes)
	{
		/* Behind the last comma another one of a list begins. */
		const auto before = value.list ? last.substr(0, last.rfind(',') + 1) : "";

		wanted.with_file = std::ranges::any_of(value.branches, [](const auto &branch) {
			return branch.front() == "FILE";
		});
		for (const auto &branch : value.branches) {
			const auto &word = branch.front();

			if (is_keyword(word))
				result.words.push_back({ before + word });
			else if (!makes || (word != "NAME" && !word.ends_with("]PORT")))
				add(word, wanted);
		}
	}

	Line line;
	std::string last;
	Completion result;
};

Completion complete(std::vector<std::string> words)
{
	return Completer(std::move(words)).run();
}

} // namespace nwgctl::completion
