// Datagrams of the handshake (wire `anyport`), as far as they are read here; what is in the message of Noise
// is TypeScript's. Numbers are little-endian.
//
//   hello   0xA9 │ version u8 │ cipher u8 │ pattern u8 │ client's link id u32 │ cookie 16 │ message │ zeros:
//   512 retry   0xAA │ client's link id u32 │ cookie 16 answer  0xAB │ client's link id u32 │ server's link
//   id u32 │ message
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
inline constexpr size_t kHelloCookieAt = 8;
inline constexpr size_t kRetryBytes = 5 + kcp::kCookieBytes;
inline constexpr size_t kAnswerHeaderBytes = 9;
inline constexpr size_t kAnswerMessageMax = kHelloBytes - kAnswerHeaderBytes;

struct Hello {
  uint32_t link = 0;
  kcp::Cookie cookie{};
};

inline std::optional<Hello> ReadHello(std::span<const uint8_t> datagram) {
  if (datagram.size() != kHelloBytes || datagram[0] != kHello) return std::nullopt;
  Hello hello;
  hello.link = kcp::Load32(&datagram[kHelloLinkAt]);
  std::copy_n(&datagram[kHelloCookieAt], hello.cookie.size(), hello.cookie.begin());
  return hello;
}

inline void WriteLink(std::span<uint8_t> datagram, uint32_t link) {
  kcp::Store32(&datagram[kHelloLinkAt], link);
}

inline std::vector<uint8_t> RetryFor(uint32_t link, const kcp::Cookie& cookie) {
  std::vector<uint8_t> datagram(kRetryBytes);
  datagram[0] = kRetry;
  kcp::Store32(&datagram[1], link);
  std::copy(cookie.begin(), cookie.end(), &datagram[5]);
  return datagram;
}

inline std::vector<uint8_t> AnswerFor(uint32_t client, uint32_t server, std::span<const uint8_t> message) {
  std::vector<uint8_t> datagram(kAnswerHeaderBytes);
  datagram[0] = kAnswer;
  kcp::Store32(&datagram[1], client);
  kcp::Store32(&datagram[5], server);
  datagram.insert(datagram.end(), message.begin(), message.end());
  return datagram;
}

}  // namespace anyport::links
