"""Clusters of Ray on this machine, whose processes tests may kill."""

import contextlib
import importlib.util
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
HAS_RAY = importlib.util.find_spec("ray") is not None


def environment():
    return {**os.environ, **QUIET}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start_node(*args):
    """Starts a node of Ray's with one core; returns its process, the first of many."""
    ray = pathlib.Path(sys.executable).with_name("ray")
    return subprocess.Popen(
        [str(ray), "start", *args, "--num-cpus=1", "--block"],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(process):
    """Kills a process that was started here, and all of its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Nodes:
    """A cluster of a head, and nodes that come and go."""

    def __init__(self):
        self.address = f"127.0.0.1:{free_port()}"
        port = self.address.rpartition(":")[2]
        self.head = start_node("--head", f"--port={port}", "--include-dashboard=false")
        self.others = []

    def add(self):
        self.others.append(start_node(f"--address={self.address}"))
        return self.others[-1]

    def close(self):
        for process in (*self.others, self.head):
            kill(process)

    def wait(self, num):
        """Waits until so many nodes have a raylet, and the head answers."""
        for _ in range(300):
            nodes = (self.head, *self.others)
            if sum(bool(children(n.pid, "raylet/raylet")) for n in nodes) >= num:
                return
            time.sleep(0.1)
        raise TimeoutError


@contextlib.contextmanager
def cluster(num_nodes):
    """A cluster of so many nodes, one core each; its Nodes."""
    nodes = Nodes()
    try:
        nodes.wait(1)
        for _ in range(num_nodes - 1):
            nodes.add()
        nodes.wait(num_nodes)
        yield nodes
    finally:
        nodes.close()


def processes():
    """The processes of this machine: pid -> parent's pid, command."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            found[int(folder.name)] = int(stat[1]), command
    return found


def children(pid, word):
    """The pids of a process's descendants whose commands have a word."""
    found, all_of_them = [], processes()
    for child in all_of_them:
        parent = child
        while parent in all_of_them and parent != pid:
            parent = all_of_them[parent][0]
        if parent == pid and child != pid and word in all_of_them[child][1]:
            found.append(child)
    return sorted(found)
