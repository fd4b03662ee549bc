#!/usr/bin/env python3
"""Importing an RDB file and exporting one, side by side with redis-server: the same machine, data and file, one server at a time.

Redis makes the data and saves them (its SAVE is timed), then loads the file; Cairn starts on a copy of the file, and exports what it
imported. Cairn's start is given twice: until the keyspace is there, and until its own snapshot is on disk as well and clients are served.

Usage: redis_files.py [--strings N] [--hashes N] [--fields N] [--directory DIR]      (CAIRN_BIN names the binaries' folder)
"""
import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
import redis_server  # noqa: E402
from cairn_server import CairnServer, await_background_save  # noqa: E402

HASHES = """for i = ARGV[1], ARGV[2] do
  local args = {}
  for j = 1, ARGV[3] do args[#args + 1] = 'field:' .. j; args[#args + 1] = 'value:' .. i * j end
  redis.call('HSET', 'hash:' .. i, unpack(args))
end"""


def make(directory, args):
    with redis_server.RedisServer(directory=directory) as redis, redis.connect(timeout=600) as c:
        c.call("DEBUG", "POPULATE", args.strings, "key", args.value_bytes)
        for first in range(1, args.hashes + 1, 10000):
            c.call("EVAL", HASHES, 0, first, min(first + 9999, args.hashes), args.fields)
        start = time.monotonic()
        c.call("SAVE")
        return time.monotonic() - start, c.call("DBSIZE")


def redis_load(directory, keys):
    start = time.monotonic()
    with redis_server.RedisServer(directory=directory) as redis:
        took = None
        with redis.connect(timeout=600) as c:
            while took is None:
                try:
                    assert c.call("DBSIZE") == keys
                    took = time.monotonic() - start
                except Exception as e:  # noqa: BLE001
                    if "LOADING" not in str(e):
                        raise
                    time.sleep(0.005)
    return took


def cairn(directory, keys, threads):
    flags = ["--save", "", "--appendfsync", "everysec"] + (["--threads", str(threads)] if threads else [])
    server = CairnServer(*flags, directory=directory)
    with server:
        server.wait_ready(600)
        output = server.output()
        imported = float(re.search(r"Imported \d+ keys from Redis's \S+ in ([\d.]+) seconds", output).group(1))
        served = float(re.search(r"DB loaded from disk: ([\d.]+) seconds", output).group(1))
        with server.connect(timeout=600) as c:
            assert c.call("DBSIZE") == keys
            start = time.monotonic()
            c.call("BGSAVE", "RDB", "export.rdb")
            await_background_save(c, period_s=0.005)
            exported = time.monotonic() - start
        if "Wrote" not in server.output():
            raise RuntimeError(server.output()[-2000:])
    os.remove(server.log_path)
    return imported, served, exported


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--strings", type=int, default=5_000_000)
    parser.add_argument("--value-bytes", type=int, default=32)
    parser.add_argument("--hashes", type=int, default=300_000)
    parser.add_argument("--fields", type=int, default=10)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--directory", default=None)
    args = parser.parse_args()
    if not redis_server.available():
        print("no redis-server on this machine")
        return 77
    root = tempfile.mkdtemp(prefix="redis-files-", dir=args.directory)
    try:
        theirs, mine = os.path.join(root, "redis"), os.path.join(root, "cairn")
        os.mkdir(theirs)
        os.mkdir(mine)
        saved, keys = make(theirs, args)
        path = os.path.join(theirs, "dump.rdb")
        size = os.path.getsize(path)
        shutil.copy(path, mine)
        loaded = redis_load(theirs, keys)
        imported, served, exported = cairn(mine, keys, args.threads)
        back = os.path.join(root, "back")
        os.mkdir(back)
        shutil.move(os.path.join(mine, "export.rdb"), os.path.join(back, "dump.rdb"))
        redis_load(back, keys)  # and it is a file that Redis loads
    finally:
        shutil.rmtree(root)
    print(f"{keys} keys, a file of {size / 1e6:.0f} MB")
    print(f"load    redis {loaded:6.2f} s   cairn {imported:6.2f} s imported ({imported / loaded:.2f}), {served:6.2f} s served ({served / loaded:.2f})")
    print(f"save    redis {saved:6.2f} s   cairn {exported:6.2f} s ({exported / saved:.2f})")
    print(json.dumps({"keys": keys, "redis_load_s": loaded, "cairn_import_s": imported, "cairn_served_s": served,
                      "redis_save_s": saved, "cairn_export_s": exported}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
