#!/usr/bin/env python3
"""How long a write of `appendfsync always` waits while the server writes and frees large files on the same disk.

Two writers send SET after SET, each awaited. Their longest wait is told with nothing else going on (what the machine and its disk add),
while a snapshot is made, and in the three seconds after it, when what it replaced is freed. redis-server does the same in turn, where
it is installed.

Usage: commit_waits.py [--megabytes N] [--rounds N] [--directory D]
"""
import argparse
import os
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
import redis_server  # noqa: E402
from cairn_server import CairnServer, await_background_save  # noqa: E402

VALUE_BYTES = 100_000
WRITERS = 2
AFTER_S = 3.0


class Writers:
    """Gather (when a write began, how long it took) until they are stopped."""

    def __init__(self, server):
        self.waits = []
        self.stopping = False
        self.threads = [threading.Thread(target=self.write, args=(server, i)) for i in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def write(self, server, number):
        with server.connect() as connection:
            while not self.stopping:
                begin = time.perf_counter()
                connection.call("SET", f"writer:{number}", "value")
                self.waits.append((begin, time.perf_counter() - begin))

    def longest_ms(self, begin, end):
        return max(wait for at, wait in self.waits if begin <= at < end) * 1e3

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()


def save(connection, command):
    connection.call(*command)
    await_background_save(connection)


def measure(name, server, commands, settings):
    with server, server.connect() as connection:
        for i in range(settings.megabytes * 1_000_000 // VALUE_BYTES):
            connection.call("SET", f"fill:{i}", os.urandom(VALUE_BYTES))
        save(connection, ["BGSAVE"])
        time.sleep(AFTER_S)
        writers = Writers(server)
        begin = time.perf_counter()
        time.sleep(AFTER_S)
        rows = [("nothing else", AFTER_S, writers.longest_ms(begin, begin + AFTER_S), None)]
        for command in commands:
            for _ in range(settings.rounds):
                begin = time.perf_counter()
                save(connection, command)
                end = time.perf_counter()
                time.sleep(AFTER_S)
                rows.append((" ".join(command), end - begin, writers.longest_ms(begin, end), writers.longest_ms(end, end + AFTER_S)))
        writers.stop()
    for what, seconds, during_ms, after_ms in rows:
        after = "" if after_ms is None else f", {after_ms:6.1f} ms in the {AFTER_S:.0f} s after"
        print(f"{name:6} {what:22} {seconds:5.1f} s: longest wait {during_ms:6.1f} ms{after}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=300, help="of values that do not compress (300)")
    parser.add_argument("--rounds", type=int, default=3, help="of each command (3)")
    parser.add_argument("--directory", help="where the servers keep their files: the disk that is measured")
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=settings.directory) as directory:
        for name in ("cairn", "redis"):
            os.mkdir(os.path.join(directory, name))
        flags = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        measure("cairn", CairnServer(*flags, directory=os.path.join(directory, "cairn")),
                [["BGSAVE"], ["SAVE"], ["BGSAVE", "RDB", "exported.rdb"]], settings)
        if redis_server.available():
            flags += ["--auto-aof-rewrite-percentage", "0"]  # a rewrite and a BGSAVE exclude each other
            measure("redis", redis_server.RedisServer(*flags, directory=os.path.join(directory, "redis")), [["BGSAVE"]], settings)


if __name__ == "__main__":
    main()
