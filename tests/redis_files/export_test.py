#!/usr/bin/env python3
"""The way out to a real redis-server: RDB files written under load, DUMP payloads in both directions, MIGRATE in both directions.

Without a redis-server on the machine it ends with exit code 77 (skipped).

Usage: export_test.py [--seed S]       (CAIRN_BIN names the binaries' folder)
"""
import argparse
import os
import shutil
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import keyspaces  # noqa: E402
import redis_server  # noqa: E402
from cairn_server import CairnServer, ReplyError, default_seed  # noqa: E402


def same(mine, other, what):
    found = keyspaces.difference(mine, other)
    assert found is None, f"{what}: {found}"
    print(f"ok: {what}", flush=True)


def await_export(server, c, *name):
    before = server.output().count("to the RDB file")
    assert c.call("BGSAVE", "RDB", *name) == "Background saving started"
    end = time.monotonic() + 60
    while server.output().count("to the RDB file") == before:
        assert time.monotonic() < end, server.output()[-2000:]
        time.sleep(0.02)


def check_export(server, c, root):
    """Redis loads the file and holds the same."""
    await_export(server, c)
    directory = os.path.join(root, "exported")
    os.mkdir(directory)
    shutil.copy(os.path.join(server.directory, "dump.rdb"), directory)
    with redis_server.RedisServer(directory=directory) as redis, redis.connect() as r:
        same(keyspaces.state(c), keyspaces.state(r), "an exported file in Redis")


def check_consistency(server, root):
    """Pairs that are always written together are together in the file."""
    stop = threading.Event()

    def write():
        with server.connect() as c:
            i = 0
            while not stop.is_set():
                i += 1
                c.pipeline([["MSET", f"pair:a:{n}", i, f"pair:b:{n}", i] for n in range(50)])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with server.connect() as c:
            for attempt in range(3):
                await_export(server, c, "under-load.rdb")
                directory = os.path.join(root, f"load{attempt}")
                os.mkdir(directory)
                shutil.copy(os.path.join(server.directory, "under-load.rdb"), os.path.join(directory, "dump.rdb"))
                with redis_server.RedisServer(directory=directory) as redis, redis.connect() as r:
                    for n in range(50):
                        assert r.call("GET", f"pair:a:{n}") == r.call("GET", f"pair:b:{n}"), n
    finally:
        stop.set()
        writer.join()
    with server.connect() as c:
        c.call("DEL", *[f"pair:{x}:{n}" for x in "ab" for n in range(50)])
    print("ok: files written under load are of one moment", flush=True)


def check_names(c):
    """No name may be one of Cairn's own files, or lie elsewhere."""
    for name in ("../x.rdb", "/tmp/x.rdb", "a/b.rdb", "", "MANIFEST", "MANIFEST.tmp", "LOCK", "log", "snapshots", "appendonlydir", "x",
                 ".rdb", ".x.rdb", "MANIFEST\0.rdb", "x.rdb.tmp", "x.RDB"):
        try:
            c.call("BGSAVE", "RDB", name)
        except ReplyError as e:
            assert "filename" in str(e), e
        else:
            raise AssertionError(f"a file was written to {name}")


def check_dumps(cairn, redis):
    """Every value as a payload, there and back."""
    keys = sorted(cairn.call("KEYS", "*"))
    for key in keys:
        cairn.call("RESTORE", b"back:" + key, 0, redis.call("DUMP", key))
        redis.call("RESTORE", b"back:" + key, 0, cairn.call("DUMP", key))
        mine, theirs, was = (keyspaces.read_key(x, k) for x, k in ((cairn, b"back:" + key), (redis, b"back:" + key), (redis, key)))
        assert mine[0::2] == theirs[0::2] == was[0::2], key
    for c in (cairn, redis):
        c.call("DEL", *[b"back:" + key for key in keys])
    print(f"ok: {len(keys)} payloads in both directions", flush=True)


def refused(wanted, c, *command):
    try:
        reply = c.call(*command)
    except ReplyError as e:
        assert wanted in str(e), f"{command[:3]}: {e}"
    else:
        raise AssertionError(f"{command[:3]} answered {reply}")


