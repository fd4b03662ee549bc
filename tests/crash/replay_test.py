#!/usr/bin/env python3
"""The log means the same at the next start, whatever was due, hidden or configured when it was written.

Random commands of all families, among them those that meet hashes of which more fields are due than a reader removes, with active expiry
off or on, and with limits of packed values that change while the server runs and at every start. The server is killed, started again, and
must hold exactly what it held, time after time.

A failure prints the seed. Usage: replay_test.py [--rounds N] [--commands N] [--seed S]      (CAIRN_BIN names the binaries' folder)
"""
import argparse
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "resp", "model")]
from cairn_server import CairnServer, default_seed  # noqa: E402
from generator import KEYS, Generator  # noqa: E402
from replies import Error, shown  # noqa: E402
from servers import Pipe, state_of  # noqa: E402

BATCH = 40
DATABASES = 3
FIELDS = 300
SOON_MS = [1, 3, 10, 25]  # all past when the state is read
SETTLE_S = 0.04
LIMITS = {"hll-sparse-max-bytes": [0, 40, 200, 3000, 16000], "hash-max-listpack-entries": [0, 24, 512], "hash-max-listpack-value": [4, 64],
          "set-max-intset-entries": [0, 24, 512], "zset-max-listpack-entries": [0, 24, 128], "zset-max-listpack-value": [4, 64],
          "stream-node-max-entries": [1, 5, 100]}


class Traps:
    """Commands whose outcome a replay could mistake."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pick = self.random.choice

    def fields(self, count):
        return [f"f{n}" for n in self.random.sample(range(FIELDS), count)]

    def field(self):
        return f"f{self.random.randrange(FIELDS)}"

    def listed(self, count):
        return ["FIELDS", count, *self.fields(count)]

    def commands(self):
        return self.pick([self.due_hash, self.due_hash, self.due_hash, self.on_hash, self.on_hash, self.sort, self.sort, self.estimate, self.stream,
                          self.limit])()

    def due_hash(self):
        """A hash most or all of whose fields are due soon, and what meets it then."""
        key, names = self.pick(KEYS["hash"]), self.fields(self.pick([3, 150, FIELDS]))
        due = names if self.random.random() < 0.6 else names[1:]
        made = [["DEL", key], ["HSET", key, *[x for name in names for x in (name, self.random.randrange(20))]],
                ["HPEXPIRE", key, self.pick(SOON_MS), "FIELDS", len(due), *due]]
        return made + [["PAUSE", self.pick(SOON_MS)]] * self.pick([0, 1, 1]) + self.pick([self.on_hash, self.over_hash, self.sort])()

    def over_hash(self):
        """A hash's key gets another value, which it may only have if nothing is left there."""
        key, other = self.pick(KEYS["hash"]), self.pick(["text", "order"])
        text, members = self.pick(["5", "word"]), ["7", "8"]
        return [["SET", "text", text], ["RPUSH", "order", 0], self.pick([
            ["COPY", other, key], ["COPY", other, key, "REPLACE"], ["RENAME", "text", key], ["RENAMENX", "text", key], ["SET", key, text, "NX"],
            ["SETNX", key, text], ["MSETNX", key, text, "text2", text], ["APPEND", key, text], ["SETRANGE", key, 3, text], ["INCR", key],
            ["SETBIT", key, 9, 1], ["BITFIELD", key, "SET", "u8", 0, 77], ["BITOP", "NOT", key, "text"], ["PFADD", key, text],
            ["PFMERGE", key, KEYS["hll"][0]], ["RPUSH", key, *members], ["LMOVE", "order", key, "LEFT", "RIGHT"], ["SADD", key, *members],
            ["SUNIONSTORE", key, KEYS["set"][0]], ["SMOVE", KEYS["set"][0], key, "1"], ["ZADD", key, 1, "a"], ["GEOADD", key, 1, 1, "a"],
            ["ZUNIONSTORE", key, 1, KEYS["zset"][0]], ["ZRANGESTORE", key, KEYS["zset"][0], 0, 3], ["SORT", "order", "STORE", key],
            ["GEOSEARCHSTORE", key, KEYS["geo"][0], "FROMLONLAT", 1, 1, "BYRADIUS", 10000, "km"], ["XADD", key, "1-1", "a", "b"],
            ["XGROUP", "CREATE", key, "g", 0, "MKSTREAM"], ["MOVE", key, 1], ["DEL", key]])]

    def on_hash(self):
        key = self.pick(KEYS["hash"])
        return [self.pick([
            ["HSETNX", key, self.field(), 1], ["HINCRBY", key, self.field(), 2], ["HINCRBYFLOAT", key, self.field(), "0.5"],
            ["HSETEX", key, self.pick(["FNX", "FXX"]), "PX", self.pick(SOON_MS), "FIELDS", 1, self.field(), 3], ["HGETDEL", key, *self.listed(5)],
            ["HGETEX", key, "PX", self.pick(SOON_MS), *self.listed(5)], ["HPERSIST", key, *self.listed(5)], ["HDEL", key, *self.fields(5)],
            ["HPEXPIRE", key, self.pick([*SOON_MS, 900000]), self.pick(["NX", "XX", "GT", "LT"]), *self.listed(40)], ["HGET", key, self.field()],
            ["HLEN", key], ["RENAME", key, self.pick(KEYS["hash"])], ["COPY", key, self.pick(KEYS["hash"]), "REPLACE"], ["PERSIST", key],
            ["COPY", key, key, "DB", self.pick([1, 2]), "REPLACE"], ["MOVE", key, self.pick([1, 2])], ["PEXPIRE", key, 900000, "NX"],
            ["RENAMENX", key, self.pick(KEYS["hash"])], ["COPY", key, self.pick(KEYS["hash"])], ["PEXPIRE", key, self.pick(SOON_MS)]])]

    def sort(self):
        by = self.pick([[], ["BY", "nosort"], ["BY", f"hash*->{self.field()}"], ["BY", f"hash*->{self.field()}", "ALPHA"]])
        get = self.pick([[], ["GET", f"hash*->{self.field()}"], ["GET", "#", "GET", f"hash*->{self.field()}"], ["GET", "string*"]])
        return [["RPUSH", "order", 0, 1, 2]] * self.pick([0, 0, 1]) + [["SORT", "order", *by, *get, "STORE", self.pick(["sorted", *KEYS["list"]])]]

    def estimate(self):
        key = self.pick(KEYS["hll"])
        elements = [self.random.randrange(5000) for _ in range(self.pick([1, 3, 40, 800]))]
        return [self.pick([["PFADD", key, *elements], ["PFADD", key, *elements], ["PFMERGE", key, *KEYS["hll"]], ["PFCOUNT", key], ["DEL", key],
                           ["SETBIT", key, 98000, 1], ["GETRANGE", key, 0, 20], ["PFDEBUG", "TODENSE", key], ["COPY", key, "copy", "REPLACE"]])]

    def stream(self):
        about = self.pick([["MAXLEN", "~", 20], ["MAXLEN", 30], ["MAXLEN", "~", 10, "LIMIT", 7]])
        return [self.pick([["XADD", "trimmed", "*", "field", self.random.randrange(9)], ["XADD", "trimmed", *about, "*", "field", 1],
                           ["XTRIM", "trimmed", *about]])] * self.pick([1, 20])

    def limit(self):
        name = self.pick(sorted(LIMITS))
        return [["CONFIG", "SET", name, self.pick(LIMITS[name])]]


