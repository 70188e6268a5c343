# SPDX-License-Identifier: GPL-2.0-or-later
# Option ROMs: 16-bit code at offset 0, made into flat binaries, which
# hw/i386/option-roms.S takes into the program.
OPTION_ROMS := linuxboot elfboot

$(shell mkdir -p firmware)
firmware/%.rom.o: $(SRC)/firmware/%.S $(SRC)/firmware/option-rom.inc config.mak
	$(call say,AS,$@)
	$(Q)cpp -P -I$(SRC) $< | as --32 -I$(SRC) -o $@ -
firmware/%.bin: firmware/%.rom.o
	$(call say,ROM,$@)
	$(Q)ld -m elf_i386 -Ttext=0 -e 0 --oformat=binary -o $@ $<

hw/i386/option-roms.o: $(OPTION_ROMS:%=firmware/%.bin)
.PRECIOUS: firmware/%.rom.o firmware/%.bin
