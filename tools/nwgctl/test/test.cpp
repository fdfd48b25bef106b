// SPDX-License-Identifier: GPL-2.0
/* Tests of what needs no kernel: values, configuration files, netlink messages, rendering. */
#include <cctype>
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "../batch.hpp"
#include "../config/file.hpp"
#include "../config/quick.hpp"
#include "../config/value.hpp"
#include "../netlink/device.hpp"
#include "../netlink/relay.hpp"
#include "../render/device.hpp"
#include "../render/quantity.hpp"
#include "../render/relay.hpp"
#include "chain.hpp"
#include "quick.hpp"
#include "completion.hpp"
#include "doctor.hpp"
#include "migration.hpp"
#include "ruleset.hpp"
#include "sight.hpp"
#include "top.hpp"

/* Last: it has macros such as fail(), and no extern "C" of its own. */
extern "C" {
#include <cmocka.h>
}

using namespace nwgctl;

static const std::string private_text = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
static const std::string public_text = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";
static const std::string a_text = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
static const std::string b_text = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=";

static Key key(const std::string &text)
{
	return *Key::from_base64(text);
}

static Prefix prefix(const char *text)
{
	return config::parse_allowed_ips(text).take().at(0);
}

static void assert_text(const std::string &got, const std::string &wanted)
{
	assert_string_equal(got.c_str(), wanted.c_str());
}

/* A Result that is an error, or an optional that is empty. */
static void assert_refused(const auto &result)
{
	assert_false(static_cast<bool>(result));
}

static void test_key(void **)
{
	assert_text(key(private_text).base64(), private_text);
	assert_text(key(private_text).public_key().base64(), public_text);
	assert_true(Key().is_zero());
	assert_false(key(a_text).is_zero());
	assert_refused(Key::from_base64(""));
	assert_refused(Key::from_base64(a_text.substr(1)));
	assert_refused(Key::from_base64(a_text + "="));
	assert_refused(Key::from_base64(" " + a_text.substr(1)));
	/* Bits of the padding are set. */
	assert_refused(Key::from_base64("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dh="));
	assert_refused(Key::from_base64("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8D=="));
	/* Digits, and nothing else. */
	for (unsigned int byte = 0; byte <= UINT8_MAX; byte++) {
		const bool digit = byte < 0x80 &&
				   (isalnum(static_cast<int>(byte)) || byte == '+' || byte == '/');
		const std::string text = static_cast<char>(byte) + a_text.substr(1);

		assert_int_equal(static_cast<bool>(Key::from_base64(text)), digit);
	}

	const Key made = Key::random_private();
	assert_int_equal(made.raw()[0] & 7, 0);
	assert_int_equal(made.raw()[31] & 192, 64);
	assert_false(made == Key::random_private());
	assert_false(Key::random_preshared() == Key::random_preshared());
}

static void test_numbers(void **)
{
	assert_int_equal(config::parse_port("65535").value(), 65535);
	assert_int_equal(config::parse_port("0").value(), 0);
	for (const char *text :
	     { "", "65536", "-1", "+1", " 1", "1 ", "0x1", "ssh", "99999999999999999999" })
		assert_refused(config::parse_port(text));
	assert_int_equal(config::parse_fwmark("0xffffffff").value(), 0xffffffff);
	assert_int_equal(config::parse_fwmark("010").value(), 10);
	assert_int_equal(config::parse_fwmark("oFF").value(), 0);
	for (const char *text : { "", "0x", "0X1", "4294967296", "0x100000000", "-1", "offf" })
		assert_refused(config::parse_fwmark(text));
	assert_int_equal(config::parse_keepalive("off").value(), 0);
	assert_int_equal(config::parse_keepalive("25").value(), 25);
	for (const char *text : { "", "65536", "0x1", "x" })
		assert_refused(config::parse_keepalive(text));
	assert_int_equal(config::parse_count("1", "n").value(), 1);
	assert_refused(config::parse_count("0", "n"));
}

