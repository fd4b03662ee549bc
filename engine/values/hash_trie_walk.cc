// Reading a HashTrie as a whole: scans, walks, random records.

#include <algorithm>

#include "base/random.h"
#include "base/status.h"
#include "engine/values/hash_inner.h"
#include "engine/values/hash_trie.h"

namespace cairn {

namespace {

// Cursors are the leading 48 bits of a hash: they stay exact as numbers in clients whose numbers are doubles.
constexpr uint32_t kCursorShift = 16;
constexpr uint64_t kCursorEnd = uint64_t{1} << (64 - kCursorShift);

// The hash at which the next leaf begins; 0 behind the last.
uint64_t NextPosition(uint64_t position, uint32_t depth) {
  if (depth == 0) return 0;
  const uint64_t span = uint64_t{1} << (64 - depth);
  return (position & ~(span - 1)) + span;
}

void PrefetchLeaf(const HashLeaf* leaf) {
  constexpr size_t kBytes = HashTrie::kLeafMaxBytes;
  for (size_t at = 0; at < kBytes; at += 64) __builtin_prefetch(reinterpret_cast<const char*>(leaf) + at);
}

}  // namespace

uint64_t HashTrie::Scan(uint64_t cursor, size_t count, std::vector<std::string_view>* out) const {
  if (root_.null() || cursor >= kCursorEnd) return 0;
  if (count == 0) count = 1;
  struct Found {
    uint64_t position;
    std::string_view payload;
  };
  std::vector<Found> found;
  size_t given = 0;
  uint64_t position = cursor << kCursorShift;
  do {
    const HashLeaf* leaf = LeafAt(position);
    const uint64_t next = NextPosition(position, leaf->depth());
    found.clear();
    for (uint32_t slot = 0; slot < leaf->count(); slot++) {
      const std::string_view payload = leaf->payload(slot);
      const uint64_t at = Hash(KeyOf(form_, payload)) >> kCursorShift;
      if (at >= cursor) found.push_back({at, payload});
    }
    const size_t wanted = count - std::min(given, count);
    if (found.size() > wanted) {
      // Up to a place between two positions; a leaf deeper than cursors tell apart is taken whole.
      std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.position < b.position; });
      size_t end = std::max<size_t>(wanted, 1);
      while (end < found.size() && found[end].position == found[end - 1].position) end++;
      for (size_t i = 0; i < end; i++) out->push_back(found[i].payload);
      if (end < found.size()) return found[end].position;
    } else {
      for (const Found& one : found) out->push_back(one.payload);
    }
    given += found.size();
    position = next;
  } while (position != 0 && (given < count || (position & ((uint64_t{1} << kCursorShift) - 1)) != 0));
  return position >> kCursorShift;
}

void HashTrie::Walk::NextLeaf() {
  leaf_ = trie_.LeafAt(position_);
  slot_ = 0;
  position_ = NextPosition(position_, leaf_->depth());
  done_ = position_ == 0;
  if (!done_) PrefetchLeaf(trie_.LeafAt(position_));
}

std::string_view HashTrie::PayloadAt(uint64_t index) const {
  CAIRN_CHECK(index < size_);
  uint64_t position = 0;
  while (true) {
    const HashLeaf* leaf = LeafAt(position);
    if (index < leaf->count()) return leaf->payload(static_cast<uint32_t>(index));
    index -= leaf->count();
    position = NextPosition(position, leaf->depth());
  }
}

std::string_view HashTrie::RandomPayload(Random& random) const {
  CAIRN_CHECK(size_ > 0);
  constexpr uint64_t kWalkMax = 512;
  // A leaf is met as often as its range of hashes is wide, and taken as often as its records are dense there, compared with a
  // density that practically none has. Few records may lie less evenly: among them one is counted out.
  constexpr double kDensest = 3;
  if (size_ <= kWalkMax) return PayloadAt(random.Uniform(size_));
  const double densest = kDensest * static_cast<double>(size_);
  while (true) {
    const HashLeaf* leaf = LeafAt(random.Next());
    if (leaf->count() == 0) continue;
    const double density = static_cast<double>(leaf->count()) * static_cast<double>(uint64_t{1} << std::min(leaf->depth(), 63u));
    if (random.UnitDouble() * densest < density) return leaf->payload(static_cast<uint32_t>(random.Uniform(leaf->count())));
  }
}

}  // namespace cairn
