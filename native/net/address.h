// Socket addresses: from text, to text, and the compact form in which a session keeps its source.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace anyport::net {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  // The file of a unix socket; null for an abstract one and for other families.
  const char* unix_path() const;
};

// An IPv4 or IPv6 literal. Nothing is looked up.
std::optional<Address> ParseInet(const std::string& host, uint16_t port);
// `@` at the start of the path means the abstract namespace. Nothing when it does not fit into a sockaddr_un.
std::optional<Address> ParseUnix(const std::string& path);

// Where a client comes from. IPv4-mapped IPv6 addresses are IPv4.
struct Source {
  std::array<uint8_t, 16> bytes{};  // IPv4 in the first four
  uint16_t port = 0;
  uint8_t family = 0;  // 4, 6, or 0 for a unix socket
};
Source SourceOf(const sockaddr_storage& peer);
// Of an address in network order, 4 or 16 bytes long.
Source SourceFrom(std::span<const uint8_t> address, uint16_t port);

struct HostPort {
  std::string host;  // or the path of a unix socket, with `@` for an abstract one
  uint16_t port = 0;
  bool is_unix = false;
};
HostPort Describe(const sockaddr_storage& address, socklen_t length);

}  // namespace anyport::net
