"""A real redis-server for tests, in a directory of its own on loopback; `available()` says whether the machine has one."""
import os
import shutil
import subprocess
import tempfile
import time

from cairn_server import Connection, ReplyError, free_port


def available():
    return shutil.which("redis-server") is not None


class RedisServer:
    def __init__(self, *flags, directory=None):
        self.flags = list(flags)
        self.owns_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="redis-test-")
        self.process = None

    def start(self, timeout_s=60):
        self.port = free_port()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory, "--save", "",
             "--enable-debug-command", "yes", *self.flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"redis-server ended with {self.process.returncode}")
            try:
                with Connection(self.port, timeout=5) as c:
                    if c.call("PING") == "PONG":
                        return self
            except (OSError, ReplyError):
                pass
            time.sleep(0.01)
        raise RuntimeError("redis-server was not ready")

    def connect(self, timeout=60):
        return Connection(self.port, timeout)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
        if self.process:
            self.process.wait()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()

    def __enter__(self):
        return self.start() if self.process is None else self

    def __exit__(self, *_):
        self.kill()
        if self.owns_directory:
            shutil.rmtree(self.directory, ignore_errors=True)
