#!/usr/bin/env python3
"""cairn-restore and its like at the edges: append-only files that do not end whole, keys that are there already, servers that know less,
targets that cannot be replaced, sources that others read, logs that end torn."""
import fcntl
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tools import ToolFailed, contents, run  # noqa: E402
from cairn_server import BIN, CairnServer, encode  # noqa: E402
from redis_server import RedisServer, available  # noqa: E402

FAR = 4102444800000  # 2100, in ms
WHOLE = encode("SET", "a", "1") + b"#TS:1700000000\r\n" + encode("MULTI") + encode("SELECT", "0") + encode("INCR", "a") + encode("EXEC")
UNFINISHED = encode("MULTI") + encode("SET", "a", "9") + encode("SET", "b", "9")


class Test:
    def __init__(self, base):
        self.base = base
        self.made = 0

    def path(self, name):
        return os.path.join(self.base, name)

    def new(self):
        self.made += 1
        return self.path(f"made-{self.made}")

    def file(self, name, content):
        with open(self.path(name), "wb") as f:
            f.write(content)
        return self.path(name)

    def fails(self, code, wanted, *args, **more):
        try:
            result = run(*args, **more)
        except ToolFailed as e:
            assert e.code == code and wanted in e.message, f"{args}: {e}"
            return e.message
        raise AssertionError(f"{args} gave {result}")

    def restored(self, content, **more):
        """What a new directory made of this file holds, and the tool's result."""
        directory = self.new()
        result = run("cairn-restore", self.file("in", content), directory, **more)
        return {key[1]: value[1] for key, value in contents(directory).items()}, result

    def append_only_files(self):
        for tail in (UNFINISHED, UNFINISHED[:-3], encode("SET", "b", "9")[:-4], b"#TS:17"):
            got, result = self.restored(WHOLE + tail)
            assert got == {b"a": b"2"} and result["cut_bytes"] == len(tail), (tail, got, result)
        got, result = self.restored(WHOLE)
        assert got == {b"a": b"2"} and result["cut_bytes"] == 0 and result["commands"] == 2, result
        passed = [encode("FUNCTION", "LOAD", "#!lua name=x\n"), encode("SCRIPT", "LOAD", "return 1"), encode("SCRIPT", "FLUSH"),
                  encode("PUBLISH", "c", "m"), encode("LPUSH", "a", "wrong type"), encode("GET", "a")]
        got, _ = self.restored(WHOLE + b"".join(passed) + encode("SET", "c", "3"))
        assert got == {b"a": b"2", b"c": b"3"}, got
        for script in ("EVAL", "EVALSHA"):
            at = len(WHOLE)
            message = self.fails(2, "BGREWRITEAOF", "cairn-restore", self.file("in", WHOLE + encode(script, "return 1", "0")), self.new())
            assert f"at byte {at}" in message, message
        self.fails(2, "standard input at byte", "cairn-restore", "-", self.new(), stdin=WHOLE + b"garbage\r\n")
        self.fails(2, "first command", "cairn-restore", self.file("in", UNFINISHED), self.new())
        # Behind an RDB file a command may concern a key whose time has come.
        rdb = b"REDIS0010\xfc" + (1).to_bytes(8, "little") + b"\x00\x03old\x01v" + b"\x00\x03new\x01v" + b"\xff" + bytes(8)
        got, result = self.restored(rdb)
        assert got == {b"new": b"v"} and result["keys"] == 1, (got, result)
        got, result = self.restored(rdb + encode("PEXPIREAT", "old", FAR) + UNFINISHED)
        assert got == {b"new": b"v", b"old": b"v"} and result["keys"] == 2 and result["cut_bytes"] == len(UNFINISHED), (got, result)
        with CairnServer("--save", "") as server, server.connect() as c:
            run("cairn-restore", self.file("in", WHOLE + UNFINISHED), "--to", f"127.0.0.1:{server.port}")
            assert c.call("MGET", "a", "b") == [b"2", None]
            c.call("FLUSHALL")
            self.fails(8, "LPUSH of 'a' (at byte", "cairn-restore", self.file("in", WHOLE + encode("LPUSH", "a", "x")), "--to",
                       f"127.0.0.1:{server.port}")
            self.fails(1, "--replace", "cairn-restore", self.file("in", WHOLE), "--to", f"127.0.0.1:{server.port}", "--replace")

    def json_lines(self):
        values = {"string": "new", "list": ["new"], "set": ["new"], "hash": [["new", "new"]], "zset": [["new", "1"]]}
        lines = {kind: json.dumps({"db": 0, "key": kind, "type": kind, "value": value}).encode() + b"\n" for kind, value in values.items()}
        everything = b"".join(lines.values())
        for kind, line in lines.items():
            message = self.fails(2, "it is there twice", "cairn-restore", self.file("in.json", everything + line), self.new())
            assert f"line {len(lines) + 1}" in message and f"'{kind}'" in message, message
        with CairnServer("--save", "") as server, server.connect() as c:
            to = ["--to", f"127.0.0.1:{server.port}"]
            for command in (("SET", "string", "old"), ("RPUSH", "list", "old"), ("SADD", "set", "old"), ("HSET", "hash", "old", "old"),
                            ("ZADD", "zset", "1", "old")):
                c.call(*command)
            before = contents(server.directory, "--live")
            for kind, line in lines.items():
                assert f"'{kind}'" in self.fails(8, "BUSYKEY", "cairn-restore", self.file("in.json", line), *to)
            assert contents(server.directory, "--live") == before
            assert run("cairn-restore", self.file("in.json", everything), *to, "--replace")["keys"] == 5
            assert c.call("GET", "string") == b"new" and c.call("LRANGE", "list", 0, -1) == [b"new"]
            assert c.call("SMEMBERS", "set") == [b"new"] and c.call("HKEYS", "hash") == [b"new"]

    def servers_that_know_less(self):
        source = self.path("expiring-fields")
        with CairnServer("--save", "", directory=source) as server, server.connect() as c:
            for i in range(20):
                c.call("HSET", f"hash{i}", "f", "v", "g", "w")
            c.call("HPEXPIREAT", "hash7", FAR, "FIELDS", 1, "f")
            server.stop()
        with RedisServer() as server, server.connect() as c:
            to = ["--to", f"127.0.0.1:{server.port}"]
            result = run("cairn-restore", source, *to)
            assert result["keys"] == 20 and result["converted"] == 1, result
            assert c.call("DBSIZE") == 20 and c.call("HGET", "hash7", "f") == b"v"
            c.call("DEL", *[f"hash{i}" for i in range(20) if i != 13])
            self.fails(8, "'hash13'", "cairn-restore", source, *to)
        with CairnServer("--save", "") as server, server.connect() as c:
            result = run("cairn-restore", source, "--to", f"127.0.0.1:{server.port}")
            assert "converted" not in result and c.call("HPEXPIRETIME", "hash7", "FIELDS", 1, "f") == [FAR], result

    def moments(self):
        for flags in (["--at", ""], ["--at", "lsn:"], ["--at-lsn", ""], ["--at", "2026-02-30 00:00:00"]):
            self.fails(1, "is no ", "cairn-dump", self.source, *flags)
            self.fails(1, "is no ", "cairn-restore", self.source, self.new(), *flags)
        self.fails(1, "is no time", "cairn-log", self.source, "--from-time", "")

    def shared_sources(self):
        path = os.path.join(self.source, "LOCK")
        before = (open(path, "rb").read(), os.stat(path).st_mtime_ns)
        with open(path, "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # as another tool has it
            run("cairn-restore", self.source, self.new())
            assert run("cairn-check", "--repair", self.new(), self.source)["repair"]["keys"] == 2
            fcntl.flock(lock, fcntl.LOCK_UN)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as a server has it
            self.fails(4, "--live", "cairn-restore", self.source, self.new())
        assert before == (open(path, "rb").read(), os.stat(path).st_mtime_ns)

    def targets(self):
        expected = contents(self.source)
        os.makedirs(self.path("volume/lost+found"))
        os.mkdir(self.path("elsewhere"))
        os.symlink(self.path("elsewhere"), self.path("link"))
        os.symlink(self.path("nothing"), self.path("dangling"))
        for tool, made in (("cairn-restore", lambda at: (self.source, at)), ("cairn-check", lambda at: ("--repair", at, self.source))):
            for target in (self.path("volume"), self.path("link"), self.path("link") + "/", self.new()):
                run(tool, *made(target))
                assert contents(target) == expected, target
                assert not os.path.exists(os.path.join(target, ".partial")) and not os.path.exists(target.rstrip("/") + ".partial")
                self.fails(7, "not empty", tool, *made(target))
                for name in set(os.listdir(target)) - {"lost+found"}:
                    path = os.path.join(target, name)
                    shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
            self.fails(7, "symbolic link", tool, *made(self.path("dangling")))
            self.fails(1, "inside", tool, *made(os.path.join(self.source, "inside")))
            self.fails(1, "inside", tool, *made(os.path.join(self.source, "log/../inside")))
            self.fails(5, "no such directory", tool, *made(self.path("no/parent")))
            assert not os.path.exists(self.path("no")) and not os.path.exists(os.path.join(self.source, "inside"))
        os.mkdir(self.path("here"))
        subprocess.run([os.path.join(BIN, "cairn-restore"), self.source, "."], cwd=self.path("here"), check=True, capture_output=True)
        assert contents(self.path("here")) == expected

    def one_at_a_time(self):
        """What another one is making is left alone; what a crash left is not in the way."""
        target = self.new()
        for tool, args in (("cairn-restore", (self.source, target)), ("cairn-check", ("--repair", target, self.source))):
            os.makedirs(target + ".partial/log")
            with open(target + ".partial/LOCK", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.fails(4, "at work", tool, *args)
                assert os.path.isdir(target + ".partial/log")
            run(tool, *args)
            assert not os.path.exists(target + ".partial")
            shutil.rmtree(target)

    def torn_tails(self):
        segment = sorted(glob.glob(self.crashed + "/log/*.log"))[-1]
        with open(segment, "rb") as f:
            at = f.read().rindex(b"last words")
        with open(segment, "r+b") as f:
            f.seek(at)
            f.write(b"\0" * len("last words"))
        result = run("cairn-restore", self.crashed, self.new())
        assert result["torn_bytes"] > 0, result
        done = subprocess.run([os.path.join(BIN, "cairn-dump"), self.crashed, "--format", "json"], capture_output=True, check=True)
        assert b"never complete" in done.stderr and b'"first"' in done.stdout and b'"second"' not in done.stdout, done

    def bytes_of_the_log(self):
        done = subprocess.run([os.path.join(BIN, "cairn-log"), "--json", "--command", "set", self.source], capture_output=True, check=True)
        records = [json.loads(line) for line in done.stdout.splitlines()[:-1]]
        assert [r["keys"] for r in records] == [[{"base64": "/w=="}], [{"base64": "/A=="}]], records
        assert [r["args"][1] for r in records] == ["x", {"base64": "gA=="}], records

    def run(self):
        self.source, self.crashed = self.path("source"), self.path("crashed")
        with CairnServer("--save", "", directory=self.source) as server, server.connect() as c:
            c.call("SET", b"\xff", "x")
            c.call("SET", b"\xfc", b"\x80")
            server.stop()
        with CairnServer("--save", "", directory=self.crashed) as server, server.connect() as c:
            c.call("SET", "first", "word")
            c.call("SET", "second", "last words")
            server.kill()
        steps = [self.append_only_files, self.json_lines, self.moments, self.shared_sources, self.targets, self.one_at_a_time,
                 self.torn_tails, self.bytes_of_the_log]
        if available():
            steps.append(self.servers_that_know_less)
        for step in steps:
            step()
            print(f"{step.__name__}: ok", flush=True)


def main():
    base = tempfile.mkdtemp(prefix="cairn-edges-")
    try:
        Test(base).run()
    finally:
        shutil.rmtree(base)


if __name__ == "__main__":
    main()