static void test_allowed_ips(void **)
{
	const auto list = config::parse_allowed_ips(" 10.0.0.0/8 , fd00::1,0.0.0.0/0 ").take();

	assert_int_equal(list.size(), 3);
	assert_text(list[0].text(), "10.0.0.0/8");
	assert_text(list[1].text(), "fd00::1/128");
	assert_text(list[2].text(), "0.0.0.0/0");
	assert_true(config::parse_allowed_ips("").take().empty());
	assert_text(prefix("10.1.2.3/9").text(), "10.0.0.0/9");
	assert_text(prefix("fd00:ffff::/17").text(), "fd00:8000::/17");
	for (const char *text : { ",", "10.0.0.0/8,", "10.0.0.0/33", "fd00::/129", "10.0.0.0/",
				  "10/8", "x/8", "10.0.0.0/8/8", "10.0.0.0/+8", "fe80::1%lo" })
		assert_refused(config::parse_allowed_ips(text));
}

static void test_endpoint(void **)
{
	setenv("WG_ENDPOINT_RESOLUTION_RETRIES", "0", 1);
	assert_text(config::parse_endpoint("192.0.2.1:5").value().text(), "192.0.2.1:5");
	assert_text(config::parse_endpoint("[2001:db8::1]:5").value().text(), "[2001:db8::1]:5");
	assert_text(config::parse_endpoint("2001:db8::1:5").value().text(), "[2001:db8::1]:5");
	assert_text(config::parse_endpoint("[fe80::1%lo]:5").value().text(), "[fe80::1%lo]:5");
	assert_text(config::parse_endpoint(std::string_view("192.0.2.1\0:5", 12)).error().what,
		    "Unable to parse endpoint with a NUL character");
	for (const char *text : { "", ":", ":5", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536",
				  "192.0.2.1:-1", "[::1", "[::1]", "[::1]5", "[::1]:", "[]:5" })
		assert_refused(config::parse_endpoint(text));
	for (const char *text : { "1.2.3.4:+5", "1.2.3.4: 5", "1.2.3.4:65536", "1.2.3.4:-1" })
		assert_refused(config::parse_endpoint(text));
	for (const char *retries : { "-1", " 1", "+1", "2147483648", "Infinity" }) {
		setenv("WG_ENDPOINT_RESOLUTION_RETRIES", retries, 1);
		assert_refused(config::parse_endpoint("192.0.2.1:5"));
	}
	for (const char *retries : { "", "2147483647", "infinity" }) {
		setenv("WG_ENDPOINT_RESOLUTION_RETRIES", retries, 1);
		assert_true(static_cast<bool>(config::parse_endpoint("192.0.2.1:5")));
	}
	setenv("WG_ENDPOINT_RESOLUTION_RETRIES", "many", 1);
	assert_refused(config::parse_endpoint("192.0.2.1:5"));
	unsetenv("WG_ENDPOINT_RESOLUTION_RETRIES");
}

static void test_transport(void **)
{
	const std::pair<const char *, const char *> listens[] = {
		{ "60000", "*:60000" },
		{ "*:60000", "*:60000" },
		{ "192.0.2.1:5", "192.0.2.1:5" },
		{ "%eth0:5", "*%eth0:5" },
		{ "*%eth0:5", "*%eth0:5" },
		{ "192.0.2.1%e]h0:5", "192.0.2.1%e]h0:5" },
		{ "[2001:db8::1]%eth0.7:5", "[2001:db8::1]%eth0.7:5" },
	};

	for (const auto &[text, shown] : listens)
		assert_text(config::parse_listen(text).value().text(), shown);
	assert_text(config::parse_listen("%eth0:5").value().interface, "eth0");
	/* What is typed is the same again, and has no star. */
	for (const char *text : { "5", "%eth0:5", "192.0.2.1:5", "192.0.2.1%eth0:5", "[::1]:5" })
		assert_text(config::parse_listen(text).value().words(), text);
	/* Two that the kernel does not make both. */
	const auto meet = [](const char *a, const char *b) {
		const auto left = config::parse_listen(a).take(),
			   right = config::parse_listen(b).take();
		assert_int_equal(overlap(left, right), overlap(right, left));
		return overlap(left, right);
	};
	for (const char *text : { "5", "%eth0:5", "192.0.2.1:5", "192.0.2.1%eth0:5", "[::1]:5" })
		assert_true(meet(text, "5"));
	assert_true(meet("192.0.2.1:5", "%eth0:5"));
	assert_true(meet("192.0.2.1:5", "192.0.2.1%eth0:5"));
	assert_false(meet("192.0.2.1:5", "192.0.2.2:5"));
	assert_false(meet("192.0.2.1%eth0:5", "192.0.2.1%eth1:5"));
	assert_false(meet("192.0.2.1:5", "[::1]:5"));
	assert_false(meet("5", "6"));
	assert_text(config::parse_transport("[2001:db8::1]:5").value().text(), "[2001:db8::1]:5");
	for (const char *text : { "",
				  "0",
				  "65536",
				  "x",
				  "192.0.2.1",
				  "192.0.2.1:0",
				  "2001:db8::1:5",
				  "0.0.0.0:5",
				  "[::]:5",
				  "localhost:5",
				  "[::1]",
				  ":5",
				  "%:5",
				  "*%:5",
				  "%eth0",
				  "5%eth0",
				  "%eth0:0",
				  "%interface-1234567:5",
				  "[::]%eth0:5",
				  "[fe80::1%eth0]:5",
				  "2001:db8::1%eth0:5" })
		assert_refused(config::parse_listen(text));
	for (const char *text : { "60000", "*:60000", "", "192.0.2.1:0", "192.0.2.1%eth0:5" })
		assert_refused(config::parse_transport(text));
}

