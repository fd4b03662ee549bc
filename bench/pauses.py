#!/usr/bin/env python3
"""How long others wait: a second client's p99.9 and longest wait while a first one works on values of millions of items.

One server with one network thread, so that whatever holds the thread or a lock shows. The prober sends GET after GET of keys all over the
keyspace. Its waits with nothing else going on are the first line: what the machine itself adds. Beside them stands the longest time that
the network thread was on a processor during one of these waits, which a busy machine does not make longer. Replies that are as long as
the value (LRANGE 0 -1 and its like) are read by the first client in full.

Usage: pauses.py [--items N] [--types list,zset,...] [--server PATH] [--flag --threads --flag 2]
"""
import argparse
import multiprocessing
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
import cairn_server  # noqa: E402
from cairn_server import CairnServer, ReplyError, encode  # noqa: E402

BATCH = 10_000
PROBE_KEYS = 512


def network_thread_of(pid):
    """The schedstat file of the thread that serves the clients: its first number is nanoseconds on a processor."""
    folder = f"/proc/{pid}/task"
    for task in os.listdir(folder):
        with open(f"{folder}/{task}/comm") as f:
            if f.read().startswith("net-"):
                return f"{folder}/{task}/schedstat"
    return f"{folder}/{pid}/schedstat"


def probe(port, pid, pipe):
    """Runs in a process of its own: gathers (wait, what the network thread worked meanwhile) until told otherwise, then answers with them."""
    schedstat = os.open(network_thread_of(pid), os.O_RDONLY)

    def worked():
        return int(os.pread(schedstat, 64, 0).split()[0]) / 1e9

    requests = [encode("GET", f"probe:{i}") for i in range(PROBE_KEYS)]
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    waits = []
    i = 0
    while True:
        if pipe.poll():
            message = pipe.recv()
            if message == "end":
                return
            if message == "begin":
                waits = []
                pipe.send(None)
            else:
                pipe.send(waits)
        worked_before = worked()
        begin = time.perf_counter()
        connection.sendall(requests[i % PROBE_KEYS])
        connection.recv(64)
        end = time.perf_counter()
        waits.append((end - begin, worked() - worked_before))
        i += 1


def element(i):
    return b"element:%010d" % i


FILL = {
    "list": lambda key, numbers: encode("RPUSH", key, *(element(i) for i in numbers)),
    "set": lambda key, numbers: encode("SADD", key, *(element(i) for i in numbers)),
    "hash": lambda key, numbers: encode("HSET", key, *(x for i in numbers for x in (element(i), b"value"))),
    "zset": lambda key, numbers: encode("ZADD", key, *(x for i in numbers for x in (b"%d" % i, element(i)))),
    "stream": lambda key, numbers: b"".join(encode("XADD", key, b"1-%d" % (i + 1), b"f", element(i)) for i in numbers),
}


