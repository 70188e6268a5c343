/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of CPUID features (name, place, whether the translators have it), and what a model
 * (model-table.c) makes of a CPU. Features that are asked for and not implemented are
 * taken away, with a warning.
 *
 * Sources: SDM vol. 2, CPUID; AMD CPUID specification (25481), APM vol. 3
 * appendix E.
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"

#define F(n, w, b)          { n, NULL, FEAT_##w, b, true }
#define F2(n, a, w, b)      { n, a, FEAT_##w, b, true }
#define NO(n, w, b)         { n, NULL, FEAT_##w, b, false }
#define NO2(n, a, w, b)     { n, a, FEAT_##w, b, false }

const X86Feature x86_features[] = {
    F("fpu", 1_EDX, 0), F("vme", 1_EDX, 1), F("de", 1_EDX, 2), F("pse", 1_EDX, 3),
    F("tsc", 1_EDX, 4), F("msr", 1_EDX, 5), F("pae", 1_EDX, 6), F("mce", 1_EDX, 7),
    F2("cx8", "cmpxchg8b", 1_EDX, 8), F("apic", 1_EDX, 9), F("sep", 1_EDX, 11),
    F("mtrr", 1_EDX, 12), F("pge", 1_EDX, 13), F("mca", 1_EDX, 14), F("cmov", 1_EDX, 15),
    F("pat", 1_EDX, 16), F("pse36", 1_EDX, 17), NO("pn", 1_EDX, 18),
    F2("clflush", "clfsh", 1_EDX, 19), NO2("ds", "dts", 1_EDX, 21), NO("acpi", 1_EDX, 22),
    F("mmx", 1_EDX, 23), F("fxsr", 1_EDX, 24), F("sse", 1_EDX, 25), F("sse2", 1_EDX, 26),
    F("ss", 1_EDX, 27), F("ht", 1_EDX, 28), NO("tm", 1_EDX, 29), NO("ia64", 1_EDX, 30),
    NO("pbe", 1_EDX, 31),

    F2("pni", "sse3", 1_ECX, 0), F2("pclmulqdq", "pclmuldq", 1_ECX, 1), NO("dtes64", 1_ECX, 2),
    F("monitor", 1_ECX, 3), NO2("ds-cpl", "ds_cpl", 1_ECX, 4), NO("vmx", 1_ECX, 5),
    NO("smx", 1_ECX, 6), NO("est", 1_ECX, 7), NO("tm2", 1_ECX, 8), F("ssse3", 1_ECX, 9),
    NO("cid", 1_ECX, 10), F("fma", 1_ECX, 12), F("cx16", 1_ECX, 13), NO("xtpr", 1_ECX, 14),
    NO("pdcm", 1_ECX, 15), F("pcid", 1_ECX, 17), NO("dca", 1_ECX, 18),
    F2("sse4.1", "sse4-1", 1_ECX, 19), F2("sse4.2", "sse4-2", 1_ECX, 20), F("x2apic", 1_ECX, 21),
    F("movbe", 1_ECX, 22), F("popcnt", 1_ECX, 23), F("tsc-deadline", 1_ECX, 24),
    F("aes", 1_ECX, 25), F("xsave", 1_ECX, 26), F("avx", 1_ECX, 28), F("f16c", 1_ECX, 29),
    F("rdrand", 1_ECX, 30), F("hypervisor", 1_ECX, 31),

    F("fsgsbase", 7_0_EBX, 0), F("tsc-adjust", 7_0_EBX, 1), NO("sgx", 7_0_EBX, 2),
    F("bmi1", 7_0_EBX, 3), NO("hle", 7_0_EBX, 4), F("avx2", 7_0_EBX, 5), F("smep", 7_0_EBX, 7),
    F("bmi2", 7_0_EBX, 8), F("erms", 7_0_EBX, 9), F("invpcid", 7_0_EBX, 10),
    NO("rtm", 7_0_EBX, 11), NO("mpx", 7_0_EBX, 14), NO("avx512f", 7_0_EBX, 16),
    NO("avx512dq", 7_0_EBX, 17), F("rdseed", 7_0_EBX, 18), F("adx", 7_0_EBX, 19),
    F("smap", 7_0_EBX, 20), NO("avx512ifma", 7_0_EBX, 21), NO("pcommit", 7_0_EBX, 22),
    F("clflushopt", 7_0_EBX, 23), F("clwb", 7_0_EBX, 24), NO("intel-pt", 7_0_EBX, 25),
    NO("avx512pf", 7_0_EBX, 26), NO("avx512er", 7_0_EBX, 27), NO("avx512cd", 7_0_EBX, 28),
    F("sha-ni", 7_0_EBX, 29), NO("avx512bw", 7_0_EBX, 30), NO("avx512vl", 7_0_EBX, 31),

    NO("avx512vbmi", 7_0_ECX, 1), F("umip", 7_0_ECX, 2), F("pku", 7_0_ECX, 3),
    NO("ospke", 7_0_ECX, 4), NO("waitpkg", 7_0_ECX, 5), NO("avx512vbmi2", 7_0_ECX, 6),
    NO("gfni", 7_0_ECX, 8), NO("vaes", 7_0_ECX, 9), NO("vpclmulqdq", 7_0_ECX, 10),
    NO("avx512vnni", 7_0_ECX, 11), NO("avx512bitalg", 7_0_ECX, 12),
    NO("avx512-vpopcntdq", 7_0_ECX, 14), F("la57", 7_0_ECX, 16), F("rdpid", 7_0_ECX, 22),
    NO("bus-lock-detect", 7_0_ECX, 24), NO("cldemote", 7_0_ECX, 25), NO("movdiri", 7_0_ECX, 27),
    NO("movdir64b", 7_0_ECX, 28), NO("sgxlc", 7_0_ECX, 30), NO("pks", 7_0_ECX, 31),

    NO("avx512-4vnniw", 7_0_EDX, 2), NO("avx512-4fmaps", 7_0_EDX, 3), NO("fsrm", 7_0_EDX, 4),
    NO("avx512-vp2intersect", 7_0_EDX, 8), NO("md-clear", 7_0_EDX, 10),
    NO("serialize", 7_0_EDX, 14), NO("tsx-ldtrk", 7_0_EDX, 16), NO("arch-lbr", 7_0_EDX, 19),
    NO("avx512-fp16", 7_0_EDX, 23), NO("spec-ctrl", 7_0_EDX, 26), NO("stibp", 7_0_EDX, 27),
    NO("arch-capabilities", 7_0_EDX, 29), NO("core-capability", 7_0_EDX, 30),
    NO("ssbd", 7_0_EDX, 31),

    F("syscall", 8000_0001_EDX, 11), NO("mp", 8000_0001_EDX, 19),
    F2("nx", "xd", 8000_0001_EDX, 20), F("mmxext", 8000_0001_EDX, 22),
    NO2("fxsr-opt", "ffxsr", 8000_0001_EDX, 25), F("pdpe1gb", 8000_0001_EDX, 26),
    F("rdtscp", 8000_0001_EDX, 27), F2("lm", "i64", 8000_0001_EDX, 29),
    NO("3dnowext", 8000_0001_EDX, 30), NO("3dnow", 8000_0001_EDX, 31),

    F("lahf-lm", 8000_0001_ECX, 0), F("cmp-legacy", 8000_0001_ECX, 1),
    NO("svm", 8000_0001_ECX, 2), NO("extapic", 8000_0001_ECX, 3),
    NO("cr8legacy", 8000_0001_ECX, 4), F2("abm", "lzcnt", 8000_0001_ECX, 5),
    F("sse4a", 8000_0001_ECX, 6), F("misalignsse", 8000_0001_ECX, 7),
    F("3dnowprefetch", 8000_0001_ECX, 8), NO("osvw", 8000_0001_ECX, 9),
    NO("ibs", 8000_0001_ECX, 10), NO("xop", 8000_0001_ECX, 11), NO("skinit", 8000_0001_ECX, 12),
    NO("wdt", 8000_0001_ECX, 13), NO("lwp", 8000_0001_ECX, 15), NO("fma4", 8000_0001_ECX, 16),
    NO("tce", 8000_0001_ECX, 17), NO("nodeid-msr", 8000_0001_ECX, 19),
    NO("tbm", 8000_0001_ECX, 21), NO("topoext", 8000_0001_ECX, 22),
    NO("perfctr-core", 8000_0001_ECX, 23), NO("perfctr-nb", 8000_0001_ECX, 24),

    F("invtsc", 8000_0007_EDX, 8),

    F("clzero", 8000_0008_EBX, 0), F("xsaveerptr", 8000_0008_EBX, 2),
    F("wbnoinvd", 8000_0008_EBX, 9), NO("ibpb", 8000_0008_EBX, 12),
    NO("ibrs", 8000_0008_EBX, 14), NO("amd-stibp", 8000_0008_EBX, 15),
    NO("amd-ssbd", 8000_0008_EBX, 24), NO("virt-ssbd", 8000_0008_EBX, 25),
    NO("amd-no-ssb", 8000_0008_EBX, 26),

    F("xsaveopt", XSAVE, 0), F("xsavec", XSAVE, 1), F("xgetbv1", XSAVE, 2),
    F("xsaves", XSAVE, 3),

    F("arat", 6_EAX, 2),

    NO("kvmclock", KVM, 0), NO("kvm-nopiodelay", KVM, 1), NO("kvm-mmu", KVM, 2),
    NO("kvm-asyncpf", KVM, 4), NO("kvm-steal-time", KVM, 5), NO("kvm-pv-eoi", KVM, 6),
    NO("kvm-pv-unhalt", KVM, 7), NO("kvm-pv-tlb-flush", KVM, 9), NO("kvm-pv-ipi", KVM, 11),
    NO("kvm-poll-control", KVM, 12), NO("kvm-pv-sched-yield", KVM, 13),
    NO("kvm-asyncpf-int", KVM, 14), NO("kvm-msi-ext-dest-id", KVM, 15),
    NO("kvmclock-stable-bit", KVM, 24),

    NO("npt", SVM, 0), NO("lbrv", SVM, 1), NO("svm-lock", SVM, 2), NO("nrip-save", SVM, 3),
    NO("tsc-scale", SVM, 4), NO("vmcb-clean", SVM, 5), NO("flushbyasid", SVM, 6),
    NO("decodeassists", SVM, 7), NO("pause-filter", SVM, 10), NO("pfthreshold", SVM, 12),
    NO("avic", SVM, 13), NO("v-vmsave-vmload", SVM, 15), NO("vgif", SVM, 16),
};
const unsigned x86_num_features = ARRAY_SIZE(x86_features);

