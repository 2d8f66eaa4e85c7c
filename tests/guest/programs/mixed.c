/*
 * mixed - a program of mixed work, to compare processors with.
 *
 * It does a bit of everything that programs do, and prints one line per section
 * with a checksum of all results. The output is the same on each correct
 * little-endian 64-bit Linux machine, whatever its instruction set, page size,
 * number of processors and speed: nothing undefined or left to the
 * implementation is summed up, no libm function that may differ in the last
 * place is called, and times are checked but not printed. It must be built with
 * -ffp-contract=off; see `build`. mixed.expected holds the output.
 *
 * Usage: mixed [SECTION]...  all sections if none is named.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef unsigned __int128 u128;
typedef __int128 s128;

static const char *section = "start";

static void fail(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    fflush(stdout);
    fprintf(stderr, "mixed: %s: ", section);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    _exit(1);
}

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond))                                                           \
            fail("line %d: %s is false (errno %d)", __LINE__, #cond, errno);   \
    } while (0)

/* --- checksums and pseudo-random numbers ---------------------------------- */

static uint64_t sum_bytes(uint64_t sum, const void *data, size_t size)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < size; i++)
        sum = (sum ^ p[i]) * 0x100000001b3;
    return sum;
}

static uint64_t sum_u64(uint64_t sum, uint64_t value)
{
    return sum_bytes(sum, &value, sizeof value);
}

static uint64_t sum_double(uint64_t sum, double value)
{
    return sum_bytes(sum, &value, sizeof value);
}

static uint64_t sum_float(uint64_t sum, float value)
{
    return sum_bytes(sum, &value, sizeof value);
}

#define SUM_START 0xcbf29ce484222325

static uint64_t rng_state = 1;

static uint64_t rng(void)
{
    uint64_t z = rng_state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* A number with a random number of bits: small ones and edges matter. */
static uint64_t rng_any(void)
{
    uint64_t value = rng();

    value >>= rng() & 63;
    switch (rng() & 15) {
    case 0: return value & 1;
    case 1: return 0 - value;
    case 2: return UINT64_MAX;
    case 3: return INT64_MAX;
    case 4: return (uint64_t)INT64_MIN;
    default: return value;
    }
}

/* --- integers ------------------------------------------------------------- */

static uint64_t rotate64(uint64_t v, unsigned n)
{
    return v << (n & 63) | v >> (-n & 63);
}

static uint32_t rotate32(uint32_t v, unsigned n)
{
    return v << (n & 31) | v >> (-n & 31);
}

static uint32_t crc32_bits(uint32_t crc, const unsigned char *p, size_t n)
{
    crc = ~crc;
    while (n--) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
    }
    return ~crc;
}

static uint32_t crc32_table(uint32_t crc, const unsigned char *p, size_t n)
{
    static uint32_t table[256];

    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;

            for (int k = 0; k < 8; k++)
                c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
            table[i] = c;
        }
    crc = ~crc;
    while (n--)
        crc = table[(crc ^ *p++) & 0xff] ^ crc >> 8;
    return ~crc;
}

static uint64_t power_mod(uint64_t base, uint64_t exponent, uint64_t modulus)
{
    uint64_t result = 1;

    for (base %= modulus; exponent; exponent >>= 1) {
        if (exponent & 1)
            result = (u128)result * base % modulus;
        base = (u128)base * base % modulus;
    }
    return result;
}

static uint64_t do_integer(void)
{
    uint64_t sum = SUM_START;
    static unsigned char data[20000];

    for (int i = 0; i < 60000; i++) {
        uint64_t a = rng_any(), b = rng_any();
        int64_t sa = (int64_t)a, sb = (int64_t)b;
        unsigned n = (unsigned)b;
        uint64_t r;

        r = a + b;
        r ^= (a - b) * 3;
        r += a * b;
        r ^= (uint64_t)((u128)a * b >> 64);
        r += (uint64_t)((s128)sa * sb >> 64);
        r ^= rotate64(a, n) + rotate32((uint32_t)a, n);
        r += a << (n & 63) ^ b >> (a & 63);
        r ^= (uint64_t)(sa >> (n & 63)) + (uint64_t)((int32_t)a >> (n & 31));
        if (b)
            r += a / b * 5 + a % b;
        if ((uint32_t)b)
            r ^= (uint32_t)a / (uint32_t)b + ((uint64_t)((uint32_t)a % (uint32_t)b) << 32);
        if (sb && !(sa == INT64_MIN && sb == -1))
            r += (uint64_t)(sa / sb) * 7 ^ (uint64_t)(sa % sb);
        if ((int32_t)b && !((int32_t)a == INT32_MIN && (int32_t)b == -1))
            r ^= (uint64_t)(int64_t)((int32_t)a / (int32_t)b) +
                 (uint64_t)(int64_t)((int32_t)a % (int32_t)b);
        r += a / 10 + a % 1000003 + (uint64_t)(sa / 7) + (uint64_t)(sa % 127);
        r ^= (uint64_t)__builtin_popcountll(a) << 8 | (unsigned)__builtin_popcount((unsigned)b);
        if (a)
            r += (uint64_t)(__builtin_clzll(a) * 64 + __builtin_ctzll(a));
        r ^= __builtin_bswap64(b) + __builtin_bswap32((uint32_t)a) + __builtin_bswap16((uint16_t)b);
        r += (uint64_t)(a < b) | (uint64_t)(sa < sb) << 1 | (uint64_t)((int32_t)a <= (int32_t)b) << 2 |
             (uint64_t)((uint8_t)a > (uint8_t)b) << 3 | (uint64_t)((int8_t)a > (int8_t)b) << 4;
        r ^= (uint64_t)(int64_t)(int8_t)a + (uint64_t)(int64_t)(int16_t)b + (uint64_t)(int64_t)(int32_t)r;
        r += (a & ~b) ^ (a | ~b) ^ ~(a & b) ^ ~(a | b) ^ ~(a ^ b);
        {
            uint64_t t;
            int64_t st;
            int32_t si;

            r += __builtin_add_overflow(a, b, &t);
            r ^= t + __builtin_sub_overflow(sa, sb, &st);
            r += (uint64_t)st ^ (uint64_t)__builtin_mul_overflow(sa, sb, &st);
            r ^= (uint64_t)st + __builtin_add_overflow((int32_t)a, (int32_t)b, &si) + (uint32_t)si;
        }
        sum = sum_u64(sum, r);
    }
    /* Primes, by sieve and by powers. */
    {
        static unsigned char composite[30000];
        uint64_t found = 0;

        for (unsigned i = 2; i < sizeof composite; i++) {
            if (composite[i])
                continue;
            found += i;
            for (unsigned k = i * 2; k < sizeof composite; k += i)
                composite[k] = 1;
        }
        sum = sum_u64(sum, found);
        for (uint64_t i = 1; i < 60; i++)
            sum = sum_u64(sum, power_mod(i, rng(), UINT64_MAX - 58));
    }
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)rng();
    CHECK(crc32_bits(0, (const unsigned char *)"123456789", 9) == 0xcbf43926);
    CHECK(crc32_bits(0, data, sizeof data) == crc32_table(0, data, sizeof data));
    return sum_u64(sum, crc32_table(0, data, sizeof data));
}

static u128 rng_any128(void)
{
    u128 high = rng_any();

    return high << 64 | rng_any();
}

