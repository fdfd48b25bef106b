#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwgctl chain: the files that it writes are a chain, as they are. What it refuses, what it finds in files
# that are wrong, and what it shows of a vps. Topology and names are those of ../chain/chain.sh, with stock
# wireguard at pc and mt, both set up by wg-quick, and nwg on the vps.

here=$(dirname "$(realpath "$0")")
# shellcheck source=../lib/ktap.sh
. "$here/../lib/ktap.sh"
# shellcheck source=../lib/traffic.sh
. "$here/../lib/traffic.sh"
# shellcheck source=../chain/chain.sh
. "$here/../chain/chain.sh"

NWGCTL=$(realpath -m "$NWGCTL")

# quick NODE up|down FILE: by wg-quick, as its file is.
quick() {
	on "$1" wg-quick "$2" "$3"
}

# new ARGUMENT...: in the directory of this test
new() {
	"$NWGCTL" chain new "$@" </dev/null
}

# refused STATUS WORDS DIR COMMAND...: ends with STATUS, says WORDS, and DIR is what it was, or is not there.
refused() {
	local status=$1 words=$2 directory=$3 before after got
	shift 3
	before=$(tree "$directory")
	"$NWGCTL" chain "$@" </dev/null >"$work/out" 2>"$work/err"
	got=$?
	after=$(tree "$directory")
	if [ $got -eq "$status" ] && grep -qF -- "$words" "$work/err" && [ ! -s "$work/out" ] &&
		[ "$before" = "$after" ]; then
		ktap_ok "refused: $words"
	else
		ktap_fail "refused: $words" "$*: exit status $got, not $status, or not these words:" \
			"$(cat "$work/err")" "$before" "$after"
	fi
}

# All that is in a directory, with modes and contents; what is beside it of the same name, too.
tree() {
	find "$1"* -printf '%p %m\n' 2>/dev/null | sort
	find "$1"* -type f -exec sha256sum {} + 2>/dev/null | sort
}

modes() {
	local wrong
	wrong=$(find "$1" -type d ! -perm 700 -o -type f ! -perm 600)
	[ -z "$wrong" ] && [ "$(find "$1" -type f | wc -l)" -ge 8 ] && return
	echo "$wrong"
	return 1
}

# wg and wg-quick of wireguard-tools take a file.
stripped() {
	wg-quick strip "$1" >"$work/stripped" && ip link add wgx type wireguard || return
	wg setconf wgx "$work/stripped"
	local status=$?
	ip link del wgx
	return "$status"
}

# The image, and what is drawn on a terminal, read by another program.
decoded() {
	zbarimg -q --raw -Sbinary "$1.png" >"$work/decoded" && cmp "$work/decoded" "$1.conf"
}

drawn() {
	LC_ALL=C.UTF-8 WG_COLOR_MODE=never "$NWGCTL" chain qr "$1" "$2" | python3 -c '
import sys
rows = []
for line in sys.stdin.read().splitlines():
    rows.append([symbol in "█▀" for symbol in line])
    rows.append([symbol in "█▄" for symbol in line])
with open(sys.argv[1], "wb") as image:
    image.write(b"P5 %d %d 255\n" % (len(rows[0]) * 8, len(rows) * 8))
    for row in rows:
        image.write(b"".join(b"\xff" * 8 if light else bytes(8) for light in row) * 8)
' "$work/drawn.pgm" && zbarimg -q --raw -Sbinary "$work/drawn.pgm" >"$work/decoded" &&
		cmp "$work/decoded" "$1/clients/$2.conf"
}

# finding WORDS FILE LINE-PATTERN SED [FILE]: FILE of a copy of the chain, edited by SED, or with none by the command
# SED, is found to be wrong with WORDS, at the line that matches LINE-PATTERN, or with none of the whole file.
finding() {
	local words=$1 file=$2 pattern=$3 edit=$4 copy=$work/copy place
	rm -rf "$copy"
	cp -a "$home" "$copy"
	case $edit in
	sed\ *) sed -i "${edit#sed }" "$copy/${5:-$file}" ;;
	*) (cd "$copy" && eval "$edit") ;;
	esac
	place=$copy/$file
	[ -z "$pattern" ] || place=$place:$(grep -n -m 1 -- "$pattern" "$copy/$file" | cut -d : -f 1)
	"$NWGCTL" chain check "$copy" >"$work/out" 2>"$work/err"
	if [ $? -eq 1 ] && grep -F -A 1 "$place: " "$work/out" | grep -F -A 1 -- "$words" | grep -q '^  hint: .' &&
		grep -q '[0-9] finding' "$work/err"; then
		ktap_ok "found: $words"
	else
		ktap_fail "found: $words" "not at $place:" "$(cat "$work/out" "$work/err")"
	fi
}

