#!/usr/bin/env python3
"""Redis's files, made by a real redis-server, open in Cairn with equal content, once, untouched; damaged ones stop the start.

Without a redis-server on the machine it ends with exit code 77 (skipped).

Usage: import_test.py [--seed S]       (CAIRN_BIN names the binaries' folder)
"""
import argparse
import hashlib
import os
import random
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import keyspaces  # noqa: E402
import redis_server  # noqa: E402
from cairn_server import CairnServer, default_seed  # noqa: E402


def contents(directory):
    """{path: digest} of everything in the directory but the lock."""
    out = {}
    for base, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(base, name)
            if name != "LOCK":
                out[os.path.relpath(path, directory)] = hashlib.sha256(open(path, "rb").read()).hexdigest()
    return out


def make_files(seed, directory, *flags, more=None):
    """Lets Redis write its files; what Redis itself reads from a copy of them."""
    with redis_server.RedisServer(*flags, directory=directory) as redis, redis.connect() as c:
        keyspaces.fill(c, seed)
        if more:
            more(c)
        if "--appendonly" not in flags:
            c.call("SAVE")
        redis.stop()
    copy = directory + ".copy"
    shutil.copytree(directory, copy)
    with redis_server.RedisServer(*flags, directory=copy) as redis, redis.connect() as c:
        return keyspaces.state(c)


def check_opens(directory, held, what, *flags, keeps=True):
    before = contents(directory)
    server = CairnServer("--appendfsync", "no", "--save", "", *flags, directory=directory)
    with server:
        with server.connect(timeout=120) as c:
            assert_equal(keyspaces.state(c), held, what)
            if keeps:
                c.call("SET", "written-after-the-import", "x")
        assert "importing it" in server.output(), server.output()
        assert server.stop() == 0
    after = contents(directory)
    changed = [name for name in before if after.get(name) != before[name]]
    assert not changed, f"{what}: the import changed {changed}"
    # The second start opens what Cairn wrote.
    os.remove(server.log_path)
    with CairnServer("--appendfsync", "no", "--save", "", *flags, directory=directory) as again:
        assert "importing it" not in again.output(), again.output()
        with again.connect(timeout=120) as c:
            if keeps:
                assert c.call("GETDEL", "written-after-the-import") == b"x"
            assert_equal(keyspaces.state(c), held, what + ", second start")
    os.remove(again.log_path)


def assert_equal(mine, other, what):
    found = keyspaces.difference(mine, other)
    assert found is None, f"{what}: {found}"
    print(f"ok: {what}, {len(mine)} keys", flush=True)


def rewrite(c):
    """An append-only file with a base and increments, transactions and deletions in them."""
    c.call("BGREWRITEAOF")
    while b"aof_rewrite_in_progress:1" in c.call("INFO", "persistence") or b"aof_rewrite_scheduled:1" in c.call("INFO", "persistence"):
        time.sleep(0.02)
    for i in range(200):
        c.pipeline([["MULTI"], ["INCR", "counter"], ["RPUSH", "log", i], ["SADD", "seen", i], ["EXEC"]])
    c.pipeline([["DEL", "list:1"], ["SPOP", "set:3", 7], ["HINCRBYFLOAT", "hash:0", "new", "1.5"], ["SELECT", 3], ["SET", "third", 3],
                ["SELECT", 0], ["XADD", "stream:1", "*", "late", "1"], ["XREADGROUP", "GROUP", "g1", "carol", "STREAMS", "stream:1", ">"],
                ["GETEX", "str:3", "EX", 1000], ["LMOVE", "list:2", "list:3", "LEFT", "RIGHT"], ["COPY", "zset:2", "copied"],
                ["ZRANGESTORE", "stored", "zset:3", 0, 10], ["BITOP", "NOT", "inverted", "str:2"], ["SWAPDB", 4, 5]])


def refused(directory, what, wanted, *flags):
    before = contents(directory)
    server = CairnServer("--appendfsync", "no", *flags, directory=directory)
    server.start(wait=False)
    code = server.process.wait(60)
    output = server.output()
    os.remove(server.log_path)
    assert code == 1, f"{what}: exit code {code}\n{output}"
    assert wanted in output, f"{what}: no '{wanted}' in\n{output}"
    after = contents(directory)
    assert after == before, f"{what}: something was written: {set(after) ^ set(before)}"
    print(f"ok: refused: {what}", flush=True)


