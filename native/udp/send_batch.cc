#include "udp/send_batch.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

namespace anyport::udp {
namespace {

constexpr Local kAnyLocal{};
// Preambles may make a piece more than a message holds.
constexpr size_t kMessagesOfPiece = 8;

// The address of an IPv4 client as an IPv6 socket has it.
in6_addr MappedOf(const net::Source& source) {
  in6_addr address{};
  address.s6_addr[10] = address.s6_addr[11] = 0xff;
  std::memcpy(&address.s6_addr[12], source.bytes.data(), 4);
  return address;
}

// A device or route that can not cut up what is larger than it carries.
bool SaysNoSegments(int error) { return error == EIO || error == EINVAL || error == EMSGSIZE; }

// Control data, one after the other.
class Ancillary {
 public:
  Ancillary(msghdr* message, std::span<uint8_t> room) : message_(message), room_(room) {}

  template <typename T>
  void Add(int level, int type, const T& value) {
    auto* header = reinterpret_cast<cmsghdr*>(room_.data() + used_);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof(value));
    std::memcpy(CMSG_DATA(header), &value, sizeof(value));
    used_ += CMSG_SPACE(sizeof(value));
    assert(used_ <= room_.size());
  }

  void Finish() {
    message_->msg_control = used_ == 0 ? nullptr : room_.data();
    message_->msg_controllen = used_;
  }

 private:
  msghdr* message_;
  std::span<uint8_t> room_;
  size_t used_ = 0;
};

// `v6_socket`: the receiver's address is one of IPv6, be it a mapped one.
void AddSource(Ancillary* ancillary, const Local& local, bool v6_socket) {
  if (local == kAnyLocal) return;
  if (v6_socket) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, local.bytes.data(), sizeof(info.ipi6_addr));
    info.ipi6_ifindex = local.interface;
    return ancillary->Add(IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  in_pktinfo info{};
  std::memcpy(&info.ipi_spec_dst, &local.bytes[12], sizeof(info.ipi_spec_dst));
  ancillary->Add(IPPROTO_IP, IP_PKTINFO, info);
}

void AddTrafficClass(Ancillary* ancillary, int octet, bool ipv6) {
  if (octet == 0) return;
  if (ipv6) return ancillary->Add(IPPROTO_IPV6, IPV6_TCLASS, octet);
  ancillary->Add(IPPROTO_IP, IP_TOS, octet);
}

// How many, or -1 with an errno.
int Send(int fd, std::span<mmsghdr> messages) {
  constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
  // Where one datagram is under way at a time, 3 % of a relay's work less than by sendmmsg.
  if (messages.size() == 1) return sendmsg(fd, &messages[0].msg_hdr, kFlags) < 0 ? -1 : 1;
  return sendmmsg(fd, messages.data(), static_cast<unsigned>(messages.size()), kFlags);
}

}  // namespace

Receiver::Receiver(const net::Source& peer, const Local& from, bool v6) : address{}, local(from) {
  ipv6 = peer.family == 6;
  if (!v6) {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(peer.port);
    std::memcpy(&address.v4.sin_addr, peer.bytes.data(), sizeof(address.v4.sin_addr));
    length = sizeof(address.v4);
    return;
  }
  address.v6.sin6_family = AF_INET6;
  address.v6.sin6_port = htons(peer.port);
  if (ipv6) {
    std::memcpy(&address.v6.sin6_addr, peer.bytes.data(), sizeof(address.v6.sin6_addr));
    address.v6.sin6_scope_id = from.interface;
  } else {
    address.v6.sin6_addr = MappedOf(peer);
  }
  length = sizeof(address.v6);
}

bool SendBatch::HasRoomFor(const Piece& piece, bool preamble) const {
  if (messages_ == 0) return true;
  const size_t datagrams = DatagramsIn(piece.bytes.size(), piece.segment);
  const size_t parts = preamble ? 2 * datagrams : 1;
  const size_t messages = preamble && datagrams > 1 ? kMessagesOfPiece : 1;
  return messages_ + messages <= kMessages && parts_used_ + parts <= kParts;
}

bool SendBatch::Append(uint32_t socket, const Receiver& to, const Piece& piece, uint64_t tag, bool segments,
                       std::span<const uint8_t> preamble) {
  if (!HasRoomFor(piece, !preamble.empty())) return false;
  const auto datagrams = static_cast<uint32_t>(DatagramsIn(piece.bytes.size(), piece.segment));
  Run like;
  like.tag = tag;
  like.socket = socket;
  like.traffic_class = piece.traffic_class;
  like.segments = segments;
  like.preamble = static_cast<uint32_t>(preamble.size());
  like.to = to;
  if (preamble.empty()) {
    like.segment = datagrams > 1 ? piece.segment : static_cast<uint32_t>(piece.bytes.size());
    Add(like, {}, piece.bytes, datagrams, false);
    return true;
  }
  const size_t step = datagrams > 1 ? piece.segment : piece.bytes.size();
  for (uint32_t i = 0; i < datagrams; ++i) {
    const auto rest = piece.bytes.subspan(i * step);
    const auto bytes = rest.first(std::min(step, rest.size()));
    like.segment = static_cast<uint32_t>(preamble.size() + bytes.size());
    Add(like, preamble, bytes, 1, i > 0 && !segments);
  }
  return true;
}

// Whether `next` may be a part of the same message: all of `last` are of one length, and `next` of the same,
// but its last one.
bool SendBatch::Joins(const Run& last, const Run& next) const {
  return last.open && last.segments && next.segments && last.tag == next.tag && last.socket == next.socket &&
         last.traffic_class == next.traffic_class && last.preamble == next.preamble && next.bytes > 0 &&
         next.segment <= last.segment && (next.datagrams == 1 || next.segment == last.segment) &&
         last.datagrams + next.datagrams <= kSegmentsMax && last.bytes + next.bytes <= kRunBytesMax;
}

