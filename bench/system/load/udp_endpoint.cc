// The datagram server behind the proxies: `udp_endpoint port=PORT [offload=1]`. Each request is checked and
// gets the answers that it wants, which with `offload` leave as one segmented message. A line on standard
// input is answered with the requests since the last one and what was wrong with them; the end of standard
// input ends it.
#include <string>
#include <unordered_map>

#include "exchange.h"
#include "load/datagrams.h"

namespace {

using load::Exchange;
using load::Label;

class Endpoint {
 public:
  Endpoint(int port, bool offload) : socket_(load::BoundDatagramSocket(port, offload)), out_(offload) {
    poller_.Add(socket_.get(), EPOLLIN, this);
    poller_.Add(STDIN_FILENO, EPOLLIN | EPOLLHUP, nullptr);
  }

  void Run() {
    while (!ends_) poller_.Wait([this](void* owner, uint32_t) { owner == nullptr ? Tell() : Serve(); });
  }

 private:
  // Of one source address.
  struct Peer {
    uint32_t run = 0;
    uint32_t flow = 0;
    load::Order order;
  };

  static constexpr size_t kArena = size_t{4} << 20;

  void Serve() {
    bool more = true;
    while (more) {
      in_.Clear();
      more = in_.Read(socket_.get());
      for (size_t i = 0; i < in_.size(); ++i)
        in_.message(i).Each([&](std::string_view bytes) { OnRequest(bytes, in_.from(i)); });
      Flush();
    }
  }

  void OnRequest(std::string_view bytes, const sockaddr_in& from) {
    Label label;
    if (!Exchange::Read(bytes, &label) || label.is_answer) {
      ++faults_.wrong;
      return;
    }
    ++requests_;
    Book(label, from);
    Answer(label, from);
  }

  void Book(const Label& label, const sockaddr_in& from) {
    Peer& peer = peers_[load::KeyOf(from)];
    // A port may be used again, by a flow from its beginning.
    const bool known = peer.run == label.run && peer.flow == label.flow && peer.order.next() > 0;
    if (!known && label.sequence > 0) ++faults_.astray;
    if (!known) peer = {.run = label.run, .flow = label.flow, .order = {}};
    peer.order.Take(label.sequence, &faults_);
  }

  void Answer(Label label, const sockaddr_in& from) {
    label.is_answer = 1;
    label.size = label.answer_bytes;
    for (label.index = 0; label.index < label.answers; ++label.index) {
      if (out_.full() || used_ + load::kDatagramMax > kArena) Flush();
      char* const place = arena_.get() + used_;
      const size_t size = Exchange::Write(label, place);
      used_ += size;
      out_.Add({.bytes = {place, size}, .segment = size}, &from);
    }
  }

  void Flush() {
    if (out_.Send(socket_.get()) > 0) load::Die("sendmmsg");
    used_ = 0;
  }

  void Tell() {
    char line[64];
    if (read(STDIN_FILENO, line, sizeof line) <= 0) {
      ends_ = true;
      return;
    }
    for (const auto& [key, peer] : peers_) faults_.lost += peer.order.Lost(0);
    std::printf("requests=%llu ", static_cast<unsigned long long>(requests_));
    faults_.Print();
    std::puts("");
    std::fflush(stdout);
    requests_ = 0;
    faults_ = {};
    peers_.clear();
  }

  load::Fd socket_;
  load::Poller poller_;
  load::ReceiveBatch in_;
  load::SendBatch out_;
  std::unique_ptr<char[]> arena_ = std::make_unique<char[]>(kArena);
  size_t used_ = 0;
  std::unordered_map<uint64_t, Peer> peers_;
  uint64_t requests_ = 0;
  load::Faults faults_;
  bool ends_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  const load::Arguments arguments(argc, argv);
  Endpoint(arguments.Port("port"), arguments.Flag("offload")).Run();
}
