#!/usr/bin/env python3
"""cairn-dump and cairn-restore: every format there and back, filters, pipes, a running server, redis-server, bad input."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tools import ToolFailed, contents, run  # noqa: E402
from cairn_server import BIN, CairnServer, free_port  # noqa: E402
from redis_server import RedisServer  # noqa: E402

FAR = 4102444800000  # 2100, in ms


def fill(c):
    binary = bytes(range(256))
    c.call("SET", "plain", "text")
    c.call("SET", b"bin\xff\x00ary", binary, "PXAT", FAR)
    c.call("SET", "number", "12345")
    c.call("SET", "long", b"x" * 300_000)
    for i in range(300):
        c.call("RPUSH", "list", b"%d\xfe" % i)
        c.call("SADD", "set", f"member{i}")
        c.call("HSET", "hash", f"field{i}", binary[i % 256:] or b"v")
        c.call("ZADD", "zset", i * 1.5 - 100, f"m{i}")
    c.call("SADD", "ints", 1, 2, 3)
    c.call("ZADD", "infinite", "-inf", "low", "+inf", "high")
    c.call("HSET", "small", "a", "1", "b", "2")
    c.call("HPEXPIREAT", "small", FAR, "FIELDS", 1, "a")
    c.call("PEXPIREAT", "list", FAR)
    for i in range(50):
        c.call("XADD", "stream", f"{i + 1}-1", "f", f"v{i}")
    c.call("XGROUP", "CREATE", "stream", "g", "0")
    c.call("XREADGROUP", "GROUP", "g", "alice", "COUNT", "10", "STREAMS", "stream", ">")
    c.call("SELECT", 5)
    c.call("SET", "elsewhere", "db5")
    c.call("SELECT", 0)


def await_true(holds):
    for _ in range(500):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("waited in vain")


class Test:
    def __init__(self, base):
        self.base = base
        self.source = os.path.join(base, "source")

    def path(self, name):
        return os.path.join(self.base, name)

    def fails(self, code, *args, **more):
        try:
            run(*args, **more)
        except ToolFailed as e:
            assert e.code == code, e
            return e.message
        raise AssertionError(f"{args} succeeded")

    def formats(self):
        expected = contents(self.source)
        assert len(expected) == 13, len(expected)
        assert expected[0, b"small"][3] == {b"a": FAR}
        for suffix in ("rdb", "resp", "json"):
            if suffix == "rdb":  # for Redis 7.0, which knows no expiries of fields
                everything = expected
                expected = {**everything, (0, b"small"): (*everything[0, b"small"][:3], {})}
            else:
                expected = everything
            out = self.path("out." + suffix)
            result = run("cairn-dump", self.source, "--out", out)
            assert result["keys"] == 13 and result["format"] == suffix, result
            assert "exists already" in self.fails(7, "cairn-dump", self.source, "--out", out)
            run("cairn-restore", out, self.path("from-" + suffix))
            assert contents(self.path("from-" + suffix)) == expected, suffix
            with open(out, "rb") as f:
                data = f.read()
            run("cairn-restore", "-", self.path("pipe-" + suffix), stdin=data)
            assert contents(self.path("pipe-" + suffix)) == expected, suffix

    def filters(self):
        names = lambda *args: sorted(k[1] for k in contents(self.source, *args))  # noqa: E731
        assert names("--match", "s*") == [b"set", b"small", b"stream"]
        assert names("--match", "s* elsewhere", "--db", "5,6") == [b"elsewhere"]
        assert names("--type", "hash,stream") == [b"hash", b"small", b"stream"]
        self.fails(1, "cairn-dump", self.source, "--type", "tree")
        self.fails(1, "cairn-dump", self.source, "--format", "csv")

    def locks(self):
        with CairnServer("--save", "", directory=self.source) as server, server.connect() as c:
            assert "--live" in self.fails(4, "cairn-dump", self.source)
            c.call("SET", "while", "running")
            assert (0, b"while") in contents(self.source, "--live")
            c.call("DEL", "while")
            server.stop()
        assert "not empty" in self.fails(7, "cairn-restore", self.path("out.rdb"), self.source)
        self.fails(5, "cairn-dump", self.path("nowhere"))
        self.fails(5, "cairn-dump", self.base)
        self.fails(5, "cairn-restore", self.path("nowhere"), self.path("new"))

    def through_a_server(self):
        expected = contents(self.source)
        with CairnServer("--save", "", directory=self.path("through")) as server:
            for source in (self.path("out.rdb"), self.path("out.resp"), self.path("out.json"), self.source):
                run("cairn-restore", source, "--to", f"127.0.0.1:{server.port}")
                if source == self.path("out.rdb"):  # for Redis 7.0, which knows no expiries of fields
                    fields = {**expected, (0, b"small"): (*expected[0, b"small"][:3], {})}
                    assert contents(server.directory, "--live") == fields
                else:
                    assert contents(server.directory, "--live") == expected, source
                if source != self.path("out.resp"):
                    assert self.fails(8, "cairn-restore", self.path("out.rdb"), "--to", f"127.0.0.1:{server.port}")
                    run("cairn-restore", source, "--to", f"127.0.0.1:{server.port}", "--replace")
                with server.connect() as c:
                    c.call("FLUSHALL")
        self.fails(8, "cairn-restore", self.path("out.rdb"), "--to", f"127.0.0.1:{free_port()}")

    def bad_input(self):
        with open(self.path("out.rdb"), "rb") as f:
            rdb = f.read()
        with open(self.path("out.json"), "rb") as f:
            line = f.read().split(b"\n")[0]
        broken = [rdb[:-20], rdb[:1000] + b"\x00\xff" + rdb[1002:], b"REDIS9999", b"garbage", b"{\n", b"*1\r\n$3\r\nSE",
                  b"*1\r\n$-3\r\n", b"*9999999999\r\n", b"*1\r\n$3\r\nGET\r\n", b"*1\r\n$4\r\nSYNC\r\n",
                  b'{"key":"a"}', b'{"key":"a","type":"tree","value":1}', b'{"key":"a","type":"list","value":"x"}',
                  b'{"key":{"base64":"%"},"type":"string","value":"x"}', line[:-5], b"[" * 100_000, b'{"key":' + b"[" * 100_000,
                  b'{"key":"a","type":"stream","dump":{"base64":"AAAA"}}', b'{"db":99,"key":"a","type":"string","value":"x"}']
        for data in broken:
            with open(self.path("bad"), "wb") as f:
                f.write(data)
            try:
                run("cairn-restore", self.path("bad"), self.path("new"))
            except ToolFailed as e:
                assert e.code in (1, 2, 3) and e.message, (data[:40], e)
            else:
                raise AssertionError(f"{data[:40]} was taken")
            assert not os.path.exists(self.path("new")) and not os.path.exists(self.path("new.partial")), data[:40]

    def redis(self):
        """What Redis loads, and what redis-cli --pipe eats."""
        os.mkdir(self.path("redis"))
        run("cairn-dump", self.source, "--out", self.path("redis/dump.rdb"))
        # HPEXPIREAT is newer than Redis 7.0: the key with expiring fields stays out.
        keep = ["--match", "plain bin* number long list set hash zset ints infinite stream elsewhere"]
        resp = run("cairn-dump", self.source, "--format", "resp", *keep, data_on_stdout=True)
        with RedisServer(directory=self.path("redis")) as server, server.connect() as c:
            await_true(lambda: c.call("DBSIZE") != 0)
            assert c.call("DBSIZE") == 12 and c.call("HGET", "small", "a") == b"1"
            c.call("DEL", "small")
            digest = c.call("DEBUG", "DIGEST")
            c.call("FLUSHALL")
            done = subprocess.run(["redis-cli", "-p", str(server.port), "--pipe"], input=resp, capture_output=True, check=True)
            assert b"errors: 0" in done.stdout, done.stdout
            assert c.call("DEBUG", "DIGEST") == digest
            c.call("SELECT", 0)
            assert c.call("XPENDING", "stream", "g")[0] == 10

    def redis_directories(self):
        """The directory of a real redis-server, with append-only files of several generations and with an RDB file alone."""
        for name, flags in (("with-aof", ("--appendonly", "yes", "--appendfilename", "own.aof")), ("with-rdb", ("--appendonly", "no"))):
            directory = self.path(name)
            os.mkdir(directory)
            with RedisServer("--auto-aof-rewrite-percentage", "0", *flags, directory=directory) as redis, redis.connect() as c:
                c.call("SET", "before", "old")
                if name == "with-aof":
                    c.call("BGREWRITEAOF")
                    await_true(lambda: b"aof_rewrite_in_progress:0" in c.call("INFO") and b"aof_rewrite_scheduled:0" in c.call("INFO"))
                for i in range(200):
                    c.call("RPUSH", "list", i)
                c.call("MULTI")
                c.call("SET", "before", "new")
                c.call("INCRBY", "n", 41)
                c.call("EXEC")
                c.call("SET", "short", "gone", "PX", 1)
                c.call("SELECT", 3)
                c.call("SET", "third", "db3", "PXAT", FAR)
                if name == "with-rdb":
                    c.call("SAVE")
                redis.stop()
            before = {file: os.path.getsize(os.path.join(at, file)) for at, _, files in os.walk(directory) for file in files}
            wanted = {(0, b"before"), (0, b"list"), (0, b"n"), (3, b"third")}
            sources = [directory] + ([os.path.join(directory, "appendonlydir") + "/"] if name == "with-aof" else [])
            for at, source in enumerate(sources):
                made = self.path(f"{name}-{at}")
                result = run("cairn-restore", source, made)
                assert result["imported"] == ("dump.rdb" if name == "with-rdb" else ["appendonlydir", "."][at]), result
                got = contents(made)
                assert set(got) == wanted and b"new" in got[0, b"before"] and FAR in got[3, b"third"], got
                with CairnServer("--save", "") as server, server.connect() as c:
                    run("cairn-restore", source, "--to", f"127.0.0.1:{server.port}")
                    assert c.call("GET", "before") == b"new" and c.call("LLEN", "list") == 200 and c.call("GET", "n") == b"41"
                    assert c.call("DBSIZE") == 3
            assert "one state only" in self.fails(1, "cairn-restore", directory, self.path("never"), "--at-lsn", "1")
            after = {file: os.path.getsize(os.path.join(at, file)) for at, _, files in os.walk(directory) for file in files}
            assert after == before, (before, after)
        manifests = self.path("with-aof/appendonlydir")
        shutil.copy(os.path.join(manifests, "own.aof.manifest"), os.path.join(manifests, "other.aof.manifest"))
        assert "other.aof.manifest" in self.fails(1, "cairn-restore", self.path("with-aof"), self.path("never"))
        assert not os.path.exists(self.path("never"))

    def backups(self):
        with CairnServer("--save", "", directory=self.source) as server, server.connect() as c:
            def refused(*args):
                try:
                    c.call("BACKUP", *args)
                except Exception as e:  # noqa: BLE001
                    return str(e)
                raise AssertionError(f"BACKUP {args} succeeded")
            assert "absolute" in refused("TO", "relative")
            assert "no such directory" in refused("TO", "/nonexistent/a/b")
            assert "not empty" in refused("TO", self.path("from-rdb"))
            assert "inside" in refused("TO", os.path.join(self.source, "copy"))
            assert "no backup" in refused("TO", self.path("b1"), "INCREMENTAL", "FROM", self.base)
            assert "another server" in refused("TO", self.path("b1"), "INCREMENTAL", "FROM", self.path("from-rdb"))
            assert "syntax" in refused("FROM", self.path("b1"))
            os.makedirs(self.path("b1.partial/precious"))
            assert "in the way" in refused("TO", self.path("b1"))
            os.rmdir(self.path("b1.partial/precious"))
            assert c.call("BACKUP", "TO", self.path("b1")) == "OK"
            c.call("SET", "later", "1")
            assert c.call("BACKUP", "TO", self.path("b2"), "INCREMENTAL", "FROM", self.path("b1")) == "OK"
            c.call("DEL", "later")
            assert b"backup_last_status:ok" in c.call("INFO", "persistence")
            server.stop()
        expected = contents(self.source)
        assert contents(self.path("b1")) == expected
        assert contents(self.path("b2")) == {**expected, (0, b"later"): ("string", b"1", None, {})}
        with CairnServer("--save", "", directory=self.path("b2")) as server, server.connect() as c:
            assert c.call("GET", "later") == b"1"
            server.stop()
        # What the server on the copy wrote is its own.
        assert contents(self.source) == expected

    def run(self):
        with CairnServer("--save", "", directory=self.source) as server:
            with server.connect() as c:
                fill(c)
            server.stop()
        steps = [self.formats, self.filters, self.locks, self.through_a_server, self.bad_input, self.backups]
        if shutil.which("redis-server") and shutil.which("redis-cli"):
            steps += [self.redis, self.redis_directories]
        for step in steps:
            step()
            print(f"{step.__name__}: ok", flush=True)


def main():
    base = tempfile.mkdtemp(prefix="cairn-tools-")
    try:
        done = subprocess.run([os.path.join(BIN, "cairn-dump"), "--help"], capture_output=True, check=True)
        assert b"Exit codes" in done.stdout
        Test(base).run()
    finally:
        shutil.rmtree(base)


if __name__ == "__main__":
    main()