def check_damage(rng, root, rdb):
    whole = open(rdb, "rb").read()
    directory = os.path.join(root, "damaged")
    os.mkdir(directory)
    path = os.path.join(directory, "dump.rdb")

    def put(data):
        with open(path, "wb") as f:
            f.write(data)

    for size in sorted({0, 5, 9, len(whole) - 1, len(whole) // 2, rng.randrange(len(whole)), rng.randrange(len(whole))}):
        put(whole[:size])
        refused(directory, f"cut at {size}", "dump.rdb at byte")
    for at in (0, 7, len(whole) // 3, len(whole) - 3, rng.randrange(len(whole)), rng.randrange(len(whole))):
        put(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1:])
        refused(directory, f"changed at {at}", "dump.rdb at byte")
    put(b"PK\x03\x04" + whole)
    refused(directory, "another kind of file", "it is no RDB file")
    put(whole)
    refused(directory, "too few databases", "--databases", "--databases", "1")
    # What was wrong is put right: the same directory then imports.
    with CairnServer("--appendfsync", "no", directory=directory) as server, server.connect() as c:
        assert c.call("DBSIZE") > 0
    os.remove(server.log_path)


def check_truncated_aof(root):
    directory = os.path.join(root, "truncated")
    os.mkdir(directory)
    whole = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n#TS:1628217470\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2\r\n"
    unfinished = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nc\r\n$1\r\n3\r\n"
    for name, tail in (("a command", b"*3\r\n$3\r\nSET\r\n$1\r\n"), ("a transaction", unfinished), ("nothing", b"")):
        for leftover in os.listdir(directory):
            path = os.path.join(directory, leftover)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        with open(os.path.join(directory, "appendonly.aof"), "wb") as f:
            f.write(whole + tail)
        if tail:
            refused(directory, f"cut within {name}", "Unexpected end of file reading the append only file", "--aof-load-truncated", "no")
        with CairnServer("--appendfsync", "no", directory=directory) as server, server.connect() as c:
            assert sorted(c.call("KEYS", "*")) == [b"a", b"b"], name
            assert ("are left out" in server.output()) == bool(tail)
        os.remove(server.log_path)
    for leftover in os.listdir(directory):
        path = os.path.join(directory, leftover)
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    for name, bad, wanted in (("a broken command", b"*3\r\n$3\r\nSET\r\n$1\r\nb\r\n!!!\r\n", "Bad file format"),
                              ("an unknown command", b"*1\r\n$3\r\nBAH\r\n", "Unknown command 'BAH'"),
                              ("too few arguments", b"*1\r\n$3\r\nSET\r\n", "wrong number of arguments")):
        with open(os.path.join(directory, "appendonly.aof"), "wb") as f:
            f.write(whole + bad)
        refused(directory, name, wanted)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=default_seed())
    args = parser.parse_args()
    if not redis_server.available():
        print("no redis-server on this machine")
        return 77
    print(f"seed {args.seed}", flush=True)
    root = tempfile.mkdtemp(prefix="cairn-import-")
    try:
        for number, (name, flags, more) in enumerate((
                ("dump.rdb", [], None),
                ("dump.rdb of another name, uncompressed, without checksum", ["--dbfilename", "other.rdb", "--rdbcompression", "no", "--rdbchecksum", "no"], None),
                ("append-only files with an RDB base", ["--appendonly", "yes"], rewrite),
                ("append-only files with a RESP base", ["--appendonly", "yes", "--aof-use-rdb-preamble", "no", "--aof-timestamp-enabled", "yes"], rewrite),
                ("append-only files without a base", ["--appendonly", "yes", "--appenddirname", "my dir"], None))):
            directory = os.path.join(root, str(number))
            os.mkdir(directory)
            held = make_files(args.seed + number, directory, *flags, more=more)
            if number == 0:
                check_damage(random.Random(args.seed), root, os.path.join(directory, "dump.rdb"))
            names = [f for i in range(0, len(flags), 2) for f in flags[i:i + 2] if flags[i] in ("--dbfilename", "--appenddirname")]
            check_opens(directory, held, name, *names)
        check_truncated_aof(root)
    finally:
        shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
