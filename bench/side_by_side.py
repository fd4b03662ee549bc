#!/usr/bin/env python3
"""Cairn and redis-server side by side on this machine, in alternating rounds; every figure is a ratio cairn/redis.

  side_by_side.py [SCENARIO ...] [--rounds N] [--quick]      scenarios: throughput everysec always memory snapshot log bgsave eviction

CPU is user + system time of the server's process tree per request, so that a client that takes all of its core cannot hide it.
Needs redis-server and redis-benchmark. CAIRN_BIN names the folder of cairn-server (default build/bin).
"""
import argparse
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from cairn_server import BIN, Connection, ReplyError, await_background_save, free_port  # noqa: E402

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Peer:
    """A server under measurement, started afresh on a directory of its own."""

    def __init__(self, name, program, flags):
        self.name, self.program, self.flags = name, program, flags
        self.directory = tempfile.mkdtemp(prefix=f"bench-{name}-")
        self.process = None

    def start(self):
        """Seconds until the server answers."""
        self.port = free_port()
        began = time.monotonic()
        self.process = subprocess.Popen([self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory, *self.flags],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while self.process.poll() is None and time.monotonic() - began < 120:
            try:
                if self.call("PING") == "PONG":
                    return time.monotonic() - began
            except (OSError, ReplyError):
                time.sleep(0.005)
        raise RuntimeError(f"{self.name} did not start")

    def call(self, *args):
        with Connection(self.port, timeout=600) as c:
            return c.call(*args)

    def fill(self, count, make, batch=1000):
        with Connection(self.port, timeout=600) as c:
            for at in range(0, count, batch):
                for reply in c.pipeline([make(i) for i in range(at, min(at + batch, count))]):
                    if isinstance(reply, ReplyError):
                        raise reply

    def stop(self, sig=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            self.process.wait()
        self.process = None

    def clean(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)

    def tree(self):
        pids = [self.process.pid]
        for pid in pids:
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as f:
                        pids += [int(child) for child in f.read().split()]
            except OSError:
                pass
        return pids

    def cpu_s(self):
        total = 0
        for pid in self.tree():
            try:
                with open(f"/proc/{pid}/stat") as f:
                    total += sum(int(x) for x in f.read().rsplit(")", 1)[1].split()[11:15])
            except OSError:
                pass
        return total / TICKS_PER_S

    def resident_bytes(self):
        """What the process holds, and what a forked child holds for itself alone."""
        total = 0
        for i, pid in enumerate(self.tree()):
            file, field = ("status", "VmRSS:") if i == 0 else ("smaps_rollup", "Private_Dirty:")
            try:
                with open(f"/proc/{pid}/{file}") as f:
                    total += next((int(line.split()[1]) for line in f if line.startswith(field)), 0)
            except OSError:
                pass
        return total * 1024

    def start_benchmark(self, requests, *args):
        before = self.cpu_s()
        client = subprocess.Popen(["redis-benchmark", "-p", str(self.port), "-n", str(requests), "--precision", "3", *args], stdout=subprocess.PIPE, text=True)
        return client, requests, before

    def end_benchmark(self, client, requests, before):
        out = client.communicate()[0]
        latency = [float(x) for x in re.findall(r"avg\s+min\s+p50\s+p95\s+p99\s+max\s+([0-9. ]+)", out)[-1].split()]
        return {"rps": float(re.findall(r"throughput summary: ([0-9.]+)", out)[-1]), "cpu_us": (self.cpu_s() - before) * 1e6 / requests,
                "p99_ms": latency[4], "max_ms": latency[5]}

    def benchmark(self, requests, *args):
        return self.end_benchmark(*self.start_benchmark(requests, *args))


def peers(cairn_flags, redis_flags):
    return [Peer("cairn", os.path.join(BIN, "cairn-server"), cairn_flags), Peer("redis", "redis-server", redis_flags)]


class Table:
    def __init__(self, title):
        self.title, self.values = title, {}

    def add(self, label, peer, **figures):
        for figure, value in figures.items():
            self.values.setdefault((label, figure), {}).setdefault(peer.name, []).append(value)

    def show(self):
        print(f"\n## {self.title}")
        for (label, figure), by in self.values.items():
            cairn, redis = (statistics.median(by[name]) for name in ("cairn", "redis"))
            print(f"{label:28} {figure:18} cairn {cairn:12.4g}   redis {redis:12.4g}   ratio {cairn / redis if redis else float('nan'):.3f}", flush=True)


SET = ["-r", "1000000", "-d", "64", "-t", "set"]
GET = ["-r", "1000000", "-t", "get"]


def alternating(title, both, cases, rounds, scale):
    table = Table(title)
    for peer in both:
        peer.start()
        peer.benchmark(1_000_000 // scale, "-c", "50", "-P", "64", *SET)
    for _ in range(rounds):
        for label, requests, args in cases:
            for peer in both:
                table.add(label, peer, **peer.benchmark(requests // scale, *args))
    table.show()


def throughput(rounds, scale):
    no_log = ["--save", "", "--appendonly", "no"]
    alternating("no log, one thread", peers_kept(no_log + ["--threads", "1"], no_log),
                [("SET c50 P1", 200_000, ["-c", "50", *SET]), ("GET c50 P1", 200_000, ["-c", "50", *GET]),
                 ("SET c50 P16", 1_500_000, ["-c", "50", "-P", "16", *SET]), ("GET c50 P16", 1_500_000, ["-c", "50", "-P", "16", *GET])], rounds, scale)


def everysec(rounds, scale):
    flags = ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]
    alternating("appendfsync everysec, one thread", peers_kept(flags + ["--threads", "1"], flags),
                [("SET c50 P16", 1_500_000, ["-c", "50", "-P", "16", *SET])], rounds, scale)


def always(rounds, scale):
    flags = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    alternating("appendfsync always", peers_kept(flags, flags),
                [("SET c1 P1", 5_000, ["-c", "1", *SET]), ("SET c50 P1", 100_000, ["-c", "50", *SET]), ("SET c50 P16", 600_000, ["-c", "50", "-P", "16", *SET])],
                rounds, scale)


def string_load(i):
    return "SET", "key:%012d" % i, ("%016x" % (i * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)) * 4


def ttl_load(i):
    return "SET", "ttl:%012d" % i, "session-%08d" % i, "EX", "86400"


def memory(rounds, scale):
    table = Table("resident bytes per key")
    for label, count, make in [("16-byte key, 64-byte value", 2_000_000 // scale, string_load), ("16 + 16 bytes and a TTL", 1_000_000 // scale, ttl_load)]:
        for peer in peers_kept(["--save", "", "--appendonly", "no"], ["--save", "", "--appendonly", "no"]):
            peer.start()
            before = peer.resident_bytes()
            peer.fill(count, make)
            time.sleep(1)
            table.add(label, peer, bytes=(peer.resident_bytes() - before) / count)
            peer.stop(signal.SIGKILL)
    table.show()


def snapshot(rounds, scale):
    table = Table(f"{5_000_000 // scale:,} keys of 16 + 64 bytes: SAVE, and a start from it")
    for peer in peers_kept(["--save", "", "--appendonly", "no"], ["--save", "", "--appendonly", "no"]):
        peer.start()
        peer.fill(5_000_000 // scale, string_load)
        size = peer.call("DBSIZE")
        for _ in range(rounds):
            began = time.monotonic()
            assert peer.call("SAVE") == "OK"
            table.add("SAVE", peer, seconds=time.monotonic() - began)
        peer.stop()
        for _ in range(rounds):
            table.add("start from the snapshot", peer, seconds=peer.start())
            assert peer.call("DBSIZE") == size
            peer.stop()
    table.show()


def log(rounds, scale):
    flags = ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0"]
    table = Table(f"start from the log of {3_000_000 // scale:,} SETs after a kill")
    for peer in peers_kept(flags, flags):
        peer.start()
        peer.fill(3_000_000 // scale, lambda i: ("SET", "key:%012d" % (i * 7919 % 1500000), "value-%058d" % i))
        time.sleep(2)
        size = peer.call("DBSIZE")
        peer.stop(signal.SIGKILL)
        for _ in range(rounds):
            table.add("start from the log", peer, seconds=peer.start())
            assert peer.call("DBSIZE") == size
            peer.stop(signal.SIGKILL)
    table.show()


def bgsave(rounds, scale):
    """Writes at full speed over 3M keys, with and without a background snapshot under way.

    Both ways once left alone and once sampled: looking at a server 20 times a second takes 2 % of a core, which on a machine that the
    client and the server keep busy shows in every p99, snapshot or not."""
    table = Table("BGSAVE under full write load")
    keys, requests = 3_000_000 // scale, 500_000 // scale
    load = ["-c", "50", "-r", str(keys), "-d", "64", "-t", "set"]

    def run(peer, snapshot, sampled):
        rest = peer.resident_bytes()
        peak = rest
        running = peer.start_benchmark(requests, *load)
        time.sleep(0.3)
        if snapshot:
            peer.call("BGSAVE")
        client = running[0]
        while sampled and client.poll() is None:
            peak = max(peak, peer.resident_bytes())
            peer.call("INFO", "persistence")
            time.sleep(0.05)
        figures = peer.end_benchmark(*running)
        await_background_save(peer, period_s=0.05)
        time.sleep(1)
        return figures, 100 * (peak - rest) / rest

    for peer in peers_kept(["--threads", "1", "--save", "", "--appendonly", "no"], ["--save", "", "--appendonly", "no"]):
        peer.start()
        peer.fill(keys, string_load)
        for _ in range(rounds):
            alone, _ = run(peer, False, False)
            sampled, _ = run(peer, False, True)
            saving, _ = run(peer, True, False)
            both, extra_pct = run(peer, True, True)
            table.add("BGSAVE / alone", peer, p99=saving["p99_ms"] / alone["p99_ms"], rps=saving["rps"] / alone["rps"], max_ms=saving["max_ms"])
            table.add("the same, both sampled", peer, p99=both["p99_ms"] / sampled["p99_ms"], rps=both["rps"] / sampled["rps"], extra_memory_pct=extra_pct)
            table.add("sampled / alone", peer, p99=sampled["p99_ms"] / alone["p99_ms"], rps=sampled["rps"] / alone["rps"], max_ms=alone["max_ms"])
    table.show()


def eviction(rounds, scale):
    """Resident memory over the limit after writing ten times as much, and the share of hits of a skewed reader."""
    table = Table("maxmemory 64mb, ten times as much written")
    for policy in ("allkeys-lru", "allkeys-lfu"):
        flags = ["--save", "", "--appendonly", "no", "--maxmemory", "64mb", "--maxmemory-policy", policy]
        for peer in peers_kept(flags, flags):
            rng = random.Random(7)
            peer.start()
            hits = reads = 0
            with Connection(peer.port, timeout=600) as c:
                for _ in range(600 // scale):
                    keys = ["k:%d" % min(int(rng.paretovariate(0.7)), 2_000_000) for _ in range(500)]
                    for key, value in zip(keys, c.pipeline([("GET", k) for k in keys])):
                        reads += 1
                        hits += value is not None
                    c.pipeline([("SET", k, "x" * (100 + hash(k) % 2000)) for k in keys])
                    c.pipeline([("SET", "cold:%d" % rng.randrange(1 << 40), "y" * rng.randrange(100, 4000)) for _ in range(500)])
            table.add(policy, peer, hit_share=hits / reads, resident_mb=peer.resident_bytes() / (1 << 20))
            peer.stop(signal.SIGKILL)
    table.show()


started = []


def peers_kept(*flags):
    both = peers(*flags)
    started.extend(both)
    return both


SCENARIOS = [throughput, everysec, always, memory, snapshot, log, bgsave, eviction]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("scenario", nargs="*", choices=[[], *(s.__name__ for s in SCENARIOS)])
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--quick", action="store_true", help="a tenth of the requests and keys")
    a = p.parse_args()
    if not shutil.which("redis-server") or not shutil.which("redis-benchmark"):
        print("redis-server and redis-benchmark are needed to compare with (Debian: redis-server, redis-tools)")
        return 2
    for scenario in SCENARIOS:
        if not a.scenario or scenario.__name__ in a.scenario:
            try:
                scenario(a.rounds, 10 if a.quick else 1)
            finally:
                for peer in started:
                    peer.clean()
                started.clear()
    return 0


if __name__ == "__main__":
    sys.exit(main())
