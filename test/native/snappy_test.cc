// Snappy's framing format as kcptun writes and reads it.
#include "kcp/snappy.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "kcp/crc32c.h"
#include "kcp/little_endian.h"
#include "kcp/snappy_block.h"

namespace anyport::kcp {
namespace {

std::span<const uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string Unhex(const std::string& hex) {
  std::string bytes;
  for (size_t at = 0; at + 1 < hex.size(); at += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16)));
  }
  return bytes;
}

// The first bytes of a conversation of kcptun 20210922: the stream's name, smux's SYN as it is, and its frame
// with 626 bytes of text, compressed.
const std::string kRecorded = Unhex(
    "ff060000734e61507059010c00004439ac2f010000000300000000790000423dba8efa04b801027202030000006c696e"
    "6520303a2074686520717569636b2062726f776e20666f78206a756d7073206f76657220011f206c617a7920646f670a"
    "05340031ca34000032ca34000033ca34000034ca34000035ca34000036ca34000037ca34000038ca34000039ca340000"
    "31d20902ba0a02");

std::string RecordedText() {
  std::string text;
  for (int i = 0; i < 12; ++i) {
    text += "line " + std::to_string(i) + ": the quick brown fox jumps over the lazy dog\n";
  }
  return text;
}

struct Sink {
  size_t Input(std::span<const uint8_t> bytes) {
    const size_t taken = std::min(bytes.size(), room);
    room -= taken;
    noted.push_back(bytes.first(taken));
    return taken;
  }
  // As a mux does it: what was noted is read now, and not any more.
  void Deliver() {
    for (const auto bytes : noted) text.append(bytes.begin(), bytes.end());
    noted.clear();
  }

  size_t room = SIZE_MAX;
  std::string text;
  std::vector<std::span<const uint8_t>> noted;
};

// Reads in parts of `most` bytes, each of which is gone when the next comes.
std::string ReadAll(SnappyReader* reader, const std::string& stream, size_t most) {
  Sink sink;
  for (size_t at = 0; at < stream.size() && reader->error() == SnappyError::kNone; at += most) {
    const std::string part = stream.substr(at, most);
    EXPECT_TRUE(reader->Input(BytesOf(part), sink) == part.size() || reader->error() != SnappyError::kNone);
    sink.Deliver();
  }
  return sink.text;
}

std::string Sum(const std::string& text) {
  const uint32_t sum = Crc32c(BytesOf(text));
  std::string word(4, '\0');
  Store32(reinterpret_cast<uint8_t*>(word.data()), (sum >> 15 | sum << 17) + 0xa282ead8);
  return word;
}

std::string Chunk(int type, const std::string& body) {
  std::string head(4, '\0');
  Store32(reinterpret_cast<uint8_t*>(head.data()),
          static_cast<uint32_t>(type) | static_cast<uint32_t>(body.size()) << 8);
  return head + body;
}
const std::string kName = Chunk(0xff, "sNaPpY");
std::string Plain(const std::string& text) { return Chunk(1, Sum(text) + text); }

std::string Random(size_t bytes) {
  static std::mt19937 random(1);
  std::string text(bytes, '\0');
  for (char& letter : text) letter = static_cast<char>(random());
  return text;
}

TEST(Crc32cTest, HasThePublishedSums) {
  // RFC 3720 appendix B.4.
  std::string rising;
  for (int i = 0; i < 32; ++i) rising.push_back(static_cast<char>(i));
  const std::vector<std::pair<std::string, uint32_t>> cases = {
      {"", 0},
      {std::string(32, '\0'), 0x8a9136aa},
      {std::string(32, '\xff'), 0x62a8ab43},
      {rising, 0x46dd794e},
      {{rising.rbegin(), rising.rend()}, 0x113fdb5c},
      {"123456789", 0xe3069283},
  };
  for (const auto& [text, sum] : cases) {
    EXPECT_EQ(Crc32c(BytesOf(text)), sum);
    EXPECT_EQ(PlainCrc32c(BytesOf(text)), sum);
  }
}

TEST(Crc32cTest, IsTheSameWithAndWithoutTheInstruction) {
  const std::string text = Random(3000);
  for (size_t at = 0; at < 16; ++at) {
    for (size_t bytes = 0; bytes < 300; ++bytes) {
      const std::string part = text.substr(at, bytes);
      ASSERT_EQ(Crc32c(BytesOf(part)), PlainCrc32c(BytesOf(part))) << at << " " << bytes;
    }
  }
}

TEST(SnappyTest, WhatKcptunWroteIsRead) {
  const std::string expected = Unhex("0100000003000000") + Unhex("0102720203000000") + RecordedText();
  for (size_t most = 1; most <= kRecorded.size(); ++most) {
    SnappyReader reader;
    EXPECT_EQ(ReadAll(&reader, kRecorded, most), expected) << most;
    EXPECT_EQ(reader.error(), SnappyError::kNone);
  }
}

