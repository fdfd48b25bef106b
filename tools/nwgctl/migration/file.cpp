// SPDX-License-Identifier: GPL-2.0
#include "file.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <regex>

#include <fmt/format.h>

namespace nwgctl::migration
{

static std::vector<std::string> lines_of(std::string_view text)
{
	std::vector<std::string> lines;

	while (!text.empty()) {
		const auto end = std::min(text.find('\n'), text.size());

		lines.emplace_back(text.substr(0, end));
		text.remove_prefix(std::min(end + 1, text.size()));
	}
	return lines;
}

static std::string print(const Section &section)
{
	const netlink::RelayChange &relay = section.relay;
	std::string text = "\n[Relay]\n";

	for (const auto &rule : section.rules)
		text += fmt::format("# in place of: {}\n", rule.command());
	text += fmt::format("Listen = {}\nPeer = {}\nTo = {}\n",
			    !relay.listen.address && relay.listen.interface.empty() ?
				    fmt::format("{}", relay.listen.port) :
				    relay.listen.text(),
			    relay.peer->base64(), relay.to->text());
	text += fmt::format(
		"# The public key of the WireGuard that listens at {}, which this machine does "
		"not know: with it, what is not made for that is dropped.\n"
		"# ResponderKey =\n",
		relay.to->text());
	return text + fmt::format("Source = {}\n", relay.source->text());
}

/* The beginning of what follows an equals sign; or of the text, if none does. */
static std::size_t behind_equals(const std::string &text, std::size_t at)
{
	const auto equals = text.find_first_not_of(" \t", at);

	return equals != text.npos && text[equals] == '=' ? equals + 1 : at;
}

/*
 * Without the key that a file has, or that a hook gives to a program, before or behind the word for it. Where no word says what
 * a key is, it may be a secret one, too.
 */
static std::string without_key(const std::string &line)
{
	static const std::regex key("[A-Za-z0-9+/]{43}="),
		is_public("^\\s*(PublicKey|Peer|ResponderKey)\\s*=[^#]*", std::regex::icase);
	std::smatch shown;
	std::string lower;

	for (const unsigned char character : line)
		lower += static_cast<char>(tolower(character));
	for (const char *word : { "privatekey", "presharedkey", "private-key", "preshared-key" }) {
		const auto at = lower.find(word);

		if (at != lower.npos)
			return std::regex_replace(
				       line.substr(0, behind_equals(line, at + strlen(word))), key,
				       "(hidden)") +
			       " (hidden)";
	}
	std::regex_search(line, shown, is_public);
	return shown.str() + std::regex_replace(line.substr(shown.str().size()), key, "(hidden)");
}

NewFile make_file(std::string_view text, const config::Quick &old, const Needless &needless,
		  const std::vector<Section> &relays)
{
	const auto lines = lines_of(text);
	/* By their number, what becomes of them: empty, they go. */
	std::map<std::size_t, std::string> changed;
	NewFile file;
	const auto look = [&](const std::vector<config::AtLine<std::string>> &hooks, bool undoes) {
		for (const auto &[command, line] : hooks) {
			const auto hook = without_needless(command, needless);
			const auto &whole = lines[line - 1];

			if (hook.changed)
				changed[line] = hook.text.empty() ?
							"" :
							whole.substr(0, whole.find('=') + 1) + ' ' +
								hook.text;
			std::ranges::copy(hook.switches, std::back_inserter(file.switches));
			if (hook.unclear)
				file.unclear.push_back(
					{ fmt::format("{}:{}: {}", old.path, line,
						      without_key(whole)),
					  "it is kept, as it is not known to make, or take away, "
					  "only what is not needed any more",
					  "if it does, take it out of the new file" });
			std::ranges::copy(undoes ? hook.deletes : hook.makes,
					  std::back_inserter(undoes ? file.deletes : file.makes));
		}
	};

	look(old.pre_up, false);
	look(old.post_up, false);
	look(old.pre_down, true);
	look(old.post_down, true);
	for (std::size_t number = 1; number <= lines.size(); number++) {
		const auto change = changed.find(number);

		if (change == changed.end())
			file.text += lines[number - 1] + '\n';
		else if (!change->second.empty())
			file.text += change->second + '\n';
	}
	for (const auto &section : relays)
		file.text += print(section);
	return file;
}

/* A line that both have, or one alone. */
struct Change {
	/* ' ', '-' or '+' */
	char sign;
	const std::string *line;
	/* Lines of each that come before it. */
	std::size_t before, after;
};

/* By the longest common subsequence: files have a hundred lines, not a million. */
static std::vector<Change> compare(const std::vector<std::string> &a,
				   const std::vector<std::string> &b)
{
	std::vector<std::vector<std::size_t>> common(a.size() + 1,
						     std::vector<std::size_t>(b.size() + 1));
	std::vector<Change> changes;

	for (std::size_t i = a.size(); i-- > 0;) {
		for (std::size_t j = b.size(); j-- > 0;)
			common[i][j] = a[i] == b[j] ? common[i + 1][j + 1] + 1 :
						      std::max(common[i + 1][j], common[i][j + 1]);
	}
	for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
		if (i < a.size() && j < b.size() && a[i] == b[j]) {
			changes.push_back({ ' ', &a[i], i, j });
			i++, j++;
		} else if (i < a.size() &&
			   (j == b.size() || common[i + 1][j] >= common[i][j + 1])) {
			changes.push_back({ '-', &a[i], i, j });
			i++;
		} else {
			changes.push_back({ '+', &b[j], i, j });
			j++;
		}
	}
	return changes;
}

std::string difference(std::string_view before, std::string_view after, bool show_keys)
{
	static constexpr std::size_t context = 3;
	const auto old_lines = lines_of(before), new_lines = lines_of(after);
	const auto changes = compare(old_lines, new_lines);
	std::string text;

	for (std::size_t at = 0; at < changes.size();) {
		std::size_t first = at;
		while (first < changes.size() && changes[first].sign == ' ')
			first++;
		if (first == changes.size())
			break;
		/* Up to where there is nothing other for twice the context. */
		std::size_t end = first + 1;
		for (std::size_t next = end; next < changes.size() && next - end <= 2 * context;
		     next++) {
			if (changes[next].sign != ' ')
				end = next + 1;
		}
		const std::size_t start = first - std::min(first - at, context),
				  stop = std::min(end + context, changes.size());
		std::size_t removed = 0, added = 0;
		std::string body;
		for (std::size_t index = start; index < stop; index++) {
			const auto &change = changes[index];

			removed += change.sign != '+';
			added += change.sign != '-';
			body += fmt::format("{}{}\n", change.sign,
					    show_keys ? *change.line : without_key(*change.line));
		}
		text += fmt::format("@@ -{},{} +{},{} @@\n{}",
				    changes[start].before + (removed > 0), removed,
				    changes[start].after + (added > 0), added, body);
		at = stop;
	}
	return text;
}

} // namespace nwgctl::migration
