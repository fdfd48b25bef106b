// SPDX-License-Identifier: GPL-2.0
#include "layout.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "../render/quantity.hpp"
#include "../render/screen.hpp"

namespace nwgctl::top
{

using render::bit_rate;
using render::short_number;

/* A heading and what is below it at least, where there is anything. */
static constexpr std::size_t least_room = 4;
static constexpr std::size_t relay_lines = 2;

static const char *forward_arrow(bool unicode)
{
	if (unicode)
		return "→";
	return ">";
}

static const char *reverse_arrow(bool unicode)
{
	if (unicode)
		return "←";
	return "<";
}

/* A part of what there is. */
struct Part {
	std::size_t first = 0, count = 0, all = 0;

	[[nodiscard]] std::size_t below() const
	{
		return all - first - count;
	}
};

static Line rest_line(const Part &part)
{
	if (!part.first)
		return { { fmt::format("  {} more", part.below()), Style::faint } };
	return { { fmt::format("  {} above, {} more", part.first, part.below()), Style::faint } };
}

static std::string bits(std::optional<double> bytes)
{
	return bytes ? short_number(*bytes * 8) : "-";
}

static std::string packets(const std::optional<Rate> &rate)
{
	return rate ? short_number(rate->packets) : "-";
}

static std::optional<double> bytes(const std::optional<Rate> &rate)
{
	return rate ? std::optional(rate->bytes) : std::nullopt;
}

class Layout {
    public:
	Layout(const Model &model, View &view, const Frame &frame)
		: model(model)
		, view(view)
		, frame(frame)
	{
	}

	std::vector<Line> lines()
	{
		auto head = view.help ? help() : this->head();
		const std::size_t used = head.size() + 1;
		std::vector<Line> all;

		if (!view.help && frame.size.rows > used)
			add_sections(head, frame.size.rows - used);
		for (const auto &line : head) {
			if (all.size() + 1 < frame.size.rows)
				all.push_back(clipped(line, frame.size.columns));
		}
		all.resize(std::max<std::size_t>(frame.size.rows, 1) - 1);
		all.push_back(clipped(keys(), frame.size.columns));
		return all;
	}

    private:
	[[nodiscard]] std::string direction(const char *arrow,
					    const std::optional<Rate> &rate) const
	{
		return fmt::format("{} {:>11} {:>5} pkt/s", arrow,
				   rate ? bit_rate(rate->bytes) : "-", packets(rate));
	}

	[[nodiscard]] std::vector<Line> head() const
	{
		std::vector<Line> lines;
		const auto &[forward, reverse] = std::tie(model.forward.bytes, model.reverse.bytes);
		std::string state = fmt::format("every {:g} s", view.delay);

		if (view.paused)
			state = "paused";
		lines.push_back({ { "nwgctl top ", Style::strong },
				  { fmt::format("{}  {}  {}, {}, {}, {}", frame.time, state,
						render::count(model.interfaces, "interface"),
						render::count(model.relays.size(), "relay"),
						render::count(model.flows.size(), "flow"),
						render::count(model.peers.size(), "peer")) } });
		/* A small screen has no room for sums. */
		if (frame.size.rows > 8)
			lines.push_back({ { fmt::format(
				"relays {} {:<11} {} {:<11}  peers rx {:<11} tx {}",
				forward_arrow(frame.unicode), bit_rate(forward),
				reverse_arrow(frame.unicode), bit_rate(reverse),
				bit_rate(model.received), bit_rate(model.sent)) } });
		for (const auto &text : frame.trouble) {
			for (auto &line : wrapped(render::printable(text), frame.size.columns))
				lines.push_back({ { std::move(line), Style::warning } });
		}
		return lines;
	}

	[[nodiscard]] Line keys() const
	{
		if (view.help)
			return { { "q", Style::strong }, { " quit  any other key: back" } };
		return { { "q", Style::strong },
			 { " quit  " },
			 { "h", Style::strong },
			 { " help  " },
			 { "Tab", Style::strong },
			 { " section  " },
			 { frame.unicode ? "↑↓" : "Up/Dn", Style::strong },
			 { " scroll  " },
			 { "s", Style::strong },
			 { " sort  " },
			 { "r", Style::strong },
			 { " reverse  " },
			 { "p", Style::strong },
			 { " pause  " },
			 { "+/-", Style::strong },
			 { " delay" } };
	}

