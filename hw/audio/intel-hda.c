/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel's High Definition Audio controller of the ICH family: four input and four output streams.
 *
 * Sources: HDA (see hda.h), chapters 3 and 4; Intel I/O Controller Hub 9 data sheet 316972, chapter 18 ("ICH9").
 * Not modelled: bidirectional streams, striping, unsolicited responses' queue beyond the ring, FIFO errors, power management.
 * A stream moves as long as a codec takes part in it.
 */
#include "util/osdep.h"
#include "hw/audio/hda.h"
#include "hw/audio/sound-state.h"
#include "hw/core/regs.h"
#include "hw/pci/pci.h"

#include "qom/property.h"
#include "util/bswap.h"
#include "util/timer.h"

#define TYPE_INTEL_HDA  "intel-hda-generic"
#define MEM_SIZE        0x4000
#define NUM_IN          4
#define NUM_STREAMS     8       /* the input streams come first */
#define SD_BASE         0x80
#define SD_SIZE         0x20
#define ALIAS           0x2000  /* HDA 3.3.x: WALCLK and LPIB once more, for mapping into processes */
#define RING_ENTRIES    256
#define WALL_MHZ        24

enum {
    GCAP, VMIN, VMAJ, OUTPAY, INPAY, GCTL, WAKEEN, STATESTS, GSTS, OUTSTRMPAY, INSTRMPAY, INTCTL, INTSTS, WALCLK,
    SSYNC, CORBLBASE, CORBUBASE, CORBWP, CORBRP, CORBCTL, CORBSTS, CORBSIZE, RIRBLBASE, RIRBUBASE, RIRBWP, RINTCNT,
    RIRBCTL, RIRBSTS, RIRBSIZE, ICOI, ICII, ICIS, DPLBASE, DPUBASE, NUM_REGS
};
enum { SD_CTL, SD_LPIB, SD_CBL, SD_LVI, SD_FIFOS, SD_FMT, SD_BDPL, SD_BDPU, NUM_SD_REGS };

enum { GCTL_CRST = BIT(0), GCTL_FCNTRL = BIT(1), GCTL_UNSOL = BIT(8) };
enum { CORBCTL_CMEIE = BIT(0), CORBCTL_RUN = BIT(1), CORBSTS_CMEI = BIT(0) };
enum { RIRBCTL_RINTCTL = BIT(0), RIRBCTL_DMAEN = BIT(1), RIRBCTL_OIC = BIT(2) };
enum { RIRBSTS_RINTFL = BIT(0), RIRBSTS_OIS = BIT(2) };
enum { ICIS_ICB = BIT(0), ICIS_IRV = BIT(1) };
enum { RP_RESET = BIT(15) };
#define INT_GIE         BIT(31)
#define INT_CIE         BIT(30)
#define INT_SIE         ((1u << NUM_STREAMS) - 1)
/* HDA 3.3.35, 3.3.36: control and status are one word. */
enum { SD_SRST = BIT(0), SD_RUN = BIT(1), SD_IOCE = BIT(2), SD_FEIE = BIT(3), SD_DEIE = BIT(4),
       SD_BCIS = BIT(26), SD_FIFOE = BIT(27), SD_DESE = BIT(28), SD_FIFORDY = BIT(29) };
#define SD_STRM(ctl)    ((ctl) >> 20 & 15)
#define SD_STATUS       (SD_BCIS | SD_FIFOE | SD_DESE)
#define BD_IOC          BIT(0)

typedef struct HdaState HdaState;

typedef struct HdaStream {
    HdaState *hda;
    uint32_t reg[NUM_SD_REGS];
    uint8_t bd;                 /* buffer descriptor that is in use */
    uint32_t bd_at;             /* bytes of it that have moved */
} HdaStream;

struct HdaState {
    PCIDevice pci;
    MemRegion mem;
    HdaBus *bus;
    OnOffAuto msi;
    uint32_t reg[NUM_REGS];
    HdaStream stream[NUM_STREAMS];
    uint32_t responses;         /* since the last interrupt for them */
    int64_t wall_base_ns;
    uint32_t signalled;         /* INTSTS as told by messages; not saved */
    bool in_corb;               /* a command leads back to the ring; not saved */
};
DEFINE_CAST(HDA, HdaState, TYPE_INTEL_HDA)

/* --- interrupts (HDA 3.3.14, 3.3.15) --- */