static const char *const word_names[FEAT_NUM] = {
    [FEAT_1_EDX] = "CPUID.01H:EDX", [FEAT_1_ECX] = "CPUID.01H:ECX",
    [FEAT_7_0_EBX] = "CPUID.07H:EBX", [FEAT_7_0_ECX] = "CPUID.07H:ECX",
    [FEAT_7_0_EDX] = "CPUID.07H:EDX", [FEAT_8000_0001_EDX] = "CPUID.80000001H:EDX",
    [FEAT_8000_0001_ECX] = "CPUID.80000001H:ECX", [FEAT_8000_0007_EDX] = "CPUID.80000007H:EDX",
    [FEAT_8000_0008_EBX] = "CPUID.80000008H:EBX", [FEAT_XSAVE] = "CPUID.0DH:EAX",
    [FEAT_6_EAX] = "CPUID.06H:EAX", [FEAT_KVM] = "CPUID.40000001H:EAX",
    [FEAT_SVM] = "CPUID.8000000AH:EDX",
};

const char *x86_feature_word_name(unsigned word)
{
    return word_names[word];
}

uint32_t x86_implemented(unsigned word)
{
    uint32_t mask = 0;

    for (unsigned i = 0; i < x86_num_features; i++) {
        if (x86_features[i].word == word && x86_features[i].implemented) {
            mask |= BIT(x86_features[i].bit);
        }
    }
    return mask;
}

