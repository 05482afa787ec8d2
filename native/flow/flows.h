// The carrier of flows of datagrams: finds or begins the flow of each datagram that a client sends, holds
// them until it is decided where they go, and relays them to a socket connected to the endpoint, and the
// answers back.
//
// Datagrams are never copied on their way, and no flow has a buffer: what clients send is received many at a
// time, sorted by flow and sent on at once; answers gather in one batch for all flows until the turn ends.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "desk/desk.h"
#include "flow/datagram_sockets.h"
#include "flow/flow.h"
#include "flow/flow_table.h"
#include "flow/following.h"
#include "flow/key.h"
#include "flow/police.h"
#include "flow/tap.h"
#include "loop/loop.h"
#include "pool/shelf.h"
#include "pool/slabs.h"
#include "sniff/sniffer.h"
#include "udp/receive_batch.h"
#include "udp/send_batch.h"

namespace anyport::flow {

// Answers read from one endpoint before others have their turn.
inline constexpr size_t kAnswersPerRead = 16;
// Flows that are looked at for one to evict.
inline constexpr int kEvictLooksMax = 256;
// Flows that a change of the Plan is applied to in a turn.
inline constexpr uint32_t kSweptPerTurn = 2048;

// Over 20 methods: what a carrier is asked for, and the ways up and down, on one table.
class Flows final : public desk::Carrier {
 public:
  Flows(desk::Desk* desk, sniff::Sniffer* sniffer, pool::Slabs* slabs, loop::Loop* loop,
        shared::Buckets buckets);

  DatagramSockets& sockets() { return sockets_; }
  // Null: every datagram is a flow's.
  void SetTap(Tap* tap) { tap_ = tap; }
  // A socket of clients is readable.
  void OnReadable(pool::SlotId socket, uint32_t events);
  // Reads the sockets that gather, when the tick is due.
  void RunGathering();
  // Until then; -1: none gathers.
  int64_t DelayMs() const;
  // Sends what has gathered for clients, and ends flows whose last answer that was.
  void SendAnswers();
  // The Plan has changed: applies `on_reload` to the flows, some each turn.
  void Adopt() {
    AdoptAssociations();
    Sweep(Sweeping::kReload);
  }
  // Opens a relay at an address of this machine for the client of a connection, at a port that the system
  // chooses. `client_port`: of its datagrams; 0: that of the first one. 0 or an errno; EUSERS: there are too
  // many.
  int Associate(const desk::Session& control, const net::Source& local, uint16_t client_port,
                net::Source* relay);
  // The connection is gone.
  void Dissociate(pool::SlotId control);
  // Ends all flows, some each turn: another process has the sockets.
  void HandOver() { Sweep(Sweeping::kHandOver); }
  void RunSweep();
  bool sweeping() const { return sweeping_ != Sweeping::kNot; }

  void OnSocket(desk::Session& session, desk::Side side, uint32_t events) override;
  void OnTimer(desk::Session& session) override;
  void ReadOn(desk::Session&) override {}  // datagrams come by themselves
  void Connect(desk::Session& session, const desk::Dial& dial) override;
  void GoOn(desk::Session&, const desk::Word&) override {}  // no endpoint is asked for an answer
  bool Reply(desk::Session& session, std::span<const uint8_t> bytes) override;
  net::HostPort Destination(const desk::Session& session) override;
  int Attach(desk::Session& session) override;
  void Describe(const desk::Session& session, desk::Event* event) override;
  desk::Progress ProgressOf(const desk::Session& session) override;
  void OnUnknown(const desk::Session& session) override;
  void Close(desk::Session& session, desk::Closing closing) override;

 private:
  enum class Sweeping : uint8_t { kNot, kReload, kHandOver };

  // A datagram, or several of one flow in one piece; `raw`: with its PROXY header.
  struct Arrived {
    udp::Piece piece;
    std::span<const uint8_t> raw;
    uint32_t next = desk::kNone;  // of the same flow
  };
  // A flow in the batch, and what has arrived for it.
  struct InBatch {
    pool::SlotId session;
    uint32_t first = 0;
    uint32_t last = 0;
  };

  // ---- life
  Flow& FlowOf(const desk::Session& session) { return flows_.At(session.carried); }
  desk::Session* SessionOf(const Flow& flow) { return desk_->AtSlot(flow.session); }
  uint32_t Begin(const Key& key, bool headed, std::span<const uint8_t> datagram);
  bool Follow(desk::Session& session, Flow& flow, const Key& key, std::span<const uint8_t> datagram);
  void List(desk::Session& session, Flow& flow, uint32_t number);
  bool IsOf(const Flow& flow, const Key& key);
  void EvictOldest();
  void Drop(uint32_t socket, desk::Dropped why, uint64_t datagrams);
  void Drop(const desk::Session& session, desk::Dropped why, uint64_t datagrams);
  net::Opened Dial(const desk::Session& session, const desk::Dial& dial, Flow* flow);
  net::Opened DialOwn(const desk::Session& session, const desk::Dial& dial, Flow* flow);
  void Relay(desk::Session& session, Flow& flow, net::Fd fd, uint64_t begun_ns);
  void Fail(desk::Session& session, Flow& flow, int error);
  void PickAgain(desk::Session& session, Flow& flow, int error);
  void Unlist(Flow& flow, uint32_t number);
  void Link(Flow& flow, uint32_t number);
  void Unlink(Flow& flow);

