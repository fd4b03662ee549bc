#!/usr/bin/env python3
"""Random commands of all families, in step against Cairn, a plain model, and redis-server where it is installed: the same replies and the
same state, read back; also after restarts from the log, from a snapshot and in the middle of one.

A failure prints the seed and the commands that led to it, shortened to those that still fail.

With redis-server also in RESP3, and with commands that wait, on connections of their own (scenes.py).

Usage: model_test.py [--commands N] [--seed S] [--against model|redis|both] [--round N] [--restart-every N] [--only set,hash...]
                     [--protocol 2|3] [--scenes N]
(CAIRN_BIN: the binaries' folder)
"""
import argparse
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "model"), os.path.join(HERE, "..", "support")]
import redis_server  # noqa: E402
from cairn_server import CairnServer, default_seed  # noqa: E402
from generator import Generator  # noqa: E402
from reference import Model  # noqa: E402
from replies import equal, parse_all, shown  # noqa: E402
from scenes import play_scenes  # noqa: E402
from servers import Pipe, difference, encode, state_of  # noqa: E402

BATCH = 500
# Small, so that values change their form often.
SETTINGS = ["hash-max-listpack-entries", "24", "hash-max-listpack-value", "64", "list-max-listpack-size", "8", "set-max-intset-entries", "24",
            "zset-max-listpack-entries", "24", "zset-max-listpack-value", "64", "stream-node-max-entries", "5", "hll-sparse-max-bytes", "60"]
LIMITS = [x for name, value in zip(SETTINGS[::2], SETTINGS[1::2]) for x in ("--" + name, value)]
FLAGS = ["--save", "", "--enable-debug-command", "yes", *LIMITS]


FIRST_COMMANDS = {"string": "SET", "hash": "HSETEX", "list": "LMPOP", "set": "SADD", "zset": "ZADD", "stream": "XADD", "hll": "PFADD",
                  "geo": "GEOSEARCH", "key": "DEL", "sort": "SORT"}


def known_families(port):
    """The families that the server has, by a command of each."""
    pipe = Pipe(port)
    return [family for family, command in FIRST_COMMANDS.items() if isinstance(pipe.call("COMMAND", "INFO", command)[0], list)]


class Peer:
    """redis-server, compared reply by reply."""
    newer = False

    def __init__(self, pipe):
        self.pipe = pipe

    def start(self, commands, data):
        self.pipe.send(data)

    def replies(self, commands, mine):
        """None where all replies are byte for byte those of Cairn."""
        data = self.pipe.finish()
        return None if data == mine else parse_all(data, len(commands))

    def reset(self):
        self.pipe.call("FLUSHALL")

    def state(self):
        return state_of(self.pipe, shown)


class ModelPeer:
    """The plain model, which sees Cairn's replies where chance decides."""
    newer = True

    def __init__(self):
        self.model = Model()

    def start(self, commands, data):
        pass

    def replies(self, commands, mine):
        return [self.model.execute(command, reply) for command, reply in zip(commands, parse_all(mine, len(commands)))]

    def reset(self):
        self.model = Model()

    def state(self):
        return self.model.state(shown)


def compare(commands, mine, others):
    """The index of the first command whose reply differs."""
    queued = None
    for at, command in enumerate(commands):
        name = command[0]
        inside = queued or []
        if name == b"MULTI":
            queued = []
        elif name in (b"EXEC", b"DISCARD"):
            queued = None
        elif queued is not None and mine[at] == b"QUEUED":
            queued.append(command)
        if others[at] is not NotImplemented and not equal(command, mine[at], others[at], inside):
            return at
    return None


def whole_blocks(commands):
    """Batches that do not cut a transaction in two."""
    batch = []
    for command in commands:
        batch.append(command)
        if len(batch) >= BATCH and command[0] in (b"EXEC", b"DISCARD") or len(batch) >= BATCH and all(c[0] != b"MULTI" for c in batch[-8:]):
            yield batch
            batch = []
    if batch:
        yield batch


def run(pipe, peer, commands, between=None):
    """None, or what differed: (commands so far, the command, Cairn's reply, the other's)."""
    done = 0
    batches = list(whole_blocks(commands))
    for number, batch in enumerate(batches):
        data = b"".join(map(encode, batch))
        pipe.send(data)
        peer.start(batch, data)
        mine = pipe.finish()
        others = peer.replies(batch, mine)
        if others is not None:
            mine = parse_all(mine, len(batch))
            at = compare(batch, mine, others)
            if at is not None:
                return done + at + 1, batch[at], mine[at], others[at]
        done += len(batch)
        if between and number == len(batches) // 2:
            between()
    found = difference(state_of(pipe, shown, peer.newer), peer.state())
    return None if found is None else (len(commands), [b"(state)", found[0]], found[1], found[2])


def blocks_of(commands):
    """Transactions as one block each, other commands as blocks of one."""
    blocks, inside = [], False
    for command in commands:
        if inside:
            blocks[-1].append(command)
        else:
            blocks.append([command])
        inside = command[0] not in (b"EXEC", b"DISCARD") and (inside or command[0] == b"MULTI")
    return blocks


def flat(blocks):
    return [command for block in blocks for command in block]