static uint32_t interrupt_status(const HdaState *s)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < NUM_STREAMS; i++) {
        uint32_t ctl = s->stream[i].reg[SD_CTL];

        if ((ctl & SD_BCIS && ctl & SD_IOCE) || (ctl & SD_FIFOE && ctl & SD_FEIE) ||
            (ctl & SD_DESE && ctl & SD_DEIE)) {
            v |= BIT(i);
        }
    }
    if ((s->reg[RIRBSTS] & RIRBSTS_RINTFL && s->reg[RIRBCTL] & RIRBCTL_RINTCTL) ||
        (s->reg[RIRBSTS] & RIRBSTS_OIS && s->reg[RIRBCTL] & RIRBCTL_OIC) ||
        (s->reg[CORBSTS] & CORBSTS_CMEI && s->reg[CORBCTL] & CORBCTL_CMEIE) ||
        (s->reg[STATESTS] & s->reg[WAKEEN])) {
        v |= INT_CIE;
    }
    return v & s->reg[INTCTL] ? v | INT_GIE : v;
}

static void update_irq(HdaState *s)
{
    uint32_t v = s->reg[INTCTL] & INT_GIE ? interrupt_status(s) & (s->reg[INTCTL] | INT_GIE) : 0;
    uint32_t fresh = v & ~s->signalled;

    s->signalled = v;
    if (!msi_enabled(&s->pci)) {
        pci_set_irq(&s->pci, v & INT_GIE);
        return;
    }
    pci_set_irq(&s->pci, 0);
    if (v & INT_GIE && fresh) {
        msi_notify(&s->pci, 0);
    }
}

static void written_irq(void *opaque)
{
    update_irq(opaque);
}

/* --- streams (HDA 3.6, 4.5) --- */

static bool is_output(const HdaState *s, const HdaStream *st)
{
    return st - s->stream >= NUM_IN;
}

static bool moves(const HdaState *s, const HdaStream *st)
{
    return st->reg[SD_CTL] & SD_RUN && !(s->reg[SSYNC] & BIT(st - s->stream));
}

static HdaStream *find_stream(HdaState *s, unsigned tag, bool output)
{
    for (unsigned i = 0; tag && i < NUM_STREAMS; i++) {
        HdaStream *st = &s->stream[i];

        if (is_output(s, st) == output && SD_STRM(st->reg[SD_CTL]) == tag && moves(s, st)) {
            return st;
        }
    }
    return NULL;
}

static void tell_codecs(HdaState *s)
{
    for (unsigned i = 0; i < HDA_MAX_CODECS; i++) {
        HdaCodec *c = hda_codec_find(s->bus, i);

        if (c && hda_codec_ops(c)->streams_changed) {
            hda_codec_ops(c)->streams_changed(c);
        }
    }
}

static void descriptor_error(HdaState *s, HdaStream *st)
{
    st->reg[SD_CTL] = (st->reg[SD_CTL] | SD_DESE) & ~(SD_RUN | SD_FIFORDY);
    update_irq(s);
    tell_codecs(s);
}

/* HDA 3.6.3: the present descriptor; false: there is none that could be used. */
static bool get_descriptor(HdaState *s, const HdaStream *st, uint64_t *addr, uint32_t *len, bool *ioc)
{
    hwaddr at = ((uint64_t)st->reg[SD_BDPU] << 32 | st->reg[SD_BDPL]) + 16 * (hwaddr)st->bd;
    uint8_t d[16];

    if (pci_dma_read(&s->pci, at, d, sizeof(d)) != MEM_OK) {
        return false;
    }
    *addr = load_le64(d);
    *len = load_le32(d + 8);
    *ioc = load_le32(d + 12) & BD_IOC;
    return true;
}

static void put_position(HdaState *s, const HdaStream *st)
{
    if (s->reg[DPLBASE] & 1) {          /* HDA 3.3.33 */
        pci_dma_st32(&s->pci, ((uint64_t)s->reg[DPUBASE] << 32 | (s->reg[DPLBASE] & ~0x7fu)) +
                              8 * (hwaddr)(st - s->stream), st->reg[SD_LPIB], NULL);
    }
}

static void next_descriptor(HdaState *s, HdaStream *st, bool ioc)
{
    st->bd_at = 0;
    st->bd = st->bd >= st->reg[SD_LVI] ? 0 : (uint8_t)(st->bd + 1);
    if (ioc) {
        st->reg[SD_CTL] |= SD_BCIS;
        update_irq(s);
    }
}

