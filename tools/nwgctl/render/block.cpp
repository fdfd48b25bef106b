// SPDX-License-Identifier: GPL-2.0
#include "block.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "screen.hpp"

namespace nwgctl::render
{

static std::string chosen_mode;

bool Palette::choose(std::string_view mode)
{
	if (!mode.empty() && mode != "always" && mode != "auto" && mode != "never")
		return false;
	chosen_mode = mode;
	return true;
}

Palette Palette::for_output()
{
	const char *no_color = getenv("NO_COLOR");
	std::string mode = chosen_mode;

	if (const char *variable = getenv("WG_COLOR_MODE"); variable && mode.empty())
		mode = variable;
	if (mode == "always")
		return Palette(true);
	if (mode == "never" || (no_color && *no_color))
		return Palette(false);
	return Palette(isatty(STDOUT_FILENO));
}

std::string Palette::paint(const char *codes, std::string_view text) const
{
	if (!colored)
		return std::string(text);
	return fmt::format("{}{}\x1b[0m", codes, text);
}

std::string Palette::bold(std::string_view text) const
{
	return paint("\x1b[1m", text);
}

std::string Palette::unit(std::string_view text) const
{
	return paint("\x1b[36m", text);
}

std::string Palette::warning(std::string_view text) const
{
	return paint("\x1b[31m", text);
}

std::string Palette::title(int color, std::string_view label, std::string_view name) const
{
	const auto code = fmt::format("\x1b[{}m", color);

	return fmt::format("{}: {}", paint((code + "\x1b[1m").c_str(), label),
			   paint(code.c_str(), render::for_output(name)));
}

std::string Palette::reset() const
{
	return colored ? "\x1b[0m" : "";
}

void print_text(const std::vector<Block> &blocks, const Palette &palette)
{
	for (const auto &block : blocks) {
		if (&block != &blocks.front())
			fmt::print("\n");
		fmt::print("{}\n", palette.title(block.color, block.label, block.name));
		for (const auto &field : block.fields) {
			if (!field.label.empty())
				fmt::print("  {}: {}\n", palette.bold(field.label), field.text);
		}
		if (!block.children.empty()) {
			fmt::print("\n");
			print_text(block.children, palette);
		}
	}
}

void print_table(const std::vector<Block> &blocks)
{
	std::vector<std::vector<std::string>> rows(1);
	std::vector<std::size_t> widths;

	if (blocks.empty())
		return;
	for (const auto &field : blocks.front().fields) {
		if (field.label.empty())
			continue;
		rows[0].push_back(field.label);
		for (char &letter : rows[0].back())
			letter = static_cast<char>(toupper(letter));
	}
	for (const auto &block : blocks) {
		rows.emplace_back();
		for (const auto &field : block.fields) {
			if (!field.label.empty())
				rows.back().push_back(for_output(field.text));
		}
	}
	for (const auto &row : rows) {
		widths.resize(std::max(widths.size(), row.size()));
		for (std::size_t column = 0; column < row.size(); column++)
			widths[column] = std::max(widths[column], text_columns(row[column]));
	}
	for (const auto &row : rows) {
		std::string line;

		for (std::size_t column = 0; column < row.size(); column++)
			line += fmt::format("{:<{}}", row[column], widths[column] + 2);
		line.erase(line.find_last_not_of(' ') + 1);
		fmt::print("{}\n", line);
	}
}

std::string json_text(const Json &value, const Options &options)
{
	return value.dump(options.pretty ? 4 : -1, ' ', false, Json::error_handler_t::replace);
}

void print_json(const Json &value, const Options &options)
{
	fmt::print("{}\n", json_text(value, options));
}

Json to_json(const std::vector<Block> &blocks)
{
	Json list = Json::array();

	for (const auto &block : blocks) {
		Json object = Json::object();

		for (const auto &field : block.fields) {
			if (!field.key.empty())
				object[field.key] = field.value;
		}
		if (!block.children_key.empty())
			object[block.children_key] = to_json(block.children);
		list.push_back(std::move(object));
	}
	return list;
}

} // namespace nwgctl::render