def check_migrate(source, source_port, target, target_port):
    keys = [k for k in sorted(source.call("KEYS", "*")) if k not in (b"far", b"long")][:60]
    target.call("FLUSHALL")
    held = {k: keyspaces.read_key(source, k) for k in keys}
    to = ["127.0.0.1", target_port]
    assert source.call("MIGRATE", *to, "no such key", 0, 5000) == "NOKEY"
    assert source.call("MIGRATE", *to, keys[0], 0, 5000, "COPY") == "OK"
    assert source.call("EXISTS", keys[0]) == 1
    refused("BUSYKEY", source, "MIGRATE", *to, keys[0], 0, 5000)
    assert source.call("EXISTS", keys[0]) == 1
    assert source.call("MIGRATE", *to, keys[0], 0, 5000, "REPLACE") == "OK"
    assert source.call("EXISTS", keys[0]) == 0
    assert source.call("MIGRATE", *to, "", 0, 5000, "KEYS", *keys) == "OK"
    assert source.call("EXISTS", *keys) == 0
    got = {k: keyspaces.read_key(target, k) for k in keys}
    for key in keys:  # a time to live travels as such
        if held[key][1] > 0:
            assert abs(held[key][1] - got[key][1]) < 5000, key
    assert {k: v[0::2] for k, v in held.items()} == {k: v[0::2] for k, v in got.items()}
    assert target.call("MIGRATE", "127.0.0.1", source_port, "", 0, 5000, "KEYS", *keys) == "OK"
    assert {k: v[0::2] for k, v in held.items()} == {k: keyspaces.read_key(source, k)[0::2] for k in keys}
    refused("must be set to the empty string", source, "MIGRATE", *to, "x", 0, 1000, "KEYS", "a")
    refused("IOERR error or timeout writing to target instance", source, "MIGRATE", "127.0.0.1", 1, keys[0], 0, 1000)
    refused("DB index is out of range", source, "MIGRATE", *to, keys[0], 99, 1000)
    # Redis sends the key behind the SELECT that fails: over a connection that it kept the key arrives in the database selected before.
    target.call("DEL", keys[0])
    to = ["localhost", target_port]  # a connection that was made before the password is authenticated
    target.call("CONFIG", "SET", "requirepass", "secret")
    try:
        refused("NOAUTH", source, "MIGRATE", *to, keys[0], 0, 1000, "REPLACE")
        refused("WRONGPASS", source, "MIGRATE", *to, keys[0], 0, 1000, "REPLACE", "AUTH", "wrong")
        assert source.call("EXISTS", keys[0]) == 1
        assert source.call("MIGRATE", *to, keys[0], 0, 1000, "AUTH", "secret") == "OK"
        assert source.call("MIGRATE", *to, keys[1], 0, 1000, "AUTH2", "default", "secret") == "OK"
        assert source.call("EXISTS", *keys[:2]) == 0
    finally:
        target.call("CONFIG", "SET", "requirepass", "")


def check_migrate_to_stranger(c):
    """Something at the target's port that is not a Redis server: the key stays."""
    def answer():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:  # closed: the check is over
                return
            with peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n")

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    c.call("SET", "stays", "1")
    refused("IOERR error or timeout reading to target instance", c, "MIGRATE", "127.0.0.1", listener.getsockname()[1], "stays", 0, 5000)
    assert c.call("GET", "stays") == b"1"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=default_seed())
    args = parser.parse_args()
    if not redis_server.available():
        print("no redis-server on this machine")
        return 77
    print(f"seed {args.seed}", flush=True)
    root = tempfile.mkdtemp(prefix="cairn-export-")
    try:
        with CairnServer("--appendfsync", "no", "--save", "") as server, redis_server.RedisServer() as redis, \
                server.connect() as c, redis.connect() as r:
            keyspaces.fill(c, args.seed)
            keyspaces.fill(r, args.seed)
            check_export(server, c, root)
            check_names(c)
            check_consistency(server, root)
            check_dumps(c, r)
            check_migrate(c, server.port, r, redis.port)
            print("ok: MIGRATE to Redis and back", flush=True)
            check_migrate_to_stranger(c)
            print("ok: MIGRATE to what is no Redis server", flush=True)
            check_migrate(r, redis.port, c, server.port)
            print("ok: MIGRATE from Redis and back", flush=True)
    finally:
        shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
