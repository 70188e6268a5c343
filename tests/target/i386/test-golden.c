/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host code of guest instructions and idioms, in each tier, against golden.txt: a change in what
 * is generated shows in review, without any clock.
 *
 * A line is: guest code, tier, number of host instructions from the region's entry to its last block (slow paths lie behind), and these, with addresses
 * taken out, and without what is there for every region. UPDATE_GOLDEN=1 writes the file anew.
 */
#include "util/osdep.h"
#include <glib.h>
#include <glib/gstdio.h>
#include "accel/tcg/vcpu.h"
#include "tests/lib/test.h"
#include "tests/lib/x86-harness.h"
#include "util/log.h"

/* Each is followed by UD2. "+": to behind a NOP that follows; "-": back to the first instruction. */
static const struct { const char *text, *bytes; } idioms[] = {
    { "mov eax, ebx", "89d8" },
    { "mov rax, rbx", "4889d8" },
    { "mov al, bl", "88d8" },
    { "mov ah, bl", "88dc" },
    { "mov ax, bx", "6689d8" },
    { "mov eax, 0x12345678", "b878563412" },
    { "mov rax, 0x123456789abcdef0", "48b8f0debc9a78563412" },
    { "movzx eax, bl", "0fb6c3" },
    { "movsx rax, bl", "480fbec3" },
    { "movsxd rax, ebx", "4863c3" },
    { "add rax, rbx", "4801d8" },
    { "add eax, ebx", "01d8" },
    { "add al, bl", "00d8" },
    { "add rax, 1", "4883c001" },
    { "adc rax, rbx", "4811d8" },
    { "sub eax, 5", "83e805" },
    { "sbb eax, eax", "19c0" },
    { "and eax, 0xff", "25ff000000" },
    { "or rax, rbx", "4809d8" },
    { "xor eax, eax", "31c0" },
    { "xor r8d, r9d", "4531c8" },
    { "inc eax", "ffc0" },
    { "dec r10", "49ffca" },
    { "neg rax", "48f7d8" },
    { "not eax", "f7d0" },
    { "cmp eax, ebx; jl +", "39d87c0190" },
    { "test rax, rax; je +", "4885c0740190" },
    { "cmp al, 3; seta bl", "3c030f97c3" },
    { "cmp rax, rbx; cmovb rcx, rdx", "4839d8480f42ca" },
    { "add eax, ebx; jc +", "01d8720190" },
    { "dec ecx; jnz +", "ffc9750190" },
    { "shl eax, 3", "c1e003" },
    { "shr rax, 5", "48c1e805" },
    { "sar eax, cl", "d3f8" },
    { "shl rax, cl", "48d3e0" },
    { "rol eax, 7", "c1c007" },
    { "ror ebx, cl", "d3cb" },
    { "shld eax, ebx, 4", "0fa4d804" },
    { "rcl eax, 1", "d1d0" },
    { "imul rax, rbx", "480fafc3" },
    { "imul eax, ebx, 100", "6bc364" },
    { "mul rbx", "48f7e3" },
    { "imul rbx", "48f7eb" },
    { "div ecx", "f7f1" },
    { "bt eax, 3; jc +", "0fbae003720190" },
    { "bts rax, rbx", "480fabd8" },
    { "bsf eax, ebx", "0fbcc3" },
    { "bsr rax, rbx", "480fbdc3" },
    { "bswap eax", "0fc8" },
    { "xchg rax, rbx", "4893" },
    { "lea rax, [rbx + rcx*4 + 8]", "488d448b08" },
    { "lea eax, [rbx + rbx]", "8d041b" },
    { "cdq", "99" },
    { "cqo", "4899" },
    { "cbw", "6698" },
    { "mov rax, [rsi]", "488b06" },
    { "mov eax, [rsi + 8]", "8b4608" },
    { "mov eax, [rsi]; mov [rsi + 8], ecx; add edx, [rsi + 4]", "8b06894e08035604" },
    { "mov al, [rsi]", "8a06" },
    { "movzx eax, byte ptr [rsi + rcx]", "0fb6040e" },
    { "movsx eax, word ptr [rsi]", "0fbf06" },
    { "mov [rdi], rax", "488907" },
    { "mov [rdi + 4], eax", "894704" },
    { "mov byte ptr [rdi], 5", "c60705" },
    { "mov dword ptr [rdi], 5", "c70705000000" },
    { "mov rax, [rsi]; mov rbx, [rsi + 8]", "488b06488b5e08" },
    { "mov [rdi], rax; mov [rdi + 8], rbx", "48890748895f08" },
    { "mov rax, [rsp + 16]", "488b442410" },
    { "mov rax, [rax]", "488b00" },
    { "mov rax, [rsi + rcx*8]", "488b04ce" },
    { "add rax, [rsi]", "480306" },
    { "add [rdi], rax", "480107" },
    { "inc dword ptr [rdi]", "ff07" },
    { "cmp rax, [rsi]", "483b06" },
    { "cmp byte ptr [rsi], 0; je +", "803e00740190" },
    { "mov rax, fs:[0x28]", "64488b042528000000" },
    { "mov eax, [rip + 64]", "8b0540000000" },
    { "push rbx", "53" },
    { "pop rbx", "5b" },
    { "push rbx; push rbp", "5355" },
    { "pop rbp; pop rbx", "5d5b" },
    { "xadd [rdi], eax", "0fc107" },
    { "lock inc dword ptr [rdi]", "f0ff07" },
    { "lock cmpxchg [rdi], ebx", "f00fb11f" },
    { "xchg [rdi], eax", "8707" },
    { "mfence", "0faef0" },
    { "cld", "fc" },
    { "pushfq", "9c" },
    { "lahf", "9f" },
    { "sahf", "9e" },
    { "cmc", "f5" },
    { "stc", "f9" },
    { "setc al", "0f92c0" },
    { "call +", "e80100000090" },
    { "ret", "c3" },
    { "jmp rax", "ffe0" },
    { "jmp +", "eb0190" },
    { "dec ecx; jnz -", "ffc975fc" },
    { "mov al, [rsi]; inc rsi; test al, al; jne -", "8a0648ffc684c075f7" },
    { "rep movsb", "f3a4" },
    { "rep stosq", "f348ab" },
    { "movsb", "a4" },
    { "lodsd", "ad" },
    { "movaps xmm0, xmm1", "0f28c1" },
    { "movups xmm0, [rsi]", "0f1006" },
    { "movups [rdi], xmm0", "0f1107" },
    { "movd xmm0, eax", "660f6ec0" },
    { "movq rax, xmm0", "66480f7ec0" },
    { "paddd xmm0, xmm1", "660ffec1" },
    { "paddd xmm0, [rsi]", "660ffe06" },
    { "pxor xmm0, xmm0", "660fefc0" },
    { "pshufd xmm0, xmm1, 0x-", "660f70c11b" },
    { "pshufb xmm0, xmm1", "660f3800c1" },
    { "pcmpeqb xmm0, xmm1", "660f74c1" },
    { "pmovmskb eax, xmm0", "660fd7c0" },
    { "pmuludq xmm0, xmm1", "660ff4c1" },
    { "psrldq xmm0, 8", "660f73d808" },
    { "punpcklbw xmm0, xmm1", "660f60c1" },
    { "addsd xmm0, xmm1", "f20f58c1" },
    { "addsd xmm0, [rsi]", "f20f5806" },
    { "mulsd xmm0, xmm1", "f20f59c1" },
    { "divss xmm0, xmm1", "f30f5ec1" },
    { "sqrtsd xmm0, xmm1", "f20f51c1" },
    { "addps xmm0, xmm1", "0f58c1" },
    { "mulpd xmm0, xmm1", "660f59c1" },
    { "ucomisd xmm0, xmm1; ja +", "660f2ec1770190" },
    { "cvtsi2sd xmm0, eax", "f20f2ac0" },
    { "cvttsd2si eax, xmm0", "f20f2cc0" },
    { "cvtss2sd xmm0, xmm1", "f30f5ac1" },
    { "movsd xmm0, [rsi]", "f20f1006" },
    { "movsd [rdi], xmm0", "f20f1107" },
    { "movhlps xmm0, xmm1", "0f12c1" },
    { "minsd xmm0, xmm1", "f20f5dc1" },
    { "andpd xmm0, xmm1", "660f54c1" },
    { "vaddps xmm0, xmm1, xmm2", "c5f058c2" },
    { "vaddps ymm0, ymm1, ymm2", "c5f458c2" },
    { "vpxor ymm0, ymm0, ymm0", "c5fdefc0" },
    { "vmovups ymm0, [rsi]", "c5fc1006" },
    { "vfmadd231sd xmm0, xmm1, xmm2", "c4e2f1b9c2" },
    { "vzeroupper", "c5f877" },
    { "andn eax, ebx, ecx", "c4e260f2c1" },
    { "blsr eax, ebx", "c4e278f3cb" },
    { "shlx rax, rbx, rcx", "c4e2f1f7c3" },
    { "pext eax, ebx, ecx", "c4e262f5c1" },
    { "popcnt eax, ebx", "f30fb8c3" },
    { "lzcnt eax, ebx", "f30fbdc3" },
    { "tzcnt eax, ebx", "f30fbcc3" },
    { "movbe eax, [rsi]", "0f38f006" },
    { "fld qword ptr [rsi]", "dd06" },
    { "fstp qword ptr [rdi]", "dd1f" },
    { "fld1; faddp", "d9e8dec1" },
    { "fild dword ptr [rsi]; fistp dword ptr [rdi]", "db06db1f" },
    { "fld st(1); fmul st, st(1); fstp st(2)", "d9c1d8c9ddda" },
    { "movsx eax, bl", "0fbec3" },
    { "movzx eax, bx", "0fb7c3" },
    { "movsxd rax, dword ptr [rsi]", "486306" },
    { "add eax, [rsi + rcx*4]", "03048e" },
    { "sub [rdi], ebx", "291f" },
    { "or dword ptr [rdi], 1", "830f01" },
    { "and byte ptr [rdi], 0x7f", "80277f" },
    { "xor rax, [rsi + 8]", "48334608" },
    { "not dword ptr [rdi]", "f717" },
    { "neg dword ptr [rdi]", "f71f" },
    { "test byte ptr [rsi], 4; jne +", "f60604750190" },
    { "cmp rax, rbx; setle cl", "4839d80f9ec1" },
    { "cmp eax, 10; cmovg eax, ebx", "83f80a0f4fc3" },
    { "sub rcx, 1; jae +", "4883e901730190" },
    { "or eax, eax; js +", "09c0780190" },
    { "add rax, [rsi]; adc rbx, [rsi + 8]", "48030648135e08" },
    { "sub rax, [rsi]; sbb rbx, [rsi + 8]", "482b06481b5e08" },
    { "shl dword ptr [rdi], 1", "d127" },
    { "sar dword ptr [rdi], 4", "c13f04" },
    { "shrd rax, rbx, 12", "480facd80c" },
    { "rol ax, 8", "66c1c008" },
    { "bt [rsi], eax", "0fa306" },
    { "btr dword ptr [rdi], 3", "0fba3703" },
    { "xchg ah, bl", "86dc" },
    { "leave", "c9" },
    { "enter 16, 0", "c8100000" },
    { "push qword ptr [rsi]", "ff36" },
    { "pop qword ptr [rdi]", "8f07" },
    { "push 5", "6a05" },
    { "mov [rsp + 8], rbx; mov rcx, [rsp + 8]", "48895c2408488b4c2408" },
    { "mov rax, [rsi]; mov rax, [rax]; mov rax, [rax + 8]", "488b06488b00488b4008" },
    { "jmp [rsi + rcx*8]", "ff24ce" },
    { "call [rsi]", "ff16" },
    { "call rax", "ffd0" },
    { "mov eax, [rsi]; add eax, 1; mov [rsi], eax", "8b0683c0018906" },
    { "lock xadd [rdi], rax", "f0480fc107" },
    { "lock bts dword ptr [rdi], 5; jc +", "f00fba2f05720190" },
    { "cmpxchg16b [rdi]", "480fc70f" },
    { "rep movsq", "f348a5" },
    { "repne scasb", "f2ae" },
    { "repe cmpsb", "f3a6" },
    { "stosd", "ab" },
    { "pause", "f390" },
    { "cpuid", "0fa2" },
    { "rdtsc", "0f31" },
    { "paddq xmm0, [rsi]", "660fd406" },
    { "psubusb xmm0, xmm1", "660fd8c1" },
    { "pmaddwd xmm0, xmm1", "660ff5c1" },
    { "pmulld xmm0, xmm1", "660f3840c1" },
    { "pminub xmm0, xmm1", "660fdac1" },
    { "packuswb xmm0, xmm1", "660f67c1" },
    { "punpckhqdq xmm0, xmm1", "660f6dc1" },
    { "palignr xmm0, xmm1, 5", "660f3a0fc105" },
    { "ptest xmm0, xmm1; je +", "660f3817c1740190" },
    { "pextrd eax, xmm0, 2", "660f3a16c002" },
    { "pinsrd xmm0, eax, 1", "660f3a22c001" },
    { "pblendw xmm0, xmm1, 0x55", "660f3a0ec155" },
    { "roundsd xmm0, xmm1, 1", "660f3a0bc101" },
    { "cvtdq2pd xmm0, xmm1", "f30fe6c1" },
    { "cvtps2dq xmm0, xmm1", "660f5bc1" },
    { "haddpd xmm0, xmm1", "660f7cc1" },
    { "shufps xmm0, xmm1, 0x1b", "0fc6c11b" },
    { "cmpltpd xmm0, xmm1", "660fc2c101" },
    { "ucomiss xmm0, [rsi]; jp +", "0f2e067a0190" },
    { "ldmxcsr [rsi]", "0fae16" },
    { "aesenc xmm0, xmm1", "660f38dcc1" },
    { "pclmulqdq xmm0, xmm1, 0", "660f3a44c100" },
    { "sha256rnds2 xmm1, xmm2", "0f38cbca" },
    { "crc32 eax, dword ptr [rsi]", "f20f38f106" },
    { "vpaddd ymm0, ymm1, [rsi]", "c5f5fe06" },
    { "vinserti128 ymm0, ymm1, xmm2, 1", "c4e37538c201" },
    { "vpermq ymm0, ymm1, 0x1b", "c4e3fd00c11b" },
    { "vbroadcastss ymm0, [rsi]", "c4e27d1806" },
    { "vpsllvd ymm0, ymm1, ymm2", "c4e27547c2" },
    { "vfmadd213ps ymm0, ymm1, ymm2", "c4e275a8c2" },
    { "mulx rax, rbx, rcx", "c4e2e3f6c1" },
    { "bzhi eax, ebx, ecx", "c4e270f5c3" },
    { "pdep eax, ebx, ecx", "c4e263f5c1" },
    { "rorx eax, ebx, 7", "c4e37bf0c307" },
    { "adcx eax, ebx", "660f38f6c3" },
    { "fsqrt", "d9fa" },
    { "fcomip st, st(1); ja +", "dff1770190" },
    { "fxch; fsubp", "d9c9dee9" },
    { "fldcw [rsi]", "d92e" },
    { "paddw mm0, mm1", "0ffdc1" },
};

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;

    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 |
                           g_ascii_xdigit_value(hex[2 * i + 1]));
    }
    return n;
}