static uint32_t hda_transfer(HdaBus *bus, unsigned tag, bool output, uint8_t *buf, uint32_t len)
{
    HdaState *s = HDA(bus->bus.parent);
    HdaStream *st = find_stream(s, tag, output);
    unsigned empty = 0;
    uint32_t done = 0;

    while (done < len && st && moves(s, st) && st->reg[SD_CBL]) {
        uint32_t n, size, cbl = st->reg[SD_CBL];
        uint64_t addr;
        MemResult r;
        bool ioc;

        if (!get_descriptor(s, st, &addr, &size, &ioc)) {
            descriptor_error(s, st);
            break;
        }
        if (st->bd_at >= size) {        /* empty, or it has shrunk */
            if (++empty > RING_ENTRIES) {
                descriptor_error(s, st);
                break;
            }
            next_descriptor(s, st, ioc);
            continue;
        }
        st->reg[SD_LPIB] = st->reg[SD_LPIB] < cbl ? st->reg[SD_LPIB] : 0;
        n = MIN(MIN(len - done, size - st->bd_at), cbl - st->reg[SD_LPIB]);
        addr += st->bd_at;
        st->bd_at += n;
        st->reg[SD_LPIB] = st->reg[SD_LPIB] + n == cbl ? 0 : st->reg[SD_LPIB] + n;
        r = output ? pci_dma_read(&s->pci, addr, buf + done, n) : pci_dma_write(&s->pci, addr, buf + done, n);
        if (r != MEM_OK && output) {
            memset(buf + done, 0, n);
        }
        done += n;
        empty = 0;
        put_position(s, st);
        if (st->bd_at >= size) {
            next_descriptor(s, st, ioc);
        }
    }
    return done;
}

static bool hda_running(HdaBus *bus, unsigned tag, bool output)
{
    return find_stream(HDA(bus->bus.parent), tag, output) != NULL;
}


static void stream_reset(HdaStream *st);

static void sd_ctl_write(void *opaque, uint32_t val, uint32_t old)
{
    HdaStream *st = opaque;
    HdaState *s = st->hda;
    uint32_t *ctl = &st->reg[SD_CTL];

    if (val & SD_SRST) {                /* HDA 3.3.35: all but this bit goes to its reset value */
        stream_reset(st);
        *ctl = SD_SRST;
    }
    *ctl = *ctl & SD_RUN ? *ctl | SD_FIFORDY : *ctl & ~SD_FIFORDY;
    update_irq(s);
    if ((*ctl ^ old) & (SD_RUN | 0xf00000)) {
        tell_codecs(s);
    }
}

static void ssync_written(void *opaque)
{
    tell_codecs(opaque);
}

/* --- commands (HDA 4.4) --- */

/* False: nobody answers. */
static bool send_command(HdaState *s, uint32_t command, uint32_t *response)
{
    HdaCodec *c = hda_codec_find(s->bus, command >> 28);

    if (c) {
        *response = hda_codec_ops(c)->command(c, command & 0x0fffffff);
    }
    return c;
}

static void put_response(HdaState *s, uint32_t response, uint32_t extended)
{
    hwaddr base = (uint64_t)s->reg[RIRBUBASE] << 32 | s->reg[RIRBLBASE];
    uint32_t every = s->reg[RINTCNT] & 0xff;
    uint8_t b[8];

    if (!(s->reg[RIRBCTL] & RIRBCTL_DMAEN)) {
        return;
    }
    s->reg[RIRBWP] = (s->reg[RIRBWP] + 1) % RING_ENTRIES;
    store_le32(b, response);
    store_le32(b + 4, extended);
    pci_dma_write(&s->pci, base + 8 * (hwaddr)s->reg[RIRBWP], b, sizeof(b));
    if (++s->responses >= (every ? every : RING_ENTRIES)) {
        s->responses = 0;
        s->reg[RIRBSTS] |= RIRBSTS_RINTFL;
    }
}

/* HDA 3.8: bit 4 of the second word says what it is. */
static void hda_unsolicited(HdaBus *bus, unsigned cad, uint32_t response)
{
    HdaState *s = HDA(bus->bus.parent);

    if (s->reg[GCTL] & GCTL_UNSOL && s->reg[GCTL] & GCTL_CRST && s->reg[RIRBCTL] & RIRBCTL_DMAEN) {
        put_response(s, response, cad | BIT(4));
        s->responses = 0;
        s->reg[RIRBSTS] |= RIRBSTS_RINTFL;
        update_irq(s);
    }
}