struct Block {
  const char* why;
  std::string block;
  std::string text;
};

TEST(SnappyTest, EveryElementOfABlockIsRead) {
  const std::string long_text(300, 'z');
  const std::string longer_text(70'000 - 65'536 + 60'000, 'y');
  const std::vector<Block> cases = {
      {"nothing", Unhex("00"), ""},
      {"a literal",
       Unhex("03") + "\x08"
                     "abc",
       "abc"},
      {"61 bytes, length in one byte", Unhex("3d") + Unhex("f03c") + std::string(61, 'x'),
       std::string(61, 'x')},
      {"300 bytes, length in two", Unhex("ac02") + Unhex("f42b01") + long_text, long_text},
      {"64,464 bytes, length in three", Unhex("d0f703") + Unhex("f8cffb00") + longer_text, longer_text},
      {"length in four", Unhex("ac02") + Unhex("fc2b010000") + long_text, long_text},
      {"a copy with an offset of one byte",
       Unhex("08") +
           "\x0c"
           "abcd" +
           Unhex("0104"),
       "abcdabcd"},
      {"… of two",
       Unhex("08") +
           "\x0c"
           "abcd" +
           Unhex("0e0400"),
       "abcdabcd"},
      {"… of four",
       Unhex("08") +
           "\x0c"
           "abcd" +
           Unhex("0f04000000"),
       "abcdabcd"},
      {"a copy into itself", Unhex("0b") + std::string(1, '\0') + "a" + Unhex("260100"), "aaaaaaaaaaa"},
      {"a copy that overlaps by half",
       Unhex("0a") +
           "\x0c"
           "abcd" +
           Unhex("160400"),
       "abcdabcdab"},
  };
  for (const Block& one : cases) {
    const auto length = SnappyLengthOf(BytesOf(one.block));
    ASSERT_TRUE(length) << one.why;
    ASSERT_EQ(length->text, one.text.size()) << one.why;
    std::vector<uint8_t> text(length->text);
    EXPECT_TRUE(UncompressSnappy(BytesOf(one.block), text)) << one.why;
    EXPECT_EQ(std::string(text.begin(), text.end()), one.text) << one.why;
  }
}

TEST(SnappyTest, BlocksThatMakeNoSenseAreRefused) {
  const std::vector<std::pair<const char*, std::string>> cases = {
      {"no length", ""},
      {"a length without an end", Unhex("8080808080")},
      {"a length above 32 bits", Unhex("ffffffff7f")},
      {"less text than it says", Unhex("05") + "\x08"
                                               "abc"},
      {"more text than it says", Unhex("02") + "\x08"
                                               "abc"},
      {"a literal that is cut", Unhex("03") + "\x08"
                                              "ab"},
      {"a literal's length that is cut", Unhex("03") + Unhex("f4ff")},
      {"a copy from before the text", Unhex("08") +
                                          "\x0c"
                                          "abcd" +
                                          Unhex("0105")},
      {"a copy from nowhere", Unhex("08") +
                                  "\x0c"
                                  "abcd" +
                                  Unhex("0100")},
      {"a copy without its offset", Unhex("08") +
                                        "\x0c"
                                        "abcd" +
                                        Unhex("0e04")},
      {"a copy past the end", Unhex("07") +
                                  "\x0c"
                                  "abcd" +
                                  Unhex("0104")},
  };
  for (const auto& [why, block] : cases) {
    const auto length = SnappyLengthOf(BytesOf(block));
    std::vector<uint8_t> text(length ? std::min<size_t>(length->text, 100) : 8);
    EXPECT_FALSE(UncompressSnappy(BytesOf(block), text)) << why;
  }
}

struct Wrong {
  const char* why;
  std::string stream;
  SnappyError error;
};

TEST(SnappyTest, AWrongChunkEndsTheStreamWithItsReason) {
  const std::string sum = Sum("abc");
  const std::vector<Wrong> cases = {
      {"no name", Plain("abc"), SnappyError::kNoHeader},
      {"another name", Chunk(0xff, "sNaPpX"), SnappyError::kNoHeader},
      {"a short name", Chunk(0xff, "sNaPp"), SnappyError::kLength},
      {"a chunk that may not be skipped", kName + Chunk(0x02, "abcdefgh"), SnappyError::kType},
      {"another", kName + Chunk(0x7f, "abcdefgh"), SnappyError::kType},
      {"no sum", kName + Chunk(1, "abc"), SnappyError::kLength},
      {"a wrong sum", kName + Chunk(1, sum + "abd"), SnappyError::kSum},
      {"a wrong sum of compressed text",
       kName + Chunk(0, sum + "\x03\x08"
                              "abd"),
       SnappyError::kSum},
      {"compressed nonsense",
       kName + Chunk(0, sum + "\x03\x0c"
                              "abc"),
       SnappyError::kBlock},
      {"no compressed text", kName + Chunk(0, sum), SnappyError::kBlock},
      {"64 KiB and a byte", kName + Plain(std::string(65'537, 'x')), SnappyError::kLength},
      {"64 KiB and a byte, compressed", kName + Chunk(0, sum + Unhex("818004")), SnappyError::kBlock},
      {"far too long", kName + Chunk(0, std::string(80'000, 'x')), SnappyError::kLength},
  };
  for (const Wrong& wrong : cases) {
    for (const size_t most : {size_t{1}, size_t{7}, size_t{1} << 20}) {
      SnappyReader reader;
      const std::string text = ReadAll(&reader, wrong.stream + kName + Plain("behind"), most);
      EXPECT_EQ(reader.error(), wrong.error) << wrong.why;
      EXPECT_STRNE(NameOf(reader.error()), "none") << wrong.why;
      EXPECT_EQ(text, "") << wrong.why;
    }
  }
}

TEST(SnappyTest, NamesMayRepeatAndUnknownChunksBeSkipped) {
  const std::string stream = kName + Chunk(0x80, Random(5000)) + Plain("one ") + kName + Chunk(0xfe, "") +
                             Plain("") + Chunk(0, Sum("") + Unhex("00")) + Plain("two");
  for (const size_t most : {size_t{1}, size_t{100}, size_t{1} << 20}) {
    SnappyReader reader;
    EXPECT_EQ(ReadAll(&reader, stream, most), "one two");
    EXPECT_EQ(reader.error(), SnappyError::kNone);
  }
}

TEST(SnappyTest, ASinkThatIsFullLosesNothing) {
  std::string stream = kName;
  std::string expected;
  for (size_t i = 1; i < 40; ++i) {
    const std::string text = Random(i * i * 37 % 65'537);
    expected += text;
    stream += Plain(text);
    stream += kRecorded.substr(10);
    expected += Unhex("0100000003000000") + Unhex("0102720203000000") + RecordedText();
  }
  SnappyReader reader;
  Sink sink;
  sink.room = 0;
  std::mt19937 random(7);
  for (size_t at = 0; at < stream.size() || reader.pending();) {
    sink.room = random() % 3 == 0 ? random() % 20'000 : 0;
    const std::string part = stream.substr(at, 1 + random() % 3000);
    at += reader.Input(BytesOf(part), sink);
    sink.Deliver();
    reader.Trim();
  }
  EXPECT_TRUE(sink.text == expected);
}

struct Source {
  size_t Pull(std::span<uint8_t> room) {
    const size_t part = std::min(room.size(), text.size() - at);
    std::copy_n(text.begin() + static_cast<ptrdiff_t>(at), part, room.begin());
    at += part;
    return part;
  }
  std::string text;
  size_t at = 0;
};

TEST(SnappyTest, WhatIsWrittenIsTheTextInChunksThatFillTheRoom) {
  Source source{"hello"};
  SnappyWriter writer;
  std::string room(1298, '\0');
  const auto bytes = [&room] { return std::span(reinterpret_cast<uint8_t*>(room.data()), room.size()); };
  EXPECT_EQ(room.substr(0, writer.Pull(bytes(), source)), kName + Plain("hello"));
  EXPECT_EQ(writer.Pull(bytes(), source), 0u);
  source.text += Random(5000);
  EXPECT_EQ(writer.Pull(bytes(), source), room.size());
  EXPECT_EQ(room, Plain(source.text.substr(5, 1290)));
  EXPECT_EQ(writer.Pull(bytes().first(SnappyWriter::kRoomMin - 1), source), 0u);
}

TEST(SnappyTest, WhatIsWrittenIsReadAgain) {
  Source source{Random(500'000)};
  SnappyWriter writer;
  std::string stream;
  std::string room(100'000, '\0');
  for (size_t i = 0; source.at < source.text.size(); ++i) {
    const size_t most = SnappyWriter::kRoomMin + i * 7919 % 90'000;
    const size_t bytes = writer.Pull({reinterpret_cast<uint8_t*>(room.data()), most}, source);
    stream += room.substr(0, bytes);
  }
  for (const size_t most : {size_t{1298}, size_t{70'000}}) {
    SnappyReader reader;
    EXPECT_TRUE(ReadAll(&reader, stream, most) == source.text);
  }
}

}  // namespace
}  // namespace anyport::kcp
