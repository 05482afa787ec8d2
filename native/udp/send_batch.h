// Datagrams on their way out, many at a time (sendmmsg). They are not copied: their bytes must stay until
// they are sent.
//
// Datagrams of one length to one receiver leave as one message that the kernel, or the device, cuts up
// (UDP_SEGMENT). Where that does not work they leave one by one.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "net/address.h"
#include "udp/receive_batch.h"

namespace anyport::udp {

// To whom, and from which address of this machine.
struct Receiver {
  // Of a connected socket. `v6`: its datagrams are of IPv6.
  explicit Receiver(bool v6 = false) : address{}, ipv6(v6) {}
  // `v6`: the socket is of IPv6, where IPv4 clients have mapped addresses.
  Receiver(const net::Source& peer, const Local& from, bool v6);

  union {
    sockaddr_in v4;
    sockaddr_in6 v6;
  } address;
  socklen_t length = 0;  // 0: the socket is connected
  bool ipv6 = false;     // its datagrams are
  Local local = {};      // all zero: the system chooses
};

// What may be sent as one message: as many datagrams, and as many bytes (IPv4 has room for these).
inline constexpr size_t kSegmentsMax = 64;
inline constexpr size_t kRunBytesMax = 65'507;

// One datagram, or several in one piece (Message).
struct Piece {
  std::span<const uint8_t> bytes;
  uint16_t segment = 0;
  uint8_t traffic_class = 0;  // 0: that of the socket
};

// What has become of a message.
struct Outcome {
  uint64_t tag = 0;
  uint32_t datagrams = 0;  // sent
  uint64_t bytes = 0;      // sent, without what precedes each datagram
  uint32_t lost = 0;       // datagrams that were not sent
  uint64_t lost_bytes = 0;
  int error = 0;       // why not
  bool cut_up = true;  // false: the kernel could not, and the datagrams were sent one by one
};

class SendBatch {
 public:
  // Appends a piece for the receiver, each of its datagrams behind `preamble`. `socket` and `tag` are the
  // caller's; all of one tag is for one receiver, since it may leave as one message. False: the batch is
  // full, and has to be sent before.
  bool Append(uint32_t socket, const Receiver& to, const Piece& piece, uint64_t tag, bool segments = true,
              std::span<const uint8_t> preamble = {});
  bool empty() const { return messages_ == 0; }
  // Where the next message goes.
  uint32_t socket() const { return runs_[sent_].socket; }

  // Sends what is for the first one's socket; the outcomes are valid until the next call.
  std::span<const Outcome> SendSome(int fd);

 private:
  static constexpr size_t kMessages = kMessagesMax;
  // Twice what the kernel puts together at most, for the preambles between.
  static constexpr size_t kParts = 512;
  static constexpr size_t kControlBytes = CMSG_SPACE(sizeof(in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int));

  // A message: parts in a row.
  struct Run {
    uint64_t tag = 0;
    uint32_t socket = 0;
    uint32_t first = 0;  // part
    uint32_t parts = 0;
    uint32_t datagrams = 0;
    uint32_t bytes = 0;     // of all parts
    uint32_t preamble = 0;  // of these, for each datagram
    uint32_t segment = 0;   // length of each datagram but the last
    uint8_t traffic_class = 0;
    bool open = false;      // all its datagrams are of one length: more may follow
    bool segments = false;  // may be cut up by the kernel
    bool sent = false;
    Receiver to;
  };
  struct Control {
    alignas(cmsghdr) std::array<uint8_t, kControlBytes> bytes;
  };

  bool HasRoomFor(const Piece& piece, bool preamble) const;
  void Add(Run like, std::span<const uint8_t> preamble, std::span<const uint8_t> bytes, uint32_t datagrams,
           bool goes_on);
  bool Joins(const Run& last, const Run& next) const;
  void Prepare(const Run& run, mmsghdr* header, Control* control) const;
  size_t Collect();
  void Conclude(int fd, const Run& run, int error, Outcome* outcome);
  void SendSingly(int fd, const Run& run, Outcome* outcome);
  void Advance();

  size_t messages_ = 0;
  size_t sent_ = 0;  // the first that is not sent yet
  size_t parts_used_ = 0;
  std::array<Run, kMessages> runs_;
  std::array<iovec, kParts> parts_{};
  std::array<mmsghdr, kMessages> headers_{};
  std::array<Control, kMessages> controls_;
  std::array<uint8_t, kMessages> order_{};  // of the runs in headers_
  std::array<Outcome, kMessages> outcomes_;
};

}  // namespace anyport::udp
