#!/usr/bin/env python3
"""Clients that mean harm, beside one that behaves: the server's memory stays bounded, and the one that behaves is served.

Each attack runs for a while on connections of its own; a well-behaved client, a process of its own, writes and reads all the while. The
table shows the server's peak memory and that client's latencies. Fails when the server ends, refuses the well-behaved client, lets it
wait for more than ten seconds, or takes more memory than MOST_BYTES.

Usage: hostile_test.py [--seconds N] [--idle N] [--seed S]      (CAIRN_BIN names the binaries' folder)
"""
import argparse
import multiprocessing
import os
import random
import resource
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cairn_server import CairnServer, Connection, default_seed, encode  # noqa: E402

MOST_BYTES = 1 << 30
SLOWEST_S = 10.0
CHUNK = 1 << 16


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=10)
    s.setblocking(False)
    return s


def push(s, data):
    """Sends what the socket takes. False: the server has closed it, or takes nothing."""
    try:
        return s.send(data) > 0
    except BlockingIOError:
        return True
    except OSError:
        return False


class Crowd:
    """Connections that are replaced when the server closes them."""

    def __init__(self, port, count):
        self.port = port
        self.sockets = [connect(port) for _ in range(count)]

    def each(self, data_of, until):
        while time.monotonic() < until:
            for i, s in enumerate(self.sockets):
                if not push(s, data_of()):
                    s.close()
                    self.sockets[i] = connect(self.port)
            time.sleep(0.001)

    def close(self):
        for s in self.sockets:
            s.close()


def mutated(rng):
    """A few requests, with bytes changed, removed, repeated, or cut."""
    data = bytearray(b"".join(encode(*rng.choice((
        ("SET", "h", "x" * rng.randrange(100)), ("MGET", "a", "b", "c"), ("HSET", "hh", "f", "v"), ("XADD", "xs", "MAXLEN", "10", "*", "f", "v"),
        ("EVAL", "return 1", "0"), ("CLIENT", "LIST"), ("SUBSCRIBE", "c")))) for _ in range(rng.randrange(1, 5))))
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at:at + rng.randrange(1, 8)]
        elif kind == 2:
            data[at:at] = data[at:at + rng.randrange(1, 30)]
        else:
            data[at:at] = rng.choice((b"*-1\r\n", b"$-5\r\n", b"*99999999\r\n", b"$2147483648\r\n", b"\r\n", b"\0" * 20))
        if not data:
            data = bytearray(b"*1\r\n")
    return bytes(data)


def attack_nothing(port, until, rng, options):
    time.sleep(max(0, until - time.monotonic()))


def attack_mutated_requests(port, until, rng, options):
    crowd = Crowd(port, 50)
    crowd.each(lambda: mutated(rng), until)
    crowd.close()