def shrink(commands, fails, seconds=120):
    """Fewer commands that still fail: halves, then smaller pieces, are left out while the failure stays."""
    blocks = blocks_of(commands)
    end, size = time.monotonic() + seconds, max(1, len(blocks) // 2)
    while size and time.monotonic() < end:
        at, smaller = 0, False
        while at < len(blocks) and time.monotonic() < end:
            rest = blocks[:at] + blocks[at + size:]
            if rest and fails(flat(rest)):
                blocks, smaller = rest, True
            else:
                at += size
        size = size if smaller and size == 1 else size // 2
    return flat(blocks)


def restarted(server, pipe, kind, before):
    """Kills and starts the server; None, or what is not as it was."""
    if kind == "snapshot":
        pipe.call("SAVE")
    server.kill()
    try:
        server.start()
    except RuntimeError as error:
        return str(error)
    return difference(state_of(Pipe(server.port, pipe.protocol), shown, True), before)


def fails_after_restart(commands, kind):
    with CairnServer(*FLAGS) as server:
        pipe = Pipe(server.port)
        half = len(commands) // 2 if kind == "mid-snapshot" else len(commands)
        for batch in (commands[:half], [[b"BGSAVE"]] if half < len(commands) else [], commands[half:]):
            pipe.batch(batch)
        if not isinstance(pipe.batch([[b"DISCARD"]])[0], bytes):
            return False
        return restarted(server, pipe, kind, state_of(pipe, shown, True)) is not None


class Test:
    def __init__(self, options, server, peer, name, seed, newer, protocol=2):
        self.server, self.peer, self.name, self.options = server, peer, name, options
        self.generator = Generator(seed, newer, options.only.split(",") if options.only else known_families(server.port))
        self.rng = random.Random(seed + 1)
        self.protocol = protocol
        self.pipe = Pipe(self.server.port, protocol)
        self.history = []

    def reset(self):
        for pipe_call in (lambda: self.pipe.call("FLUSHALL"), self.peer.reset):
            pipe_call()
        self.history = []

    def fails(self, commands):
        self.pipe.call("FLUSHALL")
        self.peer.reset()
        try:
            return run(self.pipe, self.peer, commands) is not None
        except OSError:
            self.server.kill()
            self.server.start()
            self.pipe = Pipe(self.server.port, self.protocol)
            return True

    def report(self, different):
        done, command, mine, other = different
        print(f"{self.name}: {command!r}:\n  cairn {str(mine)[:2000]}\n  {self.name} {str(other)[:2000]}", flush=True)
        count = len(self.history) + done
        commands = (self.history + self.round)[:count]
        last = blocks_of(commands)[-1]
        if last[0][0] == b"MULTI" and last[-1][0] not in (b"EXEC", b"DISCARD"):
            commands.append([b"DISCARD"])
        if not self.fails(commands):
            print(f"not again with the same {count} commands (a restart was before?)")
            return
        for command in shrink(commands, self.fails):
            print("   ", command)

    def restart(self, kind):
        before = state_of(self.pipe, shown, True)
        found = restarted(self.server, self.pipe, kind, before)
        if found is None:
            self.pipe = Pipe(self.server.port, self.protocol)
            return True
        print(f"{self.name}: after a restart ({kind}): {str(found)[:4000]}", flush=True)
        for command in shrink(self.history, lambda commands: fails_after_restart(commands, kind)):
            print("   ", command)
        return False

    def go(self, count):
        self.reset()
        done = rounds = 0
        begun = time.monotonic()
        while done < count:
            self.round = []
            while len(self.round) < self.options.round:
                self.round += self.generator.block()
            rounds += 1
            restart = self.options.restart_every and rounds % self.options.restart_every == 0
            kind = self.rng.choice(["log", "snapshot", "mid-snapshot"]) if restart else None
            between = (lambda: self.pipe.call("BGSAVE")) if kind == "mid-snapshot" else None
            try:
                different = run(self.pipe, self.peer, self.round, between)
            except OSError as error:
                print(f"{self.name}: {error}; the server said: {self.server.output()[-3000:]}")
                different = (len(self.round), [b"(crash)"], None, None)
            if different:
                self.report(different)
                return False
            done += len(self.round)
            self.history += self.round
            if kind and not self.restart(kind):
                return False
            if len(self.history) > 5 * self.options.round:
                self.reset()
        seconds = time.monotonic() - begun
        print(f"{self.name}: {done} commands, {rounds} rounds, {done / seconds:.0f} a second", flush=True)
        return True


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--commands", type=int, default=60000)
    p.add_argument("--seed", type=int, default=default_seed())
    p.add_argument("--against", choices=["model", "redis", "both"], default="both")
    p.add_argument("--protocol", type=int, choices=[2, 3], help="of the comparison with redis-server (by default the seed decides)")
    p.add_argument("--scenes", type=int, default=150, help="of commands that wait, compared with redis-server")
    p.add_argument("--only", help="families, separated by commas")
    p.add_argument("--round", type=int, default=5000)
    p.add_argument("--restart-every", type=int, default=4)
    a = p.parse_args()
    print(f"seed {a.seed}", flush=True)
    ok = True
    with CairnServer(*FLAGS) as server:
        if a.against != "redis":
            ok = Test(a, server, ModelPeer(), "model", a.seed, True).go(a.commands) and ok
        if a.against != "model" and redis_server.available():
            with redis_server.RedisServer(*LIMITS) as redis:
                protocol = a.protocol or 2 + a.seed % 2
                ok = Test(a, server, Peer(Pipe(redis.port, protocol)), f"redis, RESP{protocol}", a.seed, False, protocol).go(a.commands) and ok
                ok = play_scenes(server.port, redis.port, a.seed, a.scenes) and ok
    print(f"{'equal' if ok else 'different'}: seed {a.seed}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
