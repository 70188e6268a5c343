/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPU models: what CPUID of each says, implemented here or not.
 *
 * Sources: SDM vol. 2, CPUID; AMD CPUID specification (25481); the processors' data sheets and
 * specification updates.
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"

/* Bits of CPUID 1.EDX by the processor that first had them. */
#define EDX_486     (BIT(0) | BIT(1) | BIT(3))                          /* fpu vme pse */
/* de tsc msr mce cx8 apic mmx */
#define EDX_P5      (EDX_486 | BIT(2) | BIT(4) | BIT(5) | BIT(7) | BIT(8) | BIT(9) | BIT(23))
#define EDX_P6      (EDX_P5 | BIT(6) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(15) | \
                     BIT(16) | BIT(17) | BIT(24))      /* pae sep mtrr .. pse36 fxsr */
#define EDX_SSE2    (BIT(25) | BIT(26))
/* What every x86-64 system has: P6 with CLFLUSH, SSE2, without VME. */
#define EDX_64      ((EDX_P6 & ~BIT(1)) | BIT(19) | EDX_SSE2)
/* The least that qemu32 promises: no PSE36, MTRR, MCA, CLFLUSH. */
#define EDX_32      (EDX_64 & ~(BIT(12) | BIT(14) | BIT(17) | BIT(19)))
#define EXT_EDX_64  (BIT(11) | BIT(20) | BIT(29))                       /* syscall nx lm */
#define ECX_SSE3    BIT(0)
#define ECX_CORE2   (ECX_SSE3 | BIT(9) | BIT(13))                       /* ssse3 cx16 */
#define ECX_PENRYN  (ECX_CORE2 | BIT(19))                               /* sse4.1 */
#define ECX_NEHALEM (ECX_PENRYN | BIT(20) | BIT(23))                    /* sse4.2 popcnt */

#define INTEL   "GenuineIntel"
#define AMD     "AuthenticAMD"
#define FEATURES(edx, ecx, xedx, xecx) \
    { [FEAT_1_EDX] = (edx), [FEAT_1_ECX] = (ecx), [FEAT_8000_0001_EDX] = (xedx), \
      [FEAT_8000_0001_ECX] = (xecx) }
#define QEMU_ID "QEMU Virtual CPU version 2.5+"

/* Versions of the models by name; the arguments are what they differ in. */
#define SPEC_CTRL   BIT(26)     /* 7.0.EDX */
#define IBPB        BIT(12)     /* 8000_0008.EBX */
#define TSX         (BIT(4) | BIT(11))      /* 7.0.EBX: hle rtm */
#define EDX_VME     (EDX_64 | BIT(1))
#define NEHALEM(edx7) \
    { [FEAT_1_EDX] = EDX_VME, [FEAT_1_ECX] = ECX_NEHALEM, [FEAT_7_0_EDX] = (edx7), \
      [FEAT_8000_0001_EDX] = EXT_EDX_64, [FEAT_8000_0001_ECX] = BIT(0) }
#define WESTMERE(edx7) \
    { [FEAT_1_EDX] = EDX_VME, [FEAT_1_ECX] = ECX_NEHALEM | BIT(1) | BIT(25), \
      [FEAT_7_0_EDX] = (edx7), [FEAT_8000_0001_EDX] = EXT_EDX_64, \
      [FEAT_8000_0001_ECX] = BIT(0), [FEAT_6_EAX] = BIT(2) }
/* avx xsave aes tsc-deadline x2apic pclmulqdq over Nehalem's */
#define ECX_SANDY   (ECX_NEHALEM | BIT(1) | BIT(21) | BIT(24) | BIT(25) | BIT(26) | BIT(28))
#define SANDY_BRIDGE(edx7) \
    { [FEAT_1_EDX] = EDX_VME, [FEAT_1_ECX] = ECX_SANDY, [FEAT_7_0_EDX] = (edx7), \
      [FEAT_8000_0001_EDX] = EXT_EDX_64 | BIT(27), [FEAT_8000_0001_ECX] = BIT(0), \
      [FEAT_XSAVE] = BIT(0), [FEAT_6_EAX] = BIT(2) }
