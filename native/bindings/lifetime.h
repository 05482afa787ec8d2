// Ties an object on a libuv loop to its JavaScript environment: at teardown (a worker is terminated, the
// process exits) descriptors are closed at once, and the environment waits until libuv has closed the
// handles. After an explicit Close it is freed when libuv has closed the handles.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <utility>

namespace anyport::bindings {

// `T` has Shutdown(std::function<void()> closed), called at most once; `closed` runs when no frame of T is on
// the stack.
template <typename T>
class Lifetime {
 public:
  // The environment's cleanup hook owns the object; the caller holds a reference.
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
  // May run while closing already: the environment then waits for OnClosed.
  static void OnTeardown(napi_async_cleanup_hook_handle /*hook*/, void* lifetime) {
    static_cast<Lifetime*>(lifetime)->Close();
  }

  void OnClosed() {
    const std::shared_ptr<Lifetime> self = std::move(self_);
    object_.reset();
    napi_remove_async_cleanup_hook(std::exchange(hook_, nullptr));
  }

  std::unique_ptr<T> object_;
  std::shared_ptr<Lifetime> self_;  // until libuv has closed the handles
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool open_ = true;
};

}  // namespace anyport::bindings
