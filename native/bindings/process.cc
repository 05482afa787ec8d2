#include "bindings/process.h"

#include <malloc.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <v8.h>

namespace anyport::bindings {
namespace {

Napi::Value RaiseFileLimit(const Napi::CallbackInfo& info) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  rlimit raised{limit.rlim_max, limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("soft", static_cast<double>(limit.rlim_cur));
  object.Set("hard", static_cast<double>(limit.rlim_max));
  return object;
}

// Not exit(3), which waits for libuv's threads: one may hang in a DNS look-up or a write to a full pipe.
void Exit(const Napi::CallbackInfo& info) { _exit(info[0].ToNumber().Int32Value()); }

// CPU time of this thread.
Napi::Value ThreadCpuMs(const Napi::CallbackInfo& info) {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return Napi::Number::New(info.Env(),
                           static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6);
}

// Calls to V8 that Node-API lacks.

// Runs promise jobs synchronously.
void RunMicrotasks(const Napi::CallbackInfo& /*info*/) {
  v8::MicrotasksScope::PerformCheckpoint(v8::Isolate::GetCurrent());
}

// Not gc(), which keeps the freed pages.
void CompactHeap(const Napi::CallbackInfo& /*info*/) {
  v8::Isolate::GetCurrent()->LowMemoryNotification();
  malloc_trim(0);
}

void CompactHeapSoon(const Napi::CallbackInfo& /*info*/) {
  v8::Isolate::GetCurrent()->MemoryPressureNotification(v8::MemoryPressureLevel::kModerate);
}

void TrimMemory(const Napi::CallbackInfo& /*info*/) { malloc_trim(0); }

}  // namespace

void InitProcess(Napi::Env env, Napi::Object exports) {
  exports.Set("raiseFileLimit", Napi::Function::New<RaiseFileLimit>(env, "raiseFileLimit"));
  exports.Set("exit", Napi::Function::New<Exit>(env, "exit"));
  exports.Set("threadCpuMs", Napi::Function::New<ThreadCpuMs>(env, "threadCpuMs"));
  exports.Set("runMicrotasks", Napi::Function::New<RunMicrotasks>(env, "runMicrotasks"));
  exports.Set("compactHeap", Napi::Function::New<CompactHeap>(env, "compactHeap"));
  exports.Set("compactHeapSoon", Napi::Function::New<CompactHeapSoon>(env, "compactHeapSoon"));
  exports.Set("trimMemory", Napi::Function::New<TrimMemory>(env, "trimMemory"));
}

}  // namespace anyport::bindings
