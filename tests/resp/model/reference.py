"""The plain model: every command as Python's own containers do it, one command after the other, nothing packed, nothing shared."""
import copy

from reference_base import INT_MAX, INT_MIN, Base, Fail, Opaque, Value, bounds, double, integer, need, wide_sum
from reference_collections import Lists, Sets
from reference_hash import Hashes
from reference_hll import Hll, HyperLogLogs
from reference_stream import Streams
from reference_zset import Places, SortedSets
from replies import NULL_ARRAY, Error, Simple
from servers import READ

ARITY = {
    -8: "GEOSEARCHSTORE", -7: "XREADGROUP XNACK GEOSEARCH", -6: "XCLAIM XAUTOCLAIM XACKDEL GEORADIUS GEORADIUS_RO HEXPIRE HEXPIREAT HPEXPIRE HPEXPIREAT HSETEX",
    -5: "LMOVEM XDELEX HPEXPIRETIME HEXPIRETIME HPERSIST HGETDEL HGETEX ZRANGESTORE XADD GEOADD GEORADIUSBYMEMBER GEORADIUSBYMEMBER_RO",
    -4: "HSET HMSET LMPOP ZADD ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE ZRANGEBYLEX ZREVRANGEBYLEX ZMPOP ZUNIONSTORE ZINTERSTORE ZDIFFSTORE "
        "XRANGE XREVRANGE XTRIM XREAD XACK GEODIST",
    -3: "SET MSET HMGET HDEL HSCAN RPUSH LPUSH LPUSHX RPUSHX LPOS SADD SREM SMISMEMBER SINTERSTORE SUNIONSTORE SDIFFSTORE SINTERCARD SUNIONCARD SDIFFCARD SSCAN ZREM ZMSCORE "
        "ZUNION ZINTER ZDIFF ZINTERCARD ZSCAN XDEL XPENDING XSETID COPY PEXPIREAT",
    -2: "INCREX MGET BITCOUNT HRANDFIELD LPOP RPOP SORT SORT_RO SINTER SUNION SDIFF SRANDMEMBER SPOP ZPOPMIN ZPOPMAX ZRANDMEMBER PFADD PFCOUNT PFMERGE GEOPOS "
        "GEOHASH DEL UNLINK EXISTS TOUCH XGROUP XINFO OBJECT",
    1: "DBSIZE",
    2: "GET STRLEN INCR DECR GETDEL HGETALL HKEYS HVALS HLEN LLEN SCARD SMEMBERS ZCARD XLEN TYPE PERSIST PEXPIRETIME EXPIRETIME",
    3: "INCRBY DECRBY INCRBYFLOAT APPEND HGET HEXISTS HSTRLEN LINDEX RPOPLPUSH SISMEMBER ZSCORE ZRANK ZREVRANK PFDEBUG RENAME RENAMENX MOVE",
    4: "SETRANGE GETRANGE SETBIT HSETNX HINCRBY HINCRBYFLOAT LRANGE LSET LREM LTRIM SMOVE ZINCRBY ZCOUNT ZLEXCOUNT ZREMRANGEBYRANK ZREMRANGEBYSCORE "
       "ZREMRANGEBYLEX",
    5: "LINSERT LMOVE",
}
SUBCOMMANDS = {b"XGROUP": {b"create": -5, b"setid": -5, b"destroy": 4, b"createconsumer": 5, b"delconsumer": 5},
               b"XINFO": {b"stream": -3, b"groups": 3, b"consumers": 4}, b"OBJECT": {b"encoding": 3}}
ARITY_OF = {name.encode(): arity for arity, names in ARITY.items() for name in names.split()}
ANY_ERROR = Error(b"(some error)")


