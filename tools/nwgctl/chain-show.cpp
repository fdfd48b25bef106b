// SPDX-License-Identifier: GPL-2.0
/* chain show: the chains of this machine as a picture. */
#include "command.hpp"

#include <ctime>

#include <fmt/format.h>

#include "chain/live.hpp"
#include "netlink/link.hpp"
#include "render/chain.hpp"
#include "render/screen.hpp"
#include "words.hpp"

namespace nwgctl
{

Status chain_show(const Options &options, Arguments arguments)
{
	std::optional<std::string> interface;
	Words words(arguments);

	while (!words.empty()) {
		if (!words.take("dev"))
			return words.unknown();
		if (interface)
			return words.repeated();
		interface = TRY(netlink::interface_name(TRY(words.value())));
	}
	auto lives = TRY(chain::look(interface));
	const render::ChainStyle style{ render::output_columns(), render::utf8_output(),
					render::Palette::for_output(), time(nullptr) };
	auto list = render::Json::array();

	for (auto &live : lives) {
		chain::diagnose(live, style.now);
		list.push_back(render::chain_json(live));
		if (!options.json)
			fmt::print("{}{}", &live == &lives.front() ? "" : "\n",
				   render::chain_text(live, style));
	}
	if (options.json)
		render::print_json(list, options);
	else if (lives.empty())
		fmt::print("no relay\n");
	return {};
}

} // namespace nwgctl
