// Which events of a stream's descriptors the loop brings.
#pragma once

#include "loop/loop.h"
#include "stream/stream.h"

namespace anyport::stream {

class Watch {
 public:
  explicit Watch(loop::Loop* loop) : loop_(loop) {}

  // False: the kernel does not watch it.
  bool Add(const desk::Session& session, Stream& stream, Side side, bool writable);
  void AlsoWritable(const desk::Session& session, Stream& stream, Side side);

 private:
  loop::Loop* loop_;
};

}  // namespace anyport::stream
