# SPDX-License-Identifier: GPL-2.0-only
#
# seal: seal the block map of files.
#
# The kernel to build for:
#   KVER=release   its headers are /lib/modules/$(KVER)/build
#   KDIR=path      a kernel build directory
# Without either it is the running kernel, if its headers are installed.
# V=1, W=1, C=1 are handed on to the kernel's build system.
#
# For packagers: CC, CFLAGS, LDFLAGS, PREFIX, DESTDIR, LIBDIR, INCLUDEDIR,
# BINDIR, MANDIR, UDEVDIR, UNITDIR, CONFDIR, DATADIR; INSTALL_MOD_DIR is the
# folder of the module below /lib/modules/RELEASE. With DESTDIR nothing outside it
# is touched.

.DEFAULT_GOAL := all

ifeq ("$(origin O)","command line")
$(error O= is not supported: objects are beside the sources. Build in a copy)
endif

VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

PREFIX	   ?= /usr/local
DESTDIR	   ?=
LIBDIR	   ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR	   ?= $(PREFIX)/bin
MANDIR	   ?= $(PREFIX)/share/man
UDEVDIR	   ?= /lib/udev/rules.d
UNITDIR	   ?= /lib/systemd/system
# sysusers.d, modules-load.d: /usr/local has no such folders
CONFDIR	   ?= /usr/lib
DATADIR	   ?= $(PREFIX)/share
BASHDIR	   ?= $(DATADIR)/bash-completion/completions
ZSHDIR	   ?= $(DATADIR)/zsh/vendor-completions
FISHDIR	   ?= $(DATADIR)/fish/vendor_completions.d
INSTALL_MOD_DIR ?= updates
export VERSION PREFIX DESTDIR LIBDIR INCLUDEDIR BINDIR MANDIR

ifneq ($(KDIR),)
KBUILD_DIR := $(KDIR)
else ifneq ($(KVER),)
KBUILD_DIR := /lib/modules/$(KVER)/build
else
KBUILD_DIR := /lib/modules/$(shell uname -r)/build
endif
KRELEASE = $(or $(KVER),$(shell $(MAKE) -s -C $(KBUILD_DIR) kernelrelease))

KMAKE = $(MAKE) -C $(KBUILD_DIR) M=$(CURDIR)/module

SUITE ?= bookworm
# Whatever has a Makefile; of the two left out one has a target of its own and the
# other one needs clang.
TESTS := $(filter-out tests/bench tests/stress/fuzz/parsers,$(patsubst %/Makefile,%, \
	 $(wildcard $(addsuffix /Makefile,tests/* tests/*/* tests/*/*/*))))
TEST_MODULES := tests/contract/layout tests/kernel/races/park tests/kernel/company/patch

# folders of these names exist
.PHONY: lib tools tests module tests/bench examples
.PHONY: help all modules modules_install model module-debug module-kcov demo check check-quick check-unit check-full check-long \
	check-debug check-kernels coverage-data check-maps check-packages check-grant check-hibernate check-live fuzz \
	review review-self-test review-fetch \
	exhaust powercut torture bench install install-module install-user uninstall clean deb dkms-tree lint \
	release shell sign

help:
	@echo 'make              module, library and tool ("all")'
	@echo 'make check-unit   tests that need neither root nor a kernel: seconds'
	@echo 'make module       seal.ko for KVER= or KDIR='
	@echo 'make lib tools    libseal; sealctl'
	@echo 'make tests        the programs tests run in a guest'
	@echo 'make modules_install  the module as the kernel does it: signed, compressed,'
	@echo '                  depmod; INSTALL_MOD_PATH= INSTALL_MOD_DIR=updates'
	@echo 'make install      into DESTDIR= PREFIX= (KVER= for the module)'
	@echo 'make uninstall    remove what install put there'
	@echo 'make sign         sign the module for Secure Boot (MOK_KEY= MOK_CERT=)'
	@echo 'make deb          Debian packages for this release, in build/deb'
	@echo 'make clean        remove what was built here'
	@echo
	@echo 'On a Debian machine, as root, without any kernel headers:'
	@echo 'make demo         seal files in a virtual machine, show what holds'
	@echo 'make check        every test, on the kernels of Debian 12, 13, testing'
	@echo 'make check-quick  what shows most, on one kernel: minutes'
	@echo 'make check-full   the same, on two backported kernels and a cloud kernel'
	@echo 'make check-long   what is repeated, 200 times: load, seal, unload ...'
	@echo 'make check-debug  on a kernel that checks itself; failures, fuzzing (slow)'
	@echo 'make check-packages  packages installed, upgraded, removed, reboots'
	@echo 'make check-kernels   build for every kernel of the Debian releases'
	@echo 'make review       is there a way past the gates of a kernel? KERNELS="FOLDER ..."'
	@echo 'make review-self-test  is each gate noticed that is taken out?'
	@echo 'make review-fetch get kernels to review (REVIEW_DIR=)'
	@echo 'make check-maps   deltas against rsync (5 GB, minutes); across a reboot'
	@echo 'make check-hibernate  to a sealed swap file, and resumed from there'
	@echo 'make check-live   images that a loop device and QEMU write to, read meanwhile'
	@echo 'make check-grant  two machines with one disk; GUESTS= ROUNDS=1000 SEED=1'
	@echo 'make torture      random changes against sealed files (SECONDS= SEED= GUEST= FS=)'
	@echo 'make exhaust      every short sequence around a seal (PART=K/N GUEST=), hours'
	@echo 'make model        all states of the sealing protocol, with spin (minutes)'
	@echo 'make powercut     cut the power of guests (ROUNDS=12 SEED=from the clock)'
	@echo 'make fuzz         libFuzzer on the parsers, SECONDS=60 for all of them'
	@echo 'make bench        measure what gates and seals cost (COMPARE=REV: against it)'
	@echo 'make lint         checkpatch, sparse, analyzers, shellcheck'
	@echo 'make shell        a shell in a guest (SUITE=bookworm|trixie|testing)'