	[[nodiscard]] std::vector<Line> help() const
	{
		static constexpr std::pair<const char *, const char *> keys[] = {
			{ "q, Q, ^C", "quit" },
			{ "Tab", "relays, flows or peers: the one that scrolls, and has the room" },
			{ "Up, Down, k, j", "a line" },
			{ "PgUp, PgDn", "as many as are shown" },
			{ "Home, End", "the first, the last" },
			{ "s", "sort flows by rate, bytes, client, idle time" },
			{ "r", "the other way round" },
			{ "p, Space", "pause" },
			{ "+, -", "longer, shorter delay" },
		};
		std::vector<Line> lines{ { { "Keys", Style::strong } } };

		for (const auto &[key, text] : keys)
			lines.push_back(
				{ { fmt::format("  {:<15}", key), Style::strong }, { text } });
		lines.push_back({});
		lines.push_back({ { "Columns", Style::strong } });
		for (const auto &[name, text] :
		     { std::pair(forward_arrow(frame.unicode),
				 "from clients to the home: payload that was sent on"),
		       std::pair(reverse_arrow(frame.unicode), "from the home to clients"),
		       std::pair("rx, tx",
				 "received from a peer, sent to it, as nwgctl show counts"),
		       std::pair("k, M, G", "1000, 1000000 and so on; of BYTES, Ki is 1024"),
		       std::pair("-", "not known before the second reading"),
		       std::pair("LAST MINUTE",
				 "both directions together, as high as the most in it") })
			lines.push_back(
				{ { "  " },
				  { name, Style::strong },
				  { std::string(15 - std::min<std::size_t>(
							     15, render::text_columns(name)),
						' ') },
				  { text } });
		return lines;
	}

	/* Lines that a section would have. */
	[[nodiscard]] std::size_t wanted(Section section) const
	{
		switch (section) {
		case relays:
			return 1 + relay_lines * model.relays.size();
		case flows:
			return 1 + model.flows.size();
		default:
			return 1 + model.peers.size();
		}
	}

	/* The one in focus has what the others leave, which have a quarter each at most unless more is left. */
	[[nodiscard]] std::array<std::size_t, sections> rooms(std::size_t rows) const
	{
		std::array<std::size_t, sections> rooms{};

		for (const auto section : { relays, flows, peers }) {
			const std::size_t room =
				std::min(wanted(section), std::max(least_room, rows / 4));

			if (section == view.focus || rows < room + least_room)
				continue;
			rooms[section] = room;
			rows -= room;
		}
		rooms[view.focus] = std::min(wanted(view.focus), rows);
		rows -= rooms[view.focus];
		for (const auto section : { relays, flows, peers }) {
			const std::size_t more =
				rooms[section] ? std::min(rows, wanted(section) - rooms[section]) :
						 0;

			rooms[section] += more;
			rows -= more;
		}
		return rooms;
	}

	void add_sections(std::vector<Line> &lines, std::size_t rows)
	{
		const auto rooms = this->rooms(rows);

		for (const auto section : { relays, flows, peers }) {
			if (!rooms[section])
				continue;
			const Part part = part_of(section, rooms[section] - 1);
			const std::size_t end = lines.size() + rooms[section];

			switch (section) {
			case relays:
				add_relays(lines, part);
				break;
			case flows:
				add_flows(lines, part);
				break;
			default:
				add_peers(lines, part);
				break;
			}
			if (part.count < part.all && lines.size() < end)
				lines.push_back(rest_line(part));
		}
	}

	/* What is shown on so many lines, the last of which says how many more there are if there are. */
	Part part_of(Section section, std::size_t rows)
	{
		const std::size_t each = section == relays ? relay_lines : 1;
		const std::size_t all = (wanted(section) - 1) / each;
		std::size_t fit = rows / each;

		if (fit < all && rows > each)
			fit = (rows - 1) / each;
		view.page[section] = fit;
		view.offset[section] = std::min(view.offset[section], all - std::min(all, fit));
		return { view.offset[section], std::min(fit, all), all };
	}

	[[nodiscard]] std::vector<Line> made(const Table &table, Section section) const
	{
		return table.lines(frame.size.columns,
				   section == view.focus ? Style::heading : Style::quiet_heading);
	}

