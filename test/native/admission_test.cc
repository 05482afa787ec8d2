// The order of the checks, and that whoever is refused by a later one has given back what the earlier ones
// gave.
#include "admission/admission.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace anyport::admission {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint32_t kListener = 7;
const Entrance kEntrance{.listener = 1};

net::Source V4(uint8_t third, uint8_t last) { return {{10, 0, third, last}, 1, 4}; }

std::shared_ptr<const Prefixes> ListOf(std::initializer_list<net::Network> networks) {
  return std::make_shared<const Prefixes>(
      Prefixes::From(std::span<const net::Network>(networks.begin(), networks.size())));
}

// 10.0.1.0/24 and the like.
net::Network Third(uint8_t third) { return {V4(third, 0), 24}; }
net::Network Host(uint8_t third, uint8_t last) { return {V4(third, last), 32}; }

class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() {
    // Everybody at 10.0.0.0/16; 1 is refused, 2 is trusted, 3 is refused although it is trusted.
    Lists all{ListOf({Third(1), Third(3)}), ListOf({{V4(0, 0), 16}}), ListOf({Third(2), Third(3)})};
    Lists own{ListOf({Host(4, 1)}), ListOf({Third(2), Third(4), Third(5)}), ListOf({Host(4, 2)})};
    lists = {std::move(all), {{kListener, std::move(own)}}};
    gate->SetLists(std::make_shared<const ListSet>(lists));
    policy.source.sessions = 1;
  }

  Admitted Enter(const net::Source& source, uint32_t listener = 1, bool announces = false) {
    return admission.Enter(source, {listener, most_of_listener, most, announces}, policy, now);
  }
  void Leave(const net::Source& source, const Admitted& admitted, uint32_t listener = 1) {
    admission.Leave(source, {.listener = listener}, admitted.known);
  }
  int32_t AtListener(uint32_t listener = 1) const { return words[shared::kRoomListeners + listener]; }
  uint64_t AtSources() { return gate->sources().Counts(now).held; }

  std::vector<int32_t> words = std::vector<int32_t>(shared::kRoomWordsMin);
  shared::Room room{words};
  std::shared_ptr<Gate> gate = GateOf(room);
  Admission admission{room};
  ListSet lists;
  Policy policy;
  int32_t most = 100;
  int32_t most_of_listener = 0;
  uint64_t now = 100 * kSecond;
};

TEST_F(AdmissionTest, ListsAreAskedInTheirOrder) {
  EXPECT_EQ(Enter(V4(1, 1)).refused_by, Check::kBlacklist);
  EXPECT_EQ(Enter(V4(3, 1)).refused_by, Check::kBlacklist);
  EXPECT_EQ(Enter({{192, 0, 2, 1}, 1, 4}).refused_by, Check::kAllowOnly);
  EXPECT_EQ(Enter({{0x20, 0x01}, 1, 6}).refused_by, Check::kAllowOnly);
  EXPECT_TRUE(Enter(V4(2, 1)).trusted);
  EXPECT_FALSE(Enter(V4(0, 1)).trusted);
  EXPECT_EQ(room.open(), 2);
}

TEST_F(AdmissionTest, AListenersListsHoldBesides) {
  EXPECT_EQ(Enter(V4(1, 1), kListener).refused_by, Check::kBlacklist);
  EXPECT_EQ(Enter(V4(4, 1), kListener).refused_by, Check::kBlacklist);
  EXPECT_EQ(Enter(V4(6, 1), kListener).refused_by, Check::kAllowOnly);
  EXPECT_TRUE(Enter(V4(4, 2), kListener).trusted);
  EXPECT_TRUE(Enter(V4(2, 2), kListener).trusted);
  EXPECT_EQ(Enter(V4(4, 1)).refused_by, Check::kNone);
}

TEST_F(AdmissionTest, ListsThatAreReplacedCountForTheNext) {
  EXPECT_EQ(Enter(V4(1, 1)).refused_by, Check::kBlacklist);
  gate->SetLists(std::make_shared<const ListSet>());
  EXPECT_EQ(Enter(V4(1, 1)).refused_by, Check::kNone);
}

TEST_F(AdmissionTest, AUnixSocketIsJudgedByPlacesAlone) {
  policy.source.rate = 1;
  policy.source.burst = 1;
  most = 2;
  EXPECT_EQ(Enter({}).refused_by, Check::kNone);
  EXPECT_EQ(Enter({}).refused_by, Check::kNone);
  EXPECT_EQ(Enter({}).refused_by, Check::kPlacesInAll);
  EXPECT_EQ(AtSources(), 0u);
}

TEST_F(AdmissionTest, ASourceHasSoManyPlacesAndGivesThemBack) {
  const Admitted first = Enter(V4(0, 1));
  EXPECT_TRUE(first.known);
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kPlacesOfSource);
  EXPECT_EQ(Enter(V4(0, 2)).refused_by, Check::kNone);
  Leave(V4(0, 1), first);
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kNone);
}

TEST_F(AdmissionTest, WhoIsTrustedSkipsWhatIsAskedOfASourceAndNotThePlaces) {
  policy.source.rate = 1;
  policy.source.burst = 1;
  policy.in_all = {1, 1};
  gate->sources().Ban(V4(2, 1), now, now + kSecond);
  most = 3;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Enter(V4(2, 1)).refused_by, Check::kNone);
  EXPECT_EQ(Enter(V4(2, 1)).refused_by, Check::kPlacesInAll);
  EXPECT_EQ(AtSources(), 0u);
}