static uint64_t do_int128(void)
{
    uint64_t sum = SUM_START;

    for (int i = 0; i < 15000; i++) {
        u128 a = rng_any128();
        u128 b = rng_any128();
        s128 sa = (s128)a, sb = (s128)b;
        unsigned n = (unsigned)rng() & 127;
        u128 r;

        if (i & 1)
            b >>= n, sb >>= n;
        r = a + b;
        r ^= a - b;
        r += a * b;
        r ^= a << n ^ b >> n;
        r += (u128)(sa >> n);
        if (b)
            r ^= a / b + a % b * 3;
        if (sb > 0 || sb < -1)
            r += (u128)(sa / sb) ^ (u128)(sa % sb);
        r += (u128)(a < b) | (u128)(sa < sb) << 1 | (u128)(a == b) << 2;
        sum = sum_bytes(sum, &r, sizeof r);
    }
    /* A thousand digits of 2^3321 or so, in base 10^18. */
    {
        uint64_t digits[60] = {1};

        for (int i = 0; i < 3321; i++) {
            uint64_t carry = 0;

            for (int k = 0; k < 60; k++) {
                u128 t = (u128)digits[k] * 2 + carry;

                digits[k] = (uint64_t)(t % 1000000000000000000u);
                carry = (uint64_t)(t / 1000000000000000000u);
            }
        }
        sum = sum_bytes(sum, digits, sizeof digits);
    }
    return sum;
}

/* --- floating point ------------------------------------------------------- */

/* A finite double of any size, subnormal ones included. */
static double rng_double(void)
{
    uint64_t bits;
    double d;

    switch (rng() & 7) {
    case 0: bits = rng(); break;
    case 1: bits = rng() & 0x800fffffffffffff; break;
    case 2: return (double)(int64_t)rng_any();
    default: bits = (rng() & 0x807fffffffffffff) + 0x3fc0000000000000; break;
    }
    if ((bits >> 52 & 0x7ff) == 0x7ff)
        bits ^= 1ull << 62;
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* The sign and payload of a NaN that an operation makes differ by processor. */
static uint64_t sum_result(uint64_t sum, double d)
{
    return isnan(d) ? sum_u64(sum, 0x7ff8000000000000) : sum_double(sum, d);
}

static uint64_t sum_resultf(uint64_t sum, float f)
{
    return isnan(f) ? sum_u64(sum, 0x7fc00000) : sum_float(sum, f);
}

static const int rounding_modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_UPWARD, FE_DOWNWARD};

static uint64_t do_float(void)
{
    uint64_t sum = SUM_START;
    double harmonic = 0, newton, total = 0;

    for (int i = 1; i <= 100000; i++)
        harmonic += 1.0 / i;
    CHECK(harmonic > 12.09 && harmonic < 12.1);

    newton = 1;
    for (int i = 0; i < 8; i++)
        newton = (newton + 2 / newton) / 2;
    for (int i = 0; i < 20000; i++)
        total += sqrt(i) * (i & 1 ? 1 : -0.5);
    printf("mixed: float harmonic %a newton %a roots %a\n", harmonic, newton, total);
    sum = sum_double(sum_double(sum_double(sum, harmonic), newton), total);

    for (int i = 0; i < 20000; i++) {
        /* volatile, since the compiler must not move it over fesetround(). */
        volatile double a = rng_double(), b = rng_double(), c = rng_double(), r;
        volatile float fa = (float)a, fb = (float)b, fr;
        volatile uint64_t u = rng_any();

        CHECK(!fesetround(rounding_modes[i & 3]));
        r = a + b, sum = sum_result(sum, r);
        r = a - b, sum = sum_result(sum, r);
        r = a * b, sum = sum_result(sum, r);
        r = a / b, sum = sum_result(sum, r);
        r = sqrt(fabs(a)), sum = sum_result(sum, r);
        if (!(i & 7))
            r = fma(a, b, c), sum = sum_result(sum, r);
        r = rint(a), sum = sum_result(sum, r);
        r = (double)u, sum = sum_result(sum, r);
        r = (double)(int64_t)u, sum = sum_result(sum, r);
        r = (double)(uint32_t)u, sum = sum_result(sum, r);
        r = (double)(int32_t)u, sum = sum_result(sum, r);
        fr = (float)a, sum = sum_resultf(sum, fr);
        fr = fa + fb, sum = sum_resultf(sum, fr);
        fr = fa * fb, sum = sum_resultf(sum, fr);
        fr = fa / fb, sum = sum_resultf(sum, fr);
        fr = sqrtf(fabsf(fa)), sum = sum_resultf(sum, fr);
        fr = (float)u, sum = sum_resultf(sum, fr);
        fr = (float)(int64_t)u, sum = sum_resultf(sum, fr);
        fr = (float)(int32_t)u, sum = sum_resultf(sum, fr);
        r = fr, sum = sum_result(sum, r);
        if (fabs(a) < 9e18) {
            sum = sum_u64(sum, (uint64_t)(int64_t)a);
            sum = sum_u64(sum, (uint64_t)llrint(a));
            if (a >= 0)
                sum = sum_u64(sum, (uint64_t)a);
        }
        if (fabs(a) < 2e9)
            sum = sum_u64(sum, (uint64_t)(int64_t)(int32_t)a);
        if (fabsf(fa) < 2e9f)
            sum = sum_u64(sum, (uint64_t)(int64_t)(int32_t)fa);
        CHECK(!fesetround(FE_TONEAREST));

        r = floor(a), sum = sum_result(sum, r);
        r = ceil(b), sum = sum_result(sum, r);
        r = trunc(c), sum = sum_result(sum, r);
        r = round(a), sum = sum_result(sum, r);
        r = copysign(a, b), sum = sum_result(sum, r);
        sum = sum_u64(sum, (uint64_t)((a < b) | (a > b) << 1 | (a == b) << 2 | (fa <= fb) << 3 |
                                      (a >= c) << 4 | !!signbit(b) << 5));
    }

    /* What is not a number compares as such. */
    {
        volatile double zero = 0, one = 1, inf = one / zero, nan = inf - inf;

        CHECK(isinf(inf) && isnan(nan) && nan != nan);
        CHECK(!(nan < one) && !(nan > one) && !(nan == one) && isunordered(nan, inf));
        CHECK(-zero == zero && signbit(-zero) && one / -zero == -inf);
        CHECK(isnan(nan + one) && isnan(zero * inf) && isnan(sqrt(-one)) && isnan(fma(nan, one, one)));
    }
    /* Exceptions are noted. */
    {
        volatile double one = 1, zero = 0, huge = 0x1p1023, tiny = 0x1p-1022, r;

        feclearexcept(FE_ALL_EXCEPT);
        r = one / zero;
        CHECK(fetestexcept(FE_ALL_EXCEPT) == FE_DIVBYZERO);
        feclearexcept(FE_ALL_EXCEPT);
        r = huge * 4;
        CHECK(fetestexcept(FE_ALL_EXCEPT) == (FE_OVERFLOW | FE_INEXACT));
        feclearexcept(FE_ALL_EXCEPT);
        r = tiny / 3;
        CHECK(fetestexcept(FE_ALL_EXCEPT) == (FE_UNDERFLOW | FE_INEXACT));
        feclearexcept(FE_ALL_EXCEPT);
        r = zero / zero;
        CHECK(fetestexcept(FE_ALL_EXCEPT) == FE_INVALID);
        feclearexcept(FE_ALL_EXCEPT);
        r = one / 2;
        CHECK(fetestexcept(FE_ALL_EXCEPT) == 0);
        (void)r;
    }
    /* Mandelbrot's set, and three bodies that attract each other. */
    {
        double p[3][3] = {{0, 0, 0}, {4.84, -1.16, -0.10}, {8.34, 4.12, -0.4}};
        double v[3][3] = {{0, 0, 0}, {0.6, 2.81, -0.02}, {-1.01, 1.82, 0.008}};
        static const double m[3] = {39.47, 0.037, 0.011};
        unsigned inside = 0;

        for (int y = 0; y < 48; y++)
            for (int x = 0; x < 64; x++) {
                double cr = -2 + x * 0.047, ci = -1.2 + y * 0.05, zr = 0, zi = 0;
                unsigned n;

                for (n = 0; n < 100 && zr * zr + zi * zi < 4; n++) {
                    double t = zr * zr - zi * zi + cr;

                    zi = 2 * zr * zi + ci;
                    zr = t;
                }
                inside += n;
            }
        sum = sum_u64(sum, inside);
        for (int step = 0; step < 2000; step++) {
            for (int i = 0; i < 3; i++)
                for (int k = 0; k < 3; k++) {
                    double d[3], r2 = 0, f;

                    if (i == k)
                        continue;
                    for (int c = 0; c < 3; c++) {
                        d[c] = p[i][c] - p[k][c];
                        r2 += d[c] * d[c];
                    }
                    f = 0.001 * m[k] / (r2 * sqrt(r2));
                    for (int c = 0; c < 3; c++)
                        v[i][c] -= d[c] * f;
                }
            for (int i = 0; i < 3; i++)
                for (int c = 0; c < 3; c++)
                    p[i][c] += 0.001 * v[i][c];
        }
        printf("mixed: float bodies %a %a %a\n", p[0][0], p[1][1], p[2][2]);
        sum = sum_bytes(sum, p, sizeof p);
    }
    return sum;
}

