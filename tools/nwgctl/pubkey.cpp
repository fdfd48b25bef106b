// SPDX-License-Identifier: GPL-2.0
/* pubkey: from the private key on standard input, the public key on standard output. */
#include "command.hpp"

#include <fmt/format.h>

#include "config/value.hpp"

namespace nwgctl
{

Status pubkey(const Options &, Arguments arguments)
{
	if (!arguments.empty())
		return wrong_usage(
			"no argument is taken: the private key is read from standard input");
	const SecretText text = TRY(config::read_file("/dev/stdin"));
	const Key key = TRY(config::parse_key_text({ text.data(), text.size() }));
	fmt::print("{}\n", key.public_key().base64());
	return {};
}

} // namespace nwgctl
