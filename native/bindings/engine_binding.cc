#include "bindings/engine_binding.h"

#include <memory>
#include <random>
#include <span>
#include <utility>

#include "bindings/arguments.h"
#include "bindings/books_from.h"
#include "bindings/kcp_from.h"
#include "bindings/listening_from.h"
#include "bindings/plan_from.h"
#include "desk/listing.h"

namespace anyport::bindings {
namespace {

// Keeps the buffers that the engine writes alive. Without `onTurn`, whose closure references the engine.
Napi::Object MemoryOf(const Napi::Object& options) {
  Napi::Object memory = Napi::Object::New(options.Env());
  for (const char* key : {"arena", "events", "answers", "counters", "room", "buckets"}) {
    memory.Set(key, options.Get(key));
  }
  return memory;
}

uint32_t Argument(const Napi::CallbackInfo& info, size_t index) {
  return info[index].ToNumber().Uint32Value();
}

// Once per turn: events [from, to) of the ring.
void Show(const Callback& turn, uint32_t from, uint32_t to) {
  const Napi::HandleScope scope(turn.env());
  turn.Call({Napi::Number::New(turn.env(), from), Napi::Number::New(turn.env(), to)});
}

}  // namespace

void EngineBinding::Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Engine", DefineClass(env, "Engine",
                                    {
                                        InstanceMethod<&EngineBinding::Prepare>("prepare"),
                                        InstanceMethod<&EngineBinding::Commit>("commit"),
                                        InstanceMethod<&EngineBinding::Discard>("discard"),
                                        InstanceMethod<&EngineBinding::TakeFrom>("takeFrom"),
                                        InstanceMethod<&EngineBinding::Release>("release"),
                                        InstanceMethod<&EngineBinding::StopAccepting>("stopAccepting"),
                                        InstanceMethod<&EngineBinding::Flush>("flush"),
                                        InstanceMethod<&EngineBinding::Attach>("attach"),
                                        InstanceMethod<&EngineBinding::Associate>("associate"),
                                        InstanceMethod<&EngineBinding::Dissociate>("dissociate"),
                                        InstanceMethod<&EngineBinding::Destination>("destination"),
                                        InstanceMethod<&EngineBinding::List>("list"),
                                        InstanceMethod<&EngineBinding::End>("end"),
                                        InstanceMethod<&EngineBinding::EndAll>("endAll"),
                                        InstanceMethod<&EngineBinding::EndOf>("endOf"),
                                        InstanceMethod<&EngineBinding::UsesPlan>("usesPlan"),
                                        InstanceMethod<&EngineBinding::Sessions>("sessions"),
                                        InstanceMethod<&EngineBinding::KcpSend>("kcpSend"),
                                        InstanceMethod<&EngineBinding::KcpEstablish>("kcpEstablish"),
                                        InstanceMethod<&EngineBinding::KcpFail>("kcpFail"),
                                        InstanceMethod<&EngineBinding::KcpAccept>("kcpAccept"),
                                        InstanceMethod<&EngineBinding::KcpRefuse>("kcpRefuse"),
                                        InstanceMethod<&EngineBinding::KcpEnd>("kcpEnd"),
                                        InstanceMethod<&EngineBinding::KcpLinks>("kcpLinks"),
                                        InstanceMethod<&EngineBinding::Close>("close"),
                                    }));
}

EngineBinding::EngineBinding(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  const auto object = info[0].As<Napi::Object>();
  engine::Options options;
  options.memory = {SpanOf<uint8_t>(object, "arena"), SpanOf<uint32_t>(object, "events"),
                    SpanOf<uint32_t>(object, "answers")};
  options.counters = SharedSpanOf<double>(object, "counters");
  options.layout = LayoutFrom(object.Get("counting").As<Napi::Object>());
  options.room = SharedSpanOf<int32_t>(object, "room");
  options.streams = {Uint32At(object, "bufferBytes"),
                     Uint32At(object, "pipesMax"),
                     SharedSpanOf<int64_t>(object, "buckets"),
                     {}};
  options.worker = static_cast<uint8_t>(Uint32At(object, "worker"));
  if (options.memory.arena.size() < engine::ArenaBytes(options.streams.buffer_bytes) ||
      options.memory.events.size() < desk::EventRing::kWords ||
      options.memory.answers.size() < desk::AnswerRing::kWords ||
      options.room.size() < shared::kRoomWordsMin ||
      options.streams.buckets.size() < shared::Buckets::kWords) {
    throw Napi::RangeError::New(env, "the shared buffers are smaller than the layout says");
  }
  turn_ = std::make_shared<Callback>(env, object.Get("onTurn"));
  kcp_ = std::make_shared<Callback>(env, object.Get("onKcp"));
  // Ids of sessions are told to people, who may use them after this engine is gone.
  options.first_generation = std::random_device{}() & pool::kGenerationMask;
  options.streams.thread_ends = [turn = turn_] { return turn->env_ends(); };
  options.on_turn = [turn = turn_](uint32_t from, uint32_t to) { Show(*turn, from, to); };
  options.on_links = [kcp = kcp_](std::span<links::Event> events) { TellKcp(*kcp, events); };
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  int error = 0;
  auto created = engine::Engine::Create(loop, std::move(options), &error);
  if (created == nullptr) throw SystemError(env, error, "epoll");
  memory_ = Napi::Persistent(MemoryOf(object));
  lifetime_ = Lifetime<engine::Engine>::Attach(env, std::move(created));
}

