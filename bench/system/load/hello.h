// The TLS hello that the clients send, for one name.
#pragma once

#include <string>
#include <string_view>

namespace load {

constexpr std::string_view kHelloName = "bench.example.com";
// As browsers pad theirs (RFC 7685).
constexpr size_t kHelloBytes = 517;

namespace tls {

inline std::string Number(size_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

// Content behind its length.
inline std::string Vector(int length_bytes, const std::string& content) {
  return Number(content.size(), length_bytes) + content;
}

inline std::string Extension(int type, const std::string& content) {
  return Number(static_cast<size_t>(type), 2) + Vector(2, content);
}

}  // namespace tls

// ClientHello of TLS 1.3 (RFC 8446 section 4.1.2) in one record.
inline std::string Hello() {
  using tls::Extension;
  using tls::Number;
  using tls::Vector;
  const std::string key(32, '\x5a');
  const std::string name = std::string(1, '\0') + Vector(2, std::string(kHelloName));
  std::string extensions = Extension(0, Vector(2, name));                           // server_name
  extensions += Extension(10, Vector(2, Number(0x001d, 2)));                        // groups
  extensions += Extension(13, Vector(2, Number(0x0403, 2) + Number(0x0804, 2)));    // signatures
  extensions += Extension(16, Vector(2, Vector(1, "h2") + Vector(1, "http/1.1")));  // ALPN
  extensions += Extension(43, Vector(1, Number(0x0304, 2)));                        // versions
  extensions += Extension(51, Vector(2, Number(0x001d, 2) + Vector(2, key)));       // key share
  std::string head = Number(0x0303, 2) + std::string(32, '\x17') + Vector(1, std::string(32, '\x2b'));
  head += Vector(2, Number(0x1301, 2) + Number(0x1303, 2)) + Vector(1, Number(0, 1));
  // Around what is padded: headers of record and handshake, the length of the extensions, the padding's own
  // header.
  const size_t around = 5 + 4 + 2 + 4;
  extensions += Extension(21, std::string(kHelloBytes - around - head.size() - extensions.size(), '\0'));
  const std::string handshake = Number(1, 1) + Vector(3, head + Vector(2, extensions));
  return Number(22, 1) + Number(0x0301, 2) + Vector(2, handshake);
}

}  // namespace load
