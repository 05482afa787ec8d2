// Attackers, from 127.0.66.0/24; every end is checked: nobody may answer them.
//   attacker drip    PORT CONNECTIONS KINDS   CONNECTIONS at once, opened again when they are ended, until
//                                             the end of standard input. KINDS: OPENING:DRIP in hexadecimal,
//                                             with commas between; a connection sends its opening, then its
//                                             drip each second (empty: silence)
//   attacker knock   PORT CONNECTIONS COUNT   COUNT connections, CONNECTIONS at once, that send nothing and
//                                             wait for the end; another begins at once. COUNT 0: until the
//                                             end of standard input
//   attacker garbage PORT CONNECTIONS COUNT   the same, and each sends up to 2 KiB of random bytes
// Prints `ready` at once (`drip`: when all are open, or 10 s have passed), and at the end one line of
// NAME=VALUE: `opened`, `unanswered` (by the kernel; given up after 3 s), `ended` (by the other side),
// `seconds`.
#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "load/socket.h"

namespace {

using load::Fd;

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kReadyNs = 10 * kSecondNs;
// A SYN that finds the accept queue full is repeated after 1 s and 3 s.
constexpr uint64_t kConnectNs = 3 * kSecondNs;
// Handshakes at once: a burst beyond the backlog would measure repeated SYNs.
constexpr size_t kConnectingMax = 256;
constexpr size_t kGarbageMax = 2048;

uint64_t NowNs() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

struct Kind {
  std::string opening;
  std::string drip;
};

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

std::vector<Kind> KindsFrom(std::string_view list) {
  std::vector<Kind> kinds;
  for (size_t at = 0; at < list.size();) {
    const size_t end = std::min(list.find(',', at), list.size());
    const std::string_view kind = list.substr(at, end - at);
    const size_t colon = std::min(kind.find(':'), kind.size());
    kinds.push_back({FromHex(kind.substr(0, colon)), FromHex(kind.substr(std::min(colon + 1, kind.size())))});
    at = end + 1;
  }
  return kinds;
}

struct Orders {
  int port = 0;
  size_t at_once = 0;
  uint64_t count = 0;  // 0: without end
  std::vector<Kind> kinds = {};
  bool garbage = false;
};

struct Connection {
  Fd fd;
  bool connected = false;
  const Kind* kind = nullptr;
  uint64_t due_ns = 0;  // next drip; while it connects, when it is given up
};

class Attack {
 public:
  explicit Attack(Orders orders) : orders_(std::move(orders)), left_(orders_.count), held_(orders_.at_once) {}

  void Run() {
    poller_.Add(STDIN_FILENO, EPOLLIN | EPOLLHUP, this);
    began_ns_ = NowNs();
    while (!Finished()) Turn();
    const double seconds = static_cast<double>(NowNs() - began_ns_) / 1e9;
    std::printf("opened=%zu unanswered=%zu ended=%zu seconds=%.3f\n", opened_, unanswered_, ended_, seconds);
  }

 private:
  bool Finished() const {
    if (!ends_ && (orders_.count == 0 || left_ > 0)) return false;
    return connecting_ == 0 && (ends_ || open_ == 0);
  }

  void Turn() {
    if (!ends_) Begin();
    poller_.Wait([this](void* owner, uint32_t) { OnReady(owner); }, 20);
    Tell();
    if (const uint64_t now_ns = NowNs(); now_ns >= next_look_ns_) {
      next_look_ns_ = now_ns + kSecondNs / 20;
      for (const auto& each : held_)
        if (each) Look(*each, now_ns);
    }
  }

  void Begin() {
    for (auto& place : held_) {
      if (connecting_ >= kConnectingMax || (orders_.count > 0 && left_ == 0)) return;
      if (open_ + connecting_ >= held_.size()) return;
      if (place && place->fd.get() >= 0) continue;
      if (orders_.count > 0) --left_;
      place = Open();
    }
  }

