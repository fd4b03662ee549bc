#include "server/resp/inline_args.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

using Words = std::vector<std::string>;

TEST(SplitInline, Words) {
  struct Case {
    std::string line;
    Words words;
  };
  const Case cases[] = {
      {"", {}},
      {"   \t ", {}},
      {"a b  c", {"a", "b", "c"}},
      {"a\tb\vc", {"a", "b", "c"}},
      {"\"a b\" c", {"a b", "c"}},
      {"\"\" ''", {"", ""}},
      {"\"\\x00\\xfF\\n\\r\\t\\b\\a\\\\\\q\"", {std::string("\0\xff\n\r\t\b\a\\q", 9)}},
      {"\"\\xzz\"", {"xzz"}},
      {"'a\\'b' '\\n'", {"a'b", "\\n"}},
      {"ab\"cd\" e", {"abcd", "e"}},
      {std::string("a b\0c d", 7), {"a", "b"}},
  };
  for (const Case& c : cases) {
    Words words;
    EXPECT_TRUE(SplitInline(c.line, &words)) << c.line;
    EXPECT_EQ(words, c.words) << c.line;
  }
}

TEST(SplitInline, UnbalancedQuotes) {
  for (const char* line : {"\"a", "'a", "\"a\"b", "'a'b", "a \"", "\"a\\\"", "\"a\\"}) {
    Words words;
    EXPECT_FALSE(SplitInline(line, &words)) << line;
  }
}

}  // namespace
}  // namespace cairn
