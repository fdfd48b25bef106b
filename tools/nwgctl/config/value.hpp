/* SPDX-License-Identifier: GPL-2.0 */
/* The values that a command line or a configuration file has, from their text. */
#ifndef NWGCTL_CONFIG_VALUE_HPP
#define NWGCTL_CONFIG_VALUE_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../address.hpp"
#include "../key.hpp"
#include "../result.hpp"
#include "../secret.hpp"

namespace nwgctl::config
{

/* Equal but for their case. */
bool is_word(std::string_view a, std::string_view b);
/* The keyword or heading that a line begins with, to be repeated in an error; empty if that may be a part of a key. */
std::string_view keyword_of(std::string_view line);

Result<Key> parse_public_key(std::string_view text);
/* As above, but an error does not repeat the text. */
Result<Key> parse_secret_key(std::string_view text);
/* One key and white space behind it at most; an error does not repeat the text. */
Result<Key> parse_key_text(std::string_view text);
/* A file with one key and white space behind it at most. An empty file is the key that is all zeroes. */
Result<Key> read_key_file(const std::string &path);
/* The whole file. */
Result<SecretText> read_file(const std::string &path);

/* 0 to 65535 */
Result<uint16_t> parse_port(std::string_view text);
/* Decimal, hexadecimal behind 0x, or off. */
Result<uint32_t> parse_fwmark(std::string_view text);
/* 0 to 65535 seconds, or off. */
Result<uint16_t> parse_keepalive(std::string_view text);
/* Decimal and not 0. */
Result<uint32_t> parse_count(std::string_view text, std::string_view what);
/*
 * HOST:PORT or [HOST]:PORT; looks up a name, as often as WG_ENDPOINT_RESOLUTION_RETRIES says, and says so on standard error
 * while it waits.
 */
Result<Endpoint> parse_endpoint(std::string_view text);
/* ADDR[/LENGTH],...; an empty text is an empty list. Host bits are cleared, with a warning on standard error. */
Result<std::vector<Prefix>> parse_allowed_ips(std::string_view text);

/* What an interface is made as that can have relays: nwg, or wireguard. */
Result<std::string> parse_kind(std::string_view text);

/* ADDR[/LENGTH], with the host's bits; alone it is a prefix of one. */
Result<Prefix> parse_interface_address(std::string_view text);

/* ADDR/LENGTH */
Result<Prefix> parse_pool(std::string_view text);
/* ADDR:PORT or [ADDR]:PORT, both numeric. */
Result<Transport> parse_transport(std::string_view text);
/* Where something listens: the same, PORT or *:PORT, and %DEV before the colon; *%DEV:PORT is %DEV:PORT, too. */
Result<Transport> parse_listen(std::string_view text);

} // namespace nwgctl::config

#endif
