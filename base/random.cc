#include "base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "base/status.h"

namespace cairn {
namespace {

void FillFromSystem(void* to, size_t size) {
  char* at = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t got = getrandom(at, size, 0);
    if (got < 0 && errno == EINTR) continue;
    CAIRN_CHECK(got > 0);
    at += got;
    size -= static_cast<size_t>(got);
  }
}

}  // namespace

Random::Random(uint64_t seed) {
  // splitmix64 spreads a small seed over the whole state, which must not be all zeros.
  for (uint64_t& word : state_) {
    seed += 0x9E3779B97F4A7C15;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    word = z ^ (z >> 31);
  }
}

std::string Random::Bytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; i += 8) {
    const uint64_t word = Next();
    std::memcpy(bytes.data() + i, &word, size - i < 8 ? size - i : 8);
  }
  return bytes;
}

uint64_t SecureRandom64() {
  uint64_t value;
  FillFromSystem(&value, sizeof(value));
  return value;
}

std::string SecureRandomHex(size_t n_chars) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(n_chars, '\0');
  FillFromSystem(text.data(), n_chars);
  for (char& c : text) c = kDigits[c & 15];
  return text;
}

Random& ThreadRandom() {
  thread_local Random random(SecureRandom64());
  return random;
}

}  // namespace cairn
