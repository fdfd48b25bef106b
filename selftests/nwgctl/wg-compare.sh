#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwgctl against wg(8) on the stock module: the command lines and files of wg-cases,
# each from the same state in a namespace per tool. Compared: standard output, exit
# status (as wg-cases says), whether anything is said on standard error, and the
# interface's configuration afterwards, as wg shows it. Then what nwgctl does
# otherwise on purpose, and the output for a peer that is in use.
#
# With "nwg": wg(8) on the stock module against nwgctl on kind nwg. With "drop-in": wg(8) on
# the stock module against wg(8) on nwg in its place.
#
# With "random": COUNT cases that grammar.py makes from SEED, instead of those of wg-cases. One
# that fails is printed whole, so that it can be put there.
#
# usage: wg-compare.sh [nwg | drop-in] [random SEED COUNT]

here=$(dirname "$(realpath "$0")")
# shellcheck source=../lib/ktap.sh
. "$here/../lib/ktap.sh"
# shellcheck source=../lib/drop-in.sh
. "$here/../lib/drop-in.sh"

NWGCTL=${NWGCTL:-$(realpath -m "$here/../../build/nwgctl")}
export WG_ENDPOINT_RESOLUTION_RETRIES=0

# Of standard input in the form of wg-cases: lines "STATUS COMMAND".
cases() {
	local kind status text command
	while read -r kind status text; do
		case $kind in
		run) printf '%s %s\n' "$status" "$text" ;;
		conf)
			# A file that is refused is refused by the same parser whatever it is for.
			for command in setconf $([ "$status" -ne 0 ] || echo addconf syncconf); do
				printf "%s printf '%%b' \"%s\" >f; wg %s wg0 f\n" "$status" "$text" "$command"
			done
			;;
		esac
	done
}

# one_side TOOL KIND DIRECTORY: run all cases in this namespace, on interfaces of KIND, leave
# N.{out,err,status,state} in DIRECTORY.
one_side() {
	local tool=$1 kind=$2 results=$3 state=wg number=0 status command clean now
	# These are used by the cases.
	# shellcheck disable=SC2034
	local K=yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk= \
		OWN=HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw= \
		P1=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg= \
		P2=TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0= \
		P3=gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=
	mkdir -p "$results" && cd "$results" || exit 1
	umask 077
	echo $K >k
	echo $P1 >psk
	echo $K >open && chmod 644 open
	printf '%s\n\n \t' $K >trailing
	printf '\n%s' $K >leading
	printf '\n' >newline
	printf 'abc' >short
	: >empty
	cat >before <<-EOF2
		[Interface]
		PrivateKey = $K
		ListenPort = 1111
		FwMark = 7
		[Peer]
		PublicKey = $P3
		PresharedKey = $P2
		AllowedIPs = 10.9.9.0/24, fd09::/64
		Endpoint = 9.9.9.9:9
		PersistentKeepalive = 9
	EOF2
	ip link set lo up
	ip link add wg0 type "$kind"
	ip link add wg1 type "$kind"
	wg() {
		command "$tool" "$@"
	}
	# wg knows no other.
	[ "$kind" = wireguard ] || state=$tool
	# Most cases are refused and change nothing: not each needs to be undone. There are many: what
	# needs no process of its own has none.
	command $state setconf wg0 before && command $state showconf wg0 >clean || exit 1
	IFS= read -r -d '' clean <./clean || :
	now=$clean
	while read -r status command; do
		((++number))
		[ "$now" = "$clean" ] || command $state setconf wg0 before
		case $status in
		same | refused) eval "$command" </dev/null >$number.out 2>$number.err ;;
		*) (eval "$command") </dev/null >$number.out 2>$number.err ;;
		esac
		echo $? >$number.status
		command $state showconf wg0 >$number.state || exit 1
		# It ends at the end of the file, which is a failure to it.
		IFS= read -r -d '' now <$number.state || :
	done <../cases
}

if [ "${1:-}" = --side ]; then
	one_side "$2" "$3" "$4"
	exit
fi

