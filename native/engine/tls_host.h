// TLS connections of a worker's sessions to the proxies that their endpoints are behind.
#pragma once

#include <memory>

#include "connect/securing.h"
#include "desk/desk.h"
#include "loop/loop.h"
#include "stream/streams.h"
#include "tls/bridges.h"

namespace anyport::engine {

class TlsHost final : public tls::Host, public connect::Securing {
 public:
  // `loop`: the engine's, which gets a turn for what a connection ends. Null with an errno in `error`.
  static std::unique_ptr<TlsHost> Create(uv_loop_t* uv, desk::Desk* desk, stream::Streams* streams,
                                         loop::Loop* loop, int* error);

  net::Opened Secure(const desk::Session& session, net::Fd fd) override;
  bool IsUp(int fd) override { return bridges_->IsUp(fd); }
  void Abort(int fd) override { bridges_->Abort(fd); }
  // Closes all of them at once.
  void Shutdown() { bridges_.reset(); }

 private:
  TlsHost(desk::Desk* desk, stream::Streams* streams, loop::Loop* loop)
      : desk_(desk), streams_(streams), loop_(loop) {}
  void OnProblem(uint64_t number, int problem) override;

  std::unique_ptr<tls::Bridges> bridges_;
  desk::Desk* desk_;
  stream::Streams* streams_;
  loop::Loop* loop_;
};

}  // namespace anyport::engine
