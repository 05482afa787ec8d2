// The server behind the proxy. Replies to `GET /N …` with N bytes of the pattern, to `PUT /N …` and N right
// bytes of the pattern with `stored U`, U microseconds being the longest time without a byte; echoes anything
// else. It closes first where it answers once, so that TIME_WAIT does not pile up at clients, and resets
// where a byte is wrong.
#pragma once

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "load/serve.h"

namespace load {

// What clients open with, if they are to say that and nothing else: it is echoed whole, once, and the
// connection closed.
class Openings {
 public:
  explicit Openings(const std::vector<std::string>& all) : whole_(all.begin(), all.end()) {
    for (const std::string& each : all)
      for (size_t size = 1; size < each.size(); ++size) parts_.insert(each.substr(0, size));
  }

  enum class Match : uint8_t { kNone, kPart, kWhole };
  Match Judge(const std::string& bytes) const {
    if (whole_.contains(bytes)) return Match::kWhole;
    return parts_.contains(bytes) ? Match::kPart : Match::kNone;
  }
  bool empty() const { return whole_.empty(); }

 private:
  std::unordered_set<std::string> whole_;
  // Their beginnings.
  std::unordered_set<std::string> parts_;
};

struct Manners {
  // What every connection has to begin with, and what is taken away before the rest is looked at.
  std::string opening{};
  // Not empty: connections say one of these and nothing else.
  Openings openings{{}};
};

// What is done returns false when the connection has finished.
class Guest {
 public:
  Guest(Fd fd, Poller* poller, const Manners* manners)
      : peer_(std::move(fd), poller, this), manners_(*manners) {}

  bool OnReady() {
    if (work_ == Work::kFetch) return Stream();
    if (work_ == Work::kEcho && !head_.empty()) return Echo(std::exchange(head_, {}));
    const std::optional<std::string_view> bytes = peer_.Receive();
    if (!bytes || bytes->empty()) return bytes.has_value();
    if (work_ == Work::kStore) return Store(*bytes);
    return work_ == Work::kEcho ? Echo(*bytes) : OnFirst(*bytes);
  }

 private:
  enum class Work : uint8_t { kUnknown, kEcho, kFetch, kStore };

  bool OnFirst(std::string_view bytes) {
    head_ += bytes;
    if (!manners_.openings.empty()) return OnOpening();
    if (!opened_ && !TakeOpening()) return manners_.opening.starts_with(head_) || peer_.ResetAtOnce();
    if (head_.empty()) return true;
    if (head_[0] == 'G' || head_[0] == 'P') return OnRequest();
    work_ = Work::kEcho;
    return Echo(std::exchange(head_, {}));
  }

  bool TakeOpening() {
    opened_ = head_.starts_with(manners_.opening);
    if (opened_) head_.erase(0, manners_.opening.size());
    return opened_;
  }

  bool OnOpening() {
    const Openings::Match match = manners_.openings.Judge(head_);
    if (match == Openings::Match::kPart) return true;
    if (match == Openings::Match::kNone) return peer_.ResetAtOnce();
    send(peer_.fd(), head_.data(), head_.size(), MSG_NOSIGNAL);
    return false;
  }

  // The request may come in pieces, and with what is stored.
  bool OnRequest() {
    constexpr std::string_view kEnd = "\r\n\r\n";
    const size_t end = head_.find(kEnd);
    if (end == std::string::npos) return true;
    work_ = head_[0] == 'G' ? Work::kFetch : Work::kStore;
    size_ = std::strtoull(head_.c_str() + std::strlen("GET /"), nullptr, 10);
    if (work_ == Work::kFetch) return Stream();
    return Store(std::string_view(head_).substr(end + kEnd.size()));
  }

  bool Stream() { return peer_.SendPattern(&done_, size_) && done_ < size_; }

  bool Store(std::string_view bytes) {
    const uint64_t left = size_ - done_;
    if (bytes.size() > left || bytes != ThePattern().From(done_, bytes.size())) return peer_.ResetAtOnce();
    done_ += bytes.size();
    stall_.Step();
    if (bytes.size() < left) return true;
    const std::string stored = "stored " + std::to_string(stall_.longest_us()) + "\n";
    send(peer_.fd(), stored.data(), stored.size(), MSG_NOSIGNAL);
    return false;
  }

  // Most messages go at once; a rest is kept, and nothing more is read until it has gone.
  bool Echo(std::string_view bytes) {
    const ssize_t count = send(peer_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) return false;
    bytes.remove_prefix(count < 0 ? 0 : static_cast<size_t>(count));
    head_ = bytes;
    return peer_.Want(bytes.empty() ? EPOLLIN : EPOLLOUT);
  }

  Peer peer_;
  const Manners& manners_;
  bool opened_ = false;
  Work work_ = Work::kUnknown;
  // Of a request that is not whole yet, or what is to be echoed.
  std::string head_;
  uint64_t size_ = 0;
  // Sent, or stored.
  uint64_t done_ = 0;
  Stall stall_{};
};

// Serves on `listener` for ever, on the calling thread.
[[noreturn]] inline void Serve(const Fd& listener, const Manners& manners) {
  ServeEach<Guest>(listener, manners);
}

}  // namespace load