static Result<DeviceChange> parse(const std::string &text,
				  config::Mode mode = config::Mode::replace)
{
	return config::parse(text, "f", mode);
}

static void test_file(void **)
{
	const std::string text =
		"# a comment\r\n[interface]\r\nPrivateKey = " + private_text +
		" # mine\nListen Port=5 5\nFwMark = 0x10\n\n[Peer]\nPublicKey=" + a_text +
		"\nAllowedIPs = 10.0.0.0/8, fd00::/8\nAllowedIPs=1.2.3.4\nEndpoint=192.0.2.1:5\n"
		"PersistentKeepalive=off\n[Peer]\nPresharedKey=" +
		private_text + "\nPublicKey=" + b_text;
	const auto change = parse(text).take();

	assert_true(change.replace_peers);
	assert_true(*change.private_key == key(private_text));
	assert_int_equal(*change.listen_port, 55);
	assert_int_equal(*change.fwmark, 16);
	assert_int_equal(change.peers.size(), 2);
	assert_true(change.peers[0].public_key == key(a_text));
	assert_true(change.peers[0].replace_allowed_ips);
	assert_int_equal(change.peers[0].allowed_ips.size(), 3);
	assert_int_equal(*change.peers[0].keepalive, 0);
	assert_false(change.peers[0].preshared_key.has_value());
	assert_true(*change.peers[1].preshared_key == key(private_text));
	assert_true(change.peers[1].replace_allowed_ips);

	const auto appended = parse("[Interface]\nFwMark=1\n", config::Mode::append).take();
	assert_false(appended.replace_peers);
	assert_false(appended.private_key.has_value());
	assert_false(appended.listen_port.has_value());

	const auto emptied = parse("").take();
	assert_true(emptied.private_key->is_zero());
	assert_int_equal(*emptied.listen_port, 0);
	assert_int_equal(*emptied.fwmark, 0);
}

static void assert_file_error(const std::string &text, const std::string &start)
{
	const auto change = parse(text);

	assert_refused(change);
	if (!change.error().what.starts_with(start))
		fail_msg("%s: not at %s", change.error().what.c_str(), start.c_str());
	assert_null(strstr(change.error().what.c_str(), private_text.c_str()));
	assert_int_equal(static_cast<int>(change.error().exit), 1);
}

