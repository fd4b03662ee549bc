#include "server/resp/request_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace cairn {
namespace {

using Args = std::vector<std::string>;

// A connection that hands bytes to the parser as a session does: keeps what is unfinished, lets large bulk strings be read directly.
class Feeder {
 public:
  explicit Feeder(RequestParser::Limits limits = {}) : limits_(limits) {}

  void Feed(std::string_view bytes) {
    while (!bytes.empty() && error.empty()) {
      if (partial_ != nullptr && partial_->reading_direct()) {
        const std::span<char> room = partial_->DirectRoom();
        const size_t part = std::min(room.size(), bytes.size());
        std::copy_n(bytes.data(), part, room.data());
        partial_->DirectFilled(part);
        bytes.remove_prefix(part);
        direct_bytes += part;
      } else {
        input_.append(bytes);
        bytes = {};
        Parse();
      }
    }
  }
  void Parse() {
    for (;;) {
      std::vector<std::string_view> args;
      const RequestParser::Result result = parser_.Next(input_, limits_, partial_, &args);
      if (result.kind == RequestParser::Kind::kError) {
        error = parser_.error();
        return;
      }
      if (result.kind == RequestParser::Kind::kIncomplete) {
        input_.erase(0, result.begin);
        if (partial_ != nullptr) input_.resize(std::min(input_.size(), partial_->TakeCut()));
        return;
      }
      requests.emplace_back(args.begin(), args.end());
      if (result.ends_batch) {
        for (const SharedBytes& owner : parser_.owners()) owners += owner.size() > 0;
        parser_.Release(partial_);
      }
      input_.erase(0, result.consumed);
    }
  }

  std::vector<Args> requests;
  std::string error;
  size_t owners = 0;
  size_t direct_bytes = 0;
  size_t kept_bytes() const { return input_.size() + (partial_ != nullptr ? partial_->held_bytes() : 0); }

 private:
  const RequestParser::Limits limits_;
  RequestParser parser_;
  std::unique_ptr<PartialRequest> partial_;
  std::string input_;
};

std::string Encode(const Args& args) {
  std::string out = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& arg : args) out += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
  return out;
}

struct Case {
  const char* name;
  std::string input;
  std::vector<Args> requests;
  std::string error;
  RequestParser::Limits limits = {};
};

std::vector<Case> Cases() {
  const std::string long_line(RequestParser::kLineMaxBytes + 1, 'a');
  const RequestParser::Limits unauthenticated{.max_bulk_bytes = 512 << 20, .authenticated = false};
  const RequestParser::Limits small{.max_bulk_bytes = 1000, .authenticated = true};
  return {
      {"array", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", {{"GET", "k"}}, ""},
      {"empty and binary arguments",
       std::string("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\0*\r\n", 29),
       {{"SET", "", std::string("\r\n\0*", 4)}},
       ""},
      {"pipeline", Encode({"PING"}) + Encode({"ECHO", "hello"}) + Encode({"PING"}), {{"PING"}, {"ECHO", "hello"}, {"PING"}}, ""},
      {"ten arguments",
       Encode({"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}),
       {{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}},
       ""},
      {"empty requests are skipped", "*0\r\n*-1\r\n\r\n\n*-2147483648\r\n*1\r\n$4\r\nPING\r\n", {{"PING"}}, ""},
      {"inline", "PING\r\nSET a \"b c\"\n  GET   a \r\n", {{"PING"}, {"SET", "a", "b c"}, {"GET", "a"}}, ""},
      {"inline escapes", "SET k \"\\x41\\n\\\"q\" 'it\\'s'\r\n", {{"SET", "k", "A\n\"q", "it's"}}, ""},
      {"inline and array in turn", "PING\r\n*1\r\n$4\r\nPING\r\nPING\r\n", {{"PING"}, {"PING"}, {"PING"}}, ""},
      {"unbalanced quotes", "SET k \"abc\r\n", {}, "Protocol error: unbalanced quotes in request"},
      {"glued quotes", "SET k \"abc\"d\r\n", {}, "Protocol error: unbalanced quotes in request"},
      {"good ones before a bad one run", "PING\r\n*x\r\n", {{"PING"}}, "Protocol error: invalid multibulk length"},
      {"count too large", "*3000000000\r\n", {}, "Protocol error: invalid multibulk length"},
      {"count with a leading zero", "*01\r\n$4\r\nPING\r\n", {}, "Protocol error: invalid multibulk length"},
      {"no count", "*\r\n", {}, "Protocol error: invalid multibulk length"},
      {"wrong type", "*1\r\nfoo\r\n", {}, "Protocol error: expected '$', got 'f'"},
      {"negative bulk", "*2\r\n$3\r\nSET\r\n$-10\r\n", {}, "Protocol error: invalid bulk length"},
      {"bulk too large", "*2\r\n$3\r\nSET\r\n$2000000000\r\n", {}, "Protocol error: invalid bulk length"},
      {"bulk over proto-max-bulk-len", "*1\r\n$1001\r\n", {}, "Protocol error: invalid bulk length", small},
      {"bulk size no number", "*2\r\n$3\r\nSET\r\n$blabla\r\n", {}, "Protocol error: invalid bulk length"},
      {"ten arguments before authentication", Encode(Args(10, "x")), {Args(10, "x")}, "", unauthenticated},
      {"eleven arguments before authentication",
       Encode(Args(11, "x")),
       {},
       "Protocol error: unauthenticated multibulk length",
       unauthenticated},
      {"large bulk before authentication",
       "*1\r\n$16385\r\n",
       {},
       "Protocol error: unauthenticated bulk length",
       unauthenticated},
      {"inline line too long", long_line, {}, "Protocol error: too big inline request"},
      {"count line too long", "*" + long_line, {}, "Protocol error: too big mbulk count string"},
      {"size line too long", "*1\r\n$" + long_line, {}, "Protocol error: too big bulk count string"},
  };
}

TEST(RequestParser, TableInOnePiece) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    Feeder feeder(c.limits);
    feeder.Feed(c.input);
    EXPECT_EQ(feeder.requests, c.requests);
    EXPECT_EQ(feeder.error, c.error);
  }
}

TEST(RequestParser, TableAtEverySplitPoint) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    const size_t step = c.input.size() > 1000 ? c.input.size() / 50 : 1;
    for (size_t split = 0; split <= c.input.size(); split += step) {
      Feeder feeder(c.limits);
      feeder.Feed(std::string_view(c.input).substr(0, split));
      feeder.Feed(std::string_view(c.input).substr(split));
      ASSERT_EQ(feeder.requests, c.requests) << "split at " << split;
      ASSERT_EQ(feeder.error, c.error) << "split at " << split;
    }
  }
}

