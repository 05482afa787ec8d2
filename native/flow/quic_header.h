// Connection ids in QUIC packets: of long headers what all versions have in common (RFC 8999), of short ones
// what those have who know how long the id is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace anyport::flow::quic {

// Of the first packet in the datagram.
bool HasLongHeader(std::span<const uint8_t> datagram);

// The id that the sender wants to be addressed by. Empty: it has none, or the packet does not say.
std::span<const uint8_t> SourceId(std::span<const uint8_t> datagram);

// The id that a Handshake packet is addressed to. Empty for all else: an Initial or 0-RTT packet may begin a
// connection, and its sender has chosen the id.
std::span<const uint8_t> IdOfHandshake(std::span<const uint8_t> datagram);

// The id that a packet with a short header is addressed to, if ids have so many bytes. Empty: it has a long
// one, or the datagram is too short for a packet.
std::span<const uint8_t> IdOfShort(std::span<const uint8_t> datagram, size_t length);

}  // namespace anyport::flow::quic
