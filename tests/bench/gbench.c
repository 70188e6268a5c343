/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gbench.c - self-timed benchmark kernels for a guest under full-system emulation.
 *
 * Prints one line per kernel:   gbench <name> <ops_per_second>
 *
 *   gbench                 run everything
 *   gbench -l              list the kernels and what one "op" is
 *   gbench -t SECONDS      time to measure per kernel (default 1.0)
 *   gbench -n COUNT        repeat each kernel COUNT times, print the best
 *   gbench name...         run only these; a trailing * matches a prefix
 *
 * Each kernel is first run with growing counts until a run takes at least a
 * fifth of the measuring time; the count is then scaled and the last run is
 * what is reported, so start-up and translation costs mostly fall away. A
 * kernel stopped by a signal N is reported as "gbench <name> 0 killed-N".
 *
 * Portable C99 plus POSIX; the SIMD kernels use gcc's vector extension and
 * are built where the target has a unit for it; "jit" is x86 only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__powerpc__) || defined(__arm__)
#include <sys/auxv.h>
#endif

#define NOINLINE __attribute__((noinline, noclone))

static volatile uint64_t sink;
static volatile double dsink;

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static uint32_t rng_state = 12345;
static uint32_t rnd(void)
{
    uint32_t x = rng_state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return rng_state = x;
}

/* ---------------------------------------------------------------- integer */

static const uint32_t sha_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
};
#define ROR(x, n) (((x) >> (n)) | ((x) << (32 - (n))))

