/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Byte order: loads and stores of unaligned values in a given order, and
 * conversions between the host's order and a given one.
 *
 *     load_le32(p)  store_be16(p, v)  load_be64(p)      fixed width
 *     load_le(p, size)  store_be(p, size, v)            1, 2, 4 or 8 bytes
 *     host_to_le32(v)  be16_to_host(v)                  values
 */
#ifndef UTIL_BSWAP_H
#define UTIL_BSWAP_H

#include "util/osdep.h"

#define HOST_BIG_ENDIAN (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

static inline uint8_t bswap8(uint8_t v) { return v; }
static inline uint16_t bswap16(uint16_t v) { return __builtin_bswap16(v); }
static inline uint32_t bswap32(uint32_t v) { return __builtin_bswap32(v); }
static inline uint64_t bswap64(uint64_t v) { return __builtin_bswap64(v); }

/* The low @size bytes of @v reversed; @size is 1, 2, 4 or 8. */
static inline uint64_t bswap_size(uint64_t v, unsigned size)
{
    return __builtin_bswap64(v) >> (64 - size * 8);
}

static inline uint8_t load_u8(const void *p) { return *(const uint8_t *)p; }
static inline void store_u8(void *p, uint8_t v) { *(uint8_t *)p = v; }

#define BSWAP_DEFINE_ORDER(order, bits, swap) \
    static inline uint##bits##_t host_to_##order##bits(uint##bits##_t v) \
    { \
        return (swap) ? bswap##bits(v) : v; \
    } \
    static inline uint##bits##_t order##bits##_to_host(uint##bits##_t v) \
    { \
        return (swap) ? bswap##bits(v) : v; \
    } \
    static inline uint##bits##_t load_##order##bits(const void *p) \
    { \
        uint##bits##_t v; \
        memcpy(&v, p, sizeof(v)); \
        return order##bits##_to_host(v); \
    } \
    static inline void store_##order##bits(void *p, uint##bits##_t v) \
    { \
        v = host_to_##order##bits(v); \
        memcpy(p, &v, sizeof(v)); \
    }
BSWAP_DEFINE_ORDER(le, 16, HOST_BIG_ENDIAN)
BSWAP_DEFINE_ORDER(le, 32, HOST_BIG_ENDIAN)
BSWAP_DEFINE_ORDER(le, 64, HOST_BIG_ENDIAN)
BSWAP_DEFINE_ORDER(be, 16, !HOST_BIG_ENDIAN)
BSWAP_DEFINE_ORDER(be, 32, !HOST_BIG_ENDIAN)
BSWAP_DEFINE_ORDER(be, 64, !HOST_BIG_ENDIAN)
#undef BSWAP_DEFINE_ORDER

/* Unaligned, in the host's order. */
#define BSWAP_DEFINE_HOST(bits) \
    static inline uint##bits##_t load_host##bits(const void *p) \
    { \
        uint##bits##_t v; \
        memcpy(&v, p, sizeof(v)); \
        return v; \
    } \
    static inline void store_host##bits(void *p, uint##bits##_t v) \
    { \
        memcpy(p, &v, sizeof(v)); \
    }
BSWAP_DEFINE_HOST(16)
BSWAP_DEFINE_HOST(32)
BSWAP_DEFINE_HOST(64)
#undef BSWAP_DEFINE_HOST

/* @size is 1, 2, 4 or 8. */
static inline uint64_t load_le(const void *p, unsigned size)
{
    switch (size) {
    case 1: return load_u8(p);
    case 2: return load_le16(p);
    case 4: return load_le32(p);
    default: return load_le64(p);
    }
}

static inline uint64_t load_be(const void *p, unsigned size)
{
    switch (size) {
    case 1: return load_u8(p);
    case 2: return load_be16(p);
    case 4: return load_be32(p);
    default: return load_be64(p);
    }
}

static inline void store_le(void *p, unsigned size, uint64_t v)
{
    switch (size) {
    case 1: store_u8(p, v); break;
    case 2: store_le16(p, v); break;
    case 4: store_le32(p, v); break;
    default: store_le64(p, v); break;
    }
}

static inline void store_be(void *p, unsigned size, uint64_t v)
{
    switch (size) {
    case 1: store_u8(p, v); break;
    case 2: store_be16(p, v); break;
    case 4: store_be32(p, v); break;
    default: store_be64(p, v); break;
    }
}

#endif
