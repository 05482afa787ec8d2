// The load of `anyport bench`, a program of its own so that the daemon carries nothing of it. It ends when
// its parent does.
//
//   anyport-load endpoint [threads=N] [opening=HEX | openings=FILE | scripts=FILE openings=FILE |
//   datagrams=1]
//
// serves on a free port of 127.0.0.1, which it prints as `port=N`, until the end of standard input.
//
//   anyport-load client kind=KIND port=N [NAME=VALUE…]
//
//   kind         ping, visit, download, upload, flow; hold, which waits for the end of standard input
//   connections  or flows
//   threads      at most one a connection
//   bytes        of a message, an answer or a transfer
//   opening      hexadecimal: what a connection begins with, which the endpoint has to be told too
//   openings     a file of what visits say and get back; default: GET of `bytes`
//   head         hexadecimal: how a message begins
//   rate         arrivals per second, an open load; default: a client goes on when it is answered
//   warmup_ms    before what is counted
//   window_ms    of what is counted
//   cpu_of       processes whose CPU time is told
//
//   anyport-load replay scripts=FILE openings=FILE ports=N,… [NAME=VALUE…]
//
//   scripts      what sessions do (script.h), which the endpoint has to be told too
//   openings     those that scripts name
//   ports        the doors that scripts name
//   connections  at once, at most; each thread has its share of them
//   threads, cpu_of
//   span_us      from the first arrival to the last one
//   slices       of the span, for what is told over time
//
//   anyport-load attached PROGRAM [ARGUMENT…]
//
// becomes the program, which gets SIGTERM when its parent ends, however that comes.
#include <sys/prctl.h>

#include <csignal>
#include <thread>

#include "load/answers.h"
#include "load/client.h"
#include "load/datagrams.h"
#include "load/endpoint.h"
#include "load/openings.h"
#include "load/replay.h"

namespace {

// Each thread has a listening socket of its own. `serve` never returns.
template <typename ServeOn>
int StartStreams(uint64_t threads, ServeOn serve) {
  int port = 0;
  for (uint64_t i = 0; i < threads; ++i) {
    load::Fd listener = load::Listen(port, true);
    port = load::PortOf(listener.get());
    std::thread([fd = std::move(listener), serve] { serve(fd); }).detach();
  }
  return port;
}

int StartManners(uint64_t threads, const load::Arguments& arguments) {
  static const load::Manners manners{
      .opening = load::FromHex(arguments.Text("opening")),
      .openings = load::Openings(load::ReadOpenings(arguments.Text("openings")))};
  return StartStreams(threads, [](const load::Fd& listener) { load::Serve(listener, manners); });
}

int StartScripts(uint64_t threads, const load::Arguments& arguments) {
  static const load::Scripts scripts =
      load::ReadScripts(arguments.Text("scripts"), arguments.Text("openings"));
  return StartStreams(threads, [](const load::Fd& listener) { load::ServeScripts(listener, scripts); });
}

// Every datagram goes back to where it came from.
[[noreturn]] void Echo(const load::Fd& socket) {
  load::Poller poller;
  load::ReceiveBatch in;
  load::SendBatch out(false);
  poller.Add(socket.get(), EPOLLIN, nullptr);
  for (;;) {
    poller.Wait([](void*, uint32_t) {});
    in.Clear();
    in.Read(socket.get());
    for (size_t i = 0; i < in.size(); ++i) out.Add(in.message(i), &in.from(i));
    if (!out.empty() && out.Send(socket.get()) > 0) load::Die("sendmmsg");
  }
}

int StartDatagrams(uint64_t threads) {
  int port = 0;
  for (uint64_t i = 0; i < threads; ++i) {
    load::Fd socket = load::BoundDatagramSocket(port, false, true);
    port = load::PortOf(socket.get());
    std::thread([fd = std::move(socket)] { Echo(fd); }).detach();
  }
  return port;
}

int StartThreads(uint64_t threads, const load::Arguments& arguments) {
  if (arguments.Flag("datagrams")) return StartDatagrams(threads);
  if (!arguments.Text("scripts").empty()) return StartScripts(threads, arguments);
  return StartManners(threads, arguments);
}

[[noreturn]] void RunEndpoint(const load::Arguments& arguments) {
  const int port = StartThreads(arguments.Number("threads", 1), arguments);
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
  if (mode == "client")
    load::RunClient(arguments);
  else if (mode == "replay")
    load::RunReplay(arguments);
  else
    return 2;
}
