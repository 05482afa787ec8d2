// The floor of a relay: `relay PORT TARGET [PIPE]` connects to TARGET, a port, when four bytes have come, and
// passes on whatever comes either way, FIN as FIN. One thread, edge-triggered epoll; no limits, no timers, no
// log. With PIPE, the size of a pipe in bytes, it splices.
#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <string>

#include "load/socket.h"

namespace {

using load::Fd;

// As many as the relays that identify wait for.
constexpr size_t kOpening = 4;
constexpr size_t kRead = 64 * 1024;
constexpr uint32_t kEvents = EPOLLIN | EPOLLRDHUP | EPOLLET;

struct Pipe {
  explicit Pipe(int bytes) {
    int ends[2];
    load::Check(pipe2(ends, O_NONBLOCK | O_CLOEXEC), "pipe2");
    out = Fd(ends[0]);
    in = Fd(ends[1]);
    load::Check(fcntl(in.get(), F_SETPIPE_SZ, bytes), "F_SETPIPE_SZ");
  }
  Fd in, out;
};

struct Session;

// What comes from here goes to the other side.
struct Side {
  Fd fd;
  bool asks_writable = false;
  // Has something to read, as far as is known; its FIN is there.
  bool is_readable = false;
  bool sees_end = false;
  bool has_ended = false;
  Session* session = nullptr;
  // Read here and not sent yet: in `rest`, or `held` bytes in the pipe.
  std::unique_ptr<std::string> rest{};
  std::unique_ptr<Pipe> pipe{};
  size_t held = 0;

  bool keeps() const { return rest != nullptr || held > 0; }
};

struct Session {
  Side client, server;
  bool is_over = false;

  Side& Other(const Side& side) { return &side == &client ? server : client; }
};

class Relay {
 public:
  Relay(int port, int target, int pipe_bytes)
      : listener_(load::Listen(port)), target_(target), pipe_bytes_(pipe_bytes) {
    poller_.Add(listener_.get(), EPOLLIN, nullptr);
  }

  void Turn() {
    poller_.Wait([this](void* owner, uint32_t events) {
      owner == nullptr ? Accept() : OnReady(*static_cast<Side*>(owner), events);
    });
    // Not before: events of this turn may name them.
    over_.clear();
  }

 private:
  void Accept() {
    Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() < 0) return;
    auto* session = new Session;
    session->client.fd = std::move(fd);
    session->client.session = session->server.session = session;
    poller_.Add(session->client.fd.get(), kEvents, &session->client);
  }

  void OnReady(Side& side, uint32_t events) {
    Session& session = *side.session;
    if (session.is_over) return;
    if ((events & ~uint32_t{EPOLLOUT}) != 0) side.is_readable = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) side.sees_end = true;
    const bool is_well = session.server.fd.get() < 0 ? Open(session) : PassBoth(side, session.Other(side));
    if (!is_well || (session.client.has_ended && session.server.has_ended)) End(session);
  }

  bool PassBoth(Side& side, Side& other) {
    return (!side.is_readable || Pass(side)) && (!other.keeps() || Pass(other));
  }

  // False: there is nothing to connect for, or nowhere.
  bool Open(Session& session) {
    Side& client = session.client;
    while (client.is_readable) {
      const ssize_t count = recv(client.fd.get(), buffer_.data(), buffer_.size(), 0);
      if (count <= 0) return count < 0 && errno == EAGAIN;
      Keep(client, {buffer_.data(), static_cast<size_t>(count)});
      client.is_readable = MayHaveMore(client, count);
      if (client.rest->size() >= kOpening) return ConnectFor(session);
    }
    return true;
  }

  bool ConnectFor(Session& session) {
    session.server.fd = load::NewPlainSocket();
    const int fd = session.server.fd.get();
    const sockaddr_in to = load::Loopback(1, target_);
    const int answer = connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    if (answer < 0 && errno != EINPROGRESS) return false;
    poller_.Add(fd, kEvents | EPOLLOUT, &session.server);
    session.server.asks_writable = true;
    return true;
  }

  static void Keep(Side& side, std::string_view bytes) {
    if (side.rest == nullptr) side.rest = std::make_unique<std::string>();
    side.rest->append(bytes);
  }

  // From `side` to the other, until nothing more comes or goes. False: an error.
  bool Pass(Side& side) {
    Side& to = side.session->Other(side);
    for (;;) {
      if (!SendKept(side, to)) return AskWritable(to);
      if (!side.is_readable) return true;
      const ssize_t count = pipe_bytes_ > 0 ? Splice(side, to) : Copy(side, to);
      if (count < 0 && errno != EAGAIN) return false;
      side.is_readable = MayHaveMore(side, count);
      if (count == 0) {
        side.has_ended = true;
        shutdown(to.fd.get(), SHUT_WR);
      }
    }
  }

  // After a short read the socket was empty: what comes later is another event. A pipe may be full before
  // that.
  bool MayHaveMore(const Side& side, ssize_t count) const {
    if (count <= 0) return false;
    return side.sees_end || pipe_bytes_ > 0 || count == ssize_t{kRead};
  }

  // False: some of it stays.
  bool SendKept(Side& side, Side& to) {
    if (side.rest != nullptr) {
      const ssize_t sent = send(to.fd.get(), side.rest->data(), side.rest->size(), MSG_NOSIGNAL);
      if (sent > 0) side.rest->erase(0, static_cast<size_t>(sent));
      if (!side.rest->empty()) return false;
      side.rest.reset();
    }
    if (side.held > 0) Drain(side, to);
    return side.held == 0;
  }

  ssize_t Copy(Side& side, Side& to) {
    const ssize_t count = recv(side.fd.get(), buffer_.data(), buffer_.size(), 0);
    if (count <= 0) return count;
    const ssize_t sent = send(to.fd.get(), buffer_.data(), static_cast<size_t>(count), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return -1;
    const auto gone = static_cast<size_t>(std::max<ssize_t>(sent, 0));
    if (gone < static_cast<size_t>(count))
      Keep(side, {buffer_.data() + gone, static_cast<size_t>(count) - gone});
    return count;
  }

  ssize_t Splice(Side& side, Side& to) {
    if (side.pipe == nullptr) side.pipe = std::make_unique<Pipe>(pipe_bytes_);
    const ssize_t count = splice(side.fd.get(), nullptr, side.pipe->in.get(), nullptr,
                                 static_cast<size_t>(pipe_bytes_), SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (count <= 0) return count;
    side.held = static_cast<size_t>(count);
    Drain(side, to);
    return count;
  }

  static void Drain(Side& side, Side& to) {
    const ssize_t sent = splice(side.pipe->out.get(), nullptr, to.fd.get(), nullptr, side.held,
                                SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (sent > 0) side.held -= static_cast<size_t>(sent);
  }

  bool AskWritable(Side& side) {
    if (!side.asks_writable) poller_.Change(side.fd.get(), kEvents | EPOLLOUT, &side);
    side.asks_writable = true;
    return load::ErrorOf(side.fd.get()) == 0;
  }

  void End(Session& session) {
    session.is_over = true;
    session.client.fd.Reset();
    session.server.fd.Reset();
    over_.emplace_back(&session);
  }

  load::Poller poller_;
  Fd listener_;
  const int target_;
  const int pipe_bytes_;
  std::vector<char> buffer_ = std::vector<char>(kRead);
  std::vector<std::unique_ptr<Session>> over_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  load::RaiseOpenFiles();
  Relay relay(std::atoi(argv[1]), std::atoi(argv[2]), argc > 3 ? std::atoi(argv[3]) : 0);
  for (;;) relay.Turn();
}
