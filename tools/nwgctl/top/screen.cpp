// SPDX-License-Identifier: GPL-2.0
#include "screen.hpp"

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <langinfo.h>
#include <unistd.h>

/* Its macros have names such as erase and move. */
#define NCURSES_NOMACROS
#include <curses.h>
#include <term.h>
/* That has such ones, too. */
#undef lines
#undef columns

namespace nwgctl::top
{

/* Milliseconds in which what follows Escape makes it the begin of a key's sequence. */
static constexpr int escape_delay = 25;

static constexpr short warning_pair = 1, bar_pair = 2;

static constexpr const char *elsewhere =
	"for files and scripts there are: nwgctl metrics; nwgctl monitor; nwgctl -j relay show";

Status Screen::check()
{
	const char *type = getenv("TERM");
	int found = 0;

	for (const auto &[file, name] :
	     { std::pair(STDIN_FILENO, "input"), std::pair(STDOUT_FILENO, "output") }) {
		if (!isatty(file))
			return usage_error(
				fmt::format("Unable to draw: standard {} is not a terminal", name),
				elsewhere);
	}
	if (!type || !*type)
		return usage_error("Unable to draw: TERM is not set",
				   fmt::format("set it to the terminal's type, such as xterm; {}",
					       elsewhere));
	if (setupterm(nullptr, STDOUT_FILENO, &found) != OK)
		return usage_error(
			fmt::format("Unable to draw: {}",
				    found < 0 ? "there is no terminfo database" :
						fmt::format("TERM: `{}' is not known", type)),
			found < 0 ? "install ncurses-base" :
				    fmt::format("set TERM to one that infocmp(1) knows, such as "
						"xterm, or install ncurses-term; {}",
						elsewhere));
	const char *move = tigetstr(const_cast<char *>("cup"));
	const bool able = move && move != reinterpret_cast<char *>(-1);
	del_curterm(cur_term);
	if (!able)
		return usage_error(
			fmt::format(
				"Unable to draw: a terminal of the type `{}' has no cursor to move",
				type),
			fmt::format("if it is another one, set TERM to its type, such as xterm; {}",
				    elsewhere));
	return {};
}

/* Whether wide characters come out: the locale may be named in the environment and not be installed. */
static bool set_locale(bool unicode)
{
	setlocale(LC_CTYPE, "");
	if (unicode && strcmp(nl_langinfo(CODESET), "UTF-8"))
		setlocale(LC_CTYPE, "C.UTF-8");
	return unicode && !strcmp(nl_langinfo(CODESET), "UTF-8");
}

Screen::Screen(bool unicode, bool colored)
	: has_unicode(set_locale(unicode))
{
	/* They would go before what the window is, and stay what they are when it changes. */
	unsetenv("LINES");
	unsetenv("COLUMNS");
	fflush(stdout);
	terminal = newterm(nullptr, stdout, stdin);
	set_escdelay(escape_delay);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	intrflush(stdscr, FALSE);
	curs_set(0);
	if (!colored || !::has_colors())
		return;
	start_color();
	use_default_colors();
	init_pair(warning_pair, COLOR_RED, -1);
	init_pair(bar_pair, COLOR_CYAN, -1);
	has_colors = true;
}

Screen::~Screen()
{
	endwin();
	delscreen(terminal);
}

Size Screen::size()
{
	return { static_cast<std::size_t>(getmaxy(stdscr)),
		 static_cast<std::size_t>(getmaxx(stdscr)) };
}

static attr_t attribute_of(Style style, bool colored)
{
	switch (style) {
	case Style::strong:
		return A_BOLD;
	case Style::faint:
		return A_DIM;
	case Style::heading:
		return A_REVERSE;
	case Style::quiet_heading:
		return A_UNDERLINE;
	case Style::warning:
		return A_BOLD | (colored ? COLOR_PAIR(warning_pair) : 0);
	case Style::bar:
		return colored ? COLOR_PAIR(bar_pair) : 0;
	default:
		return A_NORMAL;
	}
}

void Screen::draw(const std::vector<Line> &lines)
{
	int row = 0;

	werase(stdscr);
	for (const auto &line : lines) {
		wmove(stdscr, row++, 0);
		for (const auto &[text, style] : line) {
			wattrset(stdscr, static_cast<int>(attribute_of(style, has_colors)));
			waddstr(stdscr, text.c_str());
		}
	}
	wrefresh(stdscr);
}

Input Screen::input()
{
	switch (wgetch(stdscr)) {
	case ERR:
		return Input::none;
	case KEY_RESIZE:
		/* What is left of it on the terminal nobody knows. */
		clearok(curscr, TRUE);
		return Input::resize;
	case 'q':
	case 'Q':
		return Input::quit;
	case 'h':
	case '?':
	case KEY_F(1):
		return Input::help;
	case '\t':
		return Input::section;
	case KEY_UP:
	case 'k':
		return Input::up;
	case KEY_DOWN:
	case 'j':
		return Input::down;
	case KEY_PPAGE:
		return Input::page_up;
	case KEY_NPAGE:
		return Input::page_down;
	case KEY_HOME:
		return Input::home;
	case KEY_END:
		return Input::end;
	case 's':
		return Input::sort;
	case 'r':
		return Input::reverse;
	case 'p':
	case ' ':
		return Input::pause;
	case '+':
	case '=':
		return Input::slower;
	case '-':
		return Input::faster;
	default:
		return Input::other;
	}
}

} // namespace nwgctl::top
