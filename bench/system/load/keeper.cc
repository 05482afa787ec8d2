// The floor of a slow client: `keeper PORT SECONDS` reads whatever comes, looks at nothing, and resets each
// connection after SECONDS.
#include <deque>
#include <memory>

#include "load/socket.h"

namespace {

struct Kept {
  load::Fd fd;
  uint64_t due_us = 0;
};

class Keeper {
 public:
  Keeper(int port, uint64_t seconds) : listener_(load::Listen(port)), rest_us_(seconds * 1'000'000) {
    poller_.Add(listener_.get(), EPOLLIN, this);
  }

  void Turn() {
    poller_.Wait(
        [this](void* owner, uint32_t) { owner == this ? Accept() : Read(*static_cast<Kept*>(owner)); },
        UntilDueMs());
    // All are kept for as long: the oldest is the next.
    for (; !kept_.empty() && kept_.front()->due_us <= load::NowUs(); kept_.pop_front()) Reset(*kept_.front());
  }

 private:
  int UntilDueMs() const {
    if (kept_.empty()) return -1;
    const uint64_t now_us = load::NowUs();
    const uint64_t due_us = kept_.front()->due_us;
    return due_us > now_us ? static_cast<int>((due_us - now_us + 999) / 1000) : 0;
  }

  void Accept() {
    for (;;) {
      load::Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.get() < 0) return;
      kept_.push_back(std::make_unique<Kept>(Kept{std::move(fd), load::NowUs() + rest_us_}));
      poller_.Add(kept_.back()->fd.get(), EPOLLIN | EPOLLET, kept_.back().get());
    }
  }

  static void Read(const Kept& kept) {
    std::array<char, 4096> bytes;
    while (recv(kept.fd.get(), bytes.data(), bytes.size(), 0) > 0) {
    }
  }

  static void Reset(const Kept& kept) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(kept.fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  load::Poller poller_;
  load::Fd listener_;
  uint64_t rest_us_;
  std::deque<std::unique_ptr<Kept>> kept_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  Keeper keeper(std::atoi(argv[1]), std::strtoull(argv[2], nullptr, 10));
  for (;;) keeper.Turn();
}
