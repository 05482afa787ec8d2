// Built a second time under ThreadSanitizer: the primary reads counters while a worker writes them.
#include "desk/books.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace anyport::desk {
namespace {

constexpr uint32_t kListenerRow = 10;
constexpr uint32_t kUnknownRow = 20;
constexpr uint32_t kProtocolRow = 60;
constexpr uint32_t kWorkerRow = 100;
constexpr int kSessions = 50'000;

Layout LayoutOfRows() {
  Layout layout;
  layout.cells = {
      .accepted = 0, .refused = 1, .evicted = 5, .ended = 0, .active = 25, .bytes = 26, .identified = 28};
  layout.identify = {0, {0.001, 1}};
  layout.session = {4, {0.001, 1}};
  layout.worker_row = kWorkerRow;
  return layout;
}

class BooksTest : public testing::Test {
 protected:
  BooksTest() {
    plan::Listener listener;
    listener.row = kListenerRow;
    listener.unknown_row = kUnknownRow;
    plan_->listeners.push_back(listener);
  }

  // Accepts, identifies and ends sessions, of which a few are open at a time.
  void Work() {
    std::vector<Session> open;
    for (int i = 0; i < kSessions; ++i) {
      books_.Accepted(plan_->listeners[0]);
      open.emplace_back().plan = plan_;
      if (i % 3 != 0) books_.Identify(open.back(), kProtocolRow);
      books_.Moved(open.back(), 1, 2);
      if (i % 4 != 3) continue;
      for (Session& session : open) books_.Ended(session, Reason::kDone, 1);
      open.clear();
    }
  }

  double Read(uint32_t cell) { return std::atomic_ref(counters_[cell]).load(std::memory_order_acquire); }

  std::shared_ptr<plan::Plan> plan_ = std::make_shared<plan::Plan>();
  std::vector<double> counters_ = std::vector<double>(120);
  std::vector<int32_t> words_ = std::vector<int32_t>(shared::kRoomWordsMin);
  Layout layout_ = LayoutOfRows();
  Books books_{counters_, layout_, shared::Room(words_)};
};

// In the order in which src/metrics reads them: ends, then `active`, then `accepted`.
TEST_F(BooksTest, AReaderNeverSeesMoreSessionsThanWereAccepted) {
  std::atomic<bool> done{false};
  std::thread worker([&] {
    Work();
    done.store(true);
  });
  const uint32_t ended = layout_.cells.ended + static_cast<uint32_t>(Reason::kDone);
  while (!done.load()) {
    const double settled = Read(kUnknownRow + ended) + Read(kProtocolRow + ended);
    const double active = Read(kProtocolRow + layout_.cells.active);
    ASSERT_GE(active, 0);
    ASSERT_LE(settled + active, Read(kListenerRow + layout_.cells.accepted));
  }
  worker.join();
  EXPECT_EQ(Read(kListenerRow + layout_.cells.accepted), kSessions);
  EXPECT_EQ(Read(kUnknownRow + ended) + Read(kProtocolRow + ended), kSessions);
  EXPECT_EQ(Read(kProtocolRow + layout_.cells.active), 0);
}

}  // namespace
}  // namespace anyport::desk
