#include "bindings/kcp_from.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "bindings/arguments.h"
#include "kcp/crypt.h"
#include "loop/clock.h"

namespace anyport::bindings {
namespace {

constexpr std::array kEventNames = {"hello", "begin", "answer", "up", "down", "stream", "reset"};
constexpr std::array kStageNames = {"handshake", "handshake", "up"};
// Slot below generation (24 bits).
constexpr double kSlots = 1 << 28;

Napi::Object ObjectAt(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsObject()) throw Napi::TypeError::New(object.Env(), std::string(key) + " must be an object");
  return value.As<Napi::Object>();
}

uint16_t Uint16At(const Napi::Object& object, const char* key) {
  return static_cast<uint16_t>(std::min<uint32_t>(Uint32At(object, key), 0xFFFF));
}

std::span<const uint8_t> BytesFrom(const Napi::Value& value, const char* what) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a Uint8Array");
  const auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

template <size_t N>
std::array<uint8_t, N> ExactlyAt(const Napi::Object& object, const char* key) {
  const auto bytes = BytesFrom(object.Get(key), key);
  if (bytes.size() != N)
    throw Napi::RangeError::New(object.Env(),
                                std::string(key) + " must be of " + std::to_string(N) + " bytes");
  std::array<uint8_t, N> copy;
  std::copy(bytes.begin(), bytes.end(), copy.begin());
  return copy;
}

kcp::Mode ModeFrom(const Napi::Object& object) {
  return {Uint16At(object, "nodelay"), Uint16At(object, "intervalMs"), Uint16At(object, "resend"),
          Uint16At(object, "nc")};
}

kcp::Fec FecFrom(const Napi::Object& object) {
  return {static_cast<uint8_t>(Uint32At(object, "data")), static_cast<uint8_t>(Uint32At(object, "parity")),
          object.Get("adaptive").ToBoolean()};
}

void ReadKcptun(const Napi::Object& object, links::Profile* profile) {
  kcp::Settings& settings = profile->settings;
  settings.wire = kcp::Wire::kKcptun;
  settings.mux = Uint32At(object, "smux") == 1 ? kcp::MuxDialect::kSmux1 : kcp::MuxDialect::kSmux2;
  settings.snappy = object.Get("compression").ToBoolean();
  profile->crypt = object.Get("crypt").ToString();
  profile->pass = ExactlyAt<32>(object, "pass");
  profile->sealed = kcp::MakeCrypt(profile->crypt, profile->pass);
  if (profile->sealed == nullptr)
    throw Napi::RangeError::New(object.Env(), "no such cipher here: " + profile->crypt);
}

links::Agreed AgreedFrom(const Napi::Object& object) {
  links::Agreed agreed;
  agreed.send = ExactlyAt<32>(object, "send");
  agreed.receive = ExactlyAt<32>(object, "receive");
  const uint32_t cipher = Uint32At(object, "cipher");
  if (cipher > static_cast<uint32_t>(kcp::Cipher::kXSalsa20Poly1305))
    throw Napi::RangeError::New(object.Env(), "no such cipher: " + std::to_string(cipher));
  agreed.cipher = static_cast<kcp::Cipher>(cipher);
  const Napi::Object peer = ObjectAt(object, "peer");
  agreed.conv = Uint32At(peer, "conv");
  agreed.mtu = Uint16At(peer, "mtu");
  agreed.window = Uint16At(peer, "receiveWindow");
  return agreed;
}

Napi::Object PeerToJs(Napi::Env env, const net::Source& peer) {
  net::Address address = net::AddressOf(peer);
  net::HostPort described = net::Describe(address.storage, address.length);
  described.port = peer.port;
  return ToJs(env, described);
}

double Milliseconds(uint64_t us) { return static_cast<double>(us) / 1000; }

void AddStats(const kcp::LinkStats& stats, uint64_t now_us, Napi::Object* row) {
  const auto set = [row](const char* key, double value) { row->Set(key, value); };
  const auto count = [&set](const char* key, uint64_t value) { set(key, static_cast<double>(value)); };
  set("rttMs", Milliseconds(stats.rtt_us));
  set("rttVarMs", Milliseconds(stats.rtt_variation_us));
  set("lossRate", stats.loss_ppm / 1e6);
  set("idleMs", Milliseconds(now_us - std::min(now_us, stats.heard_us)));
  count("streams", stats.streams);
  count("inFlight", stats.in_flight);
  count("keys", stats.keys);
  count("moves", stats.moves);
  count("segmentsSent", stats.segments_sent);
  count("segmentsReceived", stats.segments_received);
  count("retransmits", stats.retransmits);
  count("recovered", stats.fec_recovered);
  count("bytesSent", stats.bytes_sent);
  count("bytesReceived", stats.bytes_received);
  count("datagramsSent", stats.datagrams_sent);
  count("datagramsReceived", stats.datagrams_received);
  count("wireBytesSent", stats.wire_bytes_sent);
  count("wireBytesReceived", stats.wire_bytes_received);
}

Napi::Object RowOf(Napi::Env env, const links::Line& line, uint64_t now_us) {
  Napi::Object row = Napi::Object::New(env);
  const kcp::Settings& settings = line.profile->settings;
  const bool closing = line.link != nullptr && line.link->state() != kcp::State::kUp;
  row.Set("link", NumberOf(line.id));
  row.Set("profile", line.profile->id);
  row.Set("listener", line.client ? -1 : static_cast<double>(line.tag));
  row.Set("isClient", line.client);
  row.Set("remote", PeerToJs(env, line.path.peer));
  row.Set("state", closing ? "closing" : kStageNames[static_cast<size_t>(line.stage)]);
  row.Set("ageMs", Milliseconds(now_us - std::min(now_us, line.begun_us)));
  row.Set("mtu", settings.mtu);
  const kcp::LinkStats stats = line.link == nullptr ? kcp::LinkStats{} : line.link->stats();
  row.Set("sendWindow", settings.send_window);
  row.Set("receiveWindow", settings.receive_window);
  row.Set("peerWindow", stats.send_window);
  AddStats(stats, now_us, &row);
  return row;
}

Napi::Object ToJs(Napi::Env env, links::Event& event) {
  using Kind = links::Event::Kind;
  Napi::Object object = Napi::Object::New(env);
  object.Set("kind", kEventNames[static_cast<size_t>(event.kind)]);
  object.Set(event.kind == Kind::kHello ? "handle" : "link", NumberOf(event.link));
  object.Set("profile", event.profile);
  object.Set("isClient", event.is_client);
  object.Set("from", PeerToJs(env, event.peer));
  if (event.kind == Kind::kHello || event.kind == Kind::kAnswer)
    object.Set("bytes", Napi::Buffer<uint8_t>::Copy(env, event.bytes.data(), event.bytes.size()));
  if (event.kind == Kind::kHello)
    object.Set("token", Napi::Buffer<uint8_t>::Copy(env, event.token.data(), event.token.size()));
  if (event.kind == Kind::kStream || event.kind == Kind::kReset) object.Set("stream", NumberOf(event.stream));
  if (event.kind == Kind::kStream) object.Set("fd", event.fd.Release());
  if (event.kind == Kind::kDown) {
    object.Set("reason", event.reason);
    Napi::Object stats = Napi::Object::New(env);
    AddStats(event.stats, loop::NowNs() / 1000, &stats);
    object.Set("stats", stats);
  }
  return object;
}

pool::SlotId LinkOf(const Napi::CallbackInfo& info) { return SlotIdFrom(info[0]); }

Napi::Value Said(const Napi::CallbackInfo& info, bool done) { return Napi::Boolean::New(info.Env(), done); }

}  // namespace

