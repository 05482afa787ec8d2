#include "engine/tls_host.h"

#include <utility>

namespace anyport::engine {

std::unique_ptr<TlsHost> TlsHost::Create(uv_loop_t* uv, desk::Desk* desk, stream::Streams* streams,
                                         loop::Loop* loop, int* error) {
  std::unique_ptr<TlsHost> host(new TlsHost(desk, streams, loop));
  host->bridges_ = tls::Bridges::Create(uv, host.get(), error);
  return host->bridges_ == nullptr ? nullptr : std::move(host);
}

net::Opened TlsHost::Secure(const desk::Session& session, net::Fd fd) {
  const uint64_t number = uint64_t{session.id.generation} << 32 | session.id.slot;
  return bridges_->Begin(session.plan_upstream().tls, std::move(fd), number);
}

void TlsHost::OnProblem(uint64_t number, int problem) {
  desk::Session* session = desk_->Find({static_cast<uint32_t>(number), static_cast<uint32_t>(number >> 32)});
  if (session == nullptr) return;
  loop_->SetTimer(0);
  streams_->OnReset(*session, desk::Side::kUpstream, problem);
}

}  // namespace anyport::engine
