/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sound devices and the engine, into wav files: rates, volumes, interrupts, the speaker. */
#include "util/osdep.h"
#include "tests/hw/usb/usb-pc.h"
#include "audio/audio.h"
#include "qobject/json.h"

#define NAM     0xd000
#define NABM    0xd100
#define BDL     0x110000u
#define BUF     0x120000u

static char *wav_path(Test *t, const char *id, const char *extra)
{
    char *path = g_strdup_printf("%s/%s.wav", test_tmpdir(t), id);
    QDict *d = qdict_from_fmt("{'driver': 'wav', 'id': %s, 'path': %s, 'out': {'frequency': 8000}}",
                              id, path);
    Error *err = NULL;

    if (extra) {
        qdict_put_str(d, "out.format", extra);
    }
    check_true(t, audiodev_add(d, &err), err ? error_message(err) : "audiodev");
    error_free(err);
    qobject_unref(d);
    return path;
}

/* Samples of a mono or stereo file of 16 bits. */
static int16_t *samples(Test *t, const char *path, size_t *n)
{
    gchar *raw = NULL;
    gsize len = 0;
    int16_t *out;

    check_true(t, g_file_get_contents(path, &raw, &len, NULL) && len >= 44, "the file");
    check_mem(t, raw, "RIFF", 4, "its head");
    *n = (len - 44) / 2;
    out = g_new0(int16_t, *n + 1);
    for (size_t i = 0; i < *n; i++) {
        out[i] = (int16_t)load_le16((uint8_t *)raw + 44 + 2 * i);
    }
    g_free(raw);
    return out;
}

static int count_zero_crossings(const int16_t *s, size_t n)
{
    int count = 0;

    for (size_t i = 2; i < n; i += 2) {
        count += (s[i] < 0) != (s[i - 2] < 0);
    }
    return count;
}

TEST(ac97, plays_its_list)
{
    g_autofree char *path = NULL;
    g_autofree int16_t *s = NULL;
    PCIDevice *pci;
    size_t n;

    if (!pc_start(t)) {
        return;
    }
    path = wav_path(t, "w1", NULL);
    pci = PCI_DEVICE(pc_add(t, "AC97", "audiodev", "w1"));
    pc_map(pci, 0, NAM | 1);
    pc_map(pci, 1, NABM | 1);
    check_u32(t, port_rd(NABM + 0x30, 4) & 0x100, 0x100, "primary codec ready");
    check_u16(t, port_rd(NAM + 0x7c, 2), 0x8384, "codec vendor");
    check_u16(t, port_rd(NAM + 2, 2), 0x8000, "master volume: mute (AC97 5.7.2)");
    port_wr(NAM + 0x2c, 16000, 2);
    check_u16(t, port_rd(NAM + 0x2c, 2), 48000, "the rate is fixed without VRA");
    port_wr(NAM + 0x2a, 1, 2);
    port_wr(NAM + 0x2c, 16000, 2);
    check_u16(t, port_rd(NAM + 0x2c, 2), 16000, "and may vary with it");
    port_wr(NAM + 2, 0, 2);
    port_wr(NAM + 0x18, 0x0808, 2);
    /* Four buffers of 1000 frames at 16 kHz: a square wave of 500 Hz, 250 ms in all. */
    for (uint32_t b = 0; b < 4; b++) {
        mem_wr(BDL + 8 * b, BUF + 4000 * b);
        mem_wr(BDL + 8 * b + 4, 2000 | (b == 1 ? BIT(31) : 0));
    }
    for (uint32_t i = 0; i < 4000; i++) {
        uint16_t v = i / 16 & 1 ? 0xe000 : 0x2000;

        mem_wr(BUF + 4 * i, v | (uint32_t)v << 16);
    }
    port_wr(NABM + 0x10, BDL, 4);
    port_wr(NABM + 0x15, 3, 1);
    port_wr(NABM + 0x1b, 0x1d, 1);      /* run, all interrupts */
    check_u8(t, port_rd(NABM + 0x16, 1) & 1, 0, "it isn't halted");
    pc_ms(150);
    check_true(t, port_rd(NABM + 0x14, 1) >= 2, "the index goes on");
    check_u8(t, port_rd(NABM + 0x16, 1) & 0x0c, 8, "buffer complete");
    check_true(t, pci->irq_level, "interrupt");
    check_u32(t, port_rd(NABM + 0x30, 4) & 0x40, 0x40, "by PCM out");
    port_wr(NABM + 0x16, 0x1c, 2);
    check_true(t, !pci->irq_level, "cleared by writing 1");
    save_load(t, &pci->dev);
    pc_ms(200);
    check_u8(t, port_rd(NABM + 0x16, 1) & 7, 7, "last valid buffer: halted");
    check_u16(t, port_rd(NABM + 0x18, 2), 0, "nothing left");
    port_wr(NABM + 0x1b, 2, 1);
    check_u8(t, port_rd(NABM + 0x16, 1), 1, "reset of the channel");
    audio_close_all();
    s = samples(t, path, &n);
    check_int(t, n / 2 / 100 * 100, 2000, "a quarter of a second at 8 kHz");
    check_true(t, abs(count_zero_crossings(s, n) - 250) < 8, "500 Hz");
    check_true(t, abs(s[100]) > 7000 && abs(s[100]) < 8500, "at full volume");
}

