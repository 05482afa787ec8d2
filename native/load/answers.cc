#include "load/answers.h"

#include <utility>

#include "load/serve.h"

namespace load {

namespace {

// Opening and mark; none is longer.
constexpr size_t kHeadMax = 128 * 1024;

class Answers {
 public:
  Answers(Fd fd, Poller* poller, const Scripts* known) : peer_(std::move(fd), poller, this), known_(*known) {}

  bool OnReady() {
    if (peer_.is_sending()) return Answer();
    const std::optional<std::string_view> bytes = peer_.Receive();
    if (!bytes || bytes->empty()) return bytes.has_value();
    return script_ == nullptr ? OnHead(*bytes) : OnBytes(*bytes);
  }

 private:
  bool OnHead(std::string_view bytes) {
    head_ += bytes;
    const std::optional<Mark::Found> mark = Mark::In(head_);
    if (!mark) return head_.size() <= kHeadMax || peer_.ResetAtOnce();
    if (mark->session >= known_.scripts.size()) return peer_.ResetAtOnce();
    script_ = &known_.scripts[mark->session];
    const std::string_view opening = std::string_view(head_).substr(0, mark->opening);
    if (opening != known_.openings[script_->opening]) return peer_.ResetAtOnce();
    const std::string head = std::exchange(head_, {});
    return OnBytes(std::string_view(head).substr(mark->end));
  }

  // An exchange without an answer may have the next one behind it.
  bool OnBytes(std::string_view bytes) {
    do {
      const uint64_t asked = script_->UpTo(exchange_ + 1);
      const std::string_view piece = bytes.substr(0, asked - received_);
      if (IsOver() || peer_.is_sending() || piece != ThePattern().From(received_, piece.size()))
        return peer_.ResetAtOnce();
      received_ += piece.size();
      bytes.remove_prefix(piece.size());
      if (received_ < asked) return true;
      if (!Answer()) return false;
    } while (!bytes.empty());
    return true;
  }

  bool Answer() {
    const uint64_t answer = script_->DownTo(exchange_ + 1);
    if (!peer_.SendPattern(&sent_, answer)) return false;
    if (sent_ < answer) return true;
    ++exchange_;
    return !(IsOver() && script_->server_closes) && peer_.Want(EPOLLIN);
  }

  bool IsOver() const { return exchange_ == script_->exchanges; }

  Peer peer_;
  const Scripts& known_;
  // Until the mark is there.
  std::string head_;
  const Script* script_ = nullptr;
  uint32_t exchange_ = 0;
  uint64_t received_ = 0;
  uint64_t sent_ = 0;
};

}  // namespace

void ServeScripts(const Fd& listener, const Scripts& known) { ServeEach<Answers>(listener, known); }

}  // namespace load
