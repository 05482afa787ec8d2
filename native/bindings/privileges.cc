#include "bindings/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <string>

#include "bindings/arguments.h"

namespace anyport::bindings {
namespace {

// capabilities(7): sets of a thread, one bit a capability.
struct Capabilities {
  uint64_t effective = 0;
  uint64_t permitted = 0;
  uint64_t inheritable = 0;
};

using Halves = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

int ReadCapabilities(Capabilities* capabilities) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  Halves halves{};
  if (syscall(SYS_capget, &header, halves.data()) != 0) return errno;
  const auto whole = [](uint32_t low, uint32_t high) { return static_cast<uint64_t>(high) << 32 | low; };
  capabilities->effective = whole(halves[0].effective, halves[1].effective);
  capabilities->permitted = whole(halves[0].permitted, halves[1].permitted);
  capabilities->inheritable = whole(halves[0].inheritable, halves[1].inheritable);
  return 0;
}

int WriteCapabilities(const Capabilities& capabilities) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  Halves halves{};
  for (size_t half = 0; half < halves.size(); ++half) {
    const size_t shift = 32 * half;
    halves[half].effective = static_cast<uint32_t>(capabilities.effective >> shift);
    halves[half].permitted = static_cast<uint32_t>(capabilities.permitted >> shift);
    halves[half].inheritable = static_cast<uint32_t>(capabilities.inheritable >> shift);
  }
  return syscall(SYS_capset, &header, halves.data()) == 0 ? 0 : errno;
}

// The calling thread has those of `most` that it had, and no others.
int KeepCapabilities(uint64_t most) {
  Capabilities now;
  if (const int error = ReadCapabilities(&now)) return error;
  const uint64_t kept = now.permitted & most;
  return WriteCapabilities({kept, kept, 0});
}

// Programs started from now on have them, whoever's they are.
int PassCapabilities(uint64_t passed) {
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return errno;
  Capabilities now;
  if (const int error = ReadCapabilities(&now)) return error;
  now.inheritable = now.permitted & passed;
  if (const int error = WriteCapabilities(now)) return error;
  for (int capability = 0; capability < 64; ++capability) {
    if ((now.inheritable >> capability & 1) == 0) continue;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0) return errno;
  }
  return 0;
}

// prctl(2) sets no_new_privs for the calling thread alone. A filter, here one that allows everything, is the
// kernel's way to bring it to threads that run already (SECCOMP_FILTER_FLAG_TSYNC).
int ForbidNewPrivileges() {
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) return 0;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{std::size(allow), allow};
  const unsigned flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  const long thread = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (thread > 0) return EBUSY;
  return thread == 0 ? 0 : errno;
}

uint64_t MaskFrom(const Napi::Value& value) { return static_cast<uint64_t>(value.ToNumber().Int64Value()); }

void Check(Napi::Env env, bool ok, const char* what) {
  if (!ok) throw SystemError(env, errno, what);
}

// libc changes the ids of every thread. Threads beside the calling one lose all capabilities with user 0.
void Become(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto to = info[0].As<Napi::Object>();
  const uid_t uid = Uint32At(to, "uid");
  const gid_t gid = Uint32At(to, "gid");
  const Napi::Value user = to.Get("user");
  Check(env, prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0, "prctl");
  const bool grouped =
      user.IsString() ? initgroups(user.ToString().Utf8Value().c_str(), gid) == 0 : setgroups(1, &gid) == 0;
  Check(env, grouped, "setgroups");
  Check(env, setresgid(gid, gid, gid) == 0, "setresgid");
  Check(env, setresuid(uid, uid, uid) == 0, "setresuid");
  Check(env, prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == 0, "prctl");
  if (const int error = KeepCapabilities(MaskFrom(info[1]))) throw SystemError(env, error, "capset");
}

void KeepCapabilitiesOf(const Napi::CallbackInfo& info) {
  if (const int error = KeepCapabilities(MaskFrom(info[0]))) throw SystemError(info.Env(), error, "capset");
}

void PassCapabilitiesOf(const Napi::CallbackInfo& info) {
  if (const int error = PassCapabilities(MaskFrom(info[0]))) throw SystemError(info.Env(), error, "capset");
}

// Nor is its memory for others of the same user: ptrace(2), core dumps.
void Harden(const Napi::CallbackInfo& info) {
  if (const int error = ForbidNewPrivileges()) throw SystemError(info.Env(), error, "no_new_privs");
  Check(info.Env(), prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "prctl");
}

}  // namespace

void InitPrivileges(Napi::Env env, Napi::Object exports) {
  exports.Set("become", Napi::Function::New<Become>(env, "become"));
  exports.Set("keepCapabilities", Napi::Function::New<KeepCapabilitiesOf>(env, "keepCapabilities"));
  exports.Set("passCapabilities", Napi::Function::New<PassCapabilitiesOf>(env, "passCapabilities"));
  exports.Set("harden", Napi::Function::New<Harden>(env, "harden"));
}

}  // namespace anyport::bindings
