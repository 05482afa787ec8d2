#include "connect/dialling.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "net/sockets.h"

namespace anyport::connect {
namespace {

// This host has no way to such an address, or none left.
constexpr std::array kNoWay = {ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL,      EAFNOSUPPORT,        EACCES,
                               EPERM,       ENODEV,       net::kNoSuchSource, net::kFamiliesDiffer};

bool SaysLittle(int error) {
  return error == 0 || std::find(kNoWay.begin(), kNoWay.end(), error) != kNoWay.end();
}

}  // namespace

void Dialling::Begin(const desk::Dial& dial, bool through_links, uint64_t now_ns) {
  own = dial.own;
  greeting.assign(dial.greeting.begin(), dial.greeting.end());
  const uint32_t count = own.empty() ? dial.count : static_cast<uint32_t>(own.size());
  linked = through_links && own.empty() ? count : 0;
  next = own.empty() ? dial.first : 0;
  end = next + (linked == 0 ? count : 1);
  alone = end - next == 1;
  patient = dial.patient;
  pooled = false;
  error = 0;
  begun_ns = now_ns;
}

void Dialling::Clear() {
  own = std::vector<net::Address>();
  greeting = std::vector<uint8_t>();
  attempts = std::vector<Attempt>();
  winner = {};
}

void Dialling::NoteError(int error_now) {
  if (SaysLittle(error) || !SaysLittle(error_now)) error = error_now;
}

}  // namespace anyport::connect