TEST(es1370, plays_and_interrupts)
{
    PCIDevice *pci;

    if (!pc_start(t)) {
        return;
    }
    pci = PCI_DEVICE(pc_add(t, "ES1370", NULL, NULL));
    pc_map(pci, 0, NAM | 1);
    port_wr(NAM + 0x0c, 0xc, 4);
    port_wr(NAM + 0x38, BUF, 4);
    port_wr(NAM + 0x3c, 1023, 4);       /* 4 KiB */
    port_wr(NAM + 0x28, 511, 4);        /* a period: 512 frames, half the buffer */
    port_wr(NAM + 0x20, 0x0000020c, 4); /* DAC2: 16 bits stereo, interrupt */
    port_wr(NAM, 30u << 16 | BIT(5), 4);        /* 1411200 / 32 = 44100 Hz */
    pc_ms(60);
    check_u32(t, port_rd(NAM + 4, 4) & 0x80000002, 0x80000002, "DAC2 interrupt");
    check_true(t, pci->irq_level, "on the line");
    save_load(t, &pci->dev);
    port_wr(NAM + 0x20, 0x0000000c, 4);
    check_true(t, !pci->irq_level, "disabling it clears it");
    port_wr(NAM + 0x20, 0x0000200c | BIT(14) | BIT(9), 4);
    pc_ms(60);
    check_u32(t, port_rd(NAM, 4) & BIT(5), 0, "stop mode: it stops after the period");
}

TEST(audiodev, options)
{
    static const struct { const char *json, *what; } bad[] = {
        { "{'driver': 'wav'}", "id is needed" },
        { "{'driver': 'nosuch', 'id': 'x'}", "an unknown driver" },
        { "{'driver': 'none', 'id': 'x', 'out': {'frequency': 1}}", "a frequency too low" },
        { "{'driver': 'none', 'id': 'x', 'out': {'format': 's17'}}", "an unknown format" },
        { "{'driver': 'none', 'id': 'x', 'out': {'frequencies': 44100}}", "an unknown member" },
        { "{'driver': 'none', 'id': 'x', 'path': 'y'}", "another driver's member" },
        { "{'driver': 'none', 'id': 'x', 'timer-period': 'soon'}", "no number" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autofree char *json = g_strdelimit(g_strdup(bad[i].json), "'", '"');
        QDict *d = json_parse_dict(json, NULL);
        Error *err = NULL;

        check_true(t, d && !audiodev_add(d, &err) && err, bad[i].what);
        error_free(err);
        qobject_unref(d);
    }
}
