# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# For tests in bash: results in KTAP (Documentation/dev-tools/ktap.rst), waiting
# without blind sleeps, and cleaning up. Sourced; leaves the shell's options alone.
#
#	. "$(dirname "$0")/../lib/ktap.sh"
#	ktap_need nft wg
#	ktap_plan 2
#	ip netns add a
#	defer ip netns del a
#	ktap_run "the namespace has a loopback" ip -n a link show lo
#	slowwait 5 ip netns exec a ping -c 1 192.0.2.1 >/dev/null &&
#		ktap_ok "it answers" || ktap_fail "it answers"
#	ktap_end
#
# Exit status, as kselftest's: 0 passed, 1 something failed, 4 all skipped.

ktap_planned=0 ktap_number=0 ktap_failed=0 ktap_skipped=0

# ktap_plan N: how many results there will be. First of all.
ktap_plan() {
	ktap_planned=$1
	printf 'KTAP version 1\n1..%d\n' "$1"
}

# ktap_diag TEXT...: a comment; each line and each argument becomes one.
ktap_diag() {
	printf '%s\n' "$@" | sed 's/^/# /'
}

# ktap_ok NAME, ktap_fail NAME [DIAGNOSTIC...], ktap_skip NAME REASON: one result.
ktap_ok() {
	printf 'ok %d %s\n' $((++ktap_number)) "$1"
}

ktap_fail() {
	((++ktap_failed))
	[ $# -lt 2 ] || ktap_diag "${@:2}"
	printf 'not ok %d %s\n' $((++ktap_number)) "$1"
}

ktap_skip() {
	((++ktap_skipped))
	printf 'ok %d %s # SKIP %s\n' $((++ktap_number)) "$1" "$2"
}

# ktap_run NAME COMMAND...: the result is the command's exit status; its output is
# shown when it fails.
ktap_run() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		ktap_ok "$name"
	else
		ktap_fail "$name" "$* failed ($?)" ${output:+"$output"}
	fi
}

# ktap_lines: results from standard input, a line each: pass or fail, name, diagnostic (its
# lines with " | " between), with tabs between. Before them there may be a line of plan and
# their number. Every other line is a comment.
ktap_lines() {
	local verdict name diagnostic
	while IFS=$'\t' read -r verdict name diagnostic; do
		case $verdict in
		plan) ktap_plan "$name" ;;
		pass) ktap_ok "$name" ;;
		fail) ktap_fail "$name" "${diagnostic//' | '/$'\n'}" ;;
		*) ktap_diag "$verdict $name $diagnostic" ;;
		esac
	done
}

# ktap_skip_all REASON: instead of ktap_plan, and the end.
ktap_skip_all() {
	printf 'KTAP version 1\n1..0 # SKIP %s\n' "$*"
	exit 4
}

# ktap_need PROGRAM...: skip everything where one is missing. Before ktap_plan.
ktap_need() {
	local program
	for program; do
		command -v "$program" >/dev/null ||
			ktap_skip_all "$program is missing: run make setup"
	done
}

# ktap_end: the end of every test.
ktap_end() {
	printf '# Totals: pass:%d fail:%d skip:%d\n' \
		$((ktap_number - ktap_failed - ktap_skipped)) "$ktap_failed" "$ktap_skipped"
	if [ "$ktap_number" -ne "$ktap_planned" ] || [ "$ktap_number" -eq 0 ]; then
		ktap_diag "planned $ktap_planned results, gave $ktap_number"
		exit 1
	fi
	[ "$ktap_failed" -eq 0 ] || exit 1
	[ "$ktap_skipped" -lt "$ktap_number" ] || exit 4
	exit 0
}

# defer COMMAND...: run it when the script ends, however it ends; last one first.
deferred=()
defer() {
	deferred+=("${*@Q}")
	trap run_deferred EXIT
}

run_deferred() {
	local i
	for ((i = ${#deferred[@]} - 1; i >= 0; i--)); do
		eval "${deferred[i]}"
	done
	deferred=()
}

# wait_until MICROSECONDS PAUSE COMMAND...: until it succeeds or the time is over;
# prints what its last run printed.
wait_until() {
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1)) pause=$2 output
	shift 2
	until output=$("$@"); do
		if [ "${EPOCHREALTIME/[.,]/}" -ge "$deadline" ]; then
			[ -z "$output" ] || printf '%s\n' "$output"
			return 1
		fi
		sleep "$pause"
	done
	[ -z "$output" ] || printf '%s\n' "$output"
}

# busywait MILLISECONDS COMMAND...: for what takes milliseconds.
busywait() {
	wait_until "${1}000" 0.01 "${@:2}"
}

# slowwait SECONDS COMMAND...: for what takes seconds.
slowwait() {
	wait_until "${1}000000" 0.2 "${@:2}"
}

# debug_kernel: whether this is one that looks for lost memory. It keeps what was freed for a while,
# and all takes longer.
debug_kernel() {
	[ -e /sys/kernel/debug/kmemleak ]
}

# skip_idle COMMAND...: run it with idle time skipped: in a VM with virtual time
# "skip_idle sleep 200" takes a second. Everywhere else time passes as it does.
# Keep programs out of it that were not started before: virtual time does not wait
# for the host's file system either.
skip_idle() {
	local status
	[ -z "${NWG_VM_PACER:-}" ] || kill -STOP "$NWG_VM_PACER"
	"$@"
	status=$?
	[ -z "${NWG_VM_PACER:-}" ] || kill -CONT "$NWG_VM_PACER"
	return $status
}
