// A session of a recording while it is replayed.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <queue>

#include "load/account.h"
#include "load/script.h"
#include "load/stream.h"

namespace load {

// Sessions that are open at once in all threads.
class Crowd {
 public:
  void Enter() {
    const size_t now = ++open_;
    for (size_t most = most_; now > most && !most_.compare_exchange_weak(most, now);) {
    }
  }
  void Leave() { --open_; }
  size_t most() const { return most_; }

 private:
  std::atomic<size_t> open_ = 0;
  std::atomic<size_t> most_ = 0;
};

class Actor;

// What the actors of a thread share.
struct Stage {
  Stage(Crowd* all, const Scripts* what, const std::vector<int>* doors, const Account& none)
      : crowd(*all), known(*what), ports(*doors), account(none) {}

  struct Call {
    uint64_t due_ns;
    Actor* actor;
    bool operator<(const Call& other) const { return due_ns > other.due_ns; }
  };

  Crowd& crowd;
  const Scripts& known;
  const std::vector<int>& ports;
  Account account;
  // The earliest on top; at most one an actor.
  std::priority_queue<Call> calls;
  // They have ended in this turn.
  std::vector<std::unique_ptr<Actor>> gone;
};

class Actor : public Stream {
 public:
  Actor(Site* site, Stage* stage, uint32_t session)
      : Stream(site),
        stage_(*stage),
        script_(stage->known.scripts[session]),
        head_(stage->known.openings[script_.opening] + Mark::Of(session)) {
    // In one segment, so that it is with the opening where the proxy looks at it.
    const std::string_view behind = ThePattern().From(0, std::min<uint64_t>(script_.UpTo(1), kBehindMax));
    head_ += behind;
    sent_ = behind.size();
  }

  // What it has waited for is due.
  void OnCall() { exchange_ < script_.exchanges ? Ask() : Leave(); }

 protected:
  void Start() override {
    stage_.account.Begin(due_ns(), NowNs());
    stage_.account.Send(head_.size());
    connection_.Open(stage_.ports[script_.door], site_.opened++);
    connection_.KeepPrompt();
    asked_ = true;
    if (connection_.Send(head_)) OnWritable();
  }

  void OnWritable() override {
    const uint64_t all = script_.UpTo(exchange_ + 1);
    const std::string_view piece = ThePattern().From(sent_, all - sent_);
    const size_t sent = piece.empty() ? 0 : connection_.Write(piece);
    sent_ += sent;
    stage_.account.Send(sent);
    connection_.WantWritable(sent_ < all);
    FinishExchange();
  }

  void OnBytes(std::string_view bytes) override {
    if (!asked_ || received_ + bytes.size() > script_.DownTo(exchange_ + 1))
      Wrong("more came than was asked for");
    if (bytes != ThePattern().From(received_, bytes.size())) Wrong("other bytes came");
    received_ += bytes.size();
    stage_.account.Receive(bytes.size());
    FinishExchange();
  }

  void OnEnd() override {
    if (!leaving_) Wrong("a session ended early");
    connection_.Close();
    stage_.account.End(due_ns(), NowNs());
    stage_.crowd.Leave();
    stage_.gone.emplace_back(this);
  }

 private:
  static constexpr uint64_t kBehindMax = 16 * 1024;

  void Ask() {
    asked_ = true;
    OnWritable();
  }

  void FinishExchange() {
    if (!asked_ || sent_ < script_.UpTo(exchange_ + 1) || received_ < script_.DownTo(exchange_ + 1)) return;
    asked_ = false;
    if (script_.DownTo(exchange_ + 1) > script_.DownTo(exchange_))
      stage_.account.Answer(DueNs(script_.AfterUs(exchange_)), NowNs());
    ++exchange_;
    if (exchange_ == script_.exchanges && script_.server_closes)
      leaving_ = true;
    else
      CallAt(DueNs(exchange_ < script_.exchanges ? script_.AfterUs(exchange_) : script_.lasts_us));
  }

  void Leave() {
    leaving_ = true;
    connection_.Finish();
  }

  uint64_t DueNs(uint64_t after_us) const { return due_ns() + after_us * 1000; }
  void CallAt(uint64_t due_ns) { stage_.calls.push({.due_ns = due_ns, .actor = this}); }

  Stage& stage_;
  const Script& script_;
  std::string head_;
  uint32_t exchange_ = 0;
  // Of the pattern.
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
  // An exchange is under way.
  bool asked_ = false;
  bool leaving_ = false;
};

}  // namespace load
