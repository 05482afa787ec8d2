// A client's connection, and what its poller is to watch it for.
#pragma once

#include <string_view>
#include <vector>

#include "load/socket.h"

namespace load {

class Connection {
 public:
  // `owner`: who is given its events.
  Connection(Poller* poller, void* owner) : poller_(*poller), owner_(owner) {}

  // Its owner may send at once: on loopback it is connected by then, which saves a turn and three calls.
  void Open(int port, size_t turn) {
    fd_ = Connect(port, turn);
    wanted_ = 0;
    connecting_ = false;
  }

  // For those that send several times before they are answered.
  void KeepPrompt() { load::KeepPrompt(fd_.get()); }

  // The next event says whether it is connected.
  void AwaitConnected() {
    connecting_ = true;
    Want(EPOLLOUT);
  }
  bool connecting() const { return connecting_; }
  void FinishConnect() {
    errno = ErrorOf(fd_.get());
    if (errno != 0) Die("connect");
    connecting_ = false;
    KeepPrompt();
    Want(kRead);
  }

  // What the socket does not take is sent by SendRest. True: nothing is left.
  bool Send(std::string_view bytes) {
    unsent_ = bytes;
    return SendRest();
  }

  bool SendRest() {
    if (!unsent_.empty()) {
      unsent_.remove_prefix(Write(unsent_));
      WantWritable(!unsent_.empty());
    }
    return unsent_.empty();
  }

  // Number of bytes that the socket has taken.
  size_t Write(std::string_view bytes) {
    const ssize_t count = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) Die("send");
    return count < 0 ? 0 : static_cast<size_t>(count);
  }

  struct Received {
    std::string_view bytes;
    // They are the last ones.
    bool ends = false;
  };

  // With the other side's FIN behind it (`finished`), a short read is the last one.
  Received Receive(bool finished) {
    thread_local std::vector<char> buffer(Pattern::kWindow);
    const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EAGAIN) return {};
    if (count < 0) Die("recv");
    const size_t size = static_cast<size_t>(count);
    return {.bytes = {buffer.data(), size}, .ends = size == 0 || (finished && size < buffer.size())};
  }

  void WantWritable(bool writable) { Want(writable ? kRead | EPOLLOUT : kRead); }
  // No more is sent.
  void Finish() { Check(shutdown(fd_.get(), SHUT_WR), "shutdown"); }
  void Close() { fd_.Reset(); }

 private:
  static constexpr uint32_t kRead = EPOLLIN | EPOLLRDHUP;

  void Want(uint32_t events) {
    if (wanted_ == 0)
      poller_.Add(fd_.get(), events, owner_);
    else if (events != wanted_)
      poller_.Change(fd_.get(), events, owner_);
    wanted_ = events;
  }

  Poller& poller_;
  void* const owner_;
  Fd fd_;
  bool connecting_ = false;
  uint32_t wanted_ = 0;
  std::string_view unsent_;
};

}  // namespace load
