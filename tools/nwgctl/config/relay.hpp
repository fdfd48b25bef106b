/* SPDX-License-Identifier: GPL-2.0 */
/* What a relay is made of, from its text: on a command line and in a file. */
#ifndef NWGCTL_CONFIG_RELAY_HPP
#define NWGCTL_CONFIG_RELAY_HPP

#include <string_view>

#include "../key.hpp"
#include "../netlink/relay.hpp"
#include "../result.hpp"

namespace nwgctl::config
{

/* The key by which a relay checks mac1; not all zeroes, as those ask for no check. */
Result<Key> parse_responder(std::string_view text);

/* masquerade | pool PREFIX | transparent */
Result<netlink::Source> parse_source(std::string_view text);

} // namespace nwgctl::config

#endif
