#include "engine/values/listpack_search.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace cairn {
namespace {

constexpr size_t kWorthwhileBytes = 256;  // shorter ones are walked faster

#if defined(__x86_64__)

// Calls matches(offset) for each place in [0, places) where the two bytes at `probe` are the pattern's, until it says true. The bytes
// behind the last place are there: `probe` + 1 of them.
template <typename Matches>
bool ScanScalar(const char* bytes, size_t from, size_t places, size_t probe, const char* pattern, Matches matches) {
  for (size_t at = from; at < places; at++) {
    if (bytes[at + probe] == pattern[probe] && bytes[at + probe + 1] == pattern[probe + 1] && matches(at)) return true;
  }
  return false;
}

template <typename Matches>
__attribute__((target("avx2"))) bool ScanAvx2(const char* bytes, size_t places, size_t probe, const char* pattern,
                                              Matches matches) {
  const __m256i first = _mm256_set1_epi8(pattern[probe]);
  const __m256i second = _mm256_set1_epi8(pattern[probe + 1]);
  size_t at = 0;
  for (; at + 32 <= places; at += 32) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + at + probe));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + at + probe + 1));
    const __m256i both = _mm256_and_si256(_mm256_cmpeq_epi8(a, first), _mm256_cmpeq_epi8(b, second));
    for (auto mask = static_cast<uint32_t>(_mm256_movemask_epi8(both)); mask != 0; mask &= mask - 1) {
      if (matches(at + static_cast<size_t>(std::countr_zero(mask)))) return true;
    }
  }
  return ScanScalar(bytes, at, places, probe, pattern, matches);
}

template <typename Matches>
bool ScanSse2(const char* bytes, size_t places, size_t probe, const char* pattern, Matches matches) {
  const __m128i first = _mm_set1_epi8(pattern[probe]);
  const __m128i second = _mm_set1_epi8(pattern[probe + 1]);
  size_t at = 0;
  for (; at + 16 <= places; at += 16) {
    const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at + probe));
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at + probe + 1));
    const __m128i both = _mm_and_si128(_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, second));
    for (auto mask = static_cast<uint32_t>(_mm_movemask_epi8(both)); mask != 0; mask &= mask - 1) {
      if (matches(at + static_cast<size_t>(std::countr_zero(mask)))) return true;
    }
  }
  return ScanScalar(bytes, at, places, probe, pattern, matches);
}

bool Contains(std::string_view bytes, std::string_view pattern, size_t probe) {
  if (bytes.size() < pattern.size()) return false;
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  const size_t places = bytes.size() - pattern.size() + 1;
  const auto matches = [&](size_t at) { return std::memcmp(bytes.data() + at, pattern.data(), pattern.size()) == 0; };
  return has_avx2 ? ScanAvx2(bytes.data(), places, probe, pattern.data(), matches)
                  : ScanSse2(bytes.data(), places, probe, pattern.data(), matches);
}

#else

bool Contains(std::string_view, std::string_view, size_t) { return true; }  // nothing is gained without such instructions

#endif

}  // namespace

ListpackSearch::ListpackSearch(const ListpackItem& item) : item_(item) {
  const size_t encoded = item.encoded_bytes();
  size_ = std::min(encoded, kPatternMaxBytes);
  if (encoded <= kPatternMaxBytes) {
    item.Write(pattern_);
    // Before the length behind the element.
    probe_ = size_ >= 3 ? size_ - 3 : 0;
    return;
  }
  // A long element has its beginning looked for: more of its text than its head, which is five bytes at most.
  size_ = kPatternMaxBytes - 5;
  std::memcpy(pattern_, item.text().data(), size_);
  probe_ = size_ - 2;
}

bool ListpackSearch::MayFind(const ListpackView& view, ListpackView::Position from) const {
  const std::string_view bytes = view.bytes().substr(from, view.end() - from);
  return bytes.size() < kWorthwhileBytes || Contains(bytes, {pattern_, size_}, probe_);
}

bool HasShortestEncodings(const ListpackView& view) {
  for (ListpackView::Position at = view.begin(); at != view.end();) {
    const ListpackView::Position from = at;
    const ListpackValue value = view.Read(&at);
    const ListpackItem item = value.is_int() ? ListpackItem(value.number) : ListpackItem(value.bytes);
    if (item.encoded_bytes() != at - from || item.is_int() != value.is_int()) return false;
  }
  return true;
}

}  // namespace cairn
