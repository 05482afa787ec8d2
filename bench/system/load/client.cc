// The load clients; every byte of every answer is checked.
//   client fetch PORT CONNECTIONS FETCHES BYTES [TARGET]
//                                                 one connection per fetch, CONNECTIONS at once (at most
//                                                 FETCHES); with TARGET, a port of the endpoint, through a
//                                                 tunnel that it asks for by CONNECT
//   client ping  PORT CONNECTIONS ROUNDS          64-byte round trips, ROUNDS per connection
//   client hello PORT CONNECTIONS HELLOS          one connection per TLS hello, which comes back whole
//   client hold  PORT CONNECTIONS [ACTIVE ROUNDS] one round trip each, then idle until end of standard input;
//                                                 fails if a connection breaks. With ACTIVE, after a line
//                                                 ROUNDS round trips on so many of them, meanwhile
//   client refused PORT CONNECTIONS OPENINGS      one connection per opening, which sends nothing and is to
//   be
//                                                 closed or reset without a byte
//   client leave PORT CONNECTIONS OPENINGS        each opening is a connection that sends two bytes, too few
//                                                 to identify it, and sends FIN when 256 more have opened
//   client stay  PORT CONNECTIONS OPENINGS        the same, but waits until the other side closes
// Prints `ok SECONDS` at the end (`hold`: when all are idle, and after the rounds), or an error and exits 1.
#include <chrono>
#include <deque>
#include <memory>
#include <string>

#include "hello.h"
#include "load/socket.h"

namespace {

using load::Fd;

constexpr std::string_view kPing =
    "*2\r\n$4\r\nECHO\r\n$43\r\nabcdefghijklmnopqrstuvwxyz0123456789ABCDEFG\r\n";
static_assert(kPing.size() == 64);

const load::Pattern pattern;

[[noreturn]] void Wrong(const char* what) {
  std::fprintf(stderr, "wrong answer: %s\n", what);
  std::exit(1);
}

// Binds to 127.0.0.2 … 127.0.0.20 in turn, because one source address runs out of ports.
Fd Connect(int port) {
  static int next = 0;
  Fd fd = load::NewSocket();
  load::BindLoopback(fd.get(), 2 + next++ % 19);
  const sockaddr_in to = load::Loopback(1, port);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0 && errno != EINPROGRESS)
    load::Die("connect");
  return fd;
}

void Send(int fd, std::string_view bytes) {
  if (send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
    load::Die("send");
}

// The work of one connection slot, driven by readiness of its socket.
class Task {
 public:
  virtual ~Task() = default;
  // Opens the slot's connection.
  virtual void Begin(load::Poller& poller) = 0;
  // True: the slot has finished its work.
  virtual bool OnReadable(load::Poller& poller) = 0;

  virtual void OnConnected(load::Poller& poller) {
    errno = load::ErrorOf(fd_.get());
    if (errno != 0 && !MayFail(errno)) load::Die("connect");
    poller.Change(fd_.get(), EPOLLIN, this);
    connected_ = true;
    if (!request_.empty()) Send(fd_.get(), request_);
  }

  bool connected() const { return connected_; }

  // Fails on data behind the last answer and on a close by the other side.
  void ExpectSilence() const {
    char byte;
    if (fd_.get() < 0) return;
    if (recv(fd_.get(), &byte, 1, MSG_PEEK) >= 0 || errno != EAGAIN)
      Wrong("a connection did not stay open and silent");
  }

 protected:
  explicit Task(std::string request) : request_(std::move(request)) {}

  // Errors of the connection that are no error of the work.
  virtual bool MayFail(int) const { return false; }

  void Open(load::Poller& poller, int port) {
    fd_ = Connect(port);
    connected_ = false;
    poller.Add(fd_.get(), EPOLLOUT, this);
  }

  Fd fd_;
  const std::string request_;

 private:
  bool connected_ = false;
};

std::string GetRequest(uint64_t bytes) {
  return "GET /" + std::to_string(bytes) + " HTTP/1.1\r\nHost: bench.example.com\r\n\r\n";
}

std::string ConnectRequest(int target) {
  const std::string authority = "127.0.0.1:" + std::to_string(target);
  return "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n\r\n";
}

class Fetch : public Task {
 public:
  // `left`: fetches not begun, shared by all slots. `target`: port behind a tunnel; 0: there is no tunnel.
  Fetch(int port, uint64_t bytes, uint64_t* left, int target)
      : Task(target == 0 ? GetRequest(bytes) : ConnectRequest(target)),
        port_(port),
        bytes_(bytes),
        left_(left),
        in_tunnel_(target == 0 ? std::string() : GetRequest(bytes)) {}

  void Begin(load::Poller& poller) override {
    --*left_;
    received_ = 0;
    waits_for_tunnel_ = !in_tunnel_.empty();
    Open(poller, port_);
  }

  bool OnReadable(load::Poller& poller) override {
    if (waits_for_tunnel_) return EnterTunnel();
    static std::vector<char> buffer(load::Pattern::kWindow);
    const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0) return errno == EAGAIN ? false : (load::Die("recv"), false);
    if (count > 0) return Verify({buffer.data(), static_cast<size_t>(count)});
    if (received_ != bytes_) Wrong("a fetch ended early");
    fd_.Reset();
    if (*left_ == 0) return true;
    Begin(poller);
    return false;
  }

 private:
  // The answer comes whole and alone: nothing has been asked of the endpoint yet.
  bool EnterTunnel() {
    char buffer[1024];
    const ssize_t count = recv(fd_.get(), buffer, sizeof buffer, 0);
    if (count < 0) return errno == EAGAIN ? false : (load::Die("recv"), false);
    const std::string_view answer(buffer, static_cast<size_t>(count));
    if (!answer.starts_with("HTTP/1.1 200 ") || !answer.ends_with("\r\n\r\n")) Wrong("no tunnel");
    waits_for_tunnel_ = false;
    Send(fd_.get(), in_tunnel_);
    return false;
  }

  bool Verify(std::string_view bytes) {
    if (bytes != pattern.From(received_, bytes.size())) Wrong("a fetch brought other bytes");
    received_ += bytes.size();
    return false;
  }

  const int port_;
  const uint64_t bytes_;
  uint64_t* const left_;
  // Request behind the CONNECT.
  const std::string in_tunnel_;
  bool waits_for_tunnel_ = false;
  uint64_t received_ = 0;
};

