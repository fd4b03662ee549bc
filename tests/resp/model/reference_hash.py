"""Hashes of the plain model."""
from reference_base import Base, glob, integer, need, random_members, wide_sum
from replies import Simple

FAR = 2_000_000_000_000  # in 2033: expiries before this are past, those after it stay


class Fields(dict):
    """The fields of a hash; some of them expire."""

    def __init__(self, *items):
        super().__init__(*items)
        self.expiry = {}

    def copy(self):
        other = Fields(self)
        other.expiry = dict(self.expiry)
        return other

    def drop(self, field):
        self.expiry.pop(field, None)
        return self.pop(field, None)

    def put(self, field, value, expiry=None):
        self[field] = value
        self.expiry.pop(field, None)
        if expiry is not None:
            self.expiry[field] = expiry


def counted_fields(args, at):
    """FIELDS n field [field ...], to the end."""
    need(at + 1 < len(args) and args[at].lower() == b"fields")
    count = integer(args[at + 1])
    need(count > 0)
    return count, args[at + 2:]


def options_and_fields(args, at, per_field=1):
    """(words, Unix time in ms or None, fields): options before and after one block of FIELDS n field [field ...]."""
    words, times, block = [], [], None
    while at < len(args):
        word = args[at].lower()
        if word == b"fields":
            need(block is None and at + 1 < len(args))
            size = integer(args[at + 1], 1, (1 << 31) - 1) * per_field
            block = args[at + 2:at + 2 + size]
            need(len(block) == size)
            at += 1 + size
        elif word in (b"exat", b"pxat"):  # times from now are not made for the model
            need(at + 1 < len(args))
            unit_ms = 1000 if word == b"exat" else 1
            at += 1
            times.append(integer(args[at], 0, ((1 << 46) - 1) // unit_ms) * unit_ms)
        else:
            words.append(word)
        at += 1
    need(block is not None and len(times) <= 1)
    return words, times[0] if times else None, block


class Hashes(Base):
    def do_hset(self, a, reply):
        need(len(a) % 2 == 0)
        fields = self.make(a[1], "hash", Fields)
        before = len(fields)
        for field, value in zip(a[2::2], a[3::2]):
            fields.put(field, value)
        return len(fields) - before

    def do_hmset(self, a, reply):
        self.do_hset(a, reply)
        return Simple(b"OK")

    def do_hsetnx(self, a, reply):
        fields = self.find(a[1], "hash")
        if fields is not None and a[2] in fields:
            return 0
        self.make(a[1], "hash", Fields).put(a[2], a[3])
        return 1

    def do_hget(self, a, reply):
        return (self.find(a[1], "hash") or {}).get(a[2])

    def do_hexists(self, a, reply):
        return int(a[2] in (self.find(a[1], "hash") or {}))

    def do_hstrlen(self, a, reply):
        return len((self.find(a[1], "hash") or {}).get(a[2], b""))

    def do_hmget(self, a, reply):
        fields = self.find(a[1], "hash") or {}
        return [fields.get(field) for field in a[2:]]

    def do_hdel(self, a, reply):
        fields = self.find(a[1], "hash") or Fields()
        gone = sum(fields.drop(field) is not None for field in a[2:])
        self.settle(a[1])
        return gone

    def do_hincrby(self, a, reply):
        fields, more = self.find(a[1], "hash") or {}, integer(a[3])
        value = integer(fields.get(a[2], b"0")) + more
        need(-(1 << 63) <= value < 1 << 63)
        self.make(a[1], "hash", Fields)[a[2]] = b"%d" % value
        return value

    def do_hincrbyfloat(self, a, reply):
        fields = self.find(a[1], "hash") or {}
        text = wide_sum(fields.get(a[2], b"0"), a[3], reply)
        self.make(a[1], "hash", Fields)[a[2]] = text
        return text

    def do_hgetall(self, a, reply):
        return [x for item in (self.find(a[1], "hash") or {}).items() for x in item]

    def do_hkeys(self, a, reply):
        return list(self.find(a[1], "hash") or {})

    def do_hvals(self, a, reply):
        return list((self.find(a[1], "hash") or {}).values())

    def do_hlen(self, a, reply):
        return len(self.find(a[1], "hash") or {})

    def do_hscan(self, a, reply):
        fields = self.find(a[1], "hash") or {}
        pattern = a[6] if len(a) > 6 else b"*"
        return [b"0", [x for item in fields.items() if glob(pattern, item[0]) for x in item]]

    def do_hrandfield(self, a, reply):
        return random_members(a, self.find(a[1], "hash") or {}, reply, b"withvalues")

    # --- expiry of fields ---------------------------------------------------------------------------------------------------------

    def expire_fields(self, a, unit_ms, relative):
        when = integer(a[2], 0, (1 << 46) // unit_ms if not relative else (1 << 45) // unit_ms) * unit_ms
        words, time, names = options_and_fields(a, 3)
        need(time is None and len(set(words)) <= 1 and {b"nx", b"xx", b"gt", b"lt"}.issuperset(words))
        condition = words[0] if words else b""
        fields = self.find(a[1], "hash")
        if fields is None:
            return [-2] * len(names)
        need(not relative or when == 0)  # other times are not made for the model
        result = []
        for field in names:
            old = fields.expiry.get(field)
            if field not in fields:
                result.append(-2)
            elif condition == b"nx" and old is not None or condition in (b"xx", b"gt") and old is None or \
                    condition == b"gt" and when <= old or condition == b"lt" and old is not None and when >= old:
                result.append(0)
            elif when < FAR:
                fields.drop(field)
                result.append(2)
            else:
                fields.expiry[field] = when
                result.append(1)
        self.settle(a[1])
        return result

    def do_hexpire(self, a, reply):
        return self.expire_fields(a, 1000, True)

    def do_hpexpire(self, a, reply):
        return self.expire_fields(a, 1, True)

    def do_hexpireat(self, a, reply):
        return self.expire_fields(a, 1000, False)

    def do_hpexpireat(self, a, reply):
        return self.expire_fields(a, 1, False)

    def each_field(self, a, at, act):
        count, names = counted_fields(a, at)
        need(count == len(names))
        fields = self.find(a[1], "hash")
        fields = Fields() if fields is None else fields
        result = [act(fields, field) for field in names]
        self.settle(a[1])
        return result

    def do_hpexpiretime(self, a, reply):
        return self.each_field(a, 2, lambda fields, field: -2 if field not in fields else fields.expiry.get(field, -1))

    def do_hexpiretime(self, a, reply):
        return self.each_field(a, 2, lambda fields, field: -2 if field not in fields else (fields.expiry[field] + 999) // 1000
                               if field in fields.expiry else -1)

    def do_hpersist(self, a, reply):
        return self.each_field(a, 2, lambda fields, field: -2 if field not in fields else 1 if fields.expiry.pop(field, 0) else -1)

    def do_hgetdel(self, a, reply):
        return self.each_field(a, 2, lambda fields, field: fields.drop(field))

    def do_hgetex(self, a, reply):
        words, when, names = options_and_fields(a, 2)
        need(words in ([], [b"persist"]) and not (words and when is not None))
        fields = self.find(a[1], "hash")
        fields = Fields() if fields is None else fields
        result = []
        for field in names:
            result.append(fields.get(field))
            if words:
                fields.expiry.pop(field, None)
            elif when is not None and when < FAR:
                fields.drop(field)
            elif when is not None and field in fields:
                fields.expiry[field] = when
        self.settle(a[1])
        return result

    def do_hsetex(self, a, reply):
        words, expiry, pairs = options_and_fields(a, 2, 2)
        keep = b"keepttl" in words
        need(words.count(b"keepttl") + (expiry is not None) <= 1)
        conditions = [word for word in words if word != b"keepttl"]
        need(conditions in ([], [b"fnx"], [b"fxx"]))
        fields = self.find(a[1], "hash")
        there = [fields is not None and field in fields for field in pairs[::2]]
        if conditions == [b"fnx"] and any(there) or conditions == [b"fxx"] and not all(there):
            return 0
        fields = self.make(a[1], "hash", Fields)
        for field, value in zip(pairs[::2], pairs[1::2]):
            if expiry is not None and expiry < FAR:
                fields.drop(field)
            else:
                fields.put(field, value, fields.expiry.get(field) if keep else expiry)
        self.settle(a[1])
        return 1
