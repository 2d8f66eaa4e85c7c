# SPDX-License-Identifier: Apache-2.0
"""A fixed piece of work for the Python interpreter: objects, dictionaries, strings, sorting, big
integers, floats. Prints a checksum. The argument is the number of rounds."""
import sys
import zlib


class Body:
    def __init__(self, x, v):
        self.x = x
        self.v = v

    def step(self, t):
        self.x += self.v * t
        if self.x > 1000.0 or self.x < 0.0:
            self.v = -self.v


def words(n):
    seen = {}
    x = 12345
    for _ in range(n):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
        word = "w%d" % (x % 997)
        seen[word] = seen.get(word, 0) + 1
    return ",".join(f"{k}:{v}" for k, v in sorted(seen.items(), key=lambda i: (-i[1], i[0])))


def bodies(n):
    # The values stay multiples of a power of two: exact anywhere.
    all_of_them = [Body(float(i), (i % 13) * 0.25) for i in range(20)]
    for _ in range(n):
        for body in all_of_them:
            body.step(0.5)
    return repr(sum(body.x for body in all_of_them))


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def big(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    # Not its digits: newer Pythons limit how many may be printed.
    return hex(a * b % (1 << 127) - 1)


def main():
    check = 0
    for i in range(int(sys.argv[1])):
        text = "|".join((words(6000 + i), bodies(400), str(fibonacci(16)), big(1500)))
        check = zlib.crc32(text.encode(), check)
    print("check %08x" % check)


main()
