// SPDX-License-Identifier: GPL-2.0
#include "chain.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "quantity.hpp"
#include "screen.hpp"

namespace nwgctl::render
{

using chain::Live;
using chain::Part;

/* The strokes of a picture. */
struct Strokes {
	const char *across, *down, *left_top, *right_top, *left_bottom, *right_bottom;
	const char *arrow, *tunnel, *arrow_down, *tunnel_down, *good, *bad, *note;
};

static constexpr Strokes utf8_strokes = { "─", "│", "┌", "┐", "└", "┘", "▶",
					  "═", "▼", "║", "✓", "✗", "!" };
static constexpr Strokes ascii_strokes = { "-", "|", "+", "+",	"+", "+", ">",
					   "=", "v", "#", "ok", "X", "!" };

static std::string repeated(const char *text, std::size_t count)
{
	std::string line;

	while (count--)
		line += text;
	return line;
}

static std::string padded(std::string_view text, std::size_t columns)
{
	const std::size_t used = text_columns(text);

	return fmt::format("{}{}", text, std::string(columns > used ? columns - used : 0, ' '));
}

/* A station of the chain. */
struct Box {
	std::string title;
	std::vector<std::string> lines;
	bool broken;

	/* Without the frame. */
	std::size_t width() const
	{
		std::size_t most = text_columns(title) + 2;

		for (const auto &line : lines)
			most = std::max(most, text_columns(line));
		return most;
	}
};

/* The three of them: those before the VPS, the relay and its tunnel there, and the home behind. */
static std::array<Box, 3> boxes_of(const Live &live, time_t now)
{
	Box clients{ "clients", {}, live.broken(Part::clients) };
	Box vps{ "VPS", {}, live.broken(Part::relay) };
	Box home{ "home", {}, live.broken(Part::home) };

	if (live.relay) {
		const auto &relay = *live.relay;

		clients.lines = { fmt::format("{} established", relay.flows_established),
				  fmt::format("{} new", relay.flows_new),
				  fmt::format("{} roaming", relay.flows_tentative) };
		vps.lines = { fmt::format("relay {}", relay.listen.text()),
			      relay.pressed ? "under pressure" :
					      fmt::format("{} flows at most", relay.max_flows) };
		home.lines = { fmt::format("wg0 {}", relay.to.text()) };
	} else {
		clients.lines = { "-" };
		vps.lines = { "no relay" };
		home.lines = { "-" };
	}
	vps.lines.push_back(
		fmt::format("{} {}, port {}", live.interface, live.up ? "up" : "down", live.port));
	if (live.home) {
		const time_t then = live.home->last_handshake.tv_sec;

		home.lines.push_back(live.home->endpoint ? "at " + live.home->endpoint->text() :
							   "not known where");
		home.lines.push_back(
			then ? fmt::format("heard {} ago",
					   short_duration(static_cast<uint64_t>(
								  std::max<time_t>(now - then, 0)) *
							  1000)) :
			       "never heard");
	} else if (live.relay) {
		home.lines.push_back("no such peer");
	}
	for (Box *box : { &vps, &home })
		std::ranges::transform(box->lines, box->lines.begin(), printable);
	return { clients, vps, home };
}

class Picture {
    public:
	Picture(const Live &live, const ChainStyle &style)
		: live(live)
		, style(style)
		, strokes(style.utf8 ? utf8_strokes : ascii_strokes)
		, boxes(boxes_of(live, style.now))
	{
	}

	std::string text() const
	{
		std::size_t width = 0;

		for (const auto &box : boxes)
			width += box.width() + 4;
		width += 2 * link_width;
		return width <= style.columns ? row() : column();
	}

    private:
	static constexpr std::size_t link_width = 7;

