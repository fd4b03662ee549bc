"""A real redis-server for tests, in a directory of its own on loopback; `available()` says whether the machine has one."""
import shutil
import subprocess

from cairn_server import ServerProcess, free_port


def available():
    return shutil.which("redis-server") is not None


class RedisServer(ServerProcess):
    def __init__(self, *flags, directory=None):
        super().__init__("redis-server", flags, directory)

    def start(self, timeout_s=60):
        self.port = free_port()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory, "--save", "",
             "--enable-debug-command", "yes", *self.flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        self.wait_ready(timeout_s)
        return self