# shows WORDS [ARGUMENT...]: what chain show prints of the vps has WORDS.
shows() {
	local words=$1 text
	shift
	text=$(LC_ALL=C nwgctl chain show "$@") && grep -qF -- "$words" <<<"$text" && return
	echo "$text"
	return 1
}

fits() {
	local text
	text=$(LC_ALL=$2 COLUMNS=$1 nwgctl chain show)
	[ -n "$text" ] && [ "$(LC_ALL=C.UTF-8 wc -L <<<"$text")" -le "$1" ] || return
	[ "$2" = C.UTF-8 ] || ! LC_ALL=C grep -q '[^ -~]' <<<"$text"
}

troubles() {
	local found
	found=$(nwgctl -j chain show "${@:2}")
	jq -e "$1" <<<"$found" >/dev/null && return
	echo "$found"
	return 1
}

# asked ANSWER... -- ARGUMENT...: chain new on a terminal, where each question is answered.
asked() {
	python3 -c '
import os, pty, sys
split = sys.argv.index("--")
answers, command = sys.argv[1:split], sys.argv[split + 1:]
child, terminal = pty.fork()
if not child:
    os.execv(command[0], command)
said = b""
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    said += data
    if said.endswith(b": ") and answers:
        os.write(terminal, answers.pop(0).encode() + b"\n")
print(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or len(answers))
' "$@"
}

answered() {
	[ -e "$1/clients/phone.conf" ] && grep -q '^Endpoint = vps.example.net:51820$' "$1/clients/laptop.conf" &&
		grep -q '192.168.88.0/24' "$1/clients/laptop.conf"
}

# What add-client says that a home of Linux is to do.
said_to_home() {
	sed -n 's/^    \(wg syncconf .*\)/\1/p' "$work/added"
}

# Where its files are; ip netns exec has a mount namespace of its own.
home_applies() {
	on mt bash -c "mkdir -p /etc/wireguard && mount -t tmpfs tmpfs /etc/wireguard &&
		cp $home/home/wg0.conf /etc/wireguard && $(said_to_home)"
}

# The key is in the file, and not in what a shell keeps.
no_secret_for_shell() {
	local secret
	secret=$(sed -n 's/^PresharedKey = //p' "$home/clients/pc3.conf")
	[ -n "$secret" ] && ! sed -n '/^Linux/,$p' "$work/added" | grep -F -- "$secret"
}

# A client that has only its keepalive for more than one handshake.
idle() {
	local i
	for i in {1..10}; do
		skip_idle sleep 17
		troubles '.[0].troubles == []' dev wg1 || return
	done
}

# A client that goes on after its home is gone.
home_gone() {
	on pc ping -q -c 1 -W 1 10.10.10.1 >/dev/null
	shows 'The home is gone: its last handshake was' && shows 'The home has fallen silent to 1 client'
}

# Interrupted while it writes: preloaded, as it is then over before somebody could.
interrupted() {
	LD_PRELOAD=$work/interrupt.so new "$work/interrupted" "${words[@]}"
	local status=$?
	[ "$status" -eq 130 ] && [ -z "$(tree "$work/interrupted")" ] && return
	echo "exit status $status"
	tree "$work/interrupted"
	return 1
}

# Where the file system cannot rename without replacing.
without_renameat2() {
	LD_PRELOAD=$work/no-rename.so new "$work/renamed" "${words[@]}" &&
		"$NWGCTL" chain check "$work/renamed"
}

# No answer on the terminal.
unanswered() {
	local text
	text=$(asked $'\x04' -- "$NWGCTL" chain new "$work/unanswered") && return 1
	grep -F 'No answer: Address or name of the VPS' <<<"$text" && [ ! -e "$work/unanswered" ]
}

