// LCS against a plain table of all pairs of prefixes, read back as Redis reads it.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/engine_commands/command_harness.h"
#include "tests/support/test_seed.h"

namespace cairn {
namespace {

std::vector<std::vector<int>> Lengths(const std::string& a, const std::string& b) {
  std::vector<std::vector<int>> table(a.size() + 1, std::vector<int>(b.size() + 1));
  for (size_t i = 1; i <= a.size(); i++) {
    for (size_t j = 1; j <= b.size(); j++) {
      table[i][j] = a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1 : std::max(table[i - 1][j], table[i][j - 1]);
    }
  }
  return table;
}

std::string Subsequence(const std::vector<std::vector<int>>& table, const std::string& a, const std::string& b) {
  std::string found;
  for (size_t i = a.size(), j = b.size(); i > 0 && j > 0;) {
    if (a[i - 1] == b[j - 1]) {
      found += a[i - 1];
      i--, j--;
    } else if (table[i - 1][j] > table[i][j - 1]) {
      i--;
    } else {
      j--;
    }
  }
  return {found.rbegin(), found.rend()};
}

std::string RandomText(Random& random, size_t size, size_t letters) {
  std::string text;
  while (text.size() < size) text += static_cast<char>('a' + random.Uniform(letters));
  return text;
}

TEST(LongestCommonSubsequence, IsThatOfThePlainTable) {
  CAIRN_SEEDED(random);
  CommandHarness harness;
  for (int round = 0; round < 60; round++) {
    const size_t most = round % 10 == 0 ? 2000 : 200;  // from some hundred bytes on the keys' lock is not held
    const std::string a = RandomText(random, random.Uniform(most), 1 + random.Uniform(4));
    const std::string b = RandomText(random, random.Uniform(most), 1 + random.Uniform(4));
    harness.RunArgs({"SET", "a", a});
    harness.RunArgs({"SET", "b", b});
    const std::vector<std::vector<int>> table = Lengths(a, b);
    const std::string length = std::to_string(table[a.size()][b.size()]);
    EXPECT_EQ(harness.Run("LCS a b LEN"), ":" + length);
    EXPECT_EQ(harness.Run("LCS a b"), "\"" + Subsequence(table, a, b) + "\"");
    EXPECT_TRUE(harness.Run("LCS a b IDX").ends_with("\"len\" :" + length + "]"));
  }
}

// The longer of the two is a rope.
TEST(LongestCommonSubsequence, OfALongString) {
  CommandHarness harness;
  harness.RunArgs({"SET", "a", std::string(50'000, 'x') + "ab" + std::string(50'000, 'y')});
  harness.RunArgs({"SET", "b", "axb"});
  EXPECT_EQ(harness.Run("LCS a b LEN"), ":2");
  EXPECT_EQ(harness.Run("LCS b a"), "\"xb\"");
  EXPECT_EQ(harness.Run("LCS a b IDX"), "[\"matches\" [[[:50001 :50001] [:2 :2]] [[:50000 :50000] [:0 :0]]] \"len\" :2]");
}

}  // namespace
}  // namespace cairn
