#!/usr/bin/env python3
"""Random commands, in step against Cairn and redis-server: the same replies, the same keyspace, also after Cairn was killed and restarted.

Runs RESP2 and RESP3, each under every appendfsync policy. Without a redis-server on the machine it ends with exit code 77 (skipped).
A failure prints the seed and the commands that led to it, shortened to those that still fail.

Usage: differential_test.py [--commands N] [--seed S]       (CAIRN_BIN names the binaries' folder)
"""
import argparse
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import redis_server  # noqa: E402
from cairn_server import CairnServer, Connection, ReplyError, default_seed  # noqa: E402

KEYS = ["a", "b", "c", "{t}1", "{t}2", "num", "flt", "bits", ""]
VALUES = ["", "0", "1", "-1", "10", "3.0e3", "1.5", "9223372036854775807", "-9223372036854775808", "abc", "ohmytext", "mynewtext",
          " 1", "1 ", "+1", "01", "\x00\xff\x7f", "x" * 44, "x" * 45, "y" * 20000, "nan", "inf"]
INTS = ["0", "1", "-1", "2", "7", "8", "100", "-100", "4294967295", "9223372036854775807", "-9223372036854775809", "abc", "1.5", ""]
OFFSETS = ["0", "1", "7", "8", "63", "100", "20000", "-1", "-3", "-100", "99999", "x"]
FLOATS = ["1", "0.1", "-2.5", "1e3", "3.0e-5", "abc", "nan", "inf", "1e400", "0"]
BITS = ["0", "1", "2", "-1"]
TYPES = ["u8", "i8", "u1", "i64", "u63", "u64", "i0", "i5", "u13", "x9"]
UNORDERED = ("KEYS", "SCAN", "RANDOMKEY", "TTL", "EXPIRETIME")  # replies that may differ rightly
APART_S = 5  # a command may reach one server so much later than the other
PATTERNS = ["*", "?", "[ab]", "num*", "{t}[^1]", "nothing"]


