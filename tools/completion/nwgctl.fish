# SPDX-License-Identifier: GPL-2.0
#
# fish completion for nwgctl(8). The words are those that "nwgctl complete" knows.

function __nwgctl_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l lines ($words[1] complete -- $words[2..] $word 2>/dev/null)
    # --batch=FILE: what completes files does not know of what is before it.
    set -l option (string match -r '^--[a-z]+=' -- $word)
    set -l path (string replace -- "$option" '' $word)

    string join \n -- $lines[2..]
    switch "$lines[1]"
        case files
            complete -C "'' $path" | string replace -r '^' -- "$option"
        case directories
            complete -C "'' $path" | string match -r '^[^\t]*/(?=\t|$)'
    end
end

complete -c nwgctl -f -a '(__nwgctl_complete)'
