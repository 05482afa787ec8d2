#include "load/answers.h"

#include <utility>

#include "load/serve.h"

namespace load {

namespace {

// Opening and mark; none is longer.
constexpr size_t kHeadMax = 128 * 1024;

class Answers {
 public:
  Answers(Fd fd, Poller* poller, const Scripts* known)
      : fd_(std::move(fd)), poller_(*poller), known_(*known) {
    poller_.Add(fd_.get(), EPOLLIN, this);
  }

  bool OnReady() {
    if (wanted_ == EPOLLOUT) return Answer();
    thread_local std::vector<char> buffer(Pattern::kWindow);
    const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    const std::string_view bytes(buffer.data(), static_cast<size_t>(count));
    return script_ == nullptr ? OnHead(bytes) : OnBytes(bytes);
  }

 private:
  bool OnHead(std::string_view bytes) {
    head_ += bytes;
    const std::optional<Mark::Found> mark = Mark::In(head_);
    if (!mark) return head_.size() <= kHeadMax || ResetAtOnce(fd_.get());
    if (mark->session >= known_.scripts.size()) return ResetAtOnce(fd_.get());
    script_ = &known_.scripts[mark->session];
    const std::string_view opening = std::string_view(head_).substr(0, mark->opening);
    if (opening != known_.openings[script_->opening]) return ResetAtOnce(fd_.get());
    const std::string head = std::exchange(head_, {});
    return OnBytes(std::string_view(head).substr(mark->end));
  }

  // An exchange without an answer may have the next one behind it.
  bool OnBytes(std::string_view bytes) {
    do {
      const uint64_t asked = script_->UpTo(exchange_ + 1);
      const std::string_view piece = bytes.substr(0, asked - received_);
      if (IsOver() || wanted_ == EPOLLOUT || piece != ThePattern().From(received_, piece.size()))
        return ResetAtOnce(fd_.get());
      received_ += piece.size();
      bytes.remove_prefix(piece.size());
      if (received_ < asked) return true;
      if (!Answer()) return false;
    } while (!bytes.empty());
    return true;
  }

  bool Answer() {
    const uint64_t answer = script_->DownTo(exchange_ + 1);
    while (sent_ < answer) {
      const std::string_view piece = ThePattern().From(sent_, answer - sent_);
      const ssize_t count = send(fd_.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
      if (count < 0 && errno != EAGAIN) return false;
      if (count < 0) return Want(EPOLLOUT);
      sent_ += static_cast<uint64_t>(count);
    }
    ++exchange_;
    return !(IsOver() && script_->server_closes) && Want(EPOLLIN);
  }

  bool IsOver() const { return exchange_ == script_->exchanges; }

  bool Want(uint32_t events) {
    if (events != wanted_) poller_.Change(fd_.get(), events, this);
    wanted_ = events;
    return true;
  }

  const Fd fd_;
  Poller& poller_;
  const Scripts& known_;
  uint32_t wanted_ = EPOLLIN;
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
