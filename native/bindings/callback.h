// A JavaScript function that native code calls from the loop: as napi_make_callback, so that promise jobs and
// ticks run after the call, as for any event. Uses the C API, because a terminating worker refuses calls,
// which must not become a C++ exception here.
#pragma once

#include <napi.h>

#include <initializer_list>
#include <memory>

namespace anyport::bindings {

class Callback {
 public:
  // `function`: anything else is never called.
  Callback(Napi::Env env, const Napi::Value& function)
      : env_(env), context_(std::make_shared<Napi::AsyncContext>(env, "anyport")) {
    if (function.IsFunction()) function_ = Napi::Persistent(function.As<Napi::Function>());
    function_.SuppressDestruct();  // the environment may end first, and frees its references itself
  }

  Napi::Env env() const { return env_; }
  // Breaks a cycle: the function's closure holds the wrapper of what calls it, which would live as long as
  // the environment.
  void Forget() { function_.Reset(); }

  // Whether the environment runs no JavaScript any more: it is terminated, or has ended and is being freed.
  // Any call with NAPI_PREAMBLE says so; this one is the cheapest.
  bool env_ends() const {
    const Napi::HandleScope scope(env_);
    napi_value value;
    napi_get_undefined(env_, &value);
    return napi_coerce_to_bool(env_, value, &value) != napi_ok;
  }

  // In a handle scope of the caller's.
  void Call(std::initializer_list<napi_value> arguments) const {
    if (function_.IsEmpty()) return;
    napi_value receiver;
    napi_get_global(env_, &receiver);
    const napi_status status = napi_make_callback(env_, *context_, receiver, function_.Value(),
                                                  arguments.size(), std::data(arguments), nullptr);
    if (status == napi_pending_exception) ThrowUncaught();
  }

 private:
  // As if thrown by an event listener: raises 'uncaughtException', which ends the worker.
  void ThrowUncaught() const {
    napi_value error;
    if (napi_get_and_clear_last_exception(env_, &error) == napi_ok) napi_fatal_exception(env_, error);
  }

  Napi::Env env_;
  Napi::FunctionReference function_;
  std::shared_ptr<Napi::AsyncContext> context_;
};

}  // namespace anyport::bindings
