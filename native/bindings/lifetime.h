// Ties something that lives in a libuv loop to its JavaScript environment: when that ends (a worker is
// terminated, the process exits) descriptors are closed at once and the environment waits for libuv to let
// go.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <utility>

namespace anyport::bindings {

// `T` has Shutdown(std::function<void()> closed), which may be called once.
template <typename T>
class Lifetime {
 public:
  // The hook owns the object from here on; the caller keeps a reference to reach it.
  static std::shared_ptr<Lifetime> Attach(Napi::Env env, std::unique_ptr<T> object) {
    auto lifetime = std::make_shared<Lifetime>(std::move(object));
    auto* held = new std::shared_ptr<Lifetime>(lifetime);
    napi_add_async_cleanup_hook(env, OnTeardown, held, nullptr);
    return lifetime;
  }

  explicit Lifetime(std::unique_ptr<T> object) : object_(std::move(object)) {}

  T* get() { return open_ ? object_.get() : nullptr; }

  // Shuts down now; `closed` is called later, or at once when that has happened already.
  void Close(std::function<void()> closed) {
    if (!std::exchange(open_, false)) return closed();
    object_->Shutdown(std::move(closed));
  }

 private:
  static void OnTeardown(napi_async_cleanup_hook_handle hook, void* data) {
    const std::unique_ptr<std::shared_ptr<Lifetime>> held(static_cast<std::shared_ptr<Lifetime>*>(data));
    // The copy in the closure keeps the object alive until libuv is done with it.
    (*held)->Close([hook, lifetime = *held] { napi_remove_async_cleanup_hook(hook); });
  }

  std::unique_ptr<T> object_;
  bool open_ = true;
};

}  // namespace anyport::bindings
