// SPDX-License-Identifier: GPL-2.0
#include "table.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "../render/screen.hpp"

namespace nwgctl::top
{

std::size_t columns_of(const Line &line)
{
	return std::accumulate(line.begin(), line.end(), std::size_t(0),
			       [](std::size_t sum, const Span &span) {
				       return sum + render::text_columns(span.text);
			       });
}

/* Bytes of the first @columns characters. */
static std::size_t bytes_of(std::string_view text, std::size_t columns)
{
	std::size_t byte = 0;

	for (; byte < text.size(); byte++) {
		const bool begins = (static_cast<unsigned char>(text[byte]) & 0xc0) != 0x80;

		if (begins && !columns--)
			break;
	}
	return byte;
}

Line clipped(const Line &line, std::size_t columns)
{
	Line kept;

	for (const auto &span : line) {
		const std::size_t bytes = bytes_of(span.text, columns);

		kept.push_back({ span.text.substr(0, bytes), span.style });
		columns -= render::text_columns(kept.back().text);
		if (!columns)
			break;
	}
	return kept;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns)
{
	std::vector<std::string> lines;

	while (render::text_columns(text) > columns) {
		const std::size_t fits = std::max<std::size_t>(bytes_of(text, columns), 1);
		const std::size_t space = text.rfind(' ', fits);
		const std::size_t end = space == text.npos || !space ? fits : space;

		lines.emplace_back(text.substr(0, end));
		text.remove_prefix(end + (text[end] == ' '));
	}
	lines.emplace_back(text);
	return lines;
}

/* Exactly @width: filled, or cut with a mark that it is. */
static std::string fitted(const std::string &text, std::size_t width, bool right, bool unicode)
{
	const std::size_t used = render::text_columns(text);

	if (used > width)
		return text.substr(0, bytes_of(text, width - 1)) + (unicode ? "…" : "~");
	const std::string space(width - used, ' ');
	return right ? space + text : text + space;
}

std::vector<std::size_t> Table::widths(std::size_t width) const
{
	std::vector<std::size_t> widths;
	const auto total = [&widths] {
		std::size_t sum = 0;

		/* One between each two. */
		for (const std::size_t column : widths)
			sum += column ? column + 1 : 0;
		return sum ? sum - 1 : 0;
	};

	for (std::size_t index = 0; index < columns.size(); index++) {
		std::size_t widest = render::text_columns(columns[index].label);

		for (const auto &row : rows)
			widest = std::max(widest, render::text_columns(row[index].text));
		widths.push_back(widest);
	}
	while (total() > width) {
		unsigned int goes = 0;

		for (std::size_t index = 0; index < columns.size(); index++) {
			if (widths[index])
				goes = std::max(goes, columns[index].dispensable);
		}
		if (!goes)
			break;
		for (std::size_t index = 0; index < columns.size(); index++) {
			if (columns[index].dispensable == goes)
				widths[index] = 0;
		}
	}
	/* What is still too much, the first one lacks, and at last the screen. */
	if (total() > width)
		widths[0] -= std::min(widths[0] - 1, total() - width);
	for (std::size_t index = 0; index < columns.size(); index++) {
		if (columns[index].rest && widths[index] && width > total())
			widths[index] += width - total();
	}
	return widths;
}

std::vector<Line> Table::lines(std::size_t width, Style heading_style) const
{
	const auto widths = this->widths(width);
	std::vector<Line> lines(1);
	std::string heading;

	for (std::size_t index = 0; index < columns.size(); index++) {
		if (widths[index])
			heading += fmt::format("{}{}", heading.empty() ? "" : " ",
					       fitted(columns[index].label, widths[index],
						      columns[index].right, unicode));
	}
	const std::size_t used = render::text_columns(heading);
	lines[0] = { { heading + std::string(width > used ? width - used : 0, ' '),
		       heading_style } };
	for (const auto &row : rows) {
		Line line;

		for (std::size_t index = 0; index < columns.size(); index++) {
			const auto &[text, style, history] = row[index];

			if (!widths[index])
				continue;
			if (!line.empty())
				line.push_back({ " ", Style::plain });
			line.push_back({ history ? history->sparkline(widths[index], unicode) :
						   fitted(text, widths[index], columns[index].right,
							  unicode),
					 style });
		}
		lines.push_back(std::move(line));
	}
	return lines;
}

} // namespace nwgctl::top