/* f16c rdrand; fsgsbase smep erms */
#define IVY_BRIDGE(edx7) \
    { [FEAT_1_EDX] = EDX_VME, [FEAT_1_ECX] = ECX_SANDY | BIT(29) | BIT(30), \
      [FEAT_7_0_EBX] = BIT(0) | BIT(7) | BIT(9), [FEAT_7_0_EDX] = (edx7), \
      [FEAT_8000_0001_EDX] = EXT_EDX_64 | BIT(27), [FEAT_8000_0001_ECX] = BIT(0), \
      [FEAT_XSAVE] = BIT(0), [FEAT_6_EAX] = BIT(2) }
/* fma pcid movbe; bmi1 avx2 bmi2 invpcid; lzcnt */
#define HASWELL(ebx7, edx7) \
    { [FEAT_1_EDX] = EDX_VME, \
      [FEAT_1_ECX] = ECX_SANDY | BIT(12) | BIT(17) | BIT(22) | BIT(29) | BIT(30), \
      [FEAT_7_0_EBX] = BIT(0) | BIT(3) | BIT(5) | BIT(7) | BIT(8) | BIT(9) | BIT(10) | (ebx7), \
      [FEAT_7_0_EDX] = (edx7), [FEAT_8000_0001_EDX] = EXT_EDX_64 | BIT(27), \
      [FEAT_8000_0001_ECX] = BIT(0) | BIT(5), [FEAT_XSAVE] = BIT(0), [FEAT_6_EAX] = BIT(2) }
/* sse3 pclmulqdq monitor ssse3 fma cx16 sse4.1 sse4.2 movbe popcnt aes xsave avx f16c rdrand;
 * fsgsbase bmi1 avx2 smep bmi2 rdseed adx smap clflushopt sha-ni;
 * syscall nx mmxext fxsr-opt pdpe1gb rdtscp lm;
 * lahf-lm svm cr8legacy abm sse4a misalignsse 3dnowprefetch osvw topoext; npt nrip-save */
#define EPYC(ebx8, ecx1, xsave) \
    { [FEAT_1_EDX] = EDX_VME, \
      [FEAT_1_ECX] = ECX_NEHALEM | BIT(1) | BIT(3) | BIT(12) | BIT(22) | BIT(25) | BIT(26) | \
                     BIT(28) | BIT(29) | BIT(30), \
      [FEAT_7_0_EBX] = BIT(0) | BIT(3) | BIT(5) | BIT(7) | BIT(8) | BIT(18) | BIT(19) | BIT(20) | \
                       BIT(23) | BIT(29), \
      [FEAT_8000_0001_EDX] = EXT_EDX_64 | BIT(22) | BIT(25) | BIT(26) | BIT(27), \
      [FEAT_8000_0001_ECX] = BIT(0) | BIT(2) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | \
                             BIT(9) | BIT(22) | (ecx1), \
      [FEAT_8000_0008_EBX] = (ebx8), [FEAT_XSAVE] = BIT(0) | BIT(1) | BIT(2) | (xsave), \
      [FEAT_6_EAX] = BIT(2), [FEAT_SVM] = BIT(0) | BIT(3) }

