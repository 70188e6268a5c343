/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "config.h"
#ifdef CONFIG_NETTLE
#include <nettle/des.h>
#endif
#include "crypto/des.h"

bool des_ecb_encrypt(const uint8_t key[8], const uint8_t *in, uint8_t *out, size_t len)
{
#ifdef CONFIG_NETTLE
    struct des_ctx ctx;

    /* Says false for weak keys, which work all the same. */
    (void)!des_set_key(&ctx, key);
    des_encrypt(&ctx, len, out, in);
    explicit_bzero(&ctx, sizeof(ctx));
    return true;
#else
    (void)key, (void)in, (void)out, (void)len;
    return false;
#endif
}
