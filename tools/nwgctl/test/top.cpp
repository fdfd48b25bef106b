// SPDX-License-Identifier: GPL-2.0
#include "top.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "../config/value.hpp"
#include "../render/quantity.hpp"
#include "../render/screen.hpp"
#include "../top/layout.hpp"

/* Last: it has macros such as fail(), and no extern "C" of its own. */
extern "C" {
#include <cmocka.h>
}

using namespace nwgctl;
using namespace std::chrono_literals;
using top::Input;
using top::Time;

static const std::string peer_text = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
static const Time start(1000s);

static void assert_text(const std::string &got, const std::string &wanted)
{
	assert_string_equal(got.c_str(), wanted.c_str());
}

static Transport at(const std::string &text)
{
	return config::parse_listen(text).take();
}

void test_short_numbers(void **)
{
	static constexpr struct {
		double number;
		const char *text;
	} numbers[] = {
		{ 0, "0" },	      { 0.5, "0.5" },
		{ 7, "7.0" },	      { 9.94, "9.9" },
		{ 9.96, "10" },	      { 999.4, "999" },
		{ 999.6, "1.00k" },   { 1234, "1.23k" },
		{ 9994, "9.99k" },    { 9996, "10.0k" },
		{ 99940, "99.9k" },   { 99960, "100k" },
		{ 999400, "999k" },   { 999600, "1.00M" },
		{ 4.56e10, "45.6G" }, { 1.8446744073709552e19, "18.4E" },
	};

	for (const auto &[number, text] : numbers)
		assert_text(render::short_number(number), text);
	assert_text(render::bit_rate(0), "0 bit/s");
	assert_text(render::bit_rate(125), "1.00 kbit/s");
	assert_text(render::bit_rate(1.54e6), "12.3 Mbit/s");
}

void test_meter(void **)
{
	top::Meter<int, 2, int> meter;

	/* One that is new has no rate; it has one at the next reading, of what has passed by the clock. */
	auto counted = meter.count(1, { 100, UINT64_MAX - 10 }, start);
	assert_false(counted.again || counted.rates.has_value());
	counted.memory = 7;
	assert_true(meter.count(1, { 900, 0 }, start).again);
	meter.end();
	auto later = meter.count(1, { 600, UINT64_MAX }, start + 2500ms);
	assert_true(later.rates.has_value() && later.before == start);
	assert_true((*later.rates)[0] == 200 && (*later.rates)[1] == 4);
	assert_int_equal(later.memory, 7);
	assert_false(meter.count(2, { 0, 0 }, start + 2500ms).rates.has_value());
	meter.end();
	/* Made anew: neither less than nothing, nor the turn of a counter. */
	assert_false(meter.count(1, { 5, UINT64_MAX }, start + 3s).rates.has_value());
	meter.end();
	/* The other one was not there, which makes it a new one. */
	assert_int_equal(meter.size(), 1);
	assert_false(meter.count(2, { 50, 50 }, start + 4s).rates.has_value());
	assert_true((*meter.count(1, { 7, UINT64_MAX }, start + 4s).rates)[0] == 2);
	meter.end();
	/* A clock that stands still has no rate. */
	assert_false(meter.count(1, { 9, UINT64_MAX }, start + 4s).rates.has_value());
}

static std::string parts_of(const top::History &history, std::size_t count)
{
	std::string text;

	for (const auto &part : history.parts(count))
		text += part ? fmt::format("{:g} ", *part) : "- ";
	return text;
}

static std::string unknown(std::size_t count)
{
	std::string text;

	while (count--)
		text += "- ";
	return text;
}