static uint64_t do_decimal(void)
{
    uint64_t sum = SUM_START;
    char text[400];

    /* Printing and reading numbers is exact in the C library. */
    for (int i = 0; i < 1500; i++) {
        double d = rng_double(), back;
        float f = (float)(i * 0.37);
        /* Not in the call: the order of arguments is the compiler's choice. */
        uint64_t w = rng_any(), x = rng_any(), y = rng_any(), z = rng();
        int n = snprintf(text, sizeof text, "%.17g %a %.3f %g", d, d, (double)f, d);

        sum = sum_bytes(sum, text, (size_t)n);
        back = strtod(text, NULL);
        CHECK(!memcmp(&back, &d, sizeof d));
        n = snprintf(text, sizeof text, "%lld %llx %llo %+08d %-6u|%c%%",
                     (long long)w, (unsigned long long)x, (unsigned long long)y, (int)z,
                     (unsigned)(z >> 40), (int)('a' + i % 26));
        sum = sum_bytes(sum, text, (size_t)n);
        sum = sum_u64(sum, strtoull(text, NULL, 0));
    }
    return sum;
}

/* --- vectors: the compiler makes vector instructions of these ------------- */

typedef uint8_t v_u8 __attribute__((vector_size(16)));
typedef int8_t v_s8 __attribute__((vector_size(16)));
typedef uint16_t v_u16 __attribute__((vector_size(16)));
typedef int16_t v_s16 __attribute__((vector_size(16)));
typedef uint32_t v_u32 __attribute__((vector_size(16)));
typedef int32_t v_s32 __attribute__((vector_size(16)));
typedef uint64_t v_u64 __attribute__((vector_size(16)));
typedef int64_t v_s64 __attribute__((vector_size(16)));
typedef float v_f32 __attribute__((vector_size(16)));
typedef double v_f64 __attribute__((vector_size(16)));

/* Integer vectors of one element type: US unsigned, S signed, W its width. */
#define VECTOR_WORK(US, S, W)                                                  \
    do {                                                                       \
        US a, b, r;                                                            \
        S sa, sb;                                                              \
                                                                               \
        memcpy(&a, bytes, 16);                                                 \
        memcpy(&b, bytes + 17, 16);                                            \
        sa = (S)a, sb = (S)b;                                                  \
        r = a + b;                                                             \
        r ^= (a - b) * (a ^ 3);                                                \
        r += a << (b & (W - 1));                                               \
        r ^= a >> (b & (W - 1));                                               \
        r += (US)(sa >> (sb & (W - 1)));                                       \
        r ^= (US)(a > b) & ~b;                                                 \
        r += (US)(sa > sb) | (US)(a == b);                                     \
        r ^= ((US)(a > b) & a) | (~(US)(a > b) & b);                           \
        r += ((US)(sa < sb) & a) | (~(US)(sa < sb) & b);                       \
        r ^= (a & 15) + (b << 1) + (a >> 3);                                   \
        sum = sum_bytes(sum, &r, 16);                                          \
    } while (0)

static uint64_t do_vector(void)
{
    uint64_t sum = SUM_START;

    for (int i = 0; i < 3000; i++) {
        unsigned char bytes[48];

        for (int k = 0; k < 48; k += 8) {
            uint64_t word = rng_any();

            memcpy(bytes + k, &word, 8);
        }
        VECTOR_WORK(v_u8, v_s8, 8);
        VECTOR_WORK(v_u16, v_s16, 16);
        VECTOR_WORK(v_u32, v_s32, 32);
        VECTOR_WORK(v_u64, v_s64, 64);
        /* Bytes in another order, which the data says. */
        {
            v_u8 a, b, order, r;

            memcpy(&a, bytes, 16);
            memcpy(&b, bytes + 16, 16);
            memcpy(&order, bytes + 32, 16);
            r = __builtin_shuffle(a, b, order);
            sum = sum_bytes(sum, &r, 16);
            r = __builtin_shuffle(a, b, (v_u8){0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23});
            sum = sum_bytes(sum, &r, 16);
        }
        {
            v_f64 a = {rng_double(), (double)i}, b = {1.5, rng_double()}, r;
            v_f32 fa = {(float)i, (float)i / 7, 0.25f, (float)(i * 7)}, fb = {3, 0.1f, (float)i + 1, -2}, fr;
            v_s32 si = {i, -i, i * 1000, 7};
            v_s64 sl = {(int64_t)rng(), -i};

            r = a + b, sum = sum_result(sum_result(sum, r[0]), r[1]);
            r = a * b, sum = sum_result(sum_result(sum, r[0]), r[1]);
            r = a / b, sum = sum_result(sum_result(sum, r[0]), r[1]);
            r = (v_f64)((v_s64)a & (a > b)), sum = sum_bytes(sum, &r, 16);
            r = __builtin_convertvector(sl, v_f64), sum = sum_bytes(sum, &r, 16);
            fr = (fa + fb) * fb - fa / fb, sum = sum_bytes(sum, &fr, 16);
            fr = (v_f32)((v_s32)fa & (fa < fb)), sum = sum_bytes(sum, &fr, 16);
            fr = __builtin_convertvector(si, v_f32), sum = sum_bytes(sum, &fr, 16);
            si = __builtin_convertvector(fr, v_s32), sum = sum_bytes(sum, &si, 16);
        }
    }
    /* Loops that the compiler may make vectors of. */
    {
        static int32_t x[1003], y[1003];
        static float f[1003], g[1003];
        static double d[1003];
        static uint8_t b[1003];
        int32_t most = INT32_MIN;
        uint32_t all = 0;

        for (int i = 0; i < 1003; i++)
            x[i] = (int32_t)rng(), y[i] = (int32_t)rng() >> 8, b[i] = (uint8_t)rng();
        for (int i = 0; i < 1003; i++)
            f[i] = (float)y[i], d[i] = (double)x[i] * 0.5;
        for (int i = 0; i < 1003; i++)
            g[i] = f[i] * 3.25f + 1.0f, d[i] = d[i] / 3 + f[i];
        for (int i = 0; i < 1003; i++) {
            most = x[i] > most ? x[i] : most;
            all += (uint32_t)x[i] * (uint32_t)b[i];
            y[i] = x[i] < y[i] ? x[i] : (y[i] < 0 ? -y[i] : y[i]);
        }
        sum = sum_bytes(sum, y, sizeof y);
        sum = sum_bytes(sum, g, sizeof g);
        sum = sum_bytes(sum, d, sizeof d);
        sum = sum_u64(sum_u64(sum, (uint64_t)(int64_t)most), all);
    }
    return sum;
}

