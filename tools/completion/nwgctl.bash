# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# bash completion for nwgctl(8), by way of bash-completion. The words are those that "nwgctl complete" knows.

_nwgctl() {
	local cur words cword breaks word prefix=
	local -a lines plain names=()
	COMPREPLY=()

	# What readline takes for several words is one: keys end in =, addresses have colons.
	declare -F _get_comp_words_by_ref >/dev/null || return
	_get_comp_words_by_ref -n '=:@' cur words cword
	plain=("${words[@]:1:cword-1}" "$cur")
	mapfile -t lines < <("${words[0]/#~\//$HOME/}" complete -- \
		"${plain[@]//[\\\"\']/}" 2>/dev/null)

	case ${lines[0]-} in
	none) ;;
	files | directories)
		[[ $cur != -*=* ]] || cur=${cur#*=}
		if [ "${lines[0]}" = files ]; then _filedir; else _filedir -d; fi
		;;
	*) return ;;
	esac

	# It puts them behind the last of those characters, but within quotes.
	breaks=${COMP_WORDBREAKS//[^=:@]/}
	[[ -z $breaks || $cur == [\"\']* ]] || prefix=${cur%"${cur##*["$breaks"]}"}
	prefix=${prefix//[\\\"\']/}
	for word in "${lines[@]:1}"; do
		word=${word%%$'\t'*}
		word=${word#"$prefix"}
		# Names may have characters that a shell takes for commands. Within quotes no more can be done than to
		# leave such a one out. Where there are files, too, readline does what is done here.
		if [[ $cur == [\"\']* ]]; then
			[[ $word != *[\"\'\$\`\\!]* ]] || continue
		elif ((${#COMPREPLY[@]} == 0)) && [[ $word == *[!][[:alnum:]_.,:=@%/+-]* ]]; then
			printf -v word %q "$word"
		fi
		names+=("$word")
	done
	COMPREPLY+=("${names[@]}")
}

complete -F _nwgctl nwgctl
