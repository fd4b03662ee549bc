#include "engine/keyspace/key_ref.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/random.h"

namespace cairn {

namespace {

// Unknown outside the process, so that nobody can choose keys that fall into one bucket.
uint64_t Seed() {
  static const uint64_t seed = SecureRandom64();
  return seed;
}
const uint64_t kSeed = Seed();

}  // namespace

uint64_t KeyRef::Hash(std::string_view name) {
  // Keys hashed while other static objects are built still get the same seed.
  return XXH3_64bits_withSeed(name.data(), name.size(), kSeed != 0 ? kSeed : Seed());
}

KeyRef KeyRef::Of(std::string_view name) { return {name, Hash(name), KeySlot(name)}; }

}  // namespace cairn
