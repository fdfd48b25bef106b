// SPDX-License-Identifier: GPL-2.0
#include "sight.hpp"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <algorithm>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "../command.hpp"
#include "../config/value.hpp"
#include "../netlink/events.hpp"
#include "../query.hpp"
#include "../render/event.hpp"
#include "../render/finding.hpp"
#include "../render/metrics.hpp"
#include "../render/relay.hpp"
#include "../render/screen.hpp"

/* Last: it has macros such as fail(), and no extern "C" of its own. */
extern "C" {
#include <cmocka.h>
}

using namespace nwgctl;

static const std::string peer_text = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

static void assert_text(const std::string &got, const std::string &wanted)
{
	assert_string_equal(got.c_str(), wanted.c_str());
}

static Transport at(const char *text)
{
	return config::parse_listen(text).take();
}

static bool matches(const char *filter, const char *client)
{
	const auto parsed = ClientFilter::from_text(filter);

	if (!parsed)
		fail_msg("%s: %s", filter, parsed.error().what.c_str());
	return parsed.value().matches(at(client));
}

void test_client_filter(void **)
{
	assert_true(matches("192.0.2.2", "192.0.2.2:5"));
	assert_false(matches("192.0.2.2", "192.0.2.3:5"));
	assert_true(matches("192.0.2.2:5", "192.0.2.2:5"));
	assert_false(matches("192.0.2.2:5", "192.0.2.2:6"));
	assert_true(matches("192.0.2.77/24", "192.0.2.2:5"));
	assert_false(matches("192.0.2.0/24", "192.0.3.2:5"));
	assert_true(matches("192.0.2.0/24:5", "192.0.2.2:5"));
	assert_false(matches("192.0.2.0/24:5", "192.0.2.2:6"));
	assert_true(matches("*:5", "[2001:db8::1]:5"));
	assert_false(matches("*:5", "[2001:db8::1]:6"));
	assert_true(matches("0.0.0.0/0", "192.0.2.2:5"));
	assert_false(matches("0.0.0.0/0", "[2001:db8::1]:5"));
	for (const char *text :
	     { "2001:db8::1", "2001:db8::/32", "2001:db8::/32:5", "[2001:db8::1]",
	       "[2001:db8::1]:5", "[2001:db8::]/32:5", "[2001:db8::/32]:5", "::/0" }) {
		assert_true(matches(text, "[2001:db8::1]:5"));
		assert_false(matches(text, "192.0.2.2:5"));
	}
	for (const char *text : { "", "*", "x", "192.0.2.2:0", "192.0.2.2:65536", "192.0.2.2:",
				  "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "2001:db8::/129",
				  "[2001:db8::1", "[2001:db8::1]x", "[]:5", "192.0.2.2%eth0" })
		assert_false(static_cast<bool>(ClientFilter::from_text(text)));
}

static Result<FlowQuery> query(const std::vector<std::string> &words)
{
	return parse_flow_query(words);
}

void test_flow_query(void **)
{
	const auto all =
		query({ "dev", "wg1", "listen", "60000", "state", "new,tentative", "client", "*:5",
			"peer", peer_text, "sort", "bytes", "reverse", "limit", "3" })
			.take();

	assert_text(*all.relay.interface, "wg1");
	assert_true(all.states == std::set<uint32_t>({ NWG_FLOW_NEW, NWG_FLOW_TENTATIVE }));
	assert_text(all.peer->base64(), peer_text);
	assert_true(all.order == FlowOrder::bytes && all.reverse);
	assert_int_equal(*all.limit, 3);
	assert_true(query({}).take().states.empty());
	for (const std::vector<std::string> &words :
	     std::vector<std::vector<std::string>>{ { "state" },
						    { "state", "" },
						    { "state", "new," },
						    { "state", "old" },
						    { "state", "new", "state", "new" },
						    { "sort", "size" },
						    { "sort", "age", "sort", "age" },
						    { "reverse" },
						    { "limit", "0" },
						    { "limit", "x" },
						    { "peer", "x" },
						    { "sort", "age", "reverse", "reverse" },
						    { "bogus" } })
		assert_false(static_cast<bool>(query(words)));
}

static netlink::Flow flow(const char *client, uint64_t bytes, uint64_t packets, uint64_t age,
			  uint64_t idle, uint32_t state = NWG_FLOW_ESTABLISHED)
{
	netlink::Flow flow;

	flow.interface = "wg1";
	flow.listen = at("60000");
	flow.client = at(client);
	flow.mapped = at("172.16.1.1:1024");
	flow.state = state;
	flow.age = age;
	flow.forward_idle = idle;
	flow.forward.forwarded_bytes = bytes;
	flow.reverse.forwarded_packets = packets;
	return flow;
}