TEST(RequestParser, TableByteByByte) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    if (c.input.size() > 1000) continue;
    Feeder feeder(c.limits);
    for (const char byte : c.input) feeder.Feed(std::string_view(&byte, 1));
    EXPECT_EQ(feeder.requests, c.requests);
    EXPECT_EQ(feeder.error, c.error);
  }
}

TEST(RequestParser, LargeBulkGetsItsOwnBuffer) {
  std::string value(3'000'000, 'v');
  for (size_t i = 0; i < value.size(); i += 977) value[i] = static_cast<char>(i);
  const std::string input = Encode({"SET", "k", value, "EX", "10"}) + Encode({"PING"});
  for (const size_t piece : {size_t{1000}, size_t{16384}, size_t{65536}, input.size() - 3}) {
    Feeder feeder;
    for (size_t at = 0; at < input.size(); at += piece) feeder.Feed(std::string_view(input).substr(at, piece));
    ASSERT_EQ(feeder.error, "");
    ASSERT_EQ(feeder.requests.size(), 2u) << piece;
    EXPECT_EQ(feeder.requests[0], (Args{"SET", "k", value, "EX", "10"}));
    EXPECT_EQ(feeder.requests[1], Args{"PING"});
    if (piece < 100'000) {
      EXPECT_EQ(feeder.owners, 1u);
      EXPECT_GT(feeder.direct_bytes, value.size() - 70'000);
    }
  }
}

TEST(RequestParser, AnnouncedSizesCostNothing) {
  Feeder feeder;
  feeder.Feed("*2147483647\r\n$3\r\nSET\r\n$536870912\r\nabc");
  EXPECT_EQ(feeder.error, "");
  EXPECT_LE(feeder.kept_bytes(), 300u * 1024);
}

TEST(RequestParser, TwoLargeBulksAndManySmallOnes) {
  Args args{"MSET"};
  for (int i = 0; i < 2000; i++) args.push_back("key" + std::to_string(i));
  args.push_back(std::string(100'000, 'x'));
  args.push_back("k");
  args.push_back(std::string(20'000, 'y'));
  const std::string input = Encode(args);
  for (const size_t piece : {size_t{777}, size_t{8192}}) {
    Feeder feeder;
    for (size_t at = 0; at < input.size(); at += piece) feeder.Feed(std::string_view(input).substr(at, piece));
    ASSERT_EQ(feeder.requests.size(), 1u);
    EXPECT_EQ(feeder.requests[0], args);
  }
}

TEST(RequestParser, RandomRequestsInRandomPieces) {
  const uint64_t seed = SecureRandom64();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int round = 0; round < 200; round++) {
    std::vector<Args> expected;
    std::string input;
    for (uint64_t i = random.Uniform(8) + 1; i > 0; i--) {
      Args args;
      for (uint64_t j = random.Uniform(5) + 1; j > 0; j--) {
        const uint64_t size = random.Uniform(20) == 0 ? random.Uniform(60'000) : random.Uniform(40);
        args.push_back(std::string(size, static_cast<char>('a' + random.Uniform(26))));
      }
      input += Encode(args);
      expected.push_back(args);
    }
    Feeder feeder;
    for (size_t at = 0; at < input.size();) {
      const size_t piece = std::min<size_t>(input.size() - at, random.Uniform(30'000) + 1);
      feeder.Feed(std::string_view(input).substr(at, piece));
      at += piece;
    }
    ASSERT_EQ(feeder.error, "");
    ASSERT_EQ(feeder.requests, expected);
  }
}

}  // namespace
}  // namespace cairn
