#!/usr/bin/env python3
"""Commands drawn from COMMAND DOCS, right and slightly wrong: every option that a server says it takes, in odd company.

Those that redis-server documents go to it and to Cairn, in RESP2 and RESP3: the same replies and the same values. Those that Cairn
documents, newer ones with them, go to Cairn alone, which must be there afterwards, and have the same values after kill -9 and a restart.
A failure prints the seed and the commands that led to it, shortened to those that still fail.

Usage: grammar_test.py [--commands N] [--seed S]       (CAIRN_BIN names the binaries' folder)
"""
import argparse
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "model"), os.path.join(HERE, "..", "support")]
import redis_server  # noqa: E402
from cairn_server import CairnServer, default_seed  # noqa: E402
from differential_test import shrink  # noqa: E402
from replies import equal, shown  # noqa: E402
from servers import Pipe, difference, state_of  # noqa: E402

GROUPS = (b"string", b"list", b"hash", b"set", b"sorted-set", b"stream", b"hyperloglog", b"geo", b"bitmap", b"generic")
# Replies that are random, times, cursors or another server's bytes; and what leaves the keyspace.
APART = {"SPOP", "SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER", "RANDOMKEY", "SCAN", "DUMP", "RESTORE", "RESTORE-ASKING", "MIGRATE", "WAIT",
         "WAITAOF", "OBJECT IDLETIME", "OBJECT FREQ", "OBJECT REFCOUNT", "TTL", "PTTL",
         "OBJECT HELP", "XGROUP HELP", "XINFO HELP", "PFDEBUG", "PFSELFTEST", "SORT"}
LONG = "x" * 70
KEYS = [f"k{i}" for i in range(8)] + ["{t}a"]
TEXTS = ["a", "b", "c", "f1", "f2", "10", "3.5", "", LONG, "-5", "hello world", "7", "0", "inf", "nan", "1e400", "0x10", " 1"]
INTEGERS = ["0", "1", "2", "3", "-1", "-2", "5", "10", "100", "abc", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "",
            "1.5", " 1", "+1", "00", "-0"]
FLOATS = ["0", "1", "1.5", "-2.25", "inf", "-inf", "nan", "abc", "1e5", "", "3.0e-2", "1e400", "0x1p3", "+5", ".5", "5."]
BOUNDS = ["0", "-1", "1", "(1", "[a", "-", "+", "-inf", "+inf", "(2", "5", "0-0", "1-1", "(1-1", "[c", "(a", "abc", "2-5", ""]
IDS = ["0-0", "1-1", "0", "1", "2-1", "5-*", "5", "7-3", "$", ">", "9-9", "abc", "1-", "0-1", "3-*", "18446744073709551615-1"]
BY_TYPE = {"integer": INTEGERS, "double": FLOATS, "unix-time": ["4000000000", "4000000000000", "1", "0", "-1", "abc", "9223372036854775807"],
           "pattern": ["*", "k*", "f[12]", "[", "\\", "#"]}
# From now on: none that could pass between two servers, and none that waits for longer than two milliseconds.
PERIODS = ["-1", "abc", "9223372036854775807", ""]
WAITS_S, WAITS_MS = ["0.001", "0.002", "-1", "abc", ""], ["1", "2", "-1", "abc"]
BY_NAME = {"seconds": PERIODS, "milliseconds": PERIODS, "timeout": WAITS_S, "min-idle-time": ["0", "1000000000", "-1", "abc"],
           "group": ["g1", "g2"], "groupname": ["g1", "g2"], "consumer": ["c1", "c2"], "cursor": ["0", "abc", ""], "encoding": ["u8", "i16", "i64", "u63", "i65", "x"],
           **dict.fromkeys(("id", "start-id", "last-id", "lastid", "threshold", "max-deleted-entry-id"), IDS),
           **dict.fromkeys(("min", "max", "start", "stop", "end"), BOUNDS)}


def record(reply):
    return {reply[i].decode(): reply[i + 1] for i in range(0, len(reply), 2)}


def grammar_of(port):
    """{command: its arguments as COMMAND DOCS tells them}, of the commands that work on keys."""
    docs = Pipe(port).call("COMMAND", "DOCS")
    commands = {}
    for name, reply in zip(docs[::2], docs[1::2]):
        entry = record(reply)
        if entry["group"] not in GROUPS:
            continue
        subs = entry.get("subcommands", [])
        for words, arguments in zip(subs[::2], map(record, subs[1::2])) if subs else [(name, entry)]:
            commands[words.decode().replace("|", " ").upper()] = list(map(record, arguments.get("arguments", [])))
    return {name: arguments for name, arguments in commands.items() if name not in APART}


