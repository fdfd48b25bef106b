// SPDX-License-Identifier: GPL-2.0
#include "grammar.hpp"

#include <algorithm>
#include <cctype>

namespace nwgctl::completion
{

bool is_keyword(std::string_view word)
{
	return !word.empty() && std::ranges::all_of(word, [](unsigned char character) {
		return islower(character) || isdigit(character) || character == '-';
	});
}

/* Reads a usage text from the left. */
class Reader {
    public:
	explicit Reader(std::string_view text)
		: text(text)
	{
	}
	Grammar read()
	{
		Grammar grammar;

		while (!at_end())
			element(grammar.values, grammar.clauses);
		return grammar;
	}

    private:
	bool at_end()
	{
		while (!text.empty() && isspace(static_cast<unsigned char>(text.front())))
			text.remove_prefix(1);
		return text.empty();
	}
	bool take(std::string_view prefix)
	{
		if (!text.starts_with(prefix))
			return false;
		text.remove_prefix(prefix.size());
		return true;
	}
	/* Past white space. */
	bool next_is(char character)
	{
		return !at_end() && text.front() == character;
	}

	/* Up to white space, or to a bracket that was not opened in it. */
	std::string word()
	{
		std::size_t length = 0;
		int depth = 0;

		for (; length < text.size(); length++) {
			const char character = text[length];

			if (isspace(static_cast<unsigned char>(character)))
				break;
			if (character == '[' || character == '{')
				depth++;
			else if ((character == ']' || character == '}') && depth-- == 0)
				break;
		}
		std::string result(text.substr(0, length));
		text.remove_prefix(length);
		return result;
	}
	/* Whether a word begins, which may have brackets around its own beginning. */
	bool is_word() const
	{
		if (text.front() != '[')
			return true;
		for (std::size_t index = 0, depth = 0; index < text.size(); index++) {
			const char character = text[index];

			if (isspace(static_cast<unsigned char>(character)))
				return false;
			if (character == '[')
				depth++;
			else if (character == ']' && --depth == 0)
				return index + 1 < text.size() && isalpha(text[index + 1]);
		}
		return false;
	}
	std::vector<std::vector<std::string>> branches(char end)
	{
		std::vector<std::vector<std::string>> result(1);

		while (!next_is(end) && !at_end()) {
			if (take("|"))
				result.emplace_back();
			else
				result.back().push_back(word());
		}
		take({ &end, 1 });
		return result;
	}
	/* Whether brackets have nothing but words with | between. */
	bool is_choice() const
	{
		const auto inside = text.substr(0, text.find_first_of("[]{}"));

		return inside.size() < text.size() && text[inside.size()] == ']' &&
		       inside.find('|') != inside.npos;
	}

	/* One word, or what is in one pair of brackets. */
	void element(std::vector<Value> &values, std::vector<Clause> &clauses)
	{
		/* A value belongs to the clause before it. */
		auto &here = clauses.empty() ? values : clauses.back().values;

		if (take("{")) {
			Value value{ branches('}') };

			value.list = take("[,...]");
			/* ... or what belongs to the word in any case. */
			if (!at_end() && text.front() == '[' && is_rest())
				word();
			here.push_back(std::move(value));
		} else if (text.front() != '[' || is_word()) {
			std::string name = word();

			if (name.empty())
				text = {};
			else if (is_keyword(name))
				clauses.push_back({ name, {}, {} });
			else
				here.push_back({ { { std::move(name) } } });
		} else {
			text.remove_prefix(1);
			if (is_choice())
				here.push_back({ .branches = branches(']'), .optional = true });
			else
				group(here, clauses);
		}
	}
	/* Whether brackets begin that are part of the word before them, as in {...}[:PORT]. */
	bool is_rest() const
	{
		return text.size() > 1 && ispunct(text[1]) && text[1] != '[';
	}
	void group(std::vector<Value> &values, std::vector<Clause> &clauses)
	{
		Grammar inside;

		while (!at_end() && !take("]"))
			element(inside.values, inside.clauses);
		const bool repeated = take("...");
		for (auto &value : inside.values) {
			value.optional = true;
			values.push_back(std::move(value));
		}
		if (inside.clauses.empty())
			return;
		Clause clause = std::move(inside.clauses.front());
		clause.optional = true;
		clause.repeated = repeated;
		for (auto next = inside.clauses.begin() + 1; next != inside.clauses.end(); ++next)
			clause.inner.push_back(std::move(*next));
		clauses.push_back(std::move(clause));
	}

	std::string_view text;
};

Grammar Grammar::from_usage(std::string_view usage)
{
	return Reader(usage).read();
}

bool Position::take(const std::string &word)
{
	return take_value(word) || take_keyword(word);
}

bool Position::take_value(const std::string &word)
{
	while (!pending.empty()) {
		const Value value = pending.front();
		const std::vector<std::string> *found = nullptr;
		/* Each of a list is like the first. */
		const auto first = value.list ? word.substr(0, word.find(',')) : word;

		for (const auto &branch : value.branches) {
			if (branch.front() == first)
				found = &branch;
		}
		if (!found) {
			const auto branch =
				std::ranges::find_if(value.branches, [](const auto &words) {
					return !is_keyword(words.front());
				});
			if (branch != value.branches.end())
				found = &*branch;
		}
		if (!found && !value.optional)
			return false;
		pending.erase(pending.begin());
		if (!found)
			continue;
		if (!is_keyword(found->front()))
			kinds[found->front()] = word;
		/* The rest of the branch comes next. */
		for (std::size_t index = 1; index < found->size(); index++)
			pending.insert(pending.begin() + static_cast<std::ptrdiff_t>(index) - 1,
				       Value{ { { (*found)[index] } } });
		return true;
	}
	return false;
}

bool Position::take_keyword(const std::string &word)
{
	if (!pending.empty())
		return false;
	const auto found = std::ranges::find(clauses, word, &Clause::keyword);
	if (found == clauses.end())
		return false;

	Clause clause = *found;
	last = clause.keyword;
	pending = clause.values;
	if (!clause.repeated)
		clauses.erase(found);
	else if (!clause.inner.empty())
		clauses = { clause };
	clauses.insert(clauses.end(), clause.inner.begin(), clause.inner.end());
	/* Once it is there it may be left out. */
	for (auto &other : clauses)
		other.optional = other.optional || other.keyword == word;
	return true;
}

bool Position::complete() const
{
	return std::ranges::all_of(pending, &Value::optional) &&
	       std::ranges::all_of(clauses, &Clause::optional);
}

std::vector<Value> Position::values() const
{
	std::vector<Value> result;

	for (const auto &value : pending) {
		result.push_back(value);
		if (!value.optional)
			break;
	}
	return result;
}

std::vector<std::string> Position::keywords() const
{
	std::vector<std::string> result;

	if (!std::ranges::all_of(pending, &Value::optional))
		return result;
	for (const auto &clause : clauses)
		result.push_back(clause.keyword);
	return result;
}

std::string Position::written(const std::string &kind) const
{
	const auto found = kinds.find(kind);

	return found == kinds.end() ? "" : found->second;
}

} // namespace nwgctl::completion
