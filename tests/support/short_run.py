#!/usr/bin/env python3
"""A short life of the real server, meant for builds with sanitizers: concurrent clients, transactions, messages, expiry, a snapshot,
a kill and a clean end; random commands on large values of every type while snapshots and long replies hold them. Fails on a wrong reply,
a lost write, an exit code that is not 0, or a sanitizer's report.

Usage: short_run.py [--seconds N] [--seed S]      (CAIRN_BIN names the binaries' folder)
"""
import argparse
import os
import random
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "resp", "model")]
from cairn_server import CairnServer, ReplyError, default_seed  # noqa: E402
from generator import KEYS, Generator  # noqa: E402

REPORTS = ("AddressSanitizer", "ThreadSanitizer", "LeakSanitizer", "runtime error:", "check failed:")


class Writer(threading.Thread):
    """Sets keys of its own to growing numbers, in ways that change from step to step."""

    def __init__(self, server, name, seed, until):
        super().__init__()
        self.server, self.label, self.until = server, name, until
        self.random = random.Random(seed)
        self.expected = {}
        self.failure = None

    def run(self):
        try:
            with self.server.connect() as connection:
                step = 0
                while time.monotonic() < self.until:
                    step += 1
                    self.one(connection, step)
        except Exception as e:  # reported by the main thread
            self.failure = e

    def one(self, connection, step):
        key = f"{self.label}:{self.random.randrange(50)}"
        value = f"{step}:" + "x" * self.random.choice([1, 40, 100, 3000, 40000])
        kind = self.random.randrange(6)
        if kind == 0:
            replies = connection.pipeline([["SET", key, value], ["GET", key], ["STRLEN", key]])
            assert replies[1] == value.encode() and replies[2] == len(value), replies
        elif kind == 1:
            replies = connection.pipeline([["MULTI"], ["SET", key, value], ["GET", key], ["EXEC"]])
            assert replies[3][1] == value.encode(), replies
        elif kind == 2:
            connection.pipeline([["SET", key, value], ["SET", key + ":gone", "v", "PX", 1 + step % 30], ["PUBLISH", "news", value[:50]]])
        elif kind == 3:
            connection.call("SET", key, "")
            connection.call("APPEND", key, value)
        elif kind == 4:
            connection.pipeline([["SET", key, value], ["INCR", "shared"], ["SCAN", 0, "COUNT", 20], ["DBSIZE"], ["RANDOMKEY"]])
        else:
            connection.pipeline([["SET", key, value], ["SETRANGE", key + ":r", 100 * (step % 500), "y"], ["DEL", key + ":r"]])
        self.expected[key] = value


class Changer(threading.Thread):
    """Random commands on values that are large again and again, so that what a snapshot or a reply holds is changed behind its back."""
    ITEMS = 4000

    def __init__(self, server, seed, until):
        super().__init__()
        self.server, self.until = server, until
        self.generator = Generator(seed, newer=True)
        self.failure = None

    def run(self):
        try:
            with self.server.connect() as connection:
                connection.pipeline([["CONFIG", "SET", "stream-node-max-entries", "5"]])
                while time.monotonic() < self.until:
                    connection.pipeline(self.large_values())
                    for _ in range(5):
                        connection.pipeline([self.generator.command() for _ in range(100)])
        except Exception as e:  # reported by the main thread
            self.failure = e

    def large_values(self):
        family, first = self.generator.pick(["hash", "list", "set", "zset", "stream", "string"]), self.generator.rng.randrange(1000)
        key = self.generator.pick(KEYS[family])
        items = [b"n%d" % (first + i) for i in range(self.ITEMS)]
        if family == "hash":
            yield [b"HSET", key, *[word for item in items for word in (item, item)]]
        elif family == "list":
            yield [b"RPUSH", key, *items]
        elif family == "set":
            yield [b"SADD", key, *items]
        elif family == "zset":
            yield [b"ZADD", key, *[word for i, item in enumerate(items) for word in (b"%d" % i, item)]]
        elif family == "string":
            yield [b"SETRANGE", key, b"%d" % (40 * self.ITEMS), b"end"]
        else:
            yield [b"XGROUP", b"CREATE", key, b"g1", b"0", b"MKSTREAM"]
            yield from ([b"XADD", key, b"*", b"f", item] for item in items[:500])
            yield from ([b"XREADGROUP", b"GROUP", b"g1", b"c%d" % (i % 3), b"COUNT", b"50", b"STREAMS", key, b">"] for i in range(8))


