#include "links/endpoint.h"

#include <utility>

#include "loop/loop.h"

namespace anyport::links {
namespace {

// Of the thread: who comes last closes them.
thread_local std::weak_ptr<Links> links_here;
thread_local size_t endpoints_here = 0;

}  // namespace

std::unique_ptr<Endpoint> Endpoint::Create(uv_loop_t* uv, Tell tell, int* error) {
  std::shared_ptr<Links> links = endpoints_here > 0 ? links_here.lock() : nullptr;
  if (links == nullptr) {
    links = Links::Create(uv, 0, error);
    if (links == nullptr) return nullptr;
    links_here = links;
  }
  ++endpoints_here;
  return std::unique_ptr<Endpoint>(new Endpoint(uv, std::move(links), std::move(tell)));
}

Endpoint::Endpoint(uv_loop_t* uv, std::shared_ptr<Links> links, Tell tell)
    : uv_(uv), links_(std::move(links)), tell_(std::make_shared<const Tell>(std::move(tell))) {
  links_->Join(this);
}

// Called inside `tell`, too.
void Endpoint::Shutdown(std::function<void()> closed) {
  links_->Leave(this);
  tell_.reset();
  if (--endpoints_here > 0) return loop::CallLater(uv_, std::move(closed));
  links_->Shutdown(std::move(closed));
}

std::optional<uint64_t> Endpoint::OnStream(const Arrived& stream, net::Fd fd) {
  Event event(Event::Kind::kStream);
  event.link = stream.link;
  event.stream = stream.stream;
  event.peer = stream.peer;
  event.fd = std::move(fd);
  links_->Tell(this, std::move(event));
  return 0;
}

void Endpoint::OnReset(pool::SlotId stream, uint64_t) {
  Event event(Event::Kind::kReset);
  event.stream = stream;
  links_->Tell(this, std::move(event));
}

bool Endpoint::Deliver(std::span<Event> events) {
  const auto tell = tell_;  // may be called off meanwhile
  if (tell == nullptr) return false;
  (*tell)(events);
  return true;
}

void Endpoint::Count(const Counts& counts) {
  counts_.links += counts.links;
  counts_.segments_sent += counts.segments_sent;
  counts_.segments_received += counts.segments_received;
  counts_.retransmits += counts.retransmits;
  counts_.recovered += counts.recovered;
  counts_.resets_sent += counts.resets_sent;
  counts_.resets_received += counts.resets_received;
  for (size_t i = 0; i < kDroppedReasons; ++i) counts_.dropped[i] += counts.dropped[i];
}

}  // namespace anyport::links
