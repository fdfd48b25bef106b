/* SPDX-License-Identifier: GPL-2.0 */
/* What is watched: relays, flows and peers as the kernel counted them last, and their rates. */
#ifndef NWGCTL_TOP_MODEL_HPP
#define NWGCTL_TOP_MODEL_HPP

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../device.hpp"
#include "../netlink/relay.hpp"
#include "history.hpp"
#include "meter.hpp"

namespace nwgctl::top
{

/* Per second: bytes and packets of a direction that were sent on. */
struct Rate {
	double bytes = 0, packets = 0;
};

struct RelayRow {
	std::string interface, listen, to;
	bool peer_present = true, pressed = false;
	uint64_t flows = 0;
	/* None of these three if the relay is new. */
	std::optional<Rate> forward, reverse;
	std::optional<double> drops;
	History history;
};

/* Who a flow is: there may be hundreds of thousands. */
struct FlowKey {
	/* In Model::listens */
	uint32_t relay = 0;
	Address client;
	uint16_t port = 0;

	auto operator<=>(const FlowKey &) const = default;
};

struct FlowRow {
	FlowKey key;
	uint32_t state = 0;
	std::optional<std::array<float, 4>> rates;
	/* Both directions together; milliseconds. */
	uint64_t bytes = 0, idle = 0;

	/* Of both directions; 0 if it is not known yet. */
	[[nodiscard]] double rate() const;
	[[nodiscard]] std::optional<Rate> forward() const;
	[[nodiscard]] std::optional<Rate> reverse() const;
};

struct PeerRow {
	std::string interface;
	Key key;
	std::optional<Endpoint> endpoint;
	/* 0: never */
	time_t last_handshake = 0;
	/* Bytes per second. */
	std::optional<double> received, sent;
	History history;
};

class Model {
    public:
	/* A reading: begin(), what there is, end(). */
	void begin();
	void add(const netlink::Relay &relay, Time now);
	void add(const netlink::Flow &flow, Time now);
	void add(const Device &device, Time now);
	void end();

	std::vector<RelayRow> relays;
	std::vector<FlowRow> flows;
	/* The one with the most traffic is first. */
	std::vector<PeerRow> peers;
	std::size_t interfaces = 0;
	/* Of all relays, and of all peers. */
	Rate forward, reverse;
	double received = 0, sent = 0;

	/* Where the flow's relay listens. */
	[[nodiscard]] const std::string &listen(const FlowRow &flow) const
	{
		return *listens[flow.key.relay];
	}

    private:
	/* SipHash with a key of its own: it is strangers who choose addresses and ports. */
	struct FlowHash {
		std::size_t operator()(const FlowKey &key) const;
	};

	uint32_t number_of(const std::string &listen);

	/* Bytes and packets forward, bytes and packets reverse; and drops. */
	Meter<std::string, 5, History> relay_meter;
	Meter<FlowKey, 4, Nothing, FlowHash> flow_meter;
	/* Received, sent. */
	Meter<std::string, 2, History> peer_meter;
	std::map<std::string, uint32_t> numbers;
	std::vector<const std::string *> listens;
};

/* What flows are sorted by; of numbers the largest is first, of idle times the shortest. */
enum class Order { rate, bytes, client, idle };

const char *order_name(Order order);
Order next_order(Order order);
/* The first @count of them in that order. */
std::vector<const FlowRow *> first_flows(const std::vector<FlowRow> &flows, std::size_t count,
					 Order order, bool reverse);

} // namespace nwgctl::top

#endif
