"""Fills a server with every type in every encoding, and tells what a server holds, in a form that two servers can be compared by."""
import os
import random
import time

DATABASES = 16


def commands(rng):
    """Commands for one database."""
    out = []
    text = lambda n: bytes(rng.choice(b"abcdefghijklmnopqrstuvwxyz0123456789 \x00\xff\r\n") for _ in range(n))  # noqa: E731
    mixed = lambda: rng.choice([b"%d" % rng.randrange(-10**rng.randrange(1, 19), 10**rng.randrange(1, 19)), text(rng.randrange(0, 70))])  # noqa: E731

    for i, number in enumerate([0, -1, 127, 128, -32768, 65536, 2**31, 2**63 - 1, -2**63, 12345678]):
        out.append(["SET", b"int:%d" % i, number])
        out.append(["SET", b"%d" % number, b"a key that is a number"])
    for i, size in enumerate([0, 1, 20, 44, 45, 63, 64, 16383, 16384, 70000]):
        out.append(["SET", b"str:%d" % i, text(size)])
        out.append(["SET", b"compressible:%d" % i, b"abcd" * (size // 4)])
    out.append(["SET", b"x" * 300, b"a key that is compressed"])
    out += [["SETBIT", "bits", 100000, 1], ["APPEND", "appended", "raw"], ["SETRANGE", "gap", 100, "end"]]
    out.append(["PFADD", "hll:sparse", *[b"%d" % i for i in range(50)]])
    out.append(["PFADD", "hll:dense", *[b"%d" % i for i in range(20000)]])
    for i, count in enumerate([1, 5, 128, 600, 3000]):
        out.append(["RPUSH", b"list:%d" % i, *[mixed() for _ in range(count)]])
        out.append(["SADD", b"set:%d" % i, *[mixed() for _ in range(count)]])
        out.append(["HSET", b"hash:%d" % i, *[x for j in range(count) for x in (b"field:%d" % j, mixed())]])
        out.append(["ZADD", b"zset:%d" % i, *[x for j in range(count) for x in (score(rng), b"member:%d" % j)]])
        for width, limit in ((16, 2**15), (32, 2**31), (64, 2**63)):
            out.append(["SADD", b"intset:%d:%d" % (i, width), *[rng.randrange(-limit, limit) for _ in range(count)]])
    out.append(["RPUSH", "list:large-element", text(10), text(20000), text(10)])
    out.append(["HSET", "hash:long-value", "f", text(100), "g", text(5000)])
    out.append(["ZADD", "zset:long-member", 1, text(100)])
    out.append(["GEOADD", "geo", 13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"])
    out += streams(rng, mixed)
    now_ms = int(time.time() * 1000)
    for i, kind in enumerate(["int:1", "str:4", "list:2", "set:3", "hash:1", "zset:4", "stream:1", "intset:2:32"]):
        out.append(["PEXPIREAT", kind, now_ms + 3600_000 * (i + 1)])
    out += [["SET", "far", "v", "PXAT", 2**43 + 7], ["SET", "long", "v", "EX", 100_000_000]]
    return out


def score(rng):
    return rng.choice(["inf", "-inf", "0", "-0.0", "1e300", "5e-324", repr(rng.uniform(-1e6, 1e6)), str(rng.randrange(-2**53, 2**53))])


def streams(rng, mixed):
    out = []
    for i, count in enumerate([1, 50, 1000]):
        key = b"stream:%d" % i
        for j in range(count):
            fields = [b"f", mixed(), b"g", mixed()] if rng.random() < 0.8 else [b"odd:%d" % j, mixed()]
            out.append(["XADD", key, b"%d-%d" % (1000 + j // 3, j % 3 + 1), *fields])
        for j in range(0, count, 7):
            out.append(["XDEL", key, b"%d-%d" % (1000 + j // 3, j % 3 + 1)])
        out += [["XGROUP", "CREATE", key, "g1", "0"], ["XGROUP", "CREATE", key, "g2", "$"], ["XGROUP", "CREATECONSUMER", key, "g2", "idle"],
                ["XREADGROUP", "GROUP", "g1", "alice", "COUNT", 20, "STREAMS", key, ">"],
                ["XREADGROUP", "GROUP", "g1", "bob", "COUNT", 5, "STREAMS", key, ">"],
                ["XACK", key, "g1", "1000-2", "1001-1"]]
    out += [["XADD", "stream:empty", "5-5", "a", "b"], ["XDEL", "stream:empty", "5-5"], ["XGROUP", "CREATE", "stream:empty", "g", "0"],
            ["XADD", "stream:trimmed", "1-1", "a", "b"], ["XADD", "stream:trimmed", "2-1", "a", "b"], ["XTRIM", "stream:trimmed", "MAXLEN", 1]]
    return out


def fill(connection, seed):
    """All databases; the first and the last get everything, the others some."""
    rng = random.Random(seed)
    for database in range(DATABASES):
        batch = commands(rng)
        if database not in (0, DATABASES - 1):
            batch = [c for c in batch if c[0] in ("SET", "HSET")][:30]
        connection.call("SELECT", database)
        for i in range(0, len(batch), 200):
            for reply in connection.pipeline(batch[i:i + 200]):
                if isinstance(reply, Exception):
                    raise reply
    connection.call("SELECT", 0)


def read_key(c, key):
    kind = c.call("TYPE", key)
    value = {
        "string": lambda: c.call("GET", key),
        "list": lambda: c.call("LRANGE", key, 0, -1),
        "set": lambda: sorted(c.call("SMEMBERS", key)),
        "zset": lambda: c.call("ZRANGE", key, 0, -1, "WITHSCORES"),
        "hash": lambda: (lambda flat: sorted(zip(flat[::2], flat[1::2])))(c.call("HGETALL", key)),
        "stream": lambda: read_stream(c, key),
    }[kind]()
    return kind, c.call("PEXPIRETIME", key), value


def read_stream(c, key):
    groups = []
    for group in c.call("XINFO", "GROUPS", key):
        info = dict(zip(group[::2], group[1::2]))
        pending = c.call("XPENDING", key, info[b"name"], "-", "+", 100000)
        consumers = c.call("XINFO", "CONSUMERS", key, info[b"name"])
        names = sorted((dict(zip(x[::2], x[1::2]))[b"name"], dict(zip(x[::2], x[1::2]))[b"pending"]) for x in consumers)
        groups.append((sorted(info.items()), [(p[0], p[1], p[3]) for p in pending], names))
    stream = c.call("XINFO", "STREAM", key)
    info = dict(zip(stream[::2], stream[1::2]))
    counters = [info[name] for name in (b"length", b"last-generated-id", b"max-deleted-entry-id", b"entries-added", b"groups")]
    return c.call("XRANGE", key, "-", "+"), counters, groups


def state(connection):
    """{(database, key): what it holds}"""
    out = {}
    for database in range(DATABASES):
        connection.call("SELECT", database)
        for key in connection.call("KEYS", "*"):
            out[database, key] = read_key(connection, key)
    connection.call("SELECT", 0)
    return out


def difference(a, b):
    """A text that names the first difference, or None."""
    for key in sorted(set(a) | set(b)):
        if a.get(key) != b.get(key):
            one, other = str(a.get(key)), str(b.get(key))
            at = max(0, len(os.path.commonprefix([one, other])) - 200)
            return f"{key}: ...{one[at:at + 500]}\n   against ...{other[at:at + 500]}"
    return None