static const HdaControllerOps controller_ops = {
    .transfer = hda_transfer, .running = hda_running, .unsolicited = hda_unsolicited,
};

static void run_corb(void *opaque)
{
    HdaState *s = opaque;
    hwaddr base = (uint64_t)s->reg[CORBUBASE] << 32 | s->reg[CORBLBASE];

    if (s->in_corb) {
        return;
    }
    s->in_corb = true;
    for (unsigned n = 0; n < RING_ENTRIES && s->reg[CORBCTL] & CORBCTL_RUN && !(s->reg[CORBRP] & RP_RESET) &&
                         s->reg[CORBRP] != s->reg[CORBWP]; n++) {
        MemResult r = MEM_OK;
        uint32_t command, response;

        s->reg[CORBRP] = (s->reg[CORBRP] + 1) % RING_ENTRIES;
        command = pci_dma_ld32(&s->pci, base + 4 * (hwaddr)s->reg[CORBRP], &r);
        if (r != MEM_OK) {              /* HDA 3.3.22 */
            s->reg[CORBSTS] |= CORBSTS_CMEI;
            s->reg[CORBCTL] &= ~CORBCTL_RUN;
            break;
        }
        if (send_command(s, command, &response)) {
            put_response(s, response, command >> 28);
        }
    }
    if (s->responses) {                 /* HDA 3.3.30: no more of them will come now */
        s->responses = 0;
        s->reg[RIRBSTS] |= RIRBSTS_RINTFL;
    }
    s->in_corb = false;
    update_irq(s);
}

static void corbrp_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    HdaState *s = opaque;

    if (val & RP_RESET) {               /* it is seen as set until software clears it */
        s->reg[CORBRP] = RP_RESET;
    }
}

static void rirbwp_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    HdaState *s = opaque;

    if (val & RP_RESET) {
        s->reg[RIRBWP] = 0;
        s->responses = 0;
    }
}

static void icis_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    HdaState *s = opaque;

    if (val & ICIS_ICB) {               /* HDA 3.4.3: it has come before software could look */
        s->reg[ICIS] &= ~ICIS_ICB;
        if (send_command(s, s->reg[ICOI], &s->reg[ICII])) {
            s->reg[ICIS] |= ICIS_IRV;
        }
    }
}

/* --- global registers --- */

static uint32_t intsts_read(void *opaque)
{
    return interrupt_status(opaque);
}

static uint32_t walclk_read(void *opaque)
{
    const HdaState *s = opaque;

    return (uint32_t)((uint64_t)(clock_get_ns(CLOCK_VIRTUAL) - s->wall_base_ns) / 125 * (WALL_MHZ / 8));
}

static void gctl_write(void *opaque, uint32_t val, uint32_t old);