class Greeting : public Task {
 public:
  // `left`: hellos not begun, shared by all slots.
  Greeting(int port, uint64_t* left) : Task(load::Hello()), port_(port), left_(left) {}

  void Begin(load::Poller& poller) override {
    --*left_;
    received_ = 0;
    Open(poller, port_);
  }

  bool OnReadable(load::Poller& poller) override {
    char buffer[4096];
    const ssize_t count = recv(fd_.get(), buffer, sizeof buffer, 0);
    if (count < 0) return errno == EAGAIN ? false : (load::Die("recv"), false);
    if (count > 0) return Verify({buffer, static_cast<size_t>(count)});
    if (received_ != request_.size()) Wrong("a hello did not come back");
    fd_.Reset();
    if (*left_ == 0) return true;
    Begin(poller);
    return false;
  }

 private:
  bool Verify(std::string_view bytes) {
    if (!std::string_view(request_).substr(received_).starts_with(bytes)) Wrong("a hello came back changed");
    received_ += bytes.size();
    return false;
  }

  const int port_;
  uint64_t* const left_;
  size_t received_ = 0;
};

class Ping : public Task {
 public:
  Ping(int port, uint64_t rounds) : Task(std::string(kPing)), port_(port), left_(rounds) {}

  void Begin(load::Poller& poller) override { Open(poller, port_); }

  // More round trips on a connection that has finished its own.
  void Again(uint64_t rounds) {
    left_ = rounds;
    Send(fd_.get(), kPing);
  }

  bool OnReadable(load::Poller&) override {
    const ssize_t count = recv(fd_.get(), answer_ + filled_, kPing.size() - filled_, 0);
    if (count < 0 && errno == EAGAIN) return false;
    if (count <= 0) Wrong("a ping connection ended");
    filled_ += static_cast<size_t>(count);
    if (filled_ < kPing.size()) return false;
    if (std::string_view(answer_, filled_) != kPing) Wrong("a ping came back changed");
    filled_ = 0;
    if (--left_ == 0) return true;
    Send(fd_.get(), kPing);
    return false;
  }

 private:
  const int port_;
  uint64_t left_;
  char answer_[kPing.size()];
  size_t filled_ = 0;
};

class Opening : public Task {
 public:
  // State shared by all slots.
  struct Crowd {
    bool leaves = false;
    // Openings not begun.
    uint64_t left = 0;
    // Open and idle, oldest first.
    std::deque<Opening*> standing = {};
  };

  Opening(int port, Crowd* crowd) : Task("GE"), port_(port), crowd_(crowd) {}

  void Begin(load::Poller& poller) override {
    --crowd_->left;
    left_ = false;
    Open(poller, port_);
  }

  void OnConnected(load::Poller& poller) override {
    Task::OnConnected(poller);
    if (!crowd_->leaves) return;
    std::deque<Opening*>& standing = crowd_->standing;
    standing.push_back(this);
    const size_t stay = crowd_->left > 0 ? kStandingMax : 0;
    for (; standing.size() > stay; standing.pop_front()) standing.front()->Leave();
  }

