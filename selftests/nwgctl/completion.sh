#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Completion of command lines, as a person has it in bash, zsh and fish, and what "nwgctl complete" says to them.

here=$(dirname "$(realpath "$0")")
# shellcheck source=../lib/ktap.sh
. "$here/../lib/ktap.sh"

NWGCTL=${NWGCTL:-$(realpath -m "$here/../../build/nwgctl")}
A=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
B=TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=
# shellcheck disable=SC2016 # It is a name of an interface.
C='x;touch${IFS}p'
export PYTHONDONTWRITEBYTECODE=1

unprivileged=()

# completed WORD...: the lines that it writes for them, in one.
completed() {
	"${unprivileged[@]}" "$NWGCTL" complete -- "$@" 2>&1 | paste -sd' '
}

# says NAME LINES WORD...
says() {
	local name=$1 wanted=$2 got
	shift 2
	got=$(completed "$@")
	if [ "$got" = "$wanted" ]; then ktap_ok "$name"; else ktap_fail "$name" "${got@Q}, not ${wanted@Q}"; fi
}

# As installed: bash and fish read their files when they are needed.
install_completion() {
	mkdir -p "$work"/{bin,bash/completions,share/fish/vendor_completions.d}
	ln -s "$NWGCTL" "$work/bin/nwgctl"
	ln -s "$completion/nwgctl.bash" "$work/bash/completions/nwgctl"
	ln -s "$completion/nwgctl.fish" "$work/share/fish/vendor_completions.d/nwgctl.fish"
}

# add NAMESPACE INTERFACE KEY: with a peer, and relays to it.
add() {
	local listen
	ip -n "$1" link add "$2" type nwg
	"$NWGCTL" -n "$1" set "$2" peer "$3" allowed-ips 172.16.1.254/32
	for listen in "${@:4}"; do
		"$NWGCTL" -n "$1" relay add dev "$2" listen "$listen" peer "$3" to 172.16.1.254:51820 responder "$B"
	done
}

# What a line of standard input is, see completion.py; without the program's name.
cases() {
	sed -E $'s/^([^\t]*\t)/\\1nwgctl /; s/\t</\t<nwgctl></' <<END
a command	mon	<monitor>
a command of an object	chain add	<chain><add-client>
commands	 	list	show	syncconf	relay	flow	chain	monitor
commands of an object	relay 	list	add	set	del	show
an option	--stat	<--statistics>
an option behind a command	relay show --js	<relay><show><--json>
options	-	list	-j	--json	--netns	--batch
an option's value	--color=ne	<--color=never>
a namespace	-n completion-f	<-n><completion-far>
a namespace behind =	--netns=completion-f	<--netns=completion-far>
a keyword	relay add dev wgnear respo	<relay><add><dev><wgnear><responder>
keywords	relay add 	list	dev	listen	peer	to	responder	max-flows	source
keywords but those that are there	relay set listen 60001 dev x ma	<relay><set><listen><60001><dev><x><max-flows>
a value	relay set listen 60001 source mas	<relay><set><listen><60001><source><masquerade>
values	flow show sort 	list	client	bytes	packets	age	idle	expires
a value of a list	flow show state new,est	<flow><show><state><new,established>
an interface	show wgn	<show><wgnear>
an interface of a namespace	-n completion-far monitor dev wg	<-n><completion-far><monitor><dev><wgfar>
an interface whose name has a command	show x	<show><$C>
... where there are files, too	up y	<up><y;touch\${IFS}p>
interfaces	show 	list	wgnear	wgother	all	interfaces
a peer	set wgnear peer xTI	<set><wgnear><peer><$A>
a peer of that interface	set wgother peer 	<set><wgother><peer><$B>
a peer that is there	set wgnear peer $A	<set><wgnear><peer><$A>
a peer of a namespace	relay add -n completion-far dev wgfar peer 	<relay><add><-n><completion-far><dev><wgfar><peer><$A>
a keyword behind a peer	set wgnear peer $A allo	<set><wgnear><peer><$A><allowed-ips>
a keyword behind quotes	relay set listen 60001 peer "\$(cat 'a key')" respo	<relay><set><listen><60001><peer><$B><responder>
a responder	relay set listen 60001 responder T	<relay><set><listen><60001><responder><$B>
a relay	relay del listen 600	<relay><del><listen><60001>
relays	relay show listen 	list	60001	172.16.1.1:60000	[fd00::1]:60002
a relay with an address	relay del listen 172	<relay><del><listen><172.16.1.1:60000>
a relay up to its colon	relay del listen 172.16.1.1:	<relay><del><listen><172.16.1.1:60000>
a relay behind its colon	relay del listen 172.16.1.1:60	<relay><del><listen><172.16.1.1:60000>
a relay of a namespace	-n completion-far flow show listen 10	<-n><completion-far><flow><show><listen><10.0.0.1:60003>
a file	setconf wgnear some\\ f	<setconf><wgnear><some file>
a file behind =	--batch=some\\ f	<--batch=some file>
a directory	chain check hom	<chain><check><home/>
a client	chain qr home ph	<chain><qr><home><phone>
a configuration file's interface	up wgfil	<up><wgfile>
a configuration file	up ./els	<up><./elsewhere.conf>
END
}