  // ---- associations
  bool IsTarget(const Flow& flow) { return sockets_.At(flow.socket).association != nullptr; }
  void AdoptAssociations();
  void TouchControl(const Association& association);
  void SortAssociated(uint32_t number, const net::Source& peer, const udp::Message& message);
  uint32_t TargetOf(uint32_t socket, const net::Source& peer, std::span<const uint8_t> header);
  uint32_t BeginTarget(uint32_t socket, const net::Source& peer, std::span<const uint8_t> header,
                       uint32_t hash);
  void ShowTarget(desk::Session& session, pool::SlotId control, std::span<const uint8_t> header);
  void LeaveAssociation(const Flow& flow, uint32_t number);

  // ---- from clients
  void Read(pool::SlotId socket);
  void Gather(pool::SlotId socket);
  void Sort(uint32_t socket, const udp::Message& message, std::span<uint8_t> memory);
  void SortTapped(const Key& key, const udp::Message& message, std::span<uint8_t> memory);
  void SortHeaded(uint32_t socket, const Key& key, const udp::Message& message);
  void Arrive(const Key& key, const udp::Piece& piece, std::span<const uint8_t> raw, bool headed);
  void Queue(desk::Session& session, Flow& flow, const udp::Piece& piece, std::span<const uint8_t> raw);
  void Hold(desk::Session& session, Flow& flow, std::span<const uint8_t> bytes, uint16_t segment);
  void RelayBatch();
  void SendUp(desk::Session& session, Flow& flow, const InBatch& batch);
  void SendHeld(desk::Session& session, Flow& flow);
  std::optional<udp::Piece> Passed(const desk::Session& session, shared::Way way, const udp::Piece& piece);
  void PassUp(desk::Session& session, Flow& flow, const udp::Piece& piece, uint32_t* lost, int* error);
  bool AppendUp(const desk::Session& session, const Flow& flow, const udp::Piece& piece);
  void FlushUp(desk::Session& session, Flow& flow, uint32_t* lost, int* error);

  // ---- from endpoints
  void ReadAnswers(desk::Session& session, Flow& flow);
  void TakeLastAnswers(desk::Session& session, Flow& flow);
  void SendApart(const Flow& flow, std::span<const uint8_t> bytes, std::span<const uint16_t> lengths);
  bool TakeAnswer(desk::Session& session, Flow& flow, const udp::Message& message);
  bool MayAnswer(const desk::Session& session, const Flow& flow, uint64_t bytes) const;
  void FlushDown();
  void Account(const udp::Outcome& outcome);
  void OnGone(desk::Session& session, Flow& flow, int error);

  // ---- connection ids
  void Hear(const desk::Session& session, const udp::Message& answer);
  void HearClient(const desk::Session& session, Flow& flow, std::span<const uint8_t> datagram);
  void CountLost(bool kept);

  // ---- changes
  void Sweep(Sweeping how);
  void Move(desk::Session& session, Flow& flow);

  uint64_t now_ms() const { return desk_->timers().now_ms(); }

  desk::Desk* desk_;
  sniff::Sniffer* sniffer_;
  pool::Slabs* slabs_;
  loop::Loop* loop_;
  DatagramSockets sockets_;
  KeyHash hash_;
  FlowTable table_;
  pool::Shelf<Flow> flows_;
  Police police_;
  Following following_;
  Tap* tap_ = nullptr;
  std::unordered_map<uint32_t, pool::SlotId> associations_;  // sockets, by slot of their connection
  // Those whose client has not confirmed an answer, oldest first.
  uint32_t oldest_ = desk::kNone;
  uint32_t newest_ = desk::kNone;

  // Buffers of all flows, made for the first socket.
  struct Batches {
    udp::ReceiveBatch incoming{true};
    udp::SendBatch up;
    udp::ReceiveBatch answers{false};
    udp::SendBatch down;
  };
  std::unique_ptr<Batches> batches_;
  // Of kcptun's links, in the read at hand: our own wire's ends send runs, and datagrams of flows do not
  // wait.
  size_t kcptun_bytes_ = 0;
  std::vector<pool::SlotId> gathering_;  // sockets that are read at tick_ms_
  uint64_t tick_ms_ = 0;
  std::vector<Arrived> arrived_;
  std::vector<InBatch> in_batch_;
  std::vector<pool::SlotId> answered_;  // flows that end once their answers are sent

  Sweeping sweeping_ = Sweeping::kNot;
  uint32_t swept_ = 0;  // the next slot
};

}  // namespace anyport::flow
