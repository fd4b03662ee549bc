// The 24-bit access field of an entry, as Redis keeps it: with an LFU policy the time of the last decrement in minutes (16 bits)
// and a logarithmic counter (8 bits); otherwise the time of the last access in seconds (modulo 2^24, about 194 days).
//
// A change of policy reinterprets the fields that are there, as in Redis. Pure functions; any thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/random.h"

namespace cairn {

// What the field means now and how the counter moves (lfu-log-factor, lfu-decay-time).
struct AccessPolicy {
  bool lfu = false;
  int lfu_log_factor = 10;
  int lfu_decay_minutes = 1;
};

inline constexpr uint32_t kAccessMask = 0xFFFFFF;
inline constexpr uint32_t kLfuInitialCounter = 5;  // a new key is not the coldest at once

inline uint32_t LruClock(int64_t now_ms) { return static_cast<uint32_t>(now_ms / 1000) & kAccessMask; }
inline uint32_t LfuMinutes(int64_t now_ms) { return static_cast<uint32_t>(now_ms / 60000) & 0xFFFF; }

// How long ago the last access was.
inline int64_t LruIdleMs(uint32_t access, int64_t now_ms) {
  return static_cast<int64_t>((LruClock(now_ms) - access) & kAccessMask) * 1000;
}

// The counter as it is now, decremented once for every lfu_decay_minutes that passed.
inline uint32_t LfuCounter(uint32_t access, int64_t now_ms, const AccessPolicy& policy) {
  const uint32_t counter = access & 0xFF;
  if (policy.lfu_decay_minutes <= 0) return counter;
  const uint32_t passed = (LfuMinutes(now_ms) - (access >> 8)) & 0xFFFF;
  return counter - std::min(counter, passed / static_cast<uint32_t>(policy.lfu_decay_minutes));
}

// The field of a new key.
inline uint32_t InitialAccess(int64_t now_ms, const AccessPolicy& policy) {
  return policy.lfu ? LfuMinutes(now_ms) << 8 | kLfuInitialCounter : LruClock(now_ms);
}

// The field after one more access.
inline uint32_t AccessedNow(uint32_t access, int64_t now_ms, const AccessPolicy& policy, Random& random) {
  if (!policy.lfu) return LruClock(now_ms);
  uint32_t counter = LfuCounter(access, now_ms, policy);
  if (counter < 255) {
    const double base = counter > kLfuInitialCounter ? counter - kLfuInitialCounter : 0;
    if (random.UnitDouble() < 1.0 / (base * policy.lfu_log_factor + 1)) counter++;
  }
  return LfuMinutes(now_ms) << 8 | counter;
}

}  // namespace cairn
