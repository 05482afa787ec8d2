#include "tls/wire.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/sockets.h"

namespace anyport::tls {
namespace {

using Method = std::unique_ptr<BIO_METHOD, Free>;

}  // namespace

Bio Wire::NewBio() {
  static const Method method = [] {
    Method made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "anyport wire"));
    if (made == nullptr) return made;
    BIO_meth_set_write_ex(made.get(), OnWrite);
    BIO_meth_set_read_ex(made.get(), OnRead);
    BIO_meth_set_ctrl(made.get(), OnControl);
    return made;
  }();
  if (method == nullptr) return nullptr;
  Bio bio(BIO_new(method.get()));
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio.get(), this);
  BIO_set_init(bio.get(), 1);
  return bio;
}

void Wire::NoteEvents(uint32_t events) {
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) readable_ = true;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) ending_ = true;
  if ((events & EPOLLERR) == 0) return;
  NoteError(net::PendingError(fd_.get()));
  broken_ = true;
}

bool Wire::Flush() {
  if (!waits()) return true;
  const size_t sent = Send(waiting_);
  if (sent < waiting_.size()) {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(sent));
    return false;
  }
  waiting_ = std::vector<uint8_t>();
  return true;
}

// How many bytes are done with.
size_t Wire::Send(std::span<const uint8_t> bytes) {
  size_t sent = 0;
  while (sent < bytes.size() && !broken_) {
    const ptrdiff_t took =
        send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (took >= 0) {
      sent += static_cast<size_t>(took);
      sent_ += static_cast<uint64_t>(took);
    } else if (errno == EAGAIN) {
      return sent;
    } else if (errno != EINTR) {
      NoteError(errno);
      broken_ = true;
    }
  }
  return bytes.size();
}

int Wire::OnWrite(BIO* bio, const char* bytes, size_t count, size_t* written) {
  Wire& wire = Of(bio);
  BIO_clear_retry_flags(bio);
  if (wire.waiting_.size() >= kWaitingMax) {
    BIO_set_retry_write(bio);
    return 0;
  }
  const std::span all(reinterpret_cast<const uint8_t*>(bytes), count);
  const auto rest = all.subspan(wire.waits() ? 0 : wire.Send(all));
  wire.waiting_.insert(wire.waiting_.end(), rest.begin(), rest.end());
  *written = count;
  return 1;
}

// A short read has emptied a TCP socket, unless its end is in sight.
int Wire::OnRead(BIO* bio, char* bytes, size_t count, size_t* got) {
  Wire& wire = Of(bio);
  BIO_clear_retry_flags(bio);
  *got = 0;
  while (wire.readable_) {
    const ptrdiff_t came = recv(wire.fd_.get(), bytes, count, MSG_DONTWAIT);
    if (came > 0) {
      wire.readable_ = static_cast<size_t>(came) == count || wire.ending_;
      *got = static_cast<size_t>(came);
      return 1;
    }
    if (came < 0 && errno == EINTR) continue;
    wire.readable_ = false;
    if (came < 0 && errno == EAGAIN) break;
    if (came < 0) wire.NoteError(errno);
    wire.ended_ = true;
  }
  if (!wire.ended_) BIO_set_retry_read(bio);
  return 0;
}

long Wire::OnControl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return Of(bio).ended_ ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

}  // namespace anyport::tls