void test_history(void **)
{
	top::History history;

	assert_text(parts_of(history, 3), "- - - ");
	history.add(Time(100s), Time(102s), 5);
	assert_text(parts_of(history, 60), unknown(58) + "5 5 ");
	/* Less than a second: the most of it. */
	history.add(Time(102s), Time(102s + 500ms), 3);
	history.add(Time(102s + 500ms), Time(103s), 9);
	history.add(Time(103s), Time(103s + 200ms), 4);
	assert_text(parts_of(history, 60), unknown(56) + "5 5 9 4 ");
	/* Parts of ten seconds begin at tens. */
	assert_text(parts_of(history, 6), "- - - - - 9 ");
	/* A pause is not known; a minute later nothing of before is. */
	history.add(Time(106s), Time(108s), 1);
	assert_text(parts_of(history, 60), unknown(52) + "5 5 9 4 - - 1 1 ");
	history.add(Time(159s), Time(161s), 2);
	assert_text(parts_of(history, 60), "5 9 4 - - 1 1 " + unknown(51) + "2 2 ");
	history.add(Time(1000s), Time(1001s), 6);
	assert_text(parts_of(history, 60), unknown(59) + "6 ");
	/* Longer than a minute; and of a machine that runs since less than that. */
	history.add(Time(1001s), Time(1200s), 8);
	assert_text(parts_of(history, 2), "8 8 ");
	top::History young;
	young.add(Time(31s), Time(33s), 5);
	assert_text(parts_of(young, 60), unknown(58) + "5 5 ");
}

void test_sparkline(void **)
{
	top::History history;

	assert_text(history.sparkline(60, true), std::string(60, ' '));
	for (int second = 0; second < 8; second++)
		history.add(Time(std::chrono::seconds(52 + second)),
			    Time(std::chrono::seconds(53 + second)), second);
	assert_text(history.sparkline(60, true), std::string(52, ' ') + "▁▂▃▄▅▆▇█");
	assert_text(history.sparkline(60, false), std::string(52, ' ') + "_.:-=+*#");
	/* As wide as divides the minute. */
	assert_int_equal(history.sparkline(1000, false).size(), 60);
	assert_int_equal(history.sparkline(59, false).size(), 30);
	assert_int_equal(history.sparkline(17, false).size(), 15);
	assert_text(history.sparkline(3, false), "  #");
	assert_text(history.sparkline(0, false), "");

	/* Very little is not nothing. */
	top::History little;
	little.add(Time(58s), Time(59s), 1);
	little.add(Time(59s), Time(60s), 1e9);
	assert_text(little.sparkline(60, false), std::string(58, ' ') + ".#");
	top::History nothing;
	nothing.add(Time(50s), Time(60s), 0);
	assert_text(nothing.sparkline(6, true), "     ▁");
}

static std::string text_of(const top::Line &line)
{
	std::string text;

	for (const auto &span : line)
		text += span.text;
	return text;
}

static std::string text_of(const std::vector<top::Line> &lines)
{
	std::string text;

	for (const auto &line : lines)
		text += text_of(line) + '\n';
	return text;
}

void test_table(void **)
{
	top::Table table({ { "NAME" }, { "B", true, 2 }, { "C", false, 1 } }, true);
	const auto lines = [&table](std::size_t width) {
		return text_of(table.lines(width, top::Style::heading));
	};

	table.add({ { "alpha" }, { "1" }, { "yes" } });
	table.add({ { "b" }, { "22" }, { "no" } });
	assert_text(lines(14), "NAME   B C    \nalpha  1 yes\nb     22 no \n");
	assert_text(lines(12), "NAME   B C  \nalpha  1 yes\nb     22 no \n");
	/* The one that may be missed goes first; at last the first column is cut, which is marked. */
	assert_text(lines(11), "NAME  C    \nalpha yes\nb     no \n");
	assert_text(lines(8), "NAME    \nalpha\nb    \n");
	assert_text(lines(3), "NA…\nal…\nb  \n");
	assert_text(lines(1), "…\n…\nb\n");

	assert_text(text_of(top::clipped({ { "a→" }, { "bc" } }, 3)), "a→b");
	assert_text(text_of(top::clipped({ { "a→" }, { "bc" } }, 0)), "");
	const auto wrapped = [](const char *text, std::size_t columns) {
		return fmt::format("{}", fmt::join(top::wrapped(text, columns), "|"));
	};
	assert_text(wrapped("", 5), "");
	assert_text(wrapped("ab cd", 5), "ab cd");
	assert_text(wrapped("ab cd ef", 5), "ab cd|ef");
	assert_text(wrapped("ab cdef", 5), "ab|cdef");
	assert_text(wrapped("abcdefgh i", 5), "abcde|fgh i");
	assert_text(wrapped("ab ", 2), "ab|");
	assert_text(wrapped("abc", 1), "a|b|c");
	assert_text(nwgctl::render::printable("w\"g\x1b[2J\xff"), "w\"g?[2J?");
}

