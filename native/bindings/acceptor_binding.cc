#include "bindings/acceptor_binding.h"

#include <utility>
#include <vector>

#include "bindings/arguments.h"
#include "bindings/listening_from.h"

namespace anyport::bindings {
namespace {

Napi::Value CreateInbox(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), shared::CreateInbox());
}

void CloseInbox(const Napi::CallbackInfo& info) { shared::CloseInbox(info[0].ToNumber().Int32Value()); }

std::vector<std::shared_ptr<shared::Inbox>> InboxesFrom(const Napi::Array& numbers) {
  std::vector<std::shared_ptr<shared::Inbox>> inboxes;
  for (uint32_t i = 0; i < numbers.Length(); ++i) {
    auto inbox = shared::FindInbox(Napi::Value(numbers.Get(i)).ToNumber().Int32Value());
    if (inbox == nullptr) throw Napi::RangeError::New(numbers.Env(), "no such inbox");
    inboxes.push_back(std::move(inbox));
  }
  if (inboxes.empty()) throw Napi::RangeError::New(numbers.Env(), "an acceptor needs an inbox");
  return inboxes;
}

}  // namespace

void AcceptorBinding::Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Acceptor", DefineClass(env, "Acceptor",
                                      {
                                          InstanceMethod<&AcceptorBinding::Prepare>("prepare"),
                                          InstanceMethod<&AcceptorBinding::Discard>("discard"),
                                          InstanceMethod<&AcceptorBinding::Leave>("leave"),
                                          InstanceMethod<&AcceptorBinding::Commit>("commit"),
                                          InstanceMethod<&AcceptorBinding::Release>("release"),
                                          InstanceMethod<&AcceptorBinding::StopAccepting>("stopAccepting"),
                                          InstanceMethod<&AcceptorBinding::Close>("close"),
                                      }));
  exports.Set("createInbox", Napi::Function::New<CreateInbox>(env, "createInbox"));
  exports.Set("closeInbox", Napi::Function::New<CloseInbox>(env, "closeInbox"));
}

AcceptorBinding::AcceptorBinding(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  int error = 0;
  const auto room = SharedSpanOf<int32_t>(info[0].As<Napi::Object>(), "room");
  if (room.size() < shared::kRoomWordsMin) throw Napi::RangeError::New(env, "the room is too small");
  auto created = engine::Acceptor::Create(loop, shared::Room(room), &error);
  if (created == nullptr) throw SystemError(env, error, "epoll");
  room_ = Napi::Persistent(info[0].As<Napi::Object>());
  lifetime_ = Lifetime<engine::Acceptor>::Attach(env, std::move(created));
}

AcceptorBinding::~AcceptorBinding() {
  if (lifetime_ != nullptr) lifetime_->Close();
}

engine::Acceptor& AcceptorBinding::acceptor() {
  if (engine::Acceptor* acceptor = lifetime_->get()) return *acceptor;
  throw Napi::Error::New(Env(), "the acceptor is closed");
}

Napi::Value AcceptorBinding::Prepare(const Napi::CallbackInfo& info) {
  const auto next = info[0].As<Napi::Object>();
  engine::Handing handing;
  handing.generation = Uint32At(next, "generation");
  handing.max_connections = static_cast<int32_t>(Uint32At(next, "maxConnections"));
  handing.accepts_per_turn = static_cast<int32_t>(Uint32At(next, "acceptsPerTurn"));
  handing.inboxes = InboxesFrom(next.Get("inboxes").As<Napi::Array>());
  const auto sockets = ListeningSocketsFrom(next.Get("sockets").As<Napi::Array>());
  const int error = acceptor().Prepare(std::move(handing), sockets);
  if (error != 0) throw SystemError(info.Env(), error, "dup");
  return info.Env().Undefined();
}

Napi::Value AcceptorBinding::Discard(const Napi::CallbackInfo& info) {
  acceptor().Discard();
  return info.Env().Undefined();
}

Napi::Value AcceptorBinding::Leave(const Napi::CallbackInfo& info) {
  acceptor().Leave();
  return info.Env().Undefined();
}

Napi::Value AcceptorBinding::Commit(const Napi::CallbackInfo& info) {
  acceptor().Commit();
  return info.Env().Undefined();
}

Napi::Value AcceptorBinding::Release(const Napi::CallbackInfo& info) {
  acceptor().Release(SocketNumbersFrom(info[0].As<Napi::Array>()));
  return info.Env().Undefined();
}

Napi::Value AcceptorBinding::StopAccepting(const Napi::CallbackInfo& info) {
  acceptor().StopAccepting();
  return info.Env().Undefined();
}

Napi::Value AcceptorBinding::Close(const Napi::CallbackInfo& info) {
  lifetime_->Close();
  return info.Env().Undefined();
}

}  // namespace anyport::bindings
