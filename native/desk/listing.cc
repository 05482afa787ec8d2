#include "desk/listing.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "desk/carrier.h"
#include "loop/clock.h"

namespace anyport::desk {
namespace {

constexpr double kNoIdleTime = -1;

double IdleMs(const Progress& progress, uint64_t now_ns) {
  if (progress.active_ms == 0) return kNoIdleTime;
  const uint64_t now_ms = now_ns / 1'000'000;
  return static_cast<double>(now_ms - std::min(now_ms, progress.active_ms));
}

void WriteRow(const Session& session, uint64_t now_ns, std::span<uint32_t> row) {
  const Progress progress = session.carrier->ProgressOf(session);
  row[kRowSlot] = session.id.slot;
  row[kRowGeneration] = session.id.generation;
  row[kRowPlan] = session.plan->generation;
  row[kRowListener] = session.listener;
  // Until it is counted for a protocol, the match may still be refused.
  row[kRowProtocol] = session.row != 0 ? static_cast<uint32_t>(session.protocol) : kNone;
  row[kRowStage] = static_cast<uint32_t>(session.stage);
  row[kRowDial] = progress.dial;
  row[kRowSourcePort] = session.source.port;
  row[kRowSourceFamily] = session.source.family;
  row[kRowDatagram] = CarriedBy(session);
  std::memcpy(&row[kRowSourceBytes], session.source.bytes.data(), session.source.bytes.size());
  row[kRowUpstream] = session.upstream;
  row[kRowOwnPort] = progress.own.port;
  row[kRowOwnFamily] = progress.own.family;
  std::memcpy(&row[kRowOwnBytes], progress.own.bytes.data(), progress.own.bytes.size());
  double numbers[kRowNumberCount];
  numbers[kRowBytesUp] = static_cast<double>(progress.bytes_up);
  numbers[kRowBytesDown] = static_cast<double>(progress.bytes_down);
  numbers[kRowAgeMs] = loop::Milliseconds(session.accepted_ns, now_ns);
  numbers[kRowIdleMs] = IdleMs(progress, now_ns);
  std::memcpy(&row[kRowNumbers], numbers, sizeof(numbers));
}

}  // namespace

void WriteSlice(const pool::Slots<Session>& sessions, uint32_t from_slot, std::span<uint32_t> words) {
  assert(words.size() >= kListingWords);
  const auto capacity = static_cast<uint32_t>(sessions.capacity());
  const uint32_t left = capacity - std::min(from_slot, capacity);
  const uint32_t end = from_slot + std::min(left, kListingSlotsMax);
  const uint64_t now_ns = loop::NowNs();
  uint32_t rows = 0;
  uint32_t slot = from_slot;
  for (; slot < end && rows < kListingRowsMax; ++slot) {
    const Session* session = sessions.AtSlot(slot);
    if (session == nullptr) continue;
    WriteRow(*session, now_ns, words.subspan(kListingHeadWords + size_t{kRowWords} * rows, kRowWords));
    ++rows;
  }
  words[0] = rows;
  words[1] = slot < capacity ? slot : 0;
}

}  // namespace anyport::desk
