// Links of a program without the daemon: a socket that clients send to, or links of its own, whose streams
// are descriptors for JavaScript. All endpoints of a thread share its links.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <span>

#include "links/host.h"
#include "links/links.h"

namespace anyport::links {

class Endpoint final : public Host {
 public:
  using Tell = std::function<void(std::span<Event> events)>;

  // Null with an errno in `error` when the thread's links can not be created.
  static std::unique_ptr<Endpoint> Create(uv_loop_t* uv, Tell tell, int* error);

  Links& links() { return *links_; }
  // Of the thread; those of all its endpoints.
  const Counts& counts() const { return counts_; }
  // Ends everything at once, without events; `closed` is called later, from libuv.
  void Shutdown(std::function<void()> closed);

 private:
  Endpoint(uv_loop_t* uv, std::shared_ptr<Links> links, Tell tell);

  std::optional<uint64_t> OnStream(const Arrived& stream, net::Fd fd) override;
  void OnReset(pool::SlotId stream, uint64_t number) override;
  bool Deliver(std::span<Event> events) override;
  void Count(const Counts& counts) override;
  void Hold(uint32_t) override {}  // it has no sockets but those read by the links
  void LetGo(uint32_t) override {}

  uv_loop_t* uv_;
  std::shared_ptr<Links> links_;
  std::shared_ptr<const Tell> tell_;
  Counts counts_;
};

}  // namespace anyport::links