void SendBatch::Add(Run like, std::span<const uint8_t> preamble, std::span<const uint8_t> bytes,
                    uint32_t datagrams, bool goes_on) {
  like.datagrams = datagrams;
  like.bytes = static_cast<uint32_t>(datagrams * preamble.size() + bytes.size());
  like.first = static_cast<uint32_t>(parts_used_);
  like.parts = preamble.empty() ? 1 : 2;
  if (!preamble.empty()) parts_[parts_used_++] = {const_cast<uint8_t*>(preamble.data()), preamble.size()};
  parts_[parts_used_++] = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
  if (goes_on || (messages_ > 0 && Joins(runs_[messages_ - 1], like))) {
    Run& last = runs_[messages_ - 1];
    last.parts += like.parts;
    last.datagrams += datagrams;
    last.bytes += like.bytes;
    last.open = last.bytes == last.datagrams * last.segment;
    return;
  }
  like.open = like.bytes > 0 && like.bytes == like.datagrams * like.segment;
  runs_[messages_++] = like;
}

void SendBatch::Prepare(const Run& run, mmsghdr* header, Control* control) const {
  msghdr& message = header->msg_hdr;
  message.msg_name =
      run.to.length == 0 ? nullptr : const_cast<void*>(static_cast<const void*>(&run.to.address));
  message.msg_namelen = run.to.length;
  message.msg_iov = const_cast<iovec*>(&parts_[run.first]);
  message.msg_iovlen = run.parts;
  Ancillary ancillary(&message, control->bytes);
  AddSource(&ancillary, run.to.local, run.to.length == sizeof(sockaddr_in6));
  AddTrafficClass(&ancillary, run.traffic_class, run.to.ipv6);
  if (run.datagrams > 1) ancillary.Add(SOL_UDP, UDP_SEGMENT, static_cast<uint16_t>(run.segment));
  ancillary.Finish();
}

// The messages for the socket of the first, in their order; how many.
size_t SendBatch::Collect() {
  const uint32_t socket = runs_[sent_].socket;
  size_t count = 0;
  for (size_t i = sent_; i < messages_; ++i) {
    if (runs_[i].sent || runs_[i].socket != socket) continue;
    runs_[i].sent = true;
    Prepare(runs_[i], &headers_[count], &controls_[count]);
    order_[count++] = static_cast<uint8_t>(i);
  }
  return count;
}

std::span<const Outcome> SendBatch::SendSome(int fd) {
  if (empty()) return {};
  const size_t count = Collect();
  size_t done = 0;
  const auto next = [&]() -> const Run& { return runs_[order_[done]]; };
  while (done < count) {
    int sent = -1;
    errno = EIO;
    if (next().segments || next().datagrams == 1) {
      sent = Send(fd, std::span(headers_).subspan(done, count - done));
      if (sent < 0 && errno == EINTR) continue;
    }
    const int error = errno;
    for (int i = 0; i < sent; ++i, ++done) Conclude(fd, next(), 0, &outcomes_[done]);
    if (sent > 0) continue;
    Conclude(fd, next(), error, &outcomes_[done]);
    ++done;
    // A full socket is not asked for each of the others.
    for (; error == EAGAIN && done < count; ++done) Conclude(fd, next(), error, &outcomes_[done]);
  }
  Advance();
  return std::span(outcomes_).first(count);
}

void SendBatch::Conclude(int fd, const Run& run, int error, Outcome* outcome) {
  const uint64_t bytes = run.bytes - uint64_t{run.datagrams} * run.preamble;
  *outcome = {};
  outcome->tag = run.tag;
  if (error == 0) {
    outcome->datagrams = run.datagrams;
    outcome->bytes = bytes;
  } else if (run.datagrams > 1 && SaysNoSegments(error)) {
    outcome->cut_up = false;
    SendSingly(fd, run, outcome);
  } else {
    outcome->lost = run.datagrams;
    outcome->lost_bytes = bytes;
    outcome->error = error;
  }
}

// Each datagram is in one part, or in two behind a preamble.
void SendBatch::SendSingly(int fd, const Run& run, Outcome* outcome) {
  Run single = run;
  single.datagrams = 1;
  mmsghdr header{};
  Control control;
  Prepare(single, &header, &control);
  std::array<iovec, 2> parts;
  header.msg_hdr.msg_iov = parts.data();
  header.msg_hdr.msg_iovlen = run.preamble == 0 ? 1 : 2;
  const size_t step = run.segment - run.preamble;
  for (uint32_t i = run.first; i < run.first + run.parts; ++i) {
    if (run.preamble != 0) parts[0] = parts_[i++];
    auto* at = static_cast<uint8_t*>(parts_[i].iov_base);
    for (size_t left = parts_[i].iov_len; left > 0; left -= std::min(left, step)) {
      const size_t bytes = std::min(left, step);
      parts[header.msg_hdr.msg_iovlen - 1] = {at + (parts_[i].iov_len - left), bytes};
      ptrdiff_t sent = 0;
      do {
        sent = sendmsg(fd, &header.msg_hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
      } while (sent < 0 && errno == EINTR);
      if (sent >= 0) {
        ++outcome->datagrams;
        outcome->bytes += bytes;
      } else {
        outcome->error = errno;
        ++outcome->lost;
        outcome->lost_bytes += bytes;
      }
    }
  }
}

void SendBatch::Advance() {
  while (sent_ < messages_ && runs_[sent_].sent) ++sent_;
  if (sent_ < messages_) return;
  messages_ = sent_ = parts_used_ = 0;
}

}  // namespace anyport::udp
