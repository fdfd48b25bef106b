// SPDX-License-Identifier: GPL-2.0
#include "conf.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <strings.h>

namespace nwgctl::chain
{

static bool same_word(std::string_view a, std::string_view b)
{
	return a.size() == b.size() && !strncasecmp(a.data(), b.data(), a.size());
}

static std::string_view trimmed(std::string_view text)
{
	static constexpr std::string_view space = " \t\r\v\f";
	const std::size_t start = text.find_first_not_of(space);

	if (start == text.npos)
		return {};
	return text.substr(start, text.find_last_not_of(space) - start + 1);
}

/* Calls @call with each line and its number. */
template <typename Call> static void for_each_line(std::string_view text, Call call)
{
	for (unsigned int line = 1; !text.empty(); line++) {
		const std::size_t end = std::min(text.find('\n'), text.size());

		call(text.substr(0, end), line);
		text.remove_prefix(std::min(end + 1, text.size()));
	}
}

const Entry *Section::find(std::string_view key) const
{
	const Entry *found = nullptr;

	for (const auto &entry : entries) {
		if (same_word(entry.key, key))
			found = &entry;
	}
	return found;
}

const Section *Conf::section(std::string_view wanted) const
{
	const auto found = all(wanted);

	return found.empty() ? nullptr : found.front();
}

std::vector<const Section *> Conf::all(std::string_view wanted) const
{
	std::vector<const Section *> found;

	for (const auto &section : sections) {
		if (same_word(section.name, wanted))
			found.push_back(&section);
	}
	return found;
}

Conf parse_conf(std::string_view text, std::string name)
{
	Conf conf;

	conf.name = std::move(name);
	for_each_line(text, [&conf](std::string_view line, unsigned int number) {
		line = trimmed(line.substr(0, line.find('#')));
		if (line.empty())
			return;
		if (line.front() == '[' && line.back() == ']') {
			conf.sections.push_back(
				{ std::string(trimmed(line.substr(1, line.size() - 2))),
				  number,
				  {} });
			return;
		}
		const std::size_t equals = line.find('=');
		const auto key = trimmed(line.substr(0, equals));
		const auto value = equals == line.npos ? "" : trimmed(line.substr(equals + 1));
		if (key.empty() || value.empty())
			conf.faults.push_back({ number, "neither [Section] nor Key = value" });
		else if (conf.sections.empty())
			conf.faults.push_back(
				{ number,
				  fmt::format("`{}' stands before the first section", key) });
		else
			conf.sections.back().entries.push_back(
				{ std::string(key), std::string(value), number });
	});
	return conf;
}

std::string RouterCommand::value(const std::string &name) const
{
	const auto found = values.find(name);

	return found == values.end() ? "" : found->second;
}

/* The next word, where white space in quotes is none; the quotes are left out. */
static std::string take_word(std::string_view &text)
{
	bool quoted = false;
	std::string word;

	text = trimmed(text);
	while (!text.empty()) {
		const char character = text.front();

		if (!quoted && (character == ' ' || character == '\t'))
			break;
		if (character == '"')
			quoted = !quoted;
		else
			word += character;
		text.remove_prefix(1);
	}
	return word;
}

/* Up to the first one that is neither in quotes nor in brackets. */
static std::size_t size_up_to(std::string_view text, char end)
{
	static constexpr std::string_view opening = "([{", closing = ")]}";
	bool quoted = false;
	std::size_t depth = 0, size = 0;

	for (; size < text.size(); size++) {
		const char character = text[size];

		if (character == '"')
			quoted = !quoted;
		if (quoted)
			continue;
		if (!depth && character == end)
			break;
		if (opening.find(character) != opening.npos)
			depth++;
		else if (depth && closing.find(character) != closing.npos)
			depth--;
	}
	return size;
}

/* The next of several commands with semicolons between them, up to a comment; empty if there is none. */
static std::string_view take_command(std::string_view &text)
{
	std::string_view command;

	while (command.empty() && !text.empty()) {
		const std::size_t size = size_up_to(text, ';');

		command = trimmed(text.substr(0, size));
		text.remove_prefix(std::min(size + 1, text.size()));
	}
	return command.starts_with('#') ? std::string_view() : command;
}

static bool is_verb(std::string_view word)
{
	static constexpr std::string_view verbs[] = { "add",	"comment", "disable", "edit",
						      "enable", "export",  "find",    "get",
						      "import", "move",	   "print",   "remove",
						      "reset",	"set",	   "unset" };

	return std::ranges::find(verbs, word) != std::end(verbs);
}

/* The script's commands one after the other: a line with a menu only, as "export" writes it, is where the next ones begin. */
class RouterScript {
    public:
	void line(std::string_view text, unsigned int number)
	{
		for (auto first = take_command(text); !first.empty(); first = take_command(text)) {
			if (is_language(first))
				blocks(first, number);
			else
				command(first, number);
		}
	}

	std::vector<RouterCommand> commands;

    private:
	/* What is around the commands. */
	static bool is_language(std::string_view text)
	{
		return text.starts_with(':') || text.starts_with('{') || text.starts_with('}');
	}
	void command(std::string_view text, unsigned int number)
	{
		std::string path = text.starts_with('/') ? "" : menu;
		RouterCommand parsed{ {}, number, {} };
		bool has_verb = false;

		for (auto word = take_word(text); !word.empty(); word = take_word(text)) {
			const std::size_t equals = word.find('=');

			if (equals != word.npos)
				parsed.values[word.substr(0, equals)] = word.substr(equals + 1);
			else if (!has_verb)
				has_verb = descend(path, word);
		}
		if (!has_verb) {
			menu = path;
			return;
		}
		parsed.path = path;
		commands.push_back(std::move(parsed));
	}
	/* The commands of do={} and else={}, which leave the menu as it is. A block within one is found as its own. */
	void blocks(std::string_view text, unsigned int number)
	{
		const auto outside = menu;

		for (auto open = text.find("={"); open != text.npos; open = text.find("={")) {
			text.remove_prefix(open + 2);
			auto block = text.substr(0, size_up_to(text, '}'));
			for (auto first = take_command(block); !first.empty();
			     first = take_command(block)) {
				if (!is_language(first))
					command(first, number);
			}
		}
		menu = outside;
	}
	/* "/a/b" or "a". Returns whether it ends with a verb. */
	static bool descend(std::string &path, std::string_view word)
	{
		while (!word.empty()) {
			const std::size_t slash = std::min(word.find('/'), word.size());
			const auto step = word.substr(0, slash);

			word.remove_prefix(std::min(slash + 1, word.size()));
			if (step == "..")
				path.erase(std::min(path.rfind('/'), path.size()));
			else if (!step.empty())
				path += fmt::format("/{}", step);
			if (is_verb(step))
				return true;
		}
		return false;
	}

	std::string menu;
};

std::vector<RouterCommand> parse_routeros(std::string_view text)
{
	RouterScript script;
	std::string whole;
	unsigned int start = 0;

	for_each_line(text, [&](std::string_view line, unsigned int number) {
		line = trimmed(line);
		if (whole.empty())
			start = number;
		if (line.empty() || (whole.empty() && line.front() == '#'))
			return;
		if (line.back() == '\\') {
			whole += line.substr(0, line.size() - 1);
			return;
		}
		whole += line;
		script.line(whole, start);
		whole.clear();
	});
	return std::move(script.commands);
}

} // namespace nwgctl::chain
