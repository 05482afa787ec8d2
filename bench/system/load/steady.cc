// Steady load until the end of standard input; every byte of every answer is checked.
//   steady PORT[,PORT…] RATE LONG INTERVAL_MS
// RATE short sessions a second (0: none), one round trip each, the ports in turn; and LONG sessions that stay
// open, with a round trip each INTERVAL_MS (0: as soon as the last is answered; fractions count). A failure
// is counted and told on standard error, and the load goes on. The end of standard input lets what is under
// way finish. Prints `ready` when the long sessions have had an answer, and at the end one line of
// NAME=VALUE: `seconds`; `sessions` and `failed` (short ones); `long` and `cut` (long ones); round trips of
// the long ones, from when they were due: `pings`, `ping_p50_us`, `ping_p99_us`, `ping_p999_us`,
// `ping_max_us`; and `session_p99_us`, `session_p999_us`, connect to close.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "load/socket.h"

namespace {

using load::Fd;

constexpr std::string_view kPing =
    "*2\r\n$4\r\nECHO\r\n$43\r\nabcdefghijklmnopqrstuvwxyz0123456789ABCDEFG\r\n";
// Short sessions at once: where the machine gives less than RATE, it is what it gives.
constexpr size_t kShortMax = 512;
constexpr uint64_t kAnswerNs = 20'000'000'000;
constexpr int kTellMax = 20;

uint64_t NowNs() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// Durations, of which quantiles are wanted at the end.
class Durations {
 public:
  void Add(uint64_t ns) { ns_.push_back(ns); }
  size_t count() const { return ns_.size(); }
  double Microseconds(double share) {
    if (ns_.empty()) return 0;
    std::sort(ns_.begin(), ns_.end());
    return static_cast<double>(ns_[static_cast<size_t>(share * static_cast<double>(ns_.size() - 1))]) / 1e3;
  }

 private:
  std::vector<uint64_t> ns_;
};

struct Session {
  enum class Stage : uint8_t { kConnect, kAnswer, kIdle, kEnd };

