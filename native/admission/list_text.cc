#include "admission/list_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

namespace anyport::admission {
namespace {

constexpr uint32_t kMappedPrefixBits = 96;
constexpr std::string_view kBlank = " \t\r";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Digits alone, no more than three.
std::optional<uint32_t> BitsOf(std::string_view text) {
  uint32_t bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && text.size() <= 3;
  return whole ? std::optional(bits) : std::nullopt;
}

// A prefix shorter than that of IPv4-mapped addresses holds IPv6 addresses: an IPv4 address is never looked
// for there.
net::Network NetworkAt(const net::Address& address, uint32_t bits) {
  net::Source base = net::SourceOf(address.storage);
  const bool is_mapped = base.family == 4 && address.family() == AF_INET6;
  if (is_mapped && bits >= kMappedPrefixBits) {
    bits -= kMappedPrefixBits;
  } else if (is_mapped) {
    // The rest is behind the prefix.
    base = net::Source{.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, .family = 6};
  }
  return {base, static_cast<uint8_t>(bits)};
}

}  // namespace

std::optional<net::Network> NetworkOf(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view literal = text.substr(0, slash);
  // A zero byte would end the text early.
  if (literal.size() >= INET6_ADDRSTRLEN || literal.find('\0') != literal.npos) return std::nullopt;
  const auto address = net::ParseInet(std::string(literal), 0);
  if (!address.has_value()) return std::nullopt;
  const uint32_t most = address->family() == AF_INET ? 32 : 128;
  const auto bits = slash == text.npos ? std::optional(most) : BitsOf(text.substr(slash + 1));
  if (!bits.has_value() || *bits > most) return std::nullopt;
  return NetworkAt(*address, *bits);
}

void ListText::Read(std::string_view piece) {
  while (!piece.empty()) {
    const size_t end = piece.find('\n');
    if (end == piece.npos) return Keep(piece);
    if (cut_.empty()) {
      TakeLine(piece.substr(0, end));
    } else {
      Keep(piece.substr(0, end));
      TakeLine(cut_);
      cut_.clear();
    }
    piece.remove_prefix(end + 1);
  }
}

void ListText::End() {
  if (!cut_.empty()) TakeLine(cut_);
  cut_.clear();
}

// One byte more than a line may have, so that it is seen to be too long.
void ListText::Keep(std::string_view rest) {
  cut_.append(rest.substr(0, kLineBytesMax + 1 - std::min(cut_.size(), kLineBytesMax + 1)));
}

void ListText::TakeLine(std::string_view line) {
  line_ += 1;
  if (line.size() > kLineBytesMax) return TakeWrong(line);
  if (line_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  const std::string_view text = Trimmed(line.substr(0, line.find_first_of("#;")));
  if (text.empty()) return;
  const auto network = NetworkOf(text);
  if (!network.has_value()) return TakeWrong(text);
  is_full_ = is_full_ || builder_.size() == kEntriesMax;
  if (!is_full_) builder_.Add(*network);
}

void ListText::TakeWrong(std::string_view line) {
  wrong_ += 1;
  if (wrong_lines_.size() == kWrongKept) return;
  std::string text(line.substr(0, kQuotedMax));
  std::replace_if(
      text.begin(), text.end(), [](char byte) { return byte < ' ' || byte > '~'; }, '?');
  if (line.size() > kQuotedMax) text += "...";
  wrong_lines_.push_back({line_, std::move(text)});
}

}  // namespace anyport::admission
