#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What is in packaging/ and debian/, and .github/, as far as it can be looked at without the systems that it is for.

# shellcheck disable=SC2016 # what is for another shell is in single quotes

top=$(realpath "$(dirname "$0")/..")
# shellcheck source=lib/ktap.sh
. "$top/selftests/lib/ktap.sh"

cd "$top" || exit 1
ktap_need make busybox nm python3
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
work=$(mktemp -d "${TMPDIR:-/tmp}/nwg-packaging.XXXXXX") || exit 1
defer rm -rf "$work"

# The sources as they are packed, with what is built here.
sources=$work/dist/nwg-$version

# same_sources DIRECTORY [FILE]...: it has what DKMS needs, those files, and nothing else.
same_sources() {
	local directory=$1
	shift
	diff <({ (cd "$sources" && find Kbuild LICENSE dkms.conf module uapi -type f) && printf '%s\n' "$@"; } |
		sed '/^$/d' | sort) <(cd "$directory" && find . -type f | sed 's|^\./||' | sort)
}

# All that "make install" makes, "make uninstall" takes away.
uninstalled() {
	make -s -C tools install DESTDIR="$work/install" PREFIX=/usr &&
		[ -x "$work/install/usr/bin/nwgctl" ] &&
		make -s -C tools uninstall DESTDIR="$work/install" PREFIX=/usr || return
	! find "$work/install" -type f | grep .
}

# The archive has each file that is in the repository.
archived() {
	local file
	make -s dist && mkdir -p "$work/dist" && tar -xf "build/nwg-$version.tar.gz" -C "$work/dist" || return
	[ -e "$sources/packaging/nwg.spec" ] && [ ! -e "$sources/build" ] && ln -s "$top/build" "$sources/build" || return
	if [ -e .git ] && command -v git >/dev/null; then
		while read -r file; do
			diff -q --no-dereference "$file" "$sources/$file" || return
		done < <(git ls-files | grep -vx .gitignore)
	fi
}

# RPM

spec_is_parsed() {
	rpmspec -P packaging/nwg.spec >"$work/spec" &&
		[ "$(rpmspec -q --builtrpms --qf '%{NAME} %{VERSION} %{ARCH}\n' packaging/nwg.spec)" = \
			"nwgctl $version $(uname -m)"$'\n'"nwg-dkms $version noarch" ]
}

# There is no address to download the sources from; BuildRoot is a thing of the past.
rpmlint_finds_nothing() {
	local found
	found=$(rpmlint packaging/nwg.spec)
	grep -q '1 specfiles checked' <<<"$found" &&
		! grep -E ': [WE]: ' <<<"$found" | grep -vE ': W: (no-buildroot-tag|invalid-url Source0: nwg-[0-9.]*\.tar\.gz)$'
}

# Of what is built here: without preparation, compilation and tests.
rpm_builds() {
	local step
	mkdir -p "$work/rpm/BUILD" && ln -s "$sources" "$work/rpm/BUILD/nwg-$version" || return
	for step in -bi -bb; do
		rpmbuild "$step" --short-circuit --nodeps --nocheck --define "_topdir $work/rpm" --define 'debug_package %{nil}' \
			--define '_binary_payload w1.gzdio' packaging/nwg.spec >"$work/rpmbuild" 2>&1 ||
			{ tail -n 30 "$work/rpmbuild" && return 1; }
	done
}

# What the packages have, with modes.
rpm_has_files() {
	local directory=/usr/src/nwg-$version name
	rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$work"/rpm/RPMS/*/nwgctl-*.rpm >"$work/files" || return
	for name in "drwx------ /etc/nwg" "-rwxr-xr-x /usr/bin/nwgctl" "-rw-r--r-- /usr/lib/systemd/system/nwg@.service" \
		"-rw-r--r-- /usr/lib/systemd/system/nwg.target" \
		"-rw-r--r-- /usr/share/bash-completion/completions/nwgctl" \
		"-rw-r--r-- /usr/share/doc/nwgctl/examples/nwg-drop-in.conf"; do
		grep -qxF -- "$name" "$work/files" || { echo "not in the package: $name" && cat "$work/files" && return 1; }
	done
	[ "$(grep -c /usr/share/man/ "$work/files")" -eq 3 ] &&
		mkdir "$work/rpm/dkms" && rpm2cpio "$work"/rpm/RPMS/noarch/nwg-dkms-*.rpm |
		(cd "$work/rpm/dkms" && cpio -id --quiet) && same_sources "$work/rpm/dkms$directory"
}

# Whatever becomes of it, an error of DKMS does not keep the package out, or in.
rpm_scripts_end_well() {
	local script
	for script in POSTIN PREUN; do
		rpm -qp --qf "%{$script}" "$work"/rpm/RPMS/noarch/nwg-dkms-*.rpm >"$work/script" &&
			grep -q "dkms .* -m nwg -v $version " "$work/script" && shellcheck -s sh "$work/script" || return
		mkdir -p "$work/bin" && printf '#!/bin/sh\necho dkms "$@" >>"%s"\nexit 9\n' "$work/called" >"$work/bin/dkms" &&
			chmod 755 "$work/bin/dkms" && PATH=$work/bin:$PATH sh -e "$work/script" >/dev/null || return
	done
	[ "$(cut -d ' ' -f 2 "$work/called" | paste -sd ' ')" = "add build install remove" ]
}

