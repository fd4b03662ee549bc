#!/usr/bin/env python3
"""Goes back to random times and LSNs of a load whose history is recorded, and compares every key.

Writers record when each of their transactions was sent and answered. A transaction also stores its own number, so a restored state says
where in each writer's history it stands, and must then equal that history's fold exactly. Now and then all writers are held between two
transactions: the LSN and the time of that moment then have one right state. Snapshots, compactions, backups and (unless --kills 0) a
kill -9 with a restart come in between.

Usage: point_in_time_test.py [--seconds N] [--points N] [--writers N] [--kills N] [--seed S]
       the full form: --seconds 60 --points 50 --kills 3
"""
import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tools import ToolFailed, contents, run  # noqa: E402
from cairn_server import CairnServer, ReplyError  # noqa: E402

FLAGS = ["--log-retention-hours", "1", "--save", "", "--appendfsync", "always"]


class Writer(threading.Thread):
    """Transactions on keys of its own; ops[i] = (sent, answered or None, commands)."""

    def __init__(self, name, server, gate, seed):
        super().__init__(daemon=True)
        self.prefix, self.server, self.gate = f"w{name}:".encode(), server, gate
        self.random = random.Random(seed)
        self.ops = []
        self.ends = False
        self.failure = None

    def transaction(self):
        r, number = self.random, len(self.ops) + 1
        commands = [(b"SET", self.prefix + b"n", b"%d" % number)]
        for _ in range(r.randrange(4)):
            key = self.prefix + b"%d" % r.randrange(6)
            value = r.randbytes(r.choice([1, 10, 100, 3000]))
            commands.append(r.choice([
                (b"SET", key + b"s", value), (b"HSET", key + b"h", b"f%d" % r.randrange(5), value),
                (b"RPUSH", key + b"l", value[:20]), (b"DEL", key + r.choice([b"s", b"h", b"l"])), (b"SADD", key + b"m", value[:4])]))
        return commands

    def run(self):
        try:
            connection = None
            while not self.ends:
                with self.gate.read():
                    if self.ends:
                        break
                    if connection is None:
                        connection = self.server.connect()
                    commands = self.transaction()
                    self.ops.append([time.time(), None, commands])
                    try:
                        wrapped = commands if len(commands) == 1 else [(b"MULTI",), *commands, (b"EXEC",)]
                        for reply in connection.pipeline(wrapped):
                            if isinstance(reply, ReplyError):
                                raise reply
                        self.ops[-1][1] = time.time()
                    except OSError:  # killed: this one may be there or not; the number tells
                        connection = None
                        self.gate.await_restart()
                        with self.server.connect() as again:
                            stored = int(again.call("GET", self.prefix + b"n") or 0)
                        if stored < len(self.ops):
                            self.ops.pop()
                        else:
                            self.ops[-1][1] = time.time()
        except Exception as e:  # noqa: BLE001
            self.failure = e

    def fold(self, count):
        state = {}
        for _, _, commands in self.ops[:count]:
            for name, key, *rest in commands:
                if name == b"SET":
                    state[key] = ("string", rest[0])
                elif name == b"DEL":
                    state.pop(key, None)
                elif name == b"HSET":
                    state[key] = ("hash", {**state.get(key, ("hash", {}))[1], rest[0]: rest[1]})
                elif name == b"RPUSH":
                    state[key] = ("list", state.get(key, ("list", []))[1] + [rest[0]])
                elif name == b"SADD":
                    state[key] = ("set", state.get(key, ("set", set()))[1] | {rest[0]})
        return state


class Gate:
    """Writers pass it one transaction at a time; who holds it finds them all between two."""

    def __init__(self):
        self.changed = threading.Condition()
        self.inside, self.held, self.restarting = 0, False, False

    def read(self):
        gate = self

        class Pass:
            def __enter__(self):
                with gate.changed:
                    gate.changed.wait_for(lambda: not gate.held)
                    gate.inside += 1

            def __exit__(self, *_):
                with gate.changed:
                    gate.inside -= 1
                    gate.changed.notify_all()
        return Pass()

    def __enter__(self):
        with self.changed:
            self.held = True
            self.changed.wait_for(lambda: self.inside == 0)

    def __exit__(self, *_):
        with self.changed:
            self.held = False
            self.changed.notify_all()

    def await_restart(self):
        with self.changed:
            self.changed.wait_for(lambda: not self.restarting)