all: module lib tools

module: $(KBUILD_DIR)/Makefile
	@scripts/pre-build $(KBUILD_DIR)
	+$(KMAKE) modules

modules: module

modules_install: module
	+$(KMAKE) INSTALL_MOD_DIR=$(INSTALL_MOD_DIR) modules_install

# The module with a switch per gate, for the tests of the tests, and the one that
# tells the fuzzer where it has been. Elsewhere, so that they are never the one
# that is installed.
# not what modpost made of the other build
MODULE_SOURCES = $(filter-out %.mod.c %/compared.h,$(wildcard module/*.[ch] module/*/*.[ch]))
module-debug: SWITCH := SEAL_DEBUG=1
module-kcov: SWITCH := SEAL_KCOV=1
module-debug module-kcov: module-%: $(KBUILD_DIR)/Makefile
	mkdir -p build/$*
	cp -p --parents module/Kbuild $(MODULE_SOURCES) uapi/*.h dkms.conf build/$*/
	@scripts/pre-build $(KBUILD_DIR) build/$*/module/probes/compared.h
	$(MAKE) -C $(KBUILD_DIR) M=$(CURDIR)/build/$*/module \
		$(SWITCH) modules

$(KBUILD_DIR)/Makefile:
	@scripts/check-kernel $(KBUILD_DIR)

# Kernels that load signed modules only; docs/SECURE-BOOT.md.
sign: $(KBUILD_DIR)/Makefile
	scripts/sign $(KBUILD_DIR) module/seal.ko $(MOK_KEY) $(MOK_CERT)

deb:
	packaging/mkdeb

lib:
	$(MAKE) -C lib all

tools: lib
	$(MAKE) -C tools all

tests: lib $(KBUILD_DIR)/Makefile
	+set -e; for dir in $(TEST_MODULES); do \
		$(MAKE) -C $(KBUILD_DIR) M=$(CURDIR)/$$dir modules; done
	set -e; for dir in examples $(TESTS); do $(MAKE) -C $$dir all; done

# The suite dkms takes what DKMS builds here.
dkms-tree: module tools
	tests/distro/dkms/build $(KRELEASE)
	tests/distro/dkms/differs $(KBUILD_DIR) $(KRELEASE)

examples: lib
	$(MAKE) -C examples all

tests/bench: lib
	$(MAKE) -C tests/bench all

demo:
	tests/distro/demo/run

check:
	tests/run

check-quick:
	tests/run --quick

check-unit:
	+tests/user/unit/guest

check-full:
	tests/run --full

check-long:
	tests/run --long

# Not part of the others: compiling its kernel alone takes most of an hour.
check-debug:
	tests/run --debug

