/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The usage text of a command, read as a grammar.
 *
 * A text has words with white space between. One in lower case is a keyword, which is written as it is; any other is a value
 * and says of which kind: IFACE, KEY, ADDR:PORT. A value may have brackets within itself: [[ADDR][%DEV]:]PORT.
 *
 *	[ ... ]		may be left out; [ ... ]... may be there more than once
 *	{ a | B C }	one of them, { a | b }[,...] several with commas between; [ a | b ] is one or none
 *
 * A keyword begins a clause, to which the values behind it belong. Clauses may be in any order; values before the first may
 * not. Clauses within the brackets of another one may be there once that is. If it can be repeated, only they may be, and
 * itself again, as they are then about the last.
 */
#ifndef NWGCTL_COMPLETION_GRAMMAR_HPP
#define NWGCTL_COMPLETION_GRAMMAR_HPP

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nwgctl::completion
{

/* What stands for one word, or for one of several sequences of words. */
struct Value {
	/* Of keywords and kinds of values; never empty. */
	std::vector<std::vector<std::string>> branches;
	bool list = false, optional = false;
};

struct Clause {
	std::string keyword;
	std::vector<Value> values;
	/* Those within its brackets. */
	std::vector<Clause> inner;
	bool optional = false, repeated = false;
};

struct Grammar {
	std::vector<Value> values;
	std::vector<Clause> clauses;

	static Grammar from_usage(std::string_view usage);
};

bool is_keyword(std::string_view word);

/* Where one is in a grammar once some words are written. */
class Position {
    public:
	explicit Position(Grammar grammar)
		: pending(std::move(grammar.values))
		, clauses(std::move(grammar.clauses))
	{
	}
	/* Goes past @word. Returns whether there may be such a word. */
	bool take(const std::string &word);
	/* Whether the words may end here. */
	bool complete() const;

	/* What may come next. */
	std::vector<Value> values() const;
	std::vector<std::string> keywords() const;
	/* What was written for a kind of value last; empty if nothing was. */
	std::string written(const std::string &kind) const;
	/* Of the last clause. */
	const std::string &keyword() const
	{
		return last;
	}

    private:
	bool take_value(const std::string &word);
	bool take_keyword(const std::string &word);

	std::vector<Value> pending;
	std::vector<Clause> clauses;
	std::map<std::string, std::string> kinds;
	std::string last;
};

} // namespace nwgctl::completion

#endif
