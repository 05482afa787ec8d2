#include "stream/throttles.h"

#include <algorithm>

#include "loop/clock.h"

namespace anyport::stream {
namespace {

using desk::Session;
using plan::Scope;

constexpr Way kBothWays[] = {Way::kUp, Way::kDown};

uint64_t RateOf(const Session& session, Way way) {
  const plan::Bandwidth& bandwidth = session.plan_upstream().bandwidth;
  return way == Way::kUp ? bandwidth.up : bandwidth.down;
}

uint64_t QuantumOf(const Session& session, uint64_t rate) {
  return stream::QuantumOf(rate, session.plan_upstream().bandwidth.per != Scope::kSession);
}

// A direction that does not run any more after a reset waits for nothing.
bool Runs(const Stream& stream, Way way) { return stream.reset_by != SinkOf(way); }

}  // namespace

void Throttles::Begin(const Session& session, Stream& stream) {
  const plan::Bandwidth& bandwidth = session.plan_upstream().bandwidth;
  if (bandwidth.up == 0 && bandwidth.down == 0) return;
  stream.throttled = true;
  if (halves_.size() <= session.carried) halves_.resize(session.carried + 1);
  const uint64_t now_ns = loop::NowNs();
  for (const Way way : kBothWays) HalfOf(session, way) = {.own = static_cast<int64_t>(now_ns)};
  if (bandwidth.up != 0)
    BucketOf(session, Way::kUp, now_ns).Return(-static_cast<int64_t>(stream.up.bytes()), bandwidth.up);
}

void Throttles::End(const Session& session, const Stream& stream) {
  if (!stream.throttled) return;
  for (const Way way : kBothWays) {
    if (HalfOf(session, way).start_ns != 0) Moved(session, way, 0, false);
  }
}

relay::Flow Throttles::Run(const Session& session, Stream& stream, Way way, const relay::Tools& tools) {
  relay::HalfPipe& half = stream.half(way);
  const int source = stream.fd(SourceOf(way));
  const int sink = stream.fd(SinkOf(way));
  const uint64_t rate = RateOf(session, way);
  if (rate == 0) return half.Run(source, sink, tools);
  if (!half.movable() || !Take(session, way)) return relay::Flow::kBlocked;
  relay::Tools exact = tools;
  exact.run_bytes = static_cast<size_t>(std::min<uint64_t>(QuantumOf(session, rate), tools.run_bytes));
  exact.exact = true;
  const uint64_t before = half.bytes();
  const relay::Flow flow = half.Run(source, sink, exact);
  Moved(session, way, half.bytes() - before, flow == relay::Flow::kBusy);
  return flow;
}

// Takes a quantum unless one is taken. True: its time has come.
bool Throttles::Take(const Session& session, Way way) {
  Half& half = HalfOf(session, way);
  const uint64_t now_ns = loop::NowNs();
  if (half.start_ns == 0) {
    const uint64_t rate = RateOf(session, way);
    const uint64_t late_ns = half.goes_on ? shared::kLateNs : shared::kBurstNs;
    half.start_ns = BucketOf(session, way, now_ns).Take(QuantumOf(session, rate), rate, now_ns, late_ns);
    half.asked_ns = now_ns;
  }
  if (half.start_ns > now_ns) return false;
  books_->Waited(session, way == Way::kUp, static_cast<double>(now_ns - half.asked_ns) / 1e9);
  return true;
}

// Gives back what was not moved of the quantum. `more`: it would have moved more.
void Throttles::Moved(const Session& session, Way way, uint64_t bytes, bool more) {
  const uint64_t rate = RateOf(session, way);
  Half& half = HalfOf(session, way);
  const int64_t left = static_cast<int64_t>(QuantumOf(session, rate)) - static_cast<int64_t>(bytes);
  BucketOf(session, way, half.asked_ns).Return(left, rate);
  half.start_ns = 0;
  half.goes_on = more;
}

uint64_t Throttles::DueMs(const Session& session, const Stream& stream) const {
  if (!stream.throttled) return kNever;
  uint64_t due_ns = kNever;
  for (const Way way : kBothWays) {
    const uint64_t start_ns = halves_[session.carried][static_cast<size_t>(way)].start_ns;
    if (start_ns != 0 && Runs(stream, way)) due_ns = std::min(due_ns, start_ns);
  }
  return due_ns == kNever ? kNever : due_ns / 1'000'000 + 1;
}

shared::Bucket Throttles::BucketOf(const Session& session, Way way, uint64_t now_ns) {
  const plan::Upstream& upstream = session.plan_upstream();
  const Scope per = upstream.bandwidth.per;
  if (per == Scope::kSession) return shared::Bucket(&HalfOf(session, way).own);
  if (per == Scope::kSource) return buckets_.OfSource(session.source, upstream.id, way, now_ns);
  // A handler is its upstream's only endpoint.
  if (per == Scope::kEndpoint && session.endpoint != 0) return buckets_.OfEndpoint(session.endpoint, way);
  return buckets_.OfUpstream(upstream.id, way);
}

}  // namespace anyport::stream