static const RegDef hda_regs[NUM_REGS] = {
    /* HDA 3.3.2: 4 output and 4 input streams, 64-bit addresses. */
    [GCAP]      = { 0x00, "GCAP", .width = 2, .reset = 0x4401 },
    [VMIN]      = { 0x02, "VMIN", .width = 1 },
    [VMAJ]      = { 0x03, "VMAJ", .width = 1, .reset = 1 },
    [OUTPAY]    = { 0x04, "OUTPAY", .width = 2, .reset = 0x3c },
    [INPAY]     = { 0x06, "INPAY", .width = 2, .reset = 0x1d },
    [GCTL]      = { 0x08, "GCTL", .rw = GCTL_CRST | GCTL_UNSOL, .write = gctl_write,
                    .flags = FLAGS({ "CRST", GCTL_CRST }, { "FCNTRL", GCTL_FCNTRL }, { "UNSOL", GCTL_UNSOL }) },
    [WAKEEN]    = { 0x0c, "WAKEEN", .width = 2, .rw = 0x7fff, .written = written_irq },
    [STATESTS]  = { 0x0e, "STATESTS", .width = 2, .w1c = 0x7fff, .written = written_irq },
    [GSTS]      = { 0x10, "GSTS", .width = 2, .w1c = BIT(1) },
    [OUTSTRMPAY] = { 0x18, "OUTSTRMPAY", .width = 2, .reset = 0x30 },
    [INSTRMPAY] = { 0x1a, "INSTRMPAY", .width = 2, .reset = 0x18 },
    [INTCTL]    = { 0x20, "INTCTL", .rw = INT_GIE | INT_CIE | INT_SIE, .written = written_irq,
                    .flags = FLAGS({ "GIE", INT_GIE }, { "CIE", INT_CIE }) },
    [INTSTS]    = { 0x24, "INTSTS", .read = intsts_read },
    [WALCLK]    = { 0x30, "WALCLK", .read = walclk_read },
    [SSYNC]     = { 0x34, "SSYNC", .rw = INT_SIE, .written = ssync_written },       /* ICH9 18.2.17 */
    [CORBLBASE] = { 0x40, "CORBLBASE", .rw = ~0x7fu },
    [CORBUBASE] = { 0x44, "CORBUBASE", .rw = UINT32_MAX },
    [CORBWP]    = { 0x48, "CORBWP", .width = 2, .rw = 0xff, .written = run_corb },
    [CORBRP]    = { 0x4a, "CORBRP", .width = 2, .rw = RP_RESET, .hw = 0xff, .write = corbrp_write },
    [CORBCTL]   = { 0x4c, "CORBCTL", .width = 1, .rw = CORBCTL_CMEIE | CORBCTL_RUN, .written = run_corb,
                    .flags = FLAGS({ "CMEIE", CORBCTL_CMEIE }, { "CORBRUN", CORBCTL_RUN }) },
    [CORBSTS]   = { 0x4d, "CORBSTS", .width = 1, .w1c = CORBSTS_CMEI, .written = written_irq },
    [CORBSIZE]  = { 0x4e, "CORBSIZE", .width = 1, .reset = 0x42 },
    [RIRBLBASE] = { 0x50, "RIRBLBASE", .rw = ~0x7fu },
    [RIRBUBASE] = { 0x54, "RIRBUBASE", .rw = UINT32_MAX },
    [RIRBWP]    = { 0x58, "RIRBWP", .width = 2, .hw = 0xff, .write = rirbwp_write },
    [RINTCNT]   = { 0x5a, "RINTCNT", .width = 2, .rw = 0xff },
    [RIRBCTL]   = { 0x5c, "RIRBCTL", .width = 1, .rw = RIRBCTL_RINTCTL | RIRBCTL_DMAEN | RIRBCTL_OIC,
                    .written = written_irq,
                    .flags = FLAGS({ "RINTCTL", RIRBCTL_RINTCTL }, { "RIRBDMAEN", RIRBCTL_DMAEN },
                                   { "RIRBOIC", RIRBCTL_OIC }) },
    [RIRBSTS]   = { 0x5d, "RIRBSTS", .width = 1, .w1c = RIRBSTS_RINTFL | RIRBSTS_OIS, .written = written_irq,
                    .flags = FLAGS({ "RINTFL", RIRBSTS_RINTFL }, { "RIRBOIS", RIRBSTS_OIS }) },
    [RIRBSIZE]  = { 0x5e, "RIRBSIZE", .width = 1, .reset = 0x42 },
    [ICOI]      = { 0x60, "ICOI", .rw = UINT32_MAX },
    [ICII]      = { 0x64, "ICII", .hw = UINT32_MAX },
    [ICIS]      = { 0x68, "ICIS", .width = 2, .rw = ICIS_ICB, .w1c = ICIS_IRV, .write = icis_write },
    [DPLBASE]   = { 0x70, "DPLBASE", .rw = ~0x7eu },
    [DPUBASE]   = { 0x74, "DPUBASE", .rw = UINT32_MAX },
};

static const RegDef sd_regs[NUM_SD_REGS] = {
    [SD_CTL]    = { 0x00, "CTL", .rw = 0x00ff001f, .w1c = SD_STATUS, .hw = SD_FIFORDY, .write = sd_ctl_write,
                    .flags = FLAGS({ "SRST", SD_SRST }, { "RUN", SD_RUN }, { "IOCE", SD_IOCE }, { "FEIE", SD_FEIE },
                                   { "DEIE", SD_DEIE }, { "STRM", 0xf00000 }, { "BCIS", SD_BCIS },
                                   { "FIFOE", SD_FIFOE }, { "DESE", SD_DESE }, { "FIFORDY", SD_FIFORDY }) },
    [SD_LPIB]   = { 0x04, "LPIB", .hw = UINT32_MAX },
    [SD_CBL]    = { 0x08, "CBL", .rw = UINT32_MAX },
    [SD_LVI]    = { 0x0c, "LVI", .width = 2, .rw = 0xff },
    [SD_FIFOS]  = { 0x10, "FIFOS", .width = 2, .reset = 0xff },
    [SD_FMT]    = { 0x12, "FMT", .width = 2, .rw = 0x7f7f },
    [SD_BDPL]   = { 0x18, "BDPL", .rw = ~0x7fu },
    [SD_BDPU]   = { 0x1c, "BDPU", .rw = UINT32_MAX },
};

