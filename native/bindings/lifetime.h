// Ties something that lives in a libuv loop to its JavaScript environment: when that ends (a worker is
// terminated, the process exits) descriptors are closed at once and the environment waits for libuv to let
// go. Closed before that, it is freed as soon as libuv has let go.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <utility>

namespace anyport::bindings {

// `T` has Shutdown(std::function<void()> closed), which may be called once; `closed` is called later than
// anything that T has on the stack.
template <typename T>
class Lifetime {
 public:
  // The environment's hook owns the object from here on; the caller keeps a reference to reach it.
  static std::shared_ptr<Lifetime> Attach(Napi::Env env, std::unique_ptr<T> object) {
    auto lifetime = std::make_shared<Lifetime>(std::move(object));
    lifetime->self_ = lifetime;
    napi_add_async_cleanup_hook(env, OnTeardown, lifetime.get(), &lifetime->hook_);
    return lifetime;
  }

  explicit Lifetime(std::unique_ptr<T> object) : object_(std::move(object)) {}

  T* get() { return open_ ? object_.get() : nullptr; }

  void Close() {
    if (!std::exchange(open_, false)) return;
    object_->Shutdown([this] { OnClosed(); });
  }

 private:
  // Also when it is closing already: the environment then waits for OnClosed.
  static void OnTeardown(napi_async_cleanup_hook_handle /*hook*/, void* lifetime) {
    static_cast<Lifetime*>(lifetime)->Close();
  }

  void OnClosed() {
    const std::shared_ptr<Lifetime> self = std::move(self_);
    object_.reset();
    napi_remove_async_cleanup_hook(std::exchange(hook_, nullptr));
  }

  std::unique_ptr<T> object_;
  std::shared_ptr<Lifetime> self_;  // until libuv has let go
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool open_ = true;
};

}  // namespace anyport::bindings