static netlink::Relay relay(const std::string &listen, uint64_t forward, uint64_t reverse,
			    uint64_t drops)
{
	netlink::Relay relay;

	relay.interface = "wg1";
	relay.listen = at(listen);
	relay.peer = *nwgctl::Key::from_base64(peer_text);
	relay.to = at("172.16.1.254:60000");
	relay.forward.forwarded_bytes = forward;
	relay.forward.forwarded_packets = forward / 100;
	relay.reverse.forwarded_bytes = reverse;
	relay.reverse.forwarded_packets = reverse / 100;
	relay.forward_drops[NWG_DROP_SHAPE] = drops;
	relay.reverse_drops[NWG_DROP_NO_FLOW] = drops;
	relay.flows_established = 2;
	relay.flows_new = 1;
	return relay;
}

static netlink::Flow flow(const std::string &client, uint64_t forward, uint64_t reverse,
			  uint64_t idle = 0)
{
	netlink::Flow flow;

	flow.interface = "wg1";
	flow.listen = at("60000");
	flow.client = at(client);
	flow.state = NWG_FLOW_ESTABLISHED;
	flow.forward_idle = idle;
	flow.forward.forwarded_bytes = forward;
	flow.reverse.forwarded_bytes = reverse;
	return flow;
}

static Device device(uint64_t received, uint64_t sent)
{
	Device device;
	Peer peer;

	device.name = "wg1";
	peer.public_key = *nwgctl::Key::from_base64(peer_text);
	peer.endpoint = config::parse_endpoint("198.51.100.2:40000").take();
	peer.rx_bytes = received;
	peer.tx_bytes = sent;
	peer.last_handshake.tv_sec = 5000;
	device.peers.push_back(peer);
	return device;
}

void test_model(void **)
{
	top::Model model;

	model.begin();
	model.add(relay("60000", 1000, 0, 0), start);
	model.add(flow("192.0.2.2:5", 10, 20), start);
	model.add(device(0, 0), start);
	model.end();
	assert_false(model.relays[0].forward || model.relays[0].drops);
	assert_false(model.flows[0].forward() || model.peers[0].received);
	assert_true(model.forward.bytes == 0);

	model.begin();
	model.add(relay("60000", 3000, 500, 2), start + 2s);
	model.add(relay("60001", 9000, 0, 0), start + 2s);
	model.add(flow("192.0.2.2:5", 210, 20, 30), start + 2s);
	/* The kernel's table has grown meanwhile. */
	model.add(flow("192.0.2.2:5", 220, 20), start + 2s);
	model.add(flow("192.0.2.2:6", 9000, 0), start + 2s);
	model.add(device(100, 50), start + 2s);
	model.end();
	assert_int_equal(model.relays.size(), 2);
	assert_true(model.relays[0].forward->bytes == 1000 &&
		    model.relays[0].forward->packets == 10 &&
		    model.relays[0].reverse->bytes == 250 && *model.relays[0].drops == 2);
	assert_int_equal(model.relays[0].flows, 3);
	assert_false(model.relays[1].forward.has_value());
	/* The new one is not in the sum. */
	assert_true(model.forward.bytes == 1000 && model.reverse.bytes == 250);
	assert_text(model.relays[0].history.sparkline(6, false), "     #");
	assert_int_equal(model.flows.size(), 2);
	assert_true(model.flows[0].forward()->bytes == 100 && model.flows[0].reverse()->bytes == 0);
	assert_int_equal(model.flows[0].bytes, 230);
	assert_int_equal(model.flows[0].idle, 30);
	assert_false(model.flows[1].forward().has_value());
	assert_text(model.listen(model.flows[0]), "*:60000");
	assert_true(*model.peers[0].received == 50 && *model.peers[0].sent == 25);

	/* Removed, and put back in between; and gone. */
	model.begin();
	model.add(relay("60000", 10, 0, 0), start + 4s);
	model.end();
	assert_int_equal(model.relays.size(), 1);
	assert_false(model.relays[0].forward.has_value());
	assert_true(model.flows.empty() && model.peers.empty() && !model.interfaces);
	assert_true(model.forward.bytes == 0);
}

