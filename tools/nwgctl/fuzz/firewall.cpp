// SPDX-License-Identifier: GPL-2.0
/* Rules, as nft and iptables-save print them. */
#include "fuzz.hpp"

#include "../diagnosis/finding.hpp"
#include "../ruleset/iptables.hpp"
#include "../ruleset/nft.hpp"

using namespace nwgctl;

int LLVMFuzzerTestOneInput(const uint8_t *data, std::size_t size)
{
	const std::string text(fuzz::text_of(data, size));
	diagnosis::Machine machine;
	netlink::Relay relay;

	relay.listen.port = 60000;
	machine.relays.push_back(relay);
	if (text.starts_with('{')) {
		if (auto read = ruleset::parse_nft(text, ""))
			machine.ruleset = read.take();
	} else {
		machine.ruleset = ruleset::parse_iptables_save(text, "iptables");
	}
	diagnosis::check_firewall(machine);
	return 0;
}
