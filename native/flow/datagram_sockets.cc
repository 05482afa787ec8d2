#include "flow/datagram_sockets.h"

#include <netinet/in.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "desk/tags.h"
#include "udp/sockets.h"

namespace anyport::flow {
DatagramSockets::~DatagramSockets() {
  for (uint32_t slot = 0; slot < sockets_.capacity(); ++slot) {
    const Socket* socket = sockets_.AtSlot(slot);
    if (socket != nullptr) loop_->Remove(socket->fd.get());
  }
}

int DatagramSockets::Prepare(std::span<const net::ListeningSocket> wanted,
                             std::vector<net::PreparedSocket>* prepared) const {
  for (const net::ListeningSocket& socket : wanted) {
    const int error = net::Prepare(socket, by_number_.contains(socket.number), prepared);
    if (error != 0) return error;
  }
  return 0;
}

void DatagramSockets::Leave(std::span<const net::PreparedSocket> next) {
  std::vector<uint64_t> staying;
  for (const net::PreparedSocket& socket : next) staying.push_back(socket.number);
  std::sort(staying.begin(), staying.end());
  std::erase_if(by_number_, [&](const auto& each) {
    const auto& [number, id] = each;
    if (std::binary_search(staying.begin(), staying.end(), number)) return false;
    Leave(id);
    return true;
  });
}

void DatagramSockets::Leave(pool::SlotId id) {
  Socket& socket = *sockets_.Find(id);
  socket.left = true;
  if (socket.flows == 0) Close(id.slot);
}

std::optional<pool::SlotId> DatagramSockets::Open(net::Fd fd, uint32_t listener,
                                                  std::shared_ptr<const plan::Plan> plan,
                                                  std::unique_ptr<Association> association) {
  const pool::SlotId id = sockets_.Acquire();
  if (loop_->Add(fd.get(), EPOLLIN, desk::TagOf(desk::TagKind::kDatagrams, id)) != 0) {
    sockets_.Release(id.slot);
    return std::nullopt;
  }
  Socket& socket = *sockets_.Find(id);
  socket.bound = udp::BoundTo(fd.get());
  socket.fd = std::move(fd);
  socket.listener = listener;
  socket.plan = std::move(plan);
  socket.association = std::move(association);
  return id;
}

void DatagramSockets::Close(uint32_t slot) {
  loop_->Remove(At(slot).fd.get());
  sockets_.Release(slot);
}

void DatagramSockets::RemoveFlow(uint32_t slot) {
  Socket& socket = At(slot);
  if (--socket.flows == 0 && socket.left) Close(slot);
}

bool DatagramSockets::Take(std::vector<net::PreparedSocket> next,
                           const std::shared_ptr<const plan::Plan>& plan) {
  if (stopped_) return true;
  for (net::PreparedSocket& each : next) {
    if (const auto known = by_number_.find(each.number); known != by_number_.end()) {
      Socket& socket = *sockets_.Find(known->second);
      socket.listener = each.listener;
      socket.plan = plan;
    } else if (each.fd.valid()) {
      const pool::SlotId id = sockets_.Acquire();
      Socket& socket = *sockets_.Find(id);
      socket.bound = udp::BoundTo(each.fd.get());
      socket.wildcard = udp::IsWildcard(socket.bound);
      socket.fd = std::move(each.fd);
      socket.roomy = udp::ReceiveBufferOf(socket.fd.get()) >= udp::kGatherRoomMin;
      socket.number = each.number;
      socket.listener = each.listener;
      socket.plan = plan;
      by_number_.emplace(each.number, id);
      unwatched_.push_back(id);
    }
  }
  return Resume();
}

bool DatagramSockets::Resume() {
  std::erase_if(unwatched_, [this](pool::SlotId id) {
    const Socket* socket = sockets_.Find(id);
    if (socket == nullptr) return true;
    return loop_->Add(socket->fd.get(), EPOLLIN, desk::TagOf(desk::TagKind::kDatagrams, id)) == 0;
  });
  return unwatched_.empty();
}

void DatagramSockets::Watch(pool::SlotId id, bool watched) {
  const uint32_t events = watched ? uint32_t{EPOLLIN} : 0;
  loop_->Modify(At(id.slot).fd.get(), events, desk::TagOf(desk::TagKind::kDatagrams, id));
}

void DatagramSockets::Release(std::span<const uint64_t> numbers) {
  for (const uint64_t number : numbers) {
    const auto known = by_number_.extract(number);
    if (!known.empty()) Leave(known.mapped());
  }
}

void DatagramSockets::Stop() {
  stopped_ = true;
  Leave(std::span<const net::PreparedSocket>());
}

uint32_t DatagramSockets::SuccessorOf(const Socket& socket) const {
  for (const auto& [number, id] : by_number_) {
    const Socket* other = sockets_.AtSlot(id.slot);
    if (other != nullptr && other->bound == socket.bound) return id.slot;
  }
  return kNone;
}

}  // namespace anyport::flow