# Two of one name at once: one of them is the first.
at_once() {
	local one two
	"$NWGCTL" chain add-client "$work/twice" both >/dev/null 2>"$work/err" &
	one=$!
	"$NWGCTL" chain add-client "$work/twice" both >/dev/null 2>>"$work/err" &
	two=$!
	wait "$one"
	one=$?
	wait "$two"
	two=$?
	[ $((one + two)) -eq 1 ] && grep -qF "There is a client \`both' already" "$work/err" &&
		[ "$(grep -c '^# both$' "$work/twice/home/wg0.conf")" -eq 1 ] && "$NWGCTL" chain check "$work/twice"
}

# lacks WORDS FILE SED: add-client refuses a chain whose FILE was edited by SED.
lacks() {
	rm -rf "$work/lacks"
	cp -a "$home" "$work/lacks"
	sed -i "$3" "$work/lacks/$2"
	refused 1 "$1" "$work/lacks" add-client "$work/lacks" pc9
}

# Without the capabilities by which root reads everything.
unreadable() {
	local text
	rm -rf "$work/copy"
	cp -a "$home" "$work/copy"
	chmod 0 "$work/copy/clients"
	text=$(setpriv --bounding-set=-dac_override,-dac_read_search "$NWGCTL" chain check "$work/copy")
	[ $? -eq 1 ] && grep -qF "$work/copy/clients: Unable to read it: Permission denied" <<<"$text" && return
	echo "$text"
	return 1
}

# high ADDRESS: a new client of a chain whose home, or a peer by hand, has a high address.
high() {
	rm -rf "$work/high"
	cp -a "$home" "$work/high"
	sed -i 's/^Address = .*/Address = 10.10.10.254\/24/' "$work/high/home/wg0.conf"
	"$NWGCTL" chain add-client "$work/high" pc9 && grep -q '^Address = 10.10.10.4/32$' "$work/high/clients/pc9.conf"
}

# A new client of a chain whose home is of Linux.
without_script() {
	rm -rf "$work/linux"
	cp -a "$home" "$work/linux"
	rm "$work/linux/home/mt.rsc"
	"$NWGCTL" chain add-client "$work/linux" pc9 >"$work/out" && ! grep RouterOS "$work/out" &&
		[ ! -e "$work/linux/home/mt.rsc" ] && "$NWGCTL" chain check "$work/linux"
}

# As the script itself says it is done.
renamed() {
	local edit
	rm -rf "$work/renamed"
	cp -a "$home" "$work/renamed"
	edit=$(grep -o 'sed -i .*/g.' "$home/home/mt.rsc") && (cd "$work/renamed/home" && eval "$edit mt.rsc") &&
		! grep '^[/:].*=wg0' "$work/renamed/home/mt.rsc" && "$NWGCTL" chain check "$work/renamed" &&
		"$NWGCTL" chain add-client "$work/renamed" pc9 >"$work/out" &&
		grep -q '^    /interface/wireguard/peers/add interface=clients comment="pc9"' "$work/out" &&
		"$NWGCTL" chain check "$work/renamed"
}

# A relay on an address of the VPS that the home does not dial: that is where all clients dial.
on_other_address() {
	rm -rf "$work/other"
	cp -a "$home" "$work/other"
	sed -i 's/^Listen = .*/Listen = 198.51.100.7:51820/' "$work/other/vps/wg1.conf"
	sed -i 's/^Endpoint = .*/Endpoint = 198.51.100.7:51820/' "$work/other/clients"/*.conf
	for client in pc pc2; do "$NWGCTL" chain qr "$work/other" "$client" png || return; done
	"$NWGCTL" chain add-client "$work/other" pc9 && grep -q '^Endpoint = 198.51.100.7:51820$' "$work/other/clients/pc9.conf" &&
		"$NWGCTL" chain check "$work/other"
}

# On one that nobody on the internet can dial, as of a provider's NAT: clients dial what the home does.
on_translated_address() {
	rm -rf "$work/other"
	cp -a "$home" "$work/other"
	sed -i 's/^Listen = .*/Listen = 100.64.1.2:51820/' "$work/other/vps/wg1.conf"
	"$NWGCTL" chain add-client "$work/other" pc9 && grep -q '^Endpoint = 198.51.100.1:51820$' "$work/other/clients/pc9.conf" &&
		"$NWGCTL" chain check "$work/other"
}

