/* SPDX-License-Identifier: GPL-2.0 */
/* Curve25519 and preshared keys, and their base64 form. */
#ifndef NWGCTL_KEY_HPP
#define NWGCTL_KEY_HPP

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "nwg.h"

namespace nwgctl
{

/* Any 32-byte key. It may be a secret, so that its memory is wiped when it goes. */
class Key {
    public:
	/* Characters of the base64 form, padding included. */
	static constexpr std::size_t text_length = 44;

	Key() = default;
	explicit Key(std::span<const uint8_t, NWG_KEY_LEN> raw);
	Key(const Key &) = default;
	Key &operator=(const Key &) = default;
	~Key();

	/* The key in canonical base64, and nothing else; nothing if it is not one. */
	static std::optional<Key> from_base64(std::string_view text);
	static Key random_private();
	static Key random_preshared();

	std::string base64() const;
	Key public_key() const;
	bool is_zero() const;
	std::span<const uint8_t, NWG_KEY_LEN> raw() const
	{
		return bytes;
	}
	auto operator<=>(const Key &) const = default;

    private:
	std::array<uint8_t, NWG_KEY_LEN> bytes{};
};

} // namespace nwgctl

#endif