double NumberOf(pool::SlotId id) { return id.generation * kSlots + id.slot; }

pool::SlotId SlotIdFrom(const Napi::Value& value) {
  const double number = value.ToNumber().DoubleValue();
  // Of no object.
  if (!(number >= 0) || number >= kSlots * (pool::kGenerationMask + 1.0)) return {~uint32_t{0}, 0};
  const auto generation = static_cast<uint32_t>(std::floor(number / kSlots));
  return {static_cast<uint32_t>(number - generation * kSlots), generation};
}

std::shared_ptr<const links::Profile> KcpProfileFrom(const Napi::Object& object) {
  auto profile = std::make_shared<links::Profile>();
  kcp::Settings& settings = profile->settings;
  profile->id = Uint32At(object, "id");
  settings.mode = ModeFrom(ObjectAt(object, "mode"));
  settings.fec = FecFrom(ObjectAt(object, "fec"));
  settings.mtu = Uint16At(object, "mtu");
  settings.send_window = Uint16At(object, "sendWindow");
  settings.receive_window = Uint16At(object, "receiveWindow");
  settings.heartbeat_ms = Uint32At(object, "heartbeatMs");
  settings.dead_after_ms = Uint32At(object, "deadAfterMs");
  settings.streams_max = Uint32At(object, "streamsMax");
  settings.single_stream = object.Get("singleStream").ToBoolean();
  profile->idle_ms = Uint32At(object, "idleMs");
  const uint32_t links_max = Uint32At(object, "linksMax");
  if (links_max > 0) profile->links_max = links_max;
  profile->reset_key = links::ResetKeyOfProcess();
  if (!object.Get("resetKey").IsNull()) profile->reset_key = ExactlyAt<32>(object, "resetKey");
  if (!object.Get("kcptun").IsNull()) ReadKcptun(ObjectAt(object, "kcptun"), profile.get());
  return profile;
}

