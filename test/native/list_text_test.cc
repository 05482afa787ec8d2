#include "admission/list_text.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "admission/list_file.h"

namespace anyport::admission {
namespace {

using std::string_literals::operator""s;

net::Source At(const std::string& address) { return net::SourceOf(net::ParseInet(address, 443)->storage); }

ListText Fed(std::string_view text, size_t piece) {
  ListText list;
  for (size_t at = 0; at < text.size(); at += piece) list.Read(text.substr(at, piece));
  list.End();
  return list;
}

TEST(NetworkOf, ReadsAddressesAndPrefixesAndNothingElse) {
  for (const char* text : {"1.2.3.4", "1.2.3.4/0", "1.2.3.4/32", "::", "::/0", "2001:db8::1/128",
                           "::ffff:1.2.3.4/96", "1.2.3.4/032"})
    EXPECT_TRUE(NetworkOf(text).has_value()) << text;
  for (const std::string& text : {""s,
                                  "/"s,
                                  "/8"s,
                                  "1.2.3"s,
                                  "1.2.3.4/"s,
                                  "1.2.3.4/33"s,
                                  "1.2.3.4/-1"s,
                                  "1.2.3.4/+8"s,
                                  "1.2.3.4/8/8"s,
                                  "1.2.3.4/ 8"s,
                                  "1.2.3.4/0008"s,
                                  "::/129"s,
                                  "::/4294967296"s,
                                  "fe80::1%lo"s,
                                  "host"s,
                                  "01.2.3.4"s,
                                  "1.2.3.4\0"s,
                                  "1.2.3.4\0/8"s,
                                  std::string(500, '1'),
                                  "[::1]"s,
                                  "1.2.3.4:80"s,
                                  "1.2.3.4-1.2.3.9"s})
    EXPECT_FALSE(NetworkOf(text).has_value()) << text;
}

constexpr std::string_view kGood =
    "\xef\xbb\xbf# who may not\r\n"
    "192.0.2.0/24\r\n"
    "\r\n"
    "  198.51.100.7\t# one address\n"
    "2001:db8::/32 ; SBL1\n"
    "\n"
    "203.0.113.9";

TEST(ListText, HasCommentsBlankLinesAndEitherEndOfALine) {
  for (size_t piece = 1; piece <= kGood.size(); ++piece) {
    ListText list = Fed(kGood, piece);
    ASSERT_EQ(list.wrong(), 0u) << piece;
    const Prefixes prefixes = list.Build();
    ASSERT_EQ(prefixes.size(), 4u) << piece;
    for (const char* address : {"192.0.2.255", "198.51.100.7", "2001:db8::1", "203.0.113.9"})
      ASSERT_TRUE(prefixes.Contains(At(address))) << piece << ' ' << address;
    ASSERT_FALSE(prefixes.Contains(At("198.51.100.8"))) << piece;
  }
}

TEST(ListText, WrongLinesAreCountedAndTheFirstAreKept) {
  ListText list = Fed("10.0.0.1\n10.0.0.0/33\n\nhost\n10.0.0.2 10.0.0.3\nx\ny\n", 5);
  EXPECT_EQ(list.entries(), 1u);
  EXPECT_EQ(list.wrong(), 5u);
  ASSERT_EQ(list.wrong_lines().size(), ListText::kWrongKept);
  EXPECT_EQ(list.wrong_lines()[0].number, 2u);
  EXPECT_EQ(list.wrong_lines()[0].text, "10.0.0.0/33");
  EXPECT_EQ(list.wrong_lines()[1].number, 4u);
  EXPECT_EQ(list.wrong_lines()[2].text, "10.0.0.2 10.0.0.3");
}

TEST(ListText, WhatIsQuotedIsPrintableAndShort) {
  const ListText list = Fed("\x1b[2J\x7f\xff\n" + std::string(200, 'a') + "\n", 1000);
  EXPECT_EQ(list.wrong_lines()[0].text, "?[2J??");
  EXPECT_EQ(list.wrong_lines()[1].text, std::string(ListText::kQuotedMax, 'a') + "...");
}

TEST(ListText, ALineMayBeAsLongAsTheBoundAndNoLonger) {
  const auto commented = [](size_t bytes) {
    return "10.0.0.1 #" + std::string(bytes - 10, 'c') + "\n10.0.0.2\n";
  };
  for (const size_t piece : {size_t{1}, size_t{1000}, size_t{100'000}}) {
    EXPECT_EQ(Fed(commented(ListText::kLineBytesMax), piece).entries(), 2u) << piece;
    const ListText longer = Fed(commented(ListText::kLineBytesMax + 1), piece);
    EXPECT_EQ(longer.entries(), 1u) << piece;
    EXPECT_EQ(longer.wrong_lines().at(0).number, 1u) << piece;
    EXPECT_EQ(Fed(commented(50 * ListText::kLineBytesMax), piece).wrong(), 1u) << piece;
  }
}

class ListFileTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(folder_.data()), nullptr); }
  void TearDown() override {
    unlink(Path().c_str());
    rmdir(folder_.c_str());
  }
  std::string Path() const { return folder_ + "/list"; }
  void Write(const std::string& text) {
    FILE* file = fopen(Path().c_str(), "w");
    ASSERT_NE(file, nullptr);
    ASSERT_EQ(fwrite(text.data(), 1, text.size(), file), text.size());
    fclose(file);
  }
  std::string folder_ = "/tmp/anyport-list-XXXXXX";
};

TEST_F(ListFileTest, IsReadInPieces) {
  std::string text;
  for (int i = 0; i < 60'000; ++i)
    text += "10." + std::to_string(i / 65536) + "." + std::to_string(i / 256 % 256) + "." +
            std::to_string(i % 256) + "\n";
  Write(text);
  const ListFile file = ReadList(Path());
  EXPECT_EQ(file.fault, ListFault::kNone);
  EXPECT_EQ(file.prefixes.size(), 60'000u);
  EXPECT_TRUE(file.prefixes.Contains(At("10.0.234.95")));
  EXPECT_FALSE(file.prefixes.Contains(At("10.0.234.96")));
}

TEST_F(ListFileTest, SaysWhatIsWrongWithIt) {
  EXPECT_EQ(ReadList(Path()).fault, ListFault::kUnreadable);
  EXPECT_EQ(ReadList(Path()).error, ENOENT);
  EXPECT_EQ(ReadList(folder_).fault, ListFault::kNotRegular);
  ASSERT_EQ(mkfifo(Path().c_str(), 0600), 0);
  EXPECT_EQ(ReadList(Path()).fault, ListFault::kNotRegular);
  unlink(Path().c_str());
  Write("10.0.0.1\nten\n");
  const ListFile wrong = ReadList(Path());
  EXPECT_EQ(wrong.fault, ListFault::kWrongLines);
  EXPECT_TRUE(wrong.prefixes.empty());
  EXPECT_EQ(wrong.wrong_lines.at(0).number, 2u);
}

// Sparse: the zeros are never on a disk.
TEST_F(ListFileTest, IsBoundedInBytes) {
  Write("");
  ASSERT_EQ(truncate(Path().c_str(), static_cast<off_t>(kListBytesMax) + 1), 0);
  EXPECT_EQ(ReadList(Path()).fault, ListFault::kTooLarge);
}

TEST_F(ListFileTest, IsBoundedInEntries) {
  std::string text;
  for (size_t i = 0; i < ListText::kEntriesMax; ++i) text += "::\n";
  Write(text);
  EXPECT_EQ(ReadList(Path()).prefixes.size(), ListText::kEntriesMax);
  Write(text + "::\n");
  EXPECT_EQ(ReadList(Path()).fault, ListFault::kTooLong);
}

}  // namespace
}  // namespace anyport::admission