  Fd fd;
  int port = 0;
  bool is_long = false;
  Stage stage = Stage::kConnect;
  size_t filled = 0;
  uint64_t due_ns = 0;  // of the round trip under way, or of the next one
};

class Load {
 public:
  Load(std::vector<int> ports, uint64_t rate, size_t longs, uint64_t interval_ns)
      : ports_(std::move(ports)),
        gap_ns_(rate == 0 ? 0 : 1'000'000'000 / rate),
        interval_ns_(interval_ns),
        longs_(longs) {}

  void Run() {
    poller_.Add(STDIN_FILENO, EPOLLIN | EPOLLHUP, this);
    const uint64_t began_ns = NowNs();
    for (size_t i = 0; i < longs_; ++i) Open(true, began_ns + interval_ns_ * i / longs_);
    next_short_ns_ = gap_ns_ == 0 ? UINT64_MAX : began_ns;
    while (!Finished()) Turn();
    Print(static_cast<double>(NowNs() - began_ns) / 1e9);
  }

 private:
  using Stage = Session::Stage;

  bool Finished() const {
    return ends_ && shorts_open_ == 0 &&
           std::all_of(sessions_.begin(), sessions_.end(),
                       [](const auto& each) { return each->stage == Stage::kIdle; });
  }

  void Turn() {
    const uint64_t now_ns = NowNs();
    if (!ends_) OpenShorts(now_ns);
    for (const auto& each : sessions_) {
      if (each->stage == Stage::kIdle && !ends_ && each->due_ns <= now_ns) Ask(*each);
      if (each->stage != Stage::kIdle && now_ns > each->due_ns + kAnswerNs) Fail(*each, "no answer");
    }
    poller_.WaitNs([this](void* owner, uint32_t) { OnReady(owner); }, UntilDueNs());
    std::erase_if(sessions_, [](const auto& each) { return each->fd.get() < 0; });
  }

  // A millisecond at most, so that those that do not answer are noticed.
  uint64_t UntilDueNs() const {
    const uint64_t now_ns = NowNs();
    uint64_t due_ns = std::min(now_ns + 1'000'000, ends_ ? UINT64_MAX : next_short_ns_);
    for (const auto& each : sessions_)
      if (each->stage == Stage::kIdle && !ends_) due_ns = std::min(due_ns, each->due_ns);
    return std::max(due_ns, now_ns) - now_ns;
  }

  void OpenShorts(uint64_t now_ns) {
    if (shorts_open_ >= kShortMax) next_short_ns_ = now_ns;
    for (; next_short_ns_ <= now_ns && shorts_open_ < kShortMax; next_short_ns_ += gap_ns_)
      Open(false, now_ns);
  }

  void Open(bool is_long, uint64_t due_ns) {
    auto session = std::make_unique<Session>();
    session->fd = load::NewSocket();
    session->port = ports_[opened_ % ports_.size()];
    session->is_long = is_long;
    session->due_ns = due_ns;
    Bind(session->fd.get());
    const sockaddr_in to = load::Loopback(1, session->port);
    const int answer = connect(session->fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
    if (!is_long) ++shorts_open_;
    poller_.Add(session->fd.get(), EPOLLIN | EPOLLOUT | EPOLLET, session.get());
    if (answer < 0 && errno != EINPROGRESS) Fail(*session, std::strerror(errno));
    sessions_.push_back(std::move(session));
  }

  // From 127.0.0.2 … 127.0.0.20 in turn, because one source address runs out of ports.
  void Bind(int fd) { load::BindLoopback(fd, static_cast<int>(2 + opened_++ % 19)); }

  void OnReady(void* owner) {
    if (owner == this) {
      char byte;
      if (read(STDIN_FILENO, &byte, 1) <= 0) End();
      return;
    }
    Session& session = *static_cast<Session*>(owner);
    if (session.fd.get() < 0) return;
    if (session.stage == Stage::kConnect && !Connected(session)) return;
    while (session.fd.get() >= 0 && Read(session)) {
    }
  }

  void End() {
    ends_ = true;
    poller_.Remove(STDIN_FILENO);
  }

  bool Connected(Session& session) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(session.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return Fail(session, std::strerror(error));
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    if (getpeername(session.fd.get(), reinterpret_cast<sockaddr*>(&peer), &length) < 0) return false;
    Ask(session);
    return session.fd.get() >= 0;
  }

  void Ask(Session& session) {
    session.stage = Stage::kAnswer;
    session.filled = 0;
    const ssize_t sent = send(session.fd.get(), kPing.data(), kPing.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(kPing.size())) Fail(session, "send");
  }

  // False: nothing more to read.
  bool Read(Session& session) {
    char bytes[kPing.size()];
    const ssize_t got = recv(session.fd.get(), bytes, sizeof bytes, 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR ? false : Fail(session, std::strerror(errno));
    if (got == 0) return session.stage == Stage::kEnd ? Done(session) : Fail(session, "closed early");
    const std::string_view part(bytes, static_cast<size_t>(got));
    if (session.stage != Stage::kAnswer || kPing.substr(session.filled, part.size()) != part)
      return Fail(session, "other bytes");
    session.filled += part.size();
    if (session.filled == kPing.size()) Answered(session);
    return true;
  }

  void Answered(Session& session) {
    if (!session.is_long) {
      session.stage = Stage::kEnd;
      shutdown(session.fd.get(), SHUT_WR);
      return;
    }
    session.stage = Stage::kIdle;
    pings_.Add(NowNs() - std::min(NowNs(), session.due_ns));
    session.due_ns += interval_ns_;
    if (++answered_longs_ == longs_) {
      std::puts("ready");
      std::fflush(stdout);
      pings_ = {};
    }
  }

  bool Done(Session& session) {
    ++sessions_done_;
    shorts_.Add(NowNs() - session.due_ns);
    Close(session);
    return false;
  }

  bool Fail(Session& session, const char* why) {
    const char* kind = session.is_long ? "long" : "short";
    constexpr const char* kStages[] = {"connect", "answer", "idle", "end"};
    if (++told_ <= kTellMax)
      std::fprintf(stderr, "%s session on port %d failed in %s: %s\n", kind, session.port,
                   kStages[static_cast<size_t>(session.stage)], why);
    ++(session.is_long ? cut_ : failed_);
    Close(session);
    return false;
  }

  void Close(Session& session) {
    if (!session.is_long) --shorts_open_;
    session.fd.Reset();
  }

  void Print(double seconds) {
    std::printf(
        "seconds=%.3f sessions=%zu failed=%zu long=%zu cut=%zu pings=%zu ping_p50_us=%.0f ping_p99_us=%.0f "
        "ping_p999_us=%.0f ping_max_us=%.0f session_p99_us=%.0f session_p999_us=%.0f\n",
        seconds, sessions_done_, failed_, longs_, cut_, pings_.count(), pings_.Microseconds(0.5),
        pings_.Microseconds(0.99), pings_.Microseconds(0.999), pings_.Microseconds(1),
        shorts_.Microseconds(0.99), shorts_.Microseconds(0.999));
  }

  const std::vector<int> ports_;
  const uint64_t gap_ns_;
  const uint64_t interval_ns_;
  const size_t longs_;
  load::Poller poller_;
  std::vector<std::unique_ptr<Session>> sessions_;
  uint64_t next_short_ns_ = 0;
  size_t opened_ = 0;
  size_t shorts_open_ = 0;
  size_t sessions_done_ = 0;
  size_t answered_longs_ = 0;
  size_t failed_ = 0;
  size_t cut_ = 0;
  int told_ = 0;
  bool ends_ = false;
  Durations pings_;
  Durations shorts_;
};

std::vector<int> PortsOf(const char* list) {
  std::vector<int> ports;
  for (const char* at = list; at != nullptr && *at != '\0'; at = std::strchr(at, ',')) {
    if (*at == ',') ++at;
    ports.push_back(std::atoi(at));
  }
  return ports;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  const auto interval_ns = static_cast<uint64_t>(std::strtod(argv[4], nullptr) * 1e6);
  Load(PortsOf(argv[1]), number(2), number(3), interval_ns).Run();
}
