// Handshakes of the wire `anyport`: what is sent and awaited. What is said is TypeScript's.
#include <algorithm>
#include <utility>

#include "kcp/keys.h"
#include "links/links.h"
#include "udp/sockets.h"

namespace anyport::links {
namespace {

std::shared_ptr<kcp::Seal> SealOf(const Line& line, const Agreed& agreed) {
  kcp::KeySettings keys;
  keys.cipher = agreed.cipher;
  keys.send = agreed.send;
  keys.receive = agreed.receive;
  keys.send_link = line.peer_id;
  keys.receive_link = line.wire_id;
  keys.packets_per_key = line.profile->settings.packets_per_key;
  return std::make_shared<kcp::Keys>(keys);
}

}  // namespace

// ---- the client's end

int Links::Begin(Host* host, const Target& target, pool::SlotId* link) {
  net::Opened opened = udp::Connect(target.address, target.options);
  if (opened.error != 0) return opened.error;
  now_us_ = NowUs();
  pool::SlotId port;
  const Door door{host, target.profile, 0, true};
  if (const int error = ports_->Add(std::move(opened.fd), true, door, &port)) return error;
  Path path = AnyPathAt(port.slot);
  path.peer = net::SourceOf(target.address.storage);
  Line& line = NewLine(host, target.profile, path, true);
  ports_->At(port.slot).line = line.id;
  line.deadline_us = now_us_ + target.timeout_us;
  *link = line.id;
  if (target.profile->is_kcptun()) {
    // It says nothing until it is answered: whether there is anybody shows with the first stream.
    MakeLink(line, target.profile->sealed, static_cast<uint32_t>(Random()), {});
    Push(line, Event(Event::Kind::kUp));
    return 0;
  }
  line.wire_id = NewWireId(true);
  by_wire_id_[line.wire_id] = line.id;
  Push(line, Event(Event::Kind::kBegin));
  Mark(line);
  return 0;
}

bool Links::Send(pool::SlotId id, std::span<const uint8_t> hello) {
  Line* line = lines_.Find(id);
  if (line == nullptr || line->stage != Stage::kBegun || !ReadHello(hello).has_value()) return false;
  line->calling = {{hello.begin(), hello.end()}, 0, kFirstPauseUs};
  WriteLink(line->calling.hello, line->wire_id);
  Mark(*line);
  return true;
}

void Links::RunCalling(Line& line) {
  Calling& calling = line.calling;
  if (calling.hello.empty() || now_us_ < calling.next_us) return;
  outbox_->Put(line.path, calling.hello);
  calling.next_us = now_us_ + calling.pause_us;
  calling.pause_us = std::min(2 * calling.pause_us, kPauseMaxUs);
}

bool Links::TakeAnswer(Line& line, std::span<const uint8_t> datagram) {
  if (line.stage != Stage::kBegun || datagram.size() < kAnswerHeaderBytes ||
      kcp::Load64(&datagram[1]) != line.wire_id)
    return false;
  if (datagram[0] == kRetry && datagram.size() == kRetryBytes && !line.calling.hello.empty()) {
    // The same again is our own hello that was sent twice.
    const auto cookie = datagram.subspan(kRetryBytes - kcp::kCookieBytes);
    const auto place = std::span(line.calling.hello).subspan(kHelloCookieAt, kcp::kCookieBytes);
    if (std::equal(cookie.begin(), cookie.end(), place.begin())) return true;
    std::copy(cookie.begin(), cookie.end(), place.begin());
    line.calling.next_us = now_us_;
    Mark(line);
  } else if (datagram[0] == kAnswer && line.answer.empty()) {
    line.peer_id = kcp::Load64(&datagram[9]);
    line.answer.assign(datagram.begin() + kAnswerHeaderBytes, datagram.end());
    Push(line, Event(Event::Kind::kAnswer, line.answer));
    Mark(line);
  }
  return true;
}

bool Links::Establish(pool::SlotId id, const Agreed& agreed) {
  Line* line = lines_.Find(id);
  if (line == nullptr || line->stage != Stage::kBegun || line->answer.empty()) return false;
  now_us_ = NowUs();
  line->answer = {};
  line->calling = {};
  line->reset = agreed.reset;
  MakeLink(*line, SealOf(*line, agreed), agreed.conv, agreed);
  Push(*line, Event(Event::Kind::kUp));
  Overtake(*line);
  return true;
}

bool Links::Fail(pool::SlotId id) {
  Line* line = lines_.Find(id);
  if (line == nullptr || line->stage != Stage::kBegun) return false;
  Count(line->host, Dropped::kRefused);
  line->answer = {};
  return true;
}

// ---- the server's

bool Links::Accept(pool::SlotId id, const Agreed& agreed, std::span<const uint8_t> message) {
  Line* line = lines_.Find(id);
  if (line == nullptr || line->stage != Stage::kAsked || message.size() > kAnswerMessageMax) return false;
  now_us_ = NowUs();
  line->answer = AnswerFor(line->peer_id, line->wire_id, message);
  outbox_->Put(line->path, line->answer);
  MakeLink(*line, SealOf(*line, agreed), agreed.conv, agreed);
  return true;
}

// In silence.
bool Links::Refuse(pool::SlotId id) {
  Line* line = lines_.Find(id);
  if (line == nullptr || line->stage != Stage::kAsked) return false;
  Count(line->host, Dropped::kRefused);
  End(*line, "refused");
  return true;
}

}  // namespace anyport::links
