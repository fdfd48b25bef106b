// SPDX-License-Identifier: GPL-2.0
/* Files of a chain's directory: its notes, its configuration files and scripts for RouterOS. */
#include "fuzz.hpp"

#include "../chain/conf.hpp"
#include "../chain/notes.hpp"
#include "../chain/side.hpp"

using namespace nwgctl;

int LLVMFuzzerTestOneInput(const uint8_t *data, std::size_t size)
{
	const auto text = fuzz::text_of(data, size);
	const auto conf = chain::parse_conf(text, "wg0.conf");

	for (const bool relays : { false, true })
		chain::read_side(conf, relays,
				 [](unsigned int line, const auto &what, const auto &) {
					 fuzz::must(line && !what.empty());
				 });
	for (const auto &command : chain::parse_routeros(text)) {
		fuzz::must(command.line);
		static_cast<void>(chain::parse_addresses(command.value("address")));
	}
	if (const auto notes = chain::parse_notes(text, chain::notes_name)) {
		const auto written = chain::print_notes(notes.value());
		const auto again = chain::parse_notes(written, chain::notes_name);

		fuzz::must(again && chain::print_notes(again.value()) == written);
	}
	return 0;
}
