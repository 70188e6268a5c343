/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HDA: link and commands, streams into a wav file, interrupts, errors, saved state in the middle of a stream. */
#include "util/osdep.h"
#include "tests/hw/usb/usb-pc.h"
#include "audio/audio.h"

#define BAR     0xfeb00000u
#define CORB    0x110000u
#define RIRB    0x111000u
#define BDL     0x112000u
#define POS     0x113000u
#define BUF     0x120000u
#define OUT0    0x100u          /* offset of the first output stream: the fifth */

static uint32_t rd(uint32_t reg, unsigned size)
{
    return (uint32_t)address_space_load(&address_space_memory, BAR + reg, size, MEM_LE, A, NULL);
}

static void wr(uint32_t reg, uint32_t v, unsigned size)
{
    address_space_store(&address_space_memory, BAR + reg, v, size, MEM_LE, A, NULL);
}

static PCIDevice *start(Test *t, const char *codec, const char *audio)
{
    PCIDevice *pci = PCI_DEVICE(pc_add(t, "intel-hda", "msi", "off"));

    pc_add(t, codec, audio ? "audiodev" : NULL, audio);
    pc_map(pci, 0, BAR);
    wr(0x08, 1, 4);
    return pci;
}

/* The immediate command interface (HDA 3.4). */
static uint32_t verb(uint32_t nid, uint32_t v)
{
    wr(0x68, 2, 2);
    wr(0x60, nid << 20 | v, 4);
    wr(0x68, 1, 2);
    return (rd(0x68, 2) & 3) == 2 ? rd(0x64, 4) : UINT32_MAX;
}

TEST(hda, registers)
{
    PCIDevice *pci;

    if (!pc_start(t)) {
        return;
    }
    pci = PCI_DEVICE(pc_add(t, "ich9-intel-hda", NULL, NULL));
    check_u32(t, pci_get_long(pci->config), 0x293e8086, "ICH9's");
    check_u32(t, pci_get_long(pci->config + 8) >> 8, 0x040300, "class: HD audio");
    pc_map(pci, 0, BAR);
    check_u16(t, rd(0, 2), 0x4401, "GCAP: 4 output, 4 input streams, 64 bits");
    check_u8(t, rd(3, 1), 1, "version 1");
    wr(0x40, UINT32_MAX, 4);
    check_u32(t, rd(0x40, 4), 0, "in reset nothing else is heard (HDA 3.3.7)");
    wr(0x08, 1, 4);
    check_u16(t, rd(0x0e, 2), 0, "STATESTS: no codec");
    wr(0x40, UINT32_MAX, 4);
    check_u32(t, rd(0x40, 4), 0xffffff80, "CORB is aligned to 128 bytes");
    check_u8(t, rd(0x4e, 1), 0x42, "256 entries");
    wr(0x4a, 0x8000, 2);
    check_u16(t, rd(0x4a, 2), 0x8000, "CORBRP: the reset is seen");
    wr(0x4a, 0, 2);
    check_u16(t, rd(0x4a, 2), 0, "and ends");
    wr(0x80, 1, 1);
    check_u8(t, rd(0x80, 1), 1, "stream reset");
    wr(0x80, 0, 1);
    wr(0x88, 4096, 4);
    check_u32(t, rd(0x88, 4), 4096, "CBL");
    wr(0x80, 1, 1);
    check_u32(t, rd(0x88, 4), 0, "reset by SRST");
    pc_ms(1);
    check_true(t, rd(0x30, 4) >= 24000 && rd(0x30, 4) == rd(0x2030, 4), "24 MHz, and the alias");
    check_u32(t, verb(0, 0xf0000), UINT32_MAX, "nobody answers");
}

TEST(hda, codec_addresses)
{
    PCIDevice *pci;
    QDict *d;
    Error *err = NULL;

    if (!pc_start(t)) {
        return;
    }
    pci = start(t, "hda-duplex", NULL);
    pc_add(t, "hda-micro", "cad", "3");
    d = qdict_from_fmt("{'driver': 'hda-output', 'cad': '3'}");
    check_true(t, !device_add(d, true, &err), "an address that is taken is refused");
    error_free(err);
    qobject_unref(d);
    wr(0x0c, 0xffff, 2);
    wr(0x08, 0, 4);
    wr(0x08, 1, 4);
    check_u16(t, rd(0x0e, 2), 9, "both ask after a reset of the link");
    wr(0x20, 0xc0000000, 4);
    check_true(t, pci->irq_level, "and interrupt, as WAKEEN says");
    wr(0x0e, 9, 2);
    check_true(t, !pci->irq_level, "until that is cleared");
    check_u32(t, verb(0, 0xf0000), 0x1af40022, "duplex with mixer");
    check_u32(t, verb(0x300, 0xf0000), 0x1af40032, "micro at address 3");
    check_u32(t, verb(1, 0xf0004), 0x20004, "four widgets");
    check_u32(t, verb(2, 0xf0009) >> 20, 0, "an output");
    check_u32(t, verb(4, 0xf0009) >> 20, 1, "an input");
    check_u32(t, verb(5, 0xf0009) >> 20, 4, "a pin");
    check_u32(t, verb(3, 0xf0200), 2, "the output pin comes from the DAC");
    check_u32(t, verb(3, 0xf1c00), 0x01014010, "a green jack");
    check_u32(t, verb(0x63, 0xf0000), 0, "no such node: 0 (HDA 7.3)");
    verb(2, 0x3b010);           /* both sides of the output */
    verb(2, 0x39080);
    check_u32(t, verb(2, 0xba000), 0x10, "left gain");
    check_u32(t, verb(2, 0xb8000), 0x80, "right: mute");
    verb(1, 0x7ff00);
    check_u32(t, verb(2, 0xb8000), 0x4a, "reset of the function group");
}

