"""Commands that wait, played on two servers alike: some clients begin to wait one after the other, another one writes, and what each of them
was answered, and the state in the end, must be the same."""
import random
import socket
import time

from replies import Error, equal, parse, shown
from servers import Pipe, difference, encode, state_of

LISTS, ZSETS, STREAMS = [b"l1", b"l2", b"l3"], [b"z1", b"z2"], [b"s1", b"s2"]
# What results are stored in. Where such a result takes the place of a value of another type, Redis leaves those who wait for it asleep.
STORED_LIST, STORED_ZSET = b"l4", b"z3"


class Writer:
    """The random parts of a scene."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def pick(self, values):
        return self.rng.choice(values)

    def some(self, keys):
        return self.rng.sample(keys, self.rng.randint(1, len(keys)))

    def waiting(self):
        side, end = self.pick([b"LEFT", b"RIGHT"]), self.pick([b"MIN", b"MAX"])
        lists, zsets, streams = self.some(LISTS + [STORED_LIST]), self.some(ZSETS + [STORED_ZSET]), self.some(STREAMS)
        count = self.pick([[], [b"COUNT", b"2"]])
        return self.pick([
            [self.pick([b"BLPOP", b"BRPOP"])] + lists + [b"0"],
            [b"BLMOVE", self.pick(LISTS), self.pick(LISTS), side, self.pick([b"LEFT", b"RIGHT"]), b"0"],
            [b"BRPOPLPUSH", self.pick(LISTS), self.pick(LISTS), b"0"],
            [b"BLMPOP", b"0", b"%d" % len(lists)] + lists + [side] + count,
            [self.pick([b"BZPOPMIN", b"BZPOPMAX"])] + zsets + [b"0"],
            [b"BZMPOP", b"0", b"%d" % len(zsets)] + zsets + [end] + count,
            [b"XREAD"] + count + [b"BLOCK", b"0", b"STREAMS"] + streams + [self.pick([b"$", b"0", b"5-0"]) for _ in streams],
            [b"XREADGROUP", b"GROUP", b"g", self.pick([b"c1", b"c2"])] + count + [b"BLOCK", b"0", b"STREAMS", self.pick(STREAMS), b">"],
        ])

    def write(self, number):
        key = self.pick(LISTS + ZSETS + STREAMS)
        any_key = self.pick([key, STORED_LIST, STORED_ZSET])
        value = b"v%d" % number
        return self.pick([
            [self.pick([b"LPUSH", b"RPUSH"]), self.pick(LISTS), value], [b"RPUSH", self.pick(LISTS), value, value + b"b", value + b"c"],
            [b"ZADD", self.pick(ZSETS), b"%d" % number, value], [b"ZADD", self.pick(ZSETS), b"1", value, b"2", value + b"b"],
            [b"XADD", self.pick(STREAMS), b"%d-1" % (number + 10), b"f", value], [b"XADD", self.pick(STREAMS), b"%d-1" % (number + 10), b"f", value],
            [b"DEL", any_key], [b"SET", key, value], [b"RENAME", self.pick(LISTS), self.pick(LISTS)], [b"COPY", key, self.pick(LISTS), b"REPLACE"],
            [b"LMOVE", self.pick(LISTS), self.pick(LISTS), b"LEFT", b"RIGHT"], [b"LPOP", self.pick(LISTS)], [b"ZPOPMIN", self.pick(ZSETS)],
            [b"SORT", self.pick(LISTS), b"ALPHA", b"STORE", STORED_LIST], [b"ZUNIONSTORE", STORED_ZSET, b"1", self.pick(ZSETS)],
            [b"PEXPIREAT", key, b"1"], [b"SWAPDB", b"0", b"1"], [b"FLUSHDB"], [b"XDEL", self.pick(STREAMS), b"%d-1" % (number + 9)],
        ])

    def scene(self):
        """(commands before, commands that wait, what is written then)"""
        before = [[b"XGROUP", b"CREATE", key, b"g", b"$", b"MKSTREAM"] for key in STREAMS]
        before += [self.write(i) for i in range(self.rng.randint(0, 3))]
        before.append([b"SWAPDB", b"0", b"0"])
        waiting = [self.waiting() for _ in range(self.rng.randint(1, 4))]
        writes = [self.write(10 + i) for i in range(self.rng.randint(1, 8))]
        if self.rng.random() < 0.3:
            at = self.rng.randint(0, len(writes))
            # Redis answers with no entries who waits for one that came and went within a transaction.
            inside = [command for command in writes[at:] if command[0] != b"XDEL"]
            writes = writes[:at] + [[b"MULTI"]] + inside + [[b"EXEC"]]
        return before, waiting, writes


def answered(connection):
    """The reply that is there, or None."""
    connection.setblocking(False)
    try:
        data = connection.recv(1 << 16, socket.MSG_PEEK)
    except BlockingIOError:
        return None
    finally:
        connection.setblocking(True)
    try:
        return parse(data, 0)
    except (ValueError, IndexError):
        return None


def blocked_clients(pipe):
    return int(pipe.call("INFO", "clients").split(b"blocked_clients:")[1].split()[0])


def settle(pipe, connections):
    """Until each of the clients either waits or is answered."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if sum(answered(connection) is None for connection in connections) == blocked_clients(pipe):
            return
    raise OSError("a command neither waits nor is answered")


def play(port, protocol, scene):
    """The replies to all commands, with nil for a wait that nobody ended, and the state."""
    before, waiting, writes = scene
    pipe = Pipe(port, protocol)
    pipe.call("FLUSHALL")
    replies = pipe.batch(before)
    connections, ids = [], []
    for command in waiting:
        client = Pipe(port, protocol)
        ids.append(client.call("CLIENT", "ID"))
        connections.append(client.socket)
        client.socket.sendall(encode(command))
        settle(pipe, connections)
    replies += pipe.batch(writes)
    for connection, number in zip(connections, ids):
        pipe.call("CLIENT", "UNBLOCK", number)  # who was served has its reply all the same
        while (reply := answered(connection)) is None:
            time.sleep(0.0005)
        replies.append(reply[0])
        connection.close()
    return replies, state_of(pipe, shown)


def alike(command, mine, other):
    # What ends the wait of a group's reader when the key goes is told in other words since 7.0.
    return equal(command, mine, other) or command[0] == b"XREADGROUP" and isinstance(mine, Error) and isinstance(other, Error)


def play_scenes(port, peer_port, seed, count):
    """True where every scene went alike; prints the first that did not."""
    writer = Writer(seed)
    for number in range(count):
        scene = writer.scene()
        protocol = 2 + number % 2
        mine, state = play(port, protocol, scene)
        other, other_state = play(peer_port, protocol, scene)
        before, waiting, writes = scene
        commands = before + writes + waiting
        inside = [command for command in writes if command[0] not in (b"MULTI", b"EXEC")]
        if b"MULTI" in [command[0] for command in writes]:
            inside = writes[[command[0] for command in writes].index(b"MULTI") + 1:-1]
        different = [(command, a, b) for command, a, b in zip(commands, mine, other)
                     if not (equal(command, a, b, inside) if command[0] == b"EXEC" else alike(command, a, b))]
        found = difference(state, other_state)
        if different or found:
            print(f"scene {number}, RESP{protocol}, of seed {seed}:\n  before {before}\n  waiting {waiting}\n  then {writes}")
            for command, a, b in different:
                print(f"{command}:\n  cairn {a}\n  redis {b}")
            print(f"state: {found}")
            return False
    print(f"{count} scenes of commands that wait", flush=True)
    return True