static void test_file_errors(void **)
{
	assert_file_error("PrivateKey=" + private_text, "f:1: Line unrecognized: `PrivateKey=");
	assert_file_error("[Interface]\nPrivatKey=" + private_text, "f:2: Line unrecognized");
	assert_file_error("[Peer]\nPrivateKey=" + private_text, "f:2: Line unrecognized");
	assert_file_error("[Interface]\nPrivateKey=x" + private_text, "f:2: Key is not");
	/* What is not written as it should be may be a key, too. */
	assert_file_error("[Interface]\nPrivateKey " + private_text,
			  "f:2: Line unrecognized: `PrivateKey");
	assert_file_error("[Interface]\nPrivateKey: " + private_text,
			  "f:2: Line unrecognized: `PrivateKey");
	assert_file_error("[Interface]\n" + private_text, "f:2: Line unrecognized: `");
	assert_file_error("[Interface]\n\n[Bogus]\n", "f:3: Line unrecognized: `[Bogus]'");
	assert_file_error("[Interface]\nListenPort=\n", "f:2: Line unrecognized");
	assert_file_error("[Interface]\nListenPort=65536\n", "f:2: Port");
	assert_file_error(std::string("[Interface]\nListenPort=5\0x\n", 27), "f:2: NUL");
	assert_file_error("\n[Peer]\nAllowedIPs=10.0.0.0/8\n",
			  "f:2: A peer is missing a public key");
	assert_file_error("[Peer]\n[Peer]\nPublicKey=" + a_text,
			  "f:1: A peer is missing a public key");
	assert_file_error("[Interface]\nAddress=10.0.0.1/24\n", "f:2: Line unrecognized");
}

static Device sample()
{
	Device device;
	Peer peer;

	device.name = "wg0";
	device.kind = "nwg";
	device.private_key = key(private_text);
	device.public_key = key(public_text);
	device.listen_port = 5;
	peer.public_key = key(a_text);
	peer.preshared_key = key(private_text);
	peer.endpoint = config::parse_endpoint("192.0.2.1:5").take();
	peer.keepalive = 25;
	peer.allowed_ips = { prefix("10.0.0.0/8"), prefix("fd00::/8") };
	device.peers.push_back(peer);
	return device;
}

static void test_print(void **)
{
	assert_text(config::print(Device()), "[Interface]\n\n");
	assert_text(config::print(sample()),
		    "[Interface]\nListenPort = 5\nPrivateKey = " + private_text +
			    "\n\n[Peer]\nPublicKey = " + a_text +
			    "\nPresharedKey = " + private_text +
			    "\nAllowedIPs = 10.0.0.0/8, fd00::/8\nEndpoint = 192.0.2.1:5\n"
			    "PersistentKeepalive = 25\n");
}

/* What showconf prints, syncconf has nothing to do with. */
static void test_difference(void **)
{
	const Device device = sample();
	auto same = config::difference(device, parse(config::print(device)).take());

	assert_false(same.private_key.has_value() || same.listen_port.has_value() ||
		     same.fwmark.has_value());
	assert_false(same.replace_peers);
	assert_true(same.peers.empty());

	/* One peer goes, one comes and takes a prefix. */
	const auto changed =
		config::difference(device, parse("[Interface]\nListenPort=6\n[Peer]\nPublicKey=" +
						 b_text + "\nAllowedIPs=10.0.0.0/8")
						   .take());
	assert_true(changed.private_key->is_zero());
	assert_int_equal(*changed.listen_port, 6);
	assert_int_equal(changed.peers.size(), 2);
	assert_true(changed.peers[0].remove && changed.peers[0].public_key == key(a_text));
	assert_true(changed.peers[1].public_key == key(b_text));

	/* Of a prefix that two peers name, the second has it: the first need not be touched. */
	Device two = device;
	two.peers[0].allowed_ips.clear();
	two.peers.push_back({});
	two.peers[1].public_key = key(b_text);
	two.peers[1].allowed_ips = { prefix("10.0.0.0/8") };
	const auto twice = config::difference(two, parse(config::print(device) +
							 "[Peer]\nPublicKey=" + b_text +
							 "\nAllowedIPs=10.0.0.0/8\n")
							   .take());
	assert_int_equal(twice.peers.size(), 1);
	assert_true(twice.peers[0].public_key == key(a_text));
	assert_int_equal(twice.peers[0].allowed_ips.size(), 1);
	assert_text(twice.peers[0].allowed_ips[0].text(), "fd00::/8");
	assert_false(twice.peers[0].endpoint.has_value());
}

static void test_key_file(void **)
{
	char path[] = "/tmp/nwgctl-test-XXXXXX";
	const int file = mkstemp(path);
	const auto with = [&](const std::string &text) {
		assert_int_equal(ftruncate(file, 0), 0);
		assert_int_equal(pwrite(file, text.data(), text.size(), 0), text.size());
		return config::read_key_file(path);
	};

	assert_true(with(private_text + "\n\t \n").value() == key(private_text));
	assert_true(with("").value().is_zero());
	assert_refused(with("\n"));
	assert_refused(with(" " + private_text));
	assert_refused(with(private_text + " x"));
	assert_null(strstr(with(private_text + " x").error().what.c_str(), private_text.c_str()));
	close(file);
	unlink(path);
	assert_refused(config::read_key_file(path));
	assert_refused(config::read_key_file("/"));
}

