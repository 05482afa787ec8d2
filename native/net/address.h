// Socket addresses: parsing, formatting, and the compact form of a session's source.
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
  // File of a Unix socket; null for abstract sockets and other families.
  const char* unix_path() const;
};
bool operator==(const Address& one, const Address& other);

// Parses an IPv4 or IPv6 literal; no DNS.
std::optional<Address> ParseInet(const std::string& host, uint16_t port);
// A leading `@` means the abstract namespace. Empty when the path does not fit into a sockaddr_un.
std::optional<Address> ParseUnix(const std::string& path);

// Address of a client; IPv4-mapped IPv6 addresses are stored as IPv4.
struct Source {
  std::array<uint8_t, 16> bytes{};  // IPv4 in the first four
  uint16_t port = 0;
  uint8_t family = 0;  // 4, 6, or 0 for a Unix socket
};
Source SourceOf(const sockaddr_storage& peer);
// From an address in network order, 4 or 16 bytes.
Source SourceFrom(std::span<const uint8_t> address, uint16_t port);

// Its address, with this port instead of its own; family AF_UNSPEC for a Unix socket.
Address AddressOf(const Source& source, uint16_t port = 0);

struct HostPort {
  std::string host;  // or the path of a Unix socket, `@` for the abstract namespace
  uint16_t port = 0;
  bool is_unix = false;
};
HostPort Describe(const sockaddr_storage& address, socklen_t length);

}  // namespace anyport::net
