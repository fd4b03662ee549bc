// Seeds of random tests: printed, and accepted from the environment.
#pragma once

#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/random.h"

namespace cairn {

// From CAIRN_TEST_SEED, or a new one; printed, because a test that crashes traces nothing.
inline uint64_t TestSeed() {
  const char* given = std::getenv("CAIRN_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : SecureRandom64();
  std::printf("CAIRN_TEST_SEED=%" PRIu64 "\n", seed);
  return seed;
}
#define CAIRN_SEEDED(random)                                       \
  const uint64_t seed_of_test = TestSeed();                        \
  SCOPED_TRACE("CAIRN_TEST_SEED=" + std::to_string(seed_of_test)); \
  Random random(seed_of_test)

}  // namespace cairn