# compare NUMBER STATUS COMMAND: what the two sides left.
compare() {
	local number=$1 status=$2 file wg_status nwgctl_status of_wg of_nwgctl
	local name="${*:3}" whole="run ${*:2}" first=$work/wg/$1 second=$work/nwgctl/$1
	name=${name//\#/}
	[ ${#name} -le 100 ] || name=${name:0:100}...
	# The state is what a side leaves last, and there is always one.
	if [ ! -s "$first.state" ] || [ ! -s "$second.state" ]; then
		ktap_fail "$name" "a side did not run it" "$whole"
		return
	fi
	read -r wg_status <"$first.status"
	read -r nwgctl_status <"$second.status"
	case $status in
	same)
		status=$wg_status
		# What wg says when the kernel refuses, for which nwgctl has a status of its own.
		[ "$status" -eq 0 ] || ! grep -qE '^Unable to (access|modify) interface' "$first.err" ||
			status=2
		;;
	refused)
		# As if wg had refused it, too.
		if [ "$other" != drop-in ]; then
			status=1 wg_status=1
			: >"$first.out"
			echo refused >"$first.err"
			cp "$work/wg/clean" "$first.state"
		else
			status=$wg_status
		fi
		;;
	esac
	[ "$other" != drop-in ] || status=$((status > 0))
	if [ "$nwgctl_status" -ne "$status" ] || [ "$wg_status" -ne $((status > 0)) ]; then
		ktap_fail "$name" "exit status of wg $wg_status, of $other $nwgctl_status, not $status" \
			"$(cat "$second.err")" "$whole"
		return
	fi
	for file in out state; do
		# Many files, and a program for each pair takes longer than the rest.
		IFS= read -r -d '' of_wg <"$first.$file"
		IFS= read -r -d '' of_nwgctl <"$second.$file"
		if [ "$of_wg" != "$of_nwgctl" ]; then
			ktap_fail "$name" "$file differs:" \
				"$(diff -U 3 "$first.$file" "$second.$file" | head -n 40)" "$whole"
			return
		fi
	done
	if [ -s "$first.err" ] && [ ! -s "$second.err" ] || [ ! -s "$first.err" ] && [ -s "$second.err" ]; then
		ktap_fail "$name" "only one says something:" "$(cat "$first.err" "$second.err")" "$whole"
		return
	fi
	ktap_ok "$name"
}

# refused NAME COMMAND...: nwgctl exits with 1 and changes nothing.
refused() {
	local name=$1 before status
	shift
	before=$(wg showconf wg0)
	"$@" >/dev/null 2>"$work/err"
	status=$?
	if [ $status -ne 1 ] || [ ! -s "$work/err" ] || [ "$(wg showconf wg0)" != "$before" ]; then
		ktap_fail "$name" "exit status $status: $(cat "$work/err")"
	else
		ktap_ok "$name"
	fi
}

# same_output COMMAND...: the arguments of wg and of nwgctl, at a moment when the
# output of wg does not change.
same_output() {
	local first second third
	for _ in {1..20}; do
		first=$(wg "$@") && second=$("$NWGCTL" "$@") && third=$(wg "$@") || return
		[ "$first" = "$third" ] || continue
		[ -n "$first" ] || { echo "wg $* prints nothing" && return 1; }
		[ "$first" != "$second" ] || return 0
		diff <(echo "$first") <(echo "$second")
		return 1
	done
	echo "the output of wg $* changes all the time"
	return 1
}

on_purpose() {
	local key=$work/key text
	(umask 077 && wg genkey >"$key")
	ip link add wg0 type wireguard
	wg set wg0 listen-port 1111 private-key "$key"
	refused "port above 65535" "$NWGCTL" set wg0 listen-port 65536
	refused "port with a sign" "$NWGCTL" set wg0 listen-port +5
	refused "port with a space" "$NWGCTL" set wg0 listen-port ' 5'
	refused "endpoint's port above 65535" "$NWGCTL" set wg0 peer "$(wg pubkey <"$key")" \
		endpoint 192.0.2.1:65536
	refused "directory as configuration file" "$NWGCTL" setconf wg0 /
	printf '[Interface]\nListenPort = 5\0x\n' >"$work/nul"
	refused "NUL in a configuration file" "$NWGCTL" setconf wg0 "$work/nul"
	printf '[Interface]\nListenPort = 65536\n' >"$work/port"
	refused "port above 65535 in a configuration file" "$NWGCTL" setconf wg0 "$work/port"
	# A line that is not understood may hold a key.
	wg showconf wg0 | sed 's/PrivateKey/PrivatKey/' >"$work/typo"
	"$NWGCTL" setconf wg0 "$work/typo" 2>"$work/err"
	if grep -qF "$(<"$key")" "$work/err" || ! grep -q 'typo:3: .*PrivatKey' "$work/err"; then
		ktap_fail "error names the line and not the key" "$(cat "$work/err")"
	else
		ktap_ok "error names the line and not the key"
	fi
	wg set wg0 peer "$(wg genkey | wg pubkey)" peer "$(wg genkey | wg pubkey)"
	text=$("$NWGCTL" show all endpoints | cut -f 1,3 | sort -u)
	if [ "$text" = $'wg0\t(none)' ]; then
		ktap_ok "show all endpoints names the interface on each line"
	else
		ktap_fail "show all endpoints names the interface on each line" "$text"
	fi
	ip link del wg0
}

# Two interfaces that talk over a veth pair.
in_use() {
	local side keys=()
	for side in 0 1; do
		(umask 077 && wg genkey >"$work/key$side")
		keys+=("$(wg pubkey <"$work/key$side")")
		ip netns add "ctl$side"
		defer ip netns del "ctl$side"
	done
	ip link add v0 netns ctl0 type veth peer name v1 netns ctl1
	for side in 0 1; do
		local options=(-n "ctl$side")
		ip "${options[@]}" link add wg0 type wireguard
		ip netns exec "ctl$side" wg set wg0 private-key "$work/key$side" listen-port 51820 \
			peer "$(wg genkey | wg pubkey)" allowed-ips 10.0.9.0/24 \
			peer "${keys[1 - side]}" allowed-ips 10.0.1.0/24 endpoint "10.0.0.$((2 - side)):51820"
		ip "${options[@]}" addr add "10.0.0.$((side + 1))/24" dev "v$side"
		ip "${options[@]}" addr add "10.0.1.$((side + 1))/24" dev wg0
		ip "${options[@]}" link set "v$side" up
		ip "${options[@]}" link set wg0 up
	done
	ktap_run "a session comes up" slowwait 10 ip netns exec ctl0 ping -q -c 20 -i 0.01 -s 1000 10.0.1.2
}

other=nwgctl
case ${1:-} in
nwg | drop-in) other=$1 && shift ;;
esac
if [ "${1:-}" = random ]; then
	ktap_need python3
	list=("$here/grammar.py" "$2" "$3")