class Generator:
    def __init__(self, rng):
        self.rng = rng

    def pick(self, values):
        return self.rng.choice(values)

    def key(self):
        return self.pick(KEYS)

    def keys(self, most=4):
        return [self.key() for _ in range(self.rng.randrange(1, most))]

    def maybe(self, *words):
        return list(words) if self.rng.random() < 0.3 else []

    def expiry(self):
        return self.pick([["EX", "100"], ["PX", "100000"], ["EXAT", "9999999999"], ["PXAT", "9999999999000"], ["KEEPTTL"], ["EX", "0"],
                          ["EX", "-1"], ["EX", "x"], ["PX", "9223372036854775807"], ["EX"], []])

    def set_options(self):
        return self.maybe("NX") + self.maybe("XX") + self.maybe("GET") + self.expiry()

    def string_command(self):
        r = self
        return r.pick([
            lambda: ["SET", r.key(), r.pick(VALUES)], lambda: ["SET", r.key(), r.pick(VALUES)] + r.set_options(),
            lambda: ["GET", r.key()], lambda: ["GETEX", r.key()] + r.pick([[], ["PERSIST"], ["EX", "100"], ["PX", "5", "PERSIST"], r.expiry()]),
            lambda: ["GETDEL", r.key()], lambda: ["GETSET", r.key(), r.pick(VALUES)], lambda: ["SETNX", r.key(), r.pick(VALUES)],
            lambda: ["SETEX", r.key(), r.pick(["100", "0", "-5", "x"]), r.pick(VALUES)],
            lambda: ["PSETEX", r.key(), r.pick(["100000", "0", "x"]), r.pick(VALUES)],
            lambda: ["MSET"] + [x for k in r.keys() for x in (k, r.pick(VALUES))], lambda: ["MSET", "a"], lambda: ["MSET", "a", "1", "b"],
            lambda: ["MSETNX"] + [x for k in r.keys() for x in (k, r.pick(VALUES))], lambda: ["MGET"] + r.keys(),
            lambda: [r.pick(["INCR", "DECR"]), r.key()], lambda: [r.pick(["INCRBY", "DECRBY"]), r.key(), r.pick(INTS)],
            lambda: ["INCRBYFLOAT", r.key(), r.pick(FLOATS)], lambda: ["APPEND", r.key(), r.pick(VALUES)], lambda: ["STRLEN", r.key()],
            lambda: ["SETRANGE", r.key(), r.pick(OFFSETS), r.pick(VALUES)], lambda: [r.pick(["GETRANGE", "SUBSTR"]), r.key(), r.pick(OFFSETS), r.pick(OFFSETS)],
            lambda: ["LCS", r.key(), r.key()] + r.pick([[], ["LEN"], ["IDX"], ["IDX", "WITHMATCHLEN"], ["IDX", "MINMATCHLEN", "3"], ["LEN", "IDX"]]),
        ])()

    def bitmap_command(self):
        r = self
        field = lambda: r.pick([["GET", r.pick(TYPES), r.pick(["0", "#1", "5", "-1", "x"])], ["SET", r.pick(TYPES), r.pick(["0", "#2", "100"]), r.pick(INTS)],
                                ["INCRBY", r.pick(TYPES), r.pick(["0", "#1"]), r.pick(INTS)], ["OVERFLOW", r.pick(["WRAP", "SAT", "FAIL", "ODD"])]])
        return r.pick([
            lambda: ["SETBIT", r.key(), r.pick(OFFSETS), r.pick(BITS)], lambda: ["GETBIT", r.key(), r.pick(OFFSETS)],
            lambda: ["BITCOUNT", r.key()] + r.pick([[], [r.pick(OFFSETS), r.pick(OFFSETS)], [r.pick(OFFSETS), r.pick(OFFSETS), r.pick(["BIT", "BYTE", "X"])], ["0"]]),
            lambda: ["BITPOS", r.key(), r.pick(BITS)] + r.pick([[], [r.pick(OFFSETS)], [r.pick(OFFSETS), r.pick(OFFSETS)], [r.pick(OFFSETS), r.pick(OFFSETS), "BIT"]]),
            lambda: ["BITOP", r.pick(["AND", "OR", "XOR", "NOT", "ODD"]), r.key()] + r.keys(),
            lambda: ["BITFIELD", r.key()] + field() + field(), lambda: ["BITFIELD_RO", r.key()] + field(),
        ])()

    def key_command(self):
        r = self
        once = lambda: r.pick([[], [], ["NX"], ["XX"], ["NX", "XX"], ["GT", "LT"], ["ODD"]])
        when = lambda: r.pick([once(), ["GT"], ["LT"]])  # not for times from now on: two may or may not fall into one millisecond
        return r.pick([
            lambda: [r.pick(["DEL", "UNLINK", "EXISTS", "TOUCH"])] + r.keys(), lambda: ["TYPE", r.key()],
            lambda: [r.pick(["RENAME", "RENAMENX"]), r.key(), r.key()],
            lambda: ["COPY", r.key(), r.key()] + r.pick([[], ["REPLACE"], ["DB", "1"], ["DB", "1", "REPLACE"], ["DB", "99"], ["ODD"]]),
            lambda: ["MOVE", r.key(), r.pick(["0", "1", "99", "x"])], lambda: ["SELECT", r.pick(["0", "1", "0", "16", "x"])],
            lambda: ["EXPIRE", r.key(), r.pick(["100", "200", "-1", "x", "9223372036854775807"])] + once(),
            lambda: ["PEXPIRE", r.key(), r.pick(["100000", "-1"])] + once(),
            lambda: [r.pick(["EXPIREAT"]), r.key(), r.pick(["9999999999", "1", "x"])] + when(),
            lambda: ["PEXPIREAT", r.key(), r.pick(["9999999999000", "9999999999999", "1"])] + when(),
            lambda: [r.pick(["EXPIRETIME", "PERSIST", "TTL"]), r.key()], lambda: ["OBJECT", "ENCODING", r.key()],
            lambda: ["DBSIZE"], lambda: ["SWAPDB", "0", "1"], lambda: ["SWAPDB", "0", r.pick(["16", "x"])],
            lambda: r.pick([["FLUSHDB"], ["GET"], ["NOSUCH", "x"], ["SET", "a"], ["OBJECT", "NOSUCH", "a"], ["SCAN", "x"], ["SCAN", "0", "COUNT", "0"]]),
            lambda: ["KEYS", r.pick(PATTERNS)], lambda: ["SCAN", "0", "COUNT", "1000", "MATCH", r.pick(PATTERNS)], lambda: ["RANDOMKEY"],
        ])()

    def command(self):
        what = self.rng.random()
        if what < 0.5:
            return self.string_command()
        return self.bitmap_command() if what < 0.7 else self.key_command()

    def block(self):
        """A command, or a transaction of some."""
        if self.rng.random() > 0.05:
            return [self.command()]
        end = self.pick([["EXEC"], ["EXEC"], ["DISCARD"]])
        inside = [self.command() for _ in range(self.rng.randrange(0, 5))]
        return [["MULTI"]] + [c for c in inside if c[0] not in UNORDERED] + [end]


def shown(reply, command):
    """The reply as far as it must be equal: orders and times that Redis leaves open are taken out."""
    if isinstance(reply, ReplyError):
        return "-" + str(reply)
    name = command[0].upper()
    if name == "KEYS" and isinstance(reply, list):
        return sorted(reply)
    if name == "SCAN" and isinstance(reply, list):
        return sorted(reply[1])
    if name == "RANDOMKEY":
        return reply is None
    return reply