# in_shell SHELL: lines for ktap_lines, one for each case and one more.
in_shell() {
	cd "$work" || return
	cases | ip netns exec completion-near env -u PROMPT_COMMAND HOME="$work" TERM=xterm PATH="$work/bin:$PATH" \
		BASH_COMPLETION_USER_DIR="$work/bash" XDG_DATA_DIRS="$work/share" COMPLETION="$completion" \
		python3 "$here/completion.py" "$1"
}

# replies WORD: what bash is told for it as the name of an interface, as it stands in the line.
replies() {
	# shellcheck disable=SC2016 # The other shell expands it.
	ip netns exec completion-near env PATH="$work/bin:$PATH" bash -c '
		. /usr/share/bash-completion/bash_completion
		. "$1/nwgctl.bash"
		COMP_WORDS=(nwgctl show "$2") COMP_CWORD=2 COMP_LINE="nwgctl show $2" COMP_POINT=$((12 + ${#2}))
		_nwgctl
		printf "<%s>" "${COMPREPLY[@]}"' bash "$completion" "$1"
}

completion=$(realpath "$here/../tree/completion")
[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
python3 -c 'import pexpect' 2>/dev/null || ktap_skip_all "python3-pexpect is missing: run make setup"

declare -A missing=()
for shell in bash zsh fish; do
	command -v "$shell" >/dev/null || missing[$shell]=$shell
done
[ -e /usr/share/bash-completion/bash_completion ] || missing[bash]=bash-completion

number=$(cases | wc -l)
ktap_plan $(((3 - ${#missing[@]}) * (number + 1) + ${#missing[@]} + 11))

work=$(mktemp -d)
chmod 755 "$work"
defer rm -rf "$work"
install_completion
ip netns add completion-near
defer ip netns del completion-near
ip netns add completion-far
defer ip netns del completion-far
for node in near far; do
	ip -n completion-$node link set lo up
done
ip -n completion-near addr add 172.16.1.1/32 dev lo
ip -n completion-near addr add fd00::1/128 dev lo nodad
ip -n completion-far addr add 10.0.0.1/32 dev lo
add completion-near wgnear $A 60001 172.16.1.1:60000 '[fd00::1]:60002'
add completion-near wgother $B
add completion-far wgfar $A 10.0.0.1:60003
mkdir -p /etc/nwg "$work"/home/clients
defer rm -f /etc/nwg/wgfile.conf
defer rm -f "/etc/nwg/y${C#x}.conf"
ip -n completion-near link add "$C" type nwg
touch /etc/nwg/{wgfile,"y${C#x}"}.conf "$work/home/clients/a b.conf" "$work"/home/clients/{laptop,phone}.conf "$work"/{"some file",elsewhere.conf}
echo $B >"$work/a key"

for shell in bash zsh fish; do
	if [ -n "${missing[$shell]:-}" ]; then
		ktap_skip "$shell" "${missing[$shell]} is missing: run make setup"
		continue
	fi
	ktap_lines < <(in_shell "$shell" 2>&1)
done

says "it says that a file may be there" files setconf wgnear ""
says "it says that a directory may be there" directories chain check ""
says "nothing follows what is wrong" none relay bogus ""
says "a new relay's port is none that there is" none -n completion-near relay add listen ""
says "a file of another name is no client's" "none phone" chain qr "$work/home" "p"
says "... which has no space in it" "none" chain qr "$work/home" "a"
if [ -n "${missing[bash]:-}" ]; then
	ktap_skip 'bash: a name is left out that ends the quotes' "${missing[bash]} is missing: run make setup"
elif got=$(replies \"x) && [ "$got" = '<>' ] && [ "$(replies \"wgn)" = '<wgnear>' ]; then
	ktap_ok 'bash: a name is left out that ends the quotes'
else
	ktap_fail 'bash: a name is left out that ends the quotes' "$got"
fi
says "a namespace that is not there has no names" "none dev" -n nosuch metrics "d"
says "... and those of this one are not shown for it" "none" -n nosuch metrics dev ""

unprivileged=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
says "who is not root has the words" "none listen" -n completion-near relay del l
says "... and no error instead of what only root may read" none -n completion-near relay del listen ""
ktap_end
