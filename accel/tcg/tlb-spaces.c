/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address spaces with tags (x86: PCIDs), between which a CPU changes without a flush. The TLB that generated code looks at has
 * entries of the current space and global ones. What is filled for a page of a tagged space is kept here as well: where the CPU comes
 * back to that space, an entry costs a look here, and neither a walk nor a search in the memory map.
 *
 * Kept are pages of the granule's size that aren't global and that nobody watches. Write tags are no part of it: whether
 * a page is tracked is asked whenever an entry goes to the TLB.
 */
#include "util/osdep.h"
#include "accel/tcg/vcpu.h"

#define KEPT_BITS   11
#define SPACES      16

typedef struct Kept {
    uint32_t space;             /* Space.id; 0: empty */
    uint32_t mmu;
    TlbFull full;
} Kept;

typedef struct Space {
    uint32_t tag;               /* 0: free */
    uint32_t id;                /* what is kept under another one is worth nothing */
    uint64_t used;              /* when the CPU changed to it last */
} Space;

struct TlbSpaces {
    Space space[SPACES];
    uint32_t last_id;
    uint64_t now;               /* changes of space so far */
    Kept kept[1 << KEPT_BITS];
};

static uint32_t tag_now(const VcpuTcg *v)
{
    return v->ops->address_space ? v->ops->address_space(v->env) : 0;
}

static Space *find(TlbSpaces *s, uint32_t tag)
{
    for (unsigned i = 0; s && tag && i < SPACES; i++) {
        if (s->space[i].tag == tag) {
            return &s->space[i];
        }
    }
    return NULL;
}

/* An id that nothing is kept under. */
static uint32_t new_id(TlbSpaces *s)
{
    if (++s->last_id == 0) {
        memset(s->kept, 0, sizeof(s->kept));
        memset(s->space, 0, sizeof(s->space));
        s->last_id = 1;
    }
    return s->last_id;
}

/* The space of @tag, which takes the place of the one that was left longest ago if it is new. */
static Space *find_or_make(TlbSpaces *s, uint32_t tag)
{
    Space *space = find(s, tag);

    if (!space) {
        uint32_t id = new_id(s);

        space = &s->space[0];
        for (unsigned i = 1; i < SPACES; i++) {
            if (s->space[i].used < space->used) {
                space = &s->space[i];
            }
        }
        *space = (Space){ .tag = tag, .id = id };
    }
    return space;
}

static Kept *kept_at(TlbSpaces *s, const Space *space, uint64_t page, unsigned mmu)
{
    uint64_t key = page >> TCG_PAGE_BITS ^ (uint64_t)space->id << 36 ^ (uint64_t)mmu << 60;

    return &s->kept[key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - KEPT_BITS)];
}

static bool is_of(const Kept *k, const Space *space, uint64_t page, unsigned mmu)
{
    return k->space == space->id && k->mmu == mmu && k->full.vpage == page;
}

const TlbFull *tlb_kept(VcpuTcg *v, uint64_t page, unsigned mmu)
{
    Space *space = v->spaces ? find(v->spaces, tag_now(v)) : NULL;
    Kept *k = space ? kept_at(v->spaces, space, page, mmu) : NULL;

    return k && is_of(k, space, page, mmu) ? &k->full : NULL;
}

void tlb_keep(VcpuTcg *v, unsigned mmu, const TlbFull *f)
{
    Space *space = v->spaces && !f->global && !f->watch ? find(v->spaces, tag_now(v)) : NULL;

    if (space) {
        *kept_at(v->spaces, space, f->vpage, mmu) = (Kept){ space->id, mmu, *f };
    }
}

static void forget_page(VcpuTcg *v, const Space *space, uint64_t page)
{
    for (unsigned m = 0; m < v->ops->mmu_modes; m++) {
        Kept *k = kept_at(v->spaces, space, page, m);

        if (is_of(k, space, page, m)) {
            k->space = 0;
        }
    }
}

void tlb_kept_forget_page(VcpuTcg *v, uint64_t page)
{
    Space *space = v->spaces ? find(v->spaces, tag_now(v)) : NULL;

    if (space) {
        forget_page(v, space, page);
    }
}

void tlb_kept_forget_all(VcpuTcg *v)
{
    if (v->spaces) {
        memset(v->spaces->space, 0, sizeof(v->spaces->space));
        /* The current one goes on, with nothing. */
        if (tag_now(v)) {
            find_or_make(v->spaces, tag_now(v))->used = v->spaces->now;
        }
    }
}

void tcg_tlb_switch(TcgEnv *env, bool keep)
{
    VcpuTcg *v = vcpu_of(env);
    Space *space;

    if (!v) {
        return;
    }
    tlb_drop_local(v);
    if (!tag_now(v)) {
        return;
    }
    if (!v->spaces) {
        v->spaces = g_new0(TlbSpaces, 1);
    }
    space = find_or_make(v->spaces, tag_now(v));
    space->used = ++v->spaces->now;
    if (!keep) {
        *space = (Space){ space->tag, new_id(v->spaces), space->used };
    }
}

void tcg_tlb_forget_space(TcgEnv *env, uint32_t tag)
{
    VcpuTcg *v = vcpu_of(env);
    Space *space;

    if (!v) {
        return;
    }
    if (tag == tag_now(v)) {
        tcg_tlb_switch(env, false);
        return;
    }
    space = find(v->spaces, tag);
    if (space) {
        *space = (Space){ 0 };
    }
}

void tcg_tlb_forget_page(TcgEnv *env, uint32_t tag, uint64_t addr)
{
    VcpuTcg *v = vcpu_of(env);
    Space *space;

    if (!v) {
        return;
    }
    if (tag == tag_now(v)) {
        tcg_tlb_flush_page(env, addr);
        return;
    }
    space = find(v->spaces, tag);
    if (space) {
        forget_page(v, space, addr & ~(uint64_t)(TCG_PAGE_SIZE - 1));
    }
}