/* Takes the requests for what the kernel would: the peers of each, as if dumped. */
static Device apply(std::vector<netlink::Request> requests, std::size_t &count)
{
	Device device;

	count = requests.size();
	for (auto &request : requests) {
		const auto start = reinterpret_cast<const uint8_t *>(request.header());

		assert_true(request.length() <= netlink::Request::limit);
		netlink::add_device_message(device, SecretBytes(start, start + request.length()));
	}
	return device;
}

static void test_split(void **)
{
	const netlink::Link link{ 7, "wg0", "nwg" };
	DeviceChange change;
	std::size_t count;

	change.private_key = key(private_text);
	change.replace_peers = true;
	for (uint8_t peer = 1; peer <= 40; peer++) {
		std::array<uint8_t, NWG_KEY_LEN> raw{ peer };
		PeerChange one{ .public_key = Key(raw), .replace_allowed_ips = true };

		for (unsigned int number = 0; number < (peer == 20 ? 3000u : 10u); number++) {
			const uint8_t address[] = { 10, peer, static_cast<uint8_t>(number >> 8),
						    static_cast<uint8_t>(number) };

			one.allowed_ips.push_back({ Address::v4(address), 32 });
		}
		change.peers.push_back(std::move(one));
	}
	auto requests = netlink::device_requests(30, link, change);
	for (auto &request : requests) {
		const auto start = reinterpret_cast<const uint8_t *>(request.header());
		const netlink::Attributes<NWG_DEVICE_A_MAX> attributes(netlink::attributes_of(
			SecretBytes(start, start + request.length()), sizeof(genlmsghdr)));
		const bool first = &request == &requests.front();

		assert_int_equal(request.header()->nlmsg_type, 30);
		assert_int_equal(static_cast<bool>(attributes[NWG_DEVICE_A_FLAGS]), first);
		assert_int_equal(static_cast<bool>(attributes[NWG_DEVICE_A_PRIVATE_KEY]), first);
	}
	const Device device = apply(std::move(requests), count);

	assert_in_range(count, 3, 6);
	assert_true(*device.private_key == key(private_text));
	assert_int_equal(device.peers.size(), change.peers.size());
	for (std::size_t peer = 0; peer < device.peers.size(); peer++) {
		assert_true(device.peers[peer].public_key == change.peers[peer].public_key);
		assert_true(device.peers[peer].allowed_ips == change.peers[peer].allowed_ips);
	}
}

/* Attributes that are cut off or of the wrong size are as good as absent. */
static void test_malformed_message(void **)
{
	std::size_t count;
	DeviceChange change;

	change.listen_port = 5;
	change.peers.push_back(
		{ .public_key = key(a_text), .allowed_ips = { prefix("10.0.0.0/8") } });
	auto request = std::move(netlink::device_requests(30, { 7, "wg0", "nwg" }, change).front());
	const auto start = reinterpret_cast<const uint8_t *>(request.header());
	for (std::size_t length = 0; length <= request.length(); length++) {
		Device device;

		netlink::add_device_message(device, SecretBytes(start, start + length));
		static_cast<void>(netlink::parse_relay(SecretBytes(start, start + length)));
		static_cast<void>(netlink::parse_flow(SecretBytes(start, start + length)));
		assert_true(device.peers.size() == (length == request.length()));
	}

	netlink::Request wrong(30, NWG_CMD_GET_DEVICE, 1, 0);
	wrong.put_u32(NWG_DEVICE_A_LISTEN_PORT, 5);
	wrong.put_u16(NWG_DEVICE_A_PRIVATE_KEY, 5);
	wrong.put_u16(1000, 5);
	std::vector<netlink::Request> requests;
	requests.push_back(std::move(wrong));
	const Device device = apply(std::move(requests), count);
	assert_int_equal(device.listen_port, 0);
	assert_false(device.private_key.has_value());
}

