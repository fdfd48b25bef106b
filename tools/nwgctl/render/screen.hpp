/* SPDX-License-Identifier: GPL-2.0 */
/* What standard output can show. */
#ifndef NWGCTL_RENDER_SCREEN_HPP
#define NWGCTL_RENDER_SCREEN_HPP

#include <cstddef>
#include <string>
#include <string_view>

namespace nwgctl::render
{

/* Whether the environment's locale is of UTF-8: LC_ALL, LC_CTYPE, LANG. */
bool utf8_output();

/* Columns of the terminal, or of COLUMNS, or 80. */
std::size_t output_columns();

/* Columns that UTF-8 text takes, of characters that take one each. */
std::size_t text_columns(std::string_view text);

/* What a terminal would take for something else has question marks: an interface may have any name. */
std::string printable(std::string_view text);
/* The same where standard output is a terminal; programs get the name. */
std::string for_output(std::string_view name);
/* Of a line that may have such a name: where @file is a terminal, its commands have question marks, and letters stay. */
std::string text_for(int file, std::string_view text);

} // namespace nwgctl::render

#endif
