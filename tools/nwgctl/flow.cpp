// SPDX-License-Identifier: GPL-2.0
/* flow show. */
#include "command.hpp"

#include "netlink/relay.hpp"
#include "relay.hpp"
#include "render/relay.hpp"

namespace nwgctl
{

Status flow_show(const Options &options, Arguments arguments)
{
	const auto filter = TRY(parse_relay_filter(arguments));
	std::vector<render::Block> blocks;

	for (const auto &flow : TRY(netlink::list_flows(filter)))
		blocks.push_back(render::flow_block(flow));
	if (options.json)
		render::print_json(render::to_json(blocks), options);
	else
		render::print_table(blocks);
	return {};
}

} // namespace nwgctl
