#!/usr/bin/env python3
"""Kills the real server at random moments under load and checks what came back.

Writers record each write before it is sent and each acknowledgement; readers record what they saw. Every key has one writer, which
stores growing numbers, so after a restart a key's value v must satisfy:

  always:    v >= the last acknowledged number, v >= every number that any client read, v <= the last number sent
  everysec:  v >= the last number acknowledged more than a second (plus slack for the kill) before the kill
  both:      the two keys of a transaction are equal

With --memory the server has a limit, a policy that evicts (allkeys-lru) and a client that fills it: a key may then be gone, but what is
there is judged the same.

A kill leaves what the process wrote in the page cache. A power cut leaves only what was synced: the server runs with a preloaded shim
that remembers that, and after the kill the directory becomes what a power cut would have left, with unsynced pages, sizes and names
kept, dropped or torn. Either comes at a moment of its own kind: anywhere, while a snapshot or a compaction (which starts a new log
segment) is made, after the process hung (SIGSTOP), with the clock set; and recovery is cut short now and then by one more.

Usage: kill_test.py [--rounds N] [--connections N] [--policy always|everysec] [--cut kill|power] [--memory] [--seed S]
(CAIRN_BIN names the binaries' folder)
"""
import argparse
import asyncio
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cairn_server import CairnServer, ReplyError, default_seed, encode  # noqa: E402
from power import PowerDisk  # noqa: E402

KEYS_PER_WRITER = 40
EVERYSEC_WINDOW_S = 1.0
MEMORY_FLAGS = ["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"]
FILLER_BYTES = 20_000
FILLERS = 6_000
KILL_SLACK_S = 0.05  # between reading the clock and the signal's effect


class History:
    def __init__(self):
        self.sent = {}      # key -> last number sent
        self.acked = {}     # key -> [(time, number)], the newest last, older than the window pruned to one
        self.seen = {}      # key -> largest number that a client read
        self.acknowledged_writes = 0

    def ack(self, key, number, now):
        acks = self.acked.setdefault(key, [])
        acks.append((now, number))
        while len(acks) > 1 and acks[1][0] < now - 3:
            acks.pop(0)
        self.acknowledged_writes += 1

    def must_have(self, key, policy, killed_at):
        limit = killed_at - EVERYSEC_WINDOW_S - KILL_SLACK_S if policy == "everysec" else killed_at + 1e9
        old_enough = [n for t, n in self.acked.get(key, []) if t < limit]
        floor = old_enough[-1] if old_enough else 0
        return max(floor, self.seen.get(key, 0)) if policy == "always" else floor


async def read_replies(reader, count):
    """`count` scalar replies, or arrays of scalars, as bytes lines (None for nil)."""
    out = []
    for _ in range(count):
        out.append(await read_one(reader))
    return out


async def read_one(reader):
    line = await reader.readuntil(b"\r\n")
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        raise AssertionError("error reply under load: " + rest.decode())
    if kind == b"$":
        n = int(rest)
        return None if n < 0 else (await reader.readexactly(n + 2))[:-2]
    if kind == b"*":
        return [await read_one(reader) for _ in range(int(rest))]
    return rest


