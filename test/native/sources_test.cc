// Built a second time under ThreadSanitizer: every worker asks the table.
#include "admission/sources.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "admission/rate.h"

namespace anyport::admission {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kNow = 1000 * kSecond;
using enum Judgement;

net::Source Ipv4(uint32_t number) {
  return {{static_cast<uint8_t>(number >> 24), static_cast<uint8_t>(number >> 16),
           static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)},
          1,
          4};
}

net::Source Of(const char* text) {
  sockaddr_storage peer{};
  auto& v6 = reinterpret_cast<sockaddr_in6&>(peer);
  v6.sin6_family = AF_INET6;
  if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) return net::SourceOf(peer);
  auto& v4 = reinterpret_cast<sockaddr_in&>(peer);
  v4.sin_family = AF_INET;
  EXPECT_EQ(inet_pton(AF_INET, text, &v4.sin_addr), 1) << text;
  return net::SourceOf(peer);
}

constexpr SourceLimits kNoLimits;
constexpr SourceLimits kGuard{
    .window_ms = 10'000, .threshold = 3, .failures = 2, .ban_ms = 60'000, .ban_max_ms = 240'000};

// How many of so many attempts at once are admitted; they leave at once.
int AdmittedOf(Sources* sources, int attempts, const SourceLimits& limits, uint64_t now_ns,
               const net::Source& source = Ipv4(1)) {
  int admitted = 0;
  for (int i = 0; i < attempts; ++i) {
    if (sources->Admit(source, limits, now_ns) != kAdmitted) continue;
    ++admitted;
    sources->Leave(source);
  }
  return admitted;
}

TEST(Sources, OneMoreThanTheLimitOfSessionsIsNotAdmitted) {
  Sources sources;
  const SourceLimits limits{.sessions = 2};
  EXPECT_EQ(sources.Admit(Ipv4(1), limits, kNow), kAdmitted);
  EXPECT_EQ(sources.Admit(Ipv4(1), limits, kNow), kAdmitted);
  EXPECT_EQ(sources.Admit(Ipv4(1), limits, kNow), kOverLimit);
  EXPECT_EQ(sources.Admit(Ipv4(2), limits, kNow), kAdmitted);
  sources.Leave(Ipv4(1));
  EXPECT_EQ(sources.Admit(Ipv4(1), limits, kNow), kAdmitted);
  EXPECT_EQ(sources.Counts(kNow).held, 3u);
}

TEST(Sources, SessionsFromBeforeALimitCount) {
  Sources sources;
  for (int i = 0; i < 5; ++i) sources.Admit(Ipv4(1), kNoLimits, kNow);
  EXPECT_EQ(sources.Admit(Ipv4(1), {.sessions = 5}, kNow), kOverLimit);
  EXPECT_EQ(sources.Admit(Ipv4(1), {.sessions = 6}, kNow), kAdmitted);
}

TEST(Sources, AreAddressesOrNetworksOfIpv6) {
  const SourceLimits limits{.sessions = 1};
  struct Case {
    const char* one;
    const char* other;
    bool same;
  };
  for (const auto& [one, other, same] : std::vector<Case>{
           {"192.0.2.1", "192.0.2.1", true},
           {"192.0.2.1", "192.0.2.2", false},
           {"192.0.2.1", "::ffff:192.0.2.1", true},
           {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
           {"2001:db8::1", "2001:db8::ffff:1", true},
           {"2001:db8::1", "2001:db8:0:1::1", false},
           {"::", "0.0.0.0", false},
           {"c000:201::", "192.0.2.1", false},  // the same bytes in front
       }) {
    Sources sources;
    ASSERT_EQ(sources.Admit(Of(one), limits, kNow), kAdmitted);
    EXPECT_EQ(sources.Admit(Of(other), limits, kNow), same ? kOverLimit : kAdmitted) << one << " " << other;
  }
}

TEST(Sources, UnixSocketsHaveNone) {
  Sources sources;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(sources.Admit({}, {.sessions = 1}, kNow), kAdmitted);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(sources.Fail({}, kGuard, kNow), kAdmitted);
  EXPECT_FALSE(sources.Ban({}, kNow, kNow + kSecond));
  EXPECT_FALSE(sources.Banned({}, kNow));
  EXPECT_FALSE(sources.Lift({}, kNow));
  sources.Leave({});
  EXPECT_EQ(sources.Counts(kNow).tracked, 0u);
}

TEST(Sources, ABurstIsAdmittedAndThenTheRate) {
  Sources sources;
  const SourceLimits limits{.rate = 10, .burst = 5};
  EXPECT_EQ(AdmittedOf(&sources, 20, limits, kNow), 5);
  EXPECT_EQ(sources.Admit(Ipv4(1), limits, kNow), kRateLimited);
  EXPECT_EQ(AdmittedOf(&sources, 20, limits, kNow + kSecond / 10), 1);
  EXPECT_EQ(AdmittedOf(&sources, 20, limits, kNow + kSecond / 10 + kSecond / 5), 2);
  EXPECT_EQ(AdmittedOf(&sources, 20, limits, kNow + 60 * kSecond), 5);
  EXPECT_EQ(AdmittedOf(&sources, 20, limits, kNow, Ipv4(2)), 5);
}

TEST(Sources, ARateHoldsFromOneToTenMillionASecond) {
  for (const double rate : {1.0, 3.0, 1000.0, 1e7}) {
    Sources sources;
    const SourceLimits limits{.rate = rate, .burst = 1};
    const auto price_ns = static_cast<uint64_t>(1e9 / rate);
    for (uint64_t i = 0; i < 1000; ++i) {
      ASSERT_EQ(AdmittedOf(&sources, 3, limits, kNow + i * price_ns), 1) << rate << " " << i;
    }
  }
}

TEST(Sources, ASlowerRateFromBeforeAReloadIsForgotten) {
  Sources sources;
  EXPECT_EQ(AdmittedOf(&sources, 2000, {.rate = 1, .burst = 1000}, kNow), 1000);
  const SourceLimits faster{.rate = 1000, .burst = 10};
  EXPECT_EQ(sources.Admit(Ipv4(1), faster, kNow), kRateLimited);
  EXPECT_EQ(AdmittedOf(&sources, 20, faster, kNow + kSecond), 10);
}

TEST(Sources, MoreAttemptsThanTheThresholdAreABan) {
  Sources sources;
  EXPECT_EQ(AdmittedOf(&sources, 3, kGuard, kNow), 3);
  EXPECT_FALSE(sources.Banned(Ipv4(1), kNow));
  EXPECT_FALSE(sources.ever_banned());
  EXPECT_EQ(sources.Admit(Ipv4(1), kGuard, kNow), kBanned);
  EXPECT_TRUE(sources.Banned(Ipv4(1), kNow));
  EXPECT_TRUE(sources.ever_banned());
  EXPECT_EQ(sources.Admit(Ipv4(1), kGuard, kNow + 59 * kSecond), kBanned);
  EXPECT_FALSE(sources.Banned(Ipv4(1), kNow + 60 * kSecond));
  EXPECT_EQ(sources.Admit(Ipv4(1), kGuard, kNow + 60 * kSecond), kAdmitted);
  EXPECT_EQ(sources.Admit(Ipv4(2), kGuard, kNow), kAdmitted);
}

TEST(Sources, RefusedAttemptsCountForTheGuard) {
  SourceLimits limits = kGuard;
  limits.sessions = 1;
  Sources sources;
  EXPECT_EQ(sources.Admit(Ipv4(1), limits, kNow), kAdmitted);
  EXPECT_EQ(sources.Admit(Ipv4(1), limits, kNow), kOverLimit);
  EXPECT_EQ(sources.Admit(Ipv4(1), limits, kNow), kOverLimit);
  EXPECT_EQ(sources.Admit(Ipv4(1), limits, kNow), kBanned);
}

TEST(Sources, AttemptsAreForgottenWithTheWindow) {
  Sources sources;
  for (uint64_t i = 0; i < 100; ++i)
    ASSERT_EQ(AdmittedOf(&sources, 1, kGuard, kNow + i * 4 * kSecond), 1) << i;  // 3 in 10 s at most
  Sources faster;
  uint64_t at = kNow;
  while (faster.Admit(Ipv4(1), kGuard, at) == kAdmitted) at += 2 * kSecond;  // 5 in 10 s
  EXPECT_LE(at, kNow + 20 * kSecond);
}

TEST(Sources, ABanCountsOnlyWhatCameAfterTheLast) {
  SourceLimits limits = kGuard;
  limits.ban_ms = limits.ban_max_ms = 1000;  // shorter than the window
  Sources sources;
  EXPECT_EQ(AdmittedOf(&sources, 10, limits, kNow), 3);
  EXPECT_EQ(sources.Counts(kNow).bans[0], 1u);
  // Of these ten attempts six came during the ban: who has not stopped is banned again at once.
  EXPECT_EQ(AdmittedOf(&sources, 1, limits, kNow + kSecond), 0);
  EXPECT_EQ(AdmittedOf(&sources, 1, limits, kNow + 2 * kSecond), 1);
}

TEST(Sources, BansDoubleUpToALimit) {
  Sources sources;
  uint64_t at = kNow;
  for (const uint64_t seconds : {60, 120, 240, 240, 240}) {
    EXPECT_EQ(AdmittedOf(&sources, 4, kGuard, at), 3);
    const std::vector<SourceBan> bans = sources.Bans(at);
    ASSERT_EQ(bans.size(), 1u);
    EXPECT_EQ(bans[0].from_ns, at);
    EXPECT_EQ(bans[0].until_ns, at + seconds * kSecond);
    EXPECT_EQ(bans[0].reason, BanReason::kAttempts);
    at = bans[0].until_ns;
  }
}

TEST(Sources, DoublingsAreForgivenOneByOne) {
  struct Case {
    uint64_t quiet;
    uint64_t next;
  };
  for (const auto& [quiet, next] :
       std::vector<Case>{{119, 240}, {120, 120}, {179, 120}, {180, 60}, {9999, 60}}) {
    Sources sources;
    AdmittedOf(&sources, 4, kGuard, kNow);
    const uint64_t second = kNow + 60 * kSecond;
    AdmittedOf(&sources, 4, kGuard, second);
    const uint64_t third = second + 120 * kSecond + quiet * kSecond;
    AdmittedOf(&sources, 4, kGuard, third);
    ASSERT_EQ(sources.Bans(third).size(), 1u) << quiet;
    EXPECT_EQ(sources.Bans(third)[0].until_ns, third + next * kSecond) << quiet;
  }
}

TEST(Sources, FailedIdentificationsAreABan) {
  Sources sources;
  EXPECT_EQ(sources.Fail(Ipv4(1), kGuard, kNow), kAdmitted);
  EXPECT_EQ(sources.Fail(Ipv4(1), kGuard, kNow), kAdmitted);
  EXPECT_EQ(sources.Fail(Ipv4(1), kGuard, kNow), kBanned);
  EXPECT_TRUE(sources.ever_banned());
  EXPECT_EQ(sources.Admit(Ipv4(1), kGuard, kNow), kBanned);
  EXPECT_EQ(sources.Bans(kNow)[0].reason, BanReason::kFailures);
  // Sessions from before it fail during it: the same ban.
  EXPECT_EQ(sources.Fail(Ipv4(1), kGuard, kNow + kSecond), kBanned);
  EXPECT_EQ(sources.Bans(kNow + kSecond)[0].until_ns, kNow + 60 * kSecond);
  const SourceCounts counts = sources.Counts(kNow);
  EXPECT_EQ(counts.bans[static_cast<size_t>(BanReason::kFailures)], 1u);
  EXPECT_EQ(counts.bans_active, 1u);
}

TEST(Sources, WithoutAGuardNothingIsABan) {
  Sources sources;
  EXPECT_EQ(AdmittedOf(&sources, 1000, kNoLimits, kNow), 1000);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(sources.Fail(Ipv4(1), kNoLimits, kNow), kAdmitted);
  EXPECT_EQ(sources.Counts(kNow).bans_active, 0u);
}

TEST(Sources, AnOperatorBansAndLifts) {
  Sources sources;
  EXPECT_TRUE(sources.Ban(Of("2001:db8::1"), kNow, kNow + kSecond));
  EXPECT_TRUE(sources.ever_banned());
  EXPECT_EQ(sources.Admit(Of("2001:db8::2"), kNoLimits, kNow), kBanned);
  const std::vector<SourceBan> bans = sources.Bans(kNow);
  ASSERT_EQ(bans.size(), 1u);
  EXPECT_EQ(bans[0].source.bytes, Of("2001:db8::").bytes);
  EXPECT_EQ(bans[0].reason, BanReason::kOperator);
  EXPECT_TRUE(sources.Lift(Of("2001:db8::3"), kNow));
  EXPECT_FALSE(sources.Lift(Of("2001:db8::3"), kNow));
  EXPECT_EQ(sources.Admit(Of("2001:db8::2"), kNoLimits, kNow), kAdmitted);
  EXPECT_EQ(sources.Counts(kNow).lifted, 1u);
}

TEST(Sources, WhoIsLiftedBeginsWithoutAPast) {
  Sources sources;
  AdmittedOf(&sources, 4, kGuard, kNow);
  EXPECT_TRUE(sources.Lift(Ipv4(1), kNow));
  EXPECT_EQ(AdmittedOf(&sources, 4, kGuard, kNow), 3);
  EXPECT_EQ(sources.Bans(kNow)[0].until_ns, kNow + 60 * kSecond);
}

TEST(Sources, AnOperatorsBanReplacesTheGuards) {
  Sources sources;
  AdmittedOf(&sources, 4, kGuard, kNow);
  EXPECT_TRUE(sources.Ban(Ipv4(1), kNow, UINT64_MAX));
  ASSERT_EQ(sources.Bans(kNow).size(), 1u);
  EXPECT_EQ(sources.Bans(kNow)[0].until_ns, UINT64_MAX);
  EXPECT_EQ(sources.Admit(Ipv4(1), kGuard, kNow + 1'000'000 * kSecond), kBanned);
}

TEST(Sources, EndedBansAreNotListed) {
  Sources sources;
  sources.Ban(Ipv4(1), kNow, kNow + 3 * kSecond);
  sources.Ban(Ipv4(2), kNow + 1, kNow + kSecond);
  sources.Ban(Ipv4(3), kNow + 2, kNow + 2 * kSecond);
  const auto listed = [&](uint64_t now_ns) {
    std::vector<uint8_t> hosts;
    for (const SourceBan& ban : sources.Bans(now_ns)) hosts.push_back(ban.source.bytes[3]);
    return hosts;
  };
  EXPECT_EQ(listed(kNow + 2), (std::vector<uint8_t>{1, 2, 3}));
  EXPECT_EQ(listed(kNow + kSecond), (std::vector<uint8_t>{1, 3}));
  EXPECT_EQ(listed(kNow + 2 * kSecond), (std::vector<uint8_t>{1}));
  EXPECT_EQ(sources.Counts(kNow + 3 * kSecond).bans_active, 0u);
}

TEST(Sources, TheOldestBanEndsWhenThereAreTooMany) {
  Sources sources(100, 3);
  for (uint32_t i = 1; i <= 4; ++i) EXPECT_TRUE(sources.Ban(Ipv4(i), kNow + i, kNow + kSecond));
  EXPECT_FALSE(sources.Banned(Ipv4(1), kNow + 5));
  for (uint32_t i = 2; i <= 4; ++i) EXPECT_TRUE(sources.Banned(Ipv4(i), kNow + 5));
  const SourceCounts counts = sources.Counts(kNow + 5);
  EXPECT_EQ(counts.bans_active, 3u);
  EXPECT_EQ(counts.displaced, 1u);
}

// Else whoever has an IPv6 /48, which is as many sources as may be banned, lifts what an operator has
// decided.
TEST(Sources, BansOfTheGuardDoNotEndThoseOfAnOperator) {
  Sources sources(100, 3);
  EXPECT_TRUE(sources.Ban(Ipv4(1), kNow, kNow + kSecond));
  for (uint32_t i = 2; i <= 9; ++i) EXPECT_EQ(AdmittedOf(&sources, 4, kGuard, kNow + i, Ipv4(i)), 3);
  EXPECT_TRUE(sources.Banned(Ipv4(1), kNow + 10));
  EXPECT_EQ(sources.Counts(kNow + 10).bans_active, 3u);
  EXPECT_EQ(sources.Counts(kNow + 10).displaced, 6u);
  EXPECT_EQ(sources.Bans(kNow + 10).front().reason, BanReason::kOperator);
  EXPECT_TRUE(sources.Lift(Ipv4(1), kNow + 10));
  EXPECT_EQ(sources.Counts(kNow + 2 * 60 * kSecond).bans_active, 0u);
}

// Where there are no others, the newest decision of an operator counts more than the oldest.
TEST(Sources, AnOperatorsBanAndTheGuardsFindAPlaceAmongThoseOfAnOperator) {
  Sources sources(100, 2);
  for (uint32_t i = 1; i <= 3; ++i) EXPECT_TRUE(sources.Ban(Ipv4(i), kNow + i, kNow + kSecond));
  EXPECT_FALSE(sources.Banned(Ipv4(1), kNow + 5));
  EXPECT_EQ(AdmittedOf(&sources, 4, kGuard, kNow + 6, Ipv4(7)), 3);
  EXPECT_EQ(AdmittedOf(&sources, 4, kGuard, kNow + 7, Ipv4(8)), 3);
  EXPECT_FALSE(sources.Banned(Ipv4(2), kNow + 8));
  EXPECT_TRUE(sources.Banned(Ipv4(3), kNow + 8));
  EXPECT_TRUE(sources.Banned(Ipv4(8), kNow + 8));
}

TEST(Sources, TheOneNotHeardOfForLongestIsForgotten) {
  Sources sources(3, 3);
  const SourceLimits limits{.rate = 1, .burst = 1};
  for (uint32_t i = 1; i <= 3; ++i) EXPECT_EQ(AdmittedOf(&sources, 1, limits, kNow, Ipv4(i)), 1);
  EXPECT_EQ(AdmittedOf(&sources, 1, limits, kNow, Ipv4(1)), 0);
  EXPECT_EQ(AdmittedOf(&sources, 1, limits, kNow, Ipv4(4)), 1);  // 2 is forgotten
  EXPECT_EQ(AdmittedOf(&sources, 1, limits, kNow, Ipv4(1)), 0);
  EXPECT_EQ(AdmittedOf(&sources, 1, limits, kNow, Ipv4(3)), 0);
  EXPECT_EQ(AdmittedOf(&sources, 1, limits, kNow, Ipv4(2)), 1);  // begins anew
  const SourceCounts counts = sources.Counts(kNow);
  EXPECT_EQ(counts.tracked, 3u);
  EXPECT_EQ(counts.evictions, 2u);
}

TEST(Sources, SessionsAndBansAreNotForgotten) {
  Sources sources(3, 3);
  const SourceLimits limits{.sessions = 1};
  EXPECT_EQ(sources.Admit(Ipv4(1), limits, kNow), kAdmitted);
  EXPECT_TRUE(sources.Ban(Ipv4(2), kNow, kNow + 60 * kSecond));
  for (uint32_t i = 0; i < 10'000; ++i) EXPECT_EQ(AdmittedOf(&sources, 1, limits, kNow, Ipv4(1000 + i)), 1);
  EXPECT_EQ(sources.Admit(Ipv4(1), limits, kNow), kOverLimit);
  EXPECT_EQ(sources.Admit(Ipv4(2), limits, kNow), kBanned);
  const SourceCounts counts = sources.Counts(kNow);
  EXPECT_EQ(counts.evictions, 9'999u);
  EXPECT_EQ(counts.crowded, 0u);
}

TEST(Sources, WhoFindsNoPlaceSharesLimitsWithOthersLikeIt) {
  Sources sources(2, 2);
  const SourceLimits limits{.sessions = 2, .window_ms = 1000, .threshold = 5, .ban_ms = 1000};
  EXPECT_EQ(sources.Admit(Ipv4(1), limits, kNow), kAdmitted);
  EXPECT_TRUE(sources.Ban(Ipv4(2), kNow, kNow + 60 * kSecond));
  EXPECT_EQ(sources.Admit(Ipv4(3), limits, kNow), kAdmitted);
  EXPECT_EQ(sources.Admit(Ipv4(4), limits, kNow), kAdmitted);
  for (uint32_t i = 0; i < 20; ++i) EXPECT_EQ(sources.Admit(Ipv4(5 + i), limits, kNow), kOverLimit);
  EXPECT_FALSE(sources.Ban(Ipv4(5), kNow, kNow + kSecond));
  EXPECT_EQ(sources.Fail(Ipv4(5), kGuard, kNow), kAdmitted);
  sources.Leave(Ipv4(4));
  EXPECT_EQ(sources.Admit(Ipv4(5), limits, kNow), kAdmitted);
  EXPECT_EQ(sources.Counts(kNow).crowded, 23u);
  EXPECT_EQ(sources.Counts(kNow).held, 3u);
}

TEST(Sources, AnEndedBanMakesRoom) {
  Sources sources(1, 1);
  EXPECT_TRUE(sources.Ban(Ipv4(1), kNow, kNow + kSecond));
  EXPECT_EQ(sources.Admit(Ipv4(2), kNoLimits, kNow + kSecond), kAdmitted);
  EXPECT_EQ(sources.Counts(kNow).crowded, 0u);
}

TEST(Sources, PlacesBalanceForWhoCameInWithoutOneAndGotOne) {
  Sources sources(1, 1);
  const SourceLimits limits{.sessions = 2};
  EXPECT_EQ(sources.Admit(Ipv4(1), limits, kNow), kAdmitted);
  EXPECT_EQ(sources.Admit(Ipv4(2), limits, kNow), kAdmitted);  // no place for it
  sources.Leave(Ipv4(1));
  EXPECT_EQ(sources.Admit(Ipv4(2), limits, kNow), kAdmitted);  // a place
  sources.Leave(Ipv4(2));
  sources.Leave(Ipv4(2));
  EXPECT_EQ(sources.Counts(kNow).held, 0u);
  sources.Leave(Ipv4(2));  // one too many is harmless
  EXPECT_EQ(sources.Counts(kNow).held, 0u);
  EXPECT_EQ(AdmittedOf(&sources, 3, limits, kNow, Ipv4(2)), 3);
}

TEST(Sources, ATableOfTheFullSizeHoldsThatManyAndNoMore) {
  Sources sources;
  for (uint32_t i = 0; i < kSourcesMax + kSourcesMax / 4; ++i)
    ASSERT_EQ(AdmittedOf(&sources, 1, kGuard, kNow, Ipv4(i)), 1);
  const SourceCounts counts = sources.Counts(kNow);
  EXPECT_LE(counts.tracked, kSourcesMax);
  EXPECT_EQ(counts.tracked + counts.evictions, kSourcesMax + kSourcesMax / 4);
  EXPECT_EQ(counts.crowded, 0u);
}

TEST(Sources, ThreadsTogetherGetWhatOneWould) {
  constexpr int kThreads = 4;
  constexpr uint32_t kRounds = 20'000;
  Sources sources(8, 4);
  const SourceLimits limits{.sessions = 2,
                            .rate = 1e6,
                            .burst = 100,
                            .window_ms = 1000,
                            .threshold = 1'000'000,
                            .failures = 1'000,
                            .ban_ms = 1000};
  std::atomic<uint32_t> admitted{0};
  std::vector<std::thread> workers;
  for (int worker = 0; worker < kThreads; ++worker) {
    workers.emplace_back([&, worker] {
      for (uint32_t i = 0; i < kRounds; ++i) {
        const net::Source source = Ipv4(i % 12);
        const uint64_t now_ns = kNow + i * 10'000;
        if (sources.Admit(source, limits, now_ns) == kAdmitted) {
          ++admitted;
          sources.Fail(source, limits, now_ns);
          sources.Leave(source);
        }
        if (i % 100 == 0) sources.Ban(Ipv4(worker), now_ns, now_ns + 1'000'000);
        if (i % 130 == 0) sources.Lift(Ipv4(worker), now_ns);
        if (i % 1000 == 0) {
          EXPECT_LE(sources.Bans(now_ns).size(), 4u);
        }
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  const SourceCounts counts = sources.Counts(kNow + 3600 * kSecond);
  EXPECT_GT(admitted.load(), 0u);
  EXPECT_EQ(counts.held, 0u);
  EXPECT_EQ(counts.bans_active, 0u);
  EXPECT_EQ(counts.bans[static_cast<size_t>(BanReason::kOperator)], kThreads * kRounds / 100);
}

TEST(Sources, ThreadsShareOneBucket) {
  constexpr int kThreads = 4;
  Sources sources;
  SharedBucket all;
  std::atomic<uint32_t> admitted{0};
  std::atomic<uint32_t> taken{0};
  std::vector<std::thread> workers;
  for (int worker = 0; worker < kThreads; ++worker) {
    workers.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        if (sources.Admit(Ipv4(1), {.rate = 1, .burst = 100}, kNow) == kAdmitted) ++admitted;
        if (all.Take({.per_second = 1, .burst = 100}, kNow)) ++taken;
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(admitted.load(), 100u);
  EXPECT_EQ(taken.load(), 100u);
}

TEST(Sources, WhoForgesSourcesOfDatagramsHasNobodyBannedNorSlowed) {
  Sources sources;
  SourceLimits limits = kGuard;
  limits.rate = 1;
  limits.burst = 2;
  int flows = 0;
  for (int i = 0; i < 100; ++i) {
    if (sources.Admit(Ipv4(1), limits, kNow, Holder::kFlow) == kAdmitted) ++flows;
  }
  EXPECT_EQ(flows, 2);
  EXPECT_FALSE(sources.Banned(Ipv4(1), kNow));
  EXPECT_EQ(AdmittedOf(&sources, 2, limits, kNow), 2);
}

TEST(Sources, ABannedSourceHasNoFlow) {
  Sources sources;
  ASSERT_TRUE(sources.Ban(Ipv4(1), kNow, kNow + kSecond));
  EXPECT_EQ(sources.Admit(Ipv4(1), kNoLimits, kNow, Holder::kFlow), kBanned);
  EXPECT_EQ(sources.Admit(Ipv4(1), kNoLimits, kNow + kSecond, Holder::kFlow), kAdmitted);
}

}  // namespace
}  // namespace anyport::admission