else
	list=(cat "$here/wg-cases")
fi
ktap_need wg ip ping
[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
modprobe wireguard || ktap_skip_all "no stock module"
work=$(mktemp -d)
chmod 755 "$work"
defer rm -rf "$work"
"${list[@]}" | cases >"$work/cases"
mapfile -t all <"$work/cases"
if [ "$other" = drop-in ]; then
	ktap_plan ${#all[@]}
	unshare --net "$0" --side wg wireguard "$work/wg" || exit 1
	drop_in_load || exit 1
	unshare --net "$0" --side wg wireguard "$work/nwgctl" || exit 1
else
	kind=wireguard rest=0
	[ "$other" != nwg ] || kind=nwg
	[ "$other ${1:-}" != "nwgctl " ] || rest=$((9 + 6))
	ktap_plan $((${#all[@]} + rest))
	for tool in wg nwgctl; do
		ip netns add "compare-$tool"
		defer ip netns del "compare-$tool"
	done
	ip netns exec compare-wg "$0" --side wg wireguard "$work/wg" &
	ip netns exec compare-nwgctl "$0" --side "$NWGCTL" $kind "$work/nwgctl" || exit 1
	wait $! || exit 1
fi
for number in "${!all[@]}"; do
	# shellcheck disable=SC2086 # status and command
	compare $((number + 1)) "${all[number]%% *}" "${all[number]#* }"
done

[ "${rest:-0}" -gt 0 ] || ktap_end

on_purpose

in_use
for arguments in "show" "show wg0 dump" "show wg0 latest-handshakes" "show wg0 transfer"; do
	# shellcheck disable=SC2086 # the words of a command line
	ktap_run "$arguments, peer in use" ip netns exec ctl0 bash -c \
		"$(declare -f same_output); NWGCTL=$NWGCTL same_output $arguments"
done
WG_COLOR_MODE=always ktap_run "show in colours, peer in use" ip netns exec ctl0 bash -c \
	"$(declare -f same_output); NWGCTL=$NWGCTL same_output show"
ktap_end
