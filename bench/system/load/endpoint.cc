// The server behind the proxies: `endpoint PORT`. Replies to `GET /N …` with N bytes of the pattern and
// closes first, so that TIME_WAIT does not pile up at clients; echoes anything else.
#include "socket.h"

namespace {

using load::Fd;

const load::Pattern pattern;

struct Connection {
  Fd fd;
  bool fetch = false;
  uint64_t size = 0;
  uint64_t sent = 0;
};

// False: finished, close the connection.
bool Stream(load::Poller& poller, Connection& connection) {
  while (connection.sent < connection.size) {
    const auto bytes = pattern.From(connection.sent, connection.size - connection.sent);
    const ssize_t count = send(connection.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) {
      if (errno != EAGAIN) return false;
      poller.Change(connection.fd.get(), EPOLLOUT, &connection);
      return true;
    }
    connection.sent += static_cast<uint64_t>(count);
  }
  return false;
}

bool Echo(Connection& connection, std::string_view bytes) {
  // Messages are small and clients wait for the answer, so a full send buffer is an error of the benchmark.
  return send(connection.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

bool OnReadable(load::Poller& poller, Connection& connection) {
  char buffer[4096];
  const ssize_t count = recv(connection.fd.get(), buffer, sizeof buffer - 1, 0);
  if (count <= 0) return count < 0 && errno == EAGAIN;
  if (buffer[0] != 'G') return Echo(connection, {buffer, static_cast<size_t>(count)});
  buffer[count] = '\0';
  connection.fetch = true;
  connection.size = std::strtoull(buffer + std::strlen("GET /"), nullptr, 10);
  return Stream(poller, connection);
}

void AcceptAll(load::Poller& poller, int listener) {
  for (;;) {
    Fd fd(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() < 0) return;
    auto* connection = new Connection{.fd = std::move(fd)};
    poller.Add(connection->fd.get(), EPOLLIN, connection);
  }
}

Fd Listen(int port) {
  Fd fd = load::NewSocket();
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = load::Loopback(1, port);
  load::Check(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  load::Check(listen(fd.get(), 4096), "listen");
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  load::Poller poller;
  const Fd listener = Listen(std::atoi(argv[1]));
  poller.Add(listener.get(), EPOLLIN, nullptr);
  for (;;) {
    poller.Wait([&](void* owner, uint32_t) {
      if (owner == nullptr) return AcceptAll(poller, listener.get());
      auto* connection = static_cast<Connection*>(owner);
      const bool alive = connection->fetch ? Stream(poller, *connection) : OnReadable(poller, *connection);
      if (!alive) delete connection;
    });
  }
}