  std::unique_ptr<Connection> Open() {
    auto connection = std::make_unique<Connection>();
    connection->fd = load::NewSocket();
    connection->due_ns = NowNs() + kConnectNs;
    if (!orders_.kinds.empty()) connection->kind = &orders_.kinds[begun_ % orders_.kinds.size()];
    Bind(connection->fd.get());
    const sockaddr_in to = load::Loopback(1, orders_.port);
    ++connecting_;
    poller_.Add(connection->fd.get(), EPOLLIN | EPOLLOUT | EPOLLET, connection.get());
    const int answer = connect(connection->fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
    if (answer < 0 && errno != EINPROGRESS) load::Die("connect");
    return connection;
  }

  // From 127.0.66.1 … 127.0.66.250 in turn.
  void Bind(int fd) { load::BindLoopback(fd, static_cast<int>(66 * 256 + 1 + begun_++ % 250)); }

  void OnReady(void* owner) {
    if (owner == this) {
      char byte;
      if (read(STDIN_FILENO, &byte, 1) <= 0) End();
      return;
    }
    Connection& connection = *static_cast<Connection*>(owner);
    if (!connection.connected && !Connected(connection)) return;
    char byte;
    const ssize_t got = recv(connection.fd.get(), &byte, 1, 0);
    if (got > 0) Answered();
    if (got == 0 || errno != EAGAIN) Ended(connection);
  }

  [[noreturn]] static void Answered() {
    std::fprintf(stderr, "an attacker was answered\n");
    std::exit(1);
  }

  // False: not yet. A connection that is reset at once was open, too.
  bool Connected(Connection& connection) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    const bool there = getpeername(connection.fd.get(), reinterpret_cast<sockaddr*>(&peer), &length) == 0;
    if (error == 0 && !there) return false;
    if (error == ECONNREFUSED) load::Die("nobody listens");
    connection.connected = true;
    --connecting_;
    ++open_;
    ++opened_;
    connection.due_ns = NowNs() + kSecondNs;
    if (error != 0) return Ended(connection);
    if (connection.kind != nullptr) Say(connection, connection.kind->opening);
    if (orders_.garbage) Say(connection, Garbage());
    return true;
  }

  // A failure is the connection's end, which is read later.
  static void Say(Connection& connection, std::string_view bytes) {
    if (!bytes.empty()) send(connection.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  // The first two bytes begin no protocol, so that nobody waits for more.
  std::string_view Garbage() {
    for (char& byte : garbage_) byte = static_cast<char>(random_());
    garbage_[0] = static_cast<char>(0xff);
    garbage_[1] = 0;
    return {garbage_.data(), 16 + random_() % (kGarbageMax - 16)};
  }

  bool Ended(Connection& connection) {
    --open_;
    ++ended_;
    connection.fd.Reset();
    return false;
  }

  void Look(Connection& connection, uint64_t now_ns) {
    if (connection.fd.get() < 0 || now_ns < connection.due_ns) return;
    if (!connection.connected) {
      --connecting_;
      ++unanswered_;
      connection.fd.Reset();
      return;
    }
    connection.due_ns += kSecondNs;
    if (connection.kind != nullptr) Say(connection, connection.kind->drip);
  }

  void Tell() {
    const bool fills = !orders_.kinds.empty() && open_ < orders_.at_once;
    if (told_ || (fills && NowNs() < began_ns_ + kReadyNs)) return;
    told_ = true;
    std::puts("ready");
    std::fflush(stdout);
  }

  void End() {
    ends_ = true;
    poller_.Remove(STDIN_FILENO);
  }

  const Orders orders_;
  uint64_t left_;
  std::vector<std::unique_ptr<Connection>> held_;
  load::Poller poller_;
  std::mt19937 random_{1};
  std::array<char, kGarbageMax> garbage_{};
  uint64_t began_ns_ = 0;
  uint64_t next_look_ns_ = 0;
  size_t begun_ = 0;
  size_t connecting_ = 0;
  size_t open_ = 0;
  size_t opened_ = 0;
  size_t unanswered_ = 0;
  size_t ended_ = 0;
  bool told_ = false;
  bool ends_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const std::string_view mode = argv[1];
  Orders orders{.port = std::atoi(argv[2]), .at_once = std::strtoull(argv[3], nullptr, 10)};
  if (mode == "drip") orders.kinds = KindsFrom(argv[4]);
  if (mode != "drip") orders.count = std::strtoull(argv[4], nullptr, 10);
  orders.garbage = mode == "garbage";
  Attack(std::move(orders)).Run();
}
