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

void Dialling::NoteError(int error_now) {
  if (SaysLittle(error) || !SaysLittle(error_now)) error = error_now;
}

}  // namespace anyport::connect