# What chain check calls right: two addresses of one network, and one network of the lan in another.
within() {
	rm -rf "$work/within"
	cp -a "$home" "$work/within"
	sed -i 's/^Address = .*/Address = 172.16.1.2\/24, 172.16.1.3\/24/' "$work/within/home/wg1.conf"
	rm "$work/within/home/mt.rsc"
	sed -i 's/"192.168.88.0.24"/"192.168.0.0\/16", &/' "$work/within/chain.json"
	"$NWGCTL" chain check "$work/within" && "$NWGCTL" chain add-client "$work/within" pc9 &&
		grep -q '^AllowedIPs = 10.10.10.0/24, 192.168.0.0/16, 192.168.88.0/24$' "$work/within/clients/pc9.conf"
}

# overwrites FILE...: whether README.txt's commands for a machine, where it has one of these, leave all as it is; and
# install them all where it has none.
overwrites() {
	local file commands directory copy=$work/machine
	directory=$(dirname "$1")
	commands=$(sed -n "/ls .*${directory//\//\\/}/,/systemctl/p" "$home/README.txt")
	[ -n "$commands" ] || return
	rm -rf "$copy"
	mkdir "$copy"
	cp "$home/$([ "$directory" = /etc/nwg ] && echo vps || echo home)"/*.conf "$copy"
	mkdir -p "$directory"
	for file in "$@"; do
		echo other >"$file"
		(cd "$copy" && systemctl() { echo "$@" >>started; } && eval "$commands") >/dev/null
		[ "$(cat "$directory"/*)" = other ] && [ ! -e "$copy/started" ] || return
		rm "$file"
	done
	(cd "$copy" && systemctl() { echo "$@" >>started; } && eval "$commands") || return
	for file in "$@"; do
		cmp "$file" "$copy/$(basename "$file")" && rm "$file" || return
	done
	grep -q 'enable --now' "$copy/started"
}

checked_json() {
	sed 's/^Endpoint.*//' "$home/clients/pc.conf" >"$work/copy/clients/pc.conf"
	local found
	chmod 700 "$work/copy/clients"
	found=$("$NWGCTL" -j chain check "$work/copy")
	[ $? -eq 1 ] && jq -e 'any(.[]; (.file | endswith("clients/pc.conf")) and .line > 0 and
		.what == "[Peer] has no Endpoint" and .remedy != "")' <<<"$found" >/dev/null &&
		"$NWGCTL" -j chain check "$home" | jq -e '. == []' && return
	echo "$found"
	return 1
}

no_interface() {
	nwgctl chain show dev nosuch 2>"$work/err"
	[ $? -eq 2 ] && grep -q 'nwgctl show interfaces' "$work/err"
}

