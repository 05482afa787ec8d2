// The floor of a refused connection: `refuser PORT` resets each as soon as it is there, and looks at nothing.
#include "load/socket.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  load::Poller poller;
  const load::Fd listener = load::Listen(std::atoi(argv[1]));
  poller.Add(listener.get(), EPOLLIN, nullptr);
  for (;;) {
    poller.Wait([&](void*, uint32_t) {
      for (;;) {
        const load::Fd fd(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd.get() < 0) return;
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      }
    });
  }
}