	void add_relays(std::vector<Line> &lines, const Part &part) const
	{
		Table table({ { "RELAYS" },
			      { "TO" },
			      { "DEV", false, 2 },
			      { "STATE", false, 1 },
			      { "FLOWS", true, 3 },
			      { "DROP/s", true, 4 } },
			    frame.unicode);

		for (std::size_t index = part.first; index < part.first + part.count; index++) {
			const auto &relay = model.relays[index];
			Cell state{ "up" };

			if (!relay.peer_present)
				state = { "no peer", Style::warning };
			else if (relay.pressed)
				state = { "pressed", Style::warning };
			table.add({ { render::printable(relay.listen), Style::strong },
				    { relay.to },
				    { render::printable(relay.interface) },
				    state,
				    { fmt::format("{}", relay.flows) },
				    { relay.drops ? short_number(*relay.drops) : "-",
				      relay.drops.value_or(0) > 0 ? Style::warning :
								    Style::plain } });
		}
		auto rows = made(table, relays);
		lines.push_back(rows[0]);
		for (std::size_t index = 0; index < part.count; index++) {
			lines.push_back(rows[1 + index]);
			lines.push_back(rates_line(model.relays[part.first + index]));
		}
	}

	[[nodiscard]] Line rates_line(const RelayRow &relay) const
	{
		Line line{ { fmt::format(
			"  {}  {}  ", direction(forward_arrow(frame.unicode), relay.forward),
			direction(reverse_arrow(frame.unicode), relay.reverse)) } };
		const std::size_t used = columns_of(line);

		if (used < frame.size.columns)
			line.push_back(
				{ relay.history.sparkline(frame.size.columns - used, frame.unicode),
				  Style::bar });
		return line;
	}

	void add_flows(std::vector<Line> &lines, const Part &part) const
	{
		const auto first =
			first_flows(model.flows, part.first + part.count, view.order, view.reverse);
		const std::string forward = forward_arrow(frame.unicode);
		const std::string reverse = reverse_arrow(frame.unicode);
		Table table({ { "FLOWS by " + by_order() },
			      { "RELAY", false, 4 },
			      { "STATE", false, 2 },
			      { forward + "bit/s", true, 1 },
			      { reverse + "bit/s", true, 1 },
			      { forward + "pkt/s", true, 6 },
			      { reverse + "pkt/s", true, 6 },
			      { "BYTES", true, 5 },
			      { "IDLE", true, 3 } },
			    frame.unicode);

		for (std::size_t index = part.first; index < first.size(); index++) {
			const auto &flow = *first[index];

			table.add({ { Transport{ flow.key.client, flow.key.port }.text(),
				      Style::strong },
				    { render::printable(model.listen(flow)) },
				    { std::string(netlink::flow_state_name(flow.state)) },
				    { bits(bytes(flow.forward())) },
				    { bits(bytes(flow.reverse())) },
				    { packets(flow.forward()) },
				    { packets(flow.reverse()) },
				    { render::bytes(flow.bytes, render::Palette(false)) },
				    { render::short_duration(flow.idle) } });
		}
		for (auto &line : made(table, flows))
			lines.push_back(std::move(line));
	}

	[[nodiscard]] std::string by_order() const
	{
		return fmt::format("{}{}", order_name(view.order),
				   view.reverse ? ", reversed" : "");
	}

	[[nodiscard]] Cell handshake_of(const PeerRow &peer) const
	{
		const time_t age = std::max<time_t>(frame.now - peer.last_handshake, 0);

		if (!peer.last_handshake)
			return { "never", Style::warning };
		return { render::short_duration(static_cast<uint64_t>(age) * 1000) };
	}

	void add_peers(std::vector<Line> &lines, const Part &part) const
	{
		static constexpr std::size_t key_length = 8;
		Table table({ { "PEERS" },
			      { "DEV", false, 3 },
			      { "ENDPOINT", false, 4 },
			      { "HANDSHAKE", true, 2 },
			      { "rx bit/s", true, 1 },
			      { "tx bit/s", true, 1 },
			      { "LAST MINUTE", false, 5, true } },
			    frame.unicode);

		for (std::size_t index = part.first; index < part.first + part.count; index++) {
			const auto &peer = model.peers[index];

			table.add({ { peer.key.base64().substr(0, key_length), Style::strong },
				    { render::printable(peer.interface) },
				    { peer.endpoint ? render::printable(peer.endpoint->text()) :
						      "-" },
				    handshake_of(peer),
				    { bits(peer.received) },
				    { bits(peer.sent) },
				    { "", Style::bar, &peer.history } });
		}
		for (auto &line : made(table, peers))
			lines.push_back(std::move(line));
	}

	const Model &model;
	View &view;
	const Frame &frame;
};

std::vector<Line> layout(const Model &model, View &view, const Frame &frame)
{
	return Layout(model, view, frame).lines();
}

} // namespace nwgctl::top
