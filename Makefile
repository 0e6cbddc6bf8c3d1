# SPDX-License-Identifier: GPL-2.0-only
#
# seal: seal the block map of files.
#
# The kernel to build for:
#   KVER=release   its headers are /lib/modules/$(KVER)/build
#   KDIR=path      a kernel build directory
# Without either it is the running kernel, if its headers are installed.
#
# For packagers: CC, CFLAGS, LDFLAGS, PREFIX, DESTDIR, LIBDIR, INCLUDEDIR,
# SBINDIR, MANDIR, MODDIR, UDEVDIR. With DESTDIR nothing outside it is touched.

VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

PREFIX	   ?= /usr/local
DESTDIR	   ?=
LIBDIR	   ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
SBINDIR	   ?= $(PREFIX)/sbin
MANDIR	   ?= $(PREFIX)/share/man
UDEVDIR	   ?= /lib/udev/rules.d
MODDIR	   ?= /lib/modules/$(KRELEASE)/updates
export VERSION PREFIX DESTDIR LIBDIR INCLUDEDIR SBINDIR MANDIR

ifneq ($(KDIR),)
KBUILD_DIR := $(KDIR)
else ifneq ($(KVER),)
KBUILD_DIR := /lib/modules/$(KVER)/build
else
KBUILD_DIR := /lib/modules/$(shell uname -r)/build
endif
KRELEASE = $(or $(KVER),$(shell $(MAKE) -s -C $(KBUILD_DIR) kernelrelease))

KMAKE = $(MAKE) -C $(KBUILD_DIR) M=$(CURDIR)/module SEAL_VERSION=$(VERSION)

SUITE ?= bookworm
TESTS := tests/unit tests/abi tests/contract tests/lifecycle tests/traps \
	 tests/tripwires tests/races tests/powercut tests/torture tests/faults \
	 tests/fuzz/ioctl tests/maps tests/grant
TEST_MODULES := tests/contract/layout tests/races/park

# folders of these names exist
.PHONY: lib tools tests module tests/bench examples
.PHONY: help all module-debug module-kcov demo check check-full check-long \
	check-debug check-maps check-grant fuzz powercut torture bench install uninstall clean \
	lint shell

help:
	@echo 'make all          module, library and tool'
	@echo 'make module       seal.ko for KVER= or KDIR='
	@echo 'make lib tools    libseal; sealctl'
	@echo 'make tests        the programs tests run in a guest'
	@echo 'make install      into DESTDIR= PREFIX= (KVER= for the module)'
	@echo 'make uninstall    what install put there'
	@echo 'make clean        remove what was built here'
	@echo
	@echo 'On a Debian machine, as root, without any kernel headers:'
	@echo 'make demo         seal files in a virtual machine, show what holds'
	@echo 'make check        every test, on the kernels of Debian 12, 13, testing'
	@echo 'make check-full   the same and on two backported kernels'
	@echo 'make check-long   what is repeated, 200 times: load, seal, unload ...'
	@echo 'make check-debug  on a kernel that checks itself; failures, fuzzing (slow)'
	@echo 'make check-maps   deltas against rsync (5 GB, minutes); across a reboot'
	@echo 'make check-grant  two machines with one disk; GUESTS= ROUNDS=1000 SEED=1'
	@echo 'make torture      random changes against sealed files (SECONDS= SEED= GUEST= FS=)'
	@echo 'make powercut     cut the power of guests (ROUNDS=12 SEED=from the clock)'
	@echo 'make fuzz         libFuzzer on the parsers, SECONDS=60 for all of them'
	@echo 'make bench        measure what the gates cost'
	@echo 'make lint         checkpatch, sparse, analyzers, shellcheck'
	@echo 'make shell        a shell in a guest (SUITE=bookworm|trixie|testing)'

all: module lib tools

module: $(KBUILD_DIR)/Makefile
	+$(KMAKE) modules

