/* SPDX-License-Identifier: GPL-2.0 */
/* What is shown, once for people and for programs: a block of fields prints as text, as a row of a table, and as JSON. */
#ifndef NWGCTL_RENDER_BLOCK_HPP
#define NWGCTL_RENDER_BLOCK_HPP

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "../command.hpp"

namespace nwgctl::render
{

using Json = nlohmann::ordered_json;

/* Escape sequences on a terminal, nothing elsewhere. */
class Palette {
    public:
	/* As choose(), WG_COLOR_MODE, NO_COLOR and standard output say, in this order. */
	static Palette for_output();
	/* From now on @mode goes before WG_COLOR_MODE; empty, it does not. Returns false if it is no mode. */
	static bool choose(std::string_view mode);

	explicit Palette(bool colored)
		: colored(colored)
	{
	}
	bool is_colored() const
	{
		return colored;
	}
	std::string bold(std::string_view text) const;
	std::string unit(std::string_view text) const;
	std::string warning(std::string_view text) const;
	/* The label and the name of an object, as standard output can show it; @color is an SGR code. */
	std::string title(int color, std::string_view label, std::string_view name) const;
	std::string reset() const;

    private:
	std::string paint(const char *codes, std::string_view text) const;

	bool colored;
};

/* One property; left out of the text if @label is empty, and of the JSON if @key is. */
struct Field {
	std::string label, text;
	std::string key;
	Json value;
};

/* An object; its children are listed under @children_key. */
struct Block {
	int color = 0;
	std::string label, name;
	std::vector<Field> fields;
	std::string children_key;
	std::vector<Block> children;
};

/* One block under the other, an empty line between. */
void print_text(const std::vector<Block> &blocks, const Palette &palette);
/* A line per block under a line of labels in capitals; nothing if there is no block. */
void print_table(const std::vector<Block> &blocks);
/* As print_json() has it, without a line feed. */
std::string json_text(const Json &value, const Options &options);
void print_json(const Json &value, const Options &options);
Json to_json(const std::vector<Block> &blocks);

} // namespace nwgctl::render

#endif