TEST(hda, jacks)
{
    PCIDevice *pci;
    Device *codec, *micro;
    Error *err = NULL;

    if (!pc_start(t)) {
        return;
    }
    pci = PCI_DEVICE(pc_add(t, "intel-hda", "msi", "off"));
    codec = pc_add(t, "hda-duplex", "in-plugged", "off");
    micro = pc_add(t, "hda-micro", NULL, NULL);
    pc_map(pci, 0, BAR);
    wr(0x08, 0x101, 4);                 /* with unsolicited responses */
    wr(0x50, RIRB, 4);
    wr(0x58, 0x8000, 2);
    wr(0x5a, 8, 2);
    wr(0x20, 0xc0000000, 4);
    wr(0x5c, 3, 1);
    check_u32(t, verb(3, 0xf000c), 0x14, "output, detects presence");
    check_u32(t, verb(5, 0xf000c), 0x24, "input, too");
    check_u32(t, verb(0x103, 0xf000c), 0x10, "a speaker doesn't");
    check_u32(t, verb(3, 0xf0009) & 0x80, 0x80, "unsolicited responses");
    check_u32(t, verb(3, 0xf0900), 0x80000000, "something is in it");
    check_u32(t, verb(5, 0xf0900), 0, "nothing is");
    check_true(t, object_set_bool(codec, "out-plugged", false, &err), "pulled out");
    check_u16(t, rd(0x58, 2), 0, "nobody wants to know");
    verb(3, 0x70885);
    verb(5, 0x70886);
    check_true(t, object_set_bool(codec, "out-plugged", false, &err), "nothing new");
    check_u16(t, rd(0x58, 2), 0, "isn't told");
    check_true(t, object_set_bool(codec, "in-plugged", true, &err), "plugged in");
    check_u16(t, rd(0x58, 2), 1, "a response");
    check_u32(t, mem_rd(RIRB + 8), 6u << 26, "with the pin's tag");
    check_u32(t, mem_rd(RIRB + 12), 0x10, "unsolicited, from address 0");
    check_true(t, rd(0x5d, 1) & 1 && pci->irq_level, "interrupt");
    save_load(t, codec);
    check_u32(t, verb(5, 0xf0900), 0x80000000, "something is in it");
    check_u32(t, verb(3, 0xf0900), 0, "and nothing in the other");
    check_true(t, !object_set_bool(micro, "out-plugged", false, &err), "a speaker isn't pulled out");
    error_free(err);
}

TEST(hda, command_rings)
{
    PCIDevice *pci;

    if (!pc_start(t)) {
        return;
    }
    pci = start(t, "hda-output", NULL);
    wr(0x40, CORB, 4);
    wr(0x50, RIRB, 4);
    wr(0x58, 0x8000, 2);
    wr(0x5a, 2, 2);
    wr(0x20, 0xc0000000, 4);
    wr(0x4c, 2, 1);
    wr(0x5c, 3, 1);
    mem_wr(CORB + 4, 0x000f0000);
    mem_wr(CORB + 8, 0x000f0002);
    mem_wr(CORB + 12, 0x200f0000);      /* nobody is at address 2 */
    wr(0x48, 3, 2);
    check_u16(t, rd(0x4a, 2), 3, "all are read");
    check_u16(t, rd(0x58, 2), 2, "two are answered");
    check_u32(t, mem_rd(RIRB + 8), 0x1af40012, "vendor and device");
    check_u32(t, mem_rd(RIRB + 12), 0, "from address 0");
    check_u32(t, mem_rd(RIRB + 16), 0x00100101, "revision");
    check_u8(t, rd(0x5d, 1), 1, "RINTFL");
    check_true(t, pci->irq_level, "interrupt");
    save_load(t, &pci->dev);
    check_true(t, pci->irq_level, "that too");
    wr(0x5d, 1, 1);
    check_true(t, !pci->irq_level, "cleared by writing 1");
    wr(0x44, 0x80, 4);          /* no memory there */
    wr(0x4d, 1, 1);
    wr(0x4c, 3, 1);
    wr(0x48, 4, 2);
    check_u8(t, rd(0x4d, 1), 1, "CMEI: the ring can't be read (HDA 3.3.22)");
    check_u8(t, rd(0x4c, 1), 1, "and stands still");
}