/* CPU state, frame, and everything with an address become names. */
static void plain(GString *out, const char *insn)
{
    bool jump = insn[0] == 'j' || g_str_has_prefix(insn, "call");

    for (const char *p = insn; *p; ) {
        if (g_str_has_prefix(p, "[rbp") || g_str_has_prefix(p, "[rsp")) {
            g_string_append(out, p[2] == 'b' ? "[cpu" : "[frame");
            p = strchr(p, ']');
        } else if (g_str_has_prefix(p, "[rip")) {
            g_string_append(out, "[pool");
            p = strchr(p, ']');
        } else if (g_str_has_prefix(p, "0x") && (jump || strspn(p + 2, "0123456789abcdef") > 8)) {
            g_string_append_c(out, '@');
            p += 2 + strspn(p + 2, "0123456789abcdef");
        } else if (*p == ' ') {
            g_string_append_c(out, ' ');
            p += strspn(p, " ");
        } else {
            g_string_append_c(out, *p++);
        }
    }
}

/* What all have: the tests at the entry, and the call that raises #UD. */
static void cut_common(GString *s)
{
    static const char *const entry[] = {
        "cmp dword ptr [cpu], 0; jne @; ", "movabs rax, @; sub dword ptr [rax], 1; js @; ",
    };
    static const char raise[] = "call @; mov esi, 6; mov rdi, rbp; call @";

    for (unsigned k = 0; k < ARRAY_SIZE(entry); k++) {
        if (g_str_has_prefix(s->str, entry[k])) {
            g_string_erase(s, 0, (gssize)strlen(entry[k]));
        }
    }
    if (g_str_has_suffix(s->str, raise)) {
        g_string_truncate(s, s->len - strlen(raise));
    }
    if (g_str_has_suffix(s->str, "; ")) {
        g_string_truncate(s, s->len - 2);
    }
}

