"""A real cairn-server for tests: started on loopback in a directory of its own, talked to over RESP, ended by its pid."""
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BIN = os.environ.get("CAIRN_BIN", os.path.join(os.path.dirname(__file__), "..", "..", "build", "bin"))


class ReplyError(Exception):
    """An error reply; its text is the exception's."""


def default_seed():
    """What CAIRN_TEST_SEED says, or a new one."""
    given = os.environ.get("CAIRN_TEST_SEED")
    return int(given) if given else random.SystemRandom().randrange(1 << 30)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def encode(*args):
    out = [b"*%d\r\n" % len(args)]
    for a in args:
        if not isinstance(a, bytes):
            a = str(a).encode()
        out.append(b"$%d\r\n%s\r\n" % (len(a), a))
    return b"".join(out)


def read_reply(f):
    """One reply of either protocol from a buffered binary file; raises ReplyError for an error and OSError for an end."""
    line = f.readline()
    if not line.endswith(b"\r\n"):
        raise OSError("connection closed")
    kind, rest = line[:1], line[1:-2]
    if kind == b"+":
        return rest.decode()
    if kind == b"-":
        raise ReplyError(rest.decode("utf-8", "replace"))
    if kind == b":":
        return int(rest)
    if kind == b",":
        return float(rest)
    if kind == b"#":
        return rest == b"t"
    if kind == b"_":
        return None
    if kind in b"$=!(":
        if kind == b"(":
            return int(rest)
        n = int(rest)
        if n < 0:
            return None
        data = f.read(n + 2)
        if len(data) != n + 2:
            raise OSError("connection closed")
        return data[:-2]
    if kind in b"*~>":
        n = int(rest)
        return None if n < 0 else [_element(f) for _ in range(n)]
    if kind == b"%":
        return {_hashable(_element(f)): _element(f) for _ in range(int(rest))}
    raise AssertionError(f"not a RESP reply: {line!r}")


def _element(f):
    try:
        return read_reply(f)
    except ReplyError as e:
        return e


def _hashable(x):
    return tuple(x) if isinstance(x, list) else x


class Connection:
    def __init__(self, port, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.file = self.socket.makefile("rb")

    def call(self, *args):
        self.socket.sendall(encode(*args))
        return read_reply(self.file)

    def pipeline(self, commands):
        """All replies, errors as ReplyError objects."""
        self.socket.sendall(b"".join(encode(*c) for c in commands))
        return [_element(self.file) for _ in commands]

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def await_background_save(connection, period_s=0.02):
    """Returns when no BGSAVE is under way; `connection` is anything with call()."""
    while b"rdb_bgsave_in_progress:1" in connection.call("INFO", "persistence"):
        time.sleep(period_s)


class ServerProcess:
    """A server program on a loopback port and in a directory of its own; a subclass starts the program in start()."""

    def __init__(self, name, flags, directory):
        self.name = name
        self.flags = list(flags)
        self.owns_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix=f"{name}-test-")
        self.process = None
        self.port = None

    def output(self):
        return ""

    def wait_ready(self, timeout_s=60):
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.output()[-2000:]}")
            try:
                with Connection(self.port, timeout=5) as c:
                    if c.call("PING") == "PONG":
                        return
            except (OSError, ReplyError):
                pass
            time.sleep(0.01)
        raise RuntimeError(f"{self.name} was not ready in {timeout_s} s:\n{self.output()[-2000:]}")

    def connect(self, timeout=60):
        return Connection(self.port, timeout)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        if self.process:
            self.process.wait()

    def stop(self, timeout_s=60):
        """SIGTERM and the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def __enter__(self):
        return self.start() if self.process is None else self

    def __exit__(self, *_):
        self.kill()
        if self.owns_directory:
            shutil.rmtree(self.directory, ignore_errors=True)


class CairnServer(ServerProcess):
    def __init__(self, *flags, directory=None, environment=None):
        super().__init__("cairn-server", flags, directory)
        self.environment = {**os.environ, **environment} if environment else None
        self.log_path = self.directory.rstrip("/") + ".out"

    def start(self, timeout_s=60, wait=True):
        self.port = free_port()
        with open(self.log_path, "ab") as out:
            self.process = subprocess.Popen(
                [os.path.join(BIN, "cairn-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory, *self.flags],
                stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=self.environment)
        if wait:
            self.wait_ready(timeout_s)
        return self

    def output(self):
        with open(self.log_path, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def __exit__(self, *exception):
        super().__exit__(*exception)
        if self.owns_directory and os.path.exists(self.log_path):
            os.remove(self.log_path)