static void stream_reset(HdaStream *st)
{
    regs_reset(st->reg, sd_regs, NUM_SD_REGS);
    st->bd = 0;
    st->bd_at = 0;
}

/* What GCTL.CRST resets (HDA 4.2.2); what says who woke it stays. */
static void controller_reset(HdaState *s)
{
    uint32_t wakeen = s->reg[WAKEEN], statests = s->reg[STATESTS];

    regs_reset(s->reg, hda_regs, NUM_REGS);
    s->reg[WAKEEN] = wakeen;
    s->reg[STATESTS] = statests;
    for (unsigned i = 0; i < NUM_STREAMS; i++) {
        stream_reset(&s->stream[i]);
    }
    s->responses = 0;
    s->wall_base_ns = clock_get_ns(CLOCK_VIRTUAL);
    for (unsigned i = 0; i < HDA_MAX_CODECS; i++) {
        HdaCodec *c = hda_codec_find(s->bus, i);

        if (c) {
            hda_codec_ops(c)->link_reset(c);
        }
    }
    update_irq(s);
}

static void gctl_write(void *opaque, UNUSED uint32_t val, uint32_t old)
{
    HdaState *s = opaque;

    if (old & ~s->reg[GCTL] & GCTL_CRST) {
        controller_reset(s);
    } else if (~old & s->reg[GCTL] & GCTL_CRST) {
        s->wall_base_ns = clock_get_ns(CLOCK_VIRTUAL);
        for (unsigned i = 0; i < HDA_MAX_CODECS; i++) {         /* HDA 4.3: codecs ask for an address */
            s->reg[STATESTS] |= hda_codec_find(s->bus, i) ? BIT(i) : 0;
        }
        update_irq(s);
    }
}

static MemResult mem_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size, UNUSED MemAttrs attrs)
{
    HdaState *s = opaque;

    addr -= addr >= ALIAS ? ALIAS : 0;
    *val = 0;
    if (addr + size <= regs_span(hda_regs, NUM_REGS)) {
        *val = regs_read(hda_regs, NUM_REGS, s->reg, s, (uint32_t)addr, size);
    } else if (addr >= SD_BASE && addr + size <= SD_BASE + NUM_STREAMS * SD_SIZE) {
        HdaStream *st = &s->stream[(addr - SD_BASE) / SD_SIZE];

        *val = regs_read(sd_regs, NUM_SD_REGS, st->reg, st, (addr - SD_BASE) % SD_SIZE, size);
    }
    return MEM_OK;
}

static MemResult mem_write(void *opaque, hwaddr addr, uint64_t val, unsigned size, UNUSED MemAttrs attrs)
{
    HdaState *s = opaque;

    /* HDA 3.3.7: in reset nothing else is heard. */
    if (!(s->reg[GCTL] & GCTL_CRST) && !(addr >= 0x08 && addr < 0x10)) {
        return MEM_OK;
    }
    if (addr + size <= regs_span(hda_regs, NUM_REGS)) {
        regs_write(hda_regs, NUM_REGS, s->reg, s, (uint32_t)addr, (uint32_t)val, size);
    } else if (addr >= SD_BASE && addr + size <= SD_BASE + NUM_STREAMS * SD_SIZE) {
        HdaStream *st = &s->stream[(addr - SD_BASE) / SD_SIZE];

        regs_write(sd_regs, NUM_SD_REGS, st->reg, st, (addr - SD_BASE) % SD_SIZE, (uint32_t)val, size);
    }
    return MEM_OK;
}

static const MemOps mem_ops = {
    .read = mem_read, .write = mem_write, .order = MEM_LE, .valid = { 1, 4 }, .impl = { .min = 1, .max = 4 },
};

/* --- life --- */

