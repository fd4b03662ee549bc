#!/usr/bin/env python3
"""Whoever connects as soon as the server listens is served, without -LOADING: a start over little data is not seen by clients.

Usage: first_client_test.py       (CAIRN_BIN names the binaries' folder)
"""
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cairn_server import CairnServer  # noqa: E402


def first_connection(server):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            return server.connect()
        except ConnectionRefusedError:
            time.sleep(0.001)
    raise RuntimeError("nobody listens:\n" + server.output())


def main():
    with tempfile.TemporaryDirectory(prefix="cairn-first-client-") as root:
        directory = os.path.join(root, "data")
        os.mkdir(directory)
        for start in range(3):  # an empty directory, then one with data
            with CairnServer("--save", "", directory=directory).start(wait=False) as server, first_connection(server) as c:
                assert c.call("INCR", "starts") == start + 1
            print(f"ok: the first command of start {start + 1}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
