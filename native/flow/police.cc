#include "flow/police.h"

#include "loop/clock.h"

namespace anyport::flow {

using desk::Session;
using plan::Scope;
using shared::Way;

bool Police::Begin(const Session& session) {
  const plan::Bandwidth& bandwidth = session.plan_upstream().bandwidth;
  if (bandwidth.up == 0 && bandwidth.down == 0) return false;
  if (bandwidth.per != Scope::kSession) return true;
  if (own_.size() <= session.carried) own_.resize(session.carried + 1);
  own_[session.carried] = {};
  return true;
}

size_t Police::Admit(const Session& session, Way way, const udp::Piece& piece) {
  const plan::Bandwidth& bandwidth = session.plan_upstream().bandwidth;
  const uint64_t rate = way == Way::kUp ? bandwidth.up : bandwidth.down;
  const size_t datagrams = udp::DatagramsIn(piece.bytes.size(), piece.segment);
  if (rate == 0) return datagrams;
  const uint64_t now_ns = loop::NowNs();
  const shared::Bucket bucket = BucketOf(session, way, now_ns);
  for (size_t i = 0; i < datagrams; ++i) {
    const size_t bytes = i + 1 < datagrams ? piece.segment : piece.bytes.size() - i * piece.segment;
    if (bucket.Take(bytes, rate, now_ns, shared::kBurstNs) <= now_ns) continue;
    bucket.Return(static_cast<int64_t>(bytes), rate);
    return i;
  }
  return datagrams;
}

shared::Bucket Police::BucketOf(const Session& session, Way way, uint64_t now_ns) {
  const plan::Upstream& upstream = session.plan_upstream();
  const Scope per = upstream.bandwidth.per;
  if (per == Scope::kSession)
    return shared::Bucket(own_[session.carried].words[static_cast<size_t>(way)].data());
  if (per == Scope::kSource) return buckets_.OfSource(session.source, upstream.id, way, now_ns);
  if (per == Scope::kEndpoint && session.endpoint != 0) return buckets_.OfEndpoint(session.endpoint, way);
  return buckets_.OfUpstream(upstream.id, way);
}

}  // namespace anyport::flow
