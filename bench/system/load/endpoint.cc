// The server behind the proxies: `endpoint PORT`. Replies to `GET /N …` with N bytes of the pattern, to
// `PUT /N …` and N right bytes of the pattern with `stored U`, U microseconds being the longest time without
// a byte, and closes first, so that TIME_WAIT does not pile up at clients; resets where a byte was wrong;
// echoes anything else.
#include <string>

#include "load/socket.h"

namespace {

using load::Fd;

const load::Pattern pattern;

struct Connection {
  enum class Work : uint8_t { kUnknown, kFetch, kStore };

  Fd fd;
  Work work = Work::kUnknown;
  // Of a request that is not whole yet.
  std::string head{};
  uint64_t size = 0;
  // Sent, or stored.
  uint64_t done = 0;
  load::Stall stall{};
};

using Work = Connection::Work;

// False: finished, close the connection.
bool Stream(load::Poller& poller, Connection& connection) {
  while (connection.done < connection.size) {
    const auto bytes = pattern.From(connection.done, connection.size - connection.done);
    const ssize_t count = send(connection.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) {
      if (errno != EAGAIN) return false;
      poller.Change(connection.fd.get(), EPOLLOUT, &connection);
      return true;
    }
    connection.done += static_cast<uint64_t>(count);
  }
  return false;
}

bool Reset(const Connection& connection) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(connection.fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  return false;
}

// False: finished.
bool Take(Connection& connection, std::string_view bytes) {
  const uint64_t left = connection.size - connection.done;
  if (bytes.size() > left || bytes != pattern.From(connection.done, bytes.size())) return Reset(connection);
  connection.done += bytes.size();
  connection.stall.Step();
  if (bytes.size() < left) return true;
  const std::string stored = "stored " + std::to_string(connection.stall.longest_us()) + "\n";
  send(connection.fd.get(), stored.data(), stored.size(), MSG_NOSIGNAL);
  return false;
}

bool Store(Connection& connection) {
  static std::vector<char> buffer(load::Pattern::kWindow);
  const ssize_t count = recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
  if (count <= 0) return count < 0 && errno == EAGAIN;
  return Take(connection, {buffer.data(), static_cast<size_t>(count)});
}

bool Echo(Connection& connection, std::string_view bytes) {
  // Messages are small and clients wait for the answer, so a full send buffer is an error of the benchmark.
  return send(connection.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

// The request may come in pieces, and with what is stored.
bool OnRequest(load::Poller& poller, Connection& connection) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const size_t end = connection.head.find(kEnd);
  if (end == std::string::npos) return true;
  connection.work = connection.head[0] == 'G' ? Work::kFetch : Work::kStore;
  connection.size = std::strtoull(connection.head.c_str() + std::strlen("GET /"), nullptr, 10);
  if (connection.work == Work::kFetch) return Stream(poller, connection);
  return Take(connection, std::string_view(connection.head).substr(end + kEnd.size()));
}

bool OnFirst(load::Poller& poller, Connection& connection) {
  char buffer[4096];
  const ssize_t count = recv(connection.fd.get(), buffer, sizeof buffer, 0);
  if (count <= 0) return count < 0 && errno == EAGAIN;
  const std::string_view bytes(buffer, static_cast<size_t>(count));
  if (connection.head.empty() && bytes[0] != 'G' && bytes[0] != 'P') return Echo(connection, bytes);
  connection.head += bytes;
  return OnRequest(poller, connection);
}

bool OnReady(load::Poller& poller, Connection& connection) {
  switch (connection.work) {
    case Work::kFetch:
      return Stream(poller, connection);
    case Work::kStore:
      return Store(connection);
    case Work::kUnknown:
      break;
  }
  return OnFirst(poller, connection);
}

void AcceptAll(load::Poller& poller, int listener) {
  for (;;) {
    Fd fd(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() < 0) return;
    auto* connection = new Connection{.fd = std::move(fd)};
    poller.Add(connection->fd.get(), EPOLLIN, connection);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  load::Poller poller;
  const Fd listener = load::Listen(std::atoi(argv[1]));
  poller.Add(listener.get(), EPOLLIN, nullptr);
  for (;;) {
    poller.Wait([&](void* owner, uint32_t) {
      if (owner == nullptr) return AcceptAll(poller, listener.get());
      auto* connection = static_cast<Connection*>(owner);
      if (!OnReady(poller, *connection)) delete connection;
    });
  }
}