class Strings(Base):
    def text(self, key):
        data = self.find(key, "string")
        if isinstance(data, (Opaque, Hll)):
            raise NotImplementedError
        return data

    def store(self, key, data):
        """Keeps the expiry."""
        value = self.values.setdefault(key, Value("string", data))
        value.kind, value.data = "string", data

    def do_set(self, a, reply):
        words = [word.lower() for word in a[3:]]
        need(all(word in (b"nx", b"xx", b"get", b"keepttl") for word in words) and not {b"nx", b"xx"} <= set(words))
        try:
            old = self.text(a[1]) if b"get" in words else None
        except NotImplementedError:
            old = NotImplemented
        there = a[1] in self.values
        blocked = b"nx" in words and there or b"xx" in words and not there
        if not blocked:
            expiry = self.values[a[1]].expiry if there and b"keepttl" in words else -1
            self.values[a[1]] = Value("string", a[2], expiry)
        return old if b"get" in words else None if blocked else Simple(b"OK")

    def do_get(self, a, reply):
        return self.text(a[1])

    def do_getdel(self, a, reply):
        data = self.find(a[1], "string")
        self.values.pop(a[1], None)
        return NotImplemented if isinstance(data, (Opaque, Hll)) else data

    def increment(self, key, more):
        value = integer(self.text(key) or b"0" if self.text(key) is None else self.text(key)) + more
        need(INT_MIN <= value <= INT_MAX)
        self.store(key, b"%d" % value)
        return value

    def do_incr(self, a, reply):
        return self.increment(a[1], 1)

    def do_decr(self, a, reply):
        return self.increment(a[1], -1)

    def do_incrby(self, a, reply):
        return self.increment(a[1], integer(a[2]))

    def do_decrby(self, a, reply):
        return self.increment(a[1], -integer(a[2], INT_MIN + 1))

    def do_increx(self, a, reply):
        """Of integers, without expiries from now on."""
        more, low, high, words, at = 1, INT_MIN, INT_MAX, set(), 2
        while at < len(a):
            word = a[at].lower()
            words.add(word)
            if word in (b"saturate", b"persist"):
                at += 1
                continue
            need(at + 1 < len(a))
            if word == b"byint":
                more = integer(a[at + 1])
            elif word == b"lbound":
                low = integer(a[at + 1])
            elif word == b"ubound":
                high = integer(a[at + 1])
            else:
                return NotImplemented if isinstance(reply, Error) else [b"(an error)"]
            at += 2
        old = self.text(a[1])
        need(low <= high)
        old = 0 if old is None else integer(old)
        new = old + more
        if not low <= new <= high:
            if b"saturate" not in words:
                return [old, 0]
            new = low if new < low else high
        need(INT_MIN <= new - old <= INT_MAX)
        self.store(a[1], b"%d" % new)
        if b"persist" in words:
            self.values[a[1]].expiry = -1
        return [new, new - old]

    def do_incrbyfloat(self, a, reply):
        old = self.text(a[1])
        text = wide_sum(b"0" if old is None else old, a[2], reply)
        self.store(a[1], text)
        return text

    def do_append(self, a, reply):
        old = self.find(a[1], "string")
        if isinstance(old, (Opaque, Hll)):
            self.store(a[1], Opaque())
            return NotImplemented
        self.store(a[1], (old or b"") + a[2])
        return len(self.text(a[1]))

    def do_strlen(self, a, reply):
        return len(self.text(a[1]) or b"")

    def do_setrange(self, a, reply):
        at = integer(a[2])
        need(at >= 0)
        old = self.find(a[1], "string")
        if isinstance(old, (Opaque, Hll)):
            if a[3] and not isinstance(reply, Error):
                self.store(a[1], Opaque())
            return NotImplemented
        if a[3]:
            need(at + len(a[3]) <= 512 << 20)
            data = (old or b"").ljust(at, b"\0")
            self.store(a[1], data[:at] + a[3] + data[at + len(a[3]):])
        return len(self.text(a[1]) or b"")

    def do_getrange(self, a, reply):
        start, end = integer(a[2]), integer(a[3])
        data = self.text(a[1]) or b""
        if start < 0 and end < 0 and start > end:
            return b""
        end = max(0, end + len(data)) if end < 0 else end
        return data[bounds(start, end, len(data))]

    def do_mset(self, a, reply):
        need(len(a) % 2)
        for key, data in zip(a[1::2], a[2::2]):
            self.values[key] = Value("string", data)
        return Simple(b"OK")

    def do_mget(self, a, reply):
        result = []
        for key in a[1:]:
            value = self.values.get(key)
            result.append(None if value is None or value.kind != "string" else self.text(key))
        return result

    def do_setbit(self, a, reply):
        at, bit = integer(a[2], 0, (512 << 23) - 1), integer(a[3], 0, 1)
        old = self.find(a[1], "string")
        if isinstance(old, (Opaque, Hll)):
            self.store(a[1], Opaque())
            return NotImplemented
        data = bytearray((old or b"").ljust(at // 8 + 1, b"\0"))
        was = data[at // 8] >> 7 - at % 8 & 1
        data[at // 8] = data[at // 8] & ~(128 >> at % 8) | bit << 7 - at % 8
        self.store(a[1], bytes(data))
        return was

    def do_bitcount(self, a, reply):
        if len(a) > 2:
            return NotImplemented
        return bin(int.from_bytes(self.text(a[1]) or b"", "little")).count("1")


class Keys(Base):
    def do_del(self, a, reply):
        return sum(self.values.pop(key, None) is not None for key in a[1:])

    do_unlink = do_del

    def do_exists(self, a, reply):
        return sum(key in self.values for key in a[1:])

    do_touch = do_exists

    def do_type(self, a, reply):
        return Simple(self.values[a[1]].kind.encode()) if a[1] in self.values else Simple(b"none")

    def rename(self, a, only_new):
        need(a[1] in self.values)
        if only_new and a[2] in self.values:
            return 0
        value = self.values.pop(a[1])
        self.values[a[2]] = value
        return 1 if only_new else Simple(b"OK")

    def do_rename(self, a, reply):
        return self.rename(a, False)

    def do_renamenx(self, a, reply):
        return self.rename(a, True)

    def do_copy(self, a, reply):
        need(all(word.lower() == b"replace" for word in a[3:]) and a[1] != a[2])
        if a[1] not in self.values or len(a) == 3 and a[2] in self.values:
            return 0
        value = self.values[a[1]]
        self.values[a[2]] = Value(value.kind, copied(value.data), value.expiry)
        return 1

    def do_pexpireat(self, a, reply):
        words = {word.lower() for word in a[3:]}
        need(words <= {b"nx", b"xx", b"gt", b"lt"} and not (b"nx" in words and len(words) > 1) and not {b"gt", b"lt"} <= words)
        at, value = integer(a[2]), self.values.get(a[1])
        if value is None:
            return 0
        old = value.expiry
        if b"nx" in words and old >= 0 or b"xx" in words and old < 0 or b"gt" in words and (old < 0 or at <= old) or \
           b"lt" in words and 0 <= old <= at:
            return 0
        if at < 9_000_000_000_000:
            del self.values[a[1]]
        else:
            value.expiry = at
        return 1

    def do_persist(self, a, reply):
        value = self.values.get(a[1])
        if value is None or value.expiry < 0:
            return 0
        value.expiry = -1
        return 1

    def do_pexpiretime(self, a, reply):
        return self.values[a[1]].expiry if a[1] in self.values else -2

    def do_expiretime(self, a, reply):
        value = self.values.get(a[1])
        return -2 if value is None else -1 if value.expiry < 0 else value.expiry // 1000 + (value.expiry % 1000 >= 500)

    def do_dbsize(self, a, reply):
        return len(self.values)

    def do_move(self, a, reply):
        if reply == 1 and not isinstance(reply, Error):
            need(a[1] in self.values)
            del self.values[a[1]]
        return NotImplemented

    def not_judged(self, a, reply):
        return NotImplemented

    do_object = do_sort = do_sort_ro = not_judged


def copied(data):
    if isinstance(data, bytes) or isinstance(data, Opaque):
        return data
    return data.copy() if isinstance(data, (dict, list, set)) else copy.deepcopy(data)


class Model(Strings, Hashes, Lists, Sets, SortedSets, Places, Streams, HyperLogLogs, Keys):
    def __init__(self):
        super().__init__()
        self.queued = None

    def execute(self, command, reply):
        """The reply that is right, or NotImplemented where any is."""
        name = command[0]
        if name == b"MULTI":
            self.queued, self.broken = [], False
            return Simple(b"OK")
        if name in (b"EXEC", b"DISCARD"):
            queued, self.queued = self.queued, None
            if queued is None:
                return ANY_ERROR
            if name == b"DISCARD":
                return Simple(b"OK")
            if self.broken:
                return ANY_ERROR
            replies = reply if isinstance(reply, list) and len(reply) == len(queued) else [None] * len(queued)
            return [self.one(*pair) for pair in zip(queued, replies)]
        if self.queued is not None:
            right = self.arity_fits(command)
            if right:
                self.queued.append(command)
            self.broken = self.broken or not right
            return Simple(b"QUEUED") if right else ANY_ERROR
        return self.one(command, reply)

    @staticmethod
    def arity_fits(command):
        arity = ARITY_OF.get(command[0])
        if command[0] in SUBCOMMANDS and len(command) > 1:
            arity = SUBCOMMANDS[command[0]].get(command[1].lower(), 1000)
        return arity is None or (len(command) == arity if arity > 0 else len(command) >= -arity)

    def one(self, command, reply):
        if not self.arity_fits(command):
            return ANY_ERROR
        method = getattr(self, "do_" + command[0].decode().lower(), None)
        if method is None:
            return self.unknown(command, reply)
        try:
            return method(command, reply)
        except (Fail, IndexError, TypeError, ValueError):
            return ANY_ERROR
        except NotImplementedError:
            return NotImplemented

    def unknown(self, command, reply):
        raise AssertionError(f"the model does not know {command[0]!r}")

    def state(self, shown):
        """As servers.state_of reads it."""
        state = {}
        for key, value in self.values.items():
            kind = value.kind.encode()
            if value.kind == "stream" or isinstance(value.data, (Opaque, Hll)):
                state[key] = NotImplemented
                continue
            command = READ[kind](key)[0]
            state[key] = [kind, shown(command, self.one(command, None)), value.expiry]
            if value.kind == "hash":
                state[key].append(sorted(value.data.expiry.items()))
        return state


__all__ = ["ANY_ERROR", "INT_MAX", "Model", "NULL_ARRAY", "double"]
