#!/usr/bin/env python3
"""Runs the npm Redis clients unchanged against a real cairn-server, and again after a restart of it.

The packages named in package.json are installed beside this file when they are not there yet.
"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from cairn_server import CairnServer  # noqa: E402

SCRIPTS = ("ioredis_client.mjs", "node_redis_client.mjs")


def install():
    if not os.path.isdir(os.path.join(HERE, "node_modules", "ioredis")):
        subprocess.run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"], cwd=HERE, check=True)


def main():
    install()
    with CairnServer("--save", "") as server:
        for script in SCRIPTS:
            done = subprocess.run(["node", os.path.join(HERE, script), str(server.port)], timeout=120)
            if done.returncode:
                print(f"{script} failed; the server said:\n{server.output()[-2000:]}")
                return 1
        with server.connect() as c:
            c.call("SET", "kept", "yes")
        if server.stop() != 0:
            print("the server did not end cleanly")
            return 1
        server.start()
        with server.connect() as c:
            assert c.call("GET", "kept") == b"yes", "a write did not survive a clean restart"
    return 0


if __name__ == "__main__":
    sys.exit(main())
