// Datagrams of the handshake (wire `anyport`), as far as they are read here; what is in the message of Noise
// is TypeScript's. Numbers are little-endian.
//
//   hello   0xA9 │ version u8 │ cipher u8 │ pattern u8 │ client's link id u64 │ cookie 16 │ message │ zeros
//   retry   0xAA │ client's link id u64 │ cookie 16
//   answer  0xAB │ client's link id u64 │ server's link id u64 │ message
//
// A hello is of 512 bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kcp/cookie.h"
#include "kcp/little_endian.h"

namespace anyport::links {

inline constexpr uint8_t kHello = 0xA9;
inline constexpr uint8_t kRetry = 0xAA;
inline constexpr uint8_t kAnswer = 0xAB;

// So that nothing that answers a hello is longer than it.
inline constexpr size_t kHelloBytes = 512;
inline constexpr size_t kHelloLinkAt = 4;
inline constexpr size_t kHelloCookieAt = 12;
inline constexpr size_t kRetryBytes = 9 + kcp::kCookieBytes;
inline constexpr size_t kAnswerHeaderBytes = 17;
inline constexpr size_t kAnswerMessageMax = kHelloBytes - kAnswerHeaderBytes;

struct Hello {
  uint64_t link = 0;
  kcp::Cookie cookie{};
};

inline std::optional<Hello> ReadHello(std::span<const uint8_t> datagram) {
  if (datagram.size() != kHelloBytes || datagram[0] != kHello) return std::nullopt;
  Hello hello;
  hello.link = kcp::Load64(&datagram[kHelloLinkAt]);
  std::copy_n(&datagram[kHelloCookieAt], hello.cookie.size(), hello.cookie.begin());
  return hello;
}

inline void WriteLink(std::span<uint8_t> datagram, uint64_t link) {
  kcp::Store64(&datagram[kHelloLinkAt], link);
}

inline std::vector<uint8_t> RetryFor(uint64_t link, const kcp::Cookie& cookie) {
  std::vector<uint8_t> datagram(kRetryBytes);
  datagram[0] = kRetry;
  kcp::Store64(&datagram[1], link);
  std::copy(cookie.begin(), cookie.end(), &datagram[9]);
  return datagram;
}

inline std::vector<uint8_t> AnswerFor(uint64_t client, uint64_t server, std::span<const uint8_t> message) {
  std::vector<uint8_t> datagram(kAnswerHeaderBytes);
  datagram[0] = kAnswer;
  kcp::Store64(&datagram[1], client);
  kcp::Store64(&datagram[9], server);
  datagram.insert(datagram.end(), message.begin(), message.end());
  return datagram;
}

}  // namespace anyport::links
