// SPDX-License-Identifier: GPL-2.0
/* flow show. */
#include "command.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "netlink/relay.hpp"
#include "query.hpp"
#include "render/relay.hpp"

namespace nwgctl
{

/* A flow is known by where its relay listens: the relay has the peer. */
static Status keep_flows_of_peer(std::vector<netlink::Flow> &flows, const FlowQuery &query)
{
	auto relays = TRY(netlink::list_relays(query.relay));

	std::erase_if(relays,
		      [&](const netlink::Relay &relay) { return relay.peer != *query.peer; });
	if (relays.empty())
		return Error{ Exit::refused,
			      fmt::format("Unable to list flows: no relay leads to the peer {}",
					  query.peer->base64()),
			      {},
			      "see which relays there are: nwgctl relay show" };
	std::erase_if(flows, [&](const netlink::Flow &flow) {
		return std::ranges::find(relays, flow.listen, &netlink::Relay::listen) ==
		       relays.end();
	});
	return {};
}

Status flow_show(const Options &options, Arguments arguments)
{
	const auto query = TRY(parse_flow_query(arguments));
	auto flows = TRY(netlink::list_flows(query.relay));
	std::vector<render::Block> blocks;

	if (query.peer)
		TRY(keep_flows_of_peer(flows, query));
	apply_query(flows, query);
	for (const auto &flow : flows)
		blocks.push_back(render::flow_block(flow));
	if (options.json)
		render::print_json(render::to_json(blocks), options);
	else
		render::print_table(blocks);
	return {};
}

} // namespace nwgctl
