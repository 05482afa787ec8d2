#include "net/steering.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <iterator>
#include <random>
#include <vector>

namespace anyport::net {
namespace {

constexpr uint32_t kNetwork = static_cast<uint32_t>(SKF_NET_OFF);  // the IP header
constexpr uint32_t kSource4 = kNetwork + 12;
constexpr uint32_t kPort4 = kNetwork + 20;  // behind a header without options
constexpr uint32_t kSource6 = kNetwork + 8;
constexpr uint32_t kPort6 = kNetwork + 40;

// Finalizer constants of MurmurHash3, and the golden ratio.
constexpr uint32_t kPortFactor = 0x9E3779B1;
constexpr uint32_t kFirstFactor = 0x85EBCA6B;
constexpr uint32_t kSecondFactor = 0xC2B2AE35;

// So that nobody can choose ports that all lead to one worker.
uint32_t Seed() {
  static const uint32_t seed = std::random_device{}();
  return seed;
}

int Attach(int fd, sock_filter* code, size_t length) {
  const sock_fprog program{static_cast<unsigned short>(length), code};
  const int set = setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program));
  return set == 0 ? 0 : errno;
}

// Any socket will do for a SYN: the kernel asks once for a connection.
int SteerConnections(int fd, uint32_t sockets) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_RANDOM)),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, sockets),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  return Attach(fd, code, std::size(code));
}

// 0xA8 │ epoch u8 │ link id u64, little-endian │ … (native/kcp/keys.h). The socket of its low byte, if there
// is one; else the steps behind these decide. Offsets below the network header count from the payload.
std::vector<sock_filter> StepsOfLinks(uint32_t sockets) {
  constexpr uint32_t kDataPacket = 0xA8;
  constexpr uint32_t kHeaderBytes = 14;
  constexpr uint32_t kLinkId = 2;
  return {
      BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kHeaderBytes, 0, 5),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kDataPacket, 0, 3),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kLinkId),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, sockets, 1, 0),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
}

// A program may read the packet's own hash, but of many senders on this machine there is none.
int SteerDatagrams(int fd, uint32_t sockets, bool links) {
  const sock_filter by_sender[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kNetwork),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 4, 0),
      // IPv4: address in X, port in A.
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSource4),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kPort4),
      BPF_STMT(BPF_JMP | BPF_JA, 12),
      // IPv6: likewise, all words of the address in one.
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSource6),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSource6 + 4),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSource6 + 8),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSource6 + 12),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kPort6),
      // Mix, and scale the upper half to the number of sockets.
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, kPortFactor),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, Seed()),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, kFirstFactor),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 15),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, kSecondFactor),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, sockets),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  std::vector<sock_filter> code = links ? StepsOfLinks(sockets) : std::vector<sock_filter>();
  code.insert(code.end(), std::begin(by_sender), std::end(by_sender));
  return Attach(fd, code.data(), code.size());
}

}  // namespace

int Steer(int fd, uint32_t sockets, bool links) {
  const int any = 0;
  if (sockets == 0) {
    const bool detached = setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &any, sizeof(any)) == 0;
    return detached || errno == ENOENT ? 0 : errno;
  }
  int type = 0;
  socklen_t length = sizeof(type);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0) return errno;
  return type == SOCK_DGRAM ? SteerDatagrams(fd, sockets, links) : SteerConnections(fd, sockets);
}

}  // namespace anyport::net
