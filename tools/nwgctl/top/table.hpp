/* SPDX-License-Identifier: GPL-2.0 */
/* Lines of styled text, and columns of them. */
#ifndef NWGCTL_TOP_TABLE_HPP
#define NWGCTL_TOP_TABLE_HPP

#include <string>
#include <string_view>
#include <vector>

#include "history.hpp"

namespace nwgctl::top
{

/* A heading is of the section that has the keys, a quiet one of another. */
enum class Style { plain, strong, faint, heading, quiet_heading, warning, bar };

struct Span {
	std::string text;
	Style style = Style::plain;
};

using Line = std::vector<Span>;

std::size_t columns_of(const Line &line);
/* No wider than @columns. */
Line clipped(const Line &line, std::size_t columns);
/* In lines no wider than @columns, between words where that can be. */
std::vector<std::string> wrapped(std::string_view text, std::size_t columns);

struct Column {
	std::string label;
	bool right = false;
	/* Where there is not room for all, those with the highest number go first; 0 never does. */
	unsigned int dispensable = 0;
	/* It has what the others leave, for the sparklines of histories. */
	bool rest = false;
};

struct Cell {
	std::string text;
	Style style = Style::plain;
	/* In the column that has the rest. */
	const History *history = nullptr;
};

/* A heading, and a line for each row, as wide as the screen or less. */
class Table {
    public:
	Table(std::vector<Column> columns, bool unicode)
		: columns(std::move(columns))
		, unicode(unicode)
	{
	}
	void add(std::vector<Cell> row)
	{
		rows.push_back(std::move(row));
	}
	[[nodiscard]] std::vector<Line> lines(std::size_t width, Style heading_style) const;

    private:
	/* Of each column, 0 if it is left out. */
	[[nodiscard]] std::vector<std::size_t> widths(std::size_t width) const;

	std::vector<Column> columns;
	std::vector<std::vector<Cell>> rows;
	bool unicode;
};

} // namespace nwgctl::top

#endif
