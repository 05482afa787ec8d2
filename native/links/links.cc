#include "links/links.h"

#include <algorithm>
#include <random>

#include "links/tags.h"
#include "loop/clock.h"
#include "udp/sockets.h"

namespace anyport::links {

uint64_t Links::NowUs() { return loop::NowNs() / 1000; }

uint64_t Links::Random() {
  static thread_local std::random_device device;
  return uint64_t{device()} << 32 | device();
}

std::unique_ptr<Links> Links::Create(uv_loop_t* uv, uint8_t worker, int* error) {
  std::unique_ptr<Links> links(new Links(worker));
  links->loop_ = loop::Loop::Create(uv, links.get(), error);
  if (links->loop_ == nullptr) return nullptr;
  links->ports_ = std::make_unique<Ports>(links->loop_.get());
  links->ends_ = std::make_unique<Ends>(links->loop_.get());
  links->outbox_ = std::make_unique<Outbox>(links->ports_.get());
  links->now_us_ = NowUs();
  return links;
}

Links::~Links() = default;

void Links::Shutdown(std::function<void()> closed) {
  for (const auto& [host, state] : std::unordered_map(hosts_)) Leave(host);
  std::exchange(loop_, nullptr)->Close(std::move(closed));
}

// The peers are told once; nobody waits for what they say to it.
void Links::Leave(Host* host) {
  now_us_ = NowUs();
  for (uint32_t slot = 0; slot < lines_.capacity(); ++slot) {
    Line* line = lines_.AtSlot(slot);
    if (line == nullptr || line->host != host) continue;
    if (line->link != nullptr) {
      line->link->Close(kcp::Reason::kShutdown, now_us_);
      FlushLink(*line);
    }
    End(*line, kcp::NameOf(kcp::Reason::kShutdown));
  }
  outbox_->Send();
  for (const pool::SlotId port : ports_->Of(host)) ports_->Close(port);
  ports_->Sweep();
  std::erase_if(events_, [host](const auto& event) { return event.first == host; });
  hosts_.erase(host);
}

// ---- the life of a link

Line& Links::NewLine(Host* host, std::shared_ptr<const Profile> profile, const Path& path, bool client) {
  const pool::SlotId id = lines_.Acquire();
  Line& line = *lines_.Find(id);
  line.id = id;
  line.client = client;
  line.stage = client ? Stage::kBegun : Stage::kAsked;
  line.host = host;
  line.profile = std::move(profile);
  line.path = path;
  line.ways.Add(path);
  line.begun_us = now_us_;
  ports_->Use(path.port);
  if (!client) ++hosts_[host].links_of[line.profile->id];
  return line;
}

void Links::MakeLink(Line& line, std::shared_ptr<kcp::Seal> seal, uint32_t conv, const Agreed& agreed) {
  kcp::Settings settings = line.profile->settings;
  settings.client = line.client;
  if (agreed.mtu != 0) settings.mtu = std::min(settings.mtu, agreed.mtu);
  if (agreed.window != 0) settings.peer_window = agreed.window;
  line.conv = conv;
  line.stage = Stage::kUp;
  line.bridge = std::make_unique<Bridge>(line.id, line.host, ends_.get(), static_cast<Shore*>(this));
  line.link = std::make_unique<kcp::Link>(settings, std::move(seal), conv, *line.ways.NumberOf(line.path),
                                          line.bridge.get(), now_us_);
  CountsOf(line.host).links += 1;
  Mark(line);
}

// A client's are told apart by it alone; a server's name its worker, too. Too long to come again: a reset
// that somebody has recorded fits no other link.
uint64_t Links::NewWireId(bool client) {
  for (;;) {
    const uint64_t random = Random();
    const uint64_t id = client ? random : (random & ~uint64_t{0xFF}) | worker_;
    if (id != 0 && !by_wire_id_.contains(id)) return id;
  }
}

void Links::Mark(Line& line) {
  if (std::exchange(line.dirty, true)) return;
  if (dirty_.empty()) loop_->SetTimer(0);
  dirty_.push_back(line.id);
}

void Links::Touch(pool::SlotId id) {
  if (Line* line = lines_.Find(id)) Mark(*line);
}

kcp::Link* Links::LinkOf(pool::SlotId id) {
  Line* line = lines_.Find(id);
  return line == nullptr ? nullptr : line->link.get();
}

bool Links::Close(pool::SlotId id, kcp::Reason reason) {
  Line* line = lines_.Find(id);
  if (line == nullptr) return false;
  now_us_ = NowUs();
  if (line->link != nullptr) {
    line->link->Close(reason, now_us_);
    Mark(*line);
  } else {
    End(*line, kcp::NameOf(reason));
  }
  return true;
}

void Links::KeepProfiles(const Host* host, std::span<const uint32_t> ids) {
  for (uint32_t slot = 0; slot < lines_.capacity(); ++slot) {
    const Line* line = lines_.AtSlot(slot);
    if (line == nullptr || line->host != host) continue;
    if (std::find(ids.begin(), ids.end(), line->profile->id) == ids.end())
      Close(line->id, kcp::Reason::kShutdown);
  }
}

void Links::HandOver(const Host* host) {
  for (uint32_t slot = 0; slot < lines_.capacity(); ++slot) {
    const Line* line = lines_.AtSlot(slot);
    if (line != nullptr && line->host == host && !line->client) Close(line->id, kcp::Reason::kShutdown);
  }
}

// The only place where one ends.
void Links::End(Line& line, const char* reason) {
  if (line.bridge != nullptr) line.bridge->AbortAll();
  if (line.link != nullptr) {
    TellChange(line);
    CountsOf(line.host).links -= 1;
  }
  // Nobody has heard of one that has not come up.
  if (line.client || line.proven) {
    Event event(Event::Kind::kDown);
    event.reason = reason;
    if (line.link != nullptr) event.stats = line.link->stats();
    Push(line, std::move(event));
  }
  Unlist(line);
  line.ways.Each([this](const Path& path) { ports_->Leave(path.port); });
  due_.Set(line.id.slot, DueHeap::kNever);
  // There may be something of it among what is to be sent, whose socket stays until then.
  if (dirty_.empty()) loop_->SetTimer(0);
  lines_.Release(line.id.slot);
}

void Links::Remember(const Line& line) {
  if (line.tunnel.empty()) return;
  std::erase_if(refusals_, [&](const auto& each) { return each.second.until_us <= now_us_; });
  refusals_[line.tunnel] = {line.error, now_us_ + kRefusalUs};
}

void Links::Unlist(Line& line) {
  const auto erase = [&](auto& table, const auto& key) {
    const auto found = table.find(key);
    if (found != table.end() && found->second.slot == line.id.slot) table.erase(found);
  };
  if (line.wire_id != 0) erase(by_wire_id_, line.wire_id);
  if (!line.tunnel.empty()) erase(tunnels_, line.tunnel);
  if (line.client) return;
  --hosts_[line.host].links_of[line.profile->id];
  wire_ids_.Leave(line.wire_id);
  if (!line.profile->is_kcptun()) {
    if (IsHalfOpen(line)) --half_open_;
    return erase(by_hello_, PathKey{line.path, line.peer_id});
  }
  erase(by_path_, PathKey{line.path, 0});
  erase(by_conv_, PathKey{AnyPathAt(line.path.port), line.conv});
}

Event Links::Complete(const Line& line, Event event) {
  event.link = line.id;
  event.profile = line.profile->id;
  event.is_client = line.client;
  event.peer = line.path.peer;
  return event;
}

}  // namespace anyport::links
