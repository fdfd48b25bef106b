# SPDX-License-Identifier: GPL-2.0
"""The WireGuard handshake in the words of the white paper (sections 5.4.2 to 5.4.7).

Nothing here is shared with the module: hash, HKDF, AEAD and Curve25519 are those of
python3-cryptography (OpenSSL), hashlib and python3-nacl, so that vectors made with it are an
independent opinion.
"""

import hashlib
import struct
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)

CONSTRUCTION = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
IDENTIFIER = b"WireGuard v1 zx2c4 Jason@zx2c4.com"
LABEL_MAC1 = b"mac1----"
LABEL_COOKIE = b"cookie--"

NO_PSK = bytes(32)
NO_MAC2 = bytes(16)

# All u-coordinates of order 1, 2, 4 or 8 on the curve and its twist, canonical or not, with and
# without the highest bit, which does not count (RFC 7748, section 6.1: their result is all zero).
P = 2**255 - 19
LOW_ORDER = [
    (point + ignored).to_bytes(32, "little")
    for ignored in (0, 2**255)
    for point in (
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        P - 1,
        P,
        P + 1,
    )
]


def kdf(count, chaining_key, data):
    """KDF_n: HKDF with the chaining key as salt and no info."""
    hkdf = HKDF(algorithm=hashes.BLAKE2s(32), length=32 * count, salt=chaining_key, info=b"")
    out = hkdf.derive(data)
    return [out[i : i + 32] for i in range(0, len(out), 32)]


def blake2s(data):
    return hashlib.blake2s(data).digest()


def mac(key, data):
    return hashlib.blake2s(data, digest_size=16, key=key).digest()


def aead(key, counter, plain, auth):
    return ChaCha20Poly1305(key).encrypt(struct.pack("<IQ", 0, counter), plain, auth)


def aead_open(key, counter, cipher, auth):
    """Raises cryptography.exceptions.InvalidTag."""
    return ChaCha20Poly1305(key).decrypt(struct.pack("<IQ", 0, counter), cipher, auth)


def clamp(private):
    return bytes([private[0] & 248]) + private[1:31] + bytes([private[31] & 127 | 64])


class Key:
    """A key pair. Another public key may be put in: then every DH is zero, as an attacker wants."""

    def __init__(self, private, forged_public=None):
        self.private = clamp(private)
        self.forged = forged_public is not None
        pair = X25519PrivateKey.from_private_bytes(self.private)
        public = pair.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = forged_public or public

    def dh(self, public):
        if self.forged or public in LOW_ORDER:
            return bytes(32)
        pair = X25519PrivateKey.from_private_bytes(self.private)
        return pair.exchange(X25519PublicKey.from_public_bytes(public))


class Handshake:
    """C and H, shared by what both sides do."""

    def __init__(self, responder_public):
        self.c = blake2s(CONSTRUCTION)
        self.h = blake2s(self.c + IDENTIFIER)
        self.mix_hash(responder_public)

    def mix_hash(self, data):
        self.h = blake2s(self.h + data)

    def mix_ephemeral(self, public):
        (self.c,) = kdf(1, self.c, public)
        self.mix_hash(public)

    def mix_dh(self, shared):
        (self.c,) = kdf(1, self.c, shared)

    def mix_dh_key(self, shared):
        self.c, key = kdf(2, self.c, shared)
        return key

    def mix_psk(self, psk):
        self.c, t, key = kdf(3, self.c, psk)
        self.mix_hash(t)
        return key

    def seal(self, key, plain):
        cipher = aead(key, 0, plain, self.h)
        self.mix_hash(cipher)
        return cipher

    def open(self, key, cipher):
        plain = aead_open(key, 0, cipher, self.h)
        self.mix_hash(cipher)
        return plain

    def session(self):
        """The keys of (initiator to responder, responder to initiator)."""
        return kdf(2, self.c, b"")


def initiation(static, ephemeral, responder_public, timestamp, sender):
    """Initiator: (handshake, message without macs)."""
    hs = Handshake(responder_public)
    hs.mix_ephemeral(ephemeral.public)
    message = struct.pack("<II", 1, sender) + ephemeral.public
    message += hs.seal(hs.mix_dh_key(ephemeral.dh(responder_public)), static.public)
    message += hs.seal(hs.mix_dh_key(static.dh(responder_public)), timestamp)
    return hs, message


def open_initiation(static, message):
    """Responder: (handshake, initiator's index, ephemeral public, static public, timestamp)."""
    fields = struct.unpack_from("<II32s48s28s", message)
    _, sender, ephemeral, encrypted_static, encrypted_timestamp = fields
    hs = Handshake(static.public)
    hs.mix_ephemeral(ephemeral)
    initiator = hs.open(hs.mix_dh_key(static.dh(ephemeral)), encrypted_static)
    timestamp = hs.open(hs.mix_dh_key(static.dh(initiator)), encrypted_timestamp)
    return hs, sender, ephemeral, initiator, timestamp


def response(hs, ephemeral, initiator_ephemeral, initiator_public, psk, sender, receiver):
    """Responder: message without macs."""
    hs.mix_ephemeral(ephemeral.public)
    hs.mix_dh(ephemeral.dh(initiator_ephemeral))
    hs.mix_dh(ephemeral.dh(initiator_public))
    nothing = hs.seal(hs.mix_psk(psk), b"")
    return struct.pack("<III", 2, sender, receiver) + ephemeral.public + nothing


def open_response(hs, static, ephemeral, psk, message):
    """Initiator: responder's index."""
    _, sender, _, responder_ephemeral, nothing = struct.unpack_from("<III32s16s", message)
    hs.mix_ephemeral(responder_ephemeral)
    hs.mix_dh(ephemeral.dh(responder_ephemeral))
    hs.mix_dh(static.dh(responder_ephemeral))
    hs.open(hs.mix_psk(psk), nothing)
    return sender


def add_macs(message, receiver_public, cookie=None):
    message += mac(blake2s(LABEL_MAC1 + receiver_public), message)
    return message + (mac(cookie, message) if cookie else NO_MAC2)


def cookie_reply(cookie, mac1, receiver, nonce, replier_public):
    key = blake2s(LABEL_COOKIE + replier_public)
    encrypted = crypto_aead_xchacha20poly1305_ietf_encrypt(cookie, mac1, nonce, key)
    return struct.pack("<II", 3, receiver) + nonce + encrypted


def open_cookie_reply(message, mac1, replier_public):
    key = blake2s(LABEL_COOKIE + replier_public)
    return crypto_aead_xchacha20poly1305_ietf_decrypt(message[32:], mac1, message[8:32], key)


def transport(key, receiver, counter, packet):
    plain = packet + bytes(-len(packet) % 16)
    return struct.pack("<IIQ", 4, receiver, counter) + aead(key, counter, plain, b"")


def material(label, length=32):
    """Bytes that are as good as random, but always the same."""
    return hashlib.shake_256(b"nwg unit test: " + label.encode()).digest(length)


def print_case(name, file=sys.stdout, **fields):
    """One test case as a paragraph: its name, then fields with their bytes ("-" for none)."""
    print(f"case {name}", file=file)
    for field, value in fields.items():
        print(field, value.hex() or "-", file=file)
    print(file=file)
