#include "base/bytes.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

TEST(EqualBytes, SeesADifferenceAtEveryPlaceOfEverySize) {
  for (size_t size = 0; size <= 40; size++) {
    const std::string text(size, 'a');
    EXPECT_TRUE(EqualBytes(text, std::string(size, 'a')));
    EXPECT_FALSE(EqualBytes(text, text + 'a'));
    EXPECT_FALSE(EqualBytes(text + '\0', text));
    for (size_t at = 0; at < size; at++) {
      std::string other = text;
      other[at] = 'b';
      EXPECT_FALSE(EqualBytes(text, other)) << size << " bytes, different at " << at;
    }
  }
}

}  // namespace
}  // namespace cairn