// An unreachable engine is closed, because its buffers are freed with it.
EngineBinding::~EngineBinding() {
  if (lifetime_ != nullptr) lifetime_->Close();
}

engine::Engine& EngineBinding::engine() {
  if (engine::Engine* engine = lifetime_->get()) return *engine;
  throw Napi::Error::New(Env(), "the engine is closed");
}

Napi::Value EngineBinding::Prepare(const Napi::CallbackInfo& info) {
  auto plan = PlanFrom(info[0].As<Napi::Object>());
  const auto wanted = ListeningSocketsFrom(info[1].As<Napi::Array>());
  for (const engine::ListeningSocket& socket : wanted) {
    if (socket.listener >= plan->listeners.size())
      throw Napi::RangeError::New(info.Env(), "no such listener in the Plan");
  }
  engine::PreparedSockets sockets;
  const int error = engine().Prepare(*plan, wanted, &sockets);
  if (error != 0) throw SystemError(info.Env(), error, "dup");
  prepared_ = std::move(plan);
  prepared_sockets_ = std::move(sockets);
  return info.Env().Undefined();
}

Napi::Value EngineBinding::Commit(const Napi::CallbackInfo& info) {
  if (prepared_ == nullptr) throw Napi::Error::New(info.Env(), "no Plan has been prepared");
  has_plan_ = true;
  engine().Commit(std::exchange(prepared_, nullptr), std::exchange(prepared_sockets_, {}));
  return info.Env().Undefined();
}

Napi::Value EngineBinding::Discard(const Napi::CallbackInfo& info) {
  prepared_.reset();
  prepared_sockets_ = {};
  return info.Env().Undefined();
}

Napi::Value EngineBinding::TakeFrom(const Napi::CallbackInfo& info) {
  if (!has_plan_) throw Napi::RangeError::New(info.Env(), "no Plan has been adopted");
  auto inbox = shared::FindInbox(info[0].ToNumber().Int32Value());
  if (inbox == nullptr) throw Napi::RangeError::New(info.Env(), "no such inbox");
  const int error = engine().TakeFrom(std::move(inbox));
  if (error != 0) throw SystemError(info.Env(), error, "takeFrom");
  return info.Env().Undefined();
}

Napi::Value EngineBinding::Release(const Napi::CallbackInfo& info) {
  engine().Release(SocketNumbersFrom(info[0].As<Napi::Array>()));
  return info.Env().Undefined();
}

Napi::Value EngineBinding::StopAccepting(const Napi::CallbackInfo& info) {
  engine().StopAccepting(info[0].ToBoolean());
  return info.Env().Undefined();
}

// No error after close: a handler may fail at any time and then flush.
Napi::Value EngineBinding::Flush(const Napi::CallbackInfo& info) {
  if (engine::Engine* engine = lifetime_->get()) engine->Flush();
  return info.Env().Undefined();
}

Napi::Value EngineBinding::Attach(const Napi::CallbackInfo& info) {
  const int fd =
      engine().Attach({Argument(info, 0), Argument(info, 1)}, Argument(info, 2), Argument(info, 3));
  return Napi::Number::New(info.Env(), fd);
}

