// A key as the engine handles it: its bytes, hashed once.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/crc16.h"

namespace cairn {

// kSlotCount, Redis Cluster's hash slots, is in base/crc16.h.
inline constexpr uint32_t kShardCount = 64;     // whatever the number of threads
inline constexpr uint32_t kStripeCount = 1024;  // LSN stripes by key hash (DESIGN.md, promise P1)

// The view must outlive the KeyRef. Equal names have equal hash, slot and shard within one process (the hash is seeded at start).
struct KeyRef {
  std::string_view name;
  uint64_t hash = 0;
  uint64_t slot = 0;  // a whole word: without padding at its end the struct is copied in whole words

  // Hashes `name` (XXH3 with the process's seed; slot by CRC16 and hash tags).
  static KeyRef Of(std::string_view name);
  // The hash alone.
  static uint64_t Hash(std::string_view name);
  uint32_t shard() const { return static_cast<uint32_t>(slot % kShardCount); }
  // The stripes of a shard are its own, and lie together.
  static constexpr uint32_t kStripesPerShard = kStripeCount / kShardCount;
  uint32_t stripe() const { return shard() * kStripesPerShard + hash % kStripesPerShard; }
  static uint32_t ShardOfStripe(uint32_t stripe) { return stripe / kStripesPerShard; }
};

}  // namespace cairn