/* --- sorting and strings -------------------------------------------------- */

static int by_int(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

static int by_string(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void heap_sort(uint64_t *v, size_t n)
{
    for (size_t start = n / 2, end = n; end > 1;) {
        size_t root;
        uint64_t t;

        if (start) {
            start--;
        } else {
            end--;
            t = v[end], v[end] = v[0], v[0] = t;
        }
        root = start;
        while (root * 2 + 1 < end) {
            size_t child = root * 2 + 1;

            if (child + 1 < end && v[child] < v[child + 1])
                child++;
            if (v[root] >= v[child])
                break;
            t = v[root], v[root] = v[child], v[child] = t;
            root = child;
        }
    }
}

static uint64_t do_sort(void)
{
    enum { N = 12000 };
    uint64_t sum = SUM_START;
    int *numbers = malloc(N * sizeof *numbers);
    char **strings = malloc(N * sizeof *strings);
    uint64_t *heap = malloc(N * sizeof *heap);

    CHECK(numbers && strings && heap);
    for (int i = 0; i < N; i++) {
        size_t n = rng() % 24;

        numbers[i] = (int)rng();
        heap[i] = rng_any();
        CHECK((strings[i] = malloc(n + 1)));
        for (size_t k = 0; k < n; k++)
            strings[i][k] = (char)('a' + rng() % 5);
        strings[i][n] = 0;
    }
    qsort(numbers, N, sizeof *numbers, by_int);
    qsort(strings, N, sizeof *strings, by_string);
    heap_sort(heap, N);
    for (int i = 1; i < N; i++)
        CHECK(numbers[i - 1] <= numbers[i] && strcmp(strings[i - 1], strings[i]) <= 0 &&
              heap[i - 1] <= heap[i]);
    CHECK(bsearch(&numbers[77], numbers, N, sizeof *numbers, by_int));
    sum = sum_bytes(sum, numbers, N * sizeof *numbers);
    sum = sum_bytes(sum, heap, N * sizeof *heap);
    for (int i = 0; i < N; i++) {
        sum = sum_bytes(sum, strings[i], strlen(strings[i]) + 1);
        free(strings[i]);
    }
    free(numbers);
    free(strings);
    free(heap);
    return sum;
}

static uint64_t do_string(void)
{
    uint64_t sum = SUM_START;
    unsigned char *a = malloc(4096), *b = malloc(4096);
    long page = sysconf(_SC_PAGESIZE);
    unsigned char *edge;

    CHECK(a && b);
    for (size_t i = 0; i < 4096; i++)
        a[i] = (unsigned char)(rng() % 255 + 1), b[i] = (unsigned char)i;
    for (size_t to = 0; to < 18; to++)
        for (size_t from = 0; from < 18; from++)
            for (size_t n = 0; n < 300; n += n < 40 ? 1 : 37) {
                memcpy(b + 64 + to, a + from, n);
                CHECK(!memcmp(b + 64 + to, a + from, n));
                if (n) {
                    b[64 + to + n - 1] ^= 0x80;
                    sum = sum_u64(sum, memcmp(b + 64 + to, a + from, n) < 0);
                }
                memmove(b + 64 + from, b + 64 + to, n);
                memset(b + 600 + to, (int)n, n);
                sum = sum_u64(sum, b[64 + from + n / 2] + b[600 + to + n / 2] * 256u);
            }
    sum = sum_bytes(sum, b, 4096);

    /* Strings that end right before a page that must not be read. */
    edge = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(edge != MAP_FAILED);
    CHECK(!mprotect(edge + page, (size_t)page, PROT_NONE));
    for (size_t n = 0; n < 150; n++) {
        char *s = (char *)edge + page - n - 1;

        memset(s, 'x', n);
        s[n] = 0;
        CHECK(strlen(s) == n && strnlen(s, 1000) == n && strchr(s, 'y') == NULL);
        CHECK(rawmemchr(s, 0) == s + n && memchr(s, 'z', n + 1) == NULL);
        if (n > 2) {
            s[n - 2] = 'y';
            CHECK(strchr(s, 'y') == s + n - 2 && strrchr(s, 'y') == s + n - 2);
            CHECK(memchr(s, 'y', n) == s + n - 2 && strcspn(s, "yz") == n - 2);
        }
        strcpy((char *)b + n % 16, s);
        CHECK(!strcmp((char *)b + n % 16, s) && !strncmp((char *)b + n % 16, s, n + 10));
        b[n % 16 + n / 2] ^= 1;
        sum = sum_u64(sum, strcmp((char *)b + n % 16, s) < 0);
        sum = sum_bytes(sum, b, n);
        strcpy((char *)b, "needle and hay");
        strncat((char *)b, s, 100);
        CHECK(strstr((char *)b, "hay"));
    }
    CHECK(!munmap(edge, (size_t)page * 2));

    /* Loads and stores of all sizes at all alignments. */
    for (size_t at = 0; at < 200; at++) {
        uint16_t h;
        uint32_t w;
        uint64_t d;
        double f;

        memcpy(&h, a + at, sizeof h);
        memcpy(&w, a + at * 3, sizeof w);
        memcpy(&d, a + at * 5, sizeof d);
        memcpy(&f, a + at * 7, sizeof f);
        sum = sum_u64(sum, h + __builtin_bswap32(w) + __builtin_bswap64(d));
        memcpy(b + at + 1, &f, sizeof f);
        memcpy(b + at * 9, &h, sizeof h);
        d = __builtin_bswap64(d);
        memcpy(b + at * 11, &d, sizeof d);
    }
    sum = sum_bytes(sum, b, 4096);
    free(a);
    free(b);
    return sum;
}

/* --- jumps and code ------------------------------------------------------- */

static jmp_buf jump_target;
static sigjmp_buf signal_target;

static void descend(int depth, int value)
{
    volatile char room[100];

    if (value < 0)
        return;
    room[depth % 100] = (char)value;
    if (!depth)
        longjmp(jump_target, value);
    descend(depth - 1, value);
    room[0] = room[depth % 100];
}

static void jump_out(int sig)
{
    siglongjmp(signal_target, sig);
}

/* Functions of their own, since setjmp() may spoil its caller's variables. */

static __attribute__((noinline)) int jump_round(int depth)
{
    int got = setjmp(jump_target);

    if (!got)
        descend(depth, depth + 1000);
    return got;
}

static __attribute__((noinline)) int signal_round(void)
{
    int got = sigsetjmp(signal_target, 1);

    if (!got)
        raise(SIGUSR1);
    return got;
}

typedef uint64_t (*operation)(uint64_t, uint64_t);

static uint64_t op_add(uint64_t a, uint64_t b) { return a + b; }
static uint64_t op_mul(uint64_t a, uint64_t b) { return a * b + 1; }
static uint64_t op_xor(uint64_t a, uint64_t b) { return a ^ rotate64(b, 7); }
static uint64_t op_if(uint64_t a, uint64_t b) { return a & 1 ? a - b : b - a; }

static uint64_t ackermann(uint64_t m, uint64_t n)
{
    if (!m)
        return n + 1;
    return n ? ackermann(m - 1, ackermann(m, n - 1)) : ackermann(m - 1, 1);
}

static uint64_t do_jump(void)
{
    uint64_t sum = SUM_START, value = 1;
    static const operation table[] = {op_add, op_mul, op_xor, op_if};
    struct sigaction action = {.sa_handler = jump_out};

    for (int round = 1; round <= 200; round++) {
        int got = jump_round(round);

        CHECK(got == round + 1000);
        sum = sum_u64(sum, (uint64_t)got);
    }
    CHECK(!sigaction(SIGUSR1, &action, NULL));
    for (int round = 1; round <= 50; round++) {
        int got = signal_round();
        sigset_t blocked;

        CHECK(got == SIGUSR1);
        CHECK(!sigprocmask(SIG_BLOCK, NULL, &blocked) && !sigismember(&blocked, SIGUSR1));
        sum = sum_u64(sum, (uint64_t)got);
    }
    signal(SIGUSR1, SIG_DFL);

    /* Calls by table, a switch, and deep recursion. */
    for (int i = 0; i < 40000; i++) {
        uint64_t r = rng();

        value = table[r >> 62](value, r);
        switch (value % 13) {
        case 0: value += 3; break;
        case 1: value ^= 0x55; break;
        case 2: value *= 3; break;
        case 4: value = ~value; /* fall through */
        case 5: value -= 9; break;
        case 7: value = rotate64(value, 9); break;
        case 8: value >>= 1; break;
        case 11: value = -value; break;
        default: value++;
        }
        sum += value;
    }
    sum = sum_u64(sum, ackermann(2, 60));
    return sum_u64(sum, value);
}

/* Makes code for "return value", which must fit in 15 bits, at `at`. */
static void write_code(unsigned char *at, unsigned value)
{
#if defined __powerpc64__
    uint32_t code[] = {0x38600000 | value, 0x4e800020}; /* li r3, value; blr */
#elif defined __x86_64__
    unsigned char code[] = {0xb8, (unsigned char)value, (unsigned char)(value >> 8), 0, 0, 0xc3};
#elif defined __aarch64__
    uint32_t code[] = {0x52800000 | value << 5, 0xd65f03c0};
#elif defined __riscv
    uint32_t code[] = {value >> 11 ? 0x00000537 | ((value + 0x800) >> 12) << 12 : 0x00000513,
                       0x0005051b | (value & 0xfff) << 20, 0x00008067};
#else
#error "write_code() lacks this architecture"
#endif
    memcpy(at, code, sizeof code);
    __builtin___clear_cache((char *)at, (char *)at + sizeof code);
}

static uint64_t run_code(const unsigned char *at)
{
    uint64_t (*volatile call)(void);

    memcpy((void *)&call, &at, sizeof at);
    return (uint32_t)call();
}

static uint64_t do_code(void)
{
    uint64_t sum = SUM_START;
    size_t size = (size_t)sysconf(_SC_PAGESIZE) * 4;
    unsigned char *code = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int status;
    pid_t pid;

    CHECK(code != MAP_FAILED);
    /* Code that changes under the program: no stale one may run. */
    for (unsigned i = 0; i < 2000; i++) {
        unsigned char *at = code + i * 52 % 4096;

        write_code(at, i);
        CHECK(run_code(at) == i);
        write_code(at, i + 1);
        sum = sum_u64(sum, run_code(at));
    }
    /* Other pages at the same address. */
    for (unsigned i = 0; i < 50; i++) {
        CHECK(mmap(code, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == code);
        write_code(code + 64, i * 3);
        CHECK(!mprotect(code, size, PROT_READ | PROT_EXEC));
        sum = sum_u64(sum, run_code(code + 64));
    }
    /* Two processes with different code at one address. */
    CHECK(!mprotect(code, size, PROT_READ | PROT_WRITE | PROT_EXEC));
    write_code(code, 11);
    fflush(stdout);
    CHECK((pid = fork()) >= 0);
    if (!pid) {
        if (run_code(code) != 11)
            _exit(1);
        write_code(code, 22);
        _exit((int)run_code(code));
    }
    write_code(code, 33);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 22);
    CHECK(run_code(code) == 33);
    CHECK(!munmap(code, size));
    return sum;
}

/* --- processes, pipes and signals ----------------------------------------- */

static volatile sig_atomic_t seen_signals, seen_value, seen_pid_right;

static void on_info(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    seen_signals++;
    seen_value += info->si_value.sival_int;
    seen_pid_right = info->si_pid == getpid();
}

static volatile sig_atomic_t ticks;

static void on_tick(int sig)
{
    (void)sig;
    ticks++;
}

static void read_all(int fd, void *data, size_t size)
{
    char *p = data;

    while (size) {
        ssize_t n = read(fd, p, size);

        CHECK(n > 0);
        p += n;
        size -= (size_t)n;
    }
}

static void write_all(int fd, const void *data, size_t size)
{
    const char *p = data;

    while (size) {
        ssize_t n = write(fd, p, size);

        CHECK(n > 0);
        p += n;
        size -= (size_t)n;
    }
}

/* A child that filters a pipe's bytes, as processes in a shell's pipe do. */
static pid_t filter(int in, int out, int other1, int other2, unsigned char key)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (!pid) {
        unsigned char data[1500];
        ssize_t n;

        close(other1);
        close(other2);
        while ((n = read(in, data, sizeof data)) > 0) {
            for (ssize_t i = 0; i < n; i++)
                data[i] = (unsigned char)(data[i] * 5 + key);
            write_all(out, data, (size_t)n);
        }
        _exit(n ? 1 : key);
    }
    return pid;
}

static uint64_t do_process(void)
{
    uint64_t sum = SUM_START;
    struct rlimit no_core = {0, 0};
    int status;
    pid_t pid;

    fflush(stdout);
    CHECK(!setrlimit(RLIMIT_CORE, &no_core));
    for (int i = 0; i < 20; i++) {
        CHECK((pid = fork()) >= 0);
        if (!pid)
            _exit(getppid() > 0 ? i * 3 : 255);
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        sum = sum_u64(sum, (uint64_t)WEXITSTATUS(status));
    }

    /* Ends by signals of several kinds. */
    static const int deaths[] = {SIGKILL, SIGTERM, SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS, SIGPIPE};
    for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++) {
        CHECK((pid = fork()) >= 0);
        if (!pid) {
            raise(deaths[i]);
            _exit(0);
        }
        CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
        sum = sum_u64(sum, (uint64_t)WTERMSIG(status));
    }
    /* Stopped and continued. */
    CHECK((pid = fork()) >= 0);
    if (!pid) {
        raise(SIGSTOP);
        _exit(9);
    }
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    CHECK(!kill(pid, SIGCONT));
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 9);

    /* parent -> filter -> filter -> parent */
    {
        int a[2], b[2], c[2];
        pid_t first, second;
        unsigned char data[3000];

        CHECK(!pipe(a) && !pipe(b) && !pipe(c));
        first = filter(a[0], b[1], a[1], b[0], 17);
        close(a[0]);
        close(b[1]);
        second = filter(b[0], c[1], a[1], c[0], 29);
        close(b[0]);
        close(c[1]);
        for (int i = 0; i < 20; i++) {
            for (size_t k = 0; k < sizeof data; k++)
                data[k] = (unsigned char)rng();
            write_all(a[1], data, sizeof data);
            read_all(c[0], data, sizeof data);
            sum = sum_bytes(sum, data, sizeof data);
        }
        close(a[1]);
        CHECK(waitpid(first, &status, 0) == first && WEXITSTATUS(status) == 17);
        CHECK(waitpid(second, &status, 0) == second && WEXITSTATUS(status) == 29);
        CHECK(read(c[0], data, 1) == 0);
        close(c[0]);
    }
    /* Another program, which is this one, with a variable and arguments. */
    {
        int out[2];
        char text[200];

        CHECK(!pipe(out));
        CHECK((pid = fork()) >= 0);
        if (!pid) {
            char *const argv[] = {"mixed", "--echo", "two words", "", NULL};
            char *const envp[] = {"MIXED=yes", NULL};

            dup2(out[1], 1);
            execve("/proc/self/exe", argv, envp);
            /*
             * Under an emulator of processes only, the host may not know how
             * to run this file; a guest's kernel does.
             */
            if (errno == ENOEXEC && write(1, "yes:[--echo][two words][]", 25) == 25)
                _exit(42);
            _exit(127);
        }
        close(out[1]);
        memset(text, 0, sizeof text);
        for (size_t n = 0; n < sizeof text - 1;) {
            ssize_t got = read(out[0], text + n, sizeof text - 1 - n);

            if (got <= 0)
                break;
            n += (size_t)got;
        }
        close(out[0]);
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 42);
        CHECK(!strcmp(text, "yes:[--echo][two words][]"));
    }
    return sum;
}