ktap_need gcc ip iptables jq nft ping python3 setpriv socat wg wg-quick zbarimg
[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
[ -n "${NWG_MODULE:-}" ] || ktap_skip_all "module nwg is not loaded: run by selftests/run"
work=$(mktemp -d)
defer rm -rf "$work"
chain_kind stock
CHAIN_DIR=$work/keys
home=$work/home
full=$work/full
words=(vps 198.51.100.1 lan 192.168.88.0/24 client pc client pc2)
ktap_plan 157

refused 1 'the directory that is to be made is missing' "$home" new
refused 1 "\`vps' is missing" "$home" new "$home" lan none client pc
refused 1 "\`lan' is missing" "$home" new "$home" vps 192.0.2.1 client pc
refused 1 "\`client' is missing" "$home" new "$home" vps 192.0.2.1 full dns none
refused 1 'Invalid argument: bogus' "$home" new "$home" "${words[@]}" bogus
refused 1 "\`vps' is there twice" "$home" new "$home" "${words[@]}" vps 192.0.2.1
refused 1 'a value must follow' "$home" new "$home" "${words[@]}" port
refused 1 'neither an address nor a host name' "$home" new "$home" vps 192.0.2.300 full client pc
refused 1 'is not a name for a client' "$home" new "$home" "${words[@]}" client a/b
refused 1 'Two clients have the name' "$home" new "$home" "${words[@]}" client pc
refused 1 'is an address in a network' "$home" new "$home" "${words[@]}" wg0-network 10.0.0.1/24
refused 1 'overlap' "$home" new "$home" "${words[@]}" wg0-network 192.168.0.0/16
refused 1 'too small for VPS and home' "$home" new "$home" "${words[@]}" wg1-network 172.16.1.0/32
refused 1 'cannot both have port' "$home" new "$home" "${words[@]}" wg1-port 51820
refused 1 'port is not a number' "$home" new "$home" "${words[@]}" port 65536
refused 1 'port is not a number from 1 to 65535' "$home" new "$home" "${words[@]}" port 0
refused 1 'No WireGuard interface is of that kind' "$home" new "$home" "${words[@]}" kind tun
refused 1 "\`source' is one of" "$home" new "$home" "${words[@]}" source all
refused 1 'is the least' "$home" new "$home" "${words[@]}" mtu 600
refused 1 'leaves 1260 for wg1, and 1280 is the least' "$home" new "$home" "${words[@]}" mtu 1340 wg1-network fd16::/64
refused 1 'leaves 1260 for wg0, and 1280 is the least' "$home" new "$home" "${words[@]}" mtu 1400 full dns none
refused 1 'No line has an MTU of 70000' "$home" new "$home" "${words[@]}" mtu 70000
refused 1 'mtu is not a number' "$home" new "$home" "${words[@]}" mtu big
refused 1 '1001 clients are more than 1000' "$home" new "$home" "${words[@]}" clients 1001
refused 1 'which is in no network that they reach' "$home" new "$home" vps 192.0.2.1 lan none dns 192.168.88.1 client pc
refused 1 'Unable to parse IP address' "$home" new "$home" "${words[@]}" dns router
refused 1 'several networks of one address family' "$home" new "$home" "${words[@]}" wg0-network 10.1.0.0/24 \
	wg0-network 10.2.0.0/24 wg0-network fd00::/64
refused 1 'is in wg1-network 172.16.1.0/24' "$home" new "$home" vps 172.16.1.5 full dns none client pc
refused 1 'mkdir' "$work/no" new "$work/no/home" "${words[@]}"
mkdir "$work/there"
refused 1 'File exists' "$work/there" new "$work/there" "${words[@]}"

ktap_run 'chain new' new "$home" "${words[@]}"
ktap_run 'modes are 0700 and 0600' modes "$home"
refused 1 'File exists' "$home" new "$home" "${words[@]}"
ktap_run 'nothing is wrong with it' "$NWGCTL" chain check "$home"
ktap_run 'chain new of all that there is' new "$full" vps 2001:db8::1 full dns 192.168.88.1 clients 3 port 4433 \
	wg1-port 4434 wg1-network fd16::/64 wg0-network 10.9.0.0/24 wg0-network fd09::/64 source transparent mtu 1492 \
	kind wireguard max-flows 100 max-flows-per-source 10
ktap_run 'nothing is wrong with it' "$NWGCTL" chain check "$full"
ktap_run 'what README.txt says installs, and overwrites nothing: VPS' overwrites /etc/nwg/wg1.conf
ktap_run 'and the home' overwrites /etc/wireguard/wg1.conf /etc/wireguard/wg0.conf
for file in home/wg0 home/wg1 clients/pc; do
	ktap_run "wg-quick strip, wg setconf: $file.conf" stripped "$home/$file.conf"
done
for file in home/wg0 home/wg1 clients/client3; do
	ktap_run "wg-quick strip, wg setconf: $file.conf of all" stripped "$full/$file.conf"
done
ktap_run 'the QR code is the file' decoded "$home/clients/pc"
ktap_run 'and of all that there is' decoded "$full/clients/client2"
ktap_run 'on a terminal, too' drawn "$home" pc
refused 1 'Unable to open' "$home" qr "$home" nobody

ktap_run 'on a terminal it asks' asked vps.example.net bogus '' a/b 'laptop, phone' -- \
	"$NWGCTL" chain new "$work/asked"
ktap_run 'and takes what was answered' answered "$work/asked"

ktap_run 'of all traffic it asks for names, too' asked bogus 10.10.10.1 -- \
	"$NWGCTL" chain new "$work/names" vps vps.example.net full client pc
ktap_run 'and takes that' grep -q '^DNS = 10.10.10.1$' "$work/names/clients/pc.conf"
ktap_run 'no answer is an error' unanswered
gcc -shared -fPIC -o "$work/interrupt.so" -x c - <<'END'
#include <signal.h>
#include <unistd.h>
int fsync(int file)
{
	return kill(getpid(), SIGINT);
}
END
gcc -shared -fPIC -o "$work/no-rename.so" -x c - <<'END'
#include <errno.h>
int renameat2(int from, const char *old, int to, const char *new, unsigned int flags)
{
	errno = EINVAL;
	return -1;
}
END
ktap_run 'chain new that is interrupted leaves nothing' interrupted
ktap_run 'chain new where nothing is renamed without replacing' without_renameat2
"$NWGCTL" chain new "$work/twice" "${words[@]}" >/dev/null
ktap_run 'two add the same client at once' at_once

# The files, one fault each; others: tools/nwgctl/test/chain-check.cpp.
ktap_run 'a directory that may not be read is a finding' unreadable
ktap_run 'findings as JSON' checked_json
rm -f "$work/copy/clients/pc.png"
ktap_run 'chain qr png draws a file anew' "$NWGCTL" chain qr "$work/copy" pc png
ktap_run 'and that is the file' decoded "$work/copy/clients/pc"
finding 'Others may access it' vps/wg1.conf '' 'chmod 640 vps/wg1.conf'
finding 'Unable to open' home/wg1.conf '' 'rm home/wg1.conf'
finding 'neither [Section] nor Key' home/wg0.conf bogus 'sed 3s/^/bogus\n/'
finding "has no key \`Frob'" home/wg0.conf Frob 'sed 3s/^/Frob = 1\n/'
finding 'is no section of this file' clients/pc.conf Relay 'echo "[Relay]" >>clients/pc.conf'
finding 'Key is not the correct length' home/wg0.conf PrivateKey 'sed /PrivateKey/s/=.*/= x/'
finding 'has no PrivateKey' home/wg0.conf Interface 'sed /PrivateKey/d'
finding 'The private key is that of' clients/pc2.conf PrivateKey 'cp clients/pc.conf clients/pc2.conf'
finding "No [Peer] has the public key of the home's wg1" vps/wg1.conf PublicKey "sed /PublicKey/s|=.*|= $(wg genkey | wg pubkey)|"
finding 'Peer is the key of no [Peer]' vps/wg1.conf '^Peer' "sed /^Peer/s|=.*|= $(wg genkey | wg pubkey)|"
finding 'ResponderKey is not that of' vps/wg1.conf ResponderKey "sed /ResponderKey/s|=.*|= $(wg genkey | wg pubkey)|"
finding 'Without a ResponderKey' vps/wg1.conf Relay 'sed /ResponderKey/d'
finding 'is not in AllowedIPs of its [Peer] (line' vps/wg1.conf '^To' 'sed s/172.16.1.2.32/172.16.1.3\/32/'
finding 'is no Address of the home' vps/wg1.conf '^To' 'sed s/172.16.1.2:/172.16.1.9:/'
finding "and the home's wg0 listens on" vps/wg1.conf '^To' 'sed s/2:51820/2:51822/'
finding 'wg1 has port 51820, too' vps/wg1.conf '^Listen ' 'sed s/51821/51820/'
finding 'The home dials port 51821' home/wg1.conf Endpoint 'sed s/51821/51823/' vps/wg1.conf
finding 'behind NAT, and has no keepalive' home/wg1.conf Peer 'sed /Keepalive/d'
finding 'A client is mostly behind NAT' clients/pc.conf Keepalive 'sed /Keepalive/s/25/0/'
finding 'wg1 has MTU 1420 here and 1400' home/wg1.conf MTU 'sed s/1420/1400/' vps/wg1.conf
finding 'a line takes 1500' home/wg1.conf MTU 'sed s/1420/1441/'
finding 'sends 1436 bytes into wg1' home/wg0.conf MTU 'sed s/1360/1376/'
finding 'here and 1360 at home' clients/pc.conf MTU 'sed s/1360/1340/'
finding 'has no MTU: most take 1420' clients/pc.conf Interface 'sed /MTU/d'
finding 'of wg1 overlap' home/wg0.conf Address 'sed s/10.10.10.1.24/172.16.1.9\/24/'
finding 'is also 10.10.10.2/32' home/wg0.conf '10.10.10.2/31' 'sed s/10.10.10.3.32/10.10.10.2\/31/'
finding 'is not in AllowedIPs of its [Peer] at home' clients/pc.conf Address 'sed s/10.10.10.2.32/10.10.10.7\/32/'
finding 'is not in the network of wg0' clients/pc.conf Address 'sed s/10.10.10.2.32/10.10.9.2\/32/'
finding 'The home does not know it' clients/pc.conf PrivateKey "sed /PrivateKey/s|=.*|= $(wg genkey)|"
finding "PublicKey is not that of the home's wg0" clients/pc.conf PublicKey "sed /PublicKey/s|=.*|= $(wg genkey | wg pubkey)|"
finding 'The preshared key is not that of' clients/pc.conf PresharedKey "sed /PresharedKey/s|=.*|= $(wg genpsk)|"
finding 'No relay listens on port 51999' clients/pc.conf Endpoint 'sed s/51820/51999/'
finding 'go into the tunnel that they carry' clients/pc.conf AllowedIPs 'sed s/192.168.88.0/198.51.100.0/'
finding 'The QR code is not that of' clients/pc.png '' 'echo "# more" >>clients/pc.conf'
finding 'The QR code is missing' clients/pc.png '' 'rm clients/pc.png'
finding "\`last_host' is 1" chain.json '' 'sed s/\"last_host\":.*/\"last_host\":1/'
finding 'not JSON' chain.json '' 'echo x >chain.json'
finding 'The private key is not that of' home/mt.rsc 'add name=wg0' "sed /add name=wg0/s|private-key=.*|private-key=$(wg genkey)|"
finding 'wg0 does not get the peer of' home/mt.rsc '' 'sed /comment=.pc2/d'

# The files, as they are.
underlay_up || ktap_diag 'no underlay'
routes pc 'default via 192.0.2.1'
ktap_run 'the vps, by vps/wg1.conf' nwgctl up "$home/vps/wg1.conf"
ktap_run 'chain show: nobody has dialled in' shows 'The home has never dialled in'
ktap_run 'the home, by home/wg1.conf' quick mt up "$home/home/wg1.conf"
ktap_run 'and home/wg0.conf' quick mt up "$home/home/wg0.conf"
ktap_run 'the client, by clients/pc.conf' quick pc up "$home/clients/pc.conf"
ktap_run 'the home answers through it' answers pc 10.10.10.1 20
head -c 300000 /dev/urandom >"$work/file"
ktap_run 'TCP to the lan' stream pc lan "$LAN4" "$work/file"
ktap_run 'chain show: nothing is wrong' troubles '.[0] | .broken == false and .up and .port == 51821 and
	.flows.established == 1 and .home.present' dev wg1
ktap_run 'nor with a client that is idle' idle
for columns in 80 120; do
	for locale in C C.UTF-8; do
		ktap_run "chain show fits $columns columns, $locale" fits "$columns" "$locale"
	done
done

# One more client, while all of it runs.
refused 1 "There is a client \`pc' already" "$home" add-client "$home" pc
refused 1 'is not a name for a client' "$home" add-client "$home" ../x
refused 1 'make a chain: nwgctl chain new DIR' "$work/none" add-client "$work/none" pc3
mkdir "$home/clients/pc3.png"
refused 1 'Unable to' "$home" add-client "$home" pc3
rmdir "$home/clients/pc3.png"
lacks 'home/wg0.conf:1: [Interface] has no PrivateKey' home/wg0.conf '1d; /^PrivateKey/d'
lacks 'home/wg0.conf has no Address' home/wg0.conf '/^Address/d'
lacks 'home/wg0.conf has no MTU' home/wg0.conf '/^MTU/d'
lacks 'has no [Peer] that is the VPS, with an Endpoint' home/wg1.conf '/^Endpoint/d'
lacks 'has no [Relay] to this home, with Listen' vps/wg1.conf "/^# clients/,\$d"
lacks 'neither [Section] nor Key' home/wg1.conf 's/^MTU.*/bogus/'
lacks 'chain.json: not JSON' chain.json '1d'
lacks 'chain.json: Unable to parse network' chain.json 's/192.168.88.0.24/x/'
lacks 'lacks: wg0 10.10.10.0/24 and lan 10.0.0.0/8 overlap' chain.json 's/192.168.88.0.24/10.0.0.0\/8/'
lacks 'chain.json: Clients ask 192.168.89.1 for names' chain.json 's/"dns":.*\[\]/"dns": ["192.168.89.1"]/'
lacks 'The VPS, 198.51.100.1, is in lan' chain.json 's/192.168.88.0.24/198.51.100.0\/24/'
lacks 'lacks/home/mt.rsc gives wg0 no name' home/mt.rsc 's/add name=wg0/add/'
lacks 'lacks/home/mt.rsc makes no interface with the key of /' home/mt.rsc '/add name=wg0/d'
rm -f "$work/lacks/home/wg1.conf"
refused 1 'Unable to open' "$work/lacks" add-client "$work/lacks" pc9
ktap_run 'a home of Linux needs no script of RouterOS' without_script
ktap_run 'on the router wg0 may have another name' renamed
ktap_run 'networks of one name may overlap' within
ktap_run 'a relay on another address of the VPS is where a client dials' on_other_address
ktap_run 'and on one that the internet does not reach, where the home dials' on_translated_address
ktap_run 'a home at the last address of its network leaves the others' high
# The last of five files cannot be put in its place: the others are taken back.
gcc -shared -fPIC -o "$work/fail.so" -x c - <<'END'
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
int rename(const char *from, const char *to)
{
	errno = EIO;
	return strstr(to, "clients/pc3.conf") ? -1 : renameat(AT_FDCWD, from, AT_FDCWD, to);
}
END
LD_PRELOAD=$work/fail.so refused 1 'Unable to write' "$home" add-client "$home" pc3
if "$NWGCTL" chain add-client "$home" pc3 >"$work/added"; then
	ktap_ok 'chain add-client'
else
	ktap_fail 'chain add-client' "$(cat "$work/added")"
fi
ktap_run 'nothing is wrong with the files' "$NWGCTL" chain check "$home"
ktap_run 'its QR code is its file' decoded "$home/clients/pc3"
ktap_run 'it says what the router is to do' grep -qF "$(grep 'comment=.pc3' "$home/home/mt.rsc")" "$work/added"
ktap_run 'and of a home of Linux, whose file may have another name' \
	grep -qF "unless that name was another tunnel's" "$work/added"
ktap_run 'but the home of Linux no key' no_secret_for_shell
ktap_run 'the pc leaves' quick pc down "$home/clients/pc.conf"
quick pc up "$home/clients/pc3.conf"
if skip_idle answers pc 10.10.10.1 6; then
	ktap_fail 'the home does not know the new client yet'
else
	ktap_ok 'the home does not know the new client yet'
fi
ktap_run 'chain show says so' shows 'The home does not answer 1 client'
ktap_run 'what add-client says is applied' home_applies
ktap_run 'the home answers the new client' answers pc 10.10.10.1 20
quick pc down "$home/clients/pc3.conf"
sed -i '/^# pc3$/,$d' "$home/home/wg0.conf"
rm "$home"/clients/pc3.*
"$NWGCTL" chain add-client "$home" pc4 >"$work/added"
ktap_run 'an address is not given again' grep -q '^Address = 10.10.10.5/32$' "$home/clients/pc4.conf"
"$NWGCTL" chain new "$work/small" "${words[@]}" wg0-network 10.10.10.0/29 >/dev/null
for n in 3 4 5; do "$NWGCTL" chain add-client "$work/small" "pc$n" >/dev/null; done
refused 1 'has no address that was never given' "$work/small" add-client "$work/small" pc6

# A vps where something is wrong.
quick pc up "$home/clients/pc.conf"
answers pc 10.10.10.1 20 >/dev/null
ip -n "$CHAIN-mt" link set wg1 down
skip_idle sleep 200
ktap_run 'chain show: the home is gone' slowwait 20 home_gone
quick pc down "$home/clients/pc.conf"
ip -n "$CHAIN-vps" link set wg1 down
ktap_run 'chain show: the interface is down' shows 'wg1 is down'
ip -n "$CHAIN-vps" link set wg1 up
nwgctl set wg1 peer "$(nwgctl show wg1 peers)" remove
ktap_run 'chain show: the peer is missing' shows 'wg1 has no such peer'
ktap_run 'chain show -j' troubles '.[0] | .broken and any(.troubles[]; .part == "home" and .broken)'
nwgctl relay del listen 51820
ktap_run 'chain show dev: no relay' shows 'wg1 has no relay' dev wg1
ktap_run 'chain show: no relay' shows 'no relay'
ktap_run 'chain show of no interface is refused' no_interface
chain_down
ktap_end