/* Of the first region in the log. */
static char *listing(const char *log)
{
    g_autofree char *text = NULL, *number = NULL;
    g_auto(GStrv) lines = NULL;
    GString *s = g_string_new(NULL);
    unsigned n = 0, first = 0, last = 0;

    if (!g_file_get_contents(log, &text, NULL, NULL)) {
        return g_string_free(s, false);
    }
    lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i] && (!first || !g_str_has_prefix(lines[i], "OUT: ")); i++) {
        if (g_str_has_prefix(lines[i], "OUT: ")) {
            first = i + 1;
        } else if (first && strstr(lines[i], ":  ud2")) {
            last = i;
        }
    }
    /* Where nothing raises, all of it. */
    for (unsigned i = first; lines[i] && (last ? i < last : !g_str_has_prefix(lines[i], "OUT: ")); i++) {
        const char *insn = strstr(lines[i], ":  ");

        if (insn && !g_str_has_prefix(insn + 3, "nop")) {
            g_string_append(s, n++ ? "; " : "");
            plain(s, insn + 3);
            while (s->str[s->len - 1] == ' ') {
                g_string_truncate(s, s->len - 1);
            }
        }
    }
    cut_common(s);
    number = g_strdup_printf("%u:%s", n, s->len ? " " : "");
    g_string_prepend(s, number);
    return g_string_free(s, false);
}

