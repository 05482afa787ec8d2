// Datagrams that come: brought to their link, or the beginning of one.
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "kcp/keys.h"
#include "kcp/opening.h"
#include "links/links.h"
#include "links/tags.h"
#include "net/sockets.h"
#include "udp/sockets.h"

namespace anyport::links {
namespace {

// Nothing that kcptun sends is longer.
constexpr size_t kKcptunBytesMax = 1500;

// For the cookie: address and port.
std::array<uint8_t, 19> BytesOf(const net::Source& source) {
  std::array<uint8_t, 19> bytes{};
  std::copy(source.bytes.begin(), source.bytes.end(), bytes.begin());
  std::memcpy(&bytes[16], &source.port, sizeof(source.port));
  bytes[18] = source.family;
  return bytes;
}

}  // namespace

bool Links::Take(const Door& door, const Outside& socket, const net::Source& peer, const udp::Local& local,
                 std::span<uint8_t> datagram) {
  if (datagram.empty()) return NotOurs(door, Dropped::kUnknown);
  if (fed_.empty()) now_us_ = NowUs();
  const uint32_t port = ports_->Outside(door.host, socket.number, socket.fd, socket.ipv6);
  if (dirty_.empty()) loop_->SetTimer(0);  // to send what this may cause, and to let go of the socket
  return TakeFrom(door, {port, peer, local}, datagram);
}

void Links::EndBatch() {
  for (const pool::SlotId id : std::exchange(fed_, {})) {
    Line* line = lines_.Find(id);
    if (line == nullptr) continue;
    line->fed = false;
    line->link->mux().Deliver();
  }
}

int Links::Serve(net::Fd fd, Door door, pool::SlotId* port) {
  return ports_->Add(std::move(fd), false, std::move(door), port);
}

net::Address Links::BoundTo(pool::SlotId id) {
  const Port* port = ports_->Find(id);
  return port == nullptr ? net::Address{} : udp::BoundTo(port->fd);
}

// Level-triggered: what is left is reported in the next turn.
void Links::OnPort(pool::SlotId id, uint32_t events) {
  Port* port = ports_->Find(id);
  if (port == nullptr) return;
  if (events & EPOLLERR) {
    port->error = net::PendingError(port->fd);
    OnPortError(*port);
  }
  if (incoming_ == nullptr) incoming_ = std::make_unique<udp::ReceiveBatch>(true);
  incoming_->Clear();
  if (incoming_->Receive(port->fd, udp::kMessagesMax) <= 0) return;
  for (size_t i = 0; i < incoming_->size(); ++i) {
    const udp::Message& message = incoming_->At(i);
    if (message.marks.cut) continue;
    Path path{.port = id.slot, .peer = {}, .local = {}};
    if (!port->connected) path.peer = net::SourceOf(*message.from);
    if (port->wildcard) path.local = message.marks.local;
    udp::EachDatagram(incoming_->Memory(i), message.marks.segment, [&](std::span<uint8_t> datagram) {
      if (!datagram.empty()) TakeFrom(port->door, path, datagram);
    });
  }
  EndBatch();
}

// What the network says of an address that nobody listens at. A link that is up does not believe it: its peer
// may be starting again.
void Links::OnPortError(const Port& port) {
  Line* line = port.connected ? lines_.Find(port.line) : nullptr;
  if (line == nullptr || line->stage != Stage::kBegun) return;
  line->error = port.error;
  Mark(*line);
}

bool Links::NotOurs(const Door& door, Dropped why) {
  if (door.only) Count(door.host, why);
  return door.only;
}

bool Links::TakeFrom(const Door& door, const Path& path, std::span<uint8_t> datagram) {
  const Port& port = ports_->At(path.port);
  if (port.connected) {
    Line* line = lines_.Find(port.line);
    return line != nullptr && TakeReply(*line, datagram);
  }
  if (door.profile->is_kcptun()) return TakeKcptun(door, path, datagram);
  switch (datagram[0]) {
    case kcp::kDataPacket:
      return TakeData(door, path, datagram);
    case kHello:
      return TakeHello(door, path, datagram);
    default:
      return NotOurs(door, Dropped::kUnknown);
  }
}

// ---- packets of links

template <typename Input>
void Links::Feed(Line& line, const Path& path, Input input) {
  auto from = line.ways.NumberOf(path);
  if (!from.has_value()) {
    from = line.ways.Add(path);
    ports_->Use(path.port);
  }
  After(line, input(*from));
}

void Links::After(Line& line, kcp::Verdict verdict) {
  switch (verdict) {
    case kcp::Verdict::kTaken:
      if (IsHalfOpen(line)) Prove(line);
      if (!std::exchange(line.fed, true)) fed_.push_back(line.id);
      Mark(line);
      break;
    case kcp::Verdict::kRefused:
      Count(line.host, Dropped::kRefused);
      break;
    case kcp::Verdict::kReplayed:
      Count(line.host, Dropped::kReplayed);
      break;
    case kcp::Verdict::kMalformed:
      Count(line.host, Dropped::kMalformed);
      Mark(line);
      break;
    case kcp::Verdict::kClosed:
      Mark(line);
      break;
  }
  line.ways.Keep([&](kcp::PathId way) { return line.link->Knows(way); },
                 [&](const Path& path) { ports_->Leave(path.port); });
  Move(line);
}

// The client has the answer. Ours are proven when they are made.
void Links::Prove(Line& line) {
  line.proven = true;
  line.answer = {};
  if (!line.profile->is_kcptun()) {
    --half_open_;
    by_hello_.erase(PathKey{line.path, line.peer_id});
  }
  Push(line, Event(Event::Kind::kUp));
}

void Links::Move(Line& line) {
  const Path* path = line.ways.Find(line.link->path());
  if (path == nullptr || *path == line.path) return;
  if (line.profile->is_kcptun() && !line.client) {
    by_path_.erase(PathKey{line.path, 0});
    by_path_[PathKey{*path, 0}] = line.id;
  }
  line.path = *path;
}

bool Links::TakeData(const Door& door, const Path& path, std::span<uint8_t> datagram) {
  const auto id = kcp::LinkIdOf(datagram);
  const auto found = id.has_value() ? by_wire_id_.find(*id) : by_wire_id_.end();
  Line* line = found == by_wire_id_.end() ? nullptr : lines_.Find(found->second);
  if (line == nullptr || line->link == nullptr || line->client || line->host != door.host) {
    if (door.only) SendReset(door, path, datagram);
    return NotOurs(door, Dropped::kUnknown);
  }
  Feed(*line, path, [&](kcp::PathId from) { return line->link->Input(datagram, from, now_us_); });
  return true;
}

bool Links::TakeReply(Line& line, std::span<uint8_t> datagram) {
  if (line.link == nullptr) return TakeAnswer(line, datagram);
  const bool is_kcptun = line.profile->is_kcptun();
  if (!is_kcptun && datagram[0] == kcp::kReset) TakeReset(line, datagram);
  if (!is_kcptun && datagram[0] != kcp::kDataPacket) return false;
  Feed(line, line.path, [&](kcp::PathId from) { return line.link->Input(datagram, from, now_us_); });
  return true;
}

// ---- hellos

bool Links::TakeHello(const Door& door, const Path& path, std::span<const uint8_t> datagram) {
  const auto hello = ReadHello(datagram);
  if (!hello.has_value()) return NotOurs(door, Dropped::kMalformed);
  HostState& state = hosts_[door.host];
  if (state.drains || door.leaves) return true;
  const auto source = BytesOf(path.peer);
  if (!cookies_.Good(hello->cookie, source, hello->link, now_us_)) {
    const auto cookie = cookies_.Make(source, hello->link, now_us_);
    if (cookie.has_value()) outbox_->Put(path, RetryFor(hello->link, *cookie));
    return true;
  }
  const PathKey key{path, hello->link};
  if (const auto known = by_hello_.find(key); known != by_hello_.end()) {
    const Line& line = *lines_.Find(known->second);
    if (!line.answer.empty()) outbox_->Put(path, line.answer);
    return true;
  }
  if (half_open_ >= kHalfOpenMax || state.hellos >= kHellosPerTurn || !HasPlace(door)) {
    Count(door.host, Dropped::kFull);
    return true;
  }
  const uint64_t id = NewWireId(false);
  const auto& reset_key = door.profile->reset_key;
  const auto token = reset_key.has_value() ? kcp::ResetTokenOf(*reset_key, id) : std::nullopt;
  if (!token.has_value()) return true;
  ++state.hellos;
  ++half_open_;
  Line& line = NewLine(door.host, door.profile, path, false);
  line.tag = door.tag;
  line.peer_id = hello->link;
  line.deadline_us = now_us_ + kHalfOpenUs;
  line.wire_id = id;
  by_wire_id_[id] = line.id;
  wire_ids_.Enter(id);
  by_hello_[key] = line.id;
  Event event(Event::Kind::kHello, {datagram.begin(), datagram.end()});
  event.token = *token;
  Push(line, std::move(event));
  Mark(line);
  return true;
}

bool Links::HasPlace(const Door& door) {
  return hosts_[door.host].links_of[door.profile->id] < door.profile->links_max;
}

// ---- kcptun

// A cipher leaves nothing of what it can not open.
bool Links::TakeKcptun(const Door& door, const Path& path, std::span<uint8_t> datagram) {
  if (datagram.size() > kKcptunBytesMax) return NotOurs(door, Dropped::kMalformed);
  std::array<uint8_t, kKcptunBytesMax> before;
  if (!door.only) std::copy(datagram.begin(), datagram.end(), before.begin());
  const kcp::Opened opened = door.profile->sealed->Open(datagram);
  if (opened.verdict == kcp::Verdict::kTaken && TakeOpened(door, path, opened.payload)) return true;
  if (!door.only) std::copy_n(before.begin(), datagram.size(), datagram.begin());
  return NotOurs(door, opened.verdict == kcp::Verdict::kTaken ? Dropped::kUnknown : Dropped::kRefused);
}

bool Links::TakeOpened(const Door& door, const Path& path, std::span<uint8_t> payload) {
  const auto segment = kcp::HeaderOf(payload);
  const auto feed = [&](Line& line) {
    Feed(line, path, [&](kcp::PathId from) { return line.link->InputOpened(payload, from, now_us_); });
    return true;
  };
  const auto here = by_path_.find(PathKey{path, 0});
  Line* line = here == by_path_.end() ? nullptr : lines_.Find(here->second);
  if (line != nullptr && (!segment.has_value() || segment->conv == line->conv)) return feed(*line);
  if (!segment.has_value()) return false;
  const PathKey conv{AnyPathAt(path.port), segment->conv};
  if (const auto moved = by_conv_.find(conv); moved != by_conv_.end())
    return feed(*lines_.Find(moved->second));
  if (!kcp::Begins(*segment, door.profile->settings.receive_window) || door.leaves ||
      hosts_[door.host].drains)
    return false;
  if (line != nullptr) End(*line, kcp::NameOf(kcp::Reason::kReplaced));
  if (!HasPlace(door)) {
    Count(door.host, Dropped::kFull);
    return true;
  }
  Line& begun = NewLine(door.host, door.profile, path, false);
  begun.tag = door.tag;
  MakeLink(begun, door.profile->sealed, segment->conv, {});
  by_path_[PathKey{path, 0}] = begun.id;
  by_conv_[conv] = begun.id;
  return feed(begun);
}

}  // namespace anyport::links
