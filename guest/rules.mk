# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that run inside guests. qemu-clipboard without X11 where XCB isn't installed.
GUEST_XCB := $(shell pkg-config --exists xcb xcb-xfixes 2>/dev/null && pkg-config --cflags --libs xcb xcb-xfixes)
GUEST_CLIPBOARD := $(filter-out $(if $(GUEST_XCB),,%/x11.c),$(wildcard $(SRC)/guest/clipboard/*.c))

guest/qemu-clipboard: $(GUEST_CLIPBOARD) $(wildcard $(SRC)/guest/clipboard/*.h) config.mak
	@mkdir -p guest
	$(call say,LINK,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(OPTIMISE) -Wall -Wextra $(SANFLAGS) -I$(SRC) \
	    $(if $(GUEST_XCB),-DWITH_X11) -o $@ $(GUEST_CLIPBOARD) $(GUEST_XCB)
all: guest/qemu-clipboard
