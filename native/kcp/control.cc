#include "kcp/control.h"

#include <algorithm>

#include "kcp/little_endian.h"

namespace anyport::kcp {

Control Control::With(ControlType type, uint32_t first, uint32_t second) {
  Control control{type};
  Store32(&control.body[0], first);
  Store32(&control.body[4], second);
  return control;
}

uint32_t Control::first() const { return Load32(&body[0]); }
uint32_t Control::second() const { return Load32(&body[4]); }

void WriteControl(const Control& control, std::span<uint8_t> to) {
  to[0] = uint8_t(control.type);
  std::copy(control.body.begin(), control.body.end(), to.begin() + 1);
}

std::optional<Control> ReadControl(std::span<const uint8_t> bytes) {
  if (bytes.size() != kControlBytes) return {};
  if (bytes[0] < uint8_t(ControlType::kHeartbeat) || bytes[0] > uint8_t(ControlType::kReport)) return {};
  Control control{ControlType(bytes[0])};
  std::copy(bytes.begin() + 1, bytes.end(), control.body.begin());
  return control;
}

Reason ReasonOf(const Control& close) {
  const uint8_t number = close.body[0];
  const bool known = number > uint8_t(Reason::kNone) && number <= uint8_t(Reason::kAdmin);
  return known ? Reason(number) : Reason::kAborted;
}

}  // namespace anyport::kcp