/* Features that need another one to make sense. */
static void drop_dependent(X86State *s)
{
    if (!x86_has(s, FEAT_1_EDX, 9)) {
        s->features[FEAT_1_ECX] &= ~(BIT(21) | BIT(24));        /* x2apic, tsc-deadline */
    }
    if (!x86_has(s, FEAT_1_ECX, 26)) {
        s->features[FEAT_XSAVE] = 0;
        s->features[FEAT_1_ECX] &= ~BIT(28);                    /* avx */
    }
    if (!x86_has(s, FEAT_1_ECX, 28)) {
        s->features[FEAT_1_ECX] &= ~(BIT(12) | BIT(29));        /* fma, f16c */
        s->features[FEAT_7_0_EBX] &= ~BIT(5);                   /* avx2 */
    }
}

static void warn_missing(const X86Cpu *cpu)
{
    for (unsigned w = 0; w < FEAT_NUM; w++) {
        for (unsigned b = 0; b < 32; b++) {
            const char *name = "";

            if (!(cpu->filtered[w] >> b & 1)) {
                continue;
            }
            for (unsigned i = 0; i < x86_num_features; i++) {
                if (x86_features[i].word == w && x86_features[i].bit == b) {
                    name = x86_features[i].name;
                }
            }
            fprintf(stderr, "qemu-system: warning: TCG doesn't support requested feature: "
                    "%s%s%s [bit %u]\n", word_names[w], *name ? "." : "", name, b);
        }
    }
}

