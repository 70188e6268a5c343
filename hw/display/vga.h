/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VGA core: registers, planes and painting, for the cards built on it.
 *
 *   vga.c        registers at the ports and the memory window
 *   vga-paint.c  from memory to the console's surface
 *   vga-text.c   what is written on screens of text
 *   vga-pci.c    the cards: PCI functions with Bochs' DISPI registers
 *   edid.c       what the display tells of itself
 *
 * Sources: IBM VGA (PS/2 Hardware Interface Technical Reference, "Video Subsystem"), Bochs' VBE
 * DISPI extension as its guests use it (Linux drivers/gpu/drm/tiny/bochs.c, the VGA BIOS).
 */
#ifndef HW_DISPLAY_VGA_H
#define HW_DISPLAY_VGA_H

#include "hw/core/device.h"
#include "memory/memory.h"
#include "ui/core/console.h"

/* Indices of DISPI registers. */
enum { DISPI_ID, DISPI_XRES, DISPI_YRES, DISPI_BPP, DISPI_ENABLE, DISPI_BANK, DISPI_VIRT_WIDTH,
       DISPI_VIRT_HEIGHT, DISPI_X_OFFSET, DISPI_Y_OFFSET, DISPI_VIDEO_MEMORY_64K, DISPI_NUM };
enum { DISPI_ENABLED = 1, DISPI_GETCAPS = 2, DISPI_8BIT_DAC = 0x20, DISPI_LFB = 0x40,
       DISPI_NOCLEAR = 0x80 };
#define DISPI_ID_MAX    0xb0c5
#define DISPI_MAX_XRES  16000
#define DISPI_MAX_YRES  12000
#define VGA_TEXT_COLS   132
#define VGA_TEXT_ROWS   100

typedef struct VgaState {
    MemRegion vram;             /* all of it, linear */
    uint8_t *ram;
    uint32_t ram_size;
    bool only_32;               /* no palette and no VGA behind DISPI: other depths show nothing */
    MemRegion window;           /* 128 KiB at A0000h */
    MemRegion ports_mono, ports, ports_color;       /* 3B4-3BA, 3C0-3CF, 3D4-3DA */
    MemRegion dispi_ports;      /* 1CE-1D0 */
    Console *con;

    /* Registers (PS/2 TR). */
    uint8_t misc, feature, status1;
    uint8_t seq_index, gfx_index, crtc_index, attr_index;
    bool attr_data;             /* the next write to 3C0 is data */
    uint8_t seq[8], gfx[16], crtc[256], attr[32];
    uint8_t dac_mask, dac_read, dac_write, dac_sub;
    bool dac_reading;
    uint8_t dac_latch[3];
    uint8_t palette[768];
    uint8_t latch[4];
    uint16_t dispi_index, dispi[DISPI_NUM];

    /* What was painted; not saved. */
    bool all_dirty;
    uint32_t painted_start, painted_stride, painted_mode;
    uint64_t cursor_epoch;
    uint32_t last_text[VGA_TEXT_COLS * VGA_TEXT_ROWS];
    uint32_t last_font;
    bool cursor_shown;
    uint32_t cursor_at;
    uint32_t colors[256];
} VgaState;

/* @owner's console; memory of @mib MiB (a power of two, 1 to 256). */
bool vga_init(VgaState *s, Device *owner, uint32_t mib, Error **errp);
/* Ports and window of the PC: in @io and @mem. */
void vga_map_legacy(VgaState *s, MemRegion *mem, MemRegion *io);
void vga_cleanup(VgaState *s);
void vga_reset(VgaState *s);
extern const VmState vga_vm;

/* @port: 3B0h to 3DFh. */
uint8_t vga_port_read(VgaState *s, uint16_t port);
void vga_port_write(VgaState *s, uint16_t port, uint8_t val);
uint16_t dispi_read(VgaState *s, unsigned index);
void dispi_write(VgaState *s, unsigned index, uint16_t val);

/* vga-paint.c: ConsoleOps' functions. */
void vga_update(void *opaque);
void vga_invalidate(void *opaque);

typedef enum VgaShows { VGA_SHOWS_NOTHING, VGA_SHOWS_TEXT, VGA_SHOWS_GRAPHICS, VGA_SHOWS_DISPI } VgaShows;
VgaShows vga_shows(const VgaState *s);
/* Lines of the display (PS/2 TR, "Vertical Display Enable End"). */
unsigned vga_lines(const VgaState *s);

/* vga-text.c: cells of a screen of text; ConsoleOps' text. */
typedef struct VgaTextLayout {
    int cols, rows, cell_w, cell_h;
    uint32_t start, stride;     /* in cells */
} VgaTextLayout;
VgaTextLayout vga_text_layout(const VgaState *s);
uint32_t *vga_text(void *opaque, int *columns, int *rows);

static inline bool dispi_on(const VgaState *s)
{
    return s->dispi[DISPI_ENABLE] & DISPI_ENABLED;
}
/* Bytes of a line in DISPI modes. */
static inline uint32_t dispi_stride(const VgaState *s)
{
    uint32_t bpp = s->dispi[DISPI_BPP];

    return bpp == 4 ? s->dispi[DISPI_VIRT_WIDTH] / 8u
                    : s->dispi[DISPI_VIRT_WIDTH] * ((bpp + 7) / 8);
}

#endif
