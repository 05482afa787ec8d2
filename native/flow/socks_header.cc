#include "flow/socks_header.h"

#include <algorithm>

namespace anyport::flow::socks {
namespace {

constexpr size_t kAddressAt = 4;
constexpr size_t kPortBytes = 2;

enum AddressType : uint8_t { kIpv4 = 1, kName = 3, kIpv6 = 4 };

// Behind the type; 0: there is no such address. `rest`: from the address on.
size_t AddressBytes(uint8_t type, std::span<const uint8_t> rest) {
  switch (type) {
    case kIpv4:
      return 4;
    case kIpv6:
      return 16;
    case kName:
      return rest.empty() || rest[0] == 0 ? 0 : size_t{1} + rest[0];
    default:
      return 0;
  }
}

}  // namespace

Header ReadHeader(std::span<const uint8_t> datagram) {
  if (datagram.size() < kAddressAt || datagram[0] != 0 || datagram[1] != 0) return {};
  if (datagram[2] != 0) return {Header::Status::kFragment, 0};
  const size_t address = AddressBytes(datagram[3], datagram.subspan(kAddressAt));
  const size_t bytes = kAddressAt + address + kPortBytes;
  if (address == 0 || datagram.size() < bytes) return {};
  if (datagram[bytes - 2] == 0 && datagram[bytes - 1] == 0) return {};
  return {Header::Status::kWhole, bytes};
}

std::vector<uint8_t> HeaderOf(const net::Source& source) {
  const uint8_t type = source.family == 6 ? kIpv6 : kIpv4;
  const size_t port_at = kAddressAt + AddressBytes(type, {});
  std::vector<uint8_t> header(port_at + kPortBytes);
  header[3] = type;
  std::copy_n(source.bytes.begin(), port_at - kAddressAt, header.begin() + kAddressAt);
  header[port_at] = static_cast<uint8_t>(source.port >> 8);
  header[port_at + 1] = static_cast<uint8_t>(source.port & 0xFF);
  return header;
}

std::vector<uint8_t> ReplyOf(const net::Source& relay) {
  std::vector<uint8_t> reply = HeaderOf(relay);
  reply[0] = 5;  // version; what follows means success
  return reply;
}

}  // namespace anyport::flow::socks