static std::string order_of(const std::vector<netlink::Flow> &flows)
{
	std::string ports;

	for (const auto &flow : flows)
		ports += fmt::format("{} ", flow.client.port);
	return ports;
}

void test_query_order(void **)
{
	const std::vector<netlink::Flow> flows{
		flow("192.0.2.3:1", 10, 300, 2000, 5),
		flow("192.0.2.2:2", 30, 100, 1000, 9, NWG_FLOW_NEW),
		flow("[2001:db8::1]:3", 20, 200, 3000, 7),
	};
	const auto applied = [&](const std::vector<std::string> &words) {
		auto list = flows;

		apply_query(list, query(words).take());
		return order_of(list);
	};

	assert_text(applied({}), "1 2 3 ");
	assert_text(applied({ "sort", "bytes" }), "2 3 1 ");
	assert_text(applied({ "sort", "bytes", "reverse" }), "1 3 2 ");
	assert_text(applied({ "sort", "packets" }), "1 3 2 ");
	assert_text(applied({ "sort", "age" }), "3 1 2 ");
	assert_text(applied({ "sort", "idle", "limit", "2" }), "2 3 ");
	assert_text(applied({ "sort", "client" }), "2 1 3 ");
	assert_text(applied({ "state", "new" }), "2 ");
	assert_text(applied({ "client", "192.0.2.0/24" }), "1 2 ");

	/* Whoever sent last: the home, if it did. */
	auto answered = flow("192.0.2.3:1", 0, 0, 0, 500);
	assert_int_equal(idle_time(answered), 500);
	answered.reverse_idle = 20;
	assert_int_equal(idle_time(answered), 20);
}

static netlink::Event event_of(netlink::Request &message)
{
	const auto start = reinterpret_cast<const uint8_t *>(message.header());

	return netlink::parse_event(SecretBytes(start, start + message.length()));
}

static void put_address(netlink::Request &message, uint16_t type, const char *text)
{
	message.put(type, Address::from_text(text)->raw());
}

static netlink::Request flow_event(uint8_t kind, uint32_t state)
{
	netlink::Request message(30, kind, 1, 0);

	message.put_string(NWG_FLOW_A_IFNAME, "wg1");
	message.put_u16(NWG_FLOW_A_LISTEN_PORT, 60000);
	put_address(message, NWG_FLOW_A_CLIENT_IP4, "192.0.2.2");
	message.put_u16(NWG_FLOW_A_CLIENT_PORT, 5);
	put_address(message, NWG_FLOW_A_LOCAL_IP4, "192.0.2.1");
	put_address(message, NWG_FLOW_A_MAPPED_IP4, "172.16.1.1");
	message.put_u16(NWG_FLOW_A_MAPPED_PORT, 1024);
	message.put_u32(NWG_FLOW_A_STATE, state);
	return message;
}

static std::string line(const netlink::Event &event, bool statistics = false)
{
	return render::event_text(event, render::Palette(false), statistics);
}

/* Of a file: until it goes, it is that one's, or a terminal. */
class Redirected {
    public:
	explicit Redirected(int number, const char *name = nullptr)
		: number(number)
		, before(dup(number))
		, terminal(posix_openpt(O_RDWR | O_NOCTTY))
	{
		assert_true(before >= 0 && terminal >= 0 && !grantpt(terminal) &&
			    !unlockpt(terminal));
		const int file = open(name ? name : ptsname(terminal), O_RDWR | O_NOCTTY);
		assert_true(file >= 0);
		assert_int_equal(dup2(file, number), number);
		close(file);
	}
	~Redirected()
	{
		dup2(before, number);
		close(before);
		close(terminal);
	}
	Redirected(const Redirected &) = delete;
	Redirected &operator=(const Redirected &) = delete;

    private:
	int number, before;

    public:
	/* What is written can be read here. */
	const int terminal;
};