static uint64_t do_signal(void)
{
    uint64_t sum = SUM_START;
    struct sigaction action = {.sa_sigaction = on_info, .sa_flags = SA_SIGINFO};
    sigset_t set, old;

    CHECK(!sigaction(SIGRTMIN + 1, &action, NULL));
    /* Blocked ones queue up, and come at once when let in. */
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    CHECK(!sigprocmask(SIG_BLOCK, &set, &old));
    for (int i = 1; i <= 10; i++)
        CHECK(!sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}));
    CHECK(seen_signals == 0);
    CHECK(!sigprocmask(SIG_SETMASK, &old, NULL));
    CHECK(seen_signals == 10 && seen_value == 55 && seen_pid_right);
    sum = sum_u64(sum, (uint64_t)seen_value);

    /* On a stack of its own. */
    {
        static char stack[65536];
        stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};

        CHECK(!sigaltstack(&alternate, NULL));
        action.sa_flags |= SA_ONSTACK;
        CHECK(!sigaction(SIGRTMIN + 1, &action, NULL));
        CHECK(!sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 100}));
        CHECK(seen_signals == 11 && seen_value == 155);
        alternate.ss_flags = SS_DISABLE;
        CHECK(!sigaltstack(&alternate, NULL));
    }
    /* A timer interrupts work in integer, floating-point and vector registers. */
    {
        struct itimerval timer = {{0, 3000}, {0, 3000}};
        uint64_t x = 1;
        double d = 1;
        v_f64 v = {1, 2};
        bool first = true;
        uint64_t x1 = 0;
        double d1 = 0;
        v_f64 v1 = {0, 0};

        action.sa_handler = on_tick;
        action.sa_flags = SA_RESTART;
        CHECK(!sigaction(SIGALRM, &action, NULL));
        CHECK(!setitimer(ITIMER_REAL, &timer, NULL));
        /* The same work again and again must give the same each time. */
        while (ticks < 10) {
            x = 1, d = 1, v = (v_f64){1, 2};
            for (int i = 0; i < 2000; i++) {
                x = x * 6364136223846793005u + 1442695040888963407u;
                d = d * 1.0001 + 1 / (d + 1);
                v = v * (v_f64){1.0002, 0.9999} + (v_f64){0.5, 0.25};
            }
            if (first)
                x1 = x, d1 = d, v1 = v, first = false;
            CHECK(x == x1 && d == d1 && !memcmp(&v, &v1, sizeof v));
        }
        memset(&timer, 0, sizeof timer);
        CHECK(!setitimer(ITIMER_REAL, &timer, NULL));
        signal(SIGALRM, SIG_DFL);
        sum = sum_bytes(sum_double(sum_u64(sum, x1), d1), &v1, sizeof v1);
    }
    return sum;
}