def as_bytes(command):
    return [arg if isinstance(arg, bytes) else str(arg).encode() for arg in command]


def run_commands(pipe, generator, traps, count):
    for _ in range(count // BATCH):
        batch = []
        while len(batch) < BATCH:
            batch += [generator.command()] if traps.random.random() < 0.5 else [as_bytes(command) for command in traps.commands()]
        while batch:
            pauses = [at for at, command in enumerate(batch) if command[0] == b"PAUSE"] + [len(batch)]
            pipe.batch(batch[:pauses[0]])
            if pauses[0] < len(batch):
                time.sleep(int(batch[pauses[0]][1]) / 1000)
            batch = batch[pauses[0] + 1:]


def restore(pipe, damaged):
    """Takes a value through DUMP and RESTORE, with a relative expiry; one with a wrong checksum where those are passed over."""
    payload = pipe.call("DUMP", "order")
    if not isinstance(payload, bytes) or isinstance(payload, Error):
        return
    pipe.call("RESTORE", "restored", 900000, payload, "REPLACE")
    if damaged:
        pipe.call("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 1)
        assert pipe.call("RESTORE", "unchecked", 0, payload[:-1] + bytes([payload[-1] ^ 1]), "REPLACE") == b"OK"
        pipe.call("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 0)


def states(port):
    pipe = Pipe(port)
    found = {}
    for database in range(DATABASES):
        pipe.call("SELECT", database)
        for key in pipe.call("KEYS", "*"):  # a reader takes a hundred fields away that are due
            pipe.batch([[b"TYPE", key]] * (FIELDS // 100 + 1))
        found.update({(database, key): value for key, value in state_of(pipe, shown, newer=True).items()})
    pipe.close()
    return found


def must_be_equal(before, after, now_ms):
    for key in sorted({**before, **after}):
        held = before.get(key)
        expires = held is not None and any(isinstance(part, int) and 0 < part <= now_ms for part in held[1:])
        assert expires or held == after.get(key), f"{key} held {str(held)[:2000]}\nand holds {str(after.get(key))[:2000]}"


def flags_of(rng):
    return [x for name in sorted(LIMITS) for x in ("--" + name, str(rng.choice(LIMITS[name])))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--commands", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=default_seed())
    options = parser.parse_args()
    print("seed", options.seed, flush=True)
    rng = random.Random(options.seed)
    generator, traps = Generator(rng.randrange(1 << 30), newer=True), Traps(rng.randrange(1 << 30))
    common = ["--appendfsync", "always", "--save", "", "--enable-debug-command", "yes"]
    with CairnServer(*common, *flags_of(rng)) as server:
        for number in range(options.rounds):
            pipe = Pipe(server.port)
            pipe.call("DEBUG", "SET-ACTIVE-EXPIRE", number % 3 // 2)
            try:
                run_commands(pipe, generator, traps, options.commands)
                restore(pipe, rng.random() < 0.5)
            except OSError as error:
                raise AssertionError(f"the server ended:\n{server.output()[-2000:]}") from error
            time.sleep(SETTLE_S)
            before = states(server.port)
            server.kill()
            pipe.close()
            server.flags = [*common, *flags_of(rng)]
            server.start()
            must_be_equal(before, states(server.port), time.time() * 1000)
    print(f"{options.rounds} times the same after a kill")


if __name__ == "__main__":
    main()
