#!/usr/bin/env python3
"""A real server whose disk fails while it is under load, and gets well again, without a restart.

For each kind of failure (fsync and write errors through a preloaded shim, a file system that is full: a tmpfs of its own where mounting
is allowed) it checks, and prints figures of:

  - reads of values that were durable before are served throughout; but for the moment in which the server is about to find out which
    values are not; those that waited for a sync of other keys when it failed are served as well;
  - a write is refused with -MISCONF, or acknowledged and then there after the power was cut: nothing in between;
  - writes are accepted again once the disk is well;
  - a blocking command's nil waits like any other read;
  - what a client has read is there after the power was cut while syncs failed now and then.

Usage: disk_failure_test.py [--seconds N] [--seed S]      (CAIRN_BIN names the binaries' folder)
"""
import argparse
import errno
import os
import random
import select
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cairn_server import CairnServer, ReplyError, default_seed, encode, read_reply  # noqa: E402
from power import PowerDisk  # noqa: E402

STABLE_KEYS = 200
HEALING_S = 30
DOUBTFUL_KEYS = 8000  # enough to be neighbours, in the server's stripes, of every key


class Worker(threading.Thread):
    """Does one step after the other on a connection of its own until told to stop; counts the steps that the server refuses."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.refused = 0
        self.stopping = False
        self.failure = None

    def run(self):
        try:
            with self.server.connect() as c:
                while not self.stopping:
                    try:
                        self.step(c)
                    except ReplyError as e:
                        assert str(e).startswith("MISCONF"), e
                        self.refused += 1
                        time.sleep(0.002)
        except Exception as e:  # noqa: BLE001
            self.failure = e


class Writer(Worker):
    """Stores growing numbers under keys of its own; knows which are acknowledged."""

    def __init__(self, server, index, seed):
        super().__init__(server)
        self.index, self.rng = index, random.Random(seed)
        self.sent, self.acked = {}, {}
        self.accepted = 0
        self.last_accepted = 0.0

    def step(self, c):
        key = f"w{self.index}:{self.rng.randrange(50)}"
        number = self.sent.get(key, 0) + 1
        self.sent[key] = number
        c.call("SET", key, f"{number}:" + "x" * self.rng.randrange(4000))
        self.acked[key] = number
        self.accepted += 1
        self.last_accepted = time.monotonic()


class Reader(Worker):
    """Reads values that were durable long before: they must come, and be right."""

    def __init__(self, server):
        super().__init__(server)
        self.reads = 0
        self.slowest_s = 0.0

    def step(self, c):
        number = (self.reads + self.refused) % STABLE_KEYS
        begun = time.monotonic()
        try:
            got = c.call("GET", f"stable:{number}")
        finally:
            self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
        assert got == b"value %d" % number, got
        self.reads += 1
        time.sleep(0.001)


class Watcher(Worker):
    """Reads what the writers write, in all the ways that replies wait: by itself, several keys, pipelines, transactions."""

    def __init__(self, server, writers, seed):
        super().__init__(server)
        self.writers, self.rng = writers, random.Random(seed)
        self.shown = {}
        self.reads = 0

    def note(self, key, value):
        if isinstance(value, ReplyError):
            raise value
        self.reads += 1
        if value is not None:
            self.shown[key] = max(self.shown.get(key, 0), int(value.split(b":")[0]))

    def step(self, c):
        keys = [f"w{self.rng.randrange(self.writers)}:{self.rng.randrange(50)}" for _ in range(self.rng.randrange(1, 6))]
        way = self.rng.randrange(4)
        if way == 0:
            self.note(keys[0], c.call("GET", keys[0]))
            return
        if way == 1:
            values = c.call("MGET", *keys)
        elif way == 2:
            values = c.pipeline([("GET", key) for key in keys])
        else:
            values = c.pipeline([("MULTI",), *(("GET", key) for key in keys), ("EXEC",)])[-1]
        if isinstance(values, ReplyError):
            assert str(values).startswith("EXECABORT"), values
            return
        for key, value in zip(keys, values):
            self.note(key, value)


def fill(path):
    """Takes all room that the file system has left."""
    with open(path, "ab", buffering=0) as f:
        for chunk in (1 << 20, 1 << 12):
            try:
                while True:
                    f.write(bytes(chunk))
            except OSError as e:
                assert e.errno == errno.ENOSPC, e


def refuses_writes(server):
    """A write that comes while the disk fails gets an error at once; those that were under way may wait for the disk."""
    with server.connect() as c:
        try:
            c.call("SET", "probe", "1")
            return False
        except ReplyError as e:
            return str(e).startswith("MISCONF")


def recovered(server, writers):
    """The number that is there now of each key that was written, and the last one acknowledged; none may be there that was never sent."""
    with server.connect() as c:
        for writer in writers:
            for key, sent in writer.sent.items():
                found = int((c.call("GET", key) or b"0:").split(b":")[0])
                assert found <= sent, f"{key} is {found}, never sent"
                yield key, found, writer.acked.get(key, 0)


def fail_and_heal(name, server, fail, heal, seconds, seed, crash):
    with server.connect() as c:
        c.pipeline([["SET", f"stable:{i}", f"value {i}"] for i in range(STABLE_KEYS)])
    writers = [Writer(server, i, seed + i) for i in range(4)]
    reader = Reader(server)
    for thread in (*writers, reader):
        thread.start()
    time.sleep(0.3)
    reads_before = reader.reads
    fail()
    time.sleep(seconds)
    refused = refuses_writes(server)
    reads_during = reader.reads - reads_before
    heal()
    healed_at = time.monotonic()
    while min(w.last_accepted for w in writers) < healed_at and time.monotonic() < healed_at + HEALING_S:
        time.sleep(0.005)
    accepted_after_s = min(w.last_accepted for w in writers) - healed_at
    time.sleep(0.2)
    for thread in (*writers, reader):
        thread.stopping = True
    for thread in (*writers, reader):
        thread.join()
        if thread.failure:
            raise AssertionError(f"{name}: {thread.failure!r}\n{server.output()[-3000:]}")
    assert accepted_after_s > 0, f"{name}: writes were not accepted again within {HEALING_S} s\n{server.output()[-3000:]}"
    assert refused, f"{name}: a write was accepted while the disk failed"
    assert reads_during > 100 * reader.refused, f"{name}: {reader.refused} reads were refused, {reads_during} served"
    server.kill()
    crash()
    server.start()
    missing = sum(found < acked for _, found, acked in recovered(server, writers))
    print(f"{name}: {sum(w.accepted for w in writers)} writes acknowledged, {sum(w.refused for w in writers)} refused, {missing} missing; "
          f"{reads_during} reads while it failed, {reader.refused} refused, the slowest took {1000 * reader.slowest_s:.1f} ms; "
          f"writes accepted again after {accepted_after_s:.2f} s", flush=True)
    return missing


def on_shim(name, error_number, writes, seconds, seed):
    disk = PowerDisk()
    try:
        with CairnServer("--appendfsync", "always", directory=disk.directory, environment=disk.environment) as server:
            fail = disk.fail_writes if writes else disk.fail_syncs
            rng = random.Random(seed)
            return fail_and_heal(name, server, lambda: fail(error_number), disk.heal, seconds, seed,
                                 lambda: disk.cut(rng.randrange(1 << 62)))
    finally:
        disk.remove()


def on_small_disk(seconds, seed):
    root = tempfile.mkdtemp(prefix="cairn-full-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", root], capture_output=True).returncode != 0:
        print("full disk: not run, a tmpfs cannot be mounted here")
        os.rmdir(root)
        return 0
    filler = os.path.join(root, "filler")
    try:
        with CairnServer("--appendfsync", "always", directory=os.path.join(root, "data")) as server:
            return fail_and_heal("full disk", server, lambda: fill(filler), lambda: os.remove(filler), seconds, seed,
                                 lambda: None)
    finally:
        subprocess.run(["umount", root], check=True)
        os.rmdir(root)


def answered(connections, timeout_s):
    """Those that have a reply to be read, waiting so long for all of them."""
    end = time.monotonic() + timeout_s
    silent = {c.socket for c in connections}
    while silent and (left_s := end - time.monotonic()) > 0:
        silent -= set(select.select(list(silent), [], [], left_s)[0])
    return [c for c in connections if c.socket not in silent]


def reads_under_way():
    """Syncs are held up until reads wait for them, and then fail."""
    disk = PowerDisk()
    try:
        with CairnServer("--appendfsync", "always", "--threads", "1", directory=disk.directory, environment=disk.environment) as server:
            with server.connect() as c:
                c.pipeline([["SET", f"stable:{i}", f"value {i}"] for i in range(STABLE_KEYS)])
                c.call("RPUSH", "stable:list", *range(20_000))
            disk.hold_syncs(True)
            writer = server.connect()
            # So many at once are committed by the log's thread: the other one goes on while that is held up.
            writer.socket.sendall(encode("SET", "doubtful:0", "value 0") * 200)
            while disk.held_syncs() == 0:
                time.sleep(0.001)
            writer.socket.sendall(b"".join(encode("SET", f"doubtful:{i}", f"value {i}") for i in range(DOUBTFUL_KEYS)))
            requests = [(encode("GET", f"stable:{i}"), [b"value %d" % i]) for i in range(STABLE_KEYS)]
            requests.append((encode("MGET", "stable:1", "stable:2"), [[b"value 1", b"value 2"]]))
            requests.append((encode("GET", "stable:3") + encode("STRLEN", "stable:4"), [b"value 3", 7]))
            requests.append((encode("MULTI") + encode("GET", "stable:5") + encode("EXEC"), ["OK", "QUEUED", [b"value 5"]]))
            requests.append((encode("LRANGE", "stable:list", 0, -1), [[b"%d" % i for i in range(20_000)]]))
            readers = [server.connect() for _ in requests]
            doubtful = [server.connect() for _ in range(3)]
            for reader, (request, _) in zip(readers, requests):
                reader.socket.sendall(request)
            doubtful[0].socket.sendall(encode("GET", "doubtful:1"))
            doubtful[1].socket.sendall(encode("GET", "stable:1") + encode("GET", "doubtful:2"))
            doubtful[2].socket.sendall(encode("MGET", "stable:1", "doubtful:3"))
            waiting = len(readers) - len(answered(readers, 0.5))
            assert waiting > 0.9 * len(readers), f"only {waiting} reads wait for the sync"
            disk.fail_syncs(errno.EIO)
            disk.hold_syncs(False)
            served = answered(readers, 5)
            for reader, (_, replies) in zip(readers, requests):
                assert reader in served, f"after the sync failed {len(readers) - len(served)} reads of durable values still wait"
                for reply in replies:
                    got = read_reply(reader.file)
                    assert got == reply, got
            assert not answered(doubtful, 0.2), "a value was shown that is not durable"
            disk.heal()
            assert len(answered([*doubtful, writer], HEALING_S)) == len(doubtful) + 1, "replies still wait though the disk is well"
            assert read_reply(doubtful[0].file) == b"value 1"
            for connection in (*readers, *doubtful, writer):
                connection.close()
            print(f"reads under way when a sync fails: {waiting} of {len(readers)} waited for it, all were served while it failed", flush=True)
    finally:
        disk.remove()


def blocked_reads():
    """A blocking command that ends without having got anything says that nothing was there: not before that is durable."""
    disk = PowerDisk()
    try:
        with CairnServer("--appendfsync", "always", directory=disk.directory, environment=disk.environment) as server:
            with server.connect() as c:
                c.call("RPUSH", "list", "durable")
                disk.hold_syncs(True)
                writer = server.connect()
                writer.socket.sendall(encode("DEL", "list") + encode("SET", "other", "1") * 200)
                while disk.held_syncs() == 0:
                    time.sleep(0.001)
                waiters = [server.connect() for _ in range(6)]
                for waiter in waiters[:4]:
                    waiter.socket.sendall(encode("BLPOP", "list", "0.1"))
                waiters[4].socket.sendall(encode("BZPOPMIN", "list", "0.1"))
                waiters[5].socket.sendall(encode("BLMOVE", "list", "to", "LEFT", "LEFT", "0.1"))
                early = answered(waiters, 1.0)
                assert not early, f"{len(early)} of {len(waiters)} were told that nothing is there although a crash would bring it back"
                disk.hold_syncs(False)
                assert len(answered(waiters, HEALING_S)) == len(waiters), "replies still wait though the disk is well"
                for waiter in waiters:
                    assert read_reply(waiter.file) is None
            for connection in (*waiters, writer):
                connection.close()
            print("blocking commands that end while a sync is held up: none answered before it", flush=True)
    finally:
        disk.remove()


def cut_while_it_fails(seed, rounds=4):
    """The disk fails now and then, for one sync or several, and then the power: what was acknowledged or read by then is there."""
    rng = random.Random(seed)
    reads = writes = failures = 0
    for _ in range(rounds):
        disk = PowerDisk()
        try:
            with CairnServer("--appendfsync", "always", "--threads", "2", directory=disk.directory, environment=disk.environment) as server:
                writers = [Writer(server, i, rng.randrange(1 << 30)) for i in range(8)]
                watchers = [Watcher(server, len(writers), rng.randrange(1 << 30)) for _ in range(4)]
                for thread in (*writers, *watchers):
                    thread.start()
                end = time.monotonic() + 1.5
                while time.monotonic() < end:
                    time.sleep(rng.random() * 0.05)
                    disk.fail_syncs(errno.EIO, rng.choice((1, 1, 2, 5, 20)))
                failures += disk.failures()
                server.kill()
                for thread in (*writers, *watchers):
                    thread.stopping = True
                    thread.join()
                    assert thread.failure is None or isinstance(thread.failure, OSError), repr(thread.failure)
                disk.heal()
                disk.cut(rng.randrange(1 << 62))
                server.start()
                for key, found, acked in recovered(server, writers):
                    shown = max(w.shown.get(key, 0) for w in watchers)
                    assert found >= acked, f"{key} is {found}, {acked} was acknowledged (seed {seed})"
                    assert found >= shown, f"{key} is {found}, {shown} was read by a client (seed {seed})"
                reads += sum(w.reads for w in watchers)
                writes += sum(w.accepted for w in writers)
        finally:
            disk.remove()
    assert reads > 0 and writes > 0 and failures > 0
    print(f"power cut while syncs fail now and then: {failures} failed, {writes} writes acknowledged, {reads} values read, all there", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=float, default=1.0, help="how long each failure lasts")
    p.add_argument("--seed", type=int, default=default_seed())
    a = p.parse_args()
    print(f"seed {a.seed}", flush=True)
    missing = on_shim("fsync fails with EIO", errno.EIO, False, a.seconds, a.seed)
    missing += on_shim("fsync fails with ENOSPC", errno.ENOSPC, False, a.seconds, a.seed)
    missing += on_shim("writes fail with EIO", errno.EIO, True, a.seconds, a.seed)
    missing += on_shim("writes fail with EDQUOT", errno.EDQUOT, True, a.seconds, a.seed)
    missing += on_small_disk(max(a.seconds, 3.0), a.seed)
    reads_under_way()
    blocked_reads()
    cut_while_it_fails(a.seed)
    if missing:
        print(f"reproduce: disk_failure_test.py --seed {a.seed} --seconds {a.seconds}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