static void test_quantities(void **)
{
	const render::Palette plain(false);

	assert_text(render::bytes(0, plain), "0 B");
	assert_text(render::bytes(1023, plain), "1023 B");
	assert_text(render::bytes(1024, plain), "1.00 KiB");
	assert_text(render::bytes(1325108, plain), "1.26 MiB");
	assert_text(render::bytes(UINT64_MAX, plain), "16777216.00 TiB");
	assert_text(render::duration(1, plain), "1 second");
	assert_text(render::duration(65535, plain), "18 hours, 12 minutes, 15 seconds");
	assert_text(render::duration(31622461, plain), "1 year, 1 day, 1 minute, 1 second");
	assert_text(render::ago(10, 10, plain), "Now");
	assert_text(render::ago(10, 70, plain), "1 minute ago");
	/* What does not fit into a time_t is no reason to overflow. */
	assert_true(render::ago(std::numeric_limits<time_t>::min(), 1, plain).ends_with(" ago"));
	assert_text(render::ago(10, 9, plain),
		    "(System clock wound backward; connection problems may ensue.)");
	assert_text(render::short_duration(59999), "59s");
	assert_text(render::short_duration(185000), "3m05s");
	assert_text(render::short_duration(7260000), "2h01m");
	assert_text(render::duration(1, render::Palette(true)), "1 \x1b[36msecond\x1b[0m");
}

static void test_hidden_keys(void **)
{
	const auto hidden = render::to_json(
		{ render::device_block(sample(), render::Palette(false), false, true) });
	const auto shown = render::to_json(
		{ render::device_block(sample(), render::Palette(false), true, true) });

	assert_null(strstr(hidden.dump().c_str(), private_text.c_str()));
	assert_text(hidden[0]["private_key"], "(hidden)");
	assert_text(hidden[0]["peers"][0]["preshared_key"], "(hidden)");
	assert_text(shown[0]["private_key"], private_text);
	assert_text(render::field_json(sample(), "private-key").dump(),
		    "{\"ifname\":\"wg0\",\"private_key\":\"" + private_text + "\"}");
	assert_text(render::field_json(sample(), "endpoints").dump(),
		    "{\"ifname\":\"wg0\",\"peers\":[{\"public_key\":\"" + a_text +
			    "\",\"endpoint\":\"192.0.2.1:5\"}]}");
	unsetenv("WG_HIDE_KEYS");
	assert_false(render::keys_visible());
	setenv("WG_HIDE_KEYS", "always", 1);
	assert_false(render::keys_visible());
	setenv("WG_HIDE_KEYS", "never", 1);
	assert_true(render::keys_visible());
	unsetenv("WG_HIDE_KEYS");
}

