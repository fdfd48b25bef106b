#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What nwgctl says of itself is so: --help of each command, and nwgctl(8) and README.md have each command, what it
# takes, and each option.

here=$(dirname "$(realpath "$0")")
# shellcheck source=../lib/ktap.sh
. "$here/../lib/ktap.sh"

top=$(realpath "$here/../..")
NWGCTL=${NWGCTL:-$top/build/nwgctl}

# Each command of the list, an object's as two words.
commands() {
	"$NWGCTL" --help | sed -n '/^Commands:/,/^Without/s/^  \([a-z-]*\( [a-z-]*\)\{0,1\}\)  .*/\1/p'
}

# How many there must be, by the table.
listed() {
	local table=$top/tools/nwgctl/commands.cpp
	echo "$(grep -cE '^	\{ (nullptr|"[a-z]+"), "' "$table"):$((2 * $(grep -cE '^	"  -[a-z], --' "$table")))"
}

options() {
	"$NWGCTL" --help | sed -n 's/^  \(-[a-z]\), \(--[a-z]*\).*/\1\n\2/p'
}

# usage COMMAND: behind "Usage: nwgctl [OPTIONS]", without white space.
usage() {
	# shellcheck disable=SC2086 # words
	"$NWGCTL" $1 --help | sed -n '1,/^$/p' | tr -d ' \n\t' | sed 's/^Usage:nwgctl\[OPTIONS\]//'
}

# The manual page without its fonts, lines that go on in one.
manual() {
	sed -e ':line; /\\$/{N; s/\\\n//; b line}' -e 's/\\f[BIRP]//g; s/\\-/-/g; s/^\.B[RI]* //' "$top/tools/man/nwgctl.8"
}

has_help() {
	local command text
	while read -r command; do
		# shellcheck disable=SC2086 # words
		text=$("$NWGCTL" $command --help 2>&1) || { echo "$command: exit status $?" && return 1; }
		[[ $text == "Usage: nwgctl [OPTIONS] $command"* && $text == *$'\n\nExample:\n  '*nwgctl*"$command"* &&
			$text == *"See nwgctl(8)."* ]] ||
			{ echo "$command: $text" && return 1; }
	done < <(commands)
	for command in relay flow chain; do
		text=$("$NWGCTL" "$command" --help)
		[[ $text == *$'\n\nExample:\n  '* ]] || { echo "$command: $text" && return 1; }
	done
}

# Usage lines of the manual page are those of --help; "show" has its fields in the text.
in_manual() {
	local command wanted status=0
	while read -r command; do
		wanted=$(usage "$command")
		[ "$command" != show ] || wanted=${wanted%%\[*}
		manual | tr -d ' \t' | grep -qF -e "$wanted" ||
			{ echo "nwgctl.8 does not have: $wanted" && status=1; }
	done < <(commands)
	return "$status"
}

fields_in_manual() {
	local word status=0
	for word in $("$NWGCTL" show --help | sed -n '2,/^$/s/[]|[]/ /gp'); do
		manual | grep -qE -e "(^|[ \"])$word([ \",]|\$)" || { echo "nwgctl.8 does not have show's $word" && status=1; }
	done
	return "$status"
}

options_in_manual() {
	local option status=0
	while read -r option; do
		manual | grep -qE -e "(^|[ \"])$option([ \",]|\$)" || { echo "nwgctl.8 does not have $option" && status=1; }
	done < <(options)
	return "$status"
}

in_readme() {
	local word status=0
	while read -r word; do
		grep -qF -e "\`$word\`" "$top/README.md" || { echo "README.md does not have \`$word\`" && status=1; }
	done < <(commands && options)
	return "$status"
}

[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
ktap_plan 6
ktap_run "--help lists commands and options" [ "$(commands | wc -l):$(options | wc -l)" = "$(listed)" ]
ktap_run "each command's help has usage and an example" has_help
ktap_run "nwgctl(8) has each command, and what it takes" in_manual
ktap_run "nwgctl(8) has each field of show" fields_in_manual
ktap_run "nwgctl(8) has each option" options_in_manual
ktap_run "README.md has each command and option" in_readme
ktap_end