# Alpine

# apkbuild COMMAND...: in the shell of abuild, with APKBUILD, and what that calls of abuild's own.
apkbuild() {
	srcdir=$work/apk/src pkgdir=$work/apk/nwgctl subpkgdir=${subpkgdir:-$work/apk/none} busybox ash -euc '
		amove() {
			for f; do
				mkdir -p "$subpkgdir/${f%/*}"
				mv "$pkgdir/$f" "$subpkgdir/${f%/*}"
			done
		}
		. packaging/alpine/APKBUILD
		builddir=$1
		shift
		cd "$builddir"
		"$@"' sh "$sources" "$@"
}

apkbuild_is_right() {
	local name function
	busybox ash -n packaging/alpine/APKBUILD || return
	for name in pkgname pkgver pkgrel pkgdesc url arch license makedepends subpackages source; do
		apkbuild eval "[ -n \"\$$name\" ]" || { echo "no $name" && return 1; }
	done
	[ "$(apkbuild eval 'echo "$pkgver"')" = "$version" ] &&
		[ "$(apkbuild eval 'echo -n "$pkgdesc" | wc -c')" -lt 128 ] || return
	for function in build check package $(apkbuild eval 'echo $subpackages' | tr ' ' '\n' |
		sed -n 's/^[^:]*:\([^:]*\).*/\1/p'); do
		apkbuild eval "type $function | grep -q function" || { echo "no $function()" && return 1; }
	done
	# Each file of source is one that is there, or that "make dist" makes.
	for name in $(apkbuild eval 'echo $source'); do
		[ -e "packaging/alpine/$name" ] || [ "$name" = "nwg-$version.tar.gz" ] || { echo "no $name" && return 1; }
	done
}

apk_has_files() {
	local file
	mkdir -p "$work/apk/src" && cp packaging/alpine/nwg.initd "$work/apk/src" && apkbuild package &&
		subpkgdir=$work/apk/ifupdown apkbuild ifupdown_ng && subpkgdir=$work/apk/module apkbuild src || return
	for file in nwgctl/usr/bin/nwgctl nwgctl/etc/init.d/nwg ifupdown/usr/libexec/ifupdown-ng/nwg; do
		[ -x "$work/apk/$file" ] || { echo "no $file" && return 1; }
	done
	[ "$(stat -c %a "$work/apk/nwgctl/etc/nwg")" = 700 ] && ! find "$work/apk/nwgctl" | grep -E 'systemd|libexec/.*/nwg'
}

# What akms wants of it.
akmbuild_is_right() {
	local directory=$work/apk/module/usr/src/nwg-$version
	same_sources "$directory" AKMBUILD && busybox ash -n "$directory/AKMBUILD" &&
		[ "$(busybox ash -euc '. "$1"; echo "$modname $modver $built_modules"' sh "$directory/AKMBUILD")" = \
			"nwg $version-r0 nwg.ko" ]
}

# service NAME COMMAND STATUS: the file of OpenRC, with its functions, and a nwgctl that ends with STATUS.
service() {
	printf '#!/bin/sh\necho "$*" >>"%s"\nexit %d\n' "$work/called" "$3" >"$work/bin/nwgctl" &&
		chmod 755 "$work/bin/nwgctl" && PATH=$work/bin:$PATH RC_SVCNAME=$1 busybox ash -uc '
			for name in ebegin eerror need use after; do
				eval "$name() { :; }"
			done
			eend() { return "$1"; }
			. packaging/alpine/nwg.initd
			"$1"' sh "$2"
}

initd_is_right() {
	mkdir -p "$work/bin"
	: >"$work/called"
	head -n 1 packaging/alpine/nwg.initd | grep -qx '#!/sbin/openrc-run' && busybox ash -n packaging/alpine/nwg.initd &&
		service nwg.wg1 depend 0 && service nwg.wg1 start 0 && service nwg.wg1.5 reload 0 && service nwg.lo stop 0 &&
		! service nwg.wg1 start 2 && ! service nwg.wg1 reload 1 &&
		! service nwg.lo stop 2 && service nwg.none stop 2 && ! service nwg start 0 || return
	[ "$(paste -sd , "$work/called")" = \
		"up wg1,reload wg1.5,down lo,up wg1,reload wg1,down lo,down none" ] || { cat "$work/called" && return 1; }
}

