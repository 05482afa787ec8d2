#include "bindings/prefixes_binding.h"

#include <string>
#include <utility>
#include <vector>

#include "admission/list_file.h"
#include "bindings/arguments.h"

namespace anyport::bindings {
namespace {

using admission::ListFault;
using admission::ListFile;
using admission::Prefixes;
using Shared = std::shared_ptr<const Prefixes>;

constexpr napi_type_tag kTypeTag = {0x52d1c06f7be94a18, 0xa37e90b4182cf6d5};
constexpr size_t kAddressBytes = 16;
constexpr napi_type_tag kMadeTag = {0xc9187a3de4f0526b, 0x84b2f61d03ae7c95};

// What a thread beside the loop has made becomes an object of the class that was asked for it.
Napi::Value ObjectOf(const Napi::FunctionReference& constructor, Shared prefixes) {
  const Napi::Env env = constructor.Env();
  const auto made = Napi::External<Shared>::New(env, &prefixes);
  made.TypeTag(&kMadeTag);
  return constructor.New({made});
}

// Work on one of libuv's threads, with a promise of its result.
class Work : public Napi::AsyncWorker {
 public:
  Napi::Value Start() {
    const Napi::Value promise = deferred_.Promise();
    Queue();
    return promise;
  }

 protected:
  Work(const Napi::CallbackInfo& info, const char* name)
      : AsyncWorker(info.Env(), name),
        constructor_(Napi::Persistent(info.This().As<Napi::Function>())),
        deferred_(Napi::Promise::Deferred::New(info.Env())) {}

  virtual Napi::Value Result() = 0;
  void OnOK() override { deferred_.Resolve(Result()); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

  Napi::FunctionReference constructor_;

 private:
  Napi::Promise::Deferred deferred_;
};

const char* NameOf(ListFault fault) {
  switch (fault) {
    case ListFault::kUnreadable:
      return "unreadable";
    case ListFault::kNotRegular:
      return "not_regular";
    case ListFault::kTooLarge:
      return "too_large";
    case ListFault::kTooLong:
      return "too_long";
    default:
      return "wrong_lines";
  }
}

class Reading : public Work {
 public:
  explicit Reading(const Napi::CallbackInfo& info)
      : Work(info, "anyport.list"), path_(info[0].As<Napi::String>()) {}

 private:
  void Execute() override { file_ = admission::ReadList(path_); }

  Napi::Value Result() override {
    if (file_.fault == ListFault::kNone)
      return ObjectOf(constructor_, std::make_shared<const Prefixes>(std::move(file_.prefixes)));
    Napi::Object fault = Napi::Object::New(Env());
    fault.Set("fault", NameOf(file_.fault));
    if (file_.error != 0) fault.Set("error", SystemError(Env(), file_.error, "open").Value());
    fault.Set("wrong", static_cast<double>(file_.wrong));
    Napi::Array lines = Napi::Array::New(Env(), file_.wrong_lines.size());
    for (uint32_t i = 0; i < file_.wrong_lines.size(); ++i) {
      Napi::Object line = Napi::Object::New(Env());
      line.Set("number", file_.wrong_lines[i].number);
      line.Set("text", file_.wrong_lines[i].text);
      lines.Set(i, line);
    }
    fault.Set("lines", lines);
    return fault;
  }

  std::string path_;
  ListFile file_;
};

class Joining : public Work {
 public:
  Joining(const Napi::CallbackInfo& info, std::vector<Shared> parts)
      : Work(info, "anyport.lists"), parts_(std::move(parts)) {}

 private:
  void Execute() override {
    Prefixes::Builder builder;
    for (const Shared& part : parts_) builder.Add(*part);
    joined_ = std::make_shared<const Prefixes>(builder.Build());
  }
  Napi::Value Result() override { return ObjectOf(constructor_, std::move(joined_)); }

