#include "stream/stream.h"

#include <sys/epoll.h>

namespace anyport::stream {

void Stream::NoteEvents(Side side, uint32_t events) {
  relay::HalfPipe& from = side == Side::kClient ? up : down;
  relay::HalfPipe& to = side == Side::kClient ? down : up;
  if (events & EPOLLPRI) from.SourceUrgent();
  // RST sets the hang-up bits too; EPOLLERR distinguishes it.
  if (events & EPOLLERR) {
    from.SourceEnding();
  } else if (events & EPOLLRDHUP) {
    from.SourceClosed();
  } else if (events & EPOLLHUP) {
    from.SourceEnding();
  } else if (events & EPOLLIN) {
    from.SourceReady();
  }
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) to.SinkReady();
}

}  // namespace anyport::stream