async def writer_task(index, port, history, rng):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while True:
            if rng.random() < 0.2:
                await write_pair(index, reader, writer, history)
                continue
            batch = []
            for _ in range(rng.choice((1, 1, 4, 16))):
                key = "k:%d:%d" % (index, rng.randrange(KEYS_PER_WRITER))
                number = history.sent.get(key, 0) + 1
                history.sent[key] = number
                batch.append((key, number))
            writer.write(b"".join(encode("SET", k, n) for k, n in batch))
            for key, number in batch:
                await read_one(reader)
                history.ack(key, number, time.monotonic())
    except (OSError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


async def write_pair(index, reader, writer, history):
    a, b = "pair:{%d}:a" % index, "pair:x%d:b" % index
    number = history.sent.get(a, 0) + 1
    history.sent[a] = history.sent[b] = number
    writer.write(encode("MULTI") + encode("SET", a, number) + encode("SET", b, number) + encode("EXEC"))
    await read_replies(reader, 4)
    now = time.monotonic()
    history.ack(a, number, now)
    history.ack(b, number, now)


async def reader_task(writers, port, history, rng):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while True:
            key = "k:%d:%d" % (rng.randrange(writers), rng.randrange(KEYS_PER_WRITER))
            writer.write(encode("GET", key))
            value = await read_one(reader)
            if value is not None:
                history.seen[key] = max(history.seen.get(key, 0), int(value))
    except (OSError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


async def filler_task(port, rng):
    """More than the memory limit, again and again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    value = b"f" * FILLER_BYTES
    try:
        while True:
            writer.write(b"".join(encode("SET", "fill:%d" % rng.randrange(FILLERS), value) for _ in range(20)))
            await read_replies(reader, 20)
    except (OSError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


async def load_until_kill(server, disk, history, connections, rng, seconds, memory):
    writers = connections * 4 // 5
    seeds = [rng.randrange(1 << 30) for _ in range(connections)]
    tasks = [asyncio.create_task(writer_task(i, server.port, history, random.Random(seeds[i]))) for i in range(writers)]
    tasks += [asyncio.create_task(reader_task(writers, server.port, history, random.Random(seeds[i])))
              for i in range(writers, connections)]
    if memory:
        tasks.append(asyncio.create_task(filler_task(server.port, random.Random(rng.randrange(1 << 30)))))
    await asyncio.sleep(seconds)
    moment = rng.choice(("any", "any", "BGSAVE", "BGREWRITEAOF", "hang", "clock"))
    if moment.startswith("BG"):
        with server.connect() as c:
            try:
                c.call(moment)
            except ReplyError:
                pass  # one is under way already
        await asyncio.sleep(rng.uniform(0, 0.05))
    elif moment == "hang":
        server.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(rng.uniform(0, 0.1))
        if rng.random() < 0.5:
            server.process.send_signal(signal.SIGCONT)
            await asyncio.sleep(rng.uniform(0, 0.1))
    elif moment == "clock" and disk:
        disk.set_clock(rng.randrange(-86_400, 86_400))
        await asyncio.sleep(rng.uniform(0, 0.1))
    killed_at = time.monotonic()
    server.kill()
    await asyncio.gather(*tasks)
    return killed_at


def crash_and_start(server, disk, rng):
    """The power is cut, or not, and the server recovers; some recoveries are killed, and their power is cut, before they are through."""
    interrupted = 0
    while True:
        if disk:
            disk.cut(0 if rng.random() < 0.2 else rng.randrange(1, 1 << 62))
        if rng.random() > 0.3:
            server.start()
            return interrupted
        server.start(wait=False)
        time.sleep(rng.uniform(0, 0.15))
        server.kill()
        interrupted += 1


def check(server, history, policy, killed_at, memory):
    """The violations, as text, and the numbers found (the next round builds on them)."""
    keys = sorted(history.sent)
    violations = []
    with server.connect() as c:
        found = {}
        for at in range(0, len(keys), 1000):
            part = keys[at:at + 1000]
            found.update(zip(part, c.call("MGET", *part)))
    for key in keys:
        value = int(found[key] or 0)
        need = history.must_have(key, policy, killed_at)
        evicted = memory and found[key] is None
        if value < need and not evicted:
            violations.append(f"{key}: found {value}, needed at least {need}, last sent {history.sent[key]}")
        if value > history.sent[key]:
            violations.append(f"{key}: found {value}, never sent (last {history.sent[key]})")
        if key.startswith("pair:{"):
            twin = "pair:x%s:b" % key[6:key.index("}")]
            if found[key] != found.get(twin) and not (memory and None in (found[key], found.get(twin))):
                violations.append(f"{key}={found[key]} but {twin}={found.get(twin)}: half a transaction")
        if evicted:
            value = history.sent[key]  # numbers go on: one that was evicted must not come back
        history.sent[key] = max(value, 0)
        history.acked[key] = [(0.0, value)]
        history.seen[key] = value if policy == "always" else 0
    return violations


def torture(policy, cut, rounds, connections, seed, memory):
    rng = random.Random(seed)
    history = History()
    lost = 0
    interrupted = 0
    flags = ["--appendfsync", policy, "--save", "60 10000"] + (MEMORY_FLAGS if memory else [])
    disk = PowerDisk() if cut == "power" else None
    with CairnServer(*flags, directory=disk and disk.directory, environment=disk and disk.environment) as server:
        try:
            for round_number in range(rounds):
                seconds = rng.uniform(0.05, 0.5) if policy == "always" else rng.uniform(1.2, 2.6)
                killed_at = asyncio.run(load_until_kill(server, disk, history, connections, rng, seconds, memory))
                interrupted += crash_and_start(server, disk, rng)
                violations = check(server, history, policy, killed_at, memory)
                lost += len(violations)
                for v in violations[:10]:
                    print(f"{policy}, {cut}, round {round_number}: {v}", flush=True)
        finally:
            server.kill()
            if disk:
                disk.remove()
    print(f"{policy}{', memory limit' if memory else ''}: {rounds} {'power cuts' if disk else 'kills'} under load, {interrupted} in recovery, "
          f"{history.acknowledged_writes} acknowledged writes, {lost} violations", flush=True)
    return lost


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--connections", type=int, default=50)
    p.add_argument("--policy", choices=("always", "everysec"), default=None, help="default: rounds of both")
    p.add_argument("--cut", choices=("kill", "power"), default=None, help="default: rounds of both")
    p.add_argument("--memory", action="store_true", help="under a memory limit, with eviction")
    p.add_argument("--seed", type=int, default=default_seed())
    a = p.parse_args()
    print(f"seed {a.seed}", flush=True)
    failed = 0
    for policy in [a.policy] if a.policy else ["always", "everysec"]:
        for cut in [a.cut] if a.cut else ["kill", "power"]:
            lost = torture(policy, cut, a.rounds, a.connections, a.seed, a.memory)
            failed += lost
            if lost:
                print(f"reproduce: kill_test.py --seed {a.seed} --rounds {a.rounds} --policy {policy} --cut {cut}"
                      + (" --memory" if a.memory else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
