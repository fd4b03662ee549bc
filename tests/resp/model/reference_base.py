"""What the parts of the plain model share: values under keys, numbers as Redis reads them, and how a command fails.

A method do_NAME(args, reply) returns the reply that a server must give. It raises Fail where the server must answer an error, whatever its
text (texts are compared with redis-server's), and returns NotImplemented where the model has no opinion. `reply` is the server's own, for
what chance or rounding decides: it is checked and then believed.
"""
import re
from decimal import Context, Decimal, setcontext

from replies import Error


setcontext(Context(prec=60, Emax=10 ** 9, Emin=-10 ** 9))  # wider than any sum of two arguments


class Fail(Exception):
    """The command is refused and changes nothing."""


class Opaque:
    """A string whose bytes the model does not know."""


class Value:
    __slots__ = ("kind", "data", "expiry")

    def __init__(self, kind, data, expiry=-1):
        self.kind, self.data, self.expiry = kind, data, expiry


INT = re.compile(rb"^(0|-?[1-9][0-9]*)$")
FLOAT = re.compile(rb"^[+-]?([0-9]+\.?[0-9]*([eE][+-]?[0-9]+)?|\.[0-9]+([eE][+-]?[0-9]+)?|inf|infinity)$", re.I)
HEX = re.compile(rb"^[+-]?0x[0-9a-f]+(\.[0-9a-f]*)?(p[+-]?[0-9]+)?$", re.I)
WIDE_LEAST = Decimal("3.6451995318824746e-4951")  # above 0, of the long doubles that there are
INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1


def integer(text, low=INT_MIN, high=INT_MAX):
    if not INT.match(text) or not low <= int(text) <= high:
        raise Fail("not an integer or out of range")
    return int(text)


def number(text):
    """A double."""
    if HEX.match(text):
        return float.fromhex(text.decode())
    if not FLOAT.match(text):
        raise Fail("not a float")
    value = float(text)
    if value in (float("inf"), float("-inf")) and b"inf" not in text.lower():
        raise Fail("out of range")
    return value


def decimal(text):
    """The number that a text of FLOAT's form is. Of an exponent that Decimal() would not take, as much as it takes."""
    digits, e, exponent = text.decode().lower().partition("e")
    return Decimal(digits + e + str(max(-(10 ** 9), min(int(exponent), 10 ** 9)))) if e else Decimal(digits)


def wide(text):
    """A long double, without its rounding."""
    need(HEX.match(text) or FLOAT.match(text))
    value = Decimal(float.fromhex(text.decode())) if HEX.match(text) else decimal(text)
    need(not value.is_finite() or value == 0 or value.adjusted() <= 4932 and abs(value) > WIDE_LEAST / 2)
    return value


def wide_sum(old, more, told):
    """What INCRBYFLOAT and its like store: the server's own text where it is close enough to the sum."""
    need(wide(old).is_finite() and wide(more).is_finite())
    total = wide(old) + wide(more)
    need(not isinstance(told, Error))
    return told if abs(Decimal(told.decode()) - total) <= abs(total) * Decimal("1e-15") + Decimal("1e-16") else b"%f" % float(total)


def double(value):
    """As a double is answered."""
    return b"%.17g" % value


def need(condition):
    if not condition:
        raise Fail("refused")


def option(args, at, word):
    return at < len(args) and args[at].lower() == word


class Base:
    def __init__(self):
        self.values = {}

    def find(self, key, kind):
        """The data under a key, or None."""
        value = self.values.get(key)
        if value is None:
            return None
        need(value.kind == kind)
        return value.data

    def make(self, key, kind, empty):
        data = self.find(key, kind)
        if data is None:
            data = empty()
            self.values[key] = Value(kind, data)
        return data

    def settle(self, key):
        """A collection that became empty goes."""
        value = self.values.get(key)
        if value is not None and not value.data and value.kind in ("hash", "list", "set", "zset"):
            del self.values[key]

    def replace(self, key, kind, data):
        """A new value without expiry; an empty collection removes the key."""
        self.values.pop(key, None)
        if data:
            self.values[key] = Value(kind, data)


def bounds(start, end, size):
    """Redis's ranges, both ends included and counted from the end where negative, as a Python slice."""
    if start < 0:
        start = max(0, start + size)
    if end < 0:
        end += size
    return slice(start, max(start, min(end, size - 1) + 1)) if start <= end and start < size else slice(0, 0)


def keys_and_rest(args, at):
    """numkeys key [key ...] and what follows."""
    count = integer(args[at])
    need(0 < count <= len(args) - at - 1)
    return args[at + 1:at + 1 + count], args[at + 1 + count:]


def glob(pattern, text):
    """The few patterns that the generator makes."""
    if pattern == b"*":
        return True
    if pattern == b"[ab]":
        return text in (b"a", b"b")
    return text.startswith(pattern[:-1])


def random_members(a, items, reply, word):
    """[count [WITHVALUES]]: what is answered must be there, as many as asked."""
    if len(a) == 2:
        need(reply is None and not items or reply in items)
        return reply
    count = integer(a[2], -(1 << 62), 1 << 62) if len(a) > 3 else integer(a[2])
    need(len(a) == 3 or len(a) == 4 and a[3].lower() == word)
    many = min(count, len(items)) if count >= 0 else -count if items else 0
    if isinstance(reply, Error) or many > 1_000_000:
        return NotImplemented
    chosen = reply[::2] if len(a) == 4 else reply
    if len(chosen) != many or any(x not in items for x in chosen) or count >= 0 and len(set(chosen)) != many:
        return [b"(members of the key)"]
    return reply
