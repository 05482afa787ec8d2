#include "sniff/proxy_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

namespace anyport::sniff {
namespace {

using Bytes = std::span<const uint8_t>;
using Status = ProxyHeader::Status;

// Specification section 2.1, including CR LF.
constexpr size_t kLineBytesMax = 107;
constexpr std::string_view kLinePrefix = "PROXY ";

// Specification section 2.2: signature, version and command, family, length.
constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kFixedBytes = 16;
constexpr uint8_t kLocal = 0x20;
constexpr uint8_t kProxied = 0x21;

constexpr ProxyHeader kNone{};
constexpr ProxyHeader kMore{Status::kMore, 0, std::nullopt};

std::string_view TextOf(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Compares the common length.
bool StartsAlike(std::string_view text, std::string_view prefix) {
  const size_t length = std::min(text.size(), prefix.size());
  return text.substr(0, length) == prefix.substr(0, length);
}

uint16_t Load16(Bytes bytes, size_t at) { return static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]); }

// ---- version 1

// Removes and returns the text up to the next space.
std::string_view NextField(std::string_view* line) {
  const size_t space = line->find(' ');
  const std::string_view field = line->substr(0, space);
  *line = space == std::string_view::npos ? std::string_view() : line->substr(space + 1);
  return field;
}

std::optional<uint16_t> PortFrom(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), port);
  const bool whole = error == std::errc() && end == text.end();
  if (!whole || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return port;
}

std::optional<net::Source> SourceFrom(std::string_view host, std::string_view port, int family) {
  const auto number = PortFrom(port);
  // The address parser reads up to a zero byte.
  if (!number.has_value() || host.find('\0') != std::string_view::npos) return std::nullopt;
  const auto address = net::ParseInet(std::string(host), *number);
  if (!address.has_value() || address->family() != family) return std::nullopt;
  return net::SourceOf(address->storage);
}

ProxyHeader ReadInetLine(std::string_view line, size_t bytes, int family) {
  const bool ends_in_space = line.ends_with(' ');
  const std::string_view source = NextField(&line);
  const std::string_view destination = NextField(&line);
  const std::string_view source_port = NextField(&line);
  const std::string_view destination_port = NextField(&line);
  const auto from = SourceFrom(source, source_port, family);
  const auto to = SourceFrom(destination, destination_port, family);
  if (!from.has_value() || !to.has_value() || !line.empty() || ends_in_space) return kNone;
  return {Status::kWhole, bytes, from};
}

ProxyHeader ReadLine(std::string_view text) {
  const size_t end = text.substr(0, kLineBytesMax).find("\r\n");
  if (end == std::string_view::npos) return text.size() < kLineBytesMax ? kMore : kNone;
  const size_t bytes = end + 2;
  std::string_view line = text.substr(0, end);
  line.remove_prefix(kLinePrefix.size());
  const std::string_view family = NextField(&line);
  if (family == "UNKNOWN") return {Status::kWhole, bytes, std::nullopt};  // the rest of the line is ignored
  if (family == "TCP4") return ReadInetLine(line, bytes, AF_INET);
  if (family == "TCP6") return ReadInetLine(line, bytes, AF_INET6);
  return kNone;
}

// ---- version 2

// An address block by family.
struct BlockForm {
  uint8_t family;
  size_t bytes;
  size_t address_bytes;  // 0: not an IP address, ignored
};

constexpr std::array kForms = {BlockForm{0x0, 0, 0}, BlockForm{0x1, 12, 4}, BlockForm{0x2, 36, 16},
                               BlockForm{0x3, 216, 0}};

// The low half of the byte with the family.
constexpr uint8_t kStreamType = 1;
constexpr uint8_t kDatagramType = 2;

// Null: there is no such family and type, or the type is not what is carried.
const BlockForm* FormOf(uint8_t family_and_type, Carried carried) {
  const uint8_t family = family_and_type >> 4;
  const uint8_t type = family_and_type & 0x0f;
  const bool fits = type == (carried == Carried::kStream ? kStreamType : kDatagramType);
  const bool unspecified = family == 0 && type <= kDatagramType;
  const auto* form = std::find_if(kForms.begin(), kForms.end(),
                                  [=](const BlockForm& known) { return known.family == family; });
  return form != kForms.end() && (fits || unspecified) ? form : nullptr;
}

std::optional<net::Source> SourceFrom(Bytes block, const BlockForm& form) {
  if (form.address_bytes == 0) return std::nullopt;
  return net::SourceFrom(block.first(form.address_bytes), Load16(block, 2 * form.address_bytes));
}

ProxyHeader ReadBinary(Bytes bytes, Carried carried) {
  const uint8_t command = bytes.size() > kSignature.size() ? bytes[kSignature.size()] : kProxied;
  const uint8_t family = bytes.size() > kSignature.size() + 1 ? bytes[kSignature.size() + 1] : 0;
  // LOCAL: the connection's own addresses are the real ones, and the block is skipped.
  const BlockForm* form = FormOf(command == kLocal ? 0 : family, carried);
  if ((command != kLocal && command != kProxied) || form == nullptr) return kNone;
  if (bytes.size() < kFixedBytes) return kMore;
  const size_t header_bytes = kFixedBytes + Load16(bytes, kFixedBytes - 2);
  if (header_bytes < kFixedBytes + form->bytes) return kNone;
  if (bytes.size() < header_bytes) return kMore;
  return {Status::kWhole, header_bytes, SourceFrom(bytes.subspan(kFixedBytes, form->bytes), *form)};
}

}  // namespace

ProxyHeader ReadProxyHeader(Bytes bytes, Carried carried) {
  const std::string_view text = TextOf(bytes);
  // Version 1 knows TCP alone.
  if (carried == Carried::kStream && StartsAlike(text, kLinePrefix)) return ReadLine(text);
  if (StartsAlike(text, kSignature)) return ReadBinary(bytes, carried);
  return kNone;
}

}  // namespace anyport::sniff
