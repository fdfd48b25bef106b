// SPDX-License-Identifier: GPL-2.0
/* Completion: usage texts as grammars, what may come next, and names in directories. */
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "../commands.hpp"
#include "../completion/complete.hpp"
#include "../completion/grammar.hpp"
#include "../completion/names.hpp"
#include "completion.hpp"

extern "C" {
#include <cmocka.h>
}

using namespace nwgctl;
using namespace nwgctl::completion;

using Strings = std::vector<std::string>;

static void assert_text(const std::string &got, const std::string &wanted)
{
	assert_string_equal(got.c_str(), wanted.c_str());
}

static Strings split(const std::string &text)
{
	std::istringstream words(text);

	return { std::istream_iterator<std::string>(words), {} };
}

/* Whether a usage takes words, and whether they may end there: "no", "more" or "yes". */
static std::string takes(const char *usage, const std::string &text)
{
	Position position(Grammar::from_usage(usage));

	for (const auto &word : split(text)) {
		if (!position.take(word))
			return "no";
	}
	return position.complete() ? "yes" : "more";
}

/* The words that may come behind @text, kinds of values as they are. */
static std::string next(const char *usage, const std::string &text)
{
	Position position(Grammar::from_usage(usage));
	Strings words;

	for (const auto &word : split(text))
		assert_true(position.take(word));
	for (const auto &value : position.values()) {
		for (const auto &branch : value.branches)
			words.push_back(fmt::format("{}", fmt::join(branch, "_")));
	}
	for (const auto &keyword : position.keywords())
		words.push_back(keyword);
	return fmt::format("{}", fmt::join(words, " "));
}

void test_grammar(void **)
{
	assert_text(next("", ""), "");
	assert_text(takes("", "a"), "no");
	assert_text(next("DIR NAME [png]", ""), "DIR");
	assert_text(next("DIR NAME [png]", "d n"), "png");
	assert_text(takes("DIR NAME [png]", "d"), "more");
	assert_text(takes("DIR NAME [png]", "d n"), "yes");
	assert_text(takes("DIR NAME [png]", "d n png png"), "no");

	static const char choice[] = "{ IFACE | all }\n    [peers | dump]";
	assert_text(next(choice, ""), "IFACE all");
	assert_text(next(choice, "x"), "peers dump");
	assert_text(takes(choice, "x peers"), "yes");
	assert_text(takes(choice, "x bogus"), "no");

	/* What is in brackets within a word is of that word. */
	static const char relay[] =
		"dev IFACE listen [[ADDR][%DEV]:]PORT [source { a | pool PREFIX }] [max N]";
	assert_text(next(relay, ""), "dev listen source max");
	assert_text(next(relay, "listen"), "[[ADDR][%DEV]:]PORT");
	assert_text(next(relay, "listen 1 source"), "a pool_PREFIX");
	assert_text(next(relay, "listen 1 source pool"), "PREFIX");
	assert_text(next(relay, "listen 1 source pool p"), "dev max");
	assert_text(takes(relay, "listen 1 source b"), "no");
	assert_text(takes(relay, "listen 1 max 2"), "more");
	assert_text(takes(relay, "max 2 listen 1 dev x"), "yes");

	/* Behind a clause that may be repeated comes what is of it, or another one. */
	static const char set[] = "IFACE [port N]\n    [peer KEY [remove] [ips A/B[,A/B]...] ]...";
	assert_text(next(set, "x"), "port peer");
	assert_text(next(set, "x peer k"), "peer remove ips");
	assert_text(next(set, "x peer k ips i peer l"), "peer remove ips");
	assert_text(takes(set, "x peer k port 1"), "no");
	assert_text(takes(set, "x peer k remove peer"), "more");

	static const char flow[] =
		"[client { A[/B] | *}[:PORT]] [state { new | old }[,...]] [sort { a | b } [reverse]]";
	assert_text(next(flow, ""), "client state sort");
	assert_text(next(flow, "client"), "A[/B] *");
	assert_text(next(flow, "client x"), "state sort");
	assert_text(takes(flow, "state new,old"), "yes");
	assert_text(takes(flow, "reverse"), "no");
	assert_text(next(flow, "sort a state new"), "client reverse");
}

/* The words of the command in an example: behind the options, up to what is the shell's. */
static Strings example_words(const Command &command)
{
	std::string text = command.example;
	Strings words;
	std::size_t start = text.find("nwgctl ");

	assert_true(start != text.npos);
	text.erase(0, start + strlen("nwgctl "));
	while (!text.empty() && !strchr("<>)&;|", text[0])) {
		const bool quoted = text[0] == '"';
		const auto end = quoted ? text.find('"', 1) + 1 :
					  std::min(text.find_first_of(" )"), text.size());

		words.push_back(text.substr(0, end));
		text.erase(0, end);
		text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
		if (words.back().starts_with('-'))
			words.pop_back();
	}
	return words;
}

