// SPDX-License-Identifier: GPL-2.0
#include "batch.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

namespace nwgctl
{

static constexpr const char *white_space = " \t\r\n\v\f";

/*
 * A command that reads standard input would take lines of the batch, or find it empty, which removes a key: what it finds
 * instead cannot be opened.
 */
static Result<int> take_standard_input()
{
	const int input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	const int shut = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (input < 0 || shut < 0 || dup2(shut, STDIN_FILENO) < 0)
		return usage_error(
			fmt::format("Unable to read standard input: {}", strerror(errno)));
	if (shut != STDIN_FILENO)
		close(shut);
	return input;
}

Result<Batch> Batch::open(const std::string &path)
{
	if (path == "-")
		return Batch(File(fdopen(TRY(take_standard_input()), "r"), fclose), path);

	File file(fopen(path.c_str(), "re"), fclose);
	if (!file)
		return usage_error(fmt::format("Unable to open `{}': {}", path, strerror(errno)));
	return Batch(std::move(file), path);
}

std::string Batch::place() const
{
	return fmt::format("{}:{}", name, first_line);
}

/* Appends a line without its end. Returns false at the end of the file. */
Result<bool> Batch::read_line(std::string &text)
{
	char *line = nullptr;
	std::size_t capacity = 0;

	errno = 0;
	const ssize_t length = getline(&line, &capacity, file.get());
	const int number = errno;
	if (length > 0)
		text.append(line, static_cast<std::size_t>(length) - (line[length - 1] == '\n'));
	free(line);
	if (length >= 0) {
		lines++;
		return true;
	}
	end = true;
	if (ferror(file.get()))
		return usage_error(fmt::format("Unable to read `{}': {}", name, strerror(number)));
	return false;
}

namespace
{

struct Line {
	std::vector<std::string> words;
	/* Ends in a backslash, which is not in a comment. */
	bool goes_on = false;
};

} // namespace

static Result<Line> split(std::string_view text)
{
	Line result;

	if (text.find('\0') != text.npos)
		return usage_error("NUL character in a command", "it is not a text file");
	for (;;) {
		text.remove_prefix(std::min(text.find_first_not_of(white_space), text.size()));
		if (text.empty() || text[0] == '#')
			return result;
		if (text == "\\" || text == "\\\r") {
			result.goes_on = true;
			return result;
		}
		std::size_t length;
		if (text[0] == '\'' || text[0] == '"') {
			const char quote = text[0];

			text.remove_prefix(1);
			length = text.find(quote);
			if (length == text.npos)
				return usage_error(fmt::format(
					"A quotation mark {} is missing at the end", quote));
			result.words.emplace_back(text.substr(0, length));
			text.remove_prefix(length + 1);
			continue;
		}
		length = std::min(text.find_first_of(" \t\r\n\v\f#"), text.size());
		const bool last = text.find_first_not_of('\r', length) == text.npos;
		if (last && text[length - 1] == '\\') {
			result.goes_on = true;
			length--;
		}
		result.words.emplace_back(text.substr(0, length));
		if (result.goes_on)
			return result;
		text.remove_prefix(length);
	}
}

Result<std::vector<std::string>> Batch::next()
{
	for (;;) {
		std::string text;

		first_line = lines + 1;
		if (!TRY(read_line(text)))
			return std::vector<std::string>();
		for (;;) {
			auto line = TRY(split(text));
			if (!line.goes_on && line.words.empty())
				break;
			if (!line.goes_on)
				return std::move(line.words);
			text.erase(text.rfind('\\'));
			if (!TRY(read_line(text)))
				return usage_error("The file ends where a line is to go on",
						   "take the backslash away");
		}
	}
}

} // namespace nwgctl
