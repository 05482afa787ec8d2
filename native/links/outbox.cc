#include "links/outbox.h"

#include <algorithm>
#include <cerrno>

namespace anyport::links {

void Outbox::BeginTurn(const Ways* ways) {
  ways_ = ways;
  left_ = kTurnBytesMax;
  refused_ = false;
}

void Outbox::Begin() {
  full_ = false;
  if (used_ + kRoomMin > kBytes) Send();
}

std::span<uint8_t> Outbox::Reserve(size_t bytes, kcp::PathId to) {
  if (left_ < bytes) refused_ = true;
  if (used_ + bytes > kBytes) full_ = true;
  if (refused_ || full_) return {};
  to_ = ways_->Find(to);
  return {memory_.get() + used_, bytes};
}

void Outbox::Commit(size_t bytes) {
  if (to_ == nullptr) return;
  left_ -= std::min(left_, bytes);
  Take(*to_, bytes);
}

void Outbox::Put(const Path& to, std::span<const uint8_t> datagram) {
  if (used_ + datagram.size() > kBytes) Send();
  std::copy(datagram.begin(), datagram.end(), memory_.get() + used_);
  Take(to, datagram.size());
}

void Outbox::Take(const Path& to, size_t bytes) {
  if (runs_.empty() || !runs_.back().Takes(to, bytes))
    runs_.push_back({to, used_, 0, 0, static_cast<uint32_t>(bytes)});
  runs_.back().bytes += bytes;
  ++runs_.back().datagrams;
  used_ += bytes;
}

// Under a tag of its own: the batch puts together what has the same.
void Outbox::Append(const Run& run) {
  const Port& port = ports_->At(run.to.port);
  const udp::Receiver to =
      port.connected ? udp::Receiver(port.ipv6) : udp::Receiver(run.to.peer, run.to.local, port.ipv6);
  const uint16_t segment = run.datagrams > 1 ? static_cast<uint16_t>(run.segment) : 0;
  const udp::Piece piece{{memory_.get() + run.first, run.bytes}, segment, 0};
  const auto tag = static_cast<uint64_t>(&run - runs_.data());
  while (!batch_.Append(run.to.port, to, piece, tag, port.segments)) SendSome();
}

// What a full socket does not take is lost, as on any other part of the way.
void Outbox::SendSome() {
  Port& port = ports_->At(batch_.socket());
  for (const udp::Outcome& outcome : batch_.SendSome(port.fd)) {
    if (!outcome.cut_up) port.segments = false;
    if (outcome.error != 0 && outcome.error != EAGAIN) port.error = outcome.error;
  }
}

void Outbox::Send() {
  for (const Run& run : runs_) Append(run);
  while (!batch_.empty()) SendSome();
  runs_.clear();
  used_ = 0;
}

}  // namespace anyport::links
