#include "load/endpoint.h"

#include "load/slot.h"

namespace load {

namespace {

struct Connection {
  enum class Work : uint8_t { kUnknown, kEcho, kFetch, kStore };

  Fd fd;
  Work work = Work::kUnknown;
  // Of a request that is not whole yet, or what is to be echoed.
  std::string head{};
  uint64_t size = 0;
  // Sent, or stored.
  uint64_t done = 0;
};

using Work = Connection::Work;

// What connections do returns false when they have finished.
class Server {
 public:
  Server(Fd listener, const Openings& openings) : listener_(std::move(listener)), openings_(openings) {
    poller_.Add(listener_.get(), EPOLLIN, nullptr);
  }

  [[noreturn]] void Run() {
    for (;;) {
      poller_.Wait([this](void* owner, uint32_t) {
        if (owner == nullptr) return AcceptAll();
        auto* connection = static_cast<Connection*>(owner);
        if (!OnReady(*connection)) delete connection;
      });
    }
  }

 private:
  void AcceptAll() {
    for (;;) {
      Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.get() < 0) return;
      auto* connection = new Connection{.fd = std::move(fd)};
      poller_.Add(connection->fd.get(), EPOLLIN, connection);
    }
  }

  bool OnReady(Connection& connection) {
    if (connection.work == Work::kFetch) return Stream(connection);
    if (connection.work == Work::kEcho && !connection.head.empty()) return EchoRest(connection);
    const ssize_t count = recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    const std::string_view bytes(buffer_.data(), static_cast<size_t>(count));
    if (connection.work == Work::kStore) return Take(connection, bytes);
    return connection.work == Work::kEcho ? Echo(connection, bytes) : OnFirst(connection, bytes);
  }

  bool OnFirst(Connection& connection, std::string_view bytes) {
    connection.head += bytes;
    if (!openings_.empty()) return OnOpening(connection);
    if (connection.head[0] == 'G' || connection.head[0] == 'P') return OnRequest(connection);
    connection.work = Work::kEcho;
    return EchoRest(connection);
  }

  bool OnOpening(const Connection& connection) {
    const std::string& head = connection.head;
    const Openings::Match match = openings_.Judge(head);
    if (match == Openings::Match::kPart) return true;
    if (match == Openings::Match::kNone) return Reset(connection);
    send(connection.fd.get(), head.data(), head.size(), MSG_NOSIGNAL);
    return false;
  }

  // The request may come in pieces, and with what is stored.
  bool OnRequest(Connection& connection) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    const size_t end = connection.head.find(kEnd);
    if (end == std::string::npos) return true;
    connection.work = connection.head[0] == 'G' ? Work::kFetch : Work::kStore;
    connection.size = std::strtoull(connection.head.c_str() + std::strlen("GET /"), nullptr, 10);
    if (connection.work == Work::kFetch) return Stream(connection);
    return Take(connection, std::string_view(connection.head).substr(end + kEnd.size()));
  }

  bool Stream(Connection& connection) {
    while (connection.done < connection.size) {
      const std::string_view bytes = ThePattern().From(connection.done, connection.size - connection.done);
      const ssize_t count = send(connection.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno != EAGAIN) return false;
      if (count < 0) return Want(connection, EPOLLOUT);
      connection.done += static_cast<uint64_t>(count);
    }
    return false;
  }

  bool Take(Connection& connection, std::string_view bytes) {
    const uint64_t left = connection.size - connection.done;
    if (bytes.size() > left || bytes != ThePattern().From(connection.done, bytes.size()))
      return Reset(connection);
    connection.done += bytes.size();
    if (bytes.size() < left) return true;
    const std::string stored = "stored " + std::to_string(connection.done) + "\n";
    send(connection.fd.get(), stored.data(), stored.size(), MSG_NOSIGNAL);
    return false;
  }

  // Most messages go at once; a rest is kept, and nothing more is read until it has gone.
  bool Echo(Connection& connection, std::string_view bytes) {
    const ssize_t count = send(connection.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) return false;
    bytes.remove_prefix(count < 0 ? 0 : static_cast<size_t>(count));
    connection.head = bytes;
    return bytes.empty() || Want(connection, EPOLLOUT);
  }

  bool EchoRest(Connection& connection) {
    const std::string rest = std::move(connection.head);
    return Echo(connection, rest) && (!connection.head.empty() || Want(connection, EPOLLIN));
  }

  bool Want(Connection& connection, uint32_t events) {
    poller_.Change(connection.fd.get(), events, &connection);
    return true;
  }

  static bool Reset(const Connection& connection) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(connection.fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return false;
  }

  Fd listener_;
  const Openings& openings_;
  Poller poller_;
  std::vector<char> buffer_ = std::vector<char>(Pattern::kWindow);
};

}  // namespace

Openings::Openings(const std::vector<std::string>& all) : whole_(all.begin(), all.end()) {
  for (const std::string& each : all)
    for (size_t size = 1; size < each.size(); ++size) parts_.insert(each.substr(0, size));
}

Openings::Match Openings::Judge(const std::string& bytes) const {
  if (whole_.contains(bytes)) return Match::kWhole;
  return parts_.contains(bytes) ? Match::kPart : Match::kNone;
}

void Serve(Fd listener, const Openings& openings) { Server(std::move(listener), openings).Run(); }

}  // namespace load