	std::string paint(bool broken, const std::string &text) const
	{
		return broken ? style.palette.warning(text) : text;
	}
	/* Row 0 is the upper edge; behind the last line is the lower one. */
	std::string slice(const Box &box, std::size_t row, std::size_t rows,
			  std::size_t width) const
	{
		if (row == 0) {
			const auto rest = width - text_columns(box.title) - 1;

			return fmt::format("{} {} {}",
					   paint(box.broken, fmt::format("{}{}", strokes.left_top,
									 strokes.across)),
					   style.palette.bold(box.title),
					   paint(box.broken, repeated(strokes.across, rest) +
								     strokes.right_top));
		}
		if (row + 1 == rows)
			return paint(box.broken, strokes.left_bottom +
							 repeated(strokes.across, width + 2) +
							 strokes.right_bottom);
		const auto line = row <= box.lines.size() ? box.lines[row - 1] : "";
		return fmt::format("{} {} {}", paint(box.broken, strokes.down), padded(line, width),
				   paint(box.broken, strokes.down));
	}
	/* Whether a packet gets over the link behind box @index, as far as can be told. */
	bool passes(std::size_t index) const
	{
		if (live.broken(Part::relay))
			return false;
		return index == 0 || (!live.broken(Part::tunnel) && !live.broken(Part::home));
	}
	/* Whether none has come so far that it could be told by. */
	bool unused(std::size_t index) const
	{
		return index == 0 && live.relay && !live.relay->forward.packets;
	}
	const char *sign(std::size_t index) const
	{
		return !passes(index) ? strokes.bad : unused(index) ? strokes.note : strokes.good;
	}
	std::string mark(std::size_t index) const
	{
		return passes(index) && !unused(index) ? style.palette.unit(sign(index)) :
							 style.palette.warning(sign(index));
	}
	/* What is between two boxes, of link_width columns. */
	std::string link(std::size_t index, std::size_t row) const
	{
		const char *stroke = index == 0 ? strokes.across : strokes.tunnel;

		if (row == 1) {
			const std::string name =
				index == 0 ? "UDP" : printable(live.interface.substr(0, 5));
			const std::size_t before = (link_width - name.size()) / 2;

			return padded(std::string(before, ' ') + name, link_width);
		}
		if (row == 2)
			return " " +
			       paint(!passes(index),
				     repeated(stroke, link_width - 3) + strokes.arrow) +
			       " ";
		if (row == 3) {
			const std::size_t width = text_columns(sign(index));

			return fmt::format("   {}{}", mark(index),
					   std::string(link_width - 3 - width, ' '));
		}
		return std::string(link_width, ' ');
	}
	std::string row() const
	{
		const std::size_t rows = 5;
		std::string text;

		for (std::size_t line = 0; line < rows; line++) {
			std::string whole;

			for (std::size_t index = 0; index < boxes.size(); index++) {
				whole += slice(boxes[index], line, rows, boxes[index].width());
				if (index + 1 < boxes.size())
					whole += link(index, line);
			}
			text += whole + "\n";
		}
		return text;
	}
	std::string column() const
	{
		std::size_t width = 0;
		std::string text;

		for (const auto &box : boxes)
			width = std::max(width, box.width());
		for (std::size_t index = 0; index < boxes.size(); index++) {
			const std::size_t rows = boxes[index].lines.size() + 2;

			for (std::size_t line = 0; line < rows; line++)
				text += slice(boxes[index], line, rows, width) + "\n";
			if (index + 1 == boxes.size())
				break;
			const char *stroke = index == 0 ? strokes.down : strokes.tunnel_down;
			text += fmt::format("      {}  {} {}\n      {}\n",
					    paint(!passes(index), stroke),
					    index == 0 ? "UDP" : printable(live.interface),
					    mark(index), paint(!passes(index), strokes.arrow_down));
		}
		return text;
	}