# The module with a switch per gate, for the tests of the tests, and the one that
# tells the fuzzer where it has been. Elsewhere, so that they are never the one
# that is installed.
module-debug: SWITCH := SEAL_DEBUG=1
module-kcov: SWITCH := SEAL_KCOV=1
module-debug module-kcov: module-%: $(KBUILD_DIR)/Makefile
	mkdir -p build/$*/module build/$*/uapi
	cp -p module/Kbuild module/*.[ch] build/$*/module/
	cp -p uapi/seal.h build/$*/uapi/
	$(MAKE) -C $(KBUILD_DIR) M=$(CURDIR)/build/$*/module \
		SEAL_VERSION=$(VERSION) $(SWITCH) modules

$(KBUILD_DIR)/Makefile:
	@echo 'No kernel headers in $(KBUILD_DIR).' >&2
	@echo 'Install them (apt install linux-headers-RELEASE) and say which kernel to build for: make KVER=RELEASE or KDIR=PATH.' >&2
	@false

lib:
	$(MAKE) -C lib all

tools: lib
	$(MAKE) -C tools all

tests: lib $(KBUILD_DIR)/Makefile
	+set -e; for dir in $(TEST_MODULES); do \
		$(MAKE) -C $(KBUILD_DIR) M=$(CURDIR)/$$dir modules; done
	set -e; for dir in examples $(TESTS); do $(MAKE) -C $$dir all; done

examples: lib
	$(MAKE) -C examples all

tests/bench: lib
	$(MAKE) -C tests/bench all

demo:
	tests/demo/run

check:
	tests/run

check-full:
	tests/run --full

check-long:
	tests/run --long

# Not part of the others: compiling its kernel alone takes most of an hour.
check-debug:
	tests/run --debug

check-maps:
	tests/maps/reboot
	tests/maps/compare

check-grant:
	tests/grant/two-guests

# bash has a SECONDS of its own
torture:
	TORTURE_SECONDS=$(or $(SECONDS),600) tests/torture/run

powercut:
	ROUNDS=$(ROUNDS) SEED=$(SEED) tests/powercut/run

fuzz:
	SECONDS_ALL=$(or $(SECONDS),60) scripts/fuzz

bench:
	tests/bench/run

lint:
	scripts/lint

shell:
	tests/vm/vm shell $(SUITE)

install: all
	install -d $(DESTDIR)$(MODDIR) $(DESTDIR)$(UDEVDIR)
	install -m 644 module/seal.ko $(DESTDIR)$(MODDIR)/seal.ko
	install -m 644 packaging/60-seal.rules $(DESTDIR)$(UDEVDIR)/
	$(MAKE) -C lib install
	$(MAKE) -C tools install
	install -d $(DESTDIR)$(MANDIR)/man3 $(DESTDIR)$(MANDIR)/man4 \
		$(DESTDIR)$(MANDIR)/man8
	install -m 644 man/libseal.3 $(DESTDIR)$(MANDIR)/man3/
	install -m 644 man/seal.4 $(DESTDIR)$(MANDIR)/man4/
	install -m 644 man/sealctl.8 $(DESTDIR)$(MANDIR)/man8/
	@$(if $(DESTDIR),:,echo 'Now: depmod $(KRELEASE) && udevadm control --reload && modprobe seal')

uninstall:
	rm -f $(DESTDIR)$(MODDIR)/seal.ko $(DESTDIR)$(UDEVDIR)/60-seal.rules
	$(MAKE) -C lib uninstall
	$(MAKE) -C tools uninstall
	rm -f $(DESTDIR)$(MANDIR)/man3/libseal.3 $(DESTDIR)$(MANDIR)/man4/seal.4 \
		$(DESTDIR)$(MANDIR)/man8/sealctl.8

clean:
	+$(if $(wildcard $(KBUILD_DIR)/Makefile),$(KMAKE) clean)
	+$(if $(wildcard $(KBUILD_DIR)/Makefile),for dir in $(TEST_MODULES); do \
		$(MAKE) -C $(KBUILD_DIR) M=$(CURDIR)/$$dir clean; done)
	$(MAKE) -C lib clean
	$(MAKE) -C tools clean
	for dir in examples $(TESTS) tests/bench; do \
		[ ! -e $$dir/Makefile ] || $(MAKE) -C $$dir clean; done
	rm -rf build