# What scripts/coverage makes docs/COVERAGE.md of.
coverage-data: module
	$(MAKE) -C lib all >/dev/null
	$(MAKE) -C tests/contract all >/dev/null
	for target in xfs xfs-dax ext4 ext4-ind ext4-dax; do \
		tests/contract/contract --list --target $$target | \
			sed "s/^/case $$target /"; done
	sed -nE 's/.*SEAL_GATE(_HOT|_WRAPPED|_WRAPPED_HOT)?\("([^"]*)".*/\2/p' module/gates/*.c | sort -u | \
		while read -r gate; do strings -a module/gates/*.o | \
			grep -qx "$$gate" && echo "gate $$gate"; done || :

check-packages:
	tests/distro/packages/run

check-kernels:
	tests/distro/kernels/run

# The kernels to review, as review-fetch gets them; docs/NEW-KERNEL.md.
REVIEW_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/seal-review
KERNELS ?= $(wildcard $(REVIEW_DIR)/[1-9]*)
review:
	@[ -n '$(KERNELS)' ] || \
		{ echo 'No kernel in $(REVIEW_DIR): make review-fetch, or KERNELS="FOLDER ..."' >&2; exit 1; }
	scripts/review/review $(KERNELS)

review-self-test:
	@[ -n '$(KERNELS)' ] || \
		{ echo 'No kernel in $(REVIEW_DIR): make review-fetch, or KERNELS="FOLDER ..."' >&2; exit 1; }
	scripts/review/review --self-test $(KERNELS)

review-fetch:
	scripts/review/fetch $(REVIEW_DIR) newest

check-maps:
	tests/user/maps/reboot
	tests/user/maps/compare
	tests/user/bitmap/compare

# Images in use, looked at for a minute each.
check-live:
	SECONDS_EACH=$(SECONDS) tests/user/images/live $(GUEST)

check-hibernate:
	tests/distro/hibernate/run

check-grant:
	tests/kernel/grant/two-guests

# bash has a SECONDS of its own
torture:
	TORTURE_SECONDS=$(or $(SECONDS),600) tests/stress/torture/run

exhaust:
	PART=$(or $(PART),1/1) TIMEOUT=$(or $(SECONDS),172800) \
		tests/run $(GUEST:%=--guest %) exhaust

model:
	model/run

powercut:
	ROUNDS=$(ROUNDS) SEED=$(SEED) tests/stress/powercut/run

fuzz:
	SECONDS_ALL=$(or $(SECONDS),60) scripts/fuzz

bench:
	COMPARE=$(COMPARE) tests/bench/run

lint:
	scripts/lint

release:
	scripts/release

shell:
	tests/vm/vm shell $(SUITE)

install: install-module install-user
	@$(if $(DESTDIR),:,echo 'Now: systemd-sysusers; udevadm control --reload && modprobe seal')

# By the kernel's own rules. A stage has none of the modules that the lists of depmod
# name, so there it does not run.
install-module: module
	+$(KMAKE) INSTALL_MOD_DIR=$(INSTALL_MOD_DIR) \
		$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR) DEPMOD=true) modules_install

install-user: tools
	$(MAKE) -C lib install
	$(MAKE) -C tools install
	install -d $(DESTDIR)$(UDEVDIR) $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(CONFDIR)/sysusers.d $(DESTDIR)$(CONFDIR)/modules-load.d \
		$(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR) \
		$(DESTDIR)$(MANDIR)/man3 $(DESTDIR)$(MANDIR)/man4 \
		$(DESTDIR)$(MANDIR)/man8
	install -m 644 packaging/60-seal.rules $(DESTDIR)$(UDEVDIR)/
	sed 's|/usr/bin/|$(BINDIR)/|' packaging/seal-restore.service \
		>$(DESTDIR)$(UNITDIR)/seal-restore.service
	chmod 644 $(DESTDIR)$(UNITDIR)/seal-restore.service
	install -m 644 packaging/seal.sysusers \
		$(DESTDIR)$(CONFDIR)/sysusers.d/seal.conf
	install -m 644 packaging/seal.modules-load \
		$(DESTDIR)$(CONFDIR)/modules-load.d/seal.conf
	install -m 644 completion/sealctl.bash $(DESTDIR)$(BASHDIR)/sealctl
	install -m 644 completion/_sealctl $(DESTDIR)$(ZSHDIR)/_sealctl
	install -m 644 completion/sealctl.fish $(DESTDIR)$(FISHDIR)/sealctl.fish
	install -m 644 man/libseal.3 $(DESTDIR)$(MANDIR)/man3/
	install -m 644 man/seal.4 $(DESTDIR)$(MANDIR)/man4/
	install -m 644 man/sealctl.8 $(DESTDIR)$(MANDIR)/man8/

# Below DESTDIR empty folders go as well; those of the system stay.
uninstall:
	$(MAKE) -C lib uninstall
	$(MAKE) -C tools uninstall
	cd $(or $(DESTDIR),/) && for file in \
			$(addprefix lib/modules/$(KRELEASE)/$(INSTALL_MOD_DIR)/seal, \
				.ko .ko.gz .ko.xz .ko.zst) \
			$(UDEVDIR)/60-seal.rules $(UNITDIR)/seal-restore.service \
			$(CONFDIR)/sysusers.d/seal.conf \
			$(CONFDIR)/modules-load.d/seal.conf \
			$(BASHDIR)/sealctl $(ZSHDIR)/_sealctl \
			$(FISHDIR)/sealctl.fish $(MANDIR)/man3/libseal.3 \
			$(MANDIR)/man4/seal.4 $(MANDIR)/man8/sealctl.8 \
			$(BINDIR)/. $(LIBDIR)/pkgconfig/. $(INCLUDEDIR)/.; do \
		[ -d "./$$file" ] || rm -f "./$$file"; \
		[ -z '$(DESTDIR)' ] || rmdir -p --ignore-fail-on-non-empty \
			"./$${file%/*}" 2>/dev/null || :; \
	done

clean:
	+$(if $(wildcard $(KBUILD_DIR)/Makefile),$(KMAKE) clean)
	+$(if $(wildcard $(KBUILD_DIR)/Makefile),for dir in $(TEST_MODULES); do \
		$(MAKE) -C $(KBUILD_DIR) M=$(CURDIR)/$$dir clean; done)
	$(MAKE) -C lib clean
	$(MAKE) -C tools clean
	for dir in examples $(TESTS) tests/bench; do \
		[ ! -e $$dir/Makefile ] || $(MAKE) -C $$dir clean; done
	rm -rf build module/probes/compared.h
