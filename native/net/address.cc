#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace anyport::net {
namespace {

// Prefix of IPv4-mapped IPv6 addresses (RFC 4291 section 2.5.5.2).
constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// memcpy instead of a cast, because of strict aliasing.
template <typename T>
T As(const sockaddr_storage& storage) {
  T typed;
  std::memcpy(&typed, &storage, sizeof(typed));
  return typed;
}

template <typename T>
Address From(const T& typed, socklen_t length = sizeof(T)) {
  Address address;
  std::memcpy(&address.storage, &typed, sizeof(typed));
  address.length = length;
  return address;
}

}  // namespace

std::optional<Address> ParseInet(const std::string& host, uint16_t port) {
  sockaddr_in v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return From(v4);
  }
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    return From(v6);
  }
  return std::nullopt;
}

std::optional<Address> ParseUnix(const std::string& path) {
  sockaddr_un un{};
  if (path.empty() || path.size() >= sizeof(un.sun_path)) return std::nullopt;
  un.sun_family = AF_UNIX;
  const socklen_t header = offsetof(sockaddr_un, sun_path);
  std::memcpy(un.sun_path, path.c_str(), path.size() + 1);
  if (path.front() != '@') return From(un, static_cast<socklen_t>(header + path.size() + 1));
  // unix(7): an abstract name starts with a zero byte; the address length ends it, not a zero.
  un.sun_path[0] = 0;
  return From(un, static_cast<socklen_t>(header + path.size()));
}

bool operator==(const Address& one, const Address& other) {
  return one.length == other.length && std::memcmp(&one.storage, &other.storage, one.length) == 0;
}

const char* Address::unix_path() const {
  if (family() != AF_UNIX) return nullptr;
  const char* path = reinterpret_cast<const char*>(&storage) + offsetof(sockaddr_un, sun_path);
  return *path == 0 ? nullptr : path;
}

Source SourceOf(const sockaddr_storage& peer) {
  if (peer.ss_family == AF_INET) {
    const auto v4 = As<sockaddr_in>(peer);
    std::array<uint8_t, 4> address;
    std::memcpy(address.data(), &v4.sin_addr, address.size());
    return SourceFrom(address, ntohs(v4.sin_port));
  }
  if (peer.ss_family == AF_INET6) {
    const auto v6 = As<sockaddr_in6>(peer);
    return SourceFrom(v6.sin6_addr.s6_addr, ntohs(v6.sin6_port));
  }
  return {};
}

Source SourceFrom(std::span<const uint8_t> address, uint16_t port) {
  const bool mapped =
      address.size() == 16 && std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
  const auto bytes = mapped ? address.subspan(kMappedPrefix.size()) : address;
  Source source;
  source.family = bytes.size() == 4 ? 4 : 6;
  source.port = port;
  std::copy(bytes.begin(), bytes.end(), source.bytes.begin());
  return source;
}

Address AddressOf(const Source& source, uint16_t port) {
  if (source.family == 4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, source.bytes.data(), sizeof(v4.sin_addr));
    return From(v4);
  }
  if (source.family != 6) return {};
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, source.bytes.data(), sizeof(v6.sin6_addr));
  return From(v6);
}

HostPort Describe(const sockaddr_storage& address, socklen_t length) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto v4 = As<sockaddr_in>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return {text, ntohs(v4.sin_port), false};
  }
  if (address.ss_family == AF_INET6) {
    const auto v6 = As<sockaddr_in6>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    return {text, ntohs(v6.sin6_port), false};
  }
  const auto un = As<sockaddr_un>(address);
  const size_t header = offsetof(sockaddr_un, sun_path);
  const size_t room = length > header ? length - header : 0;
  if (room > 1 && un.sun_path[0] == 0) {
    std::string name(un.sun_path, room);
    name.front() = '@';
    return {std::move(name), 0, true};
  }
  return {std::string(un.sun_path, strnlen(un.sun_path, room)), 0, true};
}

}  // namespace anyport::net