bool x86_apply_model(X86Cpu *cpu, Error **errp)
{
    const X86Model *m = cpu->model;
    X86State *s = cpu->env;
    bool missing = false;

    for (unsigned w = 0; w < FEAT_NUM; w++) {
        uint32_t have = x86_implemented(w);
        uint32_t want = m->features[w];

        if (m->all_features) {
            want = have;
            if (w == FEAT_1_EDX) {
                want &= ~BIT(28);               /* ht: with more than one thread */
            }
        }
        if (cpu->is_i386) {
            if (w == FEAT_8000_0001_EDX) {
                want &= ~(BIT(29) | BIT(11));   /* lm, syscall */
                have &= ~BIT(29);
            } else if (w == FEAT_8000_0001_ECX) {
                want &= ~BIT(0);
            }
        }
        if (w == FEAT_1_ECX && cpu->hypervisor_leaf) {
            want |= BIT(31);
        }
        want = (want | cpu->plus[w]) & ~cpu->minus[w];
        cpu->filtered[w] = want & ~have;
        missing |= cpu->filtered[w];
        s->features[w] = want & have;
    }
    drop_dependent(s);
    if (missing && (cpu->check || cpu->enforce)) {
        warn_missing(cpu);
    }
    if (missing && cpu->enforce) {
        error_setf(errp, ERR_NOT_SUPPORTED,
                   "the TCG accelerator doesn't support requested features");
        return false;
    }
    s->generation = m->generation;
    s->family = cpu->family != UINT32_MAX ? cpu->family : m->family;
    s->model = cpu->cpu_model != UINT32_MAX ? cpu->cpu_model : m->model;
    s->stepping = cpu->stepping != UINT32_MAX ? cpu->stepping : m->stepping;
    s->cpuid_level = cpu->level != UINT32_MAX ? cpu->level : MAX(m->level, cpu->min_level);
    s->cpuid_xlevel = cpu->xlevel != UINT32_MAX ? cpu->xlevel : MAX(m->xlevel, cpu->min_xlevel);
    /* Leaves that features live in must be there, unless a level was given. */
    if (cpu->level == UINT32_MAX) {
        if (s->features[FEAT_7_0_EBX]) {
            s->cpuid_level = MAX(s->cpuid_level, 7);
        }
        if (s->features[FEAT_1_ECX] & BIT(26)) {
            s->cpuid_level = MAX(s->cpuid_level, 0xd);
        }
    }
    if (cpu->xlevel == UINT32_MAX) {
        if (s->features[FEAT_8000_0008_EBX]) {
            s->cpuid_xlevel = MAX(s->cpuid_xlevel, 0x80000008);
        }
        if (s->features[FEAT_8000_0001_EDX] | s->features[FEAT_8000_0001_ECX]) {
            s->cpuid_xlevel = MAX(s->cpuid_xlevel, 0x80000001);
        }
        if (s->features[FEAT_8000_0007_EDX]) {
            s->cpuid_xlevel = MAX(s->cpuid_xlevel, 0x80000007);
        }
    }
    snprintf(s->cpuid_vendor, sizeof(s->cpuid_vendor), "%s", cpu->vendor ? cpu->vendor : m->vendor);
    snprintf(s->cpuid_model_id, sizeof(s->cpuid_model_id), "%s",
             cpu->model_id ? cpu->model_id : m->model_id);
    s->phys_bits = cpu->phys_bits ? cpu->phys_bits :
                   x86_has(s, FEAT_8000_0001_EDX, 29) ? 40 :
                   x86_has(s, FEAT_1_EDX, 6) || x86_has(s, FEAT_1_EDX, 17) ? 36 : 32;
    return true;
}