static uint64_t do_time(void)
{
    struct timespec before, now, wait = {0, 20000000};
    struct timeval of_day;
    int64_t slept;

    CHECK(!clock_gettime(CLOCK_MONOTONIC, &before));
    for (int i = 0; i < 2000; i++) {
        struct timespec last = i ? now : before;

        CHECK(!clock_gettime(CLOCK_MONOTONIC, &now));
        CHECK(now.tv_sec > last.tv_sec || (now.tv_sec == last.tv_sec && now.tv_nsec >= last.tv_nsec));
    }
    CHECK(!clock_gettime(CLOCK_MONOTONIC, &before));
    CHECK(!clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL));
    CHECK(!clock_gettime(CLOCK_MONOTONIC, &now));
    slept = (now.tv_sec - before.tv_sec) * 1000000000ll + now.tv_nsec - before.tv_nsec;
    CHECK(slept >= 20000000 && slept < 30000000000);
    CHECK(!gettimeofday(&of_day, NULL));
    return sum_u64(SUM_START, 1);
}

/* --- system calls --------------------------------------------------------- */

struct linux_dirent64 {
    uint64_t d_ino;
    int64_t d_off;
    unsigned short d_reclen;
    unsigned char d_type;
    char d_name[];
};

static uint64_t do_files(void)
{
    uint64_t sum = SUM_START;
    char dir[] = "/tmp/mixed-XXXXXX", name[100], link_text[50], data[3000];
    static char names[100][20];
    char *sorted[100];
    size_t count = 0;
    int fd, dirfd;
    struct stat st;

    CHECK(mkdtemp(dir) && !chdir(dir));
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "file-%02d", i * 7 % 40);
        CHECK((fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600)) >= 0);
        for (size_t k = 0; k < sizeof data; k++)
            data[k] = (char)rng();
        write_all(fd, data, (size_t)i * 70);
        CHECK(pwrite(fd, "here", 4, 5000) == 4);
        CHECK(lseek(fd, 0, SEEK_END) == 5004 && lseek(fd, 10, SEEK_SET) == 10);
        CHECK(!ftruncate(fd, 4000 + i) && !fstat(fd, &st));
        CHECK(st.st_size == 4000 + i && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600);
        CHECK(pread(fd, data, sizeof data, 0) == (ssize_t)sizeof data);
        sum = sum_bytes(sum, data, sizeof data);
        close(fd);
    }
    CHECK(open("file-00", O_RDWR | O_CREAT | O_EXCL, 0600) == -1 && errno == EEXIST);
    CHECK(open("none", O_RDONLY) == -1 && errno == ENOENT);
    CHECK(!link("file-00", "hard") && !symlink("file-01", "soft") && !mkdir("sub", 0755));
    CHECK(!rename("file-02", "sub/moved"));
    CHECK(readlink("soft", link_text, sizeof link_text) == 7 && !memcmp(link_text, "file-01", 7));
    CHECK(!stat("hard", &st) && st.st_nlink == 2);
    CHECK(rmdir("sub") == -1 && errno == ENOTEMPTY);

    CHECK((dirfd = open(".", O_RDONLY | O_DIRECTORY)) >= 0);
    for (;;) {
        _Alignas(8) char entries[512];
        long n = syscall(SYS_getdents64, dirfd, entries, sizeof entries);

        CHECK(n >= 0);
        if (!n)
            break;
        for (long at = 0; at < n;) {
            struct linux_dirent64 *e = (void *)(entries + at);

            CHECK(count < 100);
            snprintf(names[count], sizeof names[count], "%s", e->d_name);
            sorted[count] = names[count];
            count++;
            at += e->d_reclen;
        }
    }
    close(dirfd);
    CHECK(count == 40 + 2 + 2 + 1 - 1 + 0);
    qsort(sorted, count, sizeof *sorted, by_string);
    for (size_t i = 0; i < count; i++)
        sum = sum_bytes(sum, sorted[i], strlen(sorted[i]));

    /* A file in memory, written by vectors and read by mmap. */
    {
        struct iovec parts[3] = {{"one ", 4}, {"two ", 4}, {"three", 5}};
        char *map;

        CHECK((fd = memfd_create("mixed", 0)) >= 0);
        for (int i = 0; i < 1000; i++)
            CHECK(writev(fd, parts, 3) == 13);
        map = mmap(NULL, 13000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        CHECK(map != MAP_FAILED);
        sum = sum_bytes(sum, map, 13000);
        memset(map + 500, '!', 100);
        CHECK(pread(fd, data, 1000, 0) == 1000);
        sum = sum_bytes(sum, data, 1000);
        CHECK(!munmap(map, 13000));
        close(fd);
    }
    /* The C library's files. */
    {
        FILE *f = fopen("text", "w+");
        unsigned long total = 0;
        char line[100];

        CHECK(f);
        for (int i = 0; i < 2000; i++)
            fprintf(f, "%d %x\n", i, i * i);
        rewind(f);
        while (fgets(line, sizeof line, f))
            total += strtoul(line, NULL, 10);
        CHECK(total == 1999ul * 1000 && !fclose(f));
    }
    for (size_t i = 0; i < count; i++)
        if (sorted[i][0] != '.' && strcmp(sorted[i], "sub"))
            CHECK(!unlink(sorted[i]));
    CHECK(!unlink("text") && !unlink("sub/moved") && !rmdir("sub") && !chdir("/") && !rmdir(dir));
    return sum;
}