void test_command_examples(void **)
{
	for (const auto &command : commands()) {
		Strings words = example_words(command);
		Strings own = { command.name };
		Position position(Grammar::from_usage(command.arguments));

		if (command.object)
			own.insert(own.begin(), command.object);
		assert_true(words.size() >= own.size());
		assert_true(std::equal(own.begin(), own.end(), words.begin()));
		words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(own.size()));
		for (const auto &word : words) {
			if (!position.take(word))
				fail_msg("%s: %s is no word of its usage", command.example,
					 word.c_str());
		}
		if (!position.complete())
			fail_msg("%s: it is not whole by its usage", command.example);
		assert_false(std::string(command.summary).empty());
		assert_true(command_help(command).find(command.example) != std::string::npos);
		assert_true(list_help(command.object).find(command.summary) != std::string::npos);
	}
}

/* Words, then what is to be looked up in <>, then what of the file system. */
static std::string completed(const std::string &text)
{
	auto words = split(text);

	if (text.empty() || text.ends_with(' '))
		words.emplace_back();
	const auto result = completion::complete(words);
	Strings got;

	for (const auto &word : result.words)
		got.push_back(word.word);
	for (const auto &wanted : result.wanted) {
		got.push_back(fmt::format("<{}{}{}{}{}>", result.prefix, wanted.kind,
					  wanted.interface.empty() ? "" : " of " + wanted.interface,
					  wanted.with_file ? " with a file" : "",
					  wanted.netns ? " in " + *wanted.netns : ""));
	}
	if (result.files != Completion::Files::none)
		got.emplace_back(result.files == Completion::Files::files ? "FILES" :
									    "DIRECTORIES");
	return fmt::format("{}", fmt::join(got, " "));
}

void test_completion(void **)
{
	assert_text(completed("re"), "reload relay");
	assert_text(completed("relay "), "add set del show");
	assert_text(completed("relay s"), "set show");
	assert_text(completed("relay show"), "show");
	assert_text(completed("bogus "), "");
	assert_text(completed("relay bogus "), "");
	assert_text(completed("show bogus bogus "), "");
	assert_text(completed("show "), "all interfaces <IFACE>");
	assert_text(completed("show x latest"), "latest-handshakes");
	assert_text(completed("setconf x "), "FILES");
	assert_text(completed("set x private-key "), "FILES");
	assert_text(completed("chain check "), "DIRECTORIES");
	assert_text(completed("up "), "<IFACE with a file> FILES");
	assert_text(completed("set x peer "), "<KEY of x>");
	assert_text(completed("relay set listen 1 dev x peer "), "<KEY of x>");
	assert_text(completed("relay set listen 1 responder "), "none <KEY>");
	assert_text(completed("relay del listen "), "<[[ADDR][%DEV]:]PORT>");
	assert_text(completed("chain qr d "), "<NAME>");
	assert_text(completed("flow show state n"), "new");
	assert_text(completed("flow show state new,"), "new,new new,established new,tentative");
	assert_text(completed("flow show state new,e"), "new,established");
	/* What is there is no name for what is made. */
	assert_text(completed("relay add listen "), "");
	assert_text(completed("chain add-client d "), "");
	assert_text(completed("chain new d client "), "");
}

void test_completion_options(void **)
{
	assert_text(completed("--sta"), "--statistics");
	assert_text(completed("relay show --js"), "--json");
	assert_text(completed("--color=a"), "--color=always --color=auto");
	assert_text(completed("--json="), "");
	assert_text(completed("-b "), "FILES");
	assert_text(completed("--batch="), "FILES");
	assert_text(completed("-n "), "<NETNS>");
	assert_text(completed("--netns="), "<--netns=NETNS>");
	/* Options are no words of the command, wherever they are. */
	assert_text(completed("-j relay -s show de"), "dev");
	assert_text(completed("-n far show "), "all interfaces <IFACE in far>");
	assert_text(completed("--netns=far show "), "all interfaces <IFACE in far>");
	assert_text(completed("show -nfar "), "all interfaces <IFACE in far>");
	assert_text(completed("-jn far show "), "all interfaces <IFACE in far>");
	assert_text(completed("-c show "), "all interfaces <IFACE>");
}

void test_completion_names(void **)
{
	char directory[] = "/tmp/nwgctl-test-XXXXXX";
	Strings names;

	assert_non_null(mkdtemp(directory));
	const std::filesystem::path clients = std::filesystem::path(directory) / "clients";
	std::filesystem::create_directory(clients);
	for (const char *name : { "pc.conf", "pc.png", ".new.conf", ".conf" })
		std::ofstream(clients / name) << "";
	for (const auto &name : names_of({ .kind = "NAME", .directory = directory }))
		names.push_back(name.word);
	assert_text(fmt::format("{}", fmt::join(names, " ")), "pc");
	std::filesystem::remove_all(directory);
	assert_true(names_of({ .kind = "NAME", .directory = directory }).empty());
	/* Nothing is looked up where a namespace is not there. */
	assert_true(names_of({ .kind = "IFACE", .netns = "no such" }).empty());
	assert_true(names_of({ .kind = "N" }).empty());
}
