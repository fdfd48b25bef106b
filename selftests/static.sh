#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What compilers and checkers say about the sources: each check is one result.
# Everything is checked in a copy, from nothing, so that no built file hides a warning.

top=$(realpath "$(dirname "$0")/..")
# shellcheck source=lib/ktap.sh
. "$top/selftests/lib/ktap.sh"

cd "$top" || exit 1
ktap_need make gcc sparse clang-format shellcheck python3
ktap_plan 11

copy=$top/build/selftests/static
rm -rf "$copy"
mkdir -p "$copy"
cp -r Kbuild dkms.conf module uapi "$copy"
find "$copy" -name '*.o' -delete

# Everything that is not kbuild saying what it does.
build_is_silent() {
	make -C "/lib/modules/$(selftests/kernel)/build" M="$copy" W=1 C=2 modules \
		>"$copy/log" 2>&1
	local status=$?

	grep -iE "warning:|error:|\*\*\*" "$copy/log" | grep -v "^warning: the compiler differs" &&
		return 1
	return "$status"
}

# What this kernel is said not to have is named, and no compiler is asked.
lack_is_named() {
	make -C "/lib/modules/$(selftests/kernel)/build" M="$copy" CONFIG_CRYPTO_LIB_CURVE25519= modules \
		>"$copy/log" 2>&1 && return 1
	grep -q "nwg: this kernel is built without CONFIG_CRYPTO_LIB_CURVE25519" "$copy/log" &&
		! grep -q "  CC " "$copy/log"
}

# Distributions have later things in earlier kernels: Kbuild looks what is there.
no_version_looked_at() {
	! grep -rnE 'LINUX_VERSION_CODE|KERNEL_VERSION' Kbuild module
}

sources() {
	find module uapi tools selftests -name "*.[ch]" -o -name "*.cpp" -o -name "*.hpp"
}

shell_scripts() {
	find .ci debian packaging selftests tools -type f ! -name "*.o" -exec awk '
		FNR > 2 { nextfile }
		/^#!.*[\/ ](ba|da)?sh$/ || /^# shellcheck shell=/ { print FILENAME; nextfile }' {} +
}

all_formatted() {
	local file status=0
	while read -r file; do
		clang-format --dry-run -Werror "$file" 2>/dev/null ||
			{ echo "not formatted: clang-format -i $file" && status=1; }
	done < <(sources)
	return "$status"
}

all_shell_checked() {
	shell_scripts | xargs shellcheck -f gcc
}

python_sources() {
	find selftests -name "*.py"
}

# Errors only: names that are not there, in a module of ours, too; calls that cannot be.
all_python_checked() {
	local path
	path=$(python_sources | xargs dirname | sort -u | paste -sd:)
	python_sources | PYTHONPATH=$path xargs pylint --errors-only
}

manual_pages() {
	find tools/man -type f
}

manual_pages_are_right() {
	manual_pages | xargs mandoc -T lint -W warning
}

# A test that is in no list does not run.
all_tests_listed() {
	local file status=0
	while read -r file; do
		grep -qE "^[^#]*[[:space:]]${file#selftests/}([[:space:]]|$)" selftests/TESTS ||
			{ echo "not in selftests/TESTS: $file" && status=1; }
	done < <(find selftests -name '*.sh' -executable -exec grep -lE 'ktap_end|each_chain' {} +)
	return "$status"
}

# What memcmp() may look at, which stops at the first difference: public keys, addresses, and time
# stamps that were authenticated.
compared_in_constant_time() {
	! grep -rnE '(\b(mem|str|b)n?|__builtin_\w*)cmp\(' module --include='*.[ch]' |
		grep -vE '\((public|params->config\.peer|peer->remote\.public|&now, endpoint|timestamp|&source->key|ops->kind),'
}

# dkms.conf has it; the packages are the one thing that says it once more.
one_version() {
	local version file
	version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
	[ "$(sed -n '1s/^nwg (\(.*\)) .*/\1/p' debian/changelog)" = "$version" ] ||
		{ echo "debian/changelog does not begin with version $version, as dkms.conf has it" && return 1; }
	for file in packaging/nwg.spec packaging/alpine/APKBUILD; do
		[ "$(sed -n 's/^\(Version:\|pkgver=\)[[:space:]]*//p' "$file")" = "$version" ] ||
			{ echo "$file does not have version $version, as dkms.conf has it" && return 1; }
	done
	[ "$(sed -n '/^%changelog/{n;s/.* - \(.*\)-1$/\1/p}' packaging/nwg.spec)" = "$version" ] ||
		{ echo "packaging/nwg.spec: %changelog does not begin with version $version" && return 1; }
}

ktap_run "module: secrets are compared in constant time" compared_in_constant_time
ktap_run "module: no warning with W=1 and sparse" build_is_silent
ktap_run "module: what the kernel lacks is named" lack_is_named
ktap_run "module: no kernel's version is looked at" no_version_looked_at
ktap_run "clang-format: $(sources | wc -l) sources" all_formatted
ktap_run "shellcheck: $(shell_scripts | wc -l) scripts" all_shell_checked
if command -v pylint >/dev/null; then
	ktap_run "pylint: $(python_sources | wc -l) modules" all_python_checked
else
	ktap_skip "pylint" "pylint is missing: run make setup"
fi
if command -v mandoc >/dev/null; then
	ktap_run "mandoc: $(manual_pages | wc -l) manual pages" manual_pages_are_right
else
	ktap_skip "mandoc" "mandoc is missing: run make setup"
fi
ktap_run "selftests/TESTS has each test" all_tests_listed
ktap_run "what nwgctl refuses has a test, word for word" selftests/nwgctl/refusals.py
ktap_run "the packages have the version" one_version
ktap_end