TEST_F(AdmissionTest, ABanComesBeforeLimitsAndHoldsWithoutAny) {
  policy = {};
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kNone);
  gate->sources().Ban(V4(0, 1), now, now + kSecond);
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kBan);
  EXPECT_EQ(Enter(V4(0, 2)).refused_by, Check::kNone);
  now += 2 * kSecond;
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kNone);
}

TEST_F(AdmissionTest, ABanByTheGuardHoldsUnderAPlanWithoutOne) {
  policy.source = {.window_ms = 1000, .threshold = 1, .ban_ms = 5000};
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kNone);
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kBan);
  policy = {};
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kBan);
  now += 5 * kSecond;
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kNone);
}

TEST_F(AdmissionTest, ARefusalByALaterCheckTakesNoPlace) {
  policy.source.sessions = 10;
  most_of_listener = 1;
  const Admitted first = Enter(V4(0, 1));
  EXPECT_EQ(Enter(V4(0, 2)).refused_by, Check::kPlacesOfListener);
  EXPECT_EQ(AtSources(), 1u);
  EXPECT_EQ(room.open(), 1);
  EXPECT_EQ(Enter(V4(0, 2), 2).refused_by, Check::kNone);
  most = 2;
  most_of_listener = 5;
  EXPECT_EQ(Enter(V4(0, 3)).refused_by, Check::kPlacesInAll);
  EXPECT_EQ(AtListener(), 1);
  EXPECT_EQ(AtSources(), 2u);
  Leave(V4(0, 1), first);
  EXPECT_EQ(AtListener(), 0);
  EXPECT_EQ(AtSources(), 1u);
  EXPECT_EQ(room.open(), 1);
}

TEST_F(AdmissionTest, TheRateInAllIsOfAllSources) {
  policy.in_all = {1, 2};
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kNone);
  EXPECT_EQ(Enter(V4(0, 2)).refused_by, Check::kNone);
  EXPECT_EQ(Enter(V4(0, 3)).refused_by, Check::kRateInAll);
  EXPECT_EQ(AtSources(), 2u);
  now += kSecond;
  EXPECT_EQ(Enter(V4(0, 3)).refused_by, Check::kNone);
}

TEST_F(AdmissionTest, AProxyIsNoSourceAndWhomItAnnouncesIs) {
  const Admitted first = Enter(V4(0, 9), 1, true);
  const Admitted second = Enter(V4(0, 9), 1, true);
  EXPECT_EQ(second.refused_by, Check::kNone);
  EXPECT_FALSE(first.known || second.known);
  EXPECT_EQ(Enter(V4(1, 1), 1, true).refused_by, Check::kBlacklist);
  const Admitted announced = admission.Announce(V4(0, 1), kEntrance, policy, now);
  EXPECT_TRUE(announced.known);
  EXPECT_EQ(admission.Announce(V4(0, 1), kEntrance, policy, now).refused_by, Check::kPlacesOfSource);
  EXPECT_EQ(admission.Announce(V4(1, 1), kEntrance, policy, now).refused_by, Check::kBlacklist);
  EXPECT_TRUE(admission.Announce(V4(2, 1), kEntrance, policy, now).trusted);
  EXPECT_EQ(room.open(), 2);
  Leave(V4(0, 1), announced);
  EXPECT_EQ(AtSources(), 0u);
  EXPECT_EQ(room.open(), 1);
}

TEST_F(AdmissionTest, WhoWasThereBeforeALimitCountsTowardsIt) {
  policy = {};
  Admitted early = Enter(V4(0, 1));
  EXPECT_FALSE(early.known);
  early.known = admission.Recognize(V4(0, 1), kEntrance, now).known;
  EXPECT_TRUE(early.known);
  EXPECT_FALSE(admission.Recognize(V4(2, 1), kEntrance, now).known);
  EXPECT_FALSE(admission.Recognize({}, kEntrance, now).known);
  policy.source.sessions = 1;
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kPlacesOfSource);
  Leave(V4(0, 1), early);
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kNone);
}

TEST_F(AdmissionTest, FailedIdentificationsBanASource) {
  policy.source = {.window_ms = 1000, .failures = 2, .ban_ms = 1000, .ban_max_ms = 1000};
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kNone);
  for (int i = 0; i < 3; ++i) admission.Failed(V4(0, 1), policy, now);
  EXPECT_EQ(Enter(V4(0, 1)).refused_by, Check::kBan);
}

TEST(Gate, OfARoomIsOneWhileSomebodyHoldsIt) {
  std::vector<int32_t> words(shared::kRoomWordsMin);
  std::vector<int32_t> others(shared::kRoomWordsMin);
  auto gate = GateOf(shared::Room(words));
  EXPECT_EQ(GateOf(shared::Room(words)), gate);
  EXPECT_NE(GateOf(shared::Room(others)), gate);
  gate->sources().Ban(V4(0, 1), kSecond, 10 * kSecond);
  gate.reset();
  EXPECT_FALSE(GateOf(shared::Room(words))->sources().Banned(V4(0, 1), kSecond));
}

}  // namespace
}  // namespace anyport::admission
