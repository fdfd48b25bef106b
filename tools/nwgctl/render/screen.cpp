// SPDX-License-Identifier: GPL-2.0
#include "screen.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <sys/ioctl.h>
#include <unistd.h>

namespace nwgctl::render
{

bool utf8_output()
{
	/* By name, and not by nl_langinfo(): a locale that is not installed is still what the terminal has. */
	for (const char *variable : { "LC_ALL", "LC_CTYPE", "LANG" }) {
		const char *value = getenv(variable);

		if (value && *value)
			return strcasestr(value, "UTF-8") || strcasestr(value, "UTF8");
	}
	return false;
}

std::size_t output_columns()
{
	const char *text = getenv("COLUMNS");
	winsize size{};

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	const int columns = text ? atoi(text) : 0;
	return columns > 0 ? static_cast<std::size_t>(columns) : 80;
}

std::size_t text_columns(std::string_view text)
{
	return static_cast<std::size_t>(std::ranges::count_if(text, [](unsigned char byte) {
		return (byte & 0xc0) != 0x80;
	}));
}

std::string printable(std::string_view text)
{
	std::string shown(text);

	for (char &letter : shown) {
		if (letter < ' ' || letter > '~')
			letter = '?';
	}
	return shown;
}

std::string for_output(std::string_view name)
{
	return isatty(STDOUT_FILENO) ? printable(name) : std::string(name);
}

std::string text_for(int file, std::string_view text)
{
	const bool has_letters = utf8_output();
	std::string shown(text);

	if (!isatty(file))
		return shown;
	for (std::size_t at = 0; at < shown.size(); at++) {
		const auto byte = static_cast<unsigned char>(shown[at]);
		/* UTF-8 of U+0080 to U+009F, which are commands, too. */
		const bool is_command = byte >= 0x80 && byte < 0xa0 && at &&
					shown[at - 1] == '\xc2';

		if (byte < ' ' || byte == 0x7f || (byte > 0x7f && !has_letters) || is_command)
			shown[at] = '?';
	}
	return shown;
}

} // namespace nwgctl::render
