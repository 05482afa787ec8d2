"""Datagrams with any source: raw-datagrams.py HOST PORT FIRST_SOURCE SOURCES PORTS BYTES, over IPv4. Needs root.

Sends one datagram from each port of each source, and says how many the kernel took.
"""

import socket
import struct
import sys
import time

FIRST_PORT = 20_000
# The receiver may have one core with everybody else.
BATCH, PAUSE_SECONDS = 500, 0.005

host, port, first, sources, ports, size = sys.argv[1:]
to = socket.inet_aton(host)
lowest = struct.unpack("!I", socket.inet_aton(first))[0]
payload = b"\x01" * int(size)
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
length = 8 + len(payload)
sent = 0
for client in range(FIRST_PORT, FIRST_PORT + int(ports)):
    # The kernel fills in length, identification and checksum of the address header; UDP may do without.
    datagram = struct.pack("!HHHH", client, int(port), length, 0) + payload
    for source in range(lowest, lowest + int(sources)):
        header = struct.pack("!BBHHHBBHI4s", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_UDP, 0, source, to)
        sender.sendto(header + datagram, (host, 0))
        sent += 1
        if sent % BATCH == 0:
            time.sleep(PAUSE_SECONDS)
print(sent)
