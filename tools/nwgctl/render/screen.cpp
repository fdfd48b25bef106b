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

} // namespace nwgctl::render
