#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What perf report --sort comm,sym says, as instructions of a datagram: by what they are for, and by function.

usage: perf report ... | profile.py INSTRUCTIONS

INSTRUCTIONS are those of a datagram where nobody takes samples, which takes time, too: only shares can be told by
them. What idles, and perf, are no part of it. Functions of a share below 0.2 %, or 0.05 % of a module's, are in the sums only.
"""

import collections
import re
import sys

# What a function is for, by its name; the first that fits.
GROUPS = {
    "ChaCha20-Poly1305": r"chacha|poly1305|crypto_xor|^aead_|^make_tag|memzero|scatterwalk|^sg_",
    "nwg or wireguard": None,  # by the module
    "the bench's own system calls": r"sendto|recv(from|msg)|sendmsg|syscall|SYSCALL|libc|copy_(user|from_user|to_user)|"
                                    r"_copy_|check_object|append_data|make_skb|iovec|fdget|sock_|move_addr|__entry|"
                                    r"usermode|user_mode|map_id|security_|apparmor|datagram",
    "netfilter, conntrack, NAT": r"^(__)?nf_|^nft_|^ipt_|^xt_|_nat|conntrack|siphash|hook|masquerade",
    "route look-ups": r"fib_|route|^rt_|^dst_|nexthop",
    "IP and UDP": r"^(__)?ip6?_|^(__)?udp|^inet|^icmp|^raw",
    "devices and softirqs": r"veth|^net_rx|net(if|dev)|dev_|backlog|^eth_|napi|softirq|neigh|qdisc|gro_|gso|segment",
    "packets' memory": r"alloc|slab|free|kmem|skb|memset|memcpy|memmove|page|checksum|csum",
    "scheduling, locks, RCU, the rest": r"",
}


def modules():
    with open("/proc/kallsyms", encoding="ascii") as symbols:
        return dict(line.split()[2:4] for line in symbols if line.count("\t"))


def group_of(name, module):
    for group, pattern in GROUPS.items():
        if pattern is None:
            if module.get(name) in ("[nwg]", "[wireguard]"):
                return group
        elif re.search(pattern, name):
            return group
    raise AssertionError(name)


def main():
    each, module = int(sys.argv[1]), modules()
    shares = collections.Counter()
    for line in sys.stdin:
        found = re.match(r"\s*([\d.]+)%\s+(\S+)\s.*?\[[k.]\]\s+(\S+)", line)
        if found and found[2] not in ("swapper", "perf"):
            shares[found[3]] += float(found[1])
    whole, groups = sum(shares.values()), collections.Counter()
    if not whole:
        sys.exit("profile.py: perf has no samples")
    for name, share in shares.items():
        groups[group_of(name, module)] += share
    for group in GROUPS:
        print(f"{groups[group] * each / whole:6.0f}  {groups[group] * 100 / whole:5.1f} %  {group}")
    print()
    for name, share in shares.most_common():
        group = group_of(name, module)
        if share >= whole / (2000 if GROUPS[group] is None else 500):
            print(f"{share * each / whole:6.0f}  {share * 100 / whole:5.2f} %  {name}  ({group})")


main()
