// The least that a relay of datagrams costs: `udp_relay port=PORT to=PORT [offload=1]`. A connected socket
// for each flow, one recvmmsg a wake-up, answers of a turn in one sendmmsg; no limits, no time-outs, no
// figures. With `offload` runs of one flow are read with UDP_GRO and sent with UDP_SEGMENT.
#include <bit>

#include "load/datagrams.h"

namespace {

struct Flow {
  sockaddr_in client{};
  load::Fd fd;
};

// Flows by their client's address: open addressing, at most half full.
class FlowTable {
 public:
  Flow* Find(uint64_t key) const {
    for (size_t at = PlaceOf(key);; at = (at + 1) & (places_.size() - 1))
      if (places_[at] == nullptr || load::KeyOf(places_[at]->client) == key) return places_[at].get();
  }

  void Add(std::unique_ptr<Flow> flow) {
    if (++count_ * 2 > places_.size()) Grow();
    Place(std::move(flow));
  }

 private:
  size_t PlaceOf(uint64_t key) const {
    return (key * 0x9e3779b97f4a7c15U) >> (64 - std::countr_zero(places_.size()));
  }

  void Place(std::unique_ptr<Flow> flow) {
    size_t at = PlaceOf(load::KeyOf(flow->client));
    while (places_[at] != nullptr) at = (at + 1) & (places_.size() - 1);
    places_[at] = std::move(flow);
  }

  void Grow() {
    std::vector<std::unique_ptr<Flow>> before(places_.size() * 2);
    before.swap(places_);
    for (auto& flow : before)
      if (flow != nullptr) Place(std::move(flow));
  }

  std::vector<std::unique_ptr<Flow>> places_ = std::vector<std::unique_ptr<Flow>>(1024);
  size_t count_ = 0;
};

class Relay {
 public:
  Relay(int port, int to, bool offload)
      : offload_(offload),
        endpoint_(load::Loopback(1, to)),
        listener_(load::BoundDatagramSocket(port, offload)),
        up_(offload),
        down_(offload) {
    poller_.Add(listener_.get(), EPOLLIN, nullptr);
  }

  [[noreturn]] void Run() {
    for (;;) {
      poller_.Wait([this](void* owner, uint32_t) {
        owner == nullptr ? FromClients() : FromEndpoint(*static_cast<Flow*>(owner));
      });
      FlushDown();
    }
  }

 private:
  void FromClients() {
    requests_.Clear();
    requests_.Read(listener_.get());
    Flow* flow = nullptr;
    for (size_t i = 0; i < requests_.size(); ++i) {
      Flow* const its = FlowOf(requests_.from(i));
      if (its != flow && flow != nullptr) up_.Send(flow->fd.get());
      flow = its;
      up_.Add(requests_.message(i));
    }
    if (flow != nullptr) up_.Send(flow->fd.get());
  }

  Flow* FlowOf(const sockaddr_in& client) {
    if (Flow* known = flows_.Find(load::KeyOf(client)); known != nullptr) return known;
    auto made = std::make_unique<Flow>();
    Flow* const flow = made.get();
    flow->client = client;
    flow->fd = load::NewDatagramSocket(offload_);
    load::ConnectTo(flow->fd.get(), endpoint_);
    poller_.Add(flow->fd.get(), EPOLLIN, flow);
    flows_.Add(std::move(made));
    return flow;
  }

  void FromEndpoint(Flow& flow) {
    if (answers_.full()) FlushDown();
    const size_t before = answers_.size();
    answers_.Read(flow.fd.get());
    for (size_t i = before; i < answers_.size(); ++i) down_.Add(answers_.message(i), &flow.client);
  }

  void FlushDown() {
    if (!down_.empty()) down_.Send(listener_.get());
    answers_.Clear();
  }

  const bool offload_;
  const sockaddr_in endpoint_;
  load::Fd listener_;
  load::Poller poller_;
  FlowTable flows_;
  load::ReceiveBatch requests_;
  load::ReceiveBatch answers_;
  load::SendBatch up_;
  load::SendBatch down_;
};

}  // namespace

int main(int argc, char** argv) {
  const load::Arguments arguments(argc, argv);
  load::RaiseOpenFiles();
  Relay(arguments.Port("port"), arguments.Port("to"), arguments.Flag("offload")).Run();
}