const X86Model x86_models[] = {
    { "qemu64", "general-purpose 64-bit processor", AMD, 15, 107, 1, 0xd, 0x8000000a,
      FEATURES(EDX_64, ECX_SSE3 | BIT(13), EXT_EDX_64, BIT(0)), QEMU_ID, false },
    { "qemu32", "general-purpose 32-bit processor", INTEL, 6, 6, 3, 4, 0x80000004,
      FEATURES(EDX_32, ECX_SSE3, 0, 0), QEMU_ID, false },
    { "max", "everything that is implemented", AMD, 15, 107, 1, 0xd, 0x8000000a,
      FEATURES(0, 0, 0, 0), "QEMU TCG CPU version 2.5+", true },
    { "base", "nothing but what is asked for", AMD, 0, 0, 0, 0, 0, FEATURES(0, 0, 0, 0), "", false },
    { "8086", "Intel 8086", INTEL, 0, 0, 0, 0, 0, FEATURES(0, 0, 0, 0), "", false, X86_8086 },
    { "286", "Intel 80286", INTEL, 2, 0, 0, 0, 0, FEATURES(0, 0, 0, 0), "", false, X86_286 },
    { "386", "Intel 386 DX", INTEL, 3, 0, 0, 0, 0, FEATURES(0, 0, 0, 0), "", false, X86_386 },
    { "486", "Intel 486", INTEL, 4, 8, 0, 1, 0, FEATURES(EDX_486, 0, 0, 0), "", false },
    { "pentium", "Intel Pentium", INTEL, 5, 4, 3, 1, 0, FEATURES(EDX_P5, 0, 0, 0), "",
      false },
    { "pentium2", "Intel Pentium II", INTEL, 6, 5, 2, 2, 0, FEATURES(EDX_P6, 0, 0, 0), "", false },
    { "pentium3", "Intel Pentium III", INTEL, 6, 7, 3, 3, 0, FEATURES(EDX_P6 | BIT(25), 0, 0, 0),
      "", false },
    { "athlon", "AMD Athlon", AMD, 6, 2, 3, 2, 0x80000008,
      FEATURES(EDX_32 | BIT(1) | BIT(12) | BIT(14) | BIT(17), 0, BIT(22), 0), QEMU_ID, false },
    { "kvm32", "32-bit processor for any host", INTEL, 15, 6, 1, 5, 0x80000008,
      FEATURES(EDX_64 | BIT(1), ECX_SSE3, 0, 0), "Common 32-bit KVM processor", false },
    { "kvm64", "64-bit processor for any host", INTEL, 15, 6, 1, 0xd, 0x80000008,
      FEATURES(EDX_64 | BIT(1), ECX_SSE3 | BIT(13), EXT_EDX_64, 0), "Common KVM processor", false },
    { "coreduo", "Intel Core Duo T2600", INTEL, 6, 14, 8, 10, 0x80000008,
      FEATURES((EDX_64 | BIT(1) | BIT(27)) & ~BIT(17), ECX_SSE3 | BIT(3), BIT(20), 0),
      "Genuine Intel(R) CPU           T2600  @ 2.16GHz", false },
    { "core2duo", "Intel Core 2 Duo T7700", INTEL, 6, 15, 11, 10, 0x80000008,
      FEATURES(EDX_64 | BIT(1) | BIT(27), ECX_CORE2 | BIT(3), EXT_EDX_64, BIT(0)),
      "Intel(R) Core(TM)2 Duo CPU     T7700  @ 2.40GHz", false },
    { "Conroe", "Intel Celeron 4x0 (Conroe/Merom class)", INTEL, 6, 15, 3, 10, 0x80000008,
      FEATURES(EDX_64 | BIT(1), ECX_SSE3 | BIT(9), EXT_EDX_64, BIT(0)),
      "Intel Celeron_4x0 (Conroe/Merom Class Core 2)", false },
    { "Penryn", "Intel Core 2 (Penryn class)", INTEL, 6, 23, 3, 10, 0x80000008,
      FEATURES(EDX_64 | BIT(1), ECX_PENRYN, EXT_EDX_64, BIT(0)),
      "Intel Core 2 Duo P9xxx (Penryn Class Core 2)", false },
    /* A name without a version is the first one. */
    { "Nehalem-v1", "Intel Core i7 9xx (Nehalem)", INTEL, 6, 26, 3, 11, 0x80000008,
      NEHALEM(0),
      "Intel Core i7 9xx (Nehalem Class Core i7)", false },
    { "Nehalem", "Intel Core i7 9xx (Nehalem)", INTEL, 6, 26, 3, 11, 0x80000008,
      NEHALEM(0),
      "Intel Core i7 9xx (Nehalem Class Core i7)", false },
    { "Nehalem-v2", "Intel Core i7 9xx (Nehalem), IBRS", INTEL, 6, 26, 3, 11, 0x80000008,
      NEHALEM(SPEC_CTRL),
      "Intel Core i7 9xx (Nehalem Core i7, IBRS update)", false },
    { "Nehalem-IBRS", "Intel Core i7 9xx (Nehalem), IBRS", INTEL, 6, 26, 3, 11, 0x80000008,
      NEHALEM(SPEC_CTRL),
      "Intel Core i7 9xx (Nehalem Core i7, IBRS update)", false },
    { "Westmere-v1", "Westmere E56xx/L56xx/X56xx (Nehalem-C)", INTEL, 6, 44, 1, 11, 0x80000008,
      WESTMERE(0),
      "Westmere E56xx/L56xx/X56xx (Nehalem-C)", false },
    { "Westmere", "Westmere E56xx/L56xx/X56xx (Nehalem-C)", INTEL, 6, 44, 1, 11, 0x80000008,
      WESTMERE(0),
      "Westmere E56xx/L56xx/X56xx (Nehalem-C)", false },
    { "Westmere-v2", "Westmere E56xx/L56xx/X56xx, IBRS", INTEL, 6, 44, 1, 11, 0x80000008,
      WESTMERE(SPEC_CTRL),
      "Westmere E56xx/L56xx/X56xx (IBRS update)", false },
    { "Westmere-IBRS", "Westmere E56xx/L56xx/X56xx, IBRS", INTEL, 6, 44, 1, 11, 0x80000008,
      WESTMERE(SPEC_CTRL),
      "Westmere E56xx/L56xx/X56xx (IBRS update)", false },
    { "SandyBridge-v1", "Intel Xeon E312xx (Sandy Bridge)", INTEL, 6, 42, 1, 0xd, 0x80000008,
      SANDY_BRIDGE(0),
      "Intel Xeon E312xx (Sandy Bridge)", false },
    { "SandyBridge", "Intel Xeon E312xx (Sandy Bridge)", INTEL, 6, 42, 1, 0xd, 0x80000008,
      SANDY_BRIDGE(0),
      "Intel Xeon E312xx (Sandy Bridge)", false },
    { "SandyBridge-v2", "Intel Xeon E312xx (Sandy Bridge), IBRS", INTEL, 6, 42, 1, 0xd, 0x80000008,
      SANDY_BRIDGE(SPEC_CTRL),
      "Intel Xeon E312xx (Sandy Bridge, IBRS update)", false },
    { "SandyBridge-IBRS", "Intel Xeon E312xx (Sandy Bridge), IBRS", INTEL, 6, 42, 1, 0xd, 0x80000008,
      SANDY_BRIDGE(SPEC_CTRL),
      "Intel Xeon E312xx (Sandy Bridge, IBRS update)", false },
    { "IvyBridge-v1", "Intel Xeon E3-12xx v2 (Ivy Bridge)", INTEL, 6, 58, 9, 0xd, 0x80000008,
      IVY_BRIDGE(0),
      "Intel Xeon E3-12xx v2 (Ivy Bridge)", false },
    { "IvyBridge", "Intel Xeon E3-12xx v2 (Ivy Bridge)", INTEL, 6, 58, 9, 0xd, 0x80000008,
      IVY_BRIDGE(0),
      "Intel Xeon E3-12xx v2 (Ivy Bridge)", false },
    { "IvyBridge-v2", "Intel Xeon E3-12xx v2 (Ivy Bridge), IBRS", INTEL, 6, 58, 9, 0xd, 0x80000008,
      IVY_BRIDGE(SPEC_CTRL),
      "Intel Xeon E3-12xx v2 (Ivy Bridge, IBRS)", false },
    { "IvyBridge-IBRS", "Intel Xeon E3-12xx v2 (Ivy Bridge), IBRS", INTEL, 6, 58, 9, 0xd, 0x80000008,
      IVY_BRIDGE(SPEC_CTRL),
      "Intel Xeon E3-12xx v2 (Ivy Bridge, IBRS)", false },
    { "Haswell-v1", "Intel Core (Haswell)", INTEL, 6, 60, 4, 0xd, 0x80000008,
      HASWELL(TSX, 0),
      "Intel Core Processor (Haswell)", false },
    { "Haswell", "Intel Core (Haswell)", INTEL, 6, 60, 4, 0xd, 0x80000008,
      HASWELL(TSX, 0),
      "Intel Core Processor (Haswell)", false },
    { "Haswell-v2", "Intel Core (Haswell), no TSX", INTEL, 6, 60, 1, 0xd, 0x80000008,
      HASWELL(0, 0),
      "Intel Core Processor (Haswell, no TSX)", false },
    { "Haswell-noTSX", "Intel Core (Haswell), no TSX", INTEL, 6, 60, 1, 0xd, 0x80000008,
      HASWELL(0, 0),
      "Intel Core Processor (Haswell, no TSX)", false },
    { "Haswell-v3", "Intel Core (Haswell), IBRS", INTEL, 6, 60, 4, 0xd, 0x80000008,
      HASWELL(TSX, SPEC_CTRL),
      "Intel Core Processor (Haswell, IBRS)", false },
    { "Haswell-IBRS", "Intel Core (Haswell), IBRS", INTEL, 6, 60, 4, 0xd, 0x80000008,
      HASWELL(TSX, SPEC_CTRL),
      "Intel Core Processor (Haswell, IBRS)", false },
    { "Haswell-v4", "Intel Core (Haswell), no TSX, IBRS", INTEL, 6, 60, 1, 0xd, 0x80000008,
      HASWELL(0, SPEC_CTRL),
      "Intel Core Processor (Haswell, no TSX, IBRS)", false },
    { "Haswell-noTSX-IBRS", "Intel Core (Haswell), no TSX, IBRS", INTEL, 6, 60, 1, 0xd, 0x80000008,
      HASWELL(0, SPEC_CTRL),
      "Intel Core Processor (Haswell, no TSX, IBRS)", false },
    { "EPYC-v1", "AMD EPYC", AMD, 23, 1, 2, 0xd, 0x8000001e,
      EPYC(0, 0, 0),
      "AMD EPYC Processor", false },
    { "EPYC", "AMD EPYC", AMD, 23, 1, 2, 0xd, 0x8000001e,
      EPYC(0, 0, 0),
      "AMD EPYC Processor", false },
    { "EPYC-v2", "AMD EPYC, IBPB", AMD, 23, 1, 2, 0xd, 0x8000001e,
      EPYC(IBPB, 0, 0),
      "AMD EPYC Processor (with IBPB)", false },
    { "EPYC-IBPB", "AMD EPYC, IBPB", AMD, 23, 1, 2, 0xd, 0x8000001e,
      EPYC(IBPB, 0, 0),
      "AMD EPYC Processor (with IBPB)", false },
    { "EPYC-v3", "AMD EPYC, third version", AMD, 23, 1, 2, 0xd, 0x8000001e,
      EPYC(IBPB | BIT(0) | BIT(2), BIT(23), BIT(3)),
      "AMD EPYC Processor", false },
    { "n270", "Intel Atom N270", INTEL, 6, 28, 2, 10, 0x80000008,
      FEATURES((EDX_64 | BIT(1) | BIT(27)) & ~BIT(17), ECX_SSE3 | BIT(3) | BIT(9) | BIT(22),
               BIT(20), BIT(0)), "Intel(R) Atom(TM) CPU N270   @ 1.60GHz", false },
    { "phenom", "AMD Phenom 9550", AMD, 16, 2, 3, 5, 0x8000001a,
      FEATURES(EDX_64 | BIT(1), ECX_SSE3 | BIT(3) | BIT(13) | BIT(23),
               EXT_EDX_64 | BIT(22) | BIT(26) | BIT(27), BIT(0) | BIT(5)),
      "AMD Phenom(tm) 9550 Quad-Core Processor", false },
    { "Opteron_G1", "AMD Opteron 240", AMD, 15, 6, 1, 5, 0x80000008,
      FEATURES(EDX_64 | BIT(1), ECX_SSE3, EXT_EDX_64, 0), "AMD Opteron 240 (Gen 1 Class Opteron)",
      false },
    { "Opteron_G2", "AMD Opteron 22xx", AMD, 15, 6, 1, 5, 0x80000008,
      FEATURES(EDX_64 | BIT(1), ECX_SSE3 | BIT(13), EXT_EDX_64, BIT(0)),
      "AMD Opteron 22xx (Gen 2 Class Opteron)", false },
};
const unsigned x86_num_models = ARRAY_SIZE(x86_models);