def operations(kind, items):
    middle = element(items // 2)
    half = items // 2
    common = [("RENAME", ["RENAME", "{k}", "{k}2"]), ("RENAME back", ["RENAME", "{k}2", "{k}"]), ("COPY", ["COPY", "{k}", "{k}copy"]),
              ("EXPIRE", ["EXPIRE", "{k}", "100000"]), ("PERSIST", ["PERSIST", "{k}"])]
    own = {
        "list": [("LINSERT near", ["LINSERT", "{k}", "BEFORE", element(items // 1000), "new"]),
                 ("LINSERT in the middle", ["LINSERT", "{k}", "BEFORE", middle, "new"]), ("LINDEX", ["LINDEX", "{k}", half]),
                 ("LSET", ["LSET", "{k}", half, "new"]), ("LRANGE slice", ["LRANGE", "{k}", half, half + 100]),
                 ("LPOS near", ["LPOS", "{k}", element(items // 1000)]), ("LPOS far", ["LPOS", "{k}", element(items - 5)]),
                 ("LREM in the middle", ["LREM", "{k}", 1, element(half + 7)]),
                 ("SORT LIMIT", ["SORT", "{k}", "ALPHA", "LIMIT", 0, 10]), ("SORT LIMIT deep", ["SORT", "{k}", "ALPHA", "LIMIT", half, 10]),
                 ("SORT STORE", ["SORT", "{k}", "ALPHA", "STORE", "stored"]), ("LRANGE all", ["LRANGE", "{k}", 0, -1]),
                 ("LTRIM", ["LTRIM", "{k}", items // 4, half])],
        "set": [("SADD", ["SADD", "{k}", "new"]), ("SPOP", ["SPOP", "{k}"]), ("SRANDMEMBER", ["SRANDMEMBER", "{k}", 10]),
                ("SORT LIMIT", ["SORT", "{k}", "ALPHA", "LIMIT", 0, 10]), ("SMEMBERS", ["SMEMBERS", "{k}"]),
                ("SINTERCARD", ["SINTERCARD", 2, "{k}", "{k}2nd"]), ("SUNIONSTORE", ["SUNIONSTORE", "stored", "{k}", "{k}2nd"]),
                ("SINTERSTORE", ["SINTERSTORE", "stored", "{k}", "{k}2nd"]), ("SDIFFSTORE", ["SDIFFSTORE", "stored", "{k}", "{k}2nd"]),
                ("SPOP of many", ["SPOP", "{k}", 1000])],
        "hash": [("HSET", ["HSET", "{k}", middle, "new"]), ("HRANDFIELD", ["HRANDFIELD", "{k}", 10]), ("HGETALL", ["HGETALL", "{k}"])],
        "zset": [("ZRANGE slice", ["ZRANGE", "{k}", half, half + 100]), ("ZADD", ["ZADD", "{k}", half, "new"]), ("ZRANK", ["ZRANK", "{k}", middle]),
                 ("ZRANGEBYSCORE LIMIT", ["ZRANGEBYSCORE", "{k}", half, "+inf", "LIMIT", 0, 10]),
                 ("ZCOUNT", ["ZCOUNT", "{k}", 10, "+inf"]), ("ZREMRANGEBYRANK", ["ZREMRANGEBYRANK", "{k}", half, half + 10]),
                 ("SORT LIMIT", ["SORT", "{k}", "ALPHA", "LIMIT", 0, 10]), ("ZRANGE all", ["ZRANGE", "{k}", 0, -1]),
                 ("ZRANGESTORE", ["ZRANGESTORE", "stored", "{k}", half, half + items // 10]),
                 ("ZUNIONSTORE", ["ZUNIONSTORE", "stored", 2, "{k}", "{k}2nd"]), ("ZINTERCARD", ["ZINTERCARD", 2, "{k}", "{k}2nd"]),
                 ("ZDIFFSTORE", ["ZDIFFSTORE", "stored", 2, "{k}", "{k}2nd"]),
                 ("GEOSEARCHSTORE", ["GEOSEARCHSTORE", "stored", "{k}", "FROMLONLAT", 0, 0, "BYRADIUS", 20000, "km"]),
                 ("ZREMRANGEBYSCORE half", ["ZREMRANGEBYSCORE", "{k}", "-inf", half]),
                 ("ZPOPMIN of many", ["ZPOPMIN", "{k}", 1000])],
        "stream": [("XRANGE COUNT", ["XRANGE", "{k}", f"1-{half}", "+", "COUNT", 100]), ("XADD", ["XADD", "{k}", "2-1", "f", "v"]),
                   ("XDEL", ["XDEL", "{k}", f"1-{half}"]), ("XLEN", ["XLEN", "{k}"]), ("XRANGE all", ["XRANGE", "{k}", "-", "+"]),
                   ("XTRIM half", ["XTRIM", "{k}", "MAXLEN", half]), ("XINFO STREAM FULL", ["XINFO", "STREAM", "{k}", "FULL"])],
    }[kind]
    return common + own


class Bench:
    def __init__(self, server, items):
        self.server = server
        self.items = items
        self.client = server.connect(timeout=600)
        self.client.pipeline([["SET", f"probe:{i}", "x" * 20] for i in range(PROBE_KEYS)])
        self.pipe, other = multiprocessing.Pipe()
        self.prober = multiprocessing.Process(target=probe, args=(server.port, server.process.pid, other), daemon=True)
        self.prober.start()

    def ask(self, message):
        self.pipe.send(message)
        return self.pipe.recv()

    def measure(self, name, work):
        time.sleep(0.05)
        self.ask("begin")
        begin = time.perf_counter()
        try:
            result = work()
        except ReplyError as error:
            result = None
            name += f" ({error})"
        took = time.perf_counter() - begin
        time.sleep(max(0.3 - took, 0.05))  # what it left to the background counts as well
        waits = sorted(self.ask("end of measuring"))
        longest = waits[-1][0] * 1000
        p999 = waits[min(len(waits) - 1, int(len(waits) * 0.999))][0] * 1000
        worked = min(max(work for _, work in waits) * 1000, longest)
        mark = "  <-- over 5 ms" if worked > 5 else "  (the machine?)" if longest > 5 else ""
        print(f"  {name:24} took {took * 1000:9.2f} ms  others: p99.9 {p999:7.3f}  longest {longest:8.3f}  thread busy {worked:8.3f} ms{mark}",
              flush=True)
        return result

    def drain(self, command):
        """Sends and reads the reply's bytes without making objects of them."""
        self.client.socket.sendall(encode(*command))
        file = self.client.file
        left = 1
        while left > 0:
            line = file.readline()
            if not line:
                raise OSError("connection closed")
            left -= 1
            if line[:1] in b"*~>%" and not line.startswith(b"*-"):
                left += int(line[1:]) * (2 if line[:1] == b"%" else 1)
            elif line[:1] in b"$=" and not line.startswith(b"$-"):
                file.read(int(line[1:]) + 2)
            elif line[:1] == b"-":
                raise ReplyError(line[1:-2].decode())

    def fill(self, kind, key):
        step = 1000 if kind == "stream" else BATCH
        for first in range(0, self.items, step):
            numbers = range(first, min(first + step, self.items))
            self.client.socket.sendall(FILL[kind](key, numbers))
            for _ in range(len(numbers) if kind == "stream" else 1):
                cairn_server.read_reply(self.client.file)

    def background_save(self):
        self.client.call("BGSAVE")
        cairn_server.await_background_save(self.client)

    def expire(self, key):
        self.client.call("PEXPIRE", key, 1)
        while self.client.call("EXISTS", key):
            pass

    def run(self, kind):
        begin = time.perf_counter()
        for key in ("big", "big2nd"):
            self.fill(kind, key)
        print(f"{kind}: 2 x {self.items} items in {time.perf_counter() - begin:.1f} s", flush=True)
        self.measure("(nothing)", lambda: time.sleep(1))
        for name, command in operations(kind, self.items):
            arguments = [a.replace("{k}", "big") if isinstance(a, str) else a for a in command]
            self.measure(name, lambda arguments=arguments: self.drain(arguments))
        self.measure("BGSAVE", self.background_save)
        self.client.call("DEL", "bigcopy", "stored")
        self.measure("DEL", lambda: self.client.call("DEL", "big"))
        self.measure("expired", lambda: self.expire("big2nd"))
        self.client.call("FLUSHALL")
        self.client.pipeline([["SET", f"probe:{i}", "x" * 20] for i in range(PROBE_KEYS)])
        time.sleep(1)

    def end(self):
        self.pipe.send("end")
        self.prober.join()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=10_000_000)
    parser.add_argument("--types", default="list,set,hash,zset,stream")
    parser.add_argument("--flag", action="append", default=[], help="a further word of the server's command line")
    parser.add_argument("--server", help="the folder of cairn-server")
    arguments = parser.parse_args()
    if arguments.server:
        cairn_server.BIN = arguments.server
    with CairnServer("--threads", "1", "--save", "", "--appendfsync", "everysec", *arguments.flag) as server:
        bench = Bench(server, arguments.items)
        for kind in arguments.types.split(","):
            bench.run(kind)
        bench.end()


if __name__ == "__main__":
    main()
