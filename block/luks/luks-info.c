/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LUKS: the header's facts for query-block. */
#include "util/osdep.h"
#include <glib.h>
#include "block/luks/luks.h"
#include "qapi/types-block.h"

/* "xts-plain64", "cbc-essiv:sha256". Names that the volume could be opened with are known ones. */
static void put_mode(QCryptoBlockInfoLUKS *i, const LuksHeader *h)
{
    char **parts = g_strsplit_set(h->mode, "-:", 3);
    unsigned n = g_strv_length(parts);
    bool xts = n && !strcmp(parts[0], "xts");
    int v;

    i->cipher_alg = h->key_bytes == (xts ? 32 : 16) ? Q_CRYPTO_CIPHER_ALGORITHM_AES_128 : Q_CRYPTO_CIPHER_ALGORITHM_AES_256;
    i->cipher_mode = xts ? Q_CRYPTO_CIPHER_MODE_XTS : Q_CRYPTO_CIPHER_MODE_CBC;
    i->ivgen_alg = n < 2 || !strcmp(parts[1], "plain") ? Q_CRYPTO_IV_GEN_ALGORITHM_PLAIN
                   : !strcmp(parts[1], "essiv") ? Q_CRYPTO_IV_GEN_ALGORITHM_ESSIV : Q_CRYPTO_IV_GEN_ALGORITHM_PLAIN64;
    v = n == 3 ? qapi_enum_parse(&qapi_type_QCryptoHashAlgorithm, parts[2], "hash", NULL) : -1;
    if (v >= 0) {
        QAPI_SET(i, ivgen_hash_alg, (QCryptoHashAlgorithm)v);
    }
    g_strfreev(parts);
}

void luks_put_info(QCryptoBlockInfoLUKS *i, const LuksHeader *h)
{
    int hash = qapi_enum_parse(&qapi_type_QCryptoHashAlgorithm, h->hash, "hash", NULL);

    put_mode(i, h);
    i->hash_alg = MAX(hash, 0);             /* luks_read_header() knows no others */
    i->payload_offset = h->payload * INT64_C(512);
    i->master_key_iters = h->digest_iterations;
    i->uuid = strdup(h->uuid);
    i->slots = qapi_new(QCryptoBlockInfoLUKSSlotList);
    for (unsigned k = 0; k < LUKS_SLOTS; k++) {
        QCryptoBlockInfoLUKSSlot *slot = qapi_new(QCryptoBlockInfoLUKSSlot);

        slot->active = h->slots[k].active;
        slot->key_offset = h->slots[k].material * INT64_C(512);
        if (slot->active) {
            QAPI_SET(slot, iters, h->slots[k].iterations);
            QAPI_SET(slot, stripes, h->slots[k].stripes);
        }
        qapi_list_append(i->slots, slot);
    }
}

ImageInfoSpecific *luks_specific(const LuksHeader *h)
{
    ImageInfoSpecific *s = qapi_new(ImageInfoSpecific);

    s->type = IMAGE_INFO_SPECIFIC_KIND_LUKS;
    s->u.luks.data = qapi_new(QCryptoBlockInfoLUKS);
    luks_put_info(s->u.luks.data, h);
    return s;
}
