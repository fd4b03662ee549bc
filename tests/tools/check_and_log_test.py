#!/usr/bin/env python3
"""cairn-check and cairn-log beside and behind a real server: exit codes, --live, --follow, filters, a changed byte, a repair."""
import contextlib
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cairn_server import BIN, CairnServer  # noqa: E402

FOLLOW_SECONDS = 20


def tool(name, *arguments):
    done = subprocess.run([os.path.join(BIN, name), "--json", *arguments], capture_output=True, text=True, timeout=120)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines and lines[-1]["exit_code"] == done.returncode, (done.stdout, done.stderr)
    return done.returncode, lines[-1], lines[:-1]


def change_byte(path, where):
    with open(path, "r+b") as f:
        content = f.read()
        at = content.index(where)
        f.seek(at)
        f.write(bytes([content[at] ^ 1]))


def beside_a_server(server):
    directory = server.directory
    assert tool("cairn-check", directory)[0] == 4, "in use"
    code, result, _ = tool("cairn-check", "--live", directory)
    assert code == 0 and not result["faults"], result
    with follower(directory) as line, server.connect() as c:
        c.call("SET", "other", "x")
        c.call("BGREWRITEAOF")  # rotates
        deadline = time.monotonic() + FOLLOW_SECONDS
        while b"in_progress:1" in c.call("INFO", "persistence") and time.monotonic() < deadline:
            time.sleep(0.02)
        c.call("SET", "follow:me", "x")
        assert c.call("CONFIG", "SET", "scrub-hours", "1") == "OK"
        info = c.call("INFO", "persistence")
        assert b"scrub_last_status:ok" in info, info
        assert '"follow:me"' in line()


@contextlib.contextmanager
def follower(directory):
    """A cairn-log that follows keys of that name; gives a function that waits for its next line."""
    with subprocess.Popen([os.path.join(BIN, "cairn-log"), "--follow", "--key", "follow*", directory],
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline
        finally:
            process.terminate()


def await_log(c):
    """CONFIG SET answers before the log is on."""
    deadline = time.monotonic() + FOLLOW_SECONDS
    while True:
        info = c.call("INFO", "persistence")
        if b"aof_enabled:1" in info and b"aof_rewrite_in_progress:0" in info:
            return
        assert time.monotonic() < deadline, info
        time.sleep(0.02)


def from_before_the_log():
    with CairnServer("--save", "", "--appendonly", "no") as server, server.connect() as c:
        c.call("SET", "before", "x")
        with follower(server.directory) as line:
            time.sleep(0.3)  # it has looked, most likely
            assert c.call("CONFIG", "SET", "appendonly", "yes") == "OK"
            await_log(c)
            c.call("SET", "follow:me", "x")
            assert '"follow:me"' in line()


def filters(directory):
    _, result, records = tool("cairn-log", "--command", "hset,incr", directory)
    assert [r["command"] for r in records] == ["INCR", "HSET"] and result["printed"] == 2, records
    assert records[0]["transaction"] == records[1]["transaction"] < records[0]["lsn"], records
    assert records[1]["keys"] == ["hash"] and records[1]["database"] == 2, records
    assert [r["args"][0] for r in tool("cairn-log", "--key", "key:1?", "--db", "0", directory)[2]] == [f"key:{i}" for i in range(10, 20)]
    lsn = records[0]["lsn"]
    assert tool("cairn-log", "--from-lsn", str(lsn), "--to-lsn", str(lsn + 1), directory)[1]["printed"] == 1
    assert tool("cairn-log", "--from-time", "2000-01-01 00:00:00", "--to-time", "2000-01-02 00:00:00", directory)[1]["printed"] == 0
    assert tool("cairn-log", "--from-time", "yesterday", directory)[0] == 1


def main():
    from_before_the_log()
    with tempfile.TemporaryDirectory(prefix="cairn-tools-") as work, CairnServer("--save", "") as server:
        with server.connect() as c:
            c.call("SET", "dropped", "x")
        beside_a_server(server)
        with server.connect() as c:
            for i in range(40):  # one frame each
                c.call("SET", f"key:{i}", f"value {i}")
            c.pipeline([("SELECT", "2"), ("MULTI",), ("INCR", "counter"), ("HSET", "hash", "f", "v"), ("EXEC",)])
        server.kill()
        directory = server.directory
        assert tool("cairn-check", directory)[0] == 0, "a crash is no damage"
        filters(directory)
        snapshot = glob.glob(directory + "/snapshots/*/data-00000")[0]
        segment = next(path for path in glob.glob(directory + "/log/*.log") if b"value 20" in open(path, "rb").read())
        change_byte(segment, b"value 20")
        code, result, _ = tool("cairn-check", directory)
        assert code == 2 and [f["file"] for f in result["faults"]] == [segment], result
        assert "SET key:" in result["faults"][0]["holds"], result
        change_byte(snapshot, b"CAIRNSNP")
        assert {f["file"] for f in tool("cairn-check", directory)[1]["faults"]} == {segment, snapshot}
        repaired = os.path.join(work, "repaired")
        code, result, _ = tool("cairn-check", "--repair", repaired, directory)
        assert code == 2 and result["repair"]["losses"], result
        assert tool("cairn-check", "--repair", repaired, directory)[0] == 7, "the target exists"
        assert tool("cairn-check", repaired)[0] == 0
        with CairnServer(directory=repaired) as again:
            with again.connect() as c:
                assert c.call("GET", "dropped") == b"x"
                assert c.call("GET", "key:0") == b"value 0"
                assert c.call("DBSIZE") == result["repair"]["keys"] - 2  # two are in database 2
    assert tool("cairn-check", os.path.join(work, "nowhere"))[0] == 5
    print("ok")


if __name__ == "__main__":
    main()