static std::string order_of(const top::Model &model, std::size_t count, top::Order order,
			    bool reverse = false)
{
	std::string ports;

	for (const auto *flow : top::first_flows(model.flows, count, order, reverse))
		ports += fmt::format("{} ", flow->key.port);
	return ports;
}

void test_flow_order(void **)
{
	top::Model model;

	for (const uint64_t factor : { 0, 1 }) {
		model.begin();
		model.add(flow("192.0.2.3:1", 50 + 100 * factor, 0, 7), start + factor * 1s);
		model.add(flow("192.0.2.2:2", 10, 10 + 300 * factor, 9), start + factor * 1s);
		model.add(flow("[2001:db8::1]:3", 900, 0, 8), start + factor * 1s);
		model.add(flow("192.0.2.2:1", 900, 0, 5), start + factor * 1s);
		model.end();
	}
	using top::Order;
	assert_text(order_of(model, 9, Order::rate), "2 1 1 3 ");
	assert_text(order_of(model, 2, Order::rate), "2 1 ");
	assert_text(order_of(model, 0, Order::rate), "");
	assert_text(order_of(model, 9, Order::rate, true), "1 3 1 2 ");
	assert_text(order_of(model, 9, Order::bytes), "1 3 2 1 ");
	assert_text(order_of(model, 9, Order::client), "1 2 1 3 ");
	assert_text(order_of(model, 9, Order::idle), "1 1 3 2 ");
	assert_text(order_of(model, 1, Order::idle, true), "2 ");
}

void test_keys(void **)
{
	top::View view;

	assert_false(view.press(Input::quit));
	view.page[top::flows] = 10;
	for (const auto input : { Input::page_down, Input::down, Input::down, Input::up })
		assert_true(view.press(input));
	assert_int_equal(view.offset[top::flows], 11);
	assert_true(view.press(Input::page_up) && view.press(Input::page_up));
	assert_int_equal(view.offset[top::flows], 0);
	assert_true(view.press(Input::section));
	assert_int_equal(view.focus, top::peers);
	assert_true(view.press(Input::down));
	assert_int_equal(view.offset[top::flows], 0);
	assert_int_equal(view.offset[top::peers], 1);
	assert_true(view.press(Input::section) && view.press(Input::section));
	assert_int_equal(view.focus, top::flows);

	assert_true(view.press(Input::sort) && view.press(Input::reverse));
	assert_true(view.order == top::Order::bytes && view.reverse);
	for (int press = 0; press < 3; press++)
		assert_true(view.press(Input::sort));
	assert_true(view.order == top::Order::rate);

	/* Help goes by any key, which does nothing else; the window may change meanwhile. */
	assert_true(view.press(Input::help) && view.press(Input::resize) && view.help);
	assert_true(view.press(Input::pause) && !view.help && !view.paused);
	assert_true(view.press(Input::pause) && view.paused);
	assert_true(view.press(Input::help));
	assert_false(view.press(Input::quit));

	view.help = false;
	view.delay = 0.1;
	assert_true(view.press(Input::faster) && view.delay == 0.1);
	assert_true(view.press(Input::slower) && view.delay == 0.5);
	view.delay = 2.5;
	assert_true(view.press(Input::slower) && view.delay == 3);
	view.delay = 2.5;
	assert_true(view.press(Input::faster) && view.delay == 2);
	view.delay = 600;
	assert_true(view.press(Input::slower) && view.delay == 600);
	assert_true(view.press(Input::faster) && view.delay == 60);
}