class Drawer:
    def __init__(self, rng, commands):
        self.rng, self.commands = rng, commands
        self.names = sorted(commands)

    def value(self, argument):
        name, kind = argument["name"].decode(), argument["type"].decode()
        if kind == "key":
            return self.rng.choice(KEYS)
        if name in BY_NAME and kind != "unix-time":
            return self.rng.choice(BY_NAME[name])
        return self.rng.choice(BY_TYPE.get(kind, TEXTS))

    def draw(self, arguments, words):
        count_at = None
        for argument in arguments:
            flags = argument.get("flags", [])
            if b"optional" in flags and self.rng.random() < 0.6:
                continue
            if argument["name"] == b"numkeys":
                count_at = len(words)
                words.append("1")
                continue
            kind, before = argument["type"], len(words)
            for i in range(self.rng.choice([1, 1, 2, 3]) if b"multiple" in flags else 1):
                if "token" in argument and (i == 0 or b"multiple_token" in flags):
                    words.append(argument["token"].decode().strip('"'))
                parts = list(map(record, argument.get("arguments", [])))
                if kind == b"oneof":
                    self.draw([self.rng.choice(parts)], words)
                elif kind == b"block":
                    self.draw(parts, words)
                elif kind != b"pure-token":
                    words.append(self.value(argument))
            if count_at is not None and kind == b"key":
                words[count_at] = str(len(words) - before) if self.rng.random() < 0.9 else self.rng.choice(INTEGERS)
                count_at = None

    def damage(self, words):
        at = self.rng.randrange(len(words))
        kind = self.rng.randrange(5)
        if kind == 0:
            del words[at]
        elif kind == 1:
            words.insert(at, words[at])
        elif kind == 2:
            words[at] = self.rng.choice(INTEGERS + TEXTS)
        elif kind == 3:
            other = self.rng.randrange(len(words))
            words[at], words[other] = words[other], words[at]
        else:
            words[at] = words[at].swapcase()

    def command(self):
        while True:
            name = self.rng.choice(self.names)
            words = []
            self.draw(self.commands[name], words)
            if words and self.rng.random() < 0.3:
                self.damage(words)
            make_prompt(name, words)
            if may_be_compared(name, words):
                return [word.encode() for word in name.split() + words]


def make_prompt(name, words):
    """Ids of two servers' clocks become ids of neither, and a wait becomes a short one."""
    for i, word in enumerate(words):
        if name == "XADD" and word == "*":
            words[i] = "5-*"
        if name.startswith("XREAD") and i > 0 and words[i - 1].upper() == "BLOCK":
            words[i] = WAITS_MS[len(word) % len(WAITS_MS)]


def may_be_compared(name, words):
    if name.startswith("XREAD") and "+" in words:  # the last entry, since 7.4
        return False
    if name == "LPOS" and "-9223372036854775808" in words:  # refused since 7.2
        return False
    if name.endswith("SCAN"):
        return len(words) < 2 or words[1] in BY_NAME["cursor"]
    if name.startswith("B") and name not in ("BITCOUNT", "BITFIELD", "BITFIELD_RO", "BITOP", "BITPOS"):
        return bool(words) and words[0 if "MPOP" in name else -1] in WAITS_S
    # A period that damage has made valid would end at two servers at two times.
    timed = "EXPIRE" in name or any(word.upper() in ("EX", "PX") for word in words) or name in ("SETEX", "PSETEX", "HSETEX", "HGETEX", "INCREX")
    return not (timed and any(word.strip("+ ").isdigit() and 0 < int(word) < 10**9 for word in words))


def unfinished(command, *replies):
    """Whether a walk stopped on its way, somewhere in a hash table: where, and what it has seen, is each server's own affair."""
    walks = command[0].upper().endswith(b"SCAN") and all(isinstance(reply, list) for reply in replies)
    return walks and any(reply[0] != b"0" for reply in replies)


def replies_differ(commands, cairn_port, redis_port, protocol):
    """None, or the command whose replies differ with the two replies, or a key with its two values."""
    cairn, redis = Pipe(cairn_port, protocol), Pipe(redis_port, protocol)
    for pipe in (cairn, redis):
        pipe.call("FLUSHALL")
    for at in range(0, len(commands), 200):
        part = commands[at:at + 200]
        for i, (command, mine, other) in enumerate(zip(part, cairn.batch(part), redis.batch(part))):
            if not equal(command, mine, other) and not unfinished(command, mine, other):
                return at + i, command, mine, other
    found = difference(state_of(Pipe(cairn_port), shown), state_of(Pipe(redis_port), shown))
    return None if found is None else (len(commands), *found)


def compare(protocol, seed, count, redis_port):
    drawer = Drawer(random.Random(seed), grammar_of(redis_port))
    with CairnServer("--save", "", "--appendonly", "no") as server:
        for _ in range(0, count, 500):
            commands = [drawer.command() for _ in range(500)]
            found = replies_differ(commands, server.port, redis_port, protocol)
            if found is None:
                continue
            at, *what = found
            print(f"RESP{protocol}: {what[0]!r}: cairn {what[1]!r}, redis {what[2]!r}")
            for command in shrink(commands[:at + 1], lambda part: replies_differ(part, server.port, redis_port, protocol)):
                print("   ", command)
            return False
    return True


def recovers(seed, count):
    rng = random.Random(seed)
    with CairnServer("--save", "", "--appendfsync", "always") as server:
        drawer = Drawer(rng, grammar_of(server.port))
        for _ in range(0, count, 1000):
            pipe = Pipe(server.port, rng.choice([2, 3]))
            commands = [drawer.command() for _ in range(1000)]
            pipe.batch(commands)
            before = state_of(Pipe(server.port), shown, newer=True)
            server.kill()
            server.start()
            found = difference(before, state_of(Pipe(server.port), shown, newer=True))
            if found is not None:
                print(f"{found[0]!r} was {found[1]!r} and is {found[2]!r} after kill and restart; it came to be by")
                for command in [c for c in commands if found[0] in c]:
                    print("   ", command)
                return False
    return True


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--commands", type=int, default=10000)
    p.add_argument("--seed", type=int, default=default_seed())
    a = p.parse_args()
    print(f"seed {a.seed}", flush=True)
    ok = recovers(a.seed, a.commands)
    print(f"kept over restarts: {ok}", flush=True)
    if not redis_server.available():
        print("no redis-server on this machine to compare with")
        return 0 if ok else 1
    with redis_server.RedisServer() as redis:
        for protocol in (2, 3):
            ok = compare(protocol, a.seed + protocol, a.commands, redis.port) and ok
    print(f"{'equal' if ok else 'different'}: {a.commands} commands in each protocol, seed {a.seed}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
