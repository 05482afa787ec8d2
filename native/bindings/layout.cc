#include "bindings/layout.h"

#include "admission/admission.h"
#include "desk/codes.h"
#include "desk/listing.h"
#include "desk/rings.h"
#include "engine/engine.h"
#include "pool/slabs.h"
#include "shared/buckets.h"
#include "shared/room.h"

namespace anyport::bindings {
namespace {

template <typename Names>
Napi::Array ToJs(Napi::Env env, const Names& names) {
  Napi::Array array = Napi::Array::New(env, names.size());
  for (uint32_t i = 0; i < names.size(); ++i) array.Set(i, names[i]);
  return array;
}

Napi::Object Codes(Napi::Env env) {
  Napi::Object codes = Napi::Object::New(env);
  codes.Set("stages", ToJs(env, desk::kStageNames));
  codes.Set("enders", ToJs(env, desk::kEnderNames));
  codes.Set("reasons", ToJs(env, desk::kReasonNames));
  codes.Set("closings", ToJs(env, desk::kClosingNames));
  codes.Set("causes", ToJs(env, desk::kCauseNames));
  codes.Set("checks", ToJs(env, admission::kCheckNames));
  codes.Set("events", ToJs(env, desk::kEventNames));
  codes.Set("answers", ToJs(env, desk::kAnswerNames));
  return codes;
}

struct Offset {
  const char* name;
  size_t offset;
};

constexpr Offset kEventOffsets[] = {{"kind", desk::kKind},
                                    {"slot", desk::kSlot},
                                    {"generation", desk::kGeneration},
                                    {"listener", desk::kListener},
                                    {"plan", desk::kPlan},
                                    {"protocol", desk::kProtocol},
                                    {"cause", desk::kCause},
                                    {"bytesOffset", desk::kBytesOffset},
                                    {"bytesLength", desk::kBytesLength},
                                    {"decidedAt", desk::kDecidedAt},
                                    {"error", desk::kError},
                                    {"by", desk::kBy},
                                    {"during", desk::kDuring},
                                    {"reason", desk::kReasonWord},
                                    {"sourcePort", desk::kSourcePort},
                                    {"sourceFamily", desk::kSourceFamily},
                                    {"source", desk::kSourceBytes},
                                    {"openingLength", desk::kOpeningLength},
                                    {"opening", desk::kOpening},
                                    {"datagram", desk::kDatagram},
                                    {"row", desk::kFlowRow},
                                    {"upstream", desk::kFlowUpstream},
                                    {"endpoint", desk::kFlowEndpoint},
                                    {"controlSlot", desk::kControlSlot},
                                    {"controlGeneration", desk::kControlGeneration}};

// Offset in 64-bit floats from the start of an event.
constexpr size_t NumberAt(desk::EventNumber number) { return desk::kNumbers / 2 + number; }

constexpr Offset kEventNumbers[] = {{"bytesUp", NumberAt(desk::kBytesUp)},
                                    {"bytesDown", NumberAt(desk::kBytesDown)},
                                    {"durationMs", NumberAt(desk::kDurationMs)},
                                    {"identifyMs", NumberAt(desk::kIdentifyMs)},
                                    {"connectMs", NumberAt(desk::kConnectMs)}};

constexpr Offset kAnswerOffsets[] = {{"kind", desk::kAnswerKind},
                                     {"slot", desk::kAnswerSlot},
                                     {"generation", desk::kAnswerGeneration},
                                     {"row", desk::kRow},
                                     {"first", desk::kFirst},
                                     {"patient", desk::kPatient},
                                     {"endpoint", desk::kEndpoint},
                                     {"endpointRow", desk::kEndpointRow},
                                     {"upstream", desk::kUpstream},
                                     {"count", desk::kCount},
                                     {"bytesWanted", desk::kBytesWanted},
                                     {"quietMs", desk::kQuietMs},
                                     {"by", desk::kEndBy},
                                     {"during", desk::kEndDuring},
                                     {"reason", desk::kEndReason},
                                     {"closing", desk::kEndClosing},
                                     {"choosy", desk::kChoosy},
                                     {"holdMs", desk::kHoldMs},
                                     {"sendOffset", desk::kSendOffset},
                                     {"sendLength", desk::kSendLength},
                                     {"expected", desk::kExpected},
                                     {"taken", desk::kTaken},
                                     {"greetingLength", desk::kGreetingLength},
                                     {"addressCount", desk::kAddressCount}};

constexpr Offset kRowOffsets[] = {{"slot", desk::kRowSlot},
                                  {"generation", desk::kRowGeneration},
                                  {"plan", desk::kRowPlan},
                                  {"listener", desk::kRowListener},
                                  {"protocol", desk::kRowProtocol},
                                  {"stage", desk::kRowStage},
                                  {"dial", desk::kRowDial},
                                  {"sourcePort", desk::kRowSourcePort},
                                  {"sourceFamily", desk::kRowSourceFamily},
                                  {"source", desk::kRowSourceBytes},
                                  {"datagram", desk::kRowDatagram},
                                  {"upstream", desk::kRowUpstream},
                                  {"ownPort", desk::kRowOwnPort},
                                  {"ownFamily", desk::kRowOwnFamily},
                                  {"own", desk::kRowOwnBytes}};

constexpr size_t NumberAt(desk::RowNumber number) { return desk::kRowNumbers / 2 + number; }

// Offset in 64-bit floats from the start of a row.
constexpr Offset kRowNumberOffsets[] = {{"bytesUp", NumberAt(desk::kRowBytesUp)},
                                        {"bytesDown", NumberAt(desk::kRowBytesDown)},
                                        {"ageMs", NumberAt(desk::kRowAgeMs)},
                                        {"idleMs", NumberAt(desk::kRowIdleMs)}};

constexpr Offset kRoomOffsets[] = {
    {"open", shared::kRoomOpen},          {"cutShort", shared::kRoomCutShort},
    {"tarpit", shared::kRoomTarpit},      {"flows", shared::kRoomFlows},
    {"waiting", shared::kRoomWaiting},    {"listeners", shared::kRoomListeners},
    {"endpoints", shared::kRoomEndpoints}};

template <size_t N>
Napi::Object Offsets(Napi::Env env, const Offset (&offsets)[N]) {
  Napi::Object object = Napi::Object::New(env);
  for (const Offset& each : offsets) object.Set(each.name, static_cast<double>(each.offset));
  return object;
}

Napi::Object Layout(Napi::Env env) {
  Napi::Object layout = Napi::Object::New(env);
  layout.Set("eventWords", desk::kEventWords);
  layout.Set("eventsMax", desk::kEventsMax);
  layout.Set("answerWords", desk::kAnswerWords);
  layout.Set("answersMax", desk::kAnswersMax);
  layout.Set("answerBytes", desk::kAnswerBytes);
  layout.Set("sendBytesMax", desk::kSendBytesMax);
  layout.Set("ownAddressesMax", desk::kOwnAddressesMax);
  layout.Set("ownAddressBytes", desk::kOwnAddressBytes);
  layout.Set("event", Offsets(env, kEventOffsets));
  layout.Set("eventNumber", Offsets(env, kEventNumbers));
  layout.Set("answer", Offsets(env, kAnswerOffsets));
  layout.Set("listingWords", static_cast<double>(desk::kListingWords));
  layout.Set("listingHeadWords", desk::kListingHeadWords);
  layout.Set("rowWords", desk::kRowWords);
  layout.Set("row", Offsets(env, kRowOffsets));
  layout.Set("rowNumber", Offsets(env, kRowNumberOffsets));
  layout.Set("bucketWords", static_cast<double>(shared::Buckets::kWords));
  layout.Set("room", Offsets(env, kRoomOffsets));
  return layout;
}

// By tier: its name, the size of a buffer, and how many a worker has.
Napi::Value BufferTiers(const Napi::CallbackInfo& info) {
  const size_t buffer_bytes = info[0].ToNumber().Uint32Value();
  Napi::Array tiers = Napi::Array::New(info.Env(), pool::kTiers);
  for (uint32_t index = 0; index < pool::kTiers; ++index) {
    const bool largest = pool::TierAt(index) == pool::kLargest;
    const size_t bytes = largest ? pool::Slabs::LargeBytes(buffer_bytes) : pool::kSlabBytes[index];
    Napi::Object tier = Napi::Object::New(info.Env());
    tier.Set("name", pool::kTierNames[index]);
    tier.Set("bytes", static_cast<double>(bytes));
    tier.Set("count", static_cast<double>(pool::kSlabs[index]));
    tiers.Set(index, tier);
  }
  return tiers;
}

// Required size of an engine's arena for this buffer size.
Napi::Value ArenaBytes(const Napi::CallbackInfo& info) {
  const size_t bytes = engine::ArenaBytes(info[0].ToNumber().Uint32Value());
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

}  // namespace

void InitLayout(Napi::Env env, Napi::Object exports) {
  exports.Set("codes", Codes(env));
  exports.Set("layout", Layout(env));
  exports.Set("bufferTiers", Napi::Function::New<BufferTiers>(env, "bufferTiers"));
  exports.Set("arenaBytes", Napi::Function::New<ArenaBytes>(env, "arenaBytes"));
}

}  // namespace anyport::bindings
