#include "bindings/acceptor_binding.h"

#include <utility>
#include <vector>

#include "bindings/arguments.h"

namespace anyport::bindings {
namespace {

Napi::Value CreateInbox(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), shared::CreateInbox());
}

void CloseInbox(const Napi::CallbackInfo& info) { shared::CloseInbox(info[0].ToNumber().Int32Value()); }

std::vector<std::shared_ptr<shared::Inbox>> InboxesFrom(const Napi::CallbackInfo& info) {
  std::vector<std::shared_ptr<shared::Inbox>> inboxes;
  const auto numbers = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < numbers.Length(); ++i) {
    auto inbox = shared::FindInbox(Napi::Value(numbers.Get(i)).ToNumber().Int32Value());
    if (inbox == nullptr) throw Napi::RangeError::New(info.Env(), "no such inbox");
    inboxes.push_back(std::move(inbox));
  }
  if (inboxes.empty()) throw Napi::RangeError::New(info.Env(), "an acceptor needs an inbox");
  return inboxes;
}

}  // namespace

void AcceptorBinding::Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Acceptor", DefineClass(env, "Acceptor",
                                      {
                                          InstanceMethod<&AcceptorBinding::Listen>("listen"),
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
  const auto options = info[1].As<Napi::Object>();
  const auto room = SharedSpanOf<int32_t>(options, "room");
  if (room.size() < shared::kRoomWordsMin) throw Napi::RangeError::New(env, "the room is too small");
  const engine::Limit limit{shared::Room(room), static_cast<int32_t>(Uint32At(options, "maxConnections"))};
  auto created = engine::Acceptor::Create(loop, InboxesFrom(info), limit, &error);
  if (created == nullptr) throw SystemError(env, error, "epoll");
  options_ = Napi::Persistent(options);
  lifetime_ = Lifetime<engine::Acceptor>::Attach(env, std::move(created));
}

AcceptorBinding::~AcceptorBinding() {
  if (lifetime_ != nullptr) lifetime_->Close();
}

engine::Acceptor& AcceptorBinding::acceptor() {
  if (engine::Acceptor* acceptor = lifetime_->get()) return *acceptor;
  throw Napi::Error::New(Env(), "the acceptor is closed");
}

Napi::Value AcceptorBinding::Listen(const Napi::CallbackInfo& info) {
  const int error = acceptor().Listen(info[0].ToNumber().Int32Value(), info[1].ToNumber().Uint32Value());
  if (error != 0) throw SystemError(info.Env(), error, "listen");
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
