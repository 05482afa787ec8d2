#include "bindings/plan_from.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arguments.h"
#include "bindings/classifier_binding.h"
#include "bindings/kcp_from.h"
#include "bindings/tls_clients.h"
#include "net/network.h"

namespace anyport::bindings {
namespace {

std::vector<net::Network> NetworksFrom(const Napi::Array& array) {
  std::vector<net::Network> networks;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const auto object = array.Get(i).As<Napi::Object>();
    const auto network = net::ParseNetwork(object.Get("address").ToString(), Uint32At(object, "bits"));
    if (network.has_value()) networks.push_back(*network);
  }
  return networks;
}

using Profiles = std::vector<std::shared_ptr<const links::Profile>>;

// Null for -1.
std::shared_ptr<const links::Profile> ProfileAt(const Napi::Object& object, const Profiles& profiles) {
  const int32_t index = object.Get("kcp").ToNumber().Int32Value();
  if (index < 0) return nullptr;
  if (static_cast<size_t>(index) >= profiles.size())
    throw Napi::RangeError::New(object.Env(), "no such profile of links in the Plan");
  return profiles[static_cast<size_t>(index)];
}

plan::Listener ListenerFrom(const Napi::Object& object, const Napi::Array& classifiers,
                            const Profiles& profiles) {
  plan::Listener table;
  table.classifier = ClassifierBinding::From(classifiers.Get(Uint32At(object, "classifier")));
  if (table.classifier == nullptr) throw Napi::TypeError::New(object.Env(), "a listener names no classifier");
  const int32_t datagrams = object.Get("datagramClassifier").ToNumber().Int32Value();
  if (datagrams >= 0) {
    table.datagrams = ClassifierBinding::From(classifiers.Get(static_cast<uint32_t>(datagrams)));
    if (table.datagrams == nullptr)
      throw Napi::TypeError::New(object.Env(), "a listener names no classifier of datagrams");
  }
  table.id = Uint32At(object, "id");
  table.row = Uint32At(object, "row");
  table.unknown_row = Uint32At(object, "unknownRow");
  table.max_connections = static_cast<int32_t>(Uint32At(object, "maxConnections"));
  table.silence_ms = Uint32At(object, "silenceMs");
  table.name_unrouted = object.Get("nameUnrouted").ToBoolean();
  table.naming_ms = Uint32At(object, "namingMs");
  table.asks_at_accept = object.Get("asksAtAccept").ToBoolean();
  table.quic = object.Get("quic").ToNumber().Int32Value();
  table.trusted_proxies = NetworksFrom(object.Get("trustedProxies").As<Napi::Array>());
  table.trusts_unix = object.Get("trustsUnix").ToBoolean();
  table.links = ProfileAt(object, profiles);
  table.links_only = object.Get("kcpOnly").ToBoolean();
  return table;
}

// Below 2^53, as the schema says.
uint64_t RateAt(const Napi::Object& object, const char* key) {
  return static_cast<uint64_t>(object.Get(key).ToNumber().Int64Value());
}

template <size_t N>
size_t IndexOf(Napi::Env env, const std::array<const char*, N>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw Napi::RangeError::New(env, "no such choice: " + name);
  return static_cast<size_t>(found - names.begin());
}

plan::Bandwidth BandwidthFrom(const Napi::Object& object) {
  plan::Bandwidth bandwidth{RateAt(object, "up"), RateAt(object, "down"), plan::Scope::kSession};
  bandwidth.per =
      static_cast<plan::Scope>(IndexOf(object.Env(), plan::kScopeNames, object.Get("per").ToString()));
  return bandwidth;
}

plan::Udp UdpFrom(const Napi::Object& object) {
  plan::Udp udp;
  udp.idle_timeout_ms = Uint32At(object, "idleTimeoutMs");
  udp.responses = Uint32At(object, "responses");
  udp.amplification = Uint32At(object, "amplification");
  udp.on_reload = static_cast<plan::OnReload>(
      IndexOf(object.Env(), plan::kOnReloadNames, object.Get("onReload").ToString()));
  udp.per_datagram = std::string(object.Get("per").ToString()) == "datagram";
  return udp;
}

plan::Quic QuicFrom(const Napi::Object& object) {
  return {object.Get("follows").ToBoolean(), static_cast<uint8_t>(Uint32At(object, "idBytes"))};
}

plan::Upstream UpstreamFrom(const Napi::Object& object, const Profiles& profiles) {
  plan::Upstream upstream;
  upstream.id = Uint32At(object, "id");
  upstream.row = Uint32At(object, "row");
  upstream.max_connections = static_cast<int32_t>(Uint32At(object, "maxConnections"));
  upstream.queue_length = Uint32At(object, "queueLength");
  upstream.queue_timeout_ms = Uint32At(object, "queueTimeoutMs");
  upstream.dial_timeout_ms = Uint32At(object, "dialTimeoutMs");
  upstream.idle_timeout_ms = Uint32At(object, "idleTimeoutMs");
  upstream.half_close_timeout_ms = Uint32At(object, "halfCloseTimeoutMs");
  upstream.bandwidth = BandwidthFrom(object.Get("bandwidth").As<Napi::Object>());
  upstream.links = ProfileAt(object, profiles);
  upstream.tls = TlsClientFrom(object.Get("tls"));
  upstream.udp = UdpFrom(object.Get("udp").As<Napi::Object>());
  upstream.quic = QuicFrom(object.Get("quic").As<Napi::Object>());
  const auto endpoints = object.Get("endpoints").As<Napi::Array>();
  for (uint32_t i = 0; i < endpoints.Length(); ++i)
    upstream.endpoints.push_back(endpoints.Get(i).ToNumber().Uint32Value());
  return upstream;
}

// Rounds up: a late keepalive probe is harmless, 0 would disable it.
int SecondsFrom(uint32_t milliseconds) { return static_cast<int>((milliseconds + 999) / 1000); }

std::vector<net::Address> SourcesFrom(const Napi::Array& hosts) {
  std::vector<net::Address> sources;
  for (uint32_t i = 0; i < hosts.Length(); ++i) {
    if (const auto source = net::ParseInet(hosts.Get(i).ToString(), 0)) sources.push_back(*source);
  }
  return sources;
}

// Reads the socket options among an upstream's options; the rest is not for the engine.
plan::DialSettings DialSettingsFrom(const Napi::Object& options) {
  const auto tcp = options.Get("tcp").As<Napi::Object>();
  const auto source = options.Get("source").As<Napi::Object>();
  plan::DialSettings settings;
  settings.options.mss = static_cast<int>(Uint32At(tcp, "mss"));
  settings.options.user_timeout_ms = static_cast<int>(Uint32At(tcp, "user_timeout"));
  settings.options.keepalive_s = SecondsFrom(Uint32At(tcp, "keepalive"));
  settings.options.dscp = static_cast<int>(Uint32At(options, "dscp"));
  settings.options.nodelay = tcp.Get("nodelay").ToBoolean();
  settings.options.congestion = tcp.Get("congestion").ToString();
  settings.options.transparent = source.Get("transparent").ToBoolean();
  settings.options.interface = source.Get("interface").ToString();
  settings.sources = SourcesFrom(source.Get("address").As<Napi::Array>());
  return settings;
}

void AddDials(const plan::DialSettings& settings, const Napi::Array& addresses,
              std::vector<plan::Dial>* dials) {
  const Napi::HandleScope scope(addresses.Env());
  for (uint32_t i = 0; i < addresses.Length(); ++i)
    dials->push_back(settings.To(AddressFrom(addresses.Get(i))));
}

// By upstream: its options, once for all its addresses, which are numbered in this order.
void ReadDials(const Napi::Array& array, plan::Plan* plan) {
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(array.Env());
    const auto object = array.Get(i).As<Napi::Object>();
    plan::DialSettings settings = DialSettingsFrom(object.Get("options").As<Napi::Object>());
    AddDials(settings, object.Get("addresses").As<Napi::Array>(), &plan->dials);
    if (i < plan->upstreams.size()) plan->upstreams[i].dial_settings = std::move(settings);
  }
}