def attack_half_open(port, until, rng, options):
    """Requests that never end, on connections that stay."""
    crowd = Crowd(port, 1000)
    for s in crowd.sockets:
        push(s, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n" + b"x" * rng.randrange(50000))
    time.sleep(max(0, until - time.monotonic()))
    crowd.close()


def attack_slow_readers(port, until, rng, options):
    """Large replies are asked for and never read."""
    crowd = Crowd(port, 50)
    crowd.each(lambda: encode("GET", "large") * 20, until)
    crowd.close()


def attack_connections(port, until, rng, options):
    while time.monotonic() < until:
        crowd = Crowd(port, 100)
        crowd.close()


def attack_pipelines(port, until, rng, options):
    """Endless pipelines whose replies nobody reads."""
    batch = (encode("SET", "p", "x" * 50) + encode("LRANGE", "list", "0", "-1") + encode("PING")) * 200
    crowd = Crowd(port, 30)
    crowd.each(lambda: batch[:CHUNK], until)
    crowd.close()


def attack_huge_counts(port, until, rng, options):
    """Announcements of much more than ever comes."""
    crowd = Crowd(port, 300)
    heads = (b"*1048576\r\n", b"*1048576\r\n$536870912\r\n", b"*2\r\n$3\r\nGET\r\n$536870912\r\n", b"*2147483647\r\n", b"*1000000\r\n" + b"$1\r\na\r\n" * 1000)
    crowd.each(lambda: rng.choice(heads), until)
    crowd.close()


def attack_idle(port, until, rng, options):
    """Idle connections by the thousand, and load beside them."""
    idle = Crowd(port, options.idle)
    load = Crowd(port, 20)
    batch = encode("INCR", "n") * 20
    while time.monotonic() < max(until, time.monotonic() + 0.5) and time.monotonic() < until + 30:
        for s in load.sockets:
            push(s, batch)
            try:
                s.recv(CHUNK)
            except BlockingIOError:
                pass
        time.sleep(0.001)
        if time.monotonic() >= until:
            break
    idle.close()
    load.close()


def behave(port, stop, results):
    """The well-behaved client: a write and a read every millisecond."""
    times = []
    try:
        with Connection(port, timeout=SLOWEST_S) as c:
            n = 0
            while not (stop.is_set() and times):
                begun = time.monotonic()
                assert c.call("SET", "good", n) == "OK"
                assert c.call("GET", "good") == b"%d" % n
                times.append((time.monotonic() - begun) / 2)
                n += 1
                time.sleep(0.001)
        results.put(times)
    except Exception as e:  # noqa: BLE001
        results.put(repr(e))


def memory(pid, field):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith(field))


def run(name, attack, server, rng, options):
    with open(f"/proc/{server.process.pid}/clear_refs", "w") as f:
        f.write("5")  # the peak counts from here on
    stop, results = multiprocessing.Event(), multiprocessing.Queue()
    client = multiprocessing.Process(target=behave, args=(server.port, stop, results))
    client.start()
    attack(server.port, time.monotonic() + options.seconds, rng, options)
    stop.set()
    times = results.get(timeout=60)
    client.join()
    assert server.process.poll() is None, f"{name}: the server ended\n{server.output()[-3000:]}"
    assert isinstance(times, list), f"{name}: the well-behaved client: {times}"
    assert times, f"{name}: the well-behaved client was not served"
    times.sort()
    peak = memory(server.process.pid, "VmHWM")
    print(f"{name:<20} {peak / 1e6:8.0f} MB peak   {len(times):6} pairs   p50 {1e3 * times[len(times) // 2]:7.2f} ms   "
          f"p99 {1e3 * times[len(times) * 99 // 100]:7.2f} ms   slowest {1e3 * times[-1]:7.1f} ms", flush=True)
    assert peak < MOST_BYTES, f"{name}: {peak} bytes of memory"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=float, default=1.0, help="of each attack")
    p.add_argument("--idle", type=int, default=2000, help="idle connections")
    p.add_argument("--seed", type=int, default=default_seed())
    options = p.parse_args()
    print(f"seed {options.seed}", flush=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    options.idle = min(options.idle, hard - 1000)
    # As in Redis, replies to normal clients are not limited unless one says so; who fears strangers does.
    flags = ["--maxclients", str(options.idle + 2000), "--save", "", "--client-output-buffer-limit", "normal 16mb 8mb 10"]
    with CairnServer(*flags) as server:
        with server.connect() as c:
            c.call("SET", "large", "x" * 1_000_000)
            c.call("RPUSH", "list", *("element %d" % i for i in range(100)))
        for name, attack in ATTACKS.items():
            run(name, attack, server, random.Random(options.seed), options)
        code = server.stop(120)
        assert code == 0, f"exit code {code} after SIGTERM"
    return 0


ATTACKS = {"nobody": attack_nothing, "mutated requests": attack_mutated_requests, "half-open": attack_half_open,
           "slow readers": attack_slow_readers, "connections": attack_connections, "pipelines": attack_pipelines,
           "huge counts": attack_huge_counts, "idle and load": attack_idle, "nobody again": attack_nothing}


if __name__ == "__main__":
    sys.exit(main())
