#include "admission/prefixes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "admission/list_text.h"

namespace anyport::admission {
namespace {

net::Network Net(const std::string& text) { return NetworkOf(text).value(); }

Prefixes Of(const std::vector<std::string>& texts) {
  std::vector<net::Network> networks;
  for (const std::string& text : texts) networks.push_back(Net(text));
  return Prefixes::From(networks);
}

net::Source At(const std::string& address) { return net::SourceOf(net::ParseInet(address, 443)->storage); }

struct Case {
  const char* why;
  std::vector<std::string> networks;
  std::vector<std::string> in;
  std::vector<std::string> out;
};

const Case kCases[] = {
    {"an empty set has nothing", {}, {}, {"0.0.0.0", "255.255.255.255", "::", "2001:db8::1"}},
    {"one address",
     {"192.0.2.7"},
     {"192.0.2.7", "::ffff:192.0.2.7"},
     {"192.0.2.6", "192.0.2.8", "c000:207::"}},
    {"all of IPv4",
     {"0.0.0.0/0"},
     {"0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"},
     {"::", "::1", "2001:db8::"}},
    {"::/0 is IPv6 alone",
     {"::/0"},
     {"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
     {"1.2.3.4", "::ffff:1.2.3.4"}},
    {"both families", {"0.0.0.0/0", "::/0"}, {"9.9.9.9", "::", "ffff::"}, {}},
    {"the last address has no number behind it",
     {"255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
     {"255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
     {"255.255.255.254", "0.0.0.0", "::"}},
    {"bits behind the prefix do not count",
     {"10.1.2.3/8", "2001:db8::1/32"},
     {"10.0.0.0", "10.255.255.255", "2001:db8:ffff::"},
     {"9.255.255.255", "11.0.0.0", "2001:db7:ffff::", "2001:db9::"}},
    {"a mapped prefix is IPv4",
     {"::ffff:10.0.0.0/104"},
     {"10.9.9.9", "::ffff:10.0.0.1"},
     {"11.0.0.0", "::", "::10.0.0.1"}},
    {"one that is shorter than the mapped prefix is IPv6",
     {"::ffff:0:0/95"},
     {"::fffe:0:1"},
     {"1.2.3.4", "::ffff:1.2.3.4"}},
    {"within another, beside another",
     {"10.0.0.0/24", "10.0.0.7", "10.0.1.0/24", "10.0.3.0/24"},
     {"10.0.0.0", "10.0.0.7", "10.0.0.255", "10.0.1.0", "10.0.1.255", "10.0.3.0"},
     {"10.0.2.0", "10.0.2.255", "10.0.4.0"}},
    {"parts of a /64",
     {"2001:db8::/127", "2001:db8::8/125", "2001:db8:0:1::/64"},
     {"2001:db8::1", "2001:db8::f", "2001:db8:0:1:ffff::"},
     {"2001:db8::2", "2001:db8::7", "2001:db8::10", "2001:db8:0:2::"}},
};

TEST(Prefixes, HaveWhatTheirNetworksHave) {
  for (const Case& each : kCases) {
    const Prefixes prefixes = Of(each.networks);
    EXPECT_EQ(prefixes.size(), each.networks.size()) << each.why;
    for (const std::string& address : each.in)
      EXPECT_TRUE(prefixes.Contains(At(address))) << each.why << ' ' << address;
    for (const std::string& address : each.out)
      EXPECT_FALSE(prefixes.Contains(At(address))) << each.why << ' ' << address;
  }
}

TEST(Prefixes, AUnixSocketIsInNone) { EXPECT_FALSE(Of({"0.0.0.0/0", "::/0"}).Contains(net::Source{})); }

using Random = std::mt19937_64;

// Networks come in families of few bits that differ, so that they overlap, touch and crowd.
net::Network AnyNetwork(Random& random) {
  static const char* kNear[] = {"10.0.0.0",      "0.0.0.0", "255.255.255.0",
                                "2001:db8::",    "::",      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:0",
                                "2001:db8:0:7::"};
  net::Network network;
  network.base = At(kNear[random() % std::size(kNear)]);
  const size_t size = network.base.family == 4 ? 4 : 16;
  for (size_t changed = random() % 4; changed > 0; --changed) {
    network.base.bytes[random() % size] ^=
        static_cast<uint8_t>(random() % 8 == 0 ? random() : 1u << random() % 8);
  }
  const size_t bits = 8 * size;
  network.bits =
      static_cast<uint8_t>(random() % 50 == 0 ? random() % (bits + 1) : bits - random() % (bits / 2));
  return network;
}

// At or beside an end of one of the networks, or anywhere.
net::Source AnyAddress(const std::vector<net::Network>& networks, Random& random) {
  if (networks.empty() || random() % 8 == 0) return AnyNetwork(random).base;
  const net::Network& network = networks[random() % networks.size()];
  net::Source source = network.base;
  const int bits = source.family == 4 ? 32 : 128;
  const bool is_last = random() % 2 == 0;
  for (int bit = network.bits; bit < bits; ++bit) {
    const auto mask = static_cast<uint8_t>(0x80 >> bit % 8);
    source.bytes[bit / 8] =
        static_cast<uint8_t>(is_last ? source.bytes[bit / 8] | mask : source.bytes[bit / 8] & ~mask);
  }
  const int step = static_cast<int>(random() % 3) - 1;
  for (int byte = bits / 8 - 1, carry = step; byte >= 0 && carry != 0; --byte) {
    const int sum = source.bytes[byte] + carry;
    source.bytes[byte] = static_cast<uint8_t>(sum);
    carry = sum < 0 ? -1 : sum > 255 ? 1 : 0;
  }
  return source;
}

bool IsInOne(const std::vector<net::Network>& networks, const net::Source& source) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const auto& each) { return net::Contains(each, source); });
}

TEST(Prefixes, AreRightWhereverNetworksBeginAndEnd) {
  Random random(20'26);
  for (int round = 0; round < 300; ++round) {
    std::vector<net::Network> networks(random() % (round % 10 == 0 ? 2000 : 40));
    for (net::Network& network : networks) network = AnyNetwork(random);
    const Prefixes prefixes = Prefixes::From(networks);
    for (int i = 0; i < 300; ++i) {
      const net::Source source = AnyAddress(networks, random);
      ASSERT_EQ(prefixes.Contains(source), IsInOne(networks, source))
          << "round " << round << ", address " << i;
    }
  }
}

TEST(Prefixes, OfManyNetworksAreThoseOfEach) {
  Random random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<net::Network> networks(random() % 400);
    for (net::Network& network : networks) network = AnyNetwork(random);
    const size_t middle = networks.size() / 3;
    Prefixes::Builder builder;
    builder.Add(Prefixes::From(std::span(networks).first(middle)));
    builder.Add(Prefixes::From(std::span(networks).subspan(middle)));
    const Prefixes joined = builder.Build();
    EXPECT_EQ(joined.size(), networks.size());
    for (int i = 0; i < 200; ++i) {
      const net::Source source = AnyAddress(networks, random);
      ASSERT_EQ(joined.Contains(source), IsInOne(networks, source)) << "round " << round;
    }
  }
}

// Each crowd is far from the last and closer together, so that indexes lie within indexes.
TEST(Prefixes, AreRightInCrowdsWithinCrowds) {
  std::vector<net::Network> networks;
  for (int crowd = 0; crowd < 14; ++crowd) {
    for (int i = 0; i < 64; ++i) {
      net::Network network{{.family = 6}, 127};
      for (int byte = 0; byte < crowd; ++byte) network.base.bytes[byte] = 0x55;
      network.base.bytes[crowd] = static_cast<uint8_t>(4 * i);
      networks.push_back(network);
    }
  }
  const Prefixes prefixes = Prefixes::From(networks);
  Random random(3);
  for (int i = 0; i < 5000; ++i) {
    const net::Source source = AnyAddress(networks, random);
    ASSERT_EQ(prefixes.Contains(source), IsInOne(networks, source));
  }
}

TEST(Prefixes, TakeTheMemoryThatIsSaidOfThem) {
  constexpr size_t kCount = 100'000;
  Random random(5);
  std::vector<net::Network> v4(kCount, {{.family = 4}, 32});
  std::vector<net::Network> v6(kCount, {{.family = 6}, 64});
  for (size_t i = 0; i < kCount; ++i) {
    for (size_t byte = 0; byte < 8; ++byte) v6[i].base.bytes[byte] = static_cast<uint8_t>(random());
    for (size_t byte = 0; byte < 4; ++byte) v4[i].base.bytes[byte] = static_cast<uint8_t>(random());
  }
  EXPECT_LE(Prefixes::From(v4).bytes(), 16 * kCount);
  EXPECT_LE(Prefixes::From(v6).bytes(), 24 * kCount);
  for (net::Network& network : v6) network.bits = 127;
  EXPECT_LE(Prefixes::From(v6).bytes(), 40 * kCount);
  for (net::Network& network : v6) network.bits = 128;
  EXPECT_LE(Prefixes::From(v6).bytes(), 33 * kCount);
}

TEST(Prefixes, HaveSingleAddressesWhateverTheyAre) {
  std::vector<net::Network> networks;
  for (int last = 0; last < 3; ++last) {
    networks.push_back({{.family = 6}, 128});
    networks.back().base.bytes[15] = static_cast<uint8_t>(last);  // `::`, `::1`, `::2`
    networks.push_back(networks.back());
  }
  const Prefixes prefixes = Prefixes::From(networks);
  EXPECT_EQ(prefixes.size(), 6u);
  Prefixes::Builder builder;
  builder.Add(prefixes);
  const Prefixes joined = builder.Build();
  for (int last = 0; last < 6; ++last) {
    net::Source source{.family = 6};
    source.bytes[15] = static_cast<uint8_t>(last);
    EXPECT_EQ(prefixes.Contains(source), last < 3) << last;
    EXPECT_EQ(joined.Contains(source), last < 3) << last;
  }
}

// More than a bucket has, so that look-ups go on in the next.
TEST(Prefixes, FindEachOfManySingleAddressesAndNoOther) {
  for (const uint32_t count : {1, 5, 64, 10'000}) {
    std::vector<net::Network> networks;
    const auto at = [](uint32_t number) {
      net::Source source{.family = 6};
      std::memcpy(source.bytes.data() + 4, &number, sizeof(number));
      return source;
    };
    for (uint32_t i = 0; i < count; ++i) networks.push_back({at(2 * i + 1), 128});
    const Prefixes prefixes = Prefixes::From(networks);
    for (uint32_t i = 0; i < 2 * count + 2; ++i)
      ASSERT_EQ(prefixes.Contains(at(i)), i % 2 == 1 && i < 2 * count);
  }
}

}  // namespace
}  // namespace anyport::admission
