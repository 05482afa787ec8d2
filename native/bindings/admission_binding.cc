#include "bindings/admission_binding.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arguments.h"
#include "bindings/prefixes_binding.h"
#include "loop/clock.h"

namespace anyport::bindings {
namespace {

// About three centuries.
constexpr double kForeverNs = 9e18;
constexpr const char* kBanReasonNames[] = {"attempts", "failures", "operator", "cluster"};

std::shared_ptr<const admission::Prefixes> ListAt(const Napi::Object& lists, const char* key) {
  const Napi::Value value = lists.Get(key);
  return value.IsNull() ? nullptr : PrefixesBinding::From(value);
}

admission::Lists ListsFrom(const Napi::Object& lists) {
  return {ListAt(lists, "denied"), ListAt(lists, "allowed"), ListAt(lists, "trusted")};
}

std::string TextOf(const net::Source& source) {
  const net::Address address = net::AddressOf(source);
  return net::Describe(address.storage, address.length).host;
}

Napi::Object BanFrom(Napi::Env env, const admission::SourceBan& ban, uint64_t now_ns) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("address", TextOf(ban.source));
  object.Set("reason", kBanReasonNames[static_cast<size_t>(ban.reason)]);
  object.Set("ageMs", loop::Milliseconds(ban.from_ns, now_ns));
  object.Set("leftMs", loop::Milliseconds(now_ns, ban.until_ns));
  return object;
}

}  // namespace

void AdmissionBinding::Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Admission", DefineClass(env, "Admission",
                                       {
                                           InstanceMethod<&AdmissionBinding::SetLists>("setLists"),
                                           InstanceMethod<&AdmissionBinding::Bans>("bans"),
                                           InstanceMethod<&AdmissionBinding::BanOf>("banOf"),
                                           InstanceMethod<&AdmissionBinding::Ban>("ban"),
                                           InstanceMethod<&AdmissionBinding::Lift>("lift"),
                                           InstanceMethod<&AdmissionBinding::Counts>("counts"),
                                       }));
}

AdmissionBinding::AdmissionBinding(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const auto options = info[0].As<Napi::Object>();
  const auto room = SharedSpanOf<int32_t>(options, "room");
  if (room.size() < shared::kRoomWordsMin) throw Napi::RangeError::New(info.Env(), "the room is too small");
  room_ = Napi::Persistent(options);
  gate_ = admission::GateOf(shared::Room(room));
}

Napi::Value AdmissionBinding::SetLists(const Napi::CallbackInfo& info) {
  const auto object = info[0].As<Napi::Object>();
  auto set = std::make_shared<admission::ListSet>();
  set->all = ListsFrom(object.Get("all").As<Napi::Object>());
  const auto listeners = object.Get("listeners").As<Napi::Array>();
  for (uint32_t i = 0; i < listeners.Length(); ++i) {
    const auto listener = listeners.Get(i).As<Napi::Object>();
    set->listeners.push_back({Uint32At(listener, "id"), ListsFrom(listener)});
  }
  std::sort(set->listeners.begin(), set->listeners.end(),
            [](const auto& one, const auto& other) { return one.id < other.id; });
  gate_->SetLists(std::move(set));
  return info.Env().Undefined();
}

Napi::Value AdmissionBinding::Bans(const Napi::CallbackInfo& info) {
  const uint64_t now_ns = loop::NowNs();
  const std::vector<admission::SourceBan> bans = gate_->sources().Bans(now_ns);
  const auto most = static_cast<uint32_t>(bans.size());
  const uint32_t count = info[0].IsNumber() ? std::min(info[0].As<Napi::Number>().Uint32Value(), most) : most;
  Napi::Array array = Napi::Array::New(info.Env(), count);
  for (uint32_t i = 0; i < count; ++i) array.Set(i, BanFrom(info.Env(), bans[i], now_ns));
  return array;
}

Napi::Value AdmissionBinding::BanOf(const Napi::CallbackInfo& info) {
  const uint64_t now_ns = loop::NowNs();
  const auto ban = gate_->sources().BanAt(SourceFrom(info[0]), now_ns);
  return ban.has_value() ? BanFrom(info.Env(), *ban, now_ns) : info.Env().Null();
}

Napi::Value AdmissionBinding::Ban(const Napi::CallbackInfo& info) {
  const uint64_t now_ns = loop::NowNs();
  const double ms = info[1].ToNumber().DoubleValue();
  if (!(ms > 0)) throw Napi::RangeError::New(info.Env(), "ms: a time above 0 is expected");
  const uint64_t until_ns = now_ns + static_cast<uint64_t>(std::min(ms * 1e6, kForeverNs));
  const bool by_cluster = info[2].IsString() && info[2].As<Napi::String>().Utf8Value() == "cluster";
  const auto reason = by_cluster ? admission::BanReason::kCluster : admission::BanReason::kOperator;
  return Napi::Boolean::New(info.Env(), gate_->sources().Ban(SourceFrom(info[0]), now_ns, until_ns, reason));
}

Napi::Value AdmissionBinding::Lift(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), gate_->sources().Lift(SourceFrom(info[0]), loop::NowNs()));
}

Napi::Value AdmissionBinding::Counts(const Napi::CallbackInfo& info) {
  const admission::SourceCounts sources = gate_->sources().Counts(loop::NowNs());
  const auto connections = gate_->identifying(admission::Holder::kConnection).counts();
  const auto flows = gate_->identifying(admission::Holder::kFlow).counts();
  Napi::Object counts = Napi::Object::New(info.Env());
  const auto set = [&](const char* key, auto value) { counts.Set(key, static_cast<double>(value)); };
  set("sources", sources.tracked);
  set("evictions", sources.evictions);
  set("crowded", sources.crowded);
  set("bansActive", sources.bans_active);
  Napi::Object bans = Napi::Object::New(info.Env());
  for (size_t i = 0; i < sources.bans.size(); ++i)
    bans.Set(kBanReasonNames[i], static_cast<double>(sources.bans[i]));
  counts.Set("bans", bans);
  set("lifted", sources.lifted);
  set("displaced", sources.displaced);
  set("identifying", connections.now + flows.now);
  set("evictedBySource", connections.evicted_by_source + flows.evicted_by_source);
  set("evictedInAll", connections.evicted_in_all + flows.evicted_in_all);
  return counts;
}

}  // namespace anyport::bindings
