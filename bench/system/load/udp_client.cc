// The datagram clients: `udp_client port=PORT NAME=NUMBER…`. Each flow has a socket, and so many round trips;
// every answer is checked.
//   flows         in all, from 127.0.0.2 … 127.0.0.20
//   active        flows at work at the same time; the others wait for their turn
//   rounds        round trips of each flow
//   turn          round trips of a flow before it is another's turn; default: all
//   window        requests that a flow has under way
//   bytes         size of a request
//   answers       to each request
//   answer_bytes  size of an answer
//   dns=1         requests are DNS queries, of the size that they have
//   offload=1     answers are read with UDP_GRO
//   hold=1        flows stay until the end of standard input
// Prints a line of NAME=VALUE when all flows have finished, or nothing has come for two seconds: `seconds`,
// `rounds` that were completed, and what was wrong with the answers; with `hold` another one at the end, of
// what came later.
#include <chrono>
#include <deque>
#include <memory>
#include <random>
#include <string>

#include "exchange.h"
#include "load/datagrams.h"

namespace {

using load::Exchange;
using load::Label;

struct Shape {
  int port = 0;
  uint32_t flows = 1;
  uint32_t active = 1;
  uint32_t rounds = 1;
  uint32_t turn = 1;
  uint32_t window = 1;
  bool offload = false;
  // What all requests have in common.
  Label request;
};

struct Flow {
  load::Fd fd;
  uint32_t number = 0;
  uint32_t sent = 0;
  // Round trips until its turn is over.
  uint32_t turn_end = 0;
  bool active = false;
  load::Order order;
};

class Client {
 public:
  explicit Client(const Shape& shape)
      : shape_(shape), flows_(shape.flows), arena_(std::make_unique<char[]>(kArena)) {
    for (Flow& flow : flows_) {
      flow.number = static_cast<uint32_t>(waiting_.size());
      waiting_.push_back(&flow);
    }
  }

  // Until all have finished or nothing comes any more.
  void Run() {
    for (uint32_t i = 0; i < shape_.active; ++i) BeginNext();
    for (int silent = 0; active_ > 0 && silent < 2;) silent = Poll(kSilenceMs) ? 0 : silent + 1;
  }

  // Answers that come behind the last one.
  void Linger() { Poll(kLingerMs); }

  void Print(double seconds) {
    uint64_t rounds = 0;
    for (const Flow& flow : flows_) {
      rounds += CompletedOf(flow);
      faults_.lost += flow.order.Lost(uint64_t{flow.sent} * shape_.request.answers);
    }
    std::printf("seconds=%.6f rounds=%llu ", seconds, static_cast<unsigned long long>(rounds));
    faults_.Print();
    std::puts("");
    std::fflush(stdout);
    faults_ = {};
  }

 private:
  // Twice in a row without a datagram: a process of the test may have been stopped meanwhile.
  static constexpr int kSilenceMs = 1000;
  static constexpr int kLingerMs = 20;
  static constexpr size_t kArena = size_t{4} << 20;

  bool Poll(int timeout_ms) {
    bool heard = false;
    poller_.Wait(
        [&](void* owner, uint32_t) {
          heard = true;
          OnReadable(*static_cast<Flow*>(owner));
        },
        timeout_ms);
    return heard;
  }

  uint32_t CompletedOf(const Flow& flow) const {
    return static_cast<uint32_t>(flow.order.next() / shape_.request.answers);
  }

  void BeginNext() {
    if (waiting_.empty()) return;
    Flow& flow = *waiting_.front();
    waiting_.pop_front();
    if (flow.fd.get() < 0) Open(flow);
    flow.active = true;
    ++active_;
    flow.turn_end = std::min(shape_.rounds, flow.sent + shape_.turn);
    Ask(flow);
  }

  void Open(Flow& flow) {
    flow.fd = load::NewDatagramSocket(shape_.offload);
    load::BindLoopback(flow.fd.get(), static_cast<int>(2 + flow.number % 19));
    load::ConnectTo(flow.fd.get(), load::Loopback(1, shape_.port));
    poller_.Add(flow.fd.get(), EPOLLIN, &flow);
  }

  void Ask(Flow& flow) {
    Label label = shape_.request;
    label.flow = flow.number;
    size_t used = 0;
    while (flow.sent < flow.turn_end && flow.sent - CompletedOf(flow) < shape_.window && !out_.full() &&
           used + load::kDatagramMax < kArena) {
      label.sequence = flow.sent++;
      const size_t size = Exchange::Write(label, arena_.get() + used);
      out_.Add({.bytes = {arena_.get() + used, size}, .segment = size});
      used += size;
    }
    if (out_.Send(flow.fd.get()) > 0) load::Die("sendmmsg");
  }

  void OnReadable(Flow& flow) {
    bool more = true;
    while (more) {
      in_.Clear();
      more = in_.Read(flow.fd.get());
      for (size_t i = 0; i < in_.size(); ++i)
        in_.message(i).Each([&](std::string_view bytes) { OnAnswer(flow, bytes); });
    }
    if (!flow.active) return;
    if (CompletedOf(flow) < flow.turn_end) return Ask(flow);
    flow.active = false;
    --active_;
    if (flow.turn_end < shape_.rounds) waiting_.push_back(&flow);
    BeginNext();
  }

  void OnAnswer(Flow& flow, std::string_view bytes) {
    Label label;
    if (!Exchange::Read(bytes, &label) || !label.is_answer || label.index >= label.answers) {
      ++faults_.wrong;
    } else if (label.run != shape_.request.run || label.flow != flow.number || label.sequence >= flow.sent) {
      ++faults_.astray;
    } else {
      flow.order.Take(label.number(), &faults_);
    }
  }

  const Shape shape_;
  std::vector<Flow> flows_;
  std::deque<Flow*> waiting_;
  uint32_t active_ = 0;
  load::Poller poller_;
  load::ReceiveBatch in_;
  load::SendBatch out_{false};
  std::unique_ptr<char[]> arena_;
  load::Faults faults_;
};

Shape ShapeFrom(const load::Arguments& arguments) {
  const auto number = [&](std::string_view name, uint32_t otherwise) {
    return static_cast<uint32_t>(arguments.Number(name, otherwise));
  };
  Shape shape{.port = arguments.Port("port"),
              .flows = number("flows", 1),
              .active = number("active", UINT32_MAX),
              .rounds = number("rounds", 1),
              .turn = number("turn", UINT32_MAX),
              .window = number("window", 1),
              .offload = arguments.Flag("offload"),
              .request = {}};
  shape.active = std::min(shape.active, shape.flows);
  shape.turn = std::min(shape.turn, shape.rounds);
  Label& request = shape.request;
  request.run = std::random_device()();
  request.size = std::max<uint32_t>(number("bytes", 64), sizeof request);
  request.answers = static_cast<uint16_t>(number("answers", 1));
  request.answer_bytes = std::max<uint32_t>(number("answer_bytes", request.size), sizeof request);
  request.is_dns = arguments.Flag("dns");
  return shape;
}

}  // namespace

int main(int argc, char** argv) {
  const load::Arguments arguments(argc, argv);
  load::RaiseOpenFiles();
  Client client(ShapeFrom(arguments));
  const auto start = std::chrono::steady_clock::now();
  client.Run();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  client.Linger();
  client.Print(elapsed.count());
  if (!arguments.Flag("hold")) return 0;
  while (std::getchar() != EOF) {
  }
  client.Linger();
  client.Print(elapsed.count());
}
