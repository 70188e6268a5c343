/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A viewer for tests: speaks RFB, decodes every encoding into pixel values of the format it has
 * asked for, and counts. Blocking; every wait ends after RFB_TIMEOUT_S. It is written from
 * RFC 6143 and rfbproto.rst and shares no code with the server.
 */
#ifndef TESTS_LIB_RFB_CLIENT_H
#define TESTS_LIB_RFB_CLIENT_H

#include "util/osdep.h"

#define RFB_TIMEOUT_S   60

typedef struct RfbFormat {
    uint8_t bits, depth;
    bool big_endian, true_color;
    uint16_t max[3];            /* red, green, blue */
    uint8_t shift[3];
} RfbFormat;

extern const RfbFormat rfb_rgb888, rfb_rgb888_be, rfb_bgr888, rfb_rgb565, rfb_rgb565_be, rfb_rgb555,
    rfb_bgr233;

typedef struct RfbScreenInfo {
    uint32_t id, flags;
    uint16_t x, y, w, h;
} RfbScreenInfo;

typedef struct RfbClient {
    /* The stream: NULL @read means the socket @fd. */
    int fd;
    void *tls;                  /* gnutls_session_t */
    void *cert, *anon;          /* its credentials */
    bool websocket;
    const uint8_t *memory, *memory_end;     /* instead of a socket */
    uint8_t ws_left[8192];
    size_t ws_at, ws_n;

    RfbFormat format;
    int width, height;
    uint32_t *values;           /* width * height */
    char name[256];
    int wavelet_levels;         /* of ZYWRLE, by the quality that was asked for */
    void *inflate[8];           /* z_stream: Tight 0-3, Zlib, ZRLE, ZlibHex 2 */
    char error[256];            /* why something failed */

    /* What has come. */
    unsigned updates, rects, copies, resizes, bells, fences, end_of_cu;
    unsigned by_encoding[64];   /* of 0 to 63; TightPNG counts as 60 */
    /* Open H.264: not decoded here. */
    unsigned film_frames, film_resets;
    int film_x, film_y, film_w, film_h;
    void *film;                 /* GByteArray: the stream since the last reset; NULL: none */
    unsigned wavelets;          /* ZYWRLE's tiles of coefficients */
    unsigned tight_fill, tight_palette, tight_mono, tight_gradient, tight_full, tight_jpeg, tight_png;
    uint64_t bytes;             /* read in all */
    bool ext_keys, pointer_known, pointer_absolute, audio, xvp, ext_buttons;
    int leds;                   /* -1: never told */
    uint32_t fence_flags;
    uint8_t fence_payload[64];
    unsigned fence_len;
    bool auto_fence;            /* answer requests at once */
    int cursor_w, cursor_h, cursor_x, cursor_y;
    bool cursor_alpha;
    uint32_t cursor[128 * 128]; /* ARGB, or values with bit 31 for valid */
    int pointer_x, pointer_y;
    bool ext_size;
    unsigned size_reason, size_status, n_screens;
    RfbScreenInfo screens[8];
    char *cut_text;             /* the last, Latin-1 */
    uint32_t clip_flags;        /* of the last extended message */
    uint8_t *clip_data;         /* of the last "provide", inflated */
    size_t clip_len;
    uint32_t audio_bytes;
    bool audio_on;
    uint16_t map[256][3];       /* SetColourMapEntries */
} RfbClient;

/* What the handshake does. Any pointer may be NULL. */
typedef struct RfbLogin {
    const char *version;        /* default "003.008" */
    const char *password;       /* security type 2 */
    int vencrypt;               /* subtype; 0: no VeNCrypt */
    const char *username;       /* Plain subtypes, with @password; SASL PLAIN if @sasl */
    bool sasl;
    const char *tls_dir;        /* of ca-cert.pem, and client-cert.pem if @tls_cert */
    bool tls_cert;
    bool exclusive;
    bool websocket;             /* RFB in websocket frames */
    bool wss;                   /* TLS first */
} RfbLogin;

/* A connected socket; -1. "unix:PATH" or "PORT" of 127.0.0.1. */
int rfb_connect(const char *where);
/* Through the handshake; false with c->error set. @fd becomes the client's. */
bool rfb_open(RfbClient *c, int fd, const RfbLogin *login);
/* No socket: decode rectangles from memory onto a screen of that size. */
void rfb_open_memory(RfbClient *c, int width, int height, const RfbFormat *f);
void rfb_close(RfbClient *c);

bool rfb_send(RfbClient *c, const void *data, size_t len);
bool rfb_recv(RfbClient *c, void *data, size_t len);
bool rfb_set_format(RfbClient *c, const RfbFormat *f);
/* @n encodings. */
bool rfb_set_encodings(RfbClient *c, const int32_t *e, unsigned n);
bool rfb_request(RfbClient *c, bool incremental, int x, int y, int w, int h);
bool rfb_key(RfbClient *c, bool down, uint32_t keysym);
bool rfb_pointer(RfbClient *c, uint8_t buttons, int x, int y);
/* Handle one message of the server; its type, -1 on failure. */
int rfb_message(RfbClient *c);
/* Messages until an update has come; with @full a whole non-incremental one is asked for. */
bool rfb_update(RfbClient *c, bool full);
/* Whether something can be read within @ms. */
bool rfb_readable(RfbClient *c, int ms);

/* rfb-decode.c: one rectangle's content. */
bool rfb_decode(RfbClient *c, int32_t encoding, int x, int y, int w, int h);
bool rfb_fail(RfbClient *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A color of ours as the format counts it, rounded to nearest. */
uint32_t rfb_value(const RfbFormat *f, uint32_t rgb);
uint32_t rfb_value_rgb(const RfbFormat *f, uint32_t value);

#endif
