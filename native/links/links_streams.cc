// Streams of our own, and links that several of those share because they go to the same place.
#include <cerrno>

#include "links/links.h"
#include "udp/sockets.h"

namespace anyport::links {
namespace {

std::string KeyOf(const Host* host, const Target& target) {
  std::string key(reinterpret_cast<const char*>(&host), sizeof(host));
  key.append(reinterpret_cast<const char*>(&target.profile->id), sizeof(target.profile->id));
  key.append(reinterpret_cast<const char*>(target.address.get()), target.address.length);
  return key;
}

bool IsEnding(const Line& line) { return line.link != nullptr && line.link->state() != kcp::State::kUp; }

}  // namespace

Links::Opened Links::Open(pool::SlotId id, uint64_t number) {
  Line* line = lines_.Find(id);
  if (line == nullptr || IsEnding(*line)) return {{}, net::Fd(), ENOTCONN};
  if (line->stage != Stage::kUp) return {{}, net::Fd(), EAGAIN};
  Ends::Opened opened = line->bridge->Open(number);
  Mark(*line);
  return {opened.id, std::move(opened.theirs), opened.error};
}

// What has another profile by now, or is ending, is not gone to any more.
Links::Opened Links::Dial(Host* host, const Target& target, uint64_t number) {
  std::string key = KeyOf(host, target);
  if (const auto known = tunnels_.find(key); known != tunnels_.end()) {
    const Line& line = *lines_.Find(known->second);
    if (line.error != 0) return {{}, net::Fd(), line.error};
    if (!IsEnding(line) && IsSame(*line.profile, *target.profile)) return Open(line.id, number);
  }
  if (const auto refusal = refusals_.find(key); refusal != refusals_.end()) {
    if (NowUs() < refusal->second.until_us) return {{}, net::Fd(), refusal->second.error};
    refusals_.erase(refusal);
  }
  pool::SlotId id;
  if (const int error = Begin(host, target, &id)) return {{}, net::Fd(), error};
  lines_.Find(id)->tunnel = key;
  tunnels_[std::move(key)] = id;
  return Open(id, number);
}

void Links::Abort(int theirs) {
  if (const auto stream = ends_->Of(theirs)) Abort(*stream);
}

void Links::Abort(pool::SlotId stream) {
  const StreamEnd* end = ends_->Find(stream);
  if (end == nullptr) return;
  Line& line = *lines_.Find(end->link);
  line.bridge->Abort(stream);
  Mark(line);
}

net::HostPort Links::Destination(int theirs) {
  const auto stream = ends_->Of(theirs);
  if (!stream.has_value()) return {};
  const Path& path = lines_.Find(ends_->Find(*stream)->link)->path;
  const net::Address bound = udp::BoundTo(ports_->At(path.port).fd);
  const net::HostPort address = net::Describe(bound.storage, bound.length);
  if (path.local == udp::Local{}) return address;
  const net::Address asked = net::AddressOf(net::SourceFrom(path.local.bytes, address.port));
  return {net::Describe(asked.storage, asked.length).host, address.port, false};
}

}  // namespace anyport::links
