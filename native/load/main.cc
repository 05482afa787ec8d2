// The load of `anyport bench`, a program of its own so that the daemon carries nothing of it. It ends when
// its parent does.
//   anyport-load endpoint [threads=N] [openings=FILE]
//     Serves on a free port of 127.0.0.1, which it prints as `port=N`, until the end of standard input.
//   anyport-load client kind=KIND port=N [NAME=VALUE…]
//     KIND: ping, visit, download, upload; or hold, which waits for the end of standard input.
//     connections, threads  numbers
//     bytes                 of a message or an answer; of a transfer
//     opening               hexadecimal; how the message of a ping begins
//     openings              a file of what visits ask and get back; default: GET of `bytes`
//     rate                  arrivals per second (an open load); default: each client goes on when it is
//     answered warmup_ms, window_ms  before what is counted, and of it cpu_of                processes whose
//     CPU time is told
//   anyport-load attached PROGRAM [ARGUMENT…]
//     Becomes the program, which gets SIGTERM when its parent ends, however that comes.
#include <sys/prctl.h>

#include <csignal>
#include <thread>

#include "load/client.h"
#include "load/endpoint.h"
#include "load/openings.h"

namespace {

[[noreturn]] void RunEndpoint(const load::Arguments& arguments) {
  static const load::Openings openings(load::ReadOpenings(arguments.Text("openings")));
  load::Fd first = load::Listen(0, true);
  const int port = load::PortOf(first.get());
  for (uint64_t i = 1; i < arguments.Number("threads", 1); ++i)
    std::thread([listener = load::Listen(port, true)]() mutable {
      load::Serve(std::move(listener), openings);
    }).detach();
  std::thread([listener = std::move(first)]() mutable {
    load::Serve(std::move(listener), openings);
  }).detach();
  std::printf("port=%d\n", port);
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  std::_Exit(0);
}

void EndWithParent(int signal) { load::Check(prctl(PR_SET_PDEATHSIG, signal), "prctl"); }

[[noreturn]] void Become(char** program) {
  EndWithParent(SIGTERM);
  execvp(program[0], program);
  load::Die(program[0]);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "attached" && argc > 2) Become(argv + 2);
  EndWithParent(SIGKILL);
  load::RaiseOpenFiles();
  prctl(PR_SET_TIMERSLACK, 1);
  const load::Arguments arguments(argc - 1, argv + 1);
  if (mode == "endpoint") RunEndpoint(arguments);
  if (mode != "client") return 2;
  load::RunClient(arguments);
}