class ApartWorker(threading.Thread):
    """Commands on values so large that their work is done without locks, and small changes of the same values. Several run at a time."""
    ITEMS = 25_000

    def __init__(self, server, seed, until):
        super().__init__()
        self.server, self.until = server, until
        self.random = random.Random(seed)
        self.failure = None

    def run(self):
        try:
            with self.server.connect(timeout=120) as connection:
                while time.monotonic() < self.until:
                    connection.pipeline(self.fill())
                    for _ in range(8):
                        connection.pipeline([self.command() for _ in range(4)])
        except Exception as e:  # reported by the main thread
            self.failure = e

    def fill(self):
        numbers = range(self.random.randrange(100), self.ITEMS)
        kind = self.random.choice(["list", "set", "zset", "stream"])
        if kind == "list":
            yield ["DEL", "apart:list"]
            yield ["RPUSH", "apart:list", *numbers]
        elif kind == "set":
            yield ["SADD", "apart:set", *numbers]
        elif kind == "zset":
            yield ["ZADD", "apart:zset", *[word for number in numbers for word in (number, f"m{number}")]]
        else:
            yield ["XGROUP", "CREATE", "apart:stream", "g", "0", "MKSTREAM"]
            yield from (["XADD", "apart:stream", "*", "f", number] for number in numbers)

    def command(self):
        some, far = self.random.randrange(self.ITEMS), self.ITEMS - 1 - self.random.randrange(100)
        return self.random.choice([
            ["LINSERT", "apart:list", "BEFORE", far, some], ["LREM", "apart:list", 0, far], ["LPUSH", "apart:list", some],
            ["LTRIM", "apart:list", 1, far], ["SORT", "apart:list", "STORE", "apart:stored"],
            ["SADD", "apart:set", f"n{some}"], ["SREM", "apart:set", some], ["SUNIONSTORE", "apart:set2", "apart:set", "apart:set2"],
            ["SINTERSTORE", "apart:stored", "apart:set", "apart:set2"], ["SDIFFSTORE", "apart:set2", "apart:set", "apart:stored2"],
            ["ZADD", "apart:zset", some, f"n{some}"], ["ZREM", "apart:zset", f"m{some}"], ["ZREMRANGEBYRANK", "apart:zset", 2, far - 1000],
            ["ZUNIONSTORE", "apart:stored", 2, "apart:zset", "apart:set"], ["ZRANGESTORE", "apart:zset2", "apart:zset", 0, far],
            ["ZINTERSTORE", "apart:stored", 2, "apart:zset", "apart:zset2"], ["DEL", "apart:stored"],
            ["GEOSEARCHSTORE", "apart:stored", "apart:zset", "FROMLONLAT", 0, 0, "BYRADIUS", 20_000, "km"],
            ["XADD", "apart:stream", "*", "f", some], ["XREADGROUP", "GROUP", "g", "c", "COUNT", 10, "STREAMS", "apart:stream", ">"],
            ["XTRIM", "apart:stream", "MAXLEN", some], ["RENAME", "apart:zset2", "apart:zset"]])


class Holder(threading.Thread):
    """One snapshot after the other, and replies of whole values between them."""

    def __init__(self, server, until):
        super().__init__()
        self.server, self.until = server, until
        self.failure = None

    def run(self):
        whole = [[word.encode() if isinstance(word, str) else word for word in (command[0], key, *command[1:])]
                 for command in (["DUMP"], ["HGETALL"], ["LRANGE", "0", "-1"], ["SMEMBERS"], ["ZRANGE", "0", "-1"], ["XRANGE", "-", "+"],
                                 ["SORT", "BY", "nosort"], ["XPENDING", "g1"])
                 for keys in KEYS.values() for key in keys]
        try:
            with self.server.connect() as connection:
                while time.monotonic() < self.until:
                    connection.pipeline([["BGSAVE"], *whole, ["XINFO", "STREAM", "stream0", "FULL"]])
        except Exception as e:  # reported by the main thread
            self.failure = e


def check_all(server, writers):
    with server.connect() as connection:
        for writer in writers:
            for key, value in writer.expected.items():
                got = connection.call("GET", key)
                assert got == value.encode(), f"{key}: expected {value[:20]}..., found {got and got[:20]}"


def change_what_is_held(server, options):
    until = time.monotonic() + options.seconds / 2
    threads = [Changer(server, options.seed + i, until) for i in range(3)] + [Holder(server, until)]
    threads += [ApartWorker(server, options.seed + i, until) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for thread in threads:
        if thread.failure:
            print(server.output()[-20000:])
            raise thread.failure


def run(options):
    started = time.monotonic()
    with CairnServer("--appendfsync", "always", "--threads", "2", "--loglevel", "verbose") as server:
        for ending in ("kill", "stop"):
            until = time.monotonic() + options.seconds / 2
            writers = [Writer(server, f"{ending}{i}", options.seed + i, until) for i in range(4)]
            for writer in writers:
                writer.start()
            with server.connect() as connection:
                connection.call("SUBSCRIBE", "news")
            with server.connect() as connection:
                time.sleep(options.seconds / 6)
                for command in (["BGSAVE"], ["INFO"], ["CONFIG", "GET", "*"], ["CLIENT", "LIST"], ["COMMAND", "COUNT"]):
                    try:
                        connection.call(*command)
                    except ReplyError as e:
                        print(f"{command[0]}: {e}")
            for writer in writers:
                writer.join()
                if writer.failure:
                    raise writer.failure
            if ending == "kill":
                server.kill()
            else:
                code = server.stop(120)
                assert code == 0, f"exit code {code} after SIGTERM"
            server.start(120)
            check_all(server, writers)
        change_what_is_held(server, options)
        code = server.stop(120)
        output = server.output()
        print(f"ran {time.monotonic() - started:.0f} s, {sum(len(w.expected) for w in writers)} keys checked")
        reports = [line for line in output.splitlines() if any(report in line for report in REPORTS)]
        if reports or code != 0:
            print(output[-20000:])
            print("\n".join(reports[:20]), f"\nexit code {code}")
            return 1
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--seed", type=int, default=default_seed())
    options = parser.parse_args()
    print(f"seed {options.seed}")
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
