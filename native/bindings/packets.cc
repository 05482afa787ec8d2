#include "bindings/packets.h"

#include <uv.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "bindings/arguments.h"
#include "bindings/lifetime.h"
#include "net/packets.h"

namespace anyport::bindings {
namespace {

// Tells when a descriptor is readable, or writable. Does not keep the loop alive.
class Readiness {
 public:
  Readiness(uv_loop_t* loop, int fd, std::function<void()> on_ready, int* error)
      : on_ready_(std::move(on_ready)) {
    *error = -uv_poll_init(loop, &handle_, fd);
    handle_.data = this;
  }

  // 0 or an errno.
  int Watch(bool writable) {
    const int events = UV_READABLE | UV_DISCONNECT | (writable ? UV_WRITABLE : 0);
    const int error = uv_poll_start(&handle_, events, [](uv_poll_t* handle, int /*status*/, int /*events*/) {
      static_cast<Readiness*>(handle->data)->on_ready_();
    });
    uv_unref(reinterpret_cast<uv_handle_t*>(&handle_));
    return -error;
  }

  void Shutdown(std::function<void()> closed) {
    closed_ = std::move(closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&handle_),
             [](uv_handle_t* handle) { static_cast<Readiness*>(handle->data)->closed_(); });
  }

 private:
  uv_poll_t handle_{};
  std::function<void()> on_ready_;
  std::function<void()> closed_;
};

class Watcher : public Napi::ObjectWrap<Watcher> {
 public:
  static void Init(Napi::Env env, Napi::Object exports) {
    exports.Set("Watcher", DefineClass(env, "Watcher",
                                       {
                                           InstanceMethod<&Watcher::Await>("await"),
                                           InstanceMethod<&Watcher::Close>("close"),
                                       }));
  }

  explicit Watcher(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    const Napi::Env env = info.Env();
    uv_loop_t* loop = nullptr;
    napi_get_uv_event_loop(env, &loop);
    on_ready_ = Napi::Persistent(info[1].As<Napi::Function>());
    context_ = std::make_unique<Napi::AsyncContext>(env, "anyport");
    int error = 0;
    auto readiness = std::make_unique<Readiness>(
        loop, info[0].ToNumber().Int32Value(), [this] { Tell(); }, &error);
    if (error != 0) throw SystemError(env, error, "poll");
    lifetime_ = Lifetime<Readiness>::Attach(env, std::move(readiness));
    Watch(env, false);
  }

  ~Watcher() override {
    if (lifetime_ != nullptr) lifetime_->Close();
  }

 private:
  void Watch(Napi::Env env, bool writable) {
    Readiness* readiness = lifetime_->get();
    const int error = readiness == nullptr ? 0 : readiness->Watch(writable);
    if (error != 0) throw SystemError(env, error, "poll");
  }

  Napi::Value Await(const Napi::CallbackInfo& info) {
    Watch(info.Env(), info[0].ToBoolean());
    return info.Env().Undefined();
  }

  Napi::Value Close(const Napi::CallbackInfo& info) {
    lifetime_->Close();
    return info.Env().Undefined();
  }

  void Tell() {
    if (lifetime_->get() == nullptr) return;
    const Napi::HandleScope scope(Env());
    on_ready_.MakeCallback(Env().Global(), 0, nullptr, *context_);
  }

  Napi::FunctionReference on_ready_;
  std::unique_ptr<Napi::AsyncContext> context_;
  std::shared_ptr<Lifetime<Readiness>> lifetime_;
};

Napi::Value PacketPair(const Napi::CallbackInfo& info) {
  auto pair = net::PacketPair();
  if (pair.error != 0) throw SystemError(info.Env(), pair.error, "socketpair");
  Napi::Array ends = Napi::Array::New(info.Env(), 2);
  ends.Set(uint32_t{0}, pair.ours.Release());
  ends.Set(uint32_t{1}, pair.theirs.Release());
  return ends;
}

// True when sent, false when the buffer is full.
Napi::Value SendPacket(const Napi::CallbackInfo& info) {
  const auto bytes = info[1].As<Napi::Uint8Array>();
  const auto numbers = info[2].As<Napi::Array>();
  std::vector<int> descriptors;
  for (uint32_t i = 0; i < numbers.Length(); ++i) {
    descriptors.push_back(Napi::Value(numbers.Get(i)).ToNumber().Int32Value());
  }
  const int error =
      net::SendPacket(info[0].ToNumber().Int32Value(), {bytes.Data(), bytes.ByteLength()}, descriptors);
  if (error != 0 && error != EAGAIN) throw SystemError(info.Env(), error, "send");
  return Napi::Boolean::New(info.Env(), error == 0);
}

// `{ bytes, descriptors }`; undefined when nothing is there, null when the peer has closed.
Napi::Value ReceivePacket(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::array<uint8_t, net::kPacketBytesMax> buffer;
  auto packet = net::ReceivePacket(info[0].ToNumber().Int32Value(), buffer);
  if (packet.error == EAGAIN) return env.Undefined();
  if (packet.error != 0) throw SystemError(env, packet.error, "receive");
  if (packet.bytes == 0) return env.Null();
  Napi::Array descriptors = Napi::Array::New(env, packet.descriptors.size());
  for (uint32_t i = 0; i < packet.descriptors.size(); ++i) {
    descriptors.Set(i, packet.descriptors[i].Release());
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("bytes", Napi::Buffer<uint8_t>::Copy(env, buffer.data(), packet.bytes));
  object.Set("descriptors", descriptors);
  return object;
}

}  // namespace

void InitPackets(Napi::Env env, Napi::Object exports) {
  exports.Set("packetPair", Napi::Function::New<PacketPair>(env, "packetPair"));
  exports.Set("sendPacket", Napi::Function::New<SendPacket>(env, "sendPacket"));
  exports.Set("receivePacket", Napi::Function::New<ReceivePacket>(env, "receivePacket"));
  exports.Set("packetBytesMax", static_cast<double>(net::kPacketBytesMax));
  exports.Set("packetDescriptorsMax", static_cast<double>(net::kPacketDescriptorsMax));
  Watcher::Init(env, exports);
}

}  // namespace anyport::bindings
