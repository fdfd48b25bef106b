#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwgctl's options for all commands: --batch, --force, --color, and what is no option or no command.

here=$(dirname "$(realpath "$0")")
# shellcheck source=../lib/ktap.sh
. "$here/../lib/ktap.sh"

NWGCTL=${NWGCTL:-$(realpath -m "$here/../../build/nwgctl")}
KEY=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
COLOR=$'\x1b['

# batch NAME STATUS OUTPUT ERROR [OPTION]...: of commands from standard input; OUTPUT is all of it, ERROR
# lines of standard error, in this order.
batch() {
	local name=$1 status=$2 output=$3 error=$4 got line rest
	shift 4
	cat >"$work/batch"
	"$NWGCTL" "$@" -b "$work/batch" >"$work/out" 2>"$work/err"
	got=$?
	rest=$(sed "s|$work/||" "$work/err")
	while read -r line; do
		[[ $rest == *"$line"* ]] || got="$got, and it does not say \"$line\""
		rest=${rest#*"$line"}
	done <<<"$error"
	[ -n "$error" ] || [ ! -s "$work/err" ] || got="$got, and it says something"
	if [ "$got" = "$status" ] && [ "$(<"$work/out")" = "$output" ]; then
		ktap_ok "$name"
	else
		ktap_fail "$name" "exit status $got" "$(<"$work/out")" "$(<"$work/err")"
	fi
}

# says NAME STATUS TEXT ARGUMENT...: the exit status, and what standard output or standard error has.
says() {
	local name=$1 status=$2 text=$3 got output
	shift 3
	output=$("$NWGCTL" "$@" 2>&1 </dev/null)
	got=$?
	if [ "$got" -eq "$status" ] && [[ $output == *"$text"* ]]; then
		ktap_ok "$name"
	else
		ktap_fail "$name" "exit status $got" "$output"
	fi
}

# colored NAME yes|no ENVIRONMENT ARGUMENT...
colored() {
	local name=$1 wanted=$2 environment=$3 output is=no
	shift 3
	output=$(env -u NO_COLOR -u WG_COLOR_MODE ${environment:+"$environment"} "$NWGCTL" "$@" show wg0)
	[[ $output != *"$COLOR"* ]] || is=yes
	if [[ $output == *interface*wg0* ]] && [ "$wanted" = $is ]; then
		ktap_ok "$name"
	else
		ktap_fail "$name" "${output@Q}"
	fi
}

port() {
	ip netns exec "batch-$1" "$NWGCTL" show wg0 listen-port
}

[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
ktap_plan 44
work=$(mktemp -d)
defer rm -rf "$work"
for node in a b; do
	ip netns add "batch-$node"
	defer ip netns del "batch-$node"
	ip -n "batch-$node" link add wg0 type nwg
done
ip link add wg0 type nwg
defer ip link del wg0

batch "nothing to do" 0 "" "" <<<"# only this"
batch "commands in their order, in one process" 0 $'5\noff\n6' "" <<END
set wg0 listen-port 5    # a comment
show wg0 listen-port

  show wg0 fwmark
set wg0 \\
	listen-port 6
show "wg0" 'listen-port'
END
"$NWGCTL" genkey >"$work/key"
batch "keys, too" 0 "$("$NWGCTL" pubkey <"$work/key")"$'\n6' "" <<END
set wg0 private-key $work/key
show wg0 public-key
show wg0 listen-port
END
batch "an empty word" 0 "$KEY"$'\t(none)' "" <<END
set wg0 peer $KEY allowed-ips 10.0.0.0/8
set wg0 peer $KEY allowed-ips ""
show wg0 allowed-ips
END
batch "the first that fails ends it, with its line" 1 "6" \
	$'Invalid argument: bogus\nUsage: nwgctl\nCommand failed batch:3' <<END
show wg0 listen-port

set wg0 bogus
set wg0 listen-port 7
END
ktap_run "and nothing behind it was done" [ "$("$NWGCTL" show wg0 listen-port)" = 6 ]
batch "a refusal of the kernel's is 1, too" 1 "" $'Unable to access interface nosuch\nCommand failed batch:1' <<<"show nosuch"
batch "with --force it goes on, and is 1 at last" 1 $'6\n7' \
	$'bogus\nCommand failed batch:2\nInvalid subcommand: `nonsense\nCommand failed batch:3\nquotation mark\nCommand failed batch:4' \
	--force <<END
show wg0 listen-port
set wg0 bogus
nonsense
show 'wg0
set wg0 listen-port 7
show wg0 listen-port
END
batch "with --force and no failure it is 0" 0 7 "" -f <<<"show wg0 listen-port"
batch "the line of a command that goes on is its first" 1 "" "Command failed batch:2" <<END

set \\
	wg0 bogus
END
batch "a line that ends with the file" 1 "" $'The file ends\nCommand failed batch:1' <<<"show \\"
batch "the batch's namespace is each line's" 0 $'11\n11' "" --netns batch-a <<END
set wg0 listen-port 11
show wg0 listen-port
show wg0 listen-port
END
batch "a line's namespace is its own" 0 $'7\n12\n7' "" <<END
show wg0 listen-port
-n batch-b set wg0 listen-port 12
show wg0 listen-port -n batch-b
show wg0 listen-port
END
batch "... within the batch's, also where it fails" 1 $'11\n12\n11' "Command failed batch:3" -f --netns batch-a <<END
show wg0 listen-port
-n batch-b show wg0 listen-port
-n batch-b set wg0 bogus
show wg0 listen-port
END
ktap_run "each namespace has what was set in it" \
	[ "$(port a) $(port b) $("$NWGCTL" show wg0 listen-port)" = "11 12 7" ]
batch "no such namespace" 1 "" $'Unable to open network namespace nosuch\nCommand failed batch:1' <<<"-n nosuch show wg0"
batch "a line's options are its own" 0 $'[{"ifname":"wg0","listen_port":7}]\n7' "" <<END
show -j wg0 listen-port
show wg0 listen-port
END
batch "the batch's options are each line's" 0 $'[{"ifname":"wg0","listen_port":7}]\n[{"ifname":"wg0","fwmark":0}]' "" -j <<END
show wg0 listen-port
show wg0 fwmark
END
batch "a batch in a batch" 1 "" $'in a batch\nhint: \nCommand failed batch:1' <<<"-b $work/other"
batch "--force in a batch" 1 "" $'in a batch\nCommand failed batch:1' <<<"--force show wg0"
batch "a relay is made and removed" 0 "[]" "" <<END
set wg0 peer $KEY allowed-ips 10.0.0.0/8
relay add dev wg0 listen 60000 peer $KEY to 10.0.0.1:51820
relay del listen 60000
-j relay show
END
says "a file that is not there" 1 "Unable to open \`$work/nosuch': No such file" -b "$work/nosuch"
says "a directory" 1 "Unable to read \`$work': Is a directory" -b "$work"
says "a command and a batch" 1 "\`--batch' with a command" -b "$work/batch" show
says "no file" 1 "--batch" -b
says "a file without a name" 1 "Unable to open \`'" -b ""
says "a namespace without a name" 1 "\`' is not the name of a network namespace" -n "" show

printf 'show wg0 listen-port\nset wg0 private-key /dev/stdin\n' >"$work/batch"
if ! "$NWGCTL" -b - <"$work/batch" >"$work/out" 2>"$work/err" && [ "$(<"$work/out")" = 7 ] && grep -q 'Command failed -:2' "$work/err" &&
	grep -q 'hint: .*--batch -' "$work/err" &&
	[ "$("$NWGCTL" show wg0 private-key)" = "$(<"$work/key")" ]; then
	ktap_ok "standard input holds the commands, and no key is read from or lost for it"
else
	ktap_fail "standard input holds the commands, and no key is read from or lost for it" "$(cat "$work"/{out,err})"
fi
coproc "$NWGCTL" -b -
echo "show wg0 listen-port" >&"${COPROC[1]}"
if read -rt 60 answer <&"${COPROC[0]}" && [ "$answer" = 7 ]; then
	ktap_ok "each line is done when it comes"
else
	ktap_fail "each line is done when it comes" "$answer"
fi
eval "exec ${COPROC[1]}>&-"
wait

colored "no terminal" no ""
colored "-c" yes "" -c
colored "--color" yes "" --color
colored "-c=always" yes "" -c=always
colored "--color=never goes before WG_COLOR_MODE" no WG_COLOR_MODE=always --color=never
colored "--color=auto, too" no WG_COLOR_MODE=always --color=auto
colored "WG_COLOR_MODE" yes WG_COLOR_MODE=always
colored "--color goes before NO_COLOR" yes NO_COLOR=1 --color
colored "the last one counts" no "" -c --color=never
says "no colours in JSON" 0 '[{"ifname":"wg0"' -c -j show wg0
says "no such mode" 1 "hint: it is one of always, auto, never" --color=sometimes show wg0

says "no such option" 1 "Invalid option: \`-x'" -x
says "no such option of a command" 1 "Invalid option: \`--bogus'" show wg0 --bogus
says "no such command" 1 "Invalid subcommand: \`sho'" sho wg0
says "no such command of an object" 1 "Invalid subcommand: \`lst'" relay lst
ktap_end