Napi::Value EngineBinding::Associate(const Napi::CallbackInfo& info) {
  const engine::Engine::AssociateRequest request{.row = Argument(info, 2),
                                                 .aim = {.endpoint = Argument(info, 3),
                                                         .endpoint_row = Argument(info, 4),
                                                         .upstream = Argument(info, 5)},
                                                 .taken = Argument(info, 6),
                                                 .client_port = static_cast<uint16_t>(Argument(info, 7))};
  const int fd = engine().Associate({Argument(info, 0), Argument(info, 1)}, request);
  return Napi::Number::New(info.Env(), fd);
}

void EngineBinding::Dissociate(const Napi::CallbackInfo& info) {
  engine().Dissociate({Argument(info, 0), Argument(info, 1)});
}

Napi::Value EngineBinding::Destination(const Napi::CallbackInfo& info) {
  const auto address = engine().Destination({Argument(info, 0), Argument(info, 1)});
  if (!address.has_value()) return info.Env().Null();
  return ToJs(info.Env(), *address);
}

Napi::Value EngineBinding::List(const Napi::CallbackInfo& info) {
  if (!info[1].IsArrayBuffer()) throw Napi::TypeError::New(info.Env(), "the memory must be an ArrayBuffer");
  auto memory = info[1].As<Napi::ArrayBuffer>();
  const std::span words(static_cast<uint32_t*>(memory.Data()), memory.ByteLength() / sizeof(uint32_t));
  if (words.size() < desk::kListingWords)
    throw Napi::RangeError::New(info.Env(), "the memory is smaller than the layout says");
  desk::WriteSlice(engine().sessions(), Argument(info, 0), words);
  return info.Env().Undefined();
}

Napi::Value EngineBinding::End(const Napi::CallbackInfo& info) {
  const bool ended =
      engine().End({Argument(info, 0), Argument(info, 1)}, static_cast<desk::Ender>(Argument(info, 2)),
                   static_cast<desk::Reason>(Argument(info, 3)));
  return Napi::Boolean::New(info.Env(), ended);
}

Napi::Value EngineBinding::EndAll(const Napi::CallbackInfo& info) {
  engine().EndAll(static_cast<desk::Ender>(Argument(info, 0)), static_cast<desk::Reason>(Argument(info, 1)));
  return info.Env().Undefined();
}

Napi::Value EngineBinding::EndOf(const Napi::CallbackInfo& info) {
  const uint32_t endpoint = Argument(info, 0);
  if (endpoint == 0) throw Napi::RangeError::New(info.Env(), "0 is the id of no endpoint");
  engine().EndAll(static_cast<desk::Ender>(Argument(info, 1)), static_cast<desk::Reason>(Argument(info, 2)),
                  endpoint);
  return info.Env().Undefined();
}

Napi::Value EngineBinding::UsesPlan(const Napi::CallbackInfo& info) {
  engine::Engine* engine = lifetime_->get();
  return Napi::Boolean::New(info.Env(), engine != nullptr && engine->Uses(Argument(info, 0)));
}

Napi::Value EngineBinding::Sessions(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(engine().sessions().size()));
}

// ---- links: no error after close, because a handshake may take its time

links::Links* EngineBinding::links() {
  engine::Engine* engine = lifetime_->get();
  return engine == nullptr ? nullptr : engine->links();
}

Napi::Value EngineBinding::KcpSend(const Napi::CallbackInfo& info) {
  return bindings::KcpSend(info, links());
}
Napi::Value EngineBinding::KcpEstablish(const Napi::CallbackInfo& info) {
  return bindings::KcpEstablish(info, links());
}
Napi::Value EngineBinding::KcpFail(const Napi::CallbackInfo& info) {
  return bindings::KcpFail(info, links());
}
Napi::Value EngineBinding::KcpAccept(const Napi::CallbackInfo& info) {
  return bindings::KcpAccept(info, links());
}
Napi::Value EngineBinding::KcpRefuse(const Napi::CallbackInfo& info) {
  return bindings::KcpRefuse(info, links());
}
Napi::Value EngineBinding::KcpEnd(const Napi::CallbackInfo& info) { return bindings::KcpEnd(info, links()); }
Napi::Value EngineBinding::KcpLinks(const Napi::CallbackInfo& info) {
  links::Links* links = this->links();
  return bindings::KcpLinks(info.Env(), links, links == nullptr ? nullptr : lifetime_->get()->link_host());
}

Napi::Value EngineBinding::Close(const Napi::CallbackInfo& info) {
  lifetime_->Close();
  turn_->Forget();
  kcp_->Forget();
  return info.Env().Undefined();
}

}  // namespace anyport::bindings
