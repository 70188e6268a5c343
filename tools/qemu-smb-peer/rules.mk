# SPDX-License-Identifier: GPL-2.0-or-later
# Loaded into a program of the host's, which has no sanitizer.
SMB_PEER := qemu-smb-peer.so

all: $(SMB_PEER)
$(SMB_PEER): $(SRC)/tools/qemu-smb-peer/peer.c config.mak
	$(call say,LINK,$@)
	$(Q)$(CC) $(filter-out $(SANFLAGS),$(CFLAGS)) -shared -o $@ $<

.PHONY: install-smb-peer clean-smb-peer
install: install-smb-peer
install-smb-peer: $(SMB_PEER)
	install -D -m 644 $(SMB_PEER) $(DESTDIR)$(PREFIX)/lib/$(PROGRAM)/$(SMB_PEER)
clean: clean-smb-peer
clean-smb-peer:
	$(Q)rm -f $(SMB_PEER)
