#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What nwgctl refuses: each case of refusals, from the same state, with its exit status, what it says,
# the hint, nothing on standard output, and that all is as it was.

here=$(dirname "$(realpath "$0")")
# shellcheck source=../lib/ktap.sh
. "$here/../lib/ktap.sh"

NWGCTL=${NWGCTL:-$(realpath -m "$here/../../build/nwgctl")}
# Without this a name that cannot be looked up is tried for minutes.
export WG_ENDPOINT_RESOLUTION_RETRIES=0

# For the cases: keys, and what is there before each.
K=yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
P1=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
# shellcheck disable=SC2034
P2=TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=

nwgctl() {
	"$NWGCTL" "$@"
}

unprivileged() {
	setpriv --reuid 65534 --clear-groups "$NWGCTL" "$@"
}

# files N COMMAND...: with no more than N files open.
files() {
	(ulimit -n "$1" && "${@:2}")
}

# conf FILE LINE...: an interface's, with its key and then these lines; edit FILE SED: of a chain that is new here.
conf() {
	printf '%s\n' '[Interface]' "PrivateKey = $K" "${@:2}" >"$1"
}

edit() {
	cp -r ../home home && sed -i "$2" "home/$1"
}

setup() {
	local dev
	echo $K >key
	nwgctl chain new home vps vps.example.net lan 192.168.88.0/24 client pc dns 192.168.88.1 </dev/null >/dev/null &&
		ip link set lo up && ip link add wg1 type nwg && ip link add wg2 type nwg &&
		ip link add wgs type wireguard && ip netns add refusing || return
	defer ip netns del refusing
	for dev in wg1 wg2 wgs; do
		defer ip link del "$dev"
		nwgctl set "$dev" private-key key peer $P1 allowed-ips 172.16.1.254/32 || return
	done
	nwgctl set wg1 listen-port 4444 fwmark 7 && nwgctl set wg2 listen-port 4445 && ip link set wg2 up &&
		nwgctl relay add dev wg1 listen 60000 peer $P1 to 172.16.1.254:60000
}

# All that a case could change; what the kernel counts is no part of it.
state() {
	printf '%s\n' "showconf "{wg1,wg2,wgs} "relay show" | nwgctl -f -b - | grep -v '^  \(flows\|forward\|reverse\)'
	ip -br addr
	ip netns
	find "$work" -type f ! -path "$work/.*" -exec sha256sum {} + | sort
} 2>/dev/null

# has TEXT FILE
has() {
	[ -z "$1" ] || grep -qF -- "$1" "$2"
}

# Whether there is such a hint; "usage": the command's usage, "-": neither.
hints() {
	case $1 in
	usage) grep -q '^Usage: ' "$work/.err" ;;
	-) ! grep -qE '^Usage: |hint: ' "$work/.err" ;;
	*) grep -F 'hint: ' "$work/.err" | grep -qF -- "$1" ;;
	esac
}

# one_case NAME STATUS: of $prepare, $command, $says, $prints, $hint, $undo, $changes
one_case() {
	local name=$1 status=$2 got before after why=()
	rm -rf "$work/case"
	mkdir -m 755 "$work/case" && cd "$work/case" || exit 1
	eval "${prepare:-:}" >"$work/.log" 2>&1 || why+=("not prepared: $(cat "$work/.log")")
	before=$clean
	[ -z "$prepare" ] || before=$(state)
	(eval "$command") </dev/null >"$work/.out" 2>"$work/.err"
	got=$?
	after=$(state)
	[ "$got" -eq "$status" ] || why+=("exit status $got, not $status")
	has "$says" "$work/.err" || why+=("does not say: $says")
	hints "$hint" || why+=("no such hint: $hint")
	if [ -n "$prints" ]; then
		has "$prints" "$work/.out" || why+=("does not print: $prints")
	else
		[ ! -s "$work/.out" ] || why+=("prints something")
	fi
	[ -n "$changes" ] || [ "$before" = "$after" ] ||
		why+=("changes something" "$(diff <(echo "$before") <(echo "$after"))")
	eval "${undo:-:}" >"$work/.log" 2>&1 || why+=("not undone: $(cat "$work/.log")")
	cd "$work" || exit 1
	if [ ${#why[@]} -eq 0 ]; then
		ktap_ok "$name"
	else
		ktap_fail "$name" "${why[@]}" "$(cat "$work/.out" "$work/.err")" "$command"
		# Not in the way of those that follow.
		[ ! -e case/wg9.conf ] || nwgctl down case/wg9.conf 2>/dev/null
	fi
}

ktap_need ip setpriv nft
[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
[ -n "${NWG_VM:-}" ] || ktap_skip_all "takes programs and modules away: run in a virtual machine"
[ -n "${NWG_MODULE:-}" ] || ktap_skip_all "module nwg is not loaded: run by selftests/run"
modprobe wireguard || ktap_skip_all "no stock module"
ktap_plan "$(grep -c '^hint ' "$here/refusals")"
work=$(mktemp -d)
chmod 755 "$work"
defer rm -rf "$work"
umask 077
cd "$work" || exit 1
setup || exit 1
# Of what nothing is prepared for, and what is undone after each that something is.
clean=$(state)
prepare='' command='' status='' says='' prints='' undo='' changes=''
while read -r word rest; do
	case $word in
	do) prepare=$rest ;;
	undo) undo=$rest ;;
	changes) changes=yes ;;
	run) status=${rest%% *} command=${rest#* } ;;
	says) says=$rest ;;
	prints) prints=$rest ;;
	hint)
		hint=$rest
		name="$command: $says$prints" name=${name//\#/}
		name=${name:0:100}
		if [[ $command == files\ * && -n ${ASAN_OPTIONS:-} ]]; then
			ktap_skip "$name" "the sanitizers open files of their own"
		else
			one_case "$name" "$status" </dev/null
		fi
		prepare='' command='' status='' says='' prints='' undo='' changes=''
		;;
	'' | '#'*) ;;
	*)
		ktap_diag "refusals: no such word: $word"
		exit 1
		;;
	esac
done <"$here/refusals"
ktap_end
