// Registration of a stream's descriptors with the loop.
#pragma once

#include "loop/loop.h"
#include "stream/stream.h"

namespace anyport::stream {

class Watch {
 public:
  explicit Watch(loop::Loop* loop) : loop_(loop) {}

  // False: epoll_ctl failed.
  bool Add(const desk::Session& session, Stream& stream, Side side, bool writable);
  void AlsoWritable(const desk::Session& session, Stream& stream, Side side);

 private:
  loop::Loop* loop_;
};

}  // namespace anyport::stream
