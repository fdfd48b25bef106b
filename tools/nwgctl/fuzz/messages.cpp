// SPDX-License-Identifier: GPL-2.0
/* Messages to begin with, for netlink.cpp: written into the directory that is named. */
#include <cstdio>
#include <string>

#include "../config/file.hpp"
#include "../netlink/device.hpp"
#include "../netlink/message.hpp"
#include "../netlink/relay.hpp"

using namespace nwgctl;

static const std::string key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

/* What follows the header of @request, with a command of ours; see netlink.cpp. */
static bool write(const std::string &directory, const std::string &name, uint8_t command,
		  netlink::Request &request)
{
	const auto path = directory + "/" + name;
	auto bytes = reinterpret_cast<uint8_t *>(request.header());
	FILE *file = fopen(path.c_str(), "w");

	if (!file)
		return false;
	bytes[MNL_NLMSG_HDRLEN] = command;
	fputc(0, file);
	fwrite(bytes + MNL_NLMSG_HDRLEN, 1, request.length() - MNL_NLMSG_HDRLEN, file);
	return !fclose(file);
}

static void put_common(netlink::Request &request)
{
	const uint32_t address = 0x010200c0;

	request.put_string(NWG_RELAY_A_IFNAME, "wg1");
	request.put_u16(NWG_RELAY_A_LISTEN_PORT, 60000);
	request.put_u32(NWG_RELAY_A_LISTEN_IP4, address);
}

static void put_counters(netlink::Request &request, uint16_t type, uint16_t most)
{
	const uint64_t value = 7;
	const auto nest = request.begin_nest(type);

	for (uint16_t counter = 0; counter <= most; counter++)
		request.put(counter, &value, sizeof(value));
	request.end_nest(nest);
}

static netlink::Request relay()
{
	netlink::Request request(0, NWG_CMD_RELAY_GET, NWG_GENL_VERSION, 0);
	const auto peer = *Key::from_base64(key);

	put_common(request);
	request.put(NWG_RELAY_A_PEER, peer.raw());
	request.put(NWG_RELAY_A_RESPONDER, peer.raw());
	request.put_u32(NWG_RELAY_A_TO_IP4, 0xfe0110ac);
	request.put_u16(NWG_RELAY_A_TO_PORT, 60000);
	request.put_u32(NWG_RELAY_A_SOURCE, NWG_SOURCE_POOL);
	request.put_u32(NWG_RELAY_A_POOL_IP4, 0x006310ac);
	request.put_u8(NWG_RELAY_A_POOL_LEN, 24);
	request.put_u8(NWG_RELAY_A_PEER_PRESENT, 1);
	request.put_u32(NWG_RELAY_A_LISTEN_IFINDEX, 1);
	put_counters(request, NWG_RELAY_A_FORWARD, NWG_COUNTER_A_MAX);
	put_counters(request, NWG_RELAY_A_REVERSE_DROPS, NWG_DROP_MAX);
	return request;
}

static netlink::Request flow()
{
	netlink::Request request(0, NWG_CMD_FLOW_GET, NWG_GENL_VERSION, 0);
	const uint64_t time = 30000;

	request.put_string(NWG_FLOW_A_IFNAME, "wg1");
	request.put_u16(NWG_FLOW_A_LISTEN_PORT, 60000);
	request.put_u32(NWG_FLOW_A_CLIENT_IP4, 0x010200c0);
	request.put_u16(NWG_FLOW_A_CLIENT_PORT, 50000);
	request.put_u32(NWG_FLOW_A_MAPPED_IP4, 0x010110ac);
	request.put_u16(NWG_FLOW_A_MAPPED_PORT, 1024);
	request.put_u32(NWG_FLOW_A_STATE, NWG_FLOW_ESTABLISHED);
	request.put(NWG_FLOW_A_AGE, &time, sizeof(time));
	request.put(NWG_FLOW_A_EXPIRES, &time, sizeof(time));
	request.put(NWG_FLOW_A_REVERSE_IDLE, &time, sizeof(time));
	request.put_u32(NWG_FLOW_A_MTU, 1360);
	request.put_u32(NWG_FLOW_A_END, NWG_FLOW_END_EXPIRED);
	put_counters(request, NWG_FLOW_A_FORWARD, NWG_COUNTER_A_MAX);
	return request;
}

int main(int, char **arguments)
{
	const std::string text = "[Interface]\nPrivateKey = " + key +
				 "\nListenPort = 5\nFwMark = 7\n[Peer]\nPublicKey = " + key +
				 "\nPresharedKey = " + key +
				 "\nAllowedIPs = 10.0.0.0/8, fd00::/8\nEndpoint = [fe80::1]:5\n"
				 "PersistentKeepalive = 9\n";
	const auto change = config::parse(text, "wg0.conf", config::Mode::append);
	const std::string directory = arguments[1];
	auto relay_message = relay(), flow_message = flow();

	/* What a request sets and what an answer says have the same attributes. */
	auto devices =
		netlink::device_requests(0, { .index = 1, .name = {}, .kind = {} }, change.value());
	return write(directory, "device", NWG_CMD_GET_DEVICE, devices[0]) &&
			       write(directory, "handshake", NWG_CMD_PEER_HANDSHAKE_NTF,
				     devices[0]) &&
			       write(directory, "relay", NWG_CMD_RELAY_NEW_NTF, relay_message) &&
			       write(directory, "flow", NWG_CMD_FLOW_END_NTF, flow_message) ?
		       EXIT_SUCCESS :
		       EXIT_FAILURE;
}
