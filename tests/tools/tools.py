"""Runs the offline tools for tests, and reads what they write."""
import base64
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cairn_server import BIN  # noqa: E402


class ToolFailed(Exception):
    def __init__(self, code, result, stderr):
        super().__init__(f"exit code {code}: {result} {stderr}")
        self.code = code
        self.message = result.get("error", {}).get("message", "") if result else ""


def run(tool, *args, stdin=None, data_on_stdout=False):
    """The tool's JSON result, or with `data_on_stdout` its standard output; ToolFailed where it fails."""
    done = subprocess.run([os.path.join(BIN, tool), *map(str, args), "--json"], input=stdin, capture_output=True, timeout=300)
    # Where the data goes to standard output, the result goes to standard error.
    reports = [out.strip().split(b"\n")[-1] for out in (done.stdout, done.stderr)]
    result = next((json.loads(r) for r in reports if r.startswith(b"{") and b'"exit_code"' in r), {})
    if done.returncode != 0:
        raise ToolFailed(done.returncode, result, done.stderr.decode("utf-8", "replace"))
    return done.stdout if data_on_stdout else result


def text(value):
    """Bytes of a string in JSON lines."""
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()


def contents(directory, *args):
    """{(database, key): (type, value, expiry)} of a data directory, at the end or where `args` say."""
    out = {}
    for line in run("cairn-dump", directory, "--format", "json", *args, data_on_stdout=True).split(b"\n"):
        if not line:
            continue
        key = json.loads(line)
        kind = key["type"]
        if kind == "string":
            value = text(key["value"])
        elif kind == "list":
            value = [text(v) for v in key["value"]]
        elif kind == "set":
            value = {text(v) for v in key["value"]}
        elif kind in ("hash", "zset"):
            value = {text(a): text(b) for a, b in key["value"]}
        else:
            value = key["dump"]["base64"]
        fields = {text(f): at for f, at in key.get("field_expires_at_ms", [])}
        out[key["db"], text(key["key"])] = (kind, value, key.get("expires_at_ms"), fields)
    return out