static char *all_listings(Test *t)
{
    g_autofree char *log = g_strdup_printf("%s/golden-%d.log", g_get_tmp_dir(), (int)getpid());
    GString *all = g_string_new(NULL);
    static XhState in, out;
    Xh *h = xh_new(&tcg_backend_x86_64);

    if (!check_true(t, h != NULL, "a CPU")) {
        return g_string_free(all, false);
    }
    xh_state_init(&in, 64);
    in.regs[R_SI] = in.regs[R_DI] = in.regs[R_AX] = XH_DATA;
    in.regs[R_SP] = XH_DATA + 0x800;
    for (size_t i = 0; i < ARRAY_SIZE(idioms); i++) {
        uint8_t code[64];
        size_t n = from_hex(idioms[i].bytes, code);

        code[n++] = 0x0f;
        code[n++] = 0x0b;
        for (unsigned k = 0; k < 2; k++) {
            g_autofree char *line = NULL;

            g_unlink(log);
            log_set_file(log);
            log_set_mask(LOG_OUT_ASM);
            xh_run(h, code, n, &in, &out);
            log_set_mask(0);
            log_set_file(NULL);
            line = listing(log);
            g_string_append_printf(all, "%s | %s | %s\n", idioms[i].text,
                                   tcg_options.tiers ? "quick" : "optimised", line);
        }
    }
    g_unlink(log);
    return g_string_free(all, false);
}

