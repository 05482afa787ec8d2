// A wire for datagrams that is as bad as one likes, and seeded: `udp_wire port=PORT to=PORT [NAME=NUMBER…]`.
// Each way by itself: `delay_us`, `jitter_us` (more delay, chosen for each datagram; none overtakes another
// by it), `loss`, `reorder` (held back for `held_us`), `duplicate` (per 10,000), `rate` (bytes a second; 0:
// any) with a queue of `queue` bytes, `cut` (1: nothing passes), `up_loss` and `down_loss` (one way alone).
// A line on standard input changes them (NAME=NUMBER), or says `rebind`: each flow goes on from another port,
// as behind a NAT that has forgotten it. Each line is answered with what was offered since the last one:
// datagrams, bytes of payload, and datagrams that did not pass, each way; `overrun`: lost at its own sockets.
// The end of standard input ends it.
#include <linux/sock_diag.h>

#include <chrono>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>

#include "load/datagrams.h"

namespace {

using load::Message;

uint64_t NowNs() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// splitmix64
class Chance {
 public:
  explicit Chance(uint64_t seed) : state_(seed) {}

  uint64_t Below(uint64_t bound) { return bound == 0 ? 0 : Next() % bound; }
  bool Once(uint64_t in_10000) { return in_10000 > 0 && Below(10'000) < in_10000; }

 private:
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

// By name, so that a line may change any of them.
class Conditions {
 public:
  uint64_t operator[](const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? 0 : found->second;
  }

  void Set(std::string_view word) {
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) return;
    const std::string value(word.substr(equals + 1));
    values_[std::string(word.substr(0, equals))] = std::strtoull(value.c_str(), nullptr, 10);
  }

 private:
  std::unordered_map<std::string, uint64_t> values_{{"held_us", 5000}, {"queue", 1 << 20}};
};

struct Flow {
  sockaddr_in client{};
  load::Fd fd;
};

// Datagrams of one size that travel together; the last may be shorter.
struct Parcel {
  uint64_t due_ns = 0;
  uint64_t order = 0;
  Flow* flow = nullptr;
  size_t segment = 0;
  std::string bytes;

  bool operator<(const Parcel& other) const {  // std::priority_queue has the largest on top
    return due_ns != other.due_ns ? due_ns > other.due_ns : order > other.order;
  }
};

// One way.
class Way {
 public:
  Way(uint64_t seed, std::string loss) : chance_(seed), loss_name_(std::move(loss)) {}

  void Change(const Conditions& conditions) {
    delay_ns_ = conditions["delay_us"] * 1000;
    jitter_ns_ = conditions["jitter_us"] * 1000;
    held_ns_ = conditions["held_us"] * 1000;
    loss_ = conditions["loss"] + conditions[loss_name_];
    reorder_ = conditions["reorder"];
    duplicate_ = conditions["duplicate"];
    rate_ = conditions["rate"];
    queue_bytes_ = conditions["queue"];
    is_cut_ = conditions["cut"] != 0;
  }

  void Take(const Message& message, Flow* flow, uint64_t now_ns) {
    std::string together;
    message.Each([&](std::string_view bytes) {
      ++offered_;
      bytes_ += bytes.size();
      if (is_cut_ || chance_.Once(loss_) || !Fits(bytes.size(), now_ns)) {
        ++lost_;
        return;
      }
      if (chance_.Once(duplicate_)) Post(std::string(bytes), bytes.size(), flow, DueNs(now_ns));
      if (chance_.Once(reorder_))
        Post(std::string(bytes), bytes.size(), flow, DueNs(now_ns) + held_ns_);
      else
        together.append(bytes);
    });
    if (!together.empty()) Post(std::move(together), message.segment, flow, DueNs(now_ns));
  }

  uint64_t due_ns() const { return under_way_.empty() ? UINT64_MAX : under_way_.top().due_ns; }

  // Adds the next one that is due by `now_ns` to `batch`; false: none is.
  bool Next(uint64_t now_ns, std::vector<Parcel>* batch) {
    if (due_ns() > now_ns) return false;
    batch->push_back(std::move(const_cast<Parcel&>(under_way_.top())));
    under_way_.pop();
    return true;
  }

  void Print(const char* name) {
    std::printf("%s=%llu %s_bytes=%llu %s_lost=%llu ", name, Ull(offered_), name, Ull(bytes_), name,
                Ull(lost_));
    offered_ = bytes_ = lost_ = 0;
  }

 private:
  static unsigned long long Ull(uint64_t value) { return value; }

  uint64_t DueNs(uint64_t now_ns) {
    const uint64_t due_ns = std::max(now_ns, free_ns_) + delay_ns_ + chance_.Below(jitter_ns_);
    return last_due_ns_ = std::max(due_ns, last_due_ns_);
  }

  // Takes its time on a wire of limited rate.
  bool Fits(size_t bytes, uint64_t now_ns) {
    if (rate_ == 0) return true;
    free_ns_ = std::max(free_ns_, now_ns);
    if ((free_ns_ - now_ns) * rate_ / 1'000'000'000 > queue_bytes_) return false;
    free_ns_ += bytes * 1'000'000'000 / rate_;
    return true;
  }

  void Post(std::string bytes, size_t segment, Flow* flow, uint64_t due_ns) {
    under_way_.push(
        {.due_ns = due_ns, .order = order_++, .flow = flow, .segment = segment, .bytes = std::move(bytes)});
  }

  Chance chance_;
  const std::string loss_name_;
  uint64_t delay_ns_ = 0;
  uint64_t jitter_ns_ = 0;
  uint64_t held_ns_ = 0;
  uint64_t loss_ = 0;
  uint64_t reorder_ = 0;
  uint64_t duplicate_ = 0;
  uint64_t rate_ = 0;
  uint64_t queue_bytes_ = 0;
  bool is_cut_ = false;
  // When what was taken last has left a wire of limited rate.
  uint64_t free_ns_ = 0;
  uint64_t last_due_ns_ = 0;
  uint64_t order_ = 0;
  uint64_t offered_ = 0;
  uint64_t bytes_ = 0;
  uint64_t lost_ = 0;
  std::priority_queue<Parcel> under_way_;
};

class Wire {
 public:
  Wire(const load::Arguments& arguments, Conditions conditions)
      : to_(load::Loopback(1, arguments.Port("to"))),
        listener_(load::BoundDatagramSocket(arguments.Port("port"), true)),
        conditions_(std::move(conditions)),
        up_(conditions_["seed"], "up_loss"),
        down_(conditions_["seed"] + 1, "down_loss"),
        out_(true) {
    Change();
    poller_.Add(listener_.get(), EPOLLIN, &listener_);
    poller_.Add(STDIN_FILENO, EPOLLIN | EPOLLHUP, nullptr);
  }

  void Run() {
    while (!ends_) {
      poller_.WaitNs([this](void* owner, uint32_t) { OnReadable(owner); }, UntilDueNs());
      Deliver(
          up_, [](const Parcel& parcel) { return parcel.flow->fd.get(); }, false);
      Deliver(
          down_, [this](const Parcel&) { return listener_.get(); }, true);
    }
  }

 private:
  void Change() {
    up_.Change(conditions_);
    down_.Change(conditions_);
  }

  uint64_t UntilDueNs() const {
    const uint64_t due_ns = std::min(up_.due_ns(), down_.due_ns());
    const uint64_t now_ns = NowNs();
    return due_ns == UINT64_MAX ? 1'000'000'000 : std::max(due_ns, now_ns) - now_ns;
  }

  void OnReadable(void* owner) {
    if (owner == nullptr) return OnCommand();
    const bool is_up = owner == &listener_;
    in_.Clear();
    // Either end may be gone, and come back.
    in_.Read(is_up ? listener_.get() : static_cast<Flow*>(owner)->fd.get(), true);
    const uint64_t now_ns = NowNs();
    for (size_t i = 0; i < in_.size(); ++i) {
      if (is_up)
        up_.Take(in_.message(i), FlowOf(in_.from(i)), now_ns);
      else
        down_.Take(in_.message(i), static_cast<Flow*>(owner), now_ns);
    }
  }

  Flow* FlowOf(const sockaddr_in& client) {
    std::unique_ptr<Flow>& flow = flows_[load::KeyOf(client)];
    if (flow == nullptr) {
      flow = std::make_unique<Flow>();
      flow->client = client;
      Bind(*flow);
    }
    return flow.get();
  }

  void Bind(Flow& flow) {
    flow.fd = load::NewDatagramSocket(true);
    load::WidenReceiveBuffer(flow.fd.get());
    load::ConnectTo(flow.fd.get(), to_);
    poller_.Add(flow.fd.get(), EPOLLIN, &flow);
  }

  template <typename Socket>
  void Deliver(Way& way, Socket socket_of, bool to_client) {
    const uint64_t now_ns = NowNs();
    int socket = -1;
    leaving_.clear();
    leaving_.reserve(load::kBatch);
    while (way.Next(now_ns, &leaving_)) {
      const Parcel& parcel = leaving_.back();
      const int its = socket_of(parcel);
      if (its != socket && !out_.empty()) out_.Send(socket);
      socket = its;
      out_.Add({.bytes = parcel.bytes, .segment = parcel.segment},
               to_client ? &parcel.flow->client : nullptr);
      if (leaving_.size() < load::kBatch) continue;
      out_.Send(socket);
      leaving_.clear();
    }
    if (!out_.empty()) out_.Send(socket);
  }

  void OnCommand() {
    char bytes[512];
    const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    if (count <= 0) {
      ends_ = true;
      return;
    }
    for (const char byte : std::string_view(bytes, static_cast<size_t>(count))) {
      if (byte != '\n') {
        line_ += byte;
        continue;
      }
      Obey();
      line_.clear();
    }
  }

  void Obey() {
    if (line_ == "rebind")
      for (auto& [key, flow] : flows_) Bind(*flow);
    for (size_t at = 0; at < line_.size();) {
      const size_t space = std::min(line_.find(' ', at), line_.size());
      conditions_.Set(std::string_view(line_).substr(at, space - at));
      at = space + 1;
    }
    Change();
    up_.Print("up");
    down_.Print("down");
    std::printf("overrun=%llu\n", static_cast<unsigned long long>(Overrun()));
    std::fflush(stdout);
  }

  // Since its beginning; sockets of before a rebind are not counted.
  uint64_t Overrun() const {
    uint64_t all = DropsOf(listener_.get());
    for (const auto& [key, flow] : flows_) all += DropsOf(flow->fd.get());
    return all;
  }

  static uint64_t DropsOf(int fd) {
    uint32_t figures[SK_MEMINFO_VARS] = {};
    socklen_t size = sizeof figures;
    getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures, &size);
    return figures[SK_MEMINFO_DROPS];
  }

  const sockaddr_in to_;
  load::Fd listener_;
  Conditions conditions_;
  Way up_;
  Way down_;
  load::Poller poller_;
  std::unordered_map<uint64_t, std::unique_ptr<Flow>> flows_;
  load::ReceiveBatch in_;
  load::SendBatch out_;
  std::vector<Parcel> leaving_;
  std::string line_;
  bool ends_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  load::RaiseOpenFiles();
  Conditions conditions;
  for (int i = 1; i < argc; ++i) conditions.Set(argv[i]);
  Wire(load::Arguments(argc, argv), std::move(conditions)).Run();
}