  bool OnReadable(load::Poller& poller) override {
    char byte;
    const ssize_t count = recv(fd_.get(), &byte, 1, 0);
    if (count < 0 && errno == EAGAIN) return false;
    if (count < 0 && errno != ECONNRESET) load::Die("recv");
    if (count > 0) Wrong("an opening was answered");
    if (crowd_->leaves && !left_) Wrong("an opening was ended before it left");
    fd_.Reset();
    if (crowd_->left == 0) return true;
    Begin(poller);
    return false;
  }

 private:
  static constexpr size_t kStandingMax = 256;

  // Half-close; the slot is free when the other side has closed too.
  void Leave() {
    shutdown(fd_.get(), SHUT_WR);
    left_ = true;
  }

  const int port_;
  Crowd* const crowd_;
  bool left_ = false;
};

class Refused : public Task {
 public:
  // `left`: openings not begun, shared by all slots.
  Refused(int port, uint64_t* left) : Task(""), port_(port), left_(left) {}

  void Begin(load::Poller& poller) override {
    --*left_;
    Open(poller, port_);
  }

  bool OnReadable(load::Poller& poller) override {
    char byte;
    const ssize_t count = recv(fd_.get(), &byte, 1, 0);
    if (count < 0 && errno == EAGAIN) return false;
    if (count < 0 && !MayFail(errno)) load::Die("recv");
    if (count > 0) Wrong("a refused connection was answered");
    fd_.Reset();
    if (*left_ == 0) return true;
    Begin(poller);
    return false;
  }

 protected:
  bool MayFail(int error) const override { return error == ECONNRESET; }

 private:
  const int port_;
  uint64_t* const left_;
};

using Tasks = std::vector<std::unique_ptr<Task>>;

Tasks MakeTasks(std::string_view mode, int argc, char** argv) {
  const auto number = [&](int i) { return i < argc ? std::strtoull(argv[i], nullptr, 10) : 1; };
  const int port = static_cast<int>(number(2));
  const int target = argc > 6 ? static_cast<int>(number(6)) : 0;
  static uint64_t left = number(4);
  static Opening::Crowd crowd{.leaves = mode == "leave", .left = number(4)};
  Tasks tasks;
  for (uint64_t i = 0; i < number(3); ++i) {
    if (mode == "fetch")
      tasks.push_back(std::make_unique<Fetch>(port, number(5), &left, target));
    else if (mode == "hello")
      tasks.push_back(std::make_unique<Greeting>(port, &left));
    else if (mode == "refused")
      tasks.push_back(std::make_unique<Refused>(port, &left));
    else if (mode == "leave" || mode == "stay")
      tasks.push_back(std::make_unique<Opening>(port, &crowd));
    else
      tasks.push_back(std::make_unique<Ping>(port, mode == "hold" ? 1 : number(4)));
  }
  return tasks;
}

// Upper bound on concurrent handshakes: a burst beyond the backlog would measure SYN retries.
constexpr size_t kOpeningMax = 256;

void RunAll(load::Poller& poller, Tasks& tasks) {
  size_t begun = 0;
  size_t opening = 0;
  size_t finished = 0;
  while (finished < tasks.size()) {
    for (; begun < tasks.size() && opening < kOpeningMax; ++begun, ++opening) tasks[begun]->Begin(poller);
    poller.Wait([&](void* owner, uint32_t) {
      auto* task = static_cast<Task*>(owner);
      if (!task->connected()) {
        task->OnConnected(poller);
        if (opening > 0) --opening;
      } else if (task->OnReadable(poller)) {
        ++finished;
      }
    });
  }
}

// On `active` of the connections, spread over all of them.
void RunActive(load::Poller& poller, Tasks& tasks, size_t active, uint64_t rounds) {
  for (size_t i = 0; i < active; ++i) static_cast<Ping&>(*tasks[i * tasks.size() / active]).Again(rounds);
  for (size_t finished = 0; finished < active;)
    poller.Wait([&](void* owner, uint32_t) { finished += static_cast<Task*>(owner)->OnReadable(poller); });
}

template <typename Run>
void Timed(Run run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::printf("ok %.6f\n", elapsed.count());
  std::fflush(stdout);
}

// False: the end of standard input.
bool NextLine() {
  for (int got = std::getchar(); got != '\n'; got = std::getchar())
    if (got == EOF) return false;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string_view mode = argv[1];
  Tasks tasks = MakeTasks(mode, argc, argv);
  load::Poller poller;
  Timed([&] { RunAll(poller, tasks); });
  if (mode == "hold") {
    const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
    while (NextLine())
      if (argc > 5) Timed([&] { RunActive(poller, tasks, number(4), number(5)); });
  }
  for (const auto& task : tasks) task->ExpectSilence();
}