static void sha_block(uint32_t *h, const uint8_t *p)
{
    uint32_t w[64], a, b, c, d, e, f, g, hh, t1, t2;
    int i;
    for (i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
    for (; i < 64; i++)
        w[i] = w[i - 16] + (ROR(w[i - 15], 7) ^ ROR(w[i - 15], 18) ^ (w[i - 15] >> 3)) + w[i - 7] +
               (ROR(w[i - 2], 17) ^ ROR(w[i - 2], 19) ^ (w[i - 2] >> 10));
    a = h[0]; b = h[1]; c = h[2]; d = h[3]; e = h[4]; f = h[5]; g = h[6]; hh = h[7];
    for (i = 0; i < 64; i++) {
        t1 = hh + (ROR(e, 6) ^ ROR(e, 11) ^ ROR(e, 25)) + ((e & f) ^ (~e & g)) + sha_k[i] + w[i];
        t2 = (ROR(a, 2) ^ ROR(a, 13) ^ ROR(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        hh = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2;
    }
    h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e; h[5] += f; h[6] += g; h[7] += hh;
}

static uint8_t buf64k[65536];

static double k_sha256(long n)
{
    uint32_t h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    for (long i = 0; i < n; i++)
        sha_block(h, buf64k + (i & 1023) * 64);
    sink += h[0];
    return n;
}

static uint32_t crctab[256];
static double k_crc32(long n)
{
    uint32_t c = ~0u;
    if (!crctab[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t r = i;
            for (int k = 0; k < 8; k++)
                r = r & 1 ? (r >> 1) ^ 0xedb88320u : r >> 1;
            crctab[i] = r;
        }
    for (long i = 0; i < n; i++) {
        const uint8_t *p = buf64k + (i & 63) * 1024;
        for (int j = 0; j < 1024; j++)
            c = crctab[(c ^ p[j]) & 255] ^ (c >> 8);
    }
    sink += c;
    return n * 1024.0;
}

static double k_sieve(long n)
{
    static uint8_t s[65536];
    long cnt = 0;
    for (long it = 0; it < n; it++) {
        memset(s, 1, sizeof s);
        for (int i = 2; i < 256; i++)
            if (s[i])
                for (int j = i * i; j < 65536; j += i)
                    s[j] = 0;
        for (int i = 2; i < 65536; i++)
            cnt += s[i];
    }
    sink += cnt;
    return n * 65536.0;
}

static void qs(int32_t *a, int lo, int hi)
{
    while (lo < hi) {
        int32_t p = a[(lo + hi) >> 1];
        int i = lo, j = hi;
        while (i <= j) {
            while (a[i] < p) i++;
            while (a[j] > p) j--;
            if (i <= j) {
                int32_t t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        if (j - lo < hi - i) {
            qs(a, lo, j);
            lo = i;
        } else {
            qs(a, i, hi);
            hi = j;
        }
    }
}

static double k_quicksort(long n)
{
    static int32_t src[16384], a[16384];
    if (!src[0]) {
        rng_state = 99;
        for (int i = 0; i < 16384; i++)
            src[i] = (int32_t)rnd();
    }
    for (long it = 0; it < n; it++) {
        memcpy(a, src, sizeof a);
        qs(a, 0, 16383);
        sink += a[it & 16383];
    }
    return n * 16384.0;
}

/* A register bytecode machine: op, a, b, c. */
enum { B_LDI, B_ADD, B_SUB, B_MUL, B_XOR, B_SHR, B_AND, B_LDM, B_STM, B_JNZ, B_HALT };
struct binsn { uint8_t op, a, b, c; int32_t imm; };
static double k_interp(long n)
{
    static const struct binsn prog[] = {
        { B_LDI, 0, 0, 0, 1000 }, { B_LDI, 1, 0, 0, 1 },       { B_LDI, 2, 0, 0, 0x1234567 }, { B_LDI, 3, 0, 0, 1103515245 },
        { B_LDI, 4, 0, 0, 12345 }, { B_LDI, 6, 0, 0, 255 },
        /* loop: */
        { B_MUL, 2, 2, 3, 0 },    { B_ADD, 2, 2, 4, 0 },       { B_SHR, 5, 2, 0, 9 },         { B_AND, 5, 5, 6, 0 },
        { B_LDM, 7, 5, 0, 0 },    { B_XOR, 7, 7, 2, 0 },       { B_STM, 7, 5, 0, 0 },         { B_SUB, 0, 0, 1, 0 },
        { B_JNZ, 0, 0, 0, 6 },    { B_HALT, 0, 0, 0, 0 }
    };
    static uint32_t mem[256];
    double steps = 0;
    for (long it = 0; it < n; it++) {
        uint32_t r[8] = { 0 };
        const struct binsn *pc = prog;
        unsigned long count = 0;
        for (;;) {
            const struct binsn *i = pc++;
            count++;
            switch (i->op) {
            case B_LDI: r[i->a] = i->imm; continue;
            case B_ADD: r[i->a] = r[i->b] + r[i->c]; continue;
            case B_SUB: r[i->a] = r[i->b] - r[i->c]; continue;
            case B_MUL: r[i->a] = r[i->b] * r[i->c]; continue;
            case B_XOR: r[i->a] = r[i->b] ^ r[i->c]; continue;
            case B_SHR: r[i->a] = r[i->b] >> i->imm; continue;
            case B_AND: r[i->a] = r[i->b] & r[i->c]; continue;
            case B_LDM: r[i->a] = mem[r[i->b]]; continue;
            case B_STM: mem[r[i->b]] = r[i->a]; continue;
            case B_JNZ: if (r[i->a]) pc = prog + i->imm; continue;
            case B_HALT: break;
            }
            break;
        }
        sink += r[2];
        steps += count;
    }
    return steps;
}

static double k_muldiv64(long n)
{
    uint64_t a = 0x9e3779b97f4a7c15ull, b = 0xd1342543de82ef95ull, s = 0;
    for (long i = 0; i < n; i++) {
        a = a * 6364136223846793005ull + 1442695040888963407ull;
        b ^= a >> 29;
        uint64_t d = (b & 0xffffffffffull) | 1;
        s += a / d;
        s ^= a % (d | 0x10000);
        b = b * a + (int64_t)(s << 1) / (int64_t)((d >> 7) | 3);
    }
    sink += s + b;
    return n * 5.0;
}

/* -------------------------------------------------------- floating point */

/*
 * Own elementary functions, so that "whet_d" and "fft_d" do the same
 * arithmetic on every target whatever its C library does; libm itself is
 * measured by "libm_d".
 */
static NOINLINE double my_sin(double x)
{
    double k = (double)(long)(x * 0.31830988618379067 + (x < 0 ? -0.5 : 0.5));
    double r = x - k * 3.14159265358979312 - k * 1.2246467991473532e-16, q = r * r;
    double s = r * (1 + q * (-1 / 6.0 + q * (1 / 120.0 + q * (-1 / 5040.0 + q * (1 / 362880.0 + q * (-1 / 39916800.0 +
               q * (1 / 6227020800.0)))))));
    return (long)k & 1 ? -s : s;
}
static double my_cos(double x) { return my_sin(x + 1.57079632679489662); }
static NOINLINE double my_exp(double x)
{
    double y = x * 0.00390625, s = 1;
    s = 1 + y * (1 + y * (1 / 2.0 + y * (1 / 6.0 + y * (1 / 24.0 + y * (1 / 120.0 + y / 720.0)))));
    for (int i = 0; i < 8; i++)
        s *= s;
    return s;
}
static NOINLINE double my_atan(double x)
{
    double y = x / (1 + sqrt(1 + x * x)), q, s = 0;
    y = y / (1 + sqrt(1 + y * y));
    q = y * y;
    for (int k = 17; k >= 1; k -= 2)
        s = 1.0 / k - q * s;
    return 4 * y * s;
}

static double k_nbody(long n)
{
    double x[5] = { 0, 4.84143144246472090, 8.34336671824457987, 12.8943695621391310, 15.3796971148509165 };
    double y[5] = { 0, -1.16032004402742839, 4.12479856412430479, -15.1111514016986312, -25.9193146099879641 };
    double z[5] = { 0, -0.103622044471123109, -0.403523417114321381, -0.223307578892655734, 0.179258772950371181 };
    double vx[5] = { 0, 0.606326392995832, -1.01077434617879, 1.08279100644153, 0.979090732243898 };
    double vy[5] = { 0, 2.81198684491626, 1.82566237123041, 0.868713018169608, 0.594698998647676 };
    double vz[5] = { 0, -0.0252183616598876, 0.00841576137658415, -0.010832637401363, -0.034755955504078 };
    static const double m[5] = { 39.47841760435743, 0.03769367487038949, 0.011286326131968767, 0.0017237240570597112, 0.0020336868699246304 };
    const double dt = 0.001;
    for (long it = 0; it < n; it++) {
        for (int i = 0; i < 5; i++)
            for (int j = i + 1; j < 5; j++) {
                double dx = x[i] - x[j], dy = y[i] - y[j], dz = z[i] - z[j];
                double d2 = dx * dx + dy * dy + dz * dz;
                double mag = dt / (d2 * sqrt(d2));
                vx[i] -= dx * m[j] * mag; vy[i] -= dy * m[j] * mag; vz[i] -= dz * m[j] * mag;
                vx[j] += dx * m[i] * mag; vy[j] += dy * m[i] * mag; vz[j] += dz * m[i] * mag;
            }
        for (int i = 0; i < 5; i++) {
            x[i] += dt * vx[i]; y[i] += dt * vy[i]; z[i] += dt * vz[i];
        }
    }
    dsink += x[0] + y[1] + z[2];
    return n;
}

static double k_fft(long n)
{
    enum { N = 1024 };
    static double re[N], im[N], wr[N / 2], wi[N / 2];
    if (wr[0] == 0)
        for (int i = 0; i < N / 2; i++) {
            wr[i] = my_cos(2 * 3.14159265358979323846 * i / N);
            wi[i] = -my_sin(2 * 3.14159265358979323846 * i / N);
        }
    for (long it = 0; it < n; it++) {
        for (int i = 0; i < N; i++) {
            re[i] = (i * 7 + it) & 63;
            im[i] = 0;
        }
        for (int i = 1, j = 0; i < N; i++) {
            int bit = N >> 1;
            for (; j & bit; bit >>= 1)
                j ^= bit;
            j ^= bit;
            if (i < j) {
                double t = re[i]; re[i] = re[j]; re[j] = t;
            }
        }
        for (int len = 2; len <= N; len <<= 1) {
            int half = len / 2, step = N / len;
            for (int i = 0; i < N; i += len)
                for (int k = 0; k < half; k++) {
                    double ar = re[i + k + half], ai = im[i + k + half];
                    double tr = ar * wr[k * step] - ai * wi[k * step];
                    double ti = ar * wi[k * step] + ai * wr[k * step];
                    re[i + k + half] = re[i + k] - tr;
                    im[i + k + half] = im[i + k] - ti;
                    re[i + k] += tr;
                    im[i + k] += ti;
                }
        }
        dsink += re[it & (N - 1)];
    }
    return n;
}

#define MM 64
static double k_matmul_d(long n)
{
    static double a[MM][MM], b[MM][MM], c[MM][MM];
    for (int i = 0; i < MM; i++)
        for (int j = 0; j < MM; j++) {
            a[i][j] = i + j * 0.5;
            b[i][j] = i - j * 0.25;
        }
    for (long it = 0; it < n; it++) {
        for (int i = 0; i < MM; i++)
            for (int j = 0; j < MM; j++) {
                double s = 0;
                for (int k = 0; k < MM; k++)
                    s += a[i][k] * b[k][j];
                c[i][j] = s;
            }
        a[it & 63][0] += 1;
    }
    dsink += c[3][5];
    return n * (double)MM * MM * MM;
}

static double k_whet(long n)
{
    double x = 0.75, y = 0.5, s = 0;
    for (long i = 0; i < n; i++) {
        x = my_exp(my_sin(x) * 0.5) * 0.7;
        y = my_atan(my_cos(x) + y * 0.5);
        s += sqrt(x + y * y);
    }
    dsink += s;
    return n * 5.0;
}

static double k_libm(long n)
{
    double x = 0.75, y = 0.5, s = 0;
    for (long i = 0; i < n; i++) {
        x = exp(sin(x) * 0.5) * 0.7;
        y = atan(cos(x) + y * 0.5);
        s += sqrt(log(x + 1.5) + y * y);
    }
    dsink += s;
    return n * 6.0;
}

static float fa[MM][MM], fb[MM][MM], fc[MM][MM] __attribute__((aligned(16)));
static void fm_init(void)
{
    for (int i = 0; i < MM; i++)
        for (int j = 0; j < MM; j++) {
            fa[i][j] = i + j * 0.5f;
            fb[i][j] = i - j * 0.25f;
        }
}

__attribute__((optimize("no-tree-vectorize"))) static double k_matmul_f(long n)
{
    fm_init();
    for (long it = 0; it < n; it++) {
        for (int i = 0; i < MM; i++)
            for (int j = 0; j < MM; j++) {
                float s = 0;
                for (int k = 0; k < MM; k++)
                    s += fa[i][k] * fb[k][j];
                fc[i][j] = s;
            }
        fa[it & 63][0] += 1;
    }
    dsink += fc[3][5];
    return n * (double)MM * MM * MM;
}

#if defined(__x86_64__)
#define VEC_TARGET
#elif defined(__i386__)
#define VEC_TARGET __attribute__((target("sse2,fpmath=sse")))
#elif defined(__powerpc__)
#define VEC_TARGET __attribute__((target("altivec")))
#elif defined(__arm__) && defined(__ARM_FP)
#define VEC_TARGET __attribute__((target("fpu=neon")))
#endif
#ifdef VEC_TARGET
typedef float v4f __attribute__((vector_size(16)));
VEC_TARGET static double k_matmul_fv(long n)
{
    static v4f vb[MM][MM / 4], vc[MM][MM / 4];
    fm_init();
    memcpy(vb, fb, sizeof fb);
    for (long it = 0; it < n; it++) {
        for (int i = 0; i < MM; i++)
            for (int j = 0; j < MM / 4; j++) {
                v4f s = { 0, 0, 0, 0 };
                for (int k = 0; k < MM; k++) {
                    float t = fa[i][k];
                    v4f v = { t, t, t, t };
                    s += v * vb[k][j];
                }
                vc[i][j] = s;
            }
        fa[it & 63][0] += 1;
    }
    memcpy(fc, vc, sizeof fc);
    dsink += fc[3][5];
    return n * (double)MM * MM * MM;
}

typedef int32_t v4i __attribute__((vector_size(16)));
VEC_TARGET static double k_simd_int(long n)
{
    static v4i b[256];
    v4i s = { 1, 2, 3, 4 };
    for (long it = 0; it < n; it++)
        for (int i = 0; i < 256; i++) {
            v4i t = b[i];
            s = (s ^ t) + (s << 3);
            b[i] = t + (s & 0xffff) - (t > s);
        }
    sink += b[7][0] + b[9][3];
    return n * 256.0;
}

static int have_vec(void)
{
#if defined(__x86_64__)
    return 1;
#elif defined(__i386__)
    return __builtin_cpu_supports("sse2");
#elif defined(__powerpc__)
    return !!(getauxval(AT_HWCAP) & 0x10000000);
#else
    return !!(getauxval(AT_HWCAP) & (1 << 12));
#endif
}
#endif

static double k_mandel_f(long n)
{
    long c = 0;
    for (long it = 0; it < n; it++)
        for (int py = 0; py < 16; py++)
            for (int px = 0; px < 16; px++) {
                float cx = px * 0.125f - 1.5f, cy = py * 0.125f - 1.0f, x = 0, y = 0;
                int k = 0;
                for (; k < 100 && x * x + y * y < 4.0f; k++) {
                    float t = x * x - y * y + cx;
                    y = 2 * x * y + cy;
                    x = t;
                }
                c += k;
            }
    sink += c;
    return c;
}

/* ----------------------------------------------------------------- memory */

#define BIG (16u << 20)
static uint8_t *bigA, *bigB;
static void need_big(void)
{
    if (bigA)
        return;
    bigA = mmap(0, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bigB = mmap(0, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bigA == MAP_FAILED || bigB == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    memset(bigA, 1, BIG);
    memset(bigB, 2, BIG);
}

static void *(*volatile p_memcpy)(void *, const void *, size_t) = memcpy;
static double k_memcpy4k(long n)
{
    for (long i = 0; i < n; i++)
        p_memcpy(buf64k + 8192, buf64k + (i & 1) * 32768, 4096);
    return n * 4096.0;
}
static double k_memcpy16m(long n)
{
    need_big();
    for (long i = 0; i < n; i++)
        p_memcpy(i & 1 ? bigA : bigB, i & 1 ? bigB : bigA, BIG);
    return n * (double)BIG;
}

static void mkchain(uint32_t *p, uint32_t cnt)
{
    uint32_t *perm = malloc(cnt * sizeof *perm);
    rng_state = 4242;
    for (uint32_t i = 0; i < cnt; i++)
        perm[i] = i;
    for (uint32_t i = cnt - 1; i > 0; i--) {
        uint32_t j = rnd() % i, t = perm[i];
        perm[i] = perm[j];
        perm[j] = t;
    }
    /* one word per 64-byte line */
    for (uint32_t i = 0; i < cnt; i++)
        p[perm[i] * 16] = perm[(i + 1) % cnt] * 16;
    free(perm);
}
static double chase(uint32_t *p, long n)
{
    uint32_t x = 0;
    for (long i = 0; i < n; i++) {
        x = p[x]; x = p[x]; x = p[x]; x = p[x];
        x = p[x]; x = p[x]; x = p[x]; x = p[x];
    }
    sink += x;
    return n * 8.0;
}
static double k_chase64k(long n)
{
    static uint32_t *p;
    if (!p) {
        p = malloc(65536);
        mkchain(p, 65536 / 64);
    }
    return chase(p, n);
}
static double k_chase16m(long n)
{
    static uint32_t *p;
    if (!p) {
        p = mmap(0, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(p, 0, BIG);
        mkchain(p, BIG / 64);
    }
    return chase(p, n);
}

static double k_bytes(long n)
{
    uint32_t s = 0;
    for (long i = 0; i < n; i++) {
        uint8_t *p = buf64k + ((i * 131) & 32767);
        for (int j = 0; j < 256; j++) {
            uint16_t w;
            uint32_t l;
            memcpy(&w, p + j, 2);
            memcpy(&l, p + j + 1, 4);
            s += p[j] ^ w ^ l;
            p[j] = s >> 5;
        }
    }
    sink += s;
    return n * 256.0;
}

/* ------------------------------------------------------------------ calls */

#define F(n) static NOINLINE uint32_t f##n(uint32_t a) { return a * (2 * n + 3) + n; }
F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11) F(12) F(13) F(14) F(15)
static uint32_t (*volatile ftab[16])(uint32_t) = { f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15 };
static double k_fptable(long n)
{
    uint32_t x = 1;
    for (long i = 0; i < n; i++)
        x = ftab[(x >> 11) & 15](x + i);
    sink += x;
    return n;
}
static NOINLINE uint32_t fib(uint32_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}
static double k_fib(long n)
{
    for (long i = 0; i < n; i++)
        sink += fib(18);
    return n * 8361.0; /* calls in fib(18) */
}
static NOINLINE uint32_t deep(uint32_t n, volatile uint32_t *p)
{
    uint32_t r;
    if (!n)
        return *p;
    r = deep(n - 1, p);
    return r + *p; /* work after the call: no tail call */
}
static double k_deeprec(long n)
{
    volatile uint32_t v = 3;
    for (long i = 0; i < n; i++)
        sink += deep(10000, &v);
    return n * 10000.0;
}

/* ----------------------------------------------------------------- system */

static double k_getpid(long n)
{
    for (long i = 0; i < n; i++)
        sink += syscall(SYS_getpid);
    return n;
}

static double k_pingpong(long n)
{
    int a[2], b[2];
    char c = 'x';
    pid_t pid;
    if (pipe(a) || pipe(b))
        return 0;
    pid = fork();
    if (pid == 0) {
        for (long i = 0; i < n; i++)
            if (read(a[0], &c, 1) != 1 || write(b[1], &c, 1) != 1)
                break;
        _exit(0);
    }
    for (long i = 0; i < n; i++)
        if (write(a[1], &c, 1) != 1 || read(b[0], &c, 1) != 1)
            break;
    close(a[0]); close(a[1]); close(b[0]); close(b[1]);
    waitpid(pid, 0, 0);
    return n;
}

static double k_forkexit(long n)
{
    for (long i = 0; i < n; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        if (pid < 0)
            return 0;
        waitpid(pid, 0, 0);
    }
    return n;
}

static double k_pagefault(long n)
{
    enum { PAGES = 64 };
    long ps = sysconf(_SC_PAGESIZE);
    for (long i = 0; i < n; i++) {
        volatile uint8_t *p = mmap(0, PAGES * ps, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (int k = 0; k < PAGES; k++)
            p[k * ps] = k;
        munmap((void *)p, PAGES * ps);
    }
    return n * (double)PAGES;
}

static volatile long nsig;
static void onsig(int s)
{
    (void)s;
    nsig++;
}
static double k_signal(long n)
{
    pid_t me = getpid();
    signal(SIGUSR1, onsig);
    for (long i = 0; i < n; i++)
        kill(me, SIGUSR1);
    return n;
}

/* ------------------------------------------------- self-modifying (x86) */

#if defined(__x86_64__) || defined(__i386__)
/* Writes a fresh little function and calls it, for every op. */
static double k_jit(long n)
{
    static uint8_t *p;
    uint32_t s = 0;
    if (!p)
        p = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return 0;
    for (long i = 0; i < n; i++) {
        uint8_t *q = p + (i & 15) * 64;
        uint32_t imm = (uint32_t)i * 2654435761u;
        uint32_t (*f)(void);
        q[0] = 0xb8;                   /* mov eax, imm */
        memcpy(q + 1, &imm, 4);
        q[5] = i & 1 ? 0x35 : 0x05;    /* xor/add eax, imm */
        memcpy(q + 6, &s, 4);
        q[10] = 0xc3;                  /* ret */
        memcpy(&f, &q, sizeof f);
        s = f();
    }
    sink += s;
    return n;
}
/* Patches one immediate inside a loop body that is itself being executed. */
static double k_smcpatch(long n)
{
    static uint8_t *p;
    uint32_t s = 0;
    uint32_t (*f)(void);
    if (!p)
        p = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return 0;
    /* mov ecx,100; xor eax,eax; L: add eax,imm; dec ecx (ff c9); jnz L; ret */
    static const uint8_t code[] = { 0xb9, 100, 0, 0, 0, 0x31, 0xc0, 0x05, 1, 0, 0, 0, 0xff, 0xc9, 0x75, 0xf7, 0xc3 };
    memcpy(p, code, sizeof code);
    memcpy(&f, &p, sizeof f);
    for (long i = 0; i < n; i++) {
        p[8] = (uint8_t)i;
        s += f();
    }
    sink += s;
    return n;
}
#endif

/* -------------------------------------------------------------------- main */

static sigjmp_buf died;
static void on_death(int s)
{
    siglongjmp(died, s);
}

struct kernel {
    const char *name;
    double (*fn)(long);
    long start;
    const char *op;
};
static const struct kernel kernels[] = {
    { "sha256", k_sha256, 64, "64-byte block" },
    { "crc32", k_crc32, 16, "byte" },
    { "sieve", k_sieve, 1, "number sieved (64 Ki per pass)" },
    { "quicksort", k_quicksort, 1, "element sorted (16 Ki array)" },
    { "interp", k_interp, 1, "bytecode instruction" },
    { "muldiv64", k_muldiv64, 256, "64-bit multiply, divide or remainder" },
    { "nbody_d", k_nbody, 32, "step of 5 bodies" },
    { "fft_d", k_fft, 1, "1024-point transform" },
    { "matmul_d", k_matmul_d, 1, "multiply-add" },
    { "whet_d", k_whet, 64, "elementary function (own code)" },
    { "libm_d", k_libm, 64, "libm call" },
    { "matmul_f", k_matmul_f, 1, "multiply-add" },
    { "mandel_f", k_mandel_f, 1, "inner iteration" },
#ifdef VEC_TARGET
    { "matmul_fv", k_matmul_fv, 1, "multiply-add (4-lane vectors)" },
    { "simd_int", k_simd_int, 4, "vector of 4 x int32" },
#endif
    { "memcpy4k", k_memcpy4k, 64, "byte" },
    { "memcpy16m", k_memcpy16m, 1, "byte" },
    { "chase64k", k_chase64k, 1024, "dependent load" },
    { "chase16m", k_chase16m, 1024, "dependent load" },
    { "unaligned", k_bytes, 16, "group of byte/16/32-bit loads and a store" },
    { "fptable", k_fptable, 1024, "indirect call" },
    { "fib", k_fib, 1, "call" },
    { "deeprec", k_deeprec, 1, "call" },
    { "getpid", k_getpid, 256, "system call" },
    { "pingpong", k_pingpong, 16, "round trip" },
    { "forkexit", k_forkexit, 4, "fork+exit+wait" },
    { "pagefault", k_pagefault, 4, "page touched (mmap 64, touch, munmap)" },
    { "signal", k_signal, 64, "signal delivered" },
#if defined(__x86_64__) || defined(__i386__)
    { "jit", k_jit, 16, "function written and called" },
    { "smcpatch", k_smcpatch, 16, "patch and 100-turn loop" },
#endif
};
enum { NK = sizeof kernels / sizeof *kernels };

static int wanted(const char *name, char **av, int n)
{
    if (n == 0)
        return 1;
    for (int i = 0; i < n; i++) {
        size_t l = strlen(av[i]);
        if (!strcmp(av[i], name) || (l && av[i][l - 1] == '*' && !strncmp(av[i], name, l - 1)))
            return 1;
    }
    return 0;
}

static double measure(const struct kernel *k, double want, int reps)
{
    double best = 0, dt, t0;
    long n = k->start;
    for (;;) {
        t0 = now();
        if (k->fn(n) == 0)
            return 0;
        dt = now() - t0;
        if (dt >= want / 5 || n > LONG_MAX / 16)
            break;
        n *= dt < want / 100 ? 8 : 2;
    }
    /* a clock that jumped must not make the count absurd */
    if (dt < 10 * want)
        n = (long)(n * (want / dt));
    if (n < 1)
        n = 1;
    while (reps-- > 0) {
        double ops;
        t0 = now();
        ops = k->fn(n);
        dt = now() - t0;
        if (dt > 0 && ops / dt > best)
            best = ops / dt;
    }
    return best;
}

int main(int argc, char **argv)
{
    static double want = 1.0, total;
    static int reps = 1, i;
    int c, sig;
    while ((c = getopt(argc, argv, "lt:n:")) != -1)
        switch (c) {
        case 'l':
            for (i = 0; i < NK; i++)
                printf("%-10s %s\n", kernels[i].name, kernels[i].op);
            return 0;
        case 't': want = atof(optarg); break;
        case 'n': reps = atoi(optarg); break;
        default: return 2;
        }
    for (size_t j = 0; j < sizeof buf64k; j++)
        buf64k[j] = (uint8_t)rnd();
    setvbuf(stdout, 0, _IOLBF, 0);
    signal(SIGILL, on_death);
    signal(SIGSEGV, on_death);
    signal(SIGFPE, on_death);
    total = now();
    for (i = 0; i < NK; i++) {
        if (!wanted(kernels[i].name, argv + optind, argc - optind))
            continue;
#ifdef VEC_TARGET
        if ((kernels[i].fn == k_matmul_fv || kernels[i].fn == k_simd_int) && !have_vec())
            continue;
#endif
        if ((sig = sigsetjmp(died, 1)) != 0)
            printf("gbench %s 0 killed-%d\n", kernels[i].name, sig);
        else
            printf("gbench %s %.0f\n", kernels[i].name, measure(&kernels[i], want, reps));
    }
    printf("gbench-total-seconds %.1f\n", now() - total);
    return 0;
}
