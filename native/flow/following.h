// Which connection ids the clients of flows are known by (`quic.follow_connection_id`): learned from what
// endpoints answer in their handshakes, and from what clients put to use later, as NEW_CONNECTION_ID frames
// are encrypted. Others find them once the client has confirmed an answer: whoever forges a source takes no
// place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

#include "desk/session.h"
#include "shared/connection_ids.h"

namespace anyport::flow {

class Following {
 public:
  using Tag = shared::ConnectionIds::Tag;
  // The newest of a flow: one to its endpoint may carry several connections, and clients change ids.
  static constexpr size_t kIdsOfFlow = 4;
  // Shorter ids may come about by chance, and can be guessed: for an upstream that says that it has them.
  static constexpr size_t kIdBytesMin = 8;

  explicit Following(std::shared_ptr<shared::ConnectionIds> ids) : ids_(std::move(ids)) {}

  // An id that a datagram is addressed to, and where it belongs.
  struct Found {
    Tag tag;
    shared::ConnectionIds::Place place;
  };
  // Of a datagram for which there is no flow.
  std::optional<Found> Find(uint32_t listener, std::span<const uint8_t> datagram) const;

  // The flow has begun by such an id.
  void Begin(const desk::Session& session, const Tag& tag);
  // What the endpoint has answered. False: an id had no place.
  bool Hear(const desk::Session& session, std::span<const uint8_t> answer);
  // What a client that is confirmed has sent. Likewise.
  bool HearClient(const desk::Session& session, std::span<const uint8_t> datagram);
  // The client is confirmed: its ids are found from now on. Likewise.
  bool Confirm(const desk::Session& session);
  // They are found again where another flow had taken them and has ended. Likewise.
  bool Renew(const desk::Session& session);
  // The flow ends, or goes to another endpoint.
  void Forget(const desk::Session& session);

  size_t flows() const { return flows_.size(); }

 private:
  struct Known {
    std::array<Tag, kIdsOfFlow> tags{};
    uint8_t count = 0;
    uint8_t next = 0;    // the oldest, once it is full
    uint8_t length = 0;  // of ids in short headers
    bool confirmed = false;
    shared::ConnectionIds::Owner owner = 0;
  };

  Known& KnownOf(const desk::Session& session);
  bool Learn(const desk::Session& session, Known& known, const Tag& tag);
  bool EnterAll(const desk::Session& session, const Known& known, bool takes);

  std::shared_ptr<shared::ConnectionIds> ids_;
  std::unordered_map<uint32_t, Known> flows_;  // by number of the flow
};

}  // namespace anyport::flow