plan::Warmed WarmedFrom(const Napi::Object& object) {
  return {Uint32At(object, "endpoint"), Uint32At(object, "upstream"), Uint32At(object, "first"),
          Uint32At(object, "count"),    Uint32At(object, "most"),     Uint32At(object, "maxIdleMs")};
}

double NumberAt(const Napi::Object& object, const char* key) {
  return object.Get(key).ToNumber().DoubleValue();
}

admission::Policy PolicyFrom(const Napi::Object& object) {
  admission::Policy policy;
  policy.source.sessions = Uint32At(object, "sessions");
  policy.source.rate = NumberAt(object, "rate");
  policy.source.burst = Uint32At(object, "burst");
  policy.source.window_ms = Uint32At(object, "windowMs");
  policy.source.threshold = Uint32At(object, "threshold");
  policy.source.failures = Uint32At(object, "failures");
  policy.source.ban_ms = Uint32At(object, "banMs");
  policy.source.ban_max_ms = Uint32At(object, "banMaxMs");
  policy.in_all = {NumberAt(object, "rateInAll"), Uint32At(object, "burstInAll")};
  policy.identifying = {Uint32At(object, "identifyingInAll"), Uint32At(object, "identifying")};
  return policy;
}

}  // namespace

std::shared_ptr<const plan::Plan> PlanFrom(const Napi::Object& object) {
  auto plan = std::make_shared<plan::Plan>();
  plan->generation = Uint32At(object, "generation");
  plan->identify_timeout_ms = Uint32At(object, "identifyTimeoutMs");
  plan->identify_min_bytes = Uint32At(object, "identifyMinBytes");
  plan->identify_max_bytes = Uint32At(object, "identifyMaxBytes");
  plan->long_openings_per_source = Uint32At(object, "longOpeningsPerSource");
  plan->tarpit_max = static_cast<int32_t>(Uint32At(object, "tarpitMax"));
  plan->tarpit_hold_ms = Uint32At(object, "tarpitHoldMs");
  plan->max_connections = static_cast<int32_t>(Uint32At(object, "maxConnections"));
  plan->flows_max = static_cast<int32_t>(Uint32At(object, "flowsMax"));
  plan->flows_per_source = Uint32At(object, "flowsPerSource");
  plan->admission = PolicyFrom(object.Get("admission").As<Napi::Object>());
  const auto profiles = object.Get("kcpProfiles").As<Napi::Array>();
  for (uint32_t i = 0; i < profiles.Length(); ++i)
    plan->links.push_back(KcpProfileFrom(profiles.Get(i).As<Napi::Object>()));
  const auto classifiers = object.Get("classifiers").As<Napi::Array>();
  const auto listeners = object.Get("listeners").As<Napi::Array>();
  for (uint32_t i = 0; i < listeners.Length(); ++i) {
    plan->listeners.push_back(ListenerFrom(listeners.Get(i).As<Napi::Object>(), classifiers, plan->links));
  }
  const auto upstreams = object.Get("upstreams").As<Napi::Array>();
  for (uint32_t i = 0; i < upstreams.Length(); ++i)
    plan->upstreams.push_back(UpstreamFrom(upstreams.Get(i).As<Napi::Object>(), plan->links));
  ReadDials(object.Get("dials").As<Napi::Array>(), plan.get());
  const auto warmed = object.Get("warmed").As<Napi::Array>();
  for (uint32_t i = 0; i < warmed.Length(); ++i)
    plan->warmed.push_back(WarmedFrom(warmed.Get(i).As<Napi::Object>()));
  return plan;
}

}  // namespace anyport::bindings