void TellKcp(const Callback& callback, std::span<links::Event> events) {
  for (links::Event& event : events) {
    const Napi::HandleScope scope(callback.env());
    callback.Call({ToJs(callback.env(), event)});
  }
}

Napi::Value KcpSend(const Napi::CallbackInfo& info, links::Links* links) {
  const auto hello = BytesFrom(info[1], "hello");
  return Said(info, links != nullptr && links->Send(LinkOf(info), hello));
}

Napi::Value KcpEstablish(const Napi::CallbackInfo& info, links::Links* links) {
  const auto object = info[1].As<Napi::Object>();
  links::Agreed agreed = AgreedFrom(object);
  agreed.reset = ExactlyAt<kcp::kResetTokenBytes>(object, "reset");
  return Said(info, links != nullptr && links->Establish(LinkOf(info), agreed));
}

Napi::Value KcpFail(const Napi::CallbackInfo& info, links::Links* links) {
  return Said(info, links != nullptr && links->Fail(LinkOf(info)));
}

Napi::Value KcpAccept(const Napi::CallbackInfo& info, links::Links* links) {
  const auto object = info[1].As<Napi::Object>();
  const links::Agreed agreed = AgreedFrom(object);
  const auto answer = BytesFrom(object.Get("answer"), "answer");
  return Said(info, links != nullptr && links->Accept(LinkOf(info), agreed, answer));
}

Napi::Value KcpRefuse(const Napi::CallbackInfo& info, links::Links* links) {
  return Said(info, links != nullptr && links->Refuse(LinkOf(info)));
}

Napi::Value KcpEnd(const Napi::CallbackInfo& info, links::Links* links) {
  return Said(info, links != nullptr && links->Close(LinkOf(info), kcp::Reason::kAdmin));
}

Napi::Value KcpLinks(Napi::Env env, links::Links* links, const links::Host* host) {
  Napi::Array rows = Napi::Array::New(env);
  if (links == nullptr) return rows;
  const uint64_t now_us = loop::NowNs() / 1000;
  uint32_t count = 0;
  for (uint32_t slot = 0; slot < links->lines().capacity(); ++slot) {
    const links::Line* line = links->lines().AtSlot(slot);
    if (line != nullptr && line->host == host) rows.Set(count++, RowOf(env, *line, now_us));
  }
  return rows;
}

}  // namespace anyport::bindings