def same(cairn, redis, command):
    # Redis makes a raw string of what SETBIT or BITFIELD then leave as it was; Cairn leaves its encoding too.
    if redis == b"raw" and cairn in (b"int", b"embstr"):
        return True
    if command[0] == "EXEC" and isinstance(cairn, list) and isinstance(redis, list):
        return len(cairn) == len(redis) and all(same(x, y, ["?"]) for x, y in zip(cairn, redis))
    if command[0].upper() in ("TTL", "EXPIRETIME"):
        return close(cairn, redis)
    return shown(cairn, command) == shown(redis, command)


def close(x, y):
    """Times in seconds; negative numbers are not times, but answers."""
    if not isinstance(x, int) or not isinstance(y, int) or min(x, y) < 0:
        return str(x) == str(y)
    return abs(x - y) <= APART_S


def keyspace(connection):
    state = {}
    for database in (0, 1):
        connection.call("SELECT", database)
        for key in sorted(connection.call("KEYS", "*")):
            value, expiry = connection.call("GET", key), connection.call("EXPIRETIME", key)
            state[database, key] = (value, expiry)
    connection.call("SELECT", 0)
    return state


def run(commands, cairn_port, redis_port, protocol):
    """None, or the index of the first command whose replies differ with the two replies."""
    with Connection(cairn_port) as cairn, Connection(redis_port) as redis:
        for c in (cairn, redis):
            c.call("HELLO", protocol)
            c.call("FLUSHALL")
        for at in range(0, len(commands), 200):
            part = commands[at:at + 200]
            for i, (x, y) in enumerate(zip(cairn.pipeline(part), redis.pipeline(part))):
                if not same(x, y, part[i]):
                    return at + i, part[i], x, y
        for c in (cairn, redis):
            if c.call("PING") != "PONG":
                c.pipeline([["DISCARD"]])
        x, y = keyspace(cairn), keyspace(redis)
        nothing = (None, None)
        for key in {**x, **y}:
            a, b = x.get(key, nothing), y.get(key, nothing)
            if a[0] != b[0] or not close(a[1], b[1]):
                return len(commands), ["keyspace", key], a, b
    return None


def shrink(commands, fails, seconds=20):
    """Fewer commands that still fail: halves, then smaller pieces, are left out while the failure stays."""
    end, size = time.monotonic() + seconds, max(1, len(commands) // 2)
    while size and time.monotonic() < end:
        at, smaller = 0, False
        while at < len(commands) and time.monotonic() < end:
            rest = commands[:at] + commands[at + size:]
            if rest and fails(rest):
                commands, smaller = rest, True
            else:
                at += size
        size = size if smaller and size == 1 else size // 2
    return commands


def check(protocol, policy, count, seed, redis_port):
    rng = random.Random(seed)
    generator = Generator(rng)
    commands = []
    while len(commands) < count:
        commands += generator.block()
    with CairnServer("--appendfsync", policy, "--save", "") as server:
        different = run(commands, server.port, redis_port, protocol)
        if different:
            at, command, x, y = different
            print(f"RESP{protocol} {policy}: command {at} {command!r}: cairn {x!r}, redis {y!r}")
            for c in shrink(commands[:at + 1], lambda part: run(part, server.port, redis_port, protocol) is not None):
                print("   ", c)
            return False
        with server.connect() as c:
            before = keyspace(c)
            if policy != "always":
                c.call("BGSAVE") if rng.random() < 0.5 else time.sleep(1.5)
                time.sleep(1.5)
        server.kill()
        server.start()
        with server.connect() as c:
            after = keyspace(c)
        if before != after:
            key = next(k for k in {**before, **after} if before.get(k) != after.get(k))
            print(f"RESP{protocol} {policy}: {key!r} was {before.get(key)!r} and is {after.get(key)!r} after kill and restart")
            return False
    return True


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--commands", type=int, default=6000)
    p.add_argument("--seed", type=int, default=default_seed())
    a = p.parse_args()
    if not redis_server.available():
        print("skipped: no redis-server on this machine to compare with")
        return 77
    print(f"seed {a.seed}", flush=True)
    ok = True
    with redis_server.RedisServer() as redis:
        for i, (protocol, policy) in enumerate([(p, f) for p in (2, 3) for f in ("always", "everysec", "no")]):
            ok = check(protocol, policy, a.commands, a.seed + i, redis.port) and ok
    print(f"{'equal' if ok else 'different'}: 6 runs of {a.commands} commands, seed {a.seed}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