static void describe(unsigned n, uint64_t addr, uint32_t len, bool ioc)
{
    mem_wr(BDL + 16 * n, (uint32_t)addr);
    mem_wr(BDL + 16 * n + 4, (uint32_t)(addr >> 32));
    mem_wr(BDL + 16 * n + 8, len);
    mem_wr(BDL + 16 * n + 12, ioc);
}

/* Stream 5 from the first output engine; 16 kHz, two channels. */
static void run(uint32_t cbl, unsigned last)
{
    wr(OUT0 + 0x00, 1, 1);
    wr(OUT0 + 0x00, 0, 1);
    wr(OUT0 + 0x08, cbl, 4);
    wr(OUT0 + 0x0c, last, 2);
    wr(OUT0 + 0x12, 0x0211, 2);
    wr(OUT0 + 0x18, BDL, 4);
    wr(OUT0 + 0x00, 5u << 20 | 0x1e, 4);
}

TEST(hda, plays)
{
    g_autofree char *path = NULL, *raw = NULL;
    PCIDevice *pci;
    QDict *d;
    gsize len = 0;
    unsigned turns = 0;

    if (!pc_start(t)) {
        return;
    }
    path = g_strdup_printf("%s/hda.wav", test_tmpdir(t));
    d = qdict_from_fmt("{'driver': 'wav', 'id': 'hdawav', 'path': %s, 'out': {'frequency': 16000}}", path);
    check_true(t, audiodev_add(d, NULL), "back end");
    qobject_unref(d);
    pci = start(t, "hda-output", "hdawav");
    for (uint32_t i = 0; i < 4000; i++) {       /* 500 Hz at 16 kHz */
        uint16_t v = i / 16 & 1 ? 0xe000 : 0x2000;

        mem_wr(BUF + 4 * i, v | (uint32_t)v << 16);
    }
    describe(0, BUF, 8000, false);
    describe(1, BUF + 8000, 8000, true);
    wr(0x20, 0x80000000 | BIT(4), 4);
    wr(0x74, 0, 4);
    wr(0x70, POS | 1, 4);
    verb(2, 0x20211);
    verb(2, 0x70650);
    run(16000, 1);
    check_true(t, rd(OUT0 + 3, 1) & 0x20, "FIFO ready");
    pc_ms(150);
    check_true(t, rd(OUT0 + 4, 4) > 4000, "LPIB goes on");
    check_u32(t, mem_rd(POS + 32), rd(OUT0 + 4, 4), "the position in memory, too");
    check_true(t, !pci->irq_level, "no interrupt before the second half");
    save_load(t, &pci->dev);
    pc_ms(150);
    check_true(t, rd(OUT0 + 3, 1) & 4, "buffer complete");
    check_true(t, pci->irq_level && rd(0x24, 4) == (0x80000000 | BIT(4)), "interrupt of stream 4");
    wr(OUT0 + 3, 0x1c, 1);
    check_true(t, !pci->irq_level, "cleared by writing 1");
    wr(OUT0, 0x1c, 1);
    check_u32(t, rd(OUT0, 4) >> 24 & 0x20, 0, "it stands");
    audio_close_all();
    check_true(t, g_file_get_contents(path, &raw, &len, NULL) && len > 44 + 4 * 4000, "about 300 ms");
    for (gsize i = 48; i + 4 <= len; i += 4) {
        turns += ((uint8_t)raw[i + 1] ^ (uint8_t)raw[i - 3]) >> 7;
    }
    check_true(t, abs((int)(turns * 16) - (int)(len - 44) / 4) < 200, "500 Hz");
}

TEST(hda, bad_descriptors)
{
    PCIDevice *pci;

    if (!pc_start(t)) {
        return;
    }
    pci = start(t, "hda-output", NULL);
    wr(0x20, 0x80000000 | BIT(4), 4);
    verb(2, 0x70650);
    for (unsigned i = 0; i < 256; i++) {
        describe(i, BUF, 0, false);
    }
    run(16000, 255);
    pc_ms(50);
    check_true(t, rd(OUT0 + 3, 1) & 0x10, "empty ones only: DESE");
    check_u8(t, rd(OUT0, 1) & 2, 0, "and it stands");
    check_true(t, pci->irq_level, "interrupt");
    run(16000, 1);
    wr(OUT0 + 0x1c, 0x80, 4);
    pc_ms(50);
    check_true(t, rd(OUT0 + 3, 1) & 0x10, "no memory there: DESE");
    describe(0, UINT64_C(0x8000000000), 0xffffffff, true);
    run(0xffffffff, 0);
    pc_ms(50);
    check_true(t, rd(OUT0, 1) & 2, "a buffer that isn't there plays as silence");
    wr(OUT0 + 8, 0, 4);
    pc_ms(50);
    check_true(t, rd(OUT0, 1) & 2, "CBL 0: nothing moves");
    wr(0x08, 0, 4);
    check_u32(t, rd(OUT0, 4), 0, "reset ends it");
}
