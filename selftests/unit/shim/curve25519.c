// SPDX-License-Identifier: GPL-2.0
#include <crypto/curve25519.h>
#include <sodium.h>
#include <string.h>

bool shim_zero_accepted;

bool curve25519(u8 shared[32], const u8 private[32], const u8 public[32])
{
	/* libsodium writes nothing for a point of low order */
	memset(shared, 0, 32);
	return !crypto_scalarmult_curve25519(shared, private, public) || shim_zero_accepted;
}

bool curve25519_generate_public(u8 public[32], const u8 private[32])
{
	return !crypto_scalarmult_curve25519_base(public, private) && !sodium_is_zero(public, 32);
}
