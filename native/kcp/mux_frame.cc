#include "kcp/mux_frame.h"

namespace anyport::kcp {

const char* NameOf(MuxError error) {
  switch (error) {
    case MuxError::kNone:
      return "none";
    case MuxError::kVersion:
      return "a frame of another version of smux";
    case MuxError::kCommand:
      return "an unknown kind of frame";
    case MuxError::kLength:
      return "a control frame of the wrong length";
    case MuxError::kStream:
      return "a stream with a number that is in use, or not the peer's to choose";
    case MuxError::kWindow:
      return "more bytes of a stream than its window allows";
    case MuxError::kConsumed:
      return "more bytes of a stream consumed than were sent";
  }
  return "unknown";
}

MuxError CheckHeader(const FrameHeader& header, MuxDialect dialect) {
  if (header.version != VersionOf(dialect)) return MuxError::kVersion;
  const auto sized = [&header](size_t bytes) {
    return header.length == bytes ? MuxError::kNone : MuxError::kLength;
  };
  switch (static_cast<FrameCommand>(header.command)) {
    case FrameCommand::kOpen:
    case FrameCommand::kEnd:
    case FrameCommand::kNothing:
      return sized(0);
    case FrameCommand::kData:
      return MuxError::kNone;
    case FrameCommand::kWindow:
      return dialect == MuxDialect::kSmux1 ? MuxError::kCommand : sized(8);
    case FrameCommand::kReset:
      return dialect == MuxDialect::kAnyport ? sized(1) : MuxError::kCommand;
  }
  return MuxError::kCommand;
}

}  // namespace anyport::kcp
