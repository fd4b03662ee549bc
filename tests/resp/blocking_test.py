#!/usr/bin/env python3
"""Commands that wait for keys, over a real server: order, timeouts, disconnections, chains, and that nothing is lost or served twice.

Commands of families that the server does not have are left out.

Usage: blocking_test.py [--seed S]       (CAIRN_BIN names the binaries' folder)
"""
import argparse
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cairn_server import CairnServer, ReplyError, default_seed, encode, read_reply  # noqa: E402

LATE_MS = 2000  # what a busy machine may add to a timeout; it is never early


def wait_for(condition, what, timeout_s=20):
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.002)
    raise AssertionError(f"never: {what}")


class Tests:
    def __init__(self, server, rng):
        self.server = server
        self.rng = rng
        self.admin = server.connect()
        self.opened = []

    def has(self, *commands):
        return all(reply is not None for reply in self.admin.call("COMMAND", "INFO", *commands))

    def blocked(self):
        for line in self.admin.call("INFO", "clients").decode().splitlines():
            if line.startswith("blocked_clients:"):
                return int(line.split(":")[1])
        raise AssertionError("no blocked_clients")

    def waiting(self, *command):
        """A new connection whose command waits."""
        connection = self.server.connect()
        self.opened.append(connection)
        before = self.blocked()
        connection.socket.sendall(encode(*command))
        wait_for(lambda: self.blocked() == before + 1, f"{command} waits")
        return connection

    def reset(self):
        for connection in self.opened:
            connection.close()
        self.opened = []
        wait_for(lambda: self.blocked() == 0, "everybody left")
        self.admin.call("FLUSHALL")

    # --- one test each ---

    def test_first_come_first_served(self):
        if not self.has("blpop"):
            return
        clients = [self.waiting("BLPOP", "other", "list", 0) for _ in range(20)]
        for i in range(10):
            self.admin.call("RPUSH", "list", i)
            assert read_reply(clients[i].file) == [b"list", str(i).encode()]
        self.admin.call("RPUSH", "list", *range(10, 20))
        for i in range(10, 20):
            assert read_reply(clients[i].file) == [b"list", str(i).encode()], i
        assert self.admin.call("EXISTS", "list") == 0

    def test_timeouts(self):
        cases = [("BLPOP", "k", "{t}"), ("BRPOP", "k", "j", "{t}"), ("BLMOVE", "k", "j", "LEFT", "RIGHT", "{t}"), ("BRPOPLPUSH", "k", "j", "{t}"),
                 ("BLMPOP", "{t}", "1", "k", "LEFT"), ("BZPOPMIN", "k", "{t}"), ("BZMPOP", "{t}", "1", "k", "MIN")]
        for case in cases:
            if not self.has(case[0]):
                continue
            for timeout_ms in (1, 37, 120):
                command = [a.replace("{t}", str(timeout_ms / 1000)) for a in case]
                begin = time.monotonic()
                assert self.admin.call(*command) is None
                waited_ms = (time.monotonic() - begin) * 1000
                assert timeout_ms <= waited_ms < timeout_ms + LATE_MS, (command, waited_ms)
        if self.has("xread"):
            begin = time.monotonic()
            assert self.admin.call("XREAD", "BLOCK", 37, "STREAMS", "k", "$") is None
            assert 37 <= (time.monotonic() - begin) * 1000 < 37 + LATE_MS

    def test_many_timeouts_at_once(self):
        if not self.has("blpop"):
            return
        connections = [self.server.connect() for _ in range(200)]
        self.opened += connections
        deadlines = []
        for connection in connections:
            timeout_ms = self.rng.randrange(1, 300)
            deadlines.append(time.monotonic() + timeout_ms / 1000)
            connection.socket.sendall(encode("BLPOP", "k", timeout_ms / 1000))
        for connection, deadline in sorted(zip(connections, deadlines), key=lambda pair: pair[1]):
            assert read_reply(connection.file) is None
            late_ms = (time.monotonic() - deadline) * 1000
            assert 0 <= late_ms < LATE_MS, late_ms
        assert self.blocked() == 0

    def test_who_left_is_skipped(self):
        if not self.has("blpop"):
            return
        leaves, killed, stays = (self.waiting("BLPOP", "list", 0) for _ in range(3))
        leaves.socket.close()
        leaves.file.close()
        self.opened.remove(leaves)
        wait_for(lambda: self.blocked() == 2, "it has left")
        host, port = killed.socket.getsockname()
        self.admin.call("CLIENT", "KILL", f"{host}:{port}")
        wait_for(lambda: self.blocked() == 1, "it is killed")
        self.admin.call("RPUSH", "list", "x")
        assert read_reply(stays.file) == [b"list", b"x"]

    def test_client_unblock_and_flags(self):
        if not self.has("blpop"):
            return
        connection = self.server.connect()
        self.opened.append(connection)
        number = connection.call("CLIENT", "ID")
        for arguments, expected in (((), None), (("ERROR",), "UNBLOCKED client unblocked via CLIENT UNBLOCK")):
            connection.socket.sendall(encode("BLPOP", "list", 0))
            wait_for(lambda: self.blocked() == 1, "it waits")
            line = self.admin.call("CLIENT", "LIST", "ID", number).decode()
            assert " flags=b " in line and " cmd=blpop " in line, line
            assert self.admin.call("CLIENT", "UNBLOCK", number, *arguments) == 1
            try:
                assert read_reply(connection.file) == expected
            except ReplyError as error:
                assert str(error) == expected
        assert self.admin.call("CLIENT", "UNBLOCK", number) == 0

    def test_transactions(self):
        if not self.has("blpop"):
            return
        client = self.waiting("BLPOP", "list", 0)
        replies = self.admin.pipeline([["MULTI"], ["RPUSH", "list", "a"], ["DEL", "list"], ["BLPOP", "list", 0], ["RPUSH", "list", "b"], ["EXEC"]])
        assert replies[-1] == [1, 1, None, 1], replies
        assert read_reply(client.file) == [b"list", b"b"]

    def test_chain(self):
        if not self.has("blmove", "blpop"):
            return
        last = self.waiting("BLPOP", "d", 0)
        c = self.waiting("BLMOVE", "c", "d", "LEFT", "LEFT", 0)
        b = self.waiting("BLMOVE", "b", "c", "LEFT", "LEFT", 0)
        a = self.waiting("BLMOVE", "a", "b", "LEFT", "LEFT", 0)
        self.admin.call("RPUSH", "a", "x")
        assert [read_reply(w.file) for w in (a, b, c, last)] == [b"x", b"x", b"x", [b"d", b"x"]]
        assert self.admin.call("DBSIZE") == 0

    def test_moves_of_several(self):
        if not self.has("blmovem"):
            return
        three = self.waiting("BLMOVEM", "src", "dst", "LEFT", "RIGHT", 0, "EXACTLY", 3, "BULK")
        two = self.waiting("BLMOVEM", "src", "dst", "LEFT", "LEFT", 0, "EXACTLY", 2, "OBO")
        self.admin.call("RPUSH", "src", "a")
        assert self.blocked() == 2
        # Who has enough does not wait for who has not.
        self.admin.call("RPUSH", "src", "b")
        assert read_reply(two.file) == [b"b", b"a"]
        self.admin.call("RPUSH", "src", "c", "d")
        self.admin.call("LINSERT", "src", "BEFORE", "d", "x")
        assert read_reply(three.file) == [b"c", b"x", b"d"]
        assert self.admin.call("LRANGE", "dst", 0, -1) == [b"b", b"a", b"c", b"x", b"d"]
        any_number = self.waiting("BLMOVEM", "src", "dst", "RIGHT", "RIGHT", 0, "COUNT", 5, "BULK")
        self.admin.call("RPUSH", "src", "e", "f")
        assert read_reply(any_number.file) == [b"e", b"f"]
        assert self.admin.call("BLMOVEM", "src", "dst", "LEFT", "LEFT", 0.01) is None

    def test_other_types_do_not_wake(self):
        if not self.has("blpop", "bzpopmin"):
            return
        client = self.waiting("BLPOP", "k", 0)
        score = self.waiting("BZPOPMAX", "k", 0)
        self.admin.call("SET", "k", "string")
        self.admin.pipeline([["MULTI"], ["DEL", "k"], ["ZADD", "k", 1, "m"], ["EXEC"]])
        assert read_reply(score.file) == [b"k", b"m", b"1"]
        self.admin.call("RPUSH", "k", "e")
        assert read_reply(client.file) == [b"k", b"e"]

    def test_streams(self):
        if not self.has("xread", "xreadgroup"):
            return
        readers = [self.waiting("XREAD", "BLOCK", 0, "STREAMS", "s", "$") for _ in range(3)]
        self.admin.call("XADD", "s", "1-1", "f", "v")
        for reader in readers:
            assert read_reply(reader.file) == [[b"s", [[b"1-1", [b"f", b"v"]]]]]
        self.admin.call("XGROUP", "CREATE", "s", "g", "$")
        consumers = [self.waiting("XREADGROUP", "GROUP", "g", f"c{i}", "BLOCK", 0, "STREAMS", "s", ">") for i in range(2)]
        self.admin.call("XADD", "s", "2-1", "f", "v")
        assert read_reply(consumers[0].file) == [[b"s", [[b"2-1", [b"f", b"v"]]]]]
        self.admin.call("DEL", "s")
        try:
            raise AssertionError(read_reply(consumers[1].file))
        except ReplyError as error:
            assert str(error) == "UNBLOCKED the stream key no longer exists", error

    def test_claims_when_entries_have_grown_old(self):
        """XREADGROUP CLAIM waits for entries that nobody touches meanwhile."""
        if not self.has("xreadgroup"):
            return
        claim = lambda consumer, idle_ms, *keys: self.waiting("XREADGROUP", "GROUP", "g", consumer, "BLOCK", 0, "CLAIM", idle_ms, "STREAMS",
                                                              *keys, *[">" for _ in keys])
        for key in "s", "t":
            self.admin.call("XGROUP", "CREATE", key, "g", "$", "MKSTREAM")
        self.admin.call("XADD", "s", "1-1", "f", "v")
        begin = time.monotonic()
        self.admin.call("XREADGROUP", "GROUP", "g", "a", "STREAMS", "s", ">")
        (stream, entries), = read_reply(claim("b", 150, "t", "s").file)
        assert (stream, [entry[0] for entry in entries]) == (b"s", [b"1-1"]) and entries[0][2] >= 150, entries
        assert 0.14 <= time.monotonic() - begin < LATE_MS / 1000
        # What the first one gets the second one claims from it, also where nothing was pending when they began to wait.
        self.admin.call("XACK", "s", "g", "1-1")
        first, second = claim("b", 150, "s"), claim("c", 150, "s")
        begin = time.monotonic()
        self.admin.call("XADD", "s", "2-1", "f", "v")
        assert read_reply(first.file) == [[b"s", [[b"2-1", [b"f", b"v"], 0, 0]]]]
        (stream, entries), = read_reply(second.file)
        assert entries[0][0] == b"2-1" and entries[0][2] >= 150 and entries[0][3] == 1, entries
        assert 0.14 <= time.monotonic() - begin < LATE_MS / 1000

    def test_the_last_entry(self):
        """XREAD's "+": the last entry there is, and where there is none, the first that comes."""
        if not self.has("xread"):
            return
        assert self.admin.call("XREAD", "STREAMS", "none", "+") is None
        readers = [self.waiting("XREAD", "BLOCK", 0, "STREAMS", "s", "+")]
        self.admin.call("XADD", "s", "1-1", "f", "v")
        assert read_reply(readers[0].file) == [[b"s", [[b"1-1", [b"f", b"v"]]]]]
        for entry in ("2-0", "2-18446744073709551615", "3-0"):
            self.admin.call("XADD", "s", entry, "f", entry)
            assert self.admin.call("XREAD", "COUNT", 3, "BLOCK", 0, "STREAMS", "none", "s", "+", "+") == \
                [[b"s", [[entry.encode(), [b"f", entry.encode()]]]]]
        self.admin.call("XDEL", "s", "3-0")
        assert self.admin.call("XREAD", "STREAMS", "s", "+")[0][1][0][0] == b"2-18446744073709551615"
        self.admin.call("XTRIM", "s", "MAXLEN", 0)
        assert self.admin.call("XREAD", "STREAMS", "s", "+") is None
        reader = self.waiting("XREAD", "BLOCK", 0, "STREAMS", "s", "+")
        self.admin.call("XADD", "s", "3-1", "f", "v")
        assert read_reply(reader.file) == [[b"s", [[b"3-1", [b"f", b"v"]]]]]

    def test_waited_keys_are_counted(self):
        if not self.has("blpop", "xreadgroup"):
            return

        def counts():
            lines = dict(line.split(b":", 1) for line in self.admin.call("INFO", "clients").split(b"\r\n") if b":" in line)
            return int(lines[b"total_blocking_keys"]), int(lines[b"total_blocking_keys_on_nokey"])

        assert counts() == (0, 0)
        self.admin.call("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
        self.waiting("BLPOP", "a", "b", "a", 0)
        self.waiting("BLPOP", "a", 0)
        self.waiting("XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "s", ">")
        assert counts() == (3, 1)
        replies = self.admin.pipeline([["MULTI"], ["INFO", "clients"], ["FLUSHALL", "SYNC"], ["EXEC"]])
        assert b"total_blocking_keys:3\r\n" in replies[-1][0], replies
        assert counts() == (2, 0)  # whoever waits for the stream heard that it is gone
        self.admin.call("RPUSH", "a", 1, 2)
        assert counts() == (0, 0)

    def test_nothing_is_lost_or_served_twice(self):
        """Takers with short timeouts, of which some hang up, and makers: what was pushed comes out once, or is still there."""
        if not self.has("blpop", "blmove"):
            return
        per_maker, makers, takers = 400, 3, 8
        out, lost_slots, stop = [], [0], threading.Event()
        lock = threading.Lock()

        def take(seed):
            rng = random.Random(seed)
            connection = self.server.connect()
            while not stop.is_set():
                keys = rng.sample("abcdef", 2)
                timeout = rng.randrange(1, 20) / 1000
                if rng.random() < 0.02:  # hangs up while it may be served just now
                    connection.socket.sendall(encode("BLPOP", *keys, timeout))
                    connection.close()
                    with lock:
                        lost_slots[0] += 1
                    connection = self.server.connect()
                elif rng.random() < 0.3:
                    connection.call("BLMOVE", *keys, "LEFT", "RIGHT", timeout)
                else:
                    reply = connection.call("BLPOP", *keys, timeout)
                    if reply is not None:
                        with lock:
                            out.append(reply[1])
            connection.close()

        def make(number):
            rng = random.Random(number)
            connection = self.server.connect()
            for i in range(per_maker):
                connection.call("RPUSH", rng.choice("abcdef"), f"{number}-{i}")
            connection.close()

        threads = [threading.Thread(target=take, args=(self.rng.random(),)) for _ in range(takers)]
        pushing = [threading.Thread(target=make, args=(n,)) for n in range(makers)]
        for thread in threads + pushing:
            thread.start()
        for thread in pushing:
            thread.join()
        time.sleep(0.3)
        stop.set()
        for thread in threads:
            thread.join()
        left = [element for key in "abcdef" for element in self.admin.call("LRANGE", key, 0, -1)]
        assert len(set(out)) == len(out), "served twice"
        missing = makers * per_maker - len(set(out) | set(left))
        assert not set(out) & set(left)
        assert 0 <= missing <= lost_slots[0], (missing, lost_slots)

    def test_after_a_crash(self):
        """What was served is logged as what it did."""
        if not self.has("blmove"):
            return
        client = self.waiting("BLMOVE", "a", "b", "LEFT", "RIGHT", 0)
        self.admin.call("RPUSH", "a", "x", "y")
        assert read_reply(client.file) == b"x"
        assert self.admin.call("WAITAOF", 1, 0, 10_000) == [1, 0]
        self.server.kill()
        self.opened = []
        self.server.start()
        self.admin = self.server.connect()
        assert self.admin.call("LRANGE", "a", 0, -1) == [b"y"]
        assert self.admin.call("LRANGE", "b", 0, -1) == [b"x"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=default_seed())
    seed = parser.parse_args().seed
    print(f"seed {seed}", flush=True)
    for flags in (("--appendfsync", "always"), ("--appendfsync", "everysec")):
        with CairnServer("--threads", "3", "--save", "", *flags) as server:
            tests = Tests(server, random.Random(seed))
            for name in sorted(n for n in dir(tests) if n.startswith("test_")):
                getattr(tests, name)()
                tests.reset()
                print(f"ok {' '.join(flags)} {name}", flush=True)


if __name__ == "__main__":
    main()
