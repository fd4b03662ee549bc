// Seeds of random tests: printed when a test fails, accepted from the environment.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/random.h"

namespace cairn {

// From CAIRN_TEST_SEED, or a new one; printed when the test fails through SCOPED_TRACE.
inline uint64_t TestSeed() {
  const char* given = std::getenv("CAIRN_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : SecureRandom64();
}
#define CAIRN_SEEDED(random)                                       \
  const uint64_t seed_of_test = TestSeed();                        \
  SCOPED_TRACE("CAIRN_TEST_SEED=" + std::to_string(seed_of_test)); \
  Random random(seed_of_test)

}  // namespace cairn