class Rig:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.base = tempfile.mkdtemp(prefix="cairn-pitr-")
        self.server = CairnServer(*FLAGS, directory=os.path.join(self.base, "data")).start()
        self.gate = Gate()
        self.writers = [Writer(i, self.server, self.gate, options.seed * 100 + i) for i in range(options.writers)]
        self.moments = []  # (lsn, time, [operations of each writer])
        self.backups = []  # (directory, lowest and highest count of each writer)

    def end_lsn(self, connection):
        info = connection.call("INFO", "persistence").decode()
        return int(next(line for line in info.split("\r\n") if line.startswith("log_end_lsn:")).split(":")[1])

    def note_moment(self, connection):
        with self.gate:
            time.sleep(0.002)
            self.moments.append((self.end_lsn(connection), time.time(), [len(w.ops) for w in self.writers]))
            time.sleep(0.002)

    def backup(self, connection):
        directory = os.path.join(self.base, f"backup{len(self.backups)}")
        low = [max(0, len(w.ops) - 1) for w in self.writers]
        extra = ["INCREMENTAL", "FROM", self.backups[-1][0]] if self.backups else []
        reply = connection.call("BACKUP", "TO", directory, *extra)
        assert reply == "OK", reply
        self.backups.append((directory, low, [len(w.ops) for w in self.writers]))

    def kill(self):
        self.gate.restarting = True
        self.server.kill()
        time.sleep(self.random.random() * 0.3)
        self.server.start()
        with self.gate.changed:
            self.gate.restarting = False
            self.gate.changed.notify_all()

    def load(self):
        connection = self.server.connect()
        self.started = time.time()
        self.note_moment(connection)
        for w in self.writers:
            w.start()
        kills = sorted(self.random.random() * 0.8 + 0.1 for _ in range(self.options.kills))
        step = self.options.seconds / 60
        for i in range(60):
            time.sleep(step)
            if i % 2 == 0:
                self.note_moment(connection)
            if i % 15 == 7:
                connection.call("BGSAVE" if i % 2 else "BGREWRITEAOF")
            if i in (25, 50):
                self.backup(connection)
            if kills and kills[0] * 60 < i:
                kills.pop(0)
                self.kill()
                connection = self.server.connect()
        for w in self.writers:
            w.ends = True
        for w in self.writers:
            w.join()
            if w.failure:
                raise w.failure
        self.note_moment(connection)

    def check(self, found, what, low, high):
        """Each writer stands between low and high, and has exactly what its history says for where it stands."""
        seen = set()
        for w, at_least, at_most in zip(self.writers, low, high):
            stands = int(found.get((0, w.prefix + b"n"), (None, b"0"))[1])
            assert at_least <= stands <= at_most, f"{what}: {w.prefix} is at {stands}, not in {at_least}..{at_most}"
            expected = w.fold(stands)
            mine = {k[1]: v[:2] for k, v in found.items() if k[1].startswith(w.prefix)}
            seen |= mine.keys()
            assert mine == expected, f"{what}: {w.prefix} at {stands}: {set(mine) ^ set(expected)} differ, or their values"
        assert len(seen) == len(found), f"{what}: foreign keys"

    def restored(self, *at):
        """Through a new directory: what it holds."""
        directory = os.path.join(self.base, "restored")
        run("cairn-restore", self.server.directory, directory, *self.live, *at)
        found = contents(directory)
        shutil.rmtree(directory)
        return found

    def check_points(self):
        r = self.random
        for i in range(self.options.points):
            at = r.uniform(self.started + 0.01, self.moments[-1][1])
            low = [sum(1 for op in w.ops if op[1] is not None and op[1] < at) for w in self.writers]
            high = [sum(1 for op in w.ops if op[0] <= at) for w in self.writers]
            self.check(self.restored("--at", f"{at:.6f}"), f"time {at:.6f}", low, high)
        for lsn, at, counts in r.sample(self.moments, min(len(self.moments), self.options.points // 2)):
            self.check(self.restored("--at-lsn", lsn), f"LSN {lsn} of a moment", counts, counts)
            self.check(contents(self.server.directory, *self.live, "--at", f"{at:.6f}"), f"time {at:.6f} of a moment", counts, counts)
        for i in range(self.options.points - self.options.points // 2):
            before = r.randrange(len(self.moments) - 1)
            lsn = r.randint(self.moments[before][0], min(self.moments[before + 1][0], self.moments[before][0] + (1 << 40) - 1))
            self.check(self.restored("--at-lsn", lsn), f"LSN {lsn}", self.moments[before][2], self.moments[before + 1][2])

    def check_backups(self):
        for directory, low, high in self.backups:
            self.check(contents(directory), f"backup {directory}", low, high)
            with CairnServer("--save", "", directory=directory) as server, server.connect() as c:
                total = sum(len(w.fold(int(c.call("GET", w.prefix + b"n") or 0))) for w in self.writers)
                assert c.call("DBSIZE") == total, "a server on the backup has other keys"

    def check_outside(self):
        for args in (["--at", "2001-01-01 00:00:00Z"], ["--at", "2199-01-01 00:00:00Z"], ["--at-lsn", str(1 << 60)]):
            try:
                self.restored(*args)
            except ToolFailed as e:
                assert e.code == 5 and "outside of what is kept: from 2" in e.message, e
                continue
            raise AssertionError(f"{args} gave a state")
        assert not os.path.exists(os.path.join(self.base, "restored")), "something half-made was left"
        assert not os.path.exists(os.path.join(self.base, "restored.partial")), "something half-made was left"

    def run(self):
        self.load()
        self.live = ["--live"]
        self.check_outside()
        self.check_points()
        self.server.stop()
        self.live = []
        self.check(self.restored(), "the end", [len(w.ops) for w in self.writers], [len(w.ops) for w in self.writers])
        self.check_backups()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--points", type=int, default=8)
    parser.add_argument("--writers", type=int, default=3)
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    print(f"--seed {options.seed}", flush=True)
    rig = Rig(options)
    try:
        rig.run()
    except BaseException:
        print(f"files are kept in {rig.base}")
        raise
    finally:
        rig.server.kill()
    shutil.rmtree(rig.base)
    operations = sum(len(w.ops) for w in rig.writers)
    print(f"{options.points} times and {options.points} LSNs of {operations} transactions, {len(rig.backups)} backups: exactly as recorded")


if __name__ == "__main__":
    main()
