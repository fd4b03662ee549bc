#!/usr/bin/env python3
"""Writes the profile that release builds are compiled with (cmake/CairnProfile.cmake): runs an instrumented server through what servers do.

  train_profile.py OUTPUT      CAIRN_BIN names the folder of a cairn-server built with -DCAIRN_PROFILE=generate

Every command below runs as often as any other, pipelined and one at a time, under every way to log; then the server starts from its log and
from its snapshot. Functions that ran rarely are left out: of those the compiler shall think what it thinks of functions it knows nothing
about, not that they do not matter. Needs redis-benchmark and llvm-profdata.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from cairn_server import CairnServer  # noqa: E402

REQUESTS = 40_000
RARE_COUNT = 1_000
POLICIES = [("--appendonly", "no"), ("--appendonly", "yes", "--appendfsync", "everysec"), ("--appendonly", "yes", "--appendfsync", "always")]

VALUE = "v" * 64
N = "__rand_int__"
COMMANDS = [line.split() for line in f"""
PING
SET key:{N} {VALUE}
GET key:{N}
MGET key:{N} key:{N} key:{N} key:{N}
MSET key:{N} {VALUE} key:{N} {VALUE} key:{N} {VALUE}
SET lock:{N} token NX PX 30000
GET lock:{N}
SET session:{N} {VALUE}{VALUE}{VALUE} EX 86400
GETEX session:{N} EX 86400
EXPIRE session:{N} 3600
TTL session:{N}
EXISTS key:{N}
INCR counter:{N}
INCRBY counter:{N} 7
APPEND text:{N} x
GETRANGE key:{N} 0 9
SETBIT bits:{N} 77 1
DEL lock:{N}
UNLINK text:{N}
LPUSH list value:{N}
RPUSH list value:{N}
LRANGE list 0 49
LINDEX list 10
LLEN list
LPOP list
RPOP list
LPUSH queue:{N} value:{N}
RPOP queue:{N}
HSET hash:{N} name value:{N} age 42
HGET hash:{N} name
HMGET hash:{N} name age
HGETALL hash:{N}
HINCRBY hash:{N} visits 1
HDEL hash:{N} visits
HSET bighash field:{N} value:{N}
HGET bighash field:{N}
SADD set:{N} member:{N}
SISMEMBER set:{N} member:{N}
SADD bigset member:{N}
SISMEMBER bigset member:{N}
SREM bigset member:{N}
SPOP bigset
SADD ids {N}
ZADD board {N} member:{N}
ZINCRBY board 5 member:{N}
ZSCORE board member:{N}
ZRANK board member:{N}
ZRANGE board 0 9 WITHSCORES
ZRANGE board {N} +inf BYSCORE LIMIT 0 10
ZREM board member:{N}
ZADD rank:{N} {N} member:{N}
ZRANGE rank:{N} 0 -1
ZPOPMIN board
XADD stream MAXLEN ~ 10000 * field value:{N}
XRANGE stream - + COUNT 10
XREAD COUNT 10 STREAMS stream 0
XREADGROUP GROUP group consumer COUNT 1 STREAMS stream >
XLEN stream
PUBLISH channel:{N} message
""".strip().splitlines()]


def load(server):
    with server.connect() as connection:
        connection.call("XGROUP", "CREATE", "stream", "group", "$", "MKSTREAM")
    for command in COMMANDS:
        for pipeline, requests in (("16", REQUESTS), ("1", REQUESTS // 10)):
            subprocess.run(["redis-benchmark", "-p", str(server.port), "-n", str(requests), "-P", pipeline, "-r", "20000", "-q", *command],
                           check=True, stdout=subprocess.DEVNULL)


def train(policy, directory):
    """Runs the server, which leaves its counters in `directory` when it ends."""
    def profile(name):
        return {"LLVM_PROFILE_FILE": os.path.join(directory, f"{policy[-1]}-{name}.profraw")}
    data = tempfile.mkdtemp()
    try:
        with CairnServer(*policy, "--save", "", directory=data, environment=profile("load")) as server:
            load(server)
            if "yes" not in policy:
                with server.connect() as connection:
                    connection.call("SAVE")
            server.stop()
        with CairnServer(*policy, "--save", "", directory=data, environment=profile("start")) as server:
            server.stop()
    finally:
        shutil.rmtree(data, ignore_errors=True)


def without_rare(text):
    """A profile in LLVM's text form: records of a name, a hash, the number of counters and the counters, an empty line behind each."""
    records = text.split("\n\n")
    def often(record):
        lines = [line for line in record.split("\n") if line and line[0] not in "#:"]
        return len(lines) > 3 and max(int(count) for count in lines[3:3 + int(lines[2])]) >= RARE_COUNT
    header = re.match(r"(?:[#:].*\n)*", text).group()
    return header + "\n\n".join(re.sub(r"^(?:[#:].*\n)*", "", record) for record in records if often(record)) + "\n\n"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as directory:
        for policy in POLICIES:
            print("training:", *policy, flush=True)
            train(policy, directory)
        raw = [os.path.join(directory, name) for name in sorted(os.listdir(directory))]
        text = os.path.join(directory, "text")
        subprocess.run(["llvm-profdata", "merge", "-text", *raw, "-o", text], check=True)
        with open(text) as f:
            kept = without_rare(f.read())
        with open(text, "w") as f:
            f.write(kept)
        subprocess.run(["llvm-profdata", "merge", text, "-o", sys.argv[1]], check=True)
    print(f"{sys.argv[1]}: {os.path.getsize(sys.argv[1])} bytes")


if __name__ == "__main__":
    main()
