#include "bindings/kcp_endpoint_binding.h"

#include <utility>

#include "bindings/arguments.h"
#include "bindings/kcp_from.h"
#include "kcp/link.h"
#include "links/resets.h"
#include "udp/sockets.h"

namespace anyport::bindings {
namespace {

uint16_t Uint16(const Napi::Value& value) { return static_cast<uint16_t>(value.ToNumber().Uint32Value()); }

Napi::Value AddressOf(Napi::Env env, const net::Address& address) {
  return ToJs(env, net::Describe(address.storage, address.length));
}

void AllowResets(const Napi::CallbackInfo& info) { links::Resets::Allow(info[0].ToBoolean()); }

}  // namespace

void KcpEndpointBinding::Init(Napi::Env env, Napi::Object exports) {
  using Self = KcpEndpointBinding;
  exports.Set("allowKcpResets", Napi::Function::New<AllowResets>(env, "allowKcpResets"));
  exports.Set("KcpEndpoint", DefineClass(env, "KcpEndpoint",
                                         {
                                             InstanceMethod<&Self::Bind>("bind"),
                                             InstanceMethod<&Self::Connect>("connect"),
                                             InstanceMethod<&Self::Send>("send"),
                                             InstanceMethod<&Self::Establish>("establish"),
                                             InstanceMethod<&Self::Fail>("fail"),
                                             InstanceMethod<&Self::Accept>("accept"),
                                             InstanceMethod<&Self::Refuse>("refuse"),
                                             InstanceMethod<&Self::Open>("open"),
                                             InstanceMethod<&Self::Reset>("reset"),
                                             InstanceMethod<&Self::Finish>("finish"),
                                             InstanceMethod<&Self::End>("end"),
                                             InstanceMethod<&Self::SetWindow>("setWindow"),
                                             InstanceMethod<&Self::SetMtu>("setMtu"),
                                             InstanceMethod<&Self::SetInterval>("setInterval"),
                                             InstanceMethod<&Self::Links>("links"),
                                             InstanceMethod<&Self::Counts>("counts"),
                                             InstanceMethod<&Self::Drain>("drain"),
                                             InstanceMethod<&Self::Close>("close"),
                                         }));
}

KcpEndpointBinding::KcpEndpointBinding(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  const auto options = info[0].As<Napi::Object>();
  profile_ = KcpProfileFrom(options.Get("profile").As<Napi::Object>());
  callback_ = std::make_shared<Callback>(env, options.Get("onEvent").As<Napi::Function>());
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  int error = 0;
  auto tell = [callback = callback_](std::span<links::Event> events) { TellKcp(*callback, events); };
  auto created = links::Endpoint::Create(loop, std::move(tell), &error);
  if (created == nullptr) throw SystemError(env, error, "epoll");
  lifetime_ = Lifetime<links::Endpoint>::Attach(env, std::move(created));
}

KcpEndpointBinding::~KcpEndpointBinding() {
  if (lifetime_ != nullptr) lifetime_->Close();
}

links::Endpoint& KcpEndpointBinding::endpoint() {
  if (links::Endpoint* endpoint = lifetime_->get()) return *endpoint;
  throw Napi::Error::New(Env(), "the endpoint is closed");
}

links::Links* KcpEndpointBinding::links() {
  links::Endpoint* endpoint = lifetime_->get();
  return endpoint == nullptr ? nullptr : &endpoint->links();
}

Napi::Value KcpEndpointBinding::Bind(const Napi::CallbackInfo& info) {
  const net::Address address = AddressFrom(info[0]);
  net::Opened opened = udp::Bind(address, {});
  if (opened.error != 0) throw SystemError(info.Env(), opened.error, "bind");
  links::Endpoint& endpoint = this->endpoint();
  pool::SlotId port;
  const int error = endpoint.links().Serve(std::move(opened.fd), {&endpoint, profile_, 0, true}, &port);
  if (error != 0) throw SystemError(info.Env(), error, "bind");
  return AddressOf(info.Env(), endpoint.links().BoundTo(port));
}

Napi::Value KcpEndpointBinding::Connect(const Napi::CallbackInfo& info) {
  links::Target target{profile_, AddressFrom(info[0]), {}, 0};
  target.timeout_us = uint64_t{1000} * info[1].ToNumber().Uint32Value();
  links::Endpoint& endpoint = this->endpoint();
  pool::SlotId link;
  const int error = endpoint.links().Begin(&endpoint, target, &link);
  if (error != 0) throw SystemError(info.Env(), error, "connect");
  return Napi::Number::New(info.Env(), NumberOf(link));
}

Napi::Value KcpEndpointBinding::Send(const Napi::CallbackInfo& info) { return KcpSend(info, links()); }
Napi::Value KcpEndpointBinding::Establish(const Napi::CallbackInfo& info) {
  return KcpEstablish(info, links());
}
Napi::Value KcpEndpointBinding::Fail(const Napi::CallbackInfo& info) { return KcpFail(info, links()); }
Napi::Value KcpEndpointBinding::Accept(const Napi::CallbackInfo& info) { return KcpAccept(info, links()); }
Napi::Value KcpEndpointBinding::Refuse(const Napi::CallbackInfo& info) { return KcpRefuse(info, links()); }
Napi::Value KcpEndpointBinding::End(const Napi::CallbackInfo& info) { return KcpEnd(info, links()); }

Napi::Value KcpEndpointBinding::Open(const Napi::CallbackInfo& info) {
  links::Links::Opened opened = endpoint().links().Open(SlotIdFrom(info[0]), 0);
  if (opened.error != 0) throw SystemError(info.Env(), opened.error, "open");
  Napi::Object stream = Napi::Object::New(info.Env());
  stream.Set("stream", NumberOf(opened.stream));
  stream.Set("fd", opened.fd.Release());
  return stream;
}

Napi::Value KcpEndpointBinding::Reset(const Napi::CallbackInfo& info) {
  if (links::Links* links = this->links()) links->Abort(SlotIdFrom(info[0]));
  return info.Env().Undefined();
}

template <typename Change>
Napi::Value KcpEndpointBinding::Changed(const Napi::CallbackInfo& info, Change change) {
  const pool::SlotId id = SlotIdFrom(info[0]);
  kcp::Link* link = links() == nullptr ? nullptr : links()->LinkOf(id);
  if (link == nullptr) return Napi::Boolean::New(info.Env(), false);
  change(*link);
  links()->Touch(id);
  return Napi::Boolean::New(info.Env(), true);
}

Napi::Value KcpEndpointBinding::Finish(const Napi::CallbackInfo& info) {
  return Changed(info, [](kcp::Link& link) { link.Finish(); });
}

Napi::Value KcpEndpointBinding::SetWindow(const Napi::CallbackInfo& info) {
  return Changed(info, [&](kcp::Link& link) { link.SetWindow(Uint16(info[1]), Uint16(info[2])); });
}

Napi::Value KcpEndpointBinding::SetMtu(const Napi::CallbackInfo& info) {
  return Changed(info, [&](kcp::Link& link) { link.SetMtu(Uint16(info[1])); });
}

Napi::Value KcpEndpointBinding::SetInterval(const Napi::CallbackInfo& info) {
  return Changed(info, [&](kcp::Link& link) { link.SetInterval(Uint16(info[1])); });
}

Napi::Value KcpEndpointBinding::Links(const Napi::CallbackInfo& info) {
  return KcpLinks(info.Env(), links(), lifetime_->get());
}

Napi::Value KcpEndpointBinding::Counts(const Napi::CallbackInfo& info) {
  const links::Counts& counts = endpoint().counts();
  constexpr std::array kNames = {"refused", "replayed", "malformed", "unknown", "full"};
  Napi::Object dropped = Napi::Object::New(info.Env());
  for (size_t i = 0; i < kNames.size(); ++i) dropped.Set(kNames[i], static_cast<double>(counts.dropped[i]));
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("links", static_cast<double>(counts.links));
  object.Set("segmentsSent", static_cast<double>(counts.segments_sent));
  object.Set("segmentsReceived", static_cast<double>(counts.segments_received));
  object.Set("retransmits", static_cast<double>(counts.retransmits));
  object.Set("recovered", static_cast<double>(counts.recovered));
  object.Set("resetsSent", static_cast<double>(counts.resets_sent));
  object.Set("resetsReceived", static_cast<double>(counts.resets_received));
  object.Set("dropped", dropped);
  return object;
}

Napi::Value KcpEndpointBinding::Drain(const Napi::CallbackInfo& info) {
  if (links::Endpoint* endpoint = lifetime_->get()) endpoint->links().Drain(endpoint);
  return info.Env().Undefined();
}

Napi::Value KcpEndpointBinding::Close(const Napi::CallbackInfo& info) {
  lifetime_->Close();
  callback_->Forget();
  return info.Env().Undefined();
}

}  // namespace anyport::bindings
