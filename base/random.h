// Random numbers: a small fast generator with a seed, and identifiers that nobody can guess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cairn {

// xoshiro256**. The same seed gives the same sequence on every machine. Not for secrets. One thread at a time.
class Random {
 public:
  explicit Random(uint64_t seed);

  uint64_t Next() {
    const uint64_t result = Rotate(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = Rotate(state_[3], 45);
    return result;
  }
  // In [0, n), without bias that matters (less than n / 2^64). n > 0.
  uint64_t Uniform(uint64_t n) { return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * n) >> 64); }
  // In [low, high], both included.
  int64_t Between(int64_t low, int64_t high) {
    const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
    return static_cast<int64_t>(static_cast<uint64_t>(low) + (span == 0 ? Next() : Uniform(span)));
  }
  // True once in n calls on average.
  bool OneIn(uint64_t n) { return Uniform(n) == 0; }
  // In [0, 1).
  double UnitDouble() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  // `size` random bytes.
  std::string Bytes(size_t size);

 private:
  static uint64_t Rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  uint64_t state_[4];
};

// From the operating system. Aborts where the system has no randomness to give, because identifiers that repeat would corrupt.
uint64_t SecureRandom64();
// `n_chars` lower-case hexadecimal digits from the operating system: run ids, replication ids.
std::string SecureRandomHex(size_t n_chars);
// The calling thread's own generator, seeded from the operating system.
Random& ThreadRandom();

}  // namespace cairn