  std::vector<Shared> parts_;
  Shared joined_;
};

Shared FromTexts(const Napi::Value& value) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "networks: an array is expected");
  const auto texts = value.As<Napi::Array>();
  Prefixes::Builder builder;
  for (uint32_t i = 0; i < texts.Length(); ++i) {
    const std::string text = Napi::Value(texts.Get(i)).ToString();
    const auto network = admission::NetworkOf(text);
    if (!network.has_value()) throw Napi::RangeError::New(value.Env(), text + " is no network");
    builder.Add(*network);
  }
  return std::make_shared<const Prefixes>(builder.Build());
}

Shared MadeOrFromTexts(const Napi::Value& value) {
  const bool is_made = value.IsExternal() && value.As<Napi::External<Shared>>().CheckTypeTag(&kMadeTag);
  return is_made ? *value.As<Napi::External<Shared>>().Data() : FromTexts(value);
}

}  // namespace

void PrefixesBinding::Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Prefixes", DefineClass(env, "Prefixes",
                                      {
                                          StaticMethod<&PrefixesBinding::Read>("read"),
                                          StaticMethod<&PrefixesBinding::Join>("join"),
                                          InstanceMethod<&PrefixesBinding::Release>("release"),
                                          InstanceMethod<&PrefixesBinding::Contains>("contains"),
                                          InstanceMethod<&PrefixesBinding::ContainsMany>("containsMany"),
                                          InstanceAccessor<&PrefixesBinding::Entries>("entries"),
                                          InstanceAccessor<&PrefixesBinding::Bytes>("bytes"),
                                      }));
}

Shared PrefixesBinding::From(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTypeTag))
    throw Napi::TypeError::New(value.Env(), "Prefixes are expected");
  return Unwrap(value.As<Napi::Object>())->prefixes_;
}

PrefixesBinding::PrefixesBinding(const Napi::CallbackInfo& info)
    : ObjectWrap(info), prefixes_(std::make_shared<const Prefixes>()) {
  Hold(MadeOrFromTexts(info[0]));
  info.This().As<Napi::Object>().TypeTag(&kTypeTag);
}

PrefixesBinding::~PrefixesBinding() {
  Napi::MemoryManagement::AdjustExternalMemory(Env(), -static_cast<int64_t>(prefixes_->bytes()));
}

void PrefixesBinding::Hold(Shared prefixes) {
  const auto bytes = static_cast<int64_t>(prefixes->bytes());
  Napi::MemoryManagement::AdjustExternalMemory(Env(), bytes - static_cast<int64_t>(prefixes_->bytes()));
  prefixes_ = std::move(prefixes);
}

Napi::Value PrefixesBinding::Release(const Napi::CallbackInfo& info) {
  Hold(std::make_shared<const Prefixes>());
  return info.Env().Undefined();
}

Napi::Value PrefixesBinding::Read(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "path: a string is expected");
  return (new Reading(info))->Start();
}

Napi::Value PrefixesBinding::Join(const Napi::CallbackInfo& info) {
  if (!info[0].IsArray()) throw Napi::TypeError::New(info.Env(), "parts: an array is expected");
  const auto values = info[0].As<Napi::Array>();
  std::vector<Shared> parts;
  for (uint32_t i = 0; i < values.Length(); ++i) parts.push_back(From(values.Get(i)));
  return (new Joining(info, std::move(parts)))->Start();
}

Napi::Value PrefixesBinding::Contains(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), prefixes_->Contains(SourceFrom(info[0])));
}

Napi::Value PrefixesBinding::ContainsMany(const Napi::CallbackInfo& info) {
  if (!info[0].IsBuffer() || !info[1].IsBuffer())
    throw Napi::TypeError::New(info.Env(), "addresses and answers: Uint8Arrays are expected");
  const auto addresses = info[0].As<Napi::Uint8Array>();
  auto answers = info[1].As<Napi::Uint8Array>();
  if (addresses.ByteLength() != kAddressBytes * answers.ByteLength())
    throw Napi::RangeError::New(info.Env(), "answers: one for each address is expected");
  for (size_t i = 0; i < answers.ByteLength(); ++i) {
    const std::span<const uint8_t> address(addresses.Data() + kAddressBytes * i, kAddressBytes);
    answers.Data()[i] = prefixes_->Contains(net::SourceFrom(address, 0)) ? 1 : 0;
  }
  return info.Env().Undefined();
}

Napi::Value PrefixesBinding::Entries(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(prefixes_->size()));
}

Napi::Value PrefixesBinding::Bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(prefixes_->bytes()));
}

}  // namespace anyport::bindings
