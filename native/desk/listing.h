// Rows of live sessions for TypeScript (src/worker/listing.ts): plain words, in slices of bounded work.
#pragma once

#include <cstdint>
#include <span>

#include "desk/session.h"
#include "pool/slots.h"

namespace anyport::desk {

// Word offsets of a row.
enum RowWord : uint32_t {
  kRowSlot,
  kRowGeneration,
  kRowPlan,      // generation of the session's Plan
  kRowListener,  // index in that Plan
  kRowProtocol,  // index in the listener's classifier, or -1: not identified
  kRowStage,
  kRowDial,  // index into the Plan's dials, or -1: none, or a handler
  kRowSourcePort,
  kRowSourceFamily,
  kRowSourceBytes,                     // 4 words
  kRowDatagram = kRowSourceBytes + 4,  // 1: a flow of datagrams
  kRowUpstream,                        // index in the Plan, or -1: not routed yet
  kRowOwnPort,                         // the session's own address, connected or connecting
  kRowOwnFamily,                       // 0: it has none
  kRowOwnBytes,                        // 4 words
  kRowNumbers = kRowOwnBytes + 5       // 64-bit floats from here: word 22
};
static_assert(kRowNumbers % 2 == 0);
// Offsets in 64-bit floats from kRowNumbers.
enum RowNumber : uint32_t { kRowBytesUp, kRowBytesDown, kRowAgeMs, kRowIdleMs, kRowNumberCount };

inline constexpr uint32_t kRowWords = kRowNumbers + 2 * kRowNumberCount;
// Word 0: number of rows; word 1: slot at which the next slice starts, 0 at the end.
inline constexpr uint32_t kListingHeadWords = 2;
inline constexpr uint32_t kListingRowsMax = 64;
inline constexpr size_t kListingWords = kListingHeadWords + size_t{kRowWords} * kListingRowsMax;
// Slots visited per slice, used or free.
inline constexpr uint32_t kListingSlotsMax = 8192;

// Writes the rows of a slice that starts at this slot. `words`: kListingWords.
void WriteSlice(const pool::Slots<Session>& sessions, uint32_t from_slot, std::span<uint32_t> words);

}  // namespace anyport::desk
