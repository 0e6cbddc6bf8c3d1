# SPDX-License-Identifier: GPL-2.0-only
# Make a program of the tests in a folder. Its Makefile sets PROGRAM and, where
# needed, before it includes this: LIBSEAL (archives of lib/), PACKAGES (for
# pkg-config), CPPFLAGS, EXTRA (other targets), NOT (sources that are not tests). Every
# other source of the folder is part of it, and with SUBFOLDERS those of the folders in it.

HARNESS := $(dir $(lastword $(MAKEFILE_LIST)))
TOP := $(HARNESS)../../

CC ?= gcc
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra
CPPFLAGS += -I$(HARNESS) -I$(TOP)uapi -I$(TOP)lib
PACKAGES += check
PACKAGE_CFLAGS := $(shell pkg-config --cflags $(PACKAGES)) -pthread
PACKAGE_LIBS := $(shell pkg-config --libs $(PACKAGES)) -pthread
ARCHIVES := $(LIBSEAL:%=$(TOP)lib/%)

SRCS := $(filter-out $(NOT),$(sort $(wildcard *.c $(if $(SUBFOLDERS),*/*.c))))
# Objects are here: another folder may compile the harness at the same time.
OBJS := $(SRCS:.c=.o) sealtest.o program.o

all: $(PROGRAM) $(EXTRA)

$(PROGRAM): $(OBJS) $(ARCHIVES)
	$(CC) $(LDFLAGS) -o $@ $(OBJS) $(ARCHIVES) $(PACKAGE_LIBS)

%.o: %.c Makefile $(HARNESS)harness.mk
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) $(PACKAGE_CFLAGS) -MMD -c -o $@ $<

sealtest.o program.o: %.o: $(HARNESS)%.c
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) $(PACKAGE_CFLAGS) -MMD -c -o $@ $<

$(ARCHIVES):
	$(MAKE) -C $(TOP)lib $(@F)

clean:
	$(RM) $(PROGRAM) $(OBJS) $(OBJS:.o=.d) $(CLEAN)

.PHONY: all clean

-include $(OBJS:.o=.d)
