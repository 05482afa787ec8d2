// What a flow learns of connection ids, and what is left of it when it ends.
#include "flow/following.h"

#include <gtest/gtest.h>

#include <vector>

namespace anyport::flow {
namespace {

using Bytes = std::vector<uint8_t>;
using shared::ConnectionIds;

constexpr size_t kIdBytes = 8;

Bytes IdFor(uint32_t number) {
  Bytes id(kIdBytes, 0xEE);
  for (size_t i = 0; i < sizeof(number); ++i) id[i] = static_cast<uint8_t>(number >> 8 * i);
  return id;
}

// An Initial packet of the endpoint.
Bytes AnswerFrom(const Bytes& id) {
  Bytes packet = {0xC0, 0, 0, 0, 1, 0, static_cast<uint8_t>(id.size())};
  packet.insert(packet.end(), id.begin(), id.end());
  packet.resize(packet.size() + 30);
  return packet;
}

Bytes ShortTo(const Bytes& id) {
  Bytes packet = {0x40};
  packet.insert(packet.end(), id.begin(), id.end());
  packet.resize(packet.size() + 30);
  return packet;
}

class FollowingTest : public testing::Test {
 protected:
  FollowingTest() {
    auto plan = std::make_shared<plan::Plan>();
    plan->listeners.push_back({.id = kListener});
    plan->upstreams.push_back({.id = 3, .quic = {.follows = true}});
    plan_ = std::move(plan);
  }

  desk::Session Flow(uint32_t number, uint32_t endpoint = 10) const {
    desk::Session session;
    session.plan = plan_;
    session.upstream = 0;
    session.endpoint = endpoint;
    session.carried = number;
    return session;
  }
  bool IsFound(const Bytes& id) const { return following_.Find(kListener, ShortTo(id)).has_value(); }

  static constexpr uint32_t kListener = 2;
  std::shared_ptr<const plan::Plan> plan_;
  std::shared_ptr<ConnectionIds> ids_ = std::make_shared<ConnectionIds>();
  Following following_{ids_};
};

TEST_F(FollowingTest, AnIdIsFoundFromTheConfirmationToTheEnd) {
  const desk::Session flow = Flow(1);
  EXPECT_TRUE(following_.Hear(flow, AnswerFrom(IdFor(1))));
  EXPECT_FALSE(IsFound(IdFor(1)));
  EXPECT_TRUE(following_.Confirm(flow));
  const auto found = following_.Find(kListener, ShortTo(IdFor(1)));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->place, (ConnectionIds::Place{3, 10}));
  EXPECT_FALSE(following_.Find(kListener + 1, ShortTo(IdFor(1))).has_value());
  following_.Forget(flow);
  EXPECT_FALSE(IsFound(IdFor(1)));
  EXPECT_EQ(following_.flows(), 0u);
}

TEST_F(FollowingTest, AFlowWithoutIdsLeavesNothing) {
  const desk::Session flow = Flow(1);
  EXPECT_TRUE(following_.Hear(flow, Bytes(100, 0x41)));
  EXPECT_TRUE(following_.Hear(flow, AnswerFrom({})));
  EXPECT_TRUE(following_.HearClient(flow, ShortTo(IdFor(1))));
  EXPECT_TRUE(following_.Confirm(flow));
  EXPECT_TRUE(following_.Renew(flow));
  EXPECT_EQ(following_.flows(), 0u);
  following_.Forget(flow);
  EXPECT_TRUE(ids_->empty());
}

TEST_F(FollowingTest, KeepsTheNewestOfAFlow) {
  const desk::Session flow = Flow(1);
  for (const bool confirmed : {false, true}) {
    for (uint32_t i = 0; i < 10; ++i) following_.Hear(flow, AnswerFrom(IdFor(100 * confirmed + i)));
    if (!confirmed) following_.Confirm(flow);
    for (uint32_t i = 0; i < 10; ++i)
      EXPECT_EQ(IsFound(IdFor(100 * confirmed + i)), i >= 10 - Following::kIdsOfFlow);
    EXPECT_EQ(ids_->size(), Following::kIdsOfFlow);
  }
}

TEST_F(FollowingTest, TheOtherFlowOfAConnectionHasItsIdsWhenOneEnds) {
  const desk::Session before = Flow(1);
  const desk::Session after = Flow(2);
  following_.Hear(before, AnswerFrom(IdFor(1)));
  following_.Confirm(before);
  following_.Begin(after, following_.Find(kListener, ShortTo(IdFor(1)))->tag);
  following_.Confirm(after);
  following_.Forget(before);
  EXPECT_TRUE(IsFound(IdFor(1)));
  following_.Hear(before, AnswerFrom(IdFor(1)));
  following_.Confirm(before);
  following_.Forget(after);
  following_.Renew(before);
  EXPECT_TRUE(IsFound(IdFor(1)));
}

TEST_F(FollowingTest, SaysWhenThereIsNoPlace) {
  for (uint32_t i = 0; i < 2 * ConnectionIds::kShards * ConnectionIds::kShardMost; ++i)
    ids_->Enter(ids_->TagOf(kListener, IdFor(1000 + i)), {}, ids_->NextOwner(), false);
  const desk::Session flow = Flow(1);
  EXPECT_TRUE(following_.Hear(flow, AnswerFrom(IdFor(1))));
  EXPECT_FALSE(following_.Confirm(flow));
  EXPECT_FALSE(following_.HearClient(flow, ShortTo(IdFor(2))));
  EXPECT_FALSE(following_.Renew(flow));
  EXPECT_FALSE(IsFound(IdFor(1)));
  EXPECT_FALSE(IsFound(IdFor(2)));
}

}  // namespace
}  // namespace anyport::flow