/* What the kernel sends about a relay comes out again, each counter where it belongs. */
static void test_relay(void **)
{
	netlink::Request message(30, NWG_CMD_RELAY_GET, 1, 0);
	const uint8_t to[] = { 172, 16, 1, 254 };
	std::vector<std::string> names;

	message.put_string(NWG_RELAY_A_IFNAME, "wg1");
	message.put_u16(NWG_RELAY_A_LISTEN_PORT, 60000);
	message.put(NWG_RELAY_A_PEER, key(a_text).raw());
	message.put(NWG_RELAY_A_TO_IP4, to);
	message.put_u16(NWG_RELAY_A_TO_PORT, 60001);
	message.put_u32(NWG_RELAY_A_MAX_FLOWS, 7);
	message.put_u32(NWG_RELAY_A_MAX_FLOWS_PER_SOURCE, 5);
	message.put_u8(NWG_RELAY_A_PEER_PRESENT, 1);
	message.put_u8(NWG_RELAY_A_PRESSED, 1);
	message.put_u32(NWG_RELAY_A_LISTEN_IFINDEX, 1);
	const auto counters = message.begin_nest(NWG_RELAY_A_FORWARD);
	for (uint64_t type = NWG_COUNTER_A_PACKETS; type <= NWG_COUNTER_A_MAX; type++) {
		const uint64_t value = type * 10;

		message.put(static_cast<uint16_t>(type), &value, sizeof(value));
	}
	message.end_nest(counters);
	const auto drops = message.begin_nest(NWG_RELAY_A_REVERSE_DROPS);
	for (uint64_t reason = NWG_DROP_SHAPE; reason <= NWG_DROP_MAX; reason++) {
		const uint64_t value = reason + 100;

		message.put(static_cast<uint16_t>(reason), &value, sizeof(value));
	}
	message.end_nest(drops);
	const auto start = reinterpret_cast<const uint8_t *>(message.header());
	const auto relay = netlink::parse_relay(SecretBytes(start, start + message.length()));

	assert_true(relay.has_value());
	assert_text(relay->listen.text(), "*%lo:60000");
	assert_text(relay->to.text(), "172.16.1.254:60001");
	assert_false(relay->responder.has_value());
	const auto json =
		render::to_json({ render::relay_block(*relay, render::Palette(false), false) })[0];
	assert_false(json.contains("listen_address"));
	assert_int_equal(json["listen_port"], 60000);
	assert_text(json["listen_ifname"], "lo");
	assert_true(json["pressed"].get<bool>());
	assert_int_equal(json["flows"]["max"], 7);
	assert_int_equal(json["flows"]["max_per_source"], 5);
	assert_int_equal(json["forward"]["packets"], NWG_COUNTER_A_PACKETS * 10);
	assert_int_equal(json["forward"]["bytes"], NWG_COUNTER_A_BYTES * 10);
	assert_int_equal(json["forward"]["forwarded_packets"],
			 NWG_COUNTER_A_FORWARDED_PACKETS * 10);
	assert_int_equal(json["forward"]["forwarded_bytes"], NWG_COUNTER_A_FORWARDED_BYTES * 10);
	assert_int_equal(json["forward"]["initiations"], NWG_COUNTER_A_INITIATIONS * 10);
	assert_int_equal(json["forward"]["responses"], NWG_COUNTER_A_RESPONSES * 10);
	assert_int_equal(json["forward"]["cookie_replies"], NWG_COUNTER_A_COOKIE_REPLIES * 10);
	assert_int_equal(json["forward"]["transports"], NWG_COUNTER_A_TRANSPORTS * 10);
	assert_int_equal(json["forward"]["largest"], NWG_COUNTER_A_LARGEST * 10);
	assert_int_equal(json["forward"]["fragmented"], NWG_COUNTER_A_FRAGMENTED * 10);
	for (const auto &[name, value] : json["reverse"]["drops"].items())
		names.push_back(name);
	assert_text(
		fmt::format("{}", fmt::join(names, " ")),
		"shape mac1 rate flow-limit no-flow no-port no-address family ttl no-peer no-route malformed no-memory cookie source-limit");
	assert_int_equal(json["reverse"]["drops"]["no-route"], NWG_DROP_NO_ROUTE + 100);
	assert_int_equal(json["forward"]["drops"]["shape"], 0);
}

/* All commands of a batch, "PLACE:word|word" each, or the place and the error. */
static std::string batch(std::string text)
{
	std::string all;

	/* fmemopen() refuses an empty one. */
	text += '\n';
	Batch lines(Batch::File(fmemopen(text.data(), text.size() - 1 + (text.size() == 1), "r"),
				fclose),
		    "b");
	for (;;) {
		const auto words = lines.next();

		if (words && words.value().empty())
			return all;
		all += fmt::format("{} {};", lines.place(),
				   words ? fmt::format("{}", fmt::join(words.value(), "|")) :
					   "! " + words.error().what);
		if (!words && lines.ended())
			return all;
	}
}

static void test_batch(void **)
{
	assert_text(batch(""), "");
	assert_text(batch("\n \t\n# a\n  # b \\\n"), "");
	assert_text(batch("show wg0\n\nset  wg0\tpeer\r\n"), "b:1 show|wg0;b:3 set|wg0|peer;");
	assert_text(batch("a b"), "b:1 a|b;");
	assert_text(batch("a#b\nc # d"), "b:1 a;b:2 c;");
	assert_text(batch("a '' \"b c\" '#\"' \"'\""), "b:1 a||b c|#\"|';");
	assert_text(batch("it's a\\b"), "b:1 it's|a\\b;");
	assert_text(batch("a \\\n b\\\nc \\\r\n d\ne"), "b:1 a|bc|d;b:5 e;");
	assert_text(batch("a \\\n # b\nc"), "b:1 a;b:3 c;");
	assert_text(batch("a 'b\nc"), "b:1 ! A quotation mark ' is missing at the end;b:2 c;");
	assert_text(batch("a\\"), "b:1 ! The file ends where a line is to go on;");
	assert_text(batch(std::string("a\0b\nc", 5)), "b:1 ! NUL character in a command;b:2 c;");
}