/* Two readings, of so many flows. */
static top::Model busy(std::size_t flows)
{
	top::Model model;

	for (const uint64_t factor : { 0, 1 }) {
		const Time now = start + factor * 1s;

		model.begin();
		model.add(relay("60000", factor * 12500, factor * 125000, factor * 3), now);
		for (std::size_t number = 1; number <= flows; number++)
			model.add(flow(fmt::format("192.0.2.2:{}", number), factor * number * 125,
				       0, 1500),
				  now);
		model.add(device(factor * 125, 0), now);
		model.end();
	}
	return model;
}

static bool has(const std::string &text, const std::string &part)
{
	return text.find(part) != text.npos;
}

void test_layout(void **)
{
	top::View view;
	auto model = busy(100);
	top::Frame frame{ { 24, 80 }, false, 5065, "12:34:56" };
	auto text = text_of(layout(model, view, frame));

	assert_true(has(
		text, "nwgctl top 12:34:56  every 2 s  1 interface, 1 relay, 100 flows, 1 peer\n"));
	assert_true(
		has(text, "relays > 100 kbit/s  < 1.00 Mbit/s  peers rx 1.00 kbit/s tx 0 bit/s\n"));
	assert_true(has(text, "\n*:60000 172.16.1.254:60000 wg1 up        3    6.0\n"));
	assert_true(has(text, "\n  >  100 kbit/s   125 pkt/s  < 1.00 Mbit/s 1.25k pkt/s  "));
	assert_true(has(text, "\n192.0.2.2:100 *:60000 established   100k      0 "));
	assert_true(has(text, " 12.21 KiB   1s\n"));
	assert_true(has(text, "\nxTIBA5rb wg1 198.51.100.2:40000     1m05s    1.00k        0 "));
	assert_true(has(text, " more\n"));
	assert_true(has(text, "\nq quit  h help"));
	assert_false(has(text, "192.0.2.2:1 "));

	/* The end, and not beyond it. */
	view.press(Input::end);
	text = text_of(layout(model, view, frame));
	assert_true(has(text, "\n192.0.2.2:1 ") && has(text, " above, 0 more\n"));
	assert_int_equal(view.offset[top::flows] + view.page[top::flows], 100);
	/* As many as there are then. */
	model = busy(3);
	text = text_of(layout(model, view, frame));
	assert_int_equal(view.offset[top::flows], 0);
	assert_true(has(text, "\n192.0.2.2:3 ") && !has(text, " more\n"));

	view.press(Input::sort);
	view.press(Input::reverse);
	assert_true(has(text_of(layout(model, view, frame)), "\nFLOWS by bytes, reversed "));
	view.press(Input::pause);
	assert_true(has(text_of(layout(model, view, frame)), "  paused  "));
	frame.trouble = { "Unable to \x1b", "hint" };
	assert_true(has(text_of(layout(model, view, frame)), "\nUnable to ?\nhint\n"));
	view.press(Input::help);
	text = text_of(layout(model, view, frame));
	assert_true(has(text, "pause") && has(text, "any other key: back\n"));
}

/* In whatever terminal: as many lines as it has, none wider. */
void test_layout_sizes(void **)
{
	for (const std::size_t flows : { 0, 1, 500 }) {
		auto model = busy(flows);

		for (std::size_t rows = 1; rows <= 40; rows++) {
			for (const std::size_t columns : { 1, 2, 20, 40, 79, 80, 120, 300 }) {
				for (const auto focus : { top::relays, top::flows, top::peers }) {
					top::View view;

					view.focus = focus;
					const auto lines = layout(
						model, view,
						{ { rows, columns }, true, 5065, "12:34:56" });
					assert_int_equal(lines.size(), rows);
					for (const auto &line : lines)
						assert_true(top::columns_of(line) <= columns);
				}
			}
		}
	}

	/* A client's address is what counts: other columns go for it. */
	top::Model model;
	top::View view;
	model.begin();
	model.add(flow("[2001:db8:1111:2222:3333:4444:5555:6666]:51820", 0, 0), start);
	model.end();
	const auto text = text_of(layout(model, view, { { 24, 80 }, false, 5065, "" }));
	assert_true(has(text, "\n[2001:db8:1111:2222:3333:4444:5555:6666]:51820 established "));
}