/* No name is a command to the terminal, nor to that which shows a relay; programs get it as it is. */
void test_names(void **)
{
	for (const bool on_terminal : { true, false }) {
		const Redirected output(STDOUT_FILENO, on_terminal ? nullptr : "/dev/null");
		const std::string shown = on_terminal ? "w?[2J??" : "w\x1b[2J\xc3\xa4";
		auto begun = flow_event(NWG_CMD_FLOW_BEGIN_NTF, NWG_FLOW_NEW);
		auto odd = event_of(begun);
		netlink::Relay leading;

		leading.interface = odd.flow->interface = "w\x1b[2J\xc3\xa4";
		assert_true(line(odd).starts_with("flow begin dev " + shown + " "));
		const auto block = render::relay_block(leading, render::Palette(false), false);
		assert_true(std::ranges::any_of(block.fields, [&shown](const auto &field) {
			return field.label == "interface" && field.text == shown;
		}));
		assert_text(render::Palette(false).title(32, "relay", leading.interface),
			    "relay: " + shown);
	}
}

/* Nor what is said of it: of the letters of other languages, which a file's name may have, the terminal's locale decides. */
void test_said_names(void **)
{
	const std::string name = "w\x1b[2J\xc2\x9b\xc3\xa4";
	const diagnosis::Finding finding{ "id", name, name, name, true };

	setenv("LC_ALL", "C.UTF-8", 1);
	{
		const Redirected output(STDOUT_FILENO), errors(STDERR_FILENO);
		char said[64] = {};

		assert_text(render::finding_text(finding, render::Palette(false)),
			    "Note: w?[2J\xc2?\xc3\xa4: w?[2J\xc2?\xc3\xa4\n  w?[2J\xc2?\xc3\xa4\n");
		print_error(usage_error(name, name));
		assert_true(read(errors.terminal, said, sizeof(said) - 1) > 0);
		assert_true(strstr(said, "w?[2J\xc2?\xc3\xa4") && !strchr(said, '\x1b'));
		setenv("LC_ALL", "C", 1);
		assert_text(render::text_for(STDOUT_FILENO, name), "w?[2J????");
	}
	const Redirected output(STDOUT_FILENO, "/dev/null");
	assert_text(render::text_for(STDOUT_FILENO, name), name);
	unsetenv("LC_ALL");
}

/* Each kind, as a line and as JSON; what this program does not know has its number. */
void test_events(void **)
{
	static const std::string start =
		" dev wg1 listen *:60000 client 192.0.2.2:5 local 192.0.2.1 mapped 172.16.1.1:1024 state ";
	auto begun = flow_event(NWG_CMD_FLOW_BEGIN_NTF, NWG_FLOW_NEW);
	assert_text(line(event_of(begun)), "flow begin" + start + "new");
	assert_text(render::event_json(event_of(begun))["event"], "flow-begin");

	auto large = flow_event(NWG_CMD_FLOW_MTU_NTF, NWG_FLOW_ESTABLISHED);
	large.put_u32(NWG_FLOW_A_MTU, 1360);
	assert_text(line(event_of(large)), "flow mtu" + start + "established mtu 1360");

	for (uint32_t reason = NWG_FLOW_END_EXPIRED; reason <= NWG_FLOW_END_UNUSABLE + 1;
	     reason++) {
		static const char *names[] = { "",	  "expired",  "evicted", "replaced",
					       "removed", "unusable", "6" };
		auto ended = flow_event(NWG_CMD_FLOW_END_NTF, 9);

		ended.put_u32(NWG_FLOW_A_END, reason);
		assert_text(
			line(event_of(ended)),
			"flow end" + start + "9 reason " + names[reason] +
				" age 0s handshakes 0 forward packets 0 bytes 0 reverse packets 0 bytes 0");
		const auto json = render::event_json(event_of(ended));
		assert_text(json["reason"], names[reason]);
		assert_text(json["state"], "9");
	}

	netlink::Request relay(30, NWG_CMD_RELAY_SET_NTF, 1, 0);
	relay.put_string(NWG_RELAY_A_IFNAME, "wg1");
	relay.put_u16(NWG_RELAY_A_LISTEN_PORT, 60000);
	relay.put(NWG_RELAY_A_PEER, Key::from_base64(peer_text)->raw());
	put_address(relay, NWG_RELAY_A_TO_IP4, "172.16.1.254");
	relay.put_u16(NWG_RELAY_A_TO_PORT, 60000);
	relay.put_u32(NWG_RELAY_A_MAX_FLOWS, 7);
	const auto changed = event_of(relay);
	assert_text(
		line(changed),
		"relay set dev wg1 listen *:60000 peer " + peer_text +
			" to 172.16.1.254:60000 source masquerade max-flows 7 max-flows-per-source 0");
	/* Nobody has said so. */
	assert_false(render::event_json(changed).contains("peer_present"));
	relay.put_u8(NWG_RELAY_A_PEER_PRESENT, 0);
	assert_true(line(event_of(relay)).ends_with(" peer-present no"));
	assert_false(render::event_json(event_of(relay))["peer_present"].get<bool>());
	assert_true(
		line(event_of(relay), true)
			.ends_with(
				" forward packets 0 bytes 0 dropped 0 reverse packets 0 bytes 0 dropped 0"));

	netlink::Request handshake(30, NWG_CMD_PEER_HANDSHAKE_NTF, 1, 0);
	handshake.put_string(NWG_DEVICE_A_IFNAME, "wg1");
	const auto peers = handshake.begin_nest(NWG_DEVICE_A_PEERS);
	const auto peer = handshake.begin_nest(0);
	handshake.put(NWG_PEER_A_PUBLIC_KEY, Key::from_base64(peer_text)->raw());
	handshake.end_nest(peer);
	handshake.end_nest(peers);
	assert_text(line(event_of(handshake)), "peer handshake dev wg1 peer " + peer_text);
	assert_text(render::event_json(event_of(handshake))["public_key"], peer_text);

	netlink::Request unknown(30, 200, 1, 0);
	assert_text(line(event_of(unknown)), "unknown event 200");
	assert_text(render::event_json(event_of(unknown)).dump(),
		    "{\"event\":\"unknown\",\"number\":200}");
	/* Of a known kind, and without what it should have. */
	netlink::Request empty(30, NWG_CMD_FLOW_END_NTF, 1, 0);
	assert_text(line(event_of(empty)), fmt::format("unknown event {}", NWG_CMD_FLOW_END_NTF));
}