static uint64_t do_sockets(void)
{
    uint64_t sum = SUM_START, value = 7;
    int pair[2], ep, ev, copy, status;
    struct epoll_event event = {.events = EPOLLIN};
    struct pollfd poll_fd;
    pid_t pid;
    char byte = 0;

    fflush(stdout);
    CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    CHECK((ev = eventfd(0, 0)) >= 0 && (ep = epoll_create1(0)) >= 0);
    event.data.u64 = 0x1234567890abcdef;
    CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, ev, &event));
    CHECK(epoll_wait(ep, &event, 1, 0) == 0);
    CHECK(write(ev, &value, 8) == 8 && epoll_wait(ep, &event, 1, 1000) == 1);
    CHECK(event.data.u64 == 0x1234567890abcdef && read(ev, &value, 8) == 8 && value == 7);

    /* A descriptor goes to the child, which writes to it. */
    CHECK((pid = fork()) >= 0);
    if (!pid) {
        char room[CMSG_SPACE(sizeof(int))];
        struct iovec part = {&byte, 1};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};

        close(ev);
        if (recvmsg(pair[1], &message, 0) != 1 || byte != 'd' || !CMSG_FIRSTHDR(&message))
            _exit(1);
        memcpy(&copy, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof copy);
        value = 99;
        _exit(write(copy, &value, 8) == 8 && send(pair[1], "done", 4, 0) == 4 ? 5 : 2);
    } else {
        union {
            char room[CMSG_SPACE(sizeof(int))];
            struct cmsghdr header;
        } control;
        struct iovec part = {&byte, 1};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
        char answer[10];

        memset(&control, 0, sizeof control);
        byte = 'd';
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &ev, sizeof ev);
        CHECK(sendmsg(pair[0], &message, 0) == 1);
        poll_fd = (struct pollfd){.fd = ev, .events = POLLIN};
        CHECK(poll(&poll_fd, 1, 30000) == 1 && (poll_fd.revents & POLLIN));
        CHECK(read(ev, &value, 8) == 8 && value == 99);
        CHECK(recv(pair[0], answer, sizeof answer, 0) == 4 && !memcmp(answer, "done", 4));
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 5);
        sum = sum_u64(sum, value);
    }
    close(ep);
    close(ev);
    close(pair[0]);
    close(pair[1]);
    return sum;
}

/* --- memory --------------------------------------------------------------- */

static unsigned char *guarded;
static size_t guarded_page;
static volatile sig_atomic_t faults;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    size_t at = (size_t)((unsigned char *)info->si_addr - guarded);

    (void)sig;
    (void)context;
    /*
     * mprotect() is a bare system call: this is safe here. si_code is not
     * looked at, as emulators of processes say SEGV_MAPERR for SEGV_ACCERR.
     */
    if (at >= guarded_page * 64 ||
        mprotect(guarded + at / guarded_page * guarded_page, guarded_page, PROT_READ | PROT_WRITE))
        _exit(3);
    faults++;
}

static void jump_fault(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    siglongjmp(signal_target, info->si_code == SEGV_MAPERR ? 1 : 2);
}

static __attribute__((noinline)) int fault_round(volatile unsigned char *at)
{
    int got = sigsetjmp(signal_target, 1);

    if (!got)
        *at = 1;
    return got;
}

static uint64_t stack_depth(int depth)
{
    volatile unsigned char room[4000];

    for (size_t i = 0; i < sizeof room; i += 500)
        room[i] = (unsigned char)depth;
    return depth ? stack_depth(depth - 1) + room[1000] : 0;
}