# What nwgctl has of glibc, is in musl, too: with _FORTIFY_SOURCE some have another name, and with later versions of
# glibc those that read numbers.
musl_has_all() {
	local missing
	nm -D --undefined-only build/nwgctl | sed -n 's/.* \([^ ]*\)@GLIBC_.*/\1/p' |
		sed 's/^__\(.*\)_chk$/\1/; s/^__\(open\|openat\)_2$/\1/; s/^__isoc23_/__isoc99_/; s/^__isoc99_strto/strto/' | sort -u >"$work/needed"
	nm -D --defined-only "$1" | awk '{ print $NF }' | sort -u >"$work/musl"
	grep -qx socket "$work/needed" || { echo "not read: build/nwgctl" && return 1; }
	missing=$(comm -23 "$work/needed" "$work/musl")
	[ -z "$missing" ] || { echo "not in musl:" "$missing" && return 1; }
}

# ifupdown-ng

executor_is_right() {
	busybox ash -n packaging/ifupdown-ng/nwg && : >"$work/called" && mkdir -p "$work/bin" &&
		printf '#!/bin/sh\necho "$*" >>"%s"\n' "$work/called" >"$work/bin/nwgctl" && chmod 755 "$work/bin/nwgctl" || return
	local phase
	for phase in depend create pre-up up post-up pre-down down post-down destroy; do
		PATH=$work/bin:$PATH IFACE=wg1 PHASE=$phase busybox ash packaging/ifupdown-ng/nwg >"$work/out" &&
			[ ! -s "$work/out" ] || return
	done
	[ "$(paste -sd , "$work/called")" = "up wg1,down wg1" ]
}

# Debian

# What debian/tests/control names, and nothing else.
autopkgtests_are_there() {
	diff <(sed -n 's/^Tests: *//p' debian/tests/control | tr -s ', ' '\n' | sort) \
		<(find debian/tests -type f -executable -printf '%f\n' | sort)
}

# GitHub

# Each is a mapping with steps; what it runs and what its cache depends on is in the repository.
workflows_are_right() {
	python3 - .github/workflows/*.yml <<-'PYTHON'
		import glob
		import os
		import re
		import sys
		import yaml

		for name in sys.argv[1:]:
		    with open(name) as file:
		        workflow = yaml.safe_load(file)
		    # A bare "on" is true in YAML 1.1.
		    assert workflow.get("on", workflow.get(True)), f"{name}: when does it run?"
		    for job in workflow["jobs"].values():
		        assert job["runs-on"] and job["timeout-minutes"]
		        for step in job["steps"]:
		            assert ("uses" in step) != ("run" in step), f"{name}: {step}"
		            for path in re.findall(r"\.ci/\w+", step.get("run", "")):
		                assert os.access(path, os.X_OK), f"{name}: no {path}"
		            for key in re.findall(r"hashFiles\(([^)]*)\)", str(step.get("with", {}).get("key"))):
		                files = [glob.glob(pattern, recursive=True) for pattern in re.findall(r"'([^']*)'", key)]
		                assert any(files), f"{name}: no file of {key}"
	PYTHON
}

# What is built is as its sources are; nothing is compiled here.
make -q -C tools all >/dev/null 2>&1 && built=yes

# check PROGRAM[+] NAME COMMAND...: skipped where there is no such program, or, with +, no nwgctl.
check() {
	if [ -z "${built:-}" ] && [[ $1 = *+ ]]; then
		ktap_skip "$2" "nwgctl is not built, or not anew: run make tools"
	elif ! command -v "${1%+}" >/dev/null; then
		ktap_skip "$2" "${1%+} is missing: run make setup"
	else
		ktap_run "${@:2}"
	fi
}

ktap_plan 15
check make+ "make uninstall takes away all that make install makes" uninstalled
check tar "make dist has all sources" archived
check rpmspec "nwg.spec: two packages, and the version" spec_is_parsed
if command -v rpmlint >/dev/null; then
	ktap_run "nwg.spec: rpmlint finds nothing" rpmlint_finds_nothing
else
	ktap_skip "nwg.spec: rpmlint finds nothing" "rpmlint is missing: apt-get install rpmlint"
fi
check rpmbuild+ "nwg.spec: packages of what is built" rpm_builds
check rpmbuild+ "nwg.spec: files and modes" rpm_has_files
check rpmbuild+ "nwg.spec: scripts add, build, install and remove, and end well" rpm_scripts_end_well
check busybox "APKBUILD: variables and functions" apkbuild_is_right
check make+ "APKBUILD: files and modes" apk_has_files
check busybox+ "APKBUILD: the module's sources, and what akms wants" akmbuild_is_right
check busybox "OpenRC: start, stop and reload" initd_is_right
musl=$(find /lib/*-linux-musl /usr/lib/*-linux-musl -maxdepth 1 -name libc.so 2>/dev/null | head -n 1)
if [ -z "$musl" ]; then
	ktap_skip "musl has what nwgctl uses of glibc" "musl is missing: run make setup"
else
	check nm+ "musl has what nwgctl uses of glibc" musl_has_all "$musl"
fi
check busybox "ifupdown-ng: the executor does its part, and no other" executor_is_right
ktap_run "autopkgtest: tests are there" autopkgtests_are_there
if python3 -c 'import yaml' 2>/dev/null; then
	ktap_run "GitHub: workflows" workflows_are_right
else
	ktap_skip "GitHub: workflows" "python3-yaml is missing: run make setup"
fi
ktap_end
