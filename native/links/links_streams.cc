// Streams of our own, and links that several of those share because they go to the same place.
#include <algorithm>
#include <cerrno>
#include <optional>

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

// ---- links of our own

// What has another profile by now, or is ending, is not gone to any more.
Line* Links::Joinable(const std::string& tunnel, const Target& target) {
  const auto known = tunnels_.find(tunnel);
  if (known == tunnels_.end()) return nullptr;
  Line* line = lines_.Find(known->second);
  const bool ends = line->error != 0 || IsEnding(*line);
  return ends || !IsSame(*line->profile, *target.profile) ? nullptr : line;
}

// An errno; 0: it was not refused lately.
int Links::RefusalOf(const std::string& tunnel) {
  if (const auto known = tunnels_.find(tunnel); known != tunnels_.end()) {
    if (const int error = lines_.Find(known->second)->error; error != 0) return error;
  }
  const auto refusal = refusals_.find(tunnel);
  if (refusal == refusals_.end()) return 0;
  if (now_us_ < refusal->second.until_us) return refusal->second.error;
  refusals_.erase(refusal);
  return 0;
}

int Links::BeginTunnel(Host* host, const Target& target, const std::string& tunnel, const std::string& race) {
  pool::SlotId id;
  if (const int error = Begin(host, target, &id)) return error;
  Line& line = *lines_.Find(id);
  line.tunnel = tunnel;
  line.race = race;
  tunnels_[tunnel] = id;
  return 0;
}

Links::Opened Links::Dial(Host* host, std::span<const Target> targets, uint64_t number) {
  now_us_ = NowUs();
  std::vector<std::string> tunnels;
  std::string race;
  for (const Target& target : targets) race += tunnels.emplace_back(KeyOf(host, target));
  const auto open = [&](size_t target) -> std::optional<Opened> {
    const Line* line = Joinable(tunnels[target], targets[target]);
    if (line == nullptr || line->stage != Stage::kUp) return std::nullopt;
    Opened opened = Open(line->id, number);
    opened.target = target;
    return opened;
  };
  for (size_t i = 0; i < targets.size(); ++i) {
    if (auto opened = open(i)) return std::move(*opened);
  }
  std::optional<uint64_t> begun_us;  // the last one that is under way
  int error = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    if (const Line* line = Joinable(tunnels[i], targets[i])) {
      begun_us = std::max(begun_us.value_or(0), line->begun_us);
    } else if (const int refusal = RefusalOf(tunnels[i])) {
      error = refusal;
    } else if (begun_us.has_value() && now_us_ < *begun_us + kNextAddressUs) {
      break;
    } else if (const int failure = BeginTunnel(host, targets[i], tunnels[i], race)) {
      error = failure;
    } else {
      // Over kcptun's wire it is up.
      if (auto opened = open(i)) return std::move(*opened);
      begun_us = now_us_;
    }
  }
  return {{}, net::Fd(), begun_us.has_value() ? EAGAIN : error};
}

void Links::Overtake(const Line& winner) {
  std::vector<pool::SlotId> overtaken;
  for (const auto& [tunnel, id] : tunnels_) {
    const Line& line = *lines_.Find(id);
    if (line.stage == Stage::kBegun && line.race == winner.race) overtaken.push_back(id);
  }
  for (const pool::SlotId id : overtaken) End(*lines_.Find(id), "overtaken");
}

// ---- streams that are there

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