static uint64_t do_memory(void)
{
    enum { SPAN = 24 << 20, STEP = 65536 };
    uint64_t sum = SUM_START;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    unsigned char *area, *shared;
    int status;
    pid_t pid;

    /* Big areas, touched here and there; fresh pages are zero. */
    area = mmap(NULL, SPAN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    for (size_t i = 0; i < SPAN; i += STEP)
        CHECK(area[i + 100] == 0);
    for (size_t i = 0; i < SPAN; i += STEP)
        area[i] = (unsigned char)(i >> 16), area[i + STEP - 1] = (unsigned char)(i >> 15);

    /* Pages are copied when one of two processes writes. */
    shared = mmap(NULL, STEP, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    fflush(stdout);
    CHECK((pid = fork()) >= 0);
    if (!pid) {
        uint64_t child = SUM_START;

        for (size_t i = 0; i < SPAN; i += STEP * 2)
            area[i] ^= 0xff;
        for (size_t i = 0; i < SPAN; i += STEP)
            child = sum_bytes(child, area + i, 2);
        memcpy(shared, &child, sizeof child);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status));
    sum = sum_bytes(sum, shared, 8);
    for (size_t i = 0; i < SPAN; i += STEP)
        CHECK(area[i] == (unsigned char)(i >> 16) && area[i + STEP - 1] == (unsigned char)(i >> 15));

    CHECK(!madvise(area + STEP * 4, STEP * 4, MADV_DONTNEED) && area[STEP * 5] == 0 && area[STEP * 9] == 9);
    area = mremap(area, SPAN, SPAN * 2, MREMAP_MAYMOVE);
    CHECK(area != MAP_FAILED && area[STEP * 20] == 20 && area[SPAN + STEP] == 0);
    for (size_t i = 0; i < SPAN; i += STEP)
        sum = sum_bytes(sum, area + i, 1);
    CHECK(!munmap(area, SPAN * 2) && !munmap(shared, STEP));

    /* A handler lets accesses through that were forbidden. */
    guarded_page = page;
    guarded = mmap(NULL, page * 64, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(guarded != MAP_FAILED && !sigaction(SIGSEGV, &action, NULL));
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 64; i++) {
            volatile unsigned char *at = guarded + page * (i * 5 % 64) + i;

            if (i & 1)
                *at = (unsigned char)(i + round);
            else
                sum = sum_u64(sum, *at);
        }
        CHECK(faults == 64 * ((int)round + 1));
        CHECK(!mprotect(guarded, page * 64, round ? PROT_NONE : PROT_READ));
        /* Reads are let through now in the first round, writes never. */
        if (!round) {
            CHECK(*(volatile unsigned char *)guarded == 0 && faults == 64);
            CHECK(!mprotect(guarded, page * 64, PROT_NONE));
        }
    }
    /* An access over the edge of two pages, the second forbidden. */
    CHECK(!mprotect(guarded, page * 64, PROT_READ | PROT_WRITE) && !mprotect(guarded + page, page, PROT_NONE));
    {
        volatile struct __attribute__((packed)) {
            uint64_t value;
        } *at = (void *)(guarded + page - 3);
        int before = faults;

        at->value = 0x1122334455667788;
        CHECK(faults == before + 1);
        sum = sum_bytes(sum, guarded + page - 8, 16);
    }
    CHECK(!munmap(guarded, page * 64));

    /* What is not mapped. */
    action.sa_sigaction = jump_fault;
    CHECK(!sigaction(SIGSEGV, &action, NULL));
    for (int i = 0; i < 20; i++)
        sum = sum_u64(sum, (uint64_t)fault_round(guarded));
    signal(SIGSEGV, SIG_DFL);

    sum = sum_u64(sum, stack_depth(500));
    /* The heap: blocks of all sizes come and go. */
    {
        static void *blocks[200];
        static size_t sizes[200];

        for (int i = 0; i < 6000; i++) {
            size_t at = rng() % 200, size = rng() % (i % 50 ? 3000 : 300000) + 1;

            if (blocks[at]) {
                unsigned char *p = blocks[at];

                CHECK(p[0] == (unsigned char)at && p[sizes[at] - 1] == (unsigned char)at);
                sum += sizes[at];
            }
            CHECK((blocks[at] = realloc(i % 3 ? blocks[at] : (free(blocks[at]), NULL), size)));
            sizes[at] = size;
            memset(blocks[at], (int)at, size);
        }
        for (int i = 0; i < 200; i++)
            free(blocks[i]);
    }
    return sum;
}

/* --- threads -------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 3000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static uint64_t by_mutex;
static _Atomic uint64_t by_add;
static _Atomic uint32_t by_swap;
static _Atomic uint8_t by_byte;
static _Atomic uint16_t by_half;
static uint64_t by_spin;
static atomic_flag spin = ATOMIC_FLAG_INIT;
static _Thread_local uint64_t own;
static uint64_t result[THREADS];
static int turn;
static uint64_t turns = SUM_START;
static uint64_t message_data;
static _Atomic uint32_t message_ready;

static void *thread(void *argument)
{
    unsigned self = (unsigned)(uintptr_t)argument;

    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t old;

        pthread_mutex_lock(&mutex);
        by_mutex += i ^ self;
        pthread_mutex_unlock(&mutex);

        atomic_fetch_add(&by_add, (uint64_t)i << 33 | 1);
        old = atomic_load(&by_swap);
        while (!atomic_compare_exchange_weak(&by_swap, &old, old * 3 + 3))
            ;
        atomic_fetch_add_explicit(&by_byte, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&by_half, 3, memory_order_relaxed);
        if (i % 16 == 0) {
            while (atomic_flag_test_and_set_explicit(&spin, memory_order_acquire))
                sched_yield();
            by_spin = by_spin * 5 + 1;
            atomic_flag_clear_explicit(&spin, memory_order_release);
        }
        own += i * (self + 1);
    }
    result[self] = own;

    /* In turns, by a condition. */
    for (unsigned i = 0; i < 50; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != (int)self)
            pthread_cond_wait(&condition, &mutex);
        turns = sum_u64(turns, self * 1000 + i);
        turn = (turn + 1) % THREADS;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
    }
    pthread_barrier_wait(&barrier);

    /* Messages without a lock: what was written before the flag is seen. */
    if (self < 2)
        for (uint32_t i = 0; i < 300; i++) {
            while (atomic_load_explicit(&message_ready, memory_order_acquire) != i * 2 + self)
                sched_yield();
            if (self) {
                if (message_data != i * 77ull)
                    fail("a message came too late");
            } else {
                message_data = i * 77ull;
            }
            atomic_store_explicit(&message_ready, i * 2 + self + 1, memory_order_release);
        }
    return (void *)(uintptr_t)(self + 100);
}

static uint64_t do_threads(void)
{
    uint64_t sum = SUM_START, expect = 0;
    uint32_t swap = 0;
    uint64_t spun = 0;
    pthread_t threads[THREADS];

    CHECK(!pthread_barrier_init(&barrier, NULL, THREADS));
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK(!pthread_create(&threads[i], NULL, thread, (void *)i));
    for (uintptr_t i = 0; i < THREADS; i++) {
        void *value;

        CHECK(!pthread_join(threads[i], &value) && (uintptr_t)value == i + 100);
    }
    for (unsigned t = 0; t < THREADS; t++)
        for (unsigned i = 0; i < ROUNDS; i++) {
            expect += i ^ t;
            swap = swap * 3 + 3;
            if (i % 16 == 0)
                spun = spun * 5 + 1;
        }
    CHECK(by_mutex == expect && by_swap == swap && by_spin == spun);
    CHECK((uint32_t)by_add == THREADS * ROUNDS);
    CHECK(by_byte == (uint8_t)(THREADS * ROUNDS) && by_half == (uint16_t)(THREADS * ROUNDS * 3));
    CHECK(own == 0);
    sum = sum_u64(sum_u64(sum, by_mutex), by_add);
    sum = sum_u64(sum_u64(sum, by_swap), by_spin);
    sum = sum_bytes(sum, result, sizeof result);
    pthread_barrier_destroy(&barrier);
    return sum_u64(sum, turns);
}

/* -------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint64_t (*run)(void);
} sections[] = {
    {"integer", do_integer}, {"int128", do_int128},   {"float", do_float},
    {"decimal", do_decimal}, {"vector", do_vector},   {"sort", do_sort},
    {"string", do_string},   {"jump", do_jump},       {"code", do_code},
    {"process", do_process}, {"signal", do_signal},   {"time", do_time},
    {"files", do_files},     {"sockets", do_sockets}, {"memory", do_memory},
    {"threads", do_threads},
};

enum { SECTIONS = sizeof sections / sizeof *sections };

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--echo")) {
        printf("%s:", getenv("MIXED") ? getenv("MIXED") : "no");
        for (int i = 1; i < argc; i++)
            printf("[%s]", argv[i]);
        return 42;
    }
    for (int i = 1; i < argc; i++) {
        size_t k = 0;

        while (k < SECTIONS && strcmp(sections[k].name, argv[i]))
            k++;
        if (k == SECTIONS) {
            fprintf(stderr, "mixed: there is no section '%s'\n", argv[i]);
            return 2;
        }
    }
    for (size_t k = 0; k < SECTIONS; k++) {
        bool wanted = argc < 2;

        for (int i = 1; i < argc; i++)
            wanted |= !strcmp(sections[k].name, argv[i]);
        if (!wanted)
            continue;
        section = sections[k].name;
        /* Each section is the same alone and among the others. */
        rng_state = k + 1;
        uint64_t sum = sections[k].run();
        printf("mixed: %-8s %016llx\n", section, (unsigned long long)sum);
        fflush(stdout);
    }
    puts("mixed: all done");
    return 0;
}