	const Live &live;
	const ChainStyle &style;
	const Strokes &strokes;
	const std::array<Box, 3> boxes;
};

/* @text in lines that end before the last column, those behind the first behind @indent spaces. */
static std::string wrapped(const std::string &text, std::size_t indent, std::size_t columns)
{
	std::size_t used = indent, start = 0;
	std::string lines;

	while (start < text.size()) {
		const std::size_t end = std::min(text.find(' ', start), text.size());
		const auto word = text.substr(start, end - start);
		const std::size_t width = text_columns(word);

		if (used > indent && used + 1 + width > columns) {
			lines += "\n" + std::string(indent, ' ');
			used = indent;
		} else if (used > indent) {
			lines += ' ';
			used++;
		}
		lines += word;
		used += width;
		start = end + 1;
	}
	return lines;
}

static std::string troubles_text(const Live &live, const ChainStyle &style)
{
	const Strokes &strokes = style.utf8 ? utf8_strokes : ascii_strokes;
	std::string text;

	for (const auto &trouble : live.troubles) {
		const auto what = wrapped(printable(trouble.what), 4, style.columns);

		text += fmt::format(
			"  {} {}\n    {}\n",
			style.palette.warning(trouble.broken ? strokes.bad : strokes.note),
			trouble.broken ? style.palette.warning(what) : what,
			wrapped("hint: " + printable(trouble.remedy), 6, style.columns - 2));
	}
	return text;
}

/* The clients that were heard last. */
static std::string clients_text(const Live &live, const ChainStyle &style)
{
	static constexpr std::size_t most = 8;
	auto flows = live.flows;
	std::string text;

	std::ranges::sort(flows, {}, &netlink::Flow::forward_idle);
	if (flows.size() > most)
		flows.resize(most);
	for (const auto &flow : flows) {
		const auto state = netlink::flow_state_name(flow.state);
		/* Two lines where an IPv6 address leaves no room. */
		const auto head = fmt::format("  {:<21} ", flow.client.text());
		const auto tail = fmt::format("{:<11} as {:<16} {}{} {}{}", state,
					      flow.mapped.text(), style.utf8 ? "↑" : "up ",
					      bytes(flow.forward.forwarded_bytes, Palette(false)),
					      style.utf8 ? "↓" : "down ",
					      bytes(flow.reverse.forwarded_bytes, Palette(false)));

		if (text_columns(head) + text_columns(tail) <= style.columns)
			text += head + tail + "\n";
		else
			text += fmt::format("{}\n      {}\n",
					    head.substr(0, head.find_last_not_of(' ') + 1),
					    wrapped(tail, 6, style.columns));
	}
	if (live.flows.size() > flows.size())
		text += fmt::format("  and {} more: nwgctl flow show dev {}\n",
				    live.flows.size() - flows.size(), printable(live.interface));
	return text;
}

std::string chain_text(const Live &live, const ChainStyle &style)
{
	return Picture(live, style).text() + troubles_text(live, style) + clients_text(live, style);
}

static Json home_json(const Live &live)
{
	Json json{ { "peer", live.relay->peer.base64() },
		   { "present", live.home.has_value() },
		   { "to_address", live.relay->to.address->text() },
		   { "to_port", live.relay->to.port } };

	if (live.home && live.home->endpoint)
		json["endpoint"] = live.home->endpoint->text();
	if (live.home)
		json["latest_handshake"] = live.home->last_handshake.tv_sec;
	return json;
}

Json chain_json(const Live &live)
{
	Json json{ { "ifname", live.interface },
		   { "kind", live.kind },
		   { "up", live.up },
		   { "mtu", live.mtu },
		   { "port", live.port } };
	Json troubles = Json::array();
	bool broken = false;

	if (live.relay) {
		const auto &relay = *live.relay;

		json["listen"] = relay.listen.text();
		json["pressed"] = relay.pressed;
		json["flows"] = { { "established", relay.flows_established },
				  { "new", relay.flows_new },
				  { "tentative", relay.flows_tentative },
				  { "max", relay.max_flows } };
		json["home"] = home_json(live);
	}
	for (const auto &trouble : live.troubles) {
		broken |= trouble.broken;
		troubles.push_back({ { "part", chain::part_name(trouble.part) },
				     { "broken", trouble.broken },
				     { "what", trouble.what },
				     { "remedy", trouble.remedy } });
	}
	json["broken"] = broken;
	json["troubles"] = std::move(troubles);
	return json;
}

} // namespace nwgctl::render