static netlink::Relay relay(const char *listen, uint64_t bytes, uint64_t drops)
{
	netlink::Relay relay;

	relay.interface = "wg1";
	relay.listen = at(listen);
	relay.peer = *Key::from_base64(peer_text);
	relay.to = at("172.16.1.254:60000");
	relay.max_flows = 4096;
	relay.forward.forwarded_bytes = bytes;
	relay.forward_drops[NWG_DROP_SHAPE] = drops;
	return relay;
}

static bool has_line(const std::string &text, const std::string &line)
{
	return ("\n" + text).find("\n" + line + "\n") != text.npos;
}

void test_metrics(void **)
{
	render::Interface interface;
	Peer peer;

	assert_text(render::label_value("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
	assert_text(render::label_value("wg\xc3\xa4"), "wg\xc3\xa4");
	assert_text(render::label_value("wg\xff"), "wg\\\\xff");
	assert_true(has_line(render::metrics_text(std::nullopt, {}), "nwg_up 0"));
	/* Of no relays, too. */
	assert_true(has_line(render::metrics_text(std::nullopt, {}), "nwg_relays 0"));
	assert_text(
		render::metrics_text(std::vector<netlink::Relay>(), {}),
		"# HELP nwg_up Whether module nwg is loaded, which has relays; who asks loads it, where "
		"it is installed.\n"
		"# TYPE nwg_up gauge\nnwg_up 1\n"
		"# HELP nwg_relays Relays that there are.\n"
		"# TYPE nwg_relays gauge\nnwg_relays 0\n");

	peer.public_key = *Key::from_base64(peer_text);
	peer.rx_bytes = UINT64_MAX;
	peer.last_handshake = { 1700000000, 5 };
	interface.link = { 7, "w\"g", "nwg" };
	interface.device.peers.push_back(peer);
	const auto text = render::metrics_text(std::vector{ relay("60000", 12, 3) }, { interface });
	assert_true(has_line(text, "nwg_relays 1"));
	assert_true(has_line(text, "# TYPE nwg_relay_dropped_packets_total counter"));
	assert_true(has_line(text,
			     "nwg_relay_forwarded_bytes_total{interface=\"wg1\",listen=\"*:60000\","
			     "direction=\"forward\"} 12"));
	assert_true(has_line(text,
			     "nwg_relay_dropped_packets_total{interface=\"wg1\",listen=\"*:60000\","
			     "direction=\"forward\",reason=\"shape\"} 3"));
	assert_true(has_line(text, "nwg_interface_peers{interface=\"w\\\"g\"} 1"));
	assert_true(
		has_line(text, "nwg_peer_received_bytes_total{interface=\"w\\\"g\",public_key=\"" +
				       peer_text + "\"} 18446744073709551615"));
	assert_true(has_line(text, "nwg_peer_last_handshake_timestamp_seconds{interface=\"w\\\"g\","
				   "public_key=\"" +
					   peer_text + "\"} 1700000000.000000005"));
	/* Not asked for, and so not there. */
	assert_true(text.find("nwg_interface_received_bytes_total") == text.npos);
}
