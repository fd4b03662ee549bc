#!/usr/bin/env python3
"""README's table of commands names exactly the commands that the server has. `readme_test.py --write` rewrites the table."""
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from cairn_server import CairnServer  # noqa: E402

TITLES = {"string": "Strings", "bitmap": "Bitmaps", "hyperloglog": "HyperLogLogs", "hash": "Hashes", "list": "Lists", "set": "Sets",
          "sorted-set": "Sorted sets", "geo": "Geo", "stream": "Streams", "generic": "Keys",
          "transactions": "Transactions", "pubsub": "Pub/sub",
          "connection": "Connection", "server": "Server", "scripting": "Scripting", "cluster": "Cluster"}
TABLE = re.compile(r"(<!-- commands: begin -->\n).*?(<!-- commands: end -->)", re.S)


def table():
    groups = {}
    with CairnServer("--save", "") as server, server.connect() as c:
        documentation = c.call("COMMAND", "DOCS")
    for name, facts in zip(documentation[::2], documentation[1::2]):
        facts = dict(zip(facts[::2], facts[1::2]))
        subcommands = [s.decode().split("|")[1].upper() for s in facts.get(b"subcommands", [])[::2]]
        shown = name.decode().upper() + (f" ({', '.join(sorted(subcommands))})" if subcommands else "")
        groups.setdefault(facts[b"group"].decode(), []).append(shown)
    rows = ["| | |", "|---|---|"]
    for group in sorted(groups, key=lambda g: (list(TITLES).index(g) if g in TITLES else len(TITLES), g)):
        rows.append(f"| {TITLES.get(group, group)} | {', '.join(sorted(groups[group]))} |")
    return "\n".join(rows) + "\n"


def main():
    path = os.path.join(ROOT, "README.md")
    with open(path) as f:
        text = f.read()
    wanted = TABLE.sub(lambda m: m.group(1) + table() + m.group(2), text)
    if "--write" in sys.argv:
        with open(path, "w") as f:
            f.write(wanted)
        return 0
    if text != wanted:
        print("README.md's table of commands is not the server's; run tests/resp/readme_test.py --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
