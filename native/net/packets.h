// Packets with descriptors (SCM_RIGHTS, unix(7)) between two processes, over a Unix socket that keeps packet
// borders (SOCK_SEQPACKET): a packet and its descriptors arrive together or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "net/fd.h"
#include "net/sockets.h"

namespace anyport::net {

// Bytes of a packet: the socket buffer holds several.
inline constexpr size_t kPacketBytesMax = 32 * 1024;
// Descriptors of a packet; the kernel's own limit is 253 (SCM_MAX_FD).
inline constexpr size_t kPacketDescriptorsMax = 64;

// A connected pair, non-blocking and close-on-exec.
Pair PacketPair();

// Sends a packet of 1 to kPacketBytesMax bytes; the receiver gets duplicates of the descriptors. 0 or an
// errno: EMSGSIZE over a limit, EAGAIN when the buffer is full.
int SendPacket(int fd, std::span<const uint8_t> bytes, std::span<const int> descriptors);

struct Packet {
  size_t bytes = 0;             // written to the buffer; 0 without an error: the peer has closed
  std::vector<Fd> descriptors;  // close-on-exec
  int error = 0;                // EAGAIN: nothing there
};

// A packet that does not fit is lost with its descriptors: EMSGSIZE for its bytes, EMFILE for its descriptors
// (their number, or the limit of open files).
Packet ReceivePacket(int fd, std::span<uint8_t> buffer);

}  // namespace anyport::net
