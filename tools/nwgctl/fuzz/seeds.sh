#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Inputs for the fuzzers to begin with, out of what the repository has: tests, documents, and what
# nwgctl itself writes.
#
# usage: seeds.sh NWGCTL MESSAGES DIRECTORY

set -eu -o pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../../..")
nwgctl=$(realpath "$1") messages=$(realpath "$2") to=$3

rm -rf "$to"
mkdir -p "$to"/{config,netlink,firewall,chain,batch}
cd "$to"

# Files of a chain, with relays.
chain=$(mktemp -d)
trap 'rm -rf "$chain"' EXIT
"$nwgctl" chain new "$chain/new" vps vps.example.net lan 192.168.88.0/24 client laptop >/dev/null
find "$chain" -type f ! -name '*.png' ! -name '*.svg' | while read -r file; do
	name=${file#"$chain/new/"}
	cp "$file" "chain/${name//\//-}"
	[[ $file != *.conf ]] || cp "$file" "config/${name//\//-}"
done

# Files of the cases for wg and nwgctl; the variables are theirs.
number=0 key=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
while read -r kind _ text; do
	[ "$kind" = conf ] || continue
	number=$((number + 1))
	printf '%b' "$(sed -E "s|\\\$[A-Z0-9]+|$key|g" <<<"$text")" >config/case$number
done <"$top/selftests/nwgctl/wg-cases"

# Texts in the tests, each for whoever takes it, and the documents.
for file in "$top"/tools/nwgctl/test/*.cpp; do
	perl -0777 -ne 'print "$1\0" while /R"\((.*?)\)"/sg' "$file"
done | while IFS= read -r -d '' text; do
	number=$((number + 1))
	for fuzzer in config firewall chain; do
		printf '%s' "$text" >$fuzzer/test$number
	done
done
cp "$top/tools/man/nwg.conf.5" config/manual
sed -n 's/^    \(nwgctl \)\?//p' "$top/README.md" | tee batch/readme >config/readme
sed -n 's/^run . wg //p' "$top/selftests/nwgctl/wg-cases" >batch/cases

"$messages" netlink
