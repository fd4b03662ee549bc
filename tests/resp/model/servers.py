"""Batches of commands over one connection, their replies as bytes, and a server's whole state by reading it back."""
import os
import socket

from replies import Error, parse, parse_all


def encode(command):
    out = [b"*%d\r\n" % len(command)]
    for arg in command:
        out.append(b"$%d\r\n%b\r\n" % (len(arg), arg))
    return b"".join(out)


class Pipe:
    def __init__(self, port, protocol=2):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.protocol = protocol
        if protocol == 3:
            self.call("HELLO", 3)

    def send(self, data):
        """Sends encoded commands; finish() returns their replies."""
        mark = os.urandom(8).hex().encode()
        self.end = b"$16\r\n" + mark + b"\r\n"
        self.socket.sendall(data + encode([b"ECHO", mark]))

    def finish(self):
        data = bytearray()
        while not data.endswith(self.end):
            more = self.socket.recv(1 << 20)
            if not more:
                raise OSError("connection closed")
            data += more
        return bytes(data[:-len(self.end)])

    def call(self, *args):
        self.send(encode([arg if isinstance(arg, bytes) else str(arg).encode() for arg in args]))
        return parse(self.finish(), 0)[0]

    def batch(self, commands):
        self.send(b"".join(map(encode, commands)))
        return parse_all(self.finish(), len(commands))

    def close(self):
        self.socket.close()


READ = {
    b"string": lambda k: [[b"GET", k]], b"hash": lambda k: [[b"HGETALL", k]], b"list": lambda k: [[b"LRANGE", k, b"0", b"-1"]],
    b"set": lambda k: [[b"SMEMBERS", k]], b"zset": lambda k: [[b"ZRANGE", k, b"0", b"-1", b"WITHSCORES"]],
    b"stream": lambda k: [[b"XRANGE", k, b"-", b"+"], [b"XINFO", b"GROUPS", k], [b"XINFO", b"STREAM", k]],
}


def state_of(pipe, shown, newer=False):
    """{key: what it holds}, the same for two servers with the same content. newer: with what redis 7.0 does not know."""
    keys = sorted(pipe.call("KEYS", "*"))
    types = pipe.batch([[b"TYPE", key] for key in keys])
    state = {}
    for key, kind in zip(keys, types):
        reads = READ[bytes(kind)](key) + [[b"PEXPIRETIME", key]]
        if kind == b"stream":
            groups = pipe.call("XINFO", "GROUPS", key)
            reads += [[b"XPENDING", key, group[1], b"-", b"+", b"100000"] for group in groups]
            reads += [[b"XINFO", b"CONSUMERS", key, group[1]] for group in groups]
        state[key] = [bytes(kind)] + [shown(command, reply) for command, reply in zip(reads, pipe.batch(reads))]
        if kind == b"hash" and newer:
            fields = sorted(pipe.call("HKEYS", key))
            times = pipe.call("HPEXPIRETIME", key, "FIELDS", len(fields), *fields)
            state[key].append([(field, at) for field, at in zip(fields, times) if at != -1] if isinstance(times, list) else [])
    return state


def difference(mine, other):
    """The first key that differs, with both values, or None."""
    for key in sorted({**mine, **other}):
        if mine.get(key) != other.get(key) and not (key in mine and other.get(key) is NotImplemented):
            return key, mine.get(key), other.get(key)
    return None


__all__ = ["Error", "Pipe", "difference", "encode", "state_of"]
