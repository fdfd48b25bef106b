# SPDX-License-Identifier: GPL-2.0
#
# What a person types. kbuild itself reads Kbuild, not this.
#
#   make KREL=6.1.0-56-amd64   build the module for this kernel instead of the default
#                              (the running one, or else the newest, that has both its
#                              image and its headers installed)
#   make module W=1 C=2        passed on to kbuild
#   make install PREFIX=/usr   default: /usr/local

KREL ?= $(shell selftests/kernel)
KDIR ?= /lib/modules/$(KREL)/build
PREFIX ?= /usr/local
# The one place that has the version.
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
DKMS_SOURCE := /usr/src/nwg-$(VERSION)

# On all CPUs, unless it is said otherwise. A make that make starts is told so.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

# What is built is not removed meanwhile.
ifneq ($(filter clean,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

all: module tools ## build the module and the tools

module: ## build nwg.ko
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools: ## build nwgctl into build/
	$(MAKE) -C tools

aged: ## build a module with which selftests/device/hand.sh makes sessions old
	mkdir -p build/$(KREL)/aged
	cp -p selftests/device/aged/* build/$(KREL)/aged
	$(MAKE) -C $(KDIR) M=$(CURDIR)/build/$(KREL)/aged modules

setup: ## install what build, demo and check need (Debian, Ubuntu)
	selftests/setup

demo: setup ## show the nested chain at work, in a VM
	$(MAKE) all
	selftests/demo

debug: ## build a kernel that finds faults, once (x86-64), and nwg.ko for it
	selftests/debug/build

check: setup ## run the tests: all on a stock kernel, some on the debug kernel (x86-64) and on others, too
	$(MAKE) all aged
	$(MAKE) debug
	@# run says what became of it.
	-selftests/kernels/build
	selftests/run --all

bench: setup ## measure what a packet costs, beside the stock module and DNAT, into selftests/bench: minutes
	$(MAKE) all
	selftests/bench/run

bench-scale: setup ## measure what many flows, peers, allowed IPs and relays cost, likewise: most of an hour
	$(MAKE) all
	selftests/bench/scale

check-debug: setup ## run all tests of the module on the debug kernel: hours
	$(MAKE) all
	$(MAKE) debug
	selftests/run --debug

check-kernels: setup ## run all tests of the module on other kernels, by systems of their own; as root: hours
	$(MAKE) all
	selftests/kernels/build $$(selftests/kernels/suites)
	selftests/run $$(selftests/kernels/suites | sed 's/^/--on /')

install: ## install the tools, and the module by DKMS; as root
	selftests/setup install
	$(MAKE) -C tools install PREFIX=$(PREFIX)
	install -d -m 700 /etc/nwg
	rm -rf $(DKMS_SOURCE)
	install -d $(DKMS_SOURCE)
	cp -r Kbuild LICENSE dkms.conf module uapi $(DKMS_SOURCE)
	find $(DKMS_SOURCE) -name '*.o' -delete
	@# Built first: of the same version DKMS would install again what it has.
	dkms build --force nwg/$(VERSION) -k $$(uname -r)
	dkms install --force nwg/$(VERSION) -k $$(uname -r)
	@# A newer kernel may be waiting for the next boot.
	@for build in /lib/modules/*/build/Makefile; do \
		kernel=$${build#/lib/modules/}; kernel=$${kernel%/build/Makefile}; \
		[ "$$kernel" = "$$(uname -r)" ] || \
			{ dkms build --force nwg/$(VERSION) -k "$$kernel" && \
			  dkms install --force nwg/$(VERSION) -k "$$kernel"; } || \
			echo "nwg: not built for $$kernel, which has no nwg when it boots" >&2; \
	done
	@# Not the stock module in its place, as the example has it
	@modprobe --ignore-install nwg || { \
		echo "nwg: installed, but not loaded. With Secure Boot, enrol DKMS's key: see README" >&2; \
		exit 1; }
	@if [ ! -d /sys/module/nwg ]; then \
		echo "nwg: installed, but not loaded; dmesg says why. With drop_in=1 the module wireguard must not be" >&2; \
		exit 1; \
	elif [ "$$(cat /sys/module/nwg/srcversion)" != "$$(modinfo -F srcversion nwg)" ]; then \
		echo "nwg: an older module is still loaded. To have the new one: stop what uses its interfaces, modprobe -r nwg, which removes them, and start it again; or reboot" >&2; \
	else \
		echo "nwg $(VERSION) is installed and loaded; see nwgctl(8). For nwg in place of the stock module: $(PREFIX)/share/doc/nwgctl/examples/nwg-drop-in.conf"; \
	fi

uninstall: ## take all of that away again, once there are no nwg interfaces; as root
	@file=$$(grep -lsE '^[[:space:]]*alias[[:space:]]+rtnl-link-wireguard[[:space:]]+nwg' /etc/modprobe.d/*.conf); \
	[ -z "$$file" ] || { \
		echo "nwg: remove $$file first: it has programs ask for nwg" >&2; \
		exit 1; }
	@[ "$$(cat /sys/module/nwg/parameters/drop_in 2>/dev/null)" != Y ] || \
		[ -z "$$(ip -o link show type wireguard)" ] || { \
		echo "nwg: interfaces of kind wireguard are nwg's and would go: take them down first, see \"Back\" in README" >&2; \
		exit 1; }
	@# In other namespaces, too: the module takes all of them along.
	@links=$$({ ip -br link show type nwg | sed 's/ .*//'; \
		for ns in $$(ip netns list | cut -d ' ' -f 1 | grep -vxF "$$(ip netns identify)"); do \
			ip -n "$$ns" -br link show type nwg | sed "s/ .*/ in namespace $$ns/"; \
		done; } | paste -sd , | sed 's/,/, /g'); \
	[ -z "$$links" ] || { \
		echo "nwg: interfaces would go, and leave their rules and name servers behind: $$links. First, for each" >&2; \
		echo "nwg: that has a file: systemctl disable --now nwg@NAME, or nwgctl down NAME; else: ip link del NAME; in a namespace with -n" >&2; \
		exit 1; }
	-modprobe -r nwg
	-dkms remove nwg/$(VERSION) --all
	rm -rf $(DKMS_SOURCE)
	$(MAKE) -C tools uninstall PREFIX=$(PREFIX)

deb: ## build nwg-dkms and nwgctl for this Debian or Ubuntu, into build/deb/
	@command -v dpkg-buildpackage >/dev/null || { \
		echo "nwg: dpkg-buildpackage is missing: apt install dpkg-dev" >&2; \
		exit 1; }
	@dpkg-checkbuilddeps || { \
		echo "nwg: to install what is missing: sudo apt build-dep ./" >&2; \
		exit 1; }
	rm -rf build/deb
	mkdir -p build/deb/nwg
	tar -c --exclude=./build --exclude-vcs --exclude-from=.gitignore . | tar -x -C build/deb/nwg
	cd build/deb/nwg && dpkg-buildpackage -b -us -uc
	rm -rf build/deb/nwg
	@ls build/deb/*.deb

dist: ## make an archive of the sources, of which rpmbuild and abuild make packages: build/nwg-VERSION.tar.gz
	mkdir -p build
	tar -c --exclude=./build --exclude-vcs --exclude-from=.gitignore --sort=name --owner=0 --group=0 --numeric-owner \
		--transform='s|^\.|nwg-$(VERSION)|S' . | gzip -n >build/nwg-$(VERSION).tar.gz

check-deb: ## test those packages, in a Debian of their own; as root
	selftests/deb

clean: ## remove what was built
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(MAKE) -C tools clean
	rm -rf build

help: ## print this
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: all module tools aged debug setup demo check bench bench-scale check-debug check-kernels install uninstall deb dist check-deb clean help
