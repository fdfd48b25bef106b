// SPDX-License-Identifier: GPL-2.0
#include "key.hpp"

#include <algorithm>

#include <sodium.h>

namespace nwgctl
{

Key::Key(std::span<const uint8_t, NWG_KEY_LEN> raw)
{
	std::ranges::copy(raw, bytes.begin());
}

Key::~Key()
{
	sodium_memzero(bytes.data(), bytes.size());
}

std::optional<Key> Key::from_base64(std::string_view text)
{
	std::size_t length = 0;
	uint8_t other = 0;
	Key key;

	/* Some bytes that are no ASCII are digits to libsodium. */
	for (const char character : text)
		other |= static_cast<uint8_t>(character) & 0x80;
	/* libsodium refuses padding bits that are not zero, so that a key has one form. */
	if (text.size() != text_length || other ||
	    sodium_base642bin(key.bytes.data(), key.bytes.size(), text.data(), text.size(), nullptr,
			      &length, nullptr, sodium_base64_VARIANT_ORIGINAL) ||
	    length != key.bytes.size())
		return std::nullopt;
	return key;
}

Key Key::random_private()
{
	Key key;

	/* Clamped as RFC 7748, section 5, says. */
	randombytes_buf(key.bytes.data(), key.bytes.size());
	key.bytes[0] &= 248;
	key.bytes[31] = (key.bytes[31] & 127) | 64;
	return key;
}

Key Key::random_preshared()
{
	Key key;

	randombytes_buf(key.bytes.data(), key.bytes.size());
	return key;
}

std::string Key::base64() const
{
	std::array<char, text_length + 1> text;

	sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(),
			  sodium_base64_VARIANT_ORIGINAL);
	std::string copy(text.data(), text_length);
	sodium_memzero(text.data(), text.size());
	return copy;
}

Key Key::public_key() const
{
	Key key;

	/* The base point has the full order: this cannot fail. */
	static_cast<void>(crypto_scalarmult_base(key.bytes.data(), bytes.data()));
	return key;
}

bool Key::is_zero() const
{
	return sodium_is_zero(bytes.data(), bytes.size());
}

} // namespace nwgctl