static void test_colors(void **)
{
	const std::string red = "\x1b[31mx\x1b[0m";

	assert_true(render::Palette::choose("always"));
	assert_text(render::Palette::for_output().warning("x"), red);
	setenv("WG_COLOR_MODE", "always", 1);
	assert_true(render::Palette::choose("never"));
	assert_text(render::Palette::for_output().warning("x"), "x");
	assert_true(render::Palette::choose(""));
	assert_text(render::Palette::for_output().warning("x"), red);
	assert_false(render::Palette::choose("sometimes"));
	setenv("NO_COLOR", "1", 1);
	assert_text(render::Palette::for_output().warning("x"), red);
	unsetenv("WG_COLOR_MODE");
	assert_text(render::Palette::for_output().warning("x"), "x");
	unsetenv("NO_COLOR");
}

int main()
{
	const CMUnitTest tests[] = {
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_allowed_ips),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_transport),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_errors),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_difference),
		cmocka_unit_test(test_key_file),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_malformed_message),
		cmocka_unit_test(test_quantities),
		cmocka_unit_test(test_hidden_keys),
		cmocka_unit_test(test_relay),
		cmocka_unit_test(test_quick),
		cmocka_unit_test(test_quick_errors),
		cmocka_unit_test(test_quick_saved),
		cmocka_unit_test(test_quick_frame),
		cmocka_unit_test(test_quick_relays),
		cmocka_unit_test(test_quick_space),
		cmocka_unit_test(test_quick_completed),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_colors),
		cmocka_unit_test(test_chain_network),
		cmocka_unit_test(test_chain_mtu),
		cmocka_unit_test(test_chain_plan),
		cmocka_unit_test(test_chain_qr),
		cmocka_unit_test(test_chain_conf),
		cmocka_unit_test(test_chain_routeros),
		cmocka_unit_test(test_chain_routeros_rules),
		cmocka_unit_test(test_chain_free_host),
		cmocka_unit_test(test_chain_readme),
		cmocka_unit_test(test_chain_notes),
		cmocka_unit_test(test_chain_diagnose),
		cmocka_unit_test(test_chain_picture),
		cmocka_unit_test(test_client_filter),
		cmocka_unit_test(test_flow_query),
		cmocka_unit_test(test_query_order),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_said_names),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_command_examples),
		cmocka_unit_test(test_completion),
		cmocka_unit_test(test_completion_options),
		cmocka_unit_test(test_completion_names),
		cmocka_unit_test(test_chain_idle),
		cmocka_unit_test(test_chain_counted),
		cmocka_unit_test(test_check_files),
		cmocka_unit_test(test_check_routeros),
		cmocka_unit_test(test_doctor),
		cmocka_unit_test(test_doctor_firewall),
		cmocka_unit_test(test_short_numbers),
		cmocka_unit_test(test_meter),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_sparkline),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_flow_order),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_layout_sizes),
		cmocka_unit_test(test_iptables),
		cmocka_unit_test(test_iptables_words),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_names_in_set),
		cmocka_unit_test(test_nft),
		cmocka_unit_test(test_nft_of_iptables),
		cmocka_unit_test(test_migrate_plan),
		cmocka_unit_test(test_migrate_left),
		cmocka_unit_test(test_migrate_masquerade),
		cmocka_unit_test(test_migrate_secrets),
		cmocka_unit_test(test_migrate_sockets),
		cmocka_unit_test(test_migrate_sides),
		cmocka_unit_test(test_migrate_forwarding),
		cmocka_unit_test(test_migrate_users),
		cmocka_unit_test(test_migrate_switches),
		cmocka_unit_test(test_migrate_steps),
		cmocka_unit_test(test_migrate_companions),
		cmocka_unit_test(test_migrate_families),
		cmocka_unit_test(test_migrate_conflicts),
		cmocka_unit_test(test_migrate_hooks),
		cmocka_unit_test(test_migrate_file),
		cmocka_unit_test(test_migrate_lines),
		cmocka_unit_test(test_migrate_diff),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
