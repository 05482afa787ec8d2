#include "stream/watch.h"

#include <sys/epoll.h>

#include <utility>

#include "desk/tags.h"

namespace anyport::stream {
namespace {

uint64_t TagFor(const desk::Session& session, Side side) {
  return desk::TagOf(side == Side::kClient ? desk::TagKind::kClient : desk::TagKind::kUpstream, session.id);
}

bool& ArmedOf(Stream& stream, Side side) {
  return side == Side::kClient ? stream.client_armed : stream.upstream_armed;
}

}  // namespace

bool Watch::Add(const desk::Session& session, Stream& stream, Side side, bool writable) {
  ArmedOf(stream, side) = writable;
  const uint32_t interest = loop::kSocketEvents | (writable ? uint32_t{EPOLLOUT} : 0);
  return loop_->Add(stream.fd(side), interest, TagFor(session, side)) == 0;
}

void Watch::AlsoWritable(const desk::Session& session, Stream& stream, Side side) {
  if (std::exchange(ArmedOf(stream, side), true)) return;
  loop_->Modify(stream.fd(side), loop::kSocketEvents | EPOLLOUT, TagFor(session, side));
}

}  // namespace anyport::stream
