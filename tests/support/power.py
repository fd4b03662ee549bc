"""A directory for a real server whose power can be cut and whose disk can be made to fail: a preloaded shim remembers what was synced."""
import mmap
import os
import shutil
import struct
import subprocess
import tempfile

from cairn_server import BIN

CONTROL_BYTES = 32  # tests/torture/shim/shim_layout.h
FAIL_SYNCS, FAIL_WRITES, ERROR_NUMBER, FAILED, CLOCK_OFFSET, HOLD_SYNCS, HELD = 0, 4, 8, 12, 16, 24, 28


class PowerDisk:
    def __init__(self):
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="cairn-power-"))
        self.directory = os.path.join(self.root, "data")
        self.shadow = os.path.join(self.root, "shadow")
        os.mkdir(self.directory)
        os.mkdir(self.shadow)
        with open(os.path.join(self.shadow, "control"), "wb") as f:
            f.write(bytes(CONTROL_BYTES))
        with open(os.path.join(self.shadow, "control"), "r+b") as f:
            self.control = mmap.mmap(f.fileno(), CONTROL_BYTES)
        self.environment = {"LD_PRELOAD": os.path.join(BIN, "libdisk_shim.so"), "CAIRN_SHIM_DIR": self.directory,
                            "CAIRN_SHIM_SHADOW": self.shadow}
        self.run("adopt")

    def run(self, command, *args):
        subprocess.run([os.path.join(BIN, "power_cut"), command, self.directory, self.shadow, *map(str, args)], check=True)

    def cut(self, seed):
        """After the server was killed: the directory is what a power cut leaves. Seed 0 drops all that was not synced."""
        self.run("cut", seed)

    def _set(self, at, value):
        struct.pack_into("=i", self.control, at, value)

    def fail_syncs(self, error_number, count=1 << 30):
        self._set(ERROR_NUMBER, error_number)
        self._set(FAIL_SYNCS, count)

    def fail_writes(self, error_number, count=1 << 30):
        self._set(ERROR_NUMBER, error_number)
        self._set(FAIL_WRITES, count)

    def hold_syncs(self, hold):
        """Syncs do not begin until this is taken back."""
        self._set(HOLD_SYNCS, 1 if hold else 0)

    def held_syncs(self):
        return struct.unpack_from("=i", self.control, HELD)[0]

    def heal(self):
        self._set(FAIL_SYNCS, 0)
        self._set(FAIL_WRITES, 0)

    def failures(self):
        return struct.unpack_from("=i", self.control, FAILED)[0]

    def set_clock(self, offset_s):
        struct.pack_into("=q", self.control, CLOCK_OFFSET, offset_s * 1_000_000)

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)
