#!/usr/bin/env python3
"""The server's process beside others and within the system's limits: what a start that is refused leaves alone, standard streams that
are closed, limits of threads, of file size and of open files, a directory that is moved, removed or replaced.

Usage: process_test.py       (CAIRN_BIN names the binaries' folder)
"""
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from cairn_server import BIN, CairnServer, Connection, ReplyError, free_port  # noqa: E402

SERVER = os.path.join(BIN, "cairn-server")


def await_that(condition, what, timeout_s=30):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def ping_unix(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(path)
        s.sendall(b"PING\r\n")
        return s.recv(7)


def refused(*flags):
    """Starts a server that must end by itself; what it printed."""
    got = subprocess.run([SERVER, "--bind", "127.0.0.1", *flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert got.returncode == 1, got
    return got.stdout


def a_refused_start_leaves_the_running_server_alone(root):
    directory, pid_file, path = os.path.join(root, "data"), os.path.join(root, "pid"), os.path.join(root, "socket")
    with CairnServer("--pidfile", pid_file, "--unixsocket", path, directory=directory) as server:
        await_that(lambda: os.path.exists(pid_file), "no pid file")
        mine = ["--port", str(free_port()), "--dir", directory, "--pidfile", pid_file]
        assert "LOCK is locked by another process" in refused(*mine)
        assert read(pid_file) == f"{server.process.pid}\n"
        assert f"{path}: bind: Address already in use" in refused(*mine, "--unixsocket", path)
        assert ping_unix(path) == b"+PONG\r\n"

        server.kill()  # leaves both files; the next server takes them over
        server.start()
        assert ping_unix(path) == b"+PONG\r\n"
        await_that(lambda: read(pid_file) == f"{server.process.pid}\n", "the pid file is the killed server's")
        assert server.stop() == 0
        assert not os.path.exists(pid_file) and not os.path.exists(path)

        with open(path, "w", encoding="utf-8") as f:
            f.write("somebody's")
        assert "not a socket" in refused(*mine, "--unixsocket", path)
        assert read(path) == "somebody's"


def closed_streams_are_not_taken_for_files(root):
    directory, log = os.path.join(root, "data"), os.path.join(root, "log")
    port = free_port()
    command = f"exec {SERVER} --port {port} --bind 127.0.0.1 --dir {directory} --logfile {log} <&- >&- 2>&-"
    server = CairnServer(directory=directory)
    server.port = port
    server.process = subprocess.Popen(["sh", "-c", command])
    with server:
        server.wait_ready()
        for fd in range(3):
            assert os.readlink(f"/proc/{server.process.pid}/fd/{fd}") == "/dev/null", fd
        assert server.stop() == 0
    assert "Ready to accept connections" in read(log)


def begun(which, soft, directory, *flags):
    """A server that starts with that resource limit, and is not privileged to raise it."""
    os.makedirs(directory, exist_ok=True)
    server = CairnServer(*flags, directory=directory)
    server.port = free_port()
    prefix = []
    if os.geteuid() == 0:
        os.chown(directory, 65534, 65534)
        prefix = ["setpriv", "--reuid", "65534", "--clear-groups"]
    with open(server.log_path, "ab") as out:
        server.process = subprocess.Popen(
            [*prefix, SERVER, "--port", str(server.port), "--bind", "127.0.0.1", "--dir", directory, *flags],
            stdout=out, stderr=out, preexec_fn=lambda: resource.setrlimit(which, (soft, soft)))
    return server


def limited(which, soft, directory, *flags):
    server = begun(which, soft, directory, *flags)
    server.wait_ready()
    return server


def too_few_threads_are_a_refused_start(root):
    if os.geteuid() != 0:
        return  # the limit counts all that this user runs
    for limit in (2, 4, 6, 9):
        directory = os.path.join(root, f"data-{limit}")
        with begun(resource.RLIMIT_NPROC, limit, directory, "--threads", "2") as server:
            assert server.process.wait(30) == 1, (limit, server.process.returncode, server.output())
            assert "raise the limit of processes" in server.output(), (limit, server.output())


def a_file_size_limit_does_not_kill(root):
    limit = 3 << 20
    with limited(resource.RLIMIT_FSIZE, limit, os.path.join(root, "data")) as server:
        value = "x" * 50_000
        acknowledged = 0
        with server.connect() as c:
            for i in range(2 * limit // len(value)):  # more than one file may hold: the log goes on in another
                try:
                    assert c.call("SET", f"k{i}", value) == "OK"
                    acknowledged += 1
                except ReplyError as e:
                    assert str(e).startswith("MISCONF"), e
        assert acknowledged * len(value) > limit, acknowledged
        server.kill()
        server.start()
        with server.connect() as c:
            assert c.call("DBSIZE") == acknowledged


def clients_leave_descriptors_to_the_server(root):
    limit = 200
    with limited(resource.RLIMIT_NOFILE, limit, os.path.join(root, "data"), "--threads", "2", "--save", "") as server:
        clients = [server.connect()]
        clients_max = int(clients[0].call("CONFIG", "GET", "maxclients")[1])
        assert 100 < clients_max < limit, clients_max
        clients += [server.connect() for _ in range(clients_max - 1)]
        for c in clients:
            assert c.call("PING") == "PONG"
        try:
            with server.connect(timeout=10) as one_more:
                one_more.call("PING")
            raise AssertionError("more clients than there are descriptors for")
        except ReplyError as e:
            assert str(e) == "ERR max number of clients reached", e
        assert clients[0].call("SAVE") == "OK"
        assert clients[0].call("BGREWRITEAOF")
        await_that(lambda: b"aof_rewrite_in_progress:0" in clients[0].call("INFO", "persistence"), "a compaction does not end")
        assert b"aof_last_bgrewrite_status:ok" in clients[0].call("INFO", "persistence")
        try:
            clients[0].call("CONFIG", "SET", "maxclients", "10000")
            raise AssertionError("maxclients cannot be that many")
        except ReplyError as e:
            assert f"not able to handle the specified number of clients, try with {clients_max}" in str(e), e
        assert clients[0].call("CONFIG", "GET", "maxclients")[1] == b"%d" % clients_max
        for c in clients:
            c.close()


def cpu_s(pid):
    fields = read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connections_without_a_descriptor_wait_in_peace(root):
    with CairnServer("--save", "", directory=os.path.join(root, "data")) as server:
        pid = server.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        none_left = max(int(fd) for fd in os.listdir(f"/proc/{pid}/fd")) + 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (none_left, hard))
        clients = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(20)]
        for c in clients:
            c.sendall(b"PING\r\n")
        time.sleep(0.2)
        before_s = cpu_s(pid)
        time.sleep(1)
        used_s = cpu_s(pid) - before_s
        assert used_s < 0.5, f"{used_s} s of CPU in a second for connections that nobody can take"
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        for c in clients:
            assert c.recv(7) == b"+PONG\r\n"
            c.close()


def write_until(server, done, what):
    end = time.monotonic() + 30
    while True:
        try:
            with server.connect(timeout=2) as c:
                c.call("SET", "k", "v")
            answer = "OK"
        except ReplyError as e:
            answer = str(e)
        except TimeoutError:
            answer = "no answer"  # it was under way when the log failed: it waits until the log is well
        if done(answer):
            return answer
        assert time.monotonic() < end, f"{what}: {answer}"
        time.sleep(0.02)


def refuses(server, what):
    answer = write_until(server, lambda a: a.startswith("MISCONF"), f"writes are accepted although the directory was {what}")
    assert "LOCK is " in answer and "while it was in use" in answer, answer
    with server.connect() as c:
        assert c.call("GET", "stable") == b"value"
        try:
            c.call("SAVE")
            raise AssertionError(f"a snapshot is made although the directory was {what}")
        except ReplyError as e:
            assert "while it was in use" in str(e), e


def a_directory_that_is_gone_is_not_written_to(root):
    directory, away = os.path.join(root, "data"), os.path.join(root, "away")
    with CairnServer("--save", "", directory=directory) as server, server.connect() as c:
        assert c.call("SET", "stable", "value") == "OK"
        os.rename(directory, away)
        refuses(server, "moved")
        os.rename(away, directory)
        write_until(server, lambda a: a == "OK", "writes are refused although the directory is back")
        os.remove(os.path.join(directory, "LOCK"))  # by somebody who takes it for a leftover
        await_that(lambda: os.path.exists(os.path.join(directory, "LOCK")), "the lock is not made again")
        assert "LOCK is locked by another process" in refused("--port", str(free_port()), "--dir", directory)

        os.rename(directory, away)
        with CairnServer("--save", "", directory=directory) as other, other.connect() as o:  # in the same place
            assert o.call("SET", "stable", "its own") == "OK"
            refuses(server, "replaced")
            server.stop()
            assert o.call("SAVE") == "OK"
            other.kill()
            other.start()
            with other.connect() as again:
                assert again.call("GET", "stable") == b"its own"
        os.rename(directory, directory + "-other")
        os.rename(away, directory)
        server.start()
        with server.connect() as back:
            assert back.call("GET", "stable") == b"value"


def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # what this interpreter ignores its children would too
    for test in (a_refused_start_leaves_the_running_server_alone, too_few_threads_are_a_refused_start, closed_streams_are_not_taken_for_files,
                 a_file_size_limit_does_not_kill, clients_leave_descriptors_to_the_server,
                 connections_without_a_descriptor_wait_in_peace, a_directory_that_is_gone_is_not_written_to):
        with tempfile.TemporaryDirectory(prefix="cairn-process-") as root:
            os.chmod(root, 0o755)
            test(root)
        print(f"ok: {test.__name__}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