static void hda_reset_hold(Device *dev)
{
    HdaState *s = HDA(dev);

    s->reg[WAKEEN] = s->reg[STATESTS] = 0;
    s->signalled = 0;
    controller_reset(s);
    tell_codecs(s);
}

static bool hda_realize(Device *dev, Error **errp)
{
    HdaState *s = HDA(dev);

    s->pci.config[0x40] = 1;            /* HDCTL: the link is High Definition Audio's (ICH9 18.1.19) */
    if (s->msi != ON_OFF_AUTO_OFF && !msi_init(&s->pci, 0x60, 1, true, false, errp)) {
        return false;
    }
    for (unsigned i = 0; i < NUM_STREAMS; i++) {
        s->stream[i].hda = s;
    }
    s->bus = hda_bus_new(dev, &controller_ops);
    memory_region_init_io(&s->mem, s, &mem_ops, s, "intel-hda", MEM_SIZE);
    pci_register_bar(&s->pci, 0, PCI_BAR_MEM64, &s->mem);
    return true;
}

static void hda_unrealize(Device *dev)
{
    memory_region_cleanup(&HDA(dev)->mem);
}

static bool hda_post_load(void *opaque, Error **errp)
{
    HdaState *s = opaque;

    for (unsigned i = 0; i < NUM_STREAMS; i++) {
        if (!regs_valid(s->stream[i].reg, sd_regs, NUM_SD_REGS, errp)) {
            return false;
        }
    }
    if (!regs_valid(s->reg, hda_regs, NUM_REGS, errp)) {
        return false;
    }
    s->signalled = 0;
    s->in_corb = false;
    update_irq(s);
    tell_codecs(s);
    return true;
}

static const VmField stream_fields[] = {
    VM_REGS(HdaStream, reg, sd_regs), VM_U8(HdaStream, bd), VM_U32(HdaStream, bd_at), VM_END
};
static const VmMeaning stream_meanings[] = {
    { "bd", "buffer descriptor in use" }, { "bd_at", "bytes of it that have moved" }, { .name = NULL }
};
static const VmState stream_vm = { 1, stream_fields, .name = "stream", .meanings = stream_meanings };

static const VmField hda_fields[] = {
    VM_PCI(HdaState, pci), VM_REGS(HdaState, reg, hda_regs), VM_STRUCT_ARRAY(HdaState, stream, stream_vm),
    VM_U32_RANGE(HdaState, responses, 0, RING_ENTRIES - 1), VM_I64(HdaState, wall_base_ns), VM_END
};
static const VmMeaning hda_meanings[] = {
    { "stream", "four input streams, four output streams" }, { "responses", "responses since the last interrupt" },
    { "wall_base_ns", "when the wall clock was 0" }, { .name = NULL }
};

static const Property hda_props[] = {
    PROP_ON_OFF_AUTO("msi", HdaState, msi, ON_OFF_AUTO_AUTO, "MSI"), PROP_END
};

static const DeviceType hda_type = {
    .name = TYPE_INTEL_HDA, .parent = TYPE_PCI_DEVICE, .size = sizeof(HdaState), .abstract = true,
    .category = DEVICE_SOUND,
    .pci = { .vendor = 0x8086, .class_code = 0x040300, .pin = PCI_PIN_A },
    .props = hda_props, .realize = hda_realize, .unrealize = hda_unrealize, .reset_hold = hda_reset_hold,
    .vm = { 1, hda_fields, .post_load = hda_post_load, .meanings = hda_meanings }, .printers = hda_printers,
};
DEVICE_TYPE(hda_type)

static const DeviceType intel_hda = {
    .name = "intel-hda", .parent = TYPE_INTEL_HDA, .desc = "Intel HD Audio controller (ICH6)",
    .pci = { .device = 0x2668, .revision = 1 },
};
DEVICE_TYPE(intel_hda)

static const DeviceType ich9_intel_hda = {
    .name = "ich9-intel-hda", .parent = TYPE_INTEL_HDA, .desc = "Intel HD Audio controller (ICH9)",
    .pci = { .device = 0x293e, .revision = 3 },
};
DEVICE_TYPE(ich9_intel_hda)

static const DeviceType ich7_intel_hda = {
    .name = "ich7-intel-hda", .parent = TYPE_INTEL_HDA, .desc = "Intel HD Audio controller (ICH7)",
    .pci = { .device = 0x27d8, .revision = 2 },
};
DEVICE_TYPE(ich7_intel_hda)
