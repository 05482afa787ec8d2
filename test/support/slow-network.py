"""A network behind a delay: two TUN devices, one here and one in a network namespace of its own, with a queue between.

slow-network.py INDEX DELAY_MS: addresses 10.77.INDEX.1 (here) and 10.77.INDEX.2 (there). Prints the process id of a
process there, and runs until its standard input ends. Needs root.
"""
import ctypes
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections import deque

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000
MTU = 1500

index, delay = int(sys.argv[1]), float(sys.argv[2]) / 1000


def device(name, address):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    subprocess.run(["ip", "address", "add", f"{address}/30", "dev", name], check=True)
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    return fd


ours, theirs = socket.socketpair()
child = os.fork()
if child == 0:
    ours.close()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        sys.exit("unshare: " + os.strerror(ctypes.get_errno()))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    socket.send_fds(theirs, [b"x"], [device("slow", f"10.77.{index}.2")])
    theirs.recv(1)  # until the other side is gone
    os._exit(0)
theirs.close()
there = socket.recv_fds(ours, 1, 1)[1][0]
here = device(f"slow{index}", f"10.77.{index}.1")
print(child, flush=True)

# Packets on their way, each way in order.
ways = {here: (there, deque()), there: (here, deque())}
while True:
    dues = [queue[0][0] for _, queue in ways.values() if queue]
    wait = max(0, min(dues) - time.monotonic()) if dues else None
    ready, _, _ = select.select([here, there, 0], [], [], wait)
    if 0 in ready and not os.read(0, 1):
        break
    for source in ways.keys() & set(ready):
        try:
            while True:
                ways[source][1].append((time.monotonic() + delay, os.read(source, MTU)))
        except BlockingIOError:
            pass
    now = time.monotonic()
    for sink, queue in ways.values():
        while queue and queue[0][0] <= now:
            try:
                os.write(sink, queue.popleft()[1])
            except OSError:
                pass  # lost, as on any network
