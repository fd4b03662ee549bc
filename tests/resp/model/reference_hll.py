"""HyperLogLogs of the plain model: 16,384 registers in a dict, without encodings."""
import math

from reference_base import Base, Opaque, Value, need
from replies import Error, Simple

MASK = (1 << 64) - 1
FACTOR = 0xc6a4a7935bd1e995


def murmur(data):
    h = 0xadc83b19 ^ len(data) * FACTOR & MASK
    whole = len(data) & ~7
    for at in range(0, whole, 8):
        k = int.from_bytes(data[at:at + 8], "little") * FACTOR & MASK
        h = (h ^ (k ^ k >> 47) * FACTOR & MASK) * FACTOR & MASK
    if data[whole:]:
        h = (h ^ int.from_bytes(data[whole:], "little")) * FACTOR & MASK
    h = (h ^ h >> 47) * FACTOR & MASK
    return h ^ h >> 47


def mark(element):
    h = murmur(element)
    rest = h >> 14 | 1 << 50
    return h & 16383, (rest & -rest).bit_length()


def estimate(registers):
    m = 16384.0
    histogram = [0] * 64
    for value in registers.values():
        histogram[value] += 1
    histogram[0] = 16384 - sum(histogram[1:])
    z = 0.0 if histogram[51] == 0 else None
    need(z is not None)
    for value in range(50, 0, -1):
        z = (z + histogram[value]) * 0.5
    x, y = histogram[0] / m, 1.0
    if x == 1.0:
        return 0
    sigma, before = x, None
    while sigma != before:
        x *= x
        before = sigma
        sigma += x * y
        y += y
    z += m * sigma
    return math.floor(0.721347520444481703680 * m * m / z + 0.5)


class Hll:
    def __init__(self):
        self.registers = {}

    def __bool__(self):
        return True


class HyperLogLogs(Base):
    def hll(self, key):
        data = self.find(key, "string")
        if isinstance(data, Opaque):
            raise NotImplementedError
        need(data is None or isinstance(data, Hll))
        return data

    def do_pfadd(self, a, reply):
        hll, changed = self.hll(a[1]), 0
        if hll is None:
            hll = self.make(a[1], "string", Hll)
            changed = 1
        for element in a[2:]:
            index, value = mark(element)
            if value > hll.registers.get(index, 0):
                hll.registers[index] = value
                changed = 1
        return changed

    def union(self, keys):
        registers = {}
        for key in keys:
            hll = self.hll(key)
            for index, value in (hll.registers if hll else {}).items():
                registers[index] = max(value, registers.get(index, 0))
        return registers

    def do_pfcount(self, a, reply):
        return estimate(self.union(a[1:]))

    def do_pfmerge(self, a, reply):
        try:
            registers = self.union(a[1:])
        except NotImplementedError:
            if not isinstance(reply, Error):
                self.values.setdefault(a[1], Value("string", Opaque())).data = Opaque()
            return NotImplemented
        self.make(a[1], "string", Hll).registers = registers
        return Simple(b"OK")

    def do_pfdebug(self, a, reply):
        return NotImplemented
