// One client of a tunnel, which waits for each answer and checks every byte:
//   tunnel_client port=PORT fetch=BYTES [times=N]    downloads, one after the other
//   tunnel_client port=PORT store=BYTES [times=N]    uploads
//   tunnel_client port=PORT ping=MILLISECONDS [times=N]   64-byte round trips, one at a time: for so long,
//                                                    and N of them at least
//   tunnel_client port=PORT hold=CONNECTIONS         one round trip each, then idle until the end of standard
//                                                    input; prints `held` when all are idle
// Prints `seconds=S stall_us=U`, the longest time without a byte at the receiver; `ping` prints `us=A,B,…`,
// each round trip. An answer that is wrong, cut, or not there after a minute ends it with an error line and
// status 1.
#include <algorithm>
#include <string>

#include "load/socket.h"

namespace {

using load::Fd;

constexpr std::string_view kPing =
    "*2\r\n$4\r\nECHO\r\n$43\r\nabcdefghijklmnopqrstuvwxyz0123456789ABCDEFG\r\n";
static_assert(kPing.size() == 64);
constexpr size_t kPieceBytes = 64 * 1024;
constexpr time_t kPatienceSeconds = 60;

const load::Pattern pattern;

[[noreturn]] void Wrong(const char* what, uint64_t at) {
  std::fprintf(stderr, "%s at byte %llu\n", what, static_cast<unsigned long long>(at));
  std::exit(1);
}

// Again after a signal: with a time-out of its own the kernel does not go on by itself (SIGSTOP, SIGCONT).
template <typename Call>
ssize_t Unbroken(Call call) {
  for (;;) {
    const ssize_t result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

size_t Receive(int fd, char* into, size_t room) {
  const ssize_t count = Unbroken([&] { return recv(fd, into, room, 0); });
  if (count < 0) load::Die("recv");
  return static_cast<size_t>(count);
}

Fd Connect(int port) {
  Fd fd(load::Check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  const int on = 1;
  const timeval patience{.tv_sec = kPatienceSeconds, .tv_usec = 0};
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const sockaddr_in to = load::Loopback(1, port);
  load::Check(connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), "connect");
  return fd;
}

void SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = Unbroken([&] { return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    if (count < 0) load::Die("send");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

// Reads exactly these bytes.
void Expect(int fd, std::string_view wanted) {
  char bytes[256];
  for (size_t at = 0; at < wanted.size();) {
    const size_t size = Receive(fd, bytes, std::min(sizeof bytes, wanted.size() - at));
    if (size == 0) Wrong("ended early", at);
    if (wanted.substr(at, size) != std::string_view(bytes, size)) Wrong("other bytes", at);
    at += size;
  }
}

// The other side closes when it has sent all.
void ExpectEnd(int fd, uint64_t at) {
  char byte;
  if (Receive(fd, &byte, 1) > 0) Wrong("more bytes", at);
}

std::string Head(const char* method, uint64_t bytes) {
  return std::string(method) + " /" + std::to_string(bytes) + " HTTP/1.1\r\nHost: bench.example.com\r\n\r\n";
}

// The longest time without a byte, in microseconds.
uint64_t Fetch(int port, uint64_t bytes) {
  static std::vector<char> buffer(load::Pattern::kWindow);
  const Fd fd = Connect(port);
  SendAll(fd.get(), Head("GET", bytes));
  load::Stall stall;
  for (uint64_t at = 0; at < bytes;) {
    const size_t size = Receive(fd.get(), buffer.data(), buffer.size());
    stall.Step();
    if (size == 0) Wrong("ended early", at);
    if (std::string_view(buffer.data(), size) != pattern.From(at, size)) Wrong("other bytes", at);
    at += size;
  }
  ExpectEnd(fd.get(), bytes);
  return stall.longest_us();
}

// How fast it takes bytes says nothing of stalls: buffers on the way hold some seconds' worth.
uint64_t Store(int port, uint64_t bytes) {
  const Fd fd = Connect(port);
  SendAll(fd.get(), Head("PUT", bytes));
  for (uint64_t at = 0; at < bytes; at += kPieceBytes)
    SendAll(fd.get(), pattern.From(at, std::min<uint64_t>(kPieceBytes, bytes - at)));
  std::string answer;
  char room[64];
  for (size_t size = 1; size > 0; answer.append(room, size)) size = Receive(fd.get(), room, sizeof room);
  unsigned long long longest_us = 0;
  if (std::sscanf(answer.c_str(), "stored %llu\n", &longest_us) != 1) Wrong("not stored", bytes);
  return longest_us;
}

template <typename Transfer>
void Repeat(uint64_t times, Transfer transfer) {
  const uint64_t began_us = load::NowUs();
  uint64_t longest_us = 0;
  for (uint64_t i = 0; i < times; ++i) longest_us = std::max(longest_us, transfer());
  std::printf("seconds=%.6f stall_us=%llu\n", static_cast<double>(load::NowUs() - began_us) / 1e6,
              static_cast<unsigned long long>(longest_us));
}

void RoundTrip(int fd) {
  SendAll(fd, kPing);
  Expect(fd, kPing);
}

void Ping(int port, uint64_t ms, uint64_t least) {
  const Fd fd = Connect(port);
  RoundTrip(fd.get());  // the tunnel may have been idle, or not up
  const uint64_t end_us = load::NowUs() + ms * 1000;
  std::string all;
  uint64_t now_us = load::NowUs();
  for (uint64_t done = 0; now_us < end_us || done < least; ++done) {
    RoundTrip(fd.get());
    const uint64_t then_us = load::NowUs();
    all += (all.empty() ? "" : ",") + std::to_string(then_us - now_us);
    now_us = then_us;
  }
  std::printf("us=%s\n", all.c_str());
}

void Hold(int port, uint64_t connections) {
  std::vector<Fd> held;
  for (uint64_t i = 0; i < connections; ++i) {
    held.push_back(Connect(port));
    RoundTrip(held.back().get());
  }
  std::puts("held");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  char byte;
  for (const Fd& fd : held)
    if (recv(fd.get(), &byte, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN)
      Wrong("a connection did not stay open and silent", 0);
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t port = 0, fetch = 0, store = 0, ping = 0, hold = 0, times = 1;
  const std::pair<std::string_view, uint64_t*> names[] = {{"port=", &port},   {"fetch=", &fetch},
                                                          {"store=", &store}, {"ping=", &ping},
                                                          {"hold=", &hold},   {"times=", &times}};
  for (int i = 1; i < argc; ++i)
    for (const auto& [name, value] : names)
      if (std::string_view(argv[i]).starts_with(name))
        *value = std::strtoull(argv[i] + name.size(), nullptr, 10);
  const int to = static_cast<int>(port);
  if (fetch > 0) Repeat(times, [&] { return Fetch(to, fetch); });
  if (store > 0) Repeat(times, [&] { return Store(to, store); });
  if (ping > 0) Ping(to, ping, times);
  if (hold > 0) Hold(to, hold);
}