static bool comparable(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("fma") && __builtin_cpu_supports("popcnt");
}

TEST(x86_golden, host_code)
{
    g_autofree char *path = test_src_path("tests/target/i386/golden.txt");
    g_autofree char *want = NULL, *got = NULL;
    g_auto(GStrv) w = NULL, g = NULL;
    unsigned differ = 0;

    printf("# timeout: 240\n");         /* seven seconds of work, on a machine that has others too */
    if (!comparable()) {
        test_skip(t, "the file is of a host with AVX2, BMI2 and FMA");
        return;
    }
    got = all_listings(t);
    if (getenv("UPDATE_GOLDEN")) {
        check_true(t, g_file_set_contents(path, got, -1, NULL), "written");
        return;
    }
    if (!check_true(t, g_file_get_contents(path, &want, NULL, NULL), "golden.txt")) {
        return;
    }
    w = g_strsplit(want, "\n", -1);
    g = g_strsplit(got, "\n", -1);
    check_int(t, g_strv_length(g), g_strv_length(w), "lines");
    for (unsigned i = 0; w[i] && g[i]; i++) {
        if (strcmp(w[i], g[i]) && differ++ < 5) {
            test_fail(t, "was: %s\nis:  %s\n(UPDATE_GOLDEN=1 if it is meant)", w[i], g[i]);
        }
    }
}
