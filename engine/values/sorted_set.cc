#include "engine/values/sorted_set.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <vector>

#include "base/allocator.h"
#include "base/random.h"
#include "base/status.h"

namespace cairn {
namespace {

constexpr size_t kSparseLeafBytes = kScoreLeafMaxBytes * 3 / 8;
constexpr uint32_t kSparseIndexItems = 40;

struct OrderProbe {
  const SortedSetBound& bound;
  int Order(const SortedSet::OrderTraits::Key& key) const {
    if (key.score != bound.score) return key.score < bound.score ? -1 : 1;
    return bound.has_member ? 0 : bound.after ? -1 : 1;
  }
  bool NotAfter(const ScoreLeaf& leaf) const { return bound.IsBehind(leaf.score(0), leaf.member(0)); }
};

// Stops in front of the first of equal hashes.
struct IndexProbe {
  uint32_t hash;
  int Order(const SortedSet::IndexTraits::Key& key) const { return key.hash < hash ? -1 : 1; }
};

}  // namespace

// Seeded for each process, so that nobody outside can choose members whose hashes are equal.
uint32_t SortedSet::Hash(std::string_view member) {
  static const uint64_t seed = SecureRandom64();
  return static_cast<uint32_t>(XXH3_64bits_withSeed(member.data(), member.size(), seed));
}

std::unique_ptr<LargeValue> SortedSet::Share() const {
  auto shared = std::make_unique<SortedSet>();
  shared->order_ = order_.Share();
  shared->index_ = index_.Share();
  return shared;
}

uint64_t SortedSet::memory_bytes() const { return AllocationSizeOf<SortedSet>() + order_.memory_bytes() + index_.memory_bytes(); }

bool SortedSet::FreeStep(size_t max_nodes) {
  if (order_.FreeStep(max_nodes)) return true;
  return index_.FreeStep(max_nodes);
}

// --- reading -------------------------------------------------------------------------------------------------------------------

bool SortedSet::SeekIndex(uint32_t hash, Index::Path* path, uint32_t* at) const {
  *at = 0;
  if (!index_.Seek(IndexProbe{hash}, path)) return false;
  *at = path->leaf()->LowerBound(hash);
  if (*at < path->leaf()->count()) return true;
  Index::Path next = *path;
  if (!Index::Next(&next)) return false;
  *path = next;
  *at = 0;
  return true;
}

bool SortedSet::Find(std::string_view member, Place* place) const {
  place->hash_ = Hash(member);
  place->found_ = false;
  bool more = SeekIndex(place->hash_, &place->index_, &place->index_at_);
  while (more && place->index_.leaf()->hash(place->index_at_) == place->hash_) {
    const SortedSetBound bound{place->index_.leaf()->score(place->index_at_), true, true, member};
    order_.Seek(OrderProbe{bound}, &place->order_);
    const ScoreLeaf& leaf = *place->order_.leaf();
    const uint32_t end = leaf.LowerBound(bound);
    if (end > 0 && leaf.score(end - 1) == bound.score && leaf.member(end - 1) == member) {
      place->order_at_ = end - 1;
      place->score_ = leaf.score(end - 1);
      return place->found_ = true;
    }
    if (++place->index_at_ == place->index_.leaf()->count()) {
      Index::Path next = place->index_;
      more = Index::Next(&next);
      if (more) {
        place->index_ = next;
        place->index_at_ = 0;
      }
    }
  }
  return false;
}

uint64_t SortedSet::CountBefore(const SortedSetBound& bound) const {
  Order::Path path;
  if (!order_.Seek(OrderProbe{bound}, &path)) return 0;
  return Order::ElementsBefore(path) + path.leaf()->LowerBound(bound);
}

SortedSet::Cursor SortedSet::At(uint64_t rank) const {
  Cursor cursor;
  uint64_t within = 0;
  order_.SeekRank(rank, &cursor.path_, &within);
  cursor.at_ = static_cast<uint32_t>(within);
  return cursor;
}

// --- changing ------------------------------------------------------------------------------------------------------------------

void SortedSet::SplitAndInsert(Order::Path* path, uint32_t at, const ScoreLeaf::Element& element) {
  ScoreLeaf* leaf = order_.Own(path);
  const bool is_long = element.member.size() > kScoreLeafMaxBytes / 2;
  const bool alone = is_long || leaf->count() == 1;
  // At the ends of the set elements come one after another: the full leaf stays, the next one begins. A long element has its own
  // leaf.
  if (at == leaf->count() && (alone || Order::IsLast(*path))) {
    order_.InsertAfter(path, ScoreLeaf::Make(element));
    return;
  }
  if (at == 0 && (alone || Order::IsFirst(*path))) {
    order_.InsertBefore(path, ScoreLeaf::Make(element));
    return;
  }
  const uint32_t keep = is_long ? at : leaf->Middle();
  ScoreLeaf* second = ScoreLeaf::Copy(*leaf, keep, leaf->count() - keep);
  ScoreLeaf*& side = at <= keep ? leaf : second;
  leaf = ScoreLeaf::Erase(leaf, keep, leaf->count() - keep);
  if (!is_long && side->HasRoomFor(element)) {
    side = ScoreLeaf::Insert(side, at <= keep ? at : at - keep, element);
    order_.Commit(path, leaf);
    order_.InsertAfter(path, second);
    return;
  }
  // The leaf's end is its place now, or its half is divided once more.
  order_.Commit(path, leaf);
  order_.InsertAfter(path, second);
  InsertOrdered(element.member, element.score);
}

void SortedSet::InsertOrdered(std::string_view member, double score) {
  const SortedSetBound bound{score, true, true, member};
  const ScoreLeaf::Element element{score, member};
  Order::Path path;
  if (!order_.Seek(OrderProbe{bound}, &path)) {
    order_.InsertAfter(&path, ScoreLeaf::Make(element));
    return;
  }
  const uint32_t at = path.leaf()->LowerBound(bound);
  if (!path.leaf()->HasRoomFor(element)) return SplitAndInsert(&path, at, element);
  order_.Commit(&path, ScoreLeaf::Insert(order_.Own(&path), at, element));
}

void SortedSet::EraseOrdered(Order::Path* path, uint32_t at) {
  if (path->leaf()->count() == 1) return order_.Remove(path);
  order_.Commit(path, ScoreLeaf::Erase(order_.Own(path), at, 1));
  if (path->leaf()->used_bytes() < kSparseLeafBytes) order_.Join(path);
}

void SortedSet::InsertIndexed(Index::Path* path, uint32_t at, uint32_t hash, double score) {
  if (index_.empty()) return index_.InsertAfter(path, ScoreIndexLeaf::Make(hash, score));
  ScoreIndexLeaf* leaf = index_.Own(path);
  ScoreIndexLeaf* second = nullptr;
  if (!leaf->HasRoomFor(score)) {
    const uint32_t keep = leaf->count() / 2;
    second = ScoreIndexLeaf::Copy(*leaf, keep, leaf->count() - keep);
    leaf = ScoreIndexLeaf::Erase(leaf, keep, leaf->count() - keep);
    if (at > keep) {
      second = ScoreIndexLeaf::Insert(second, at - keep, hash, score);
    } else {
      leaf = ScoreIndexLeaf::Insert(leaf, at, hash, score);
    }
  } else {
    leaf = ScoreIndexLeaf::Insert(leaf, at, hash, score);
  }
  index_.Commit(path, leaf);
  if (second != nullptr) index_.InsertAfter(path, second);
}

void SortedSet::EraseIndexed(Index::Path* path, uint32_t at) {
  if (path->leaf()->count() == 1) return index_.Remove(path);
  index_.Commit(path, ScoreIndexLeaf::Erase(index_.Own(path), at, 1));
  if (path->leaf()->count() < kSparseIndexItems) index_.Join(path);
}

void SortedSet::EraseIndexed(uint32_t hash, double score) {
  Index::Path path;
  uint32_t at = 0;
  bool more = SeekIndex(hash, &path, &at);
  while (more && path.leaf()->hash(at) == hash) {
    if (path.leaf()->score(at) == score) return EraseIndexed(&path, at);
    if (++at < path.leaf()->count()) continue;
    more = Index::Next(&path);
    at = 0;
  }
  CAIRN_CHECK(!"a member without its record");
}

void SortedSet::Insert(Place* place, std::string_view member, double score) {
  InsertOrdered(member, score);
  InsertIndexed(&place->index_, place->index_at_, place->hash_, score);
}

void SortedSet::SetScore(Place* place, std::string_view member, double score) {
  index_.Commit(&place->index_, ScoreIndexLeaf::SetScore(index_.Own(&place->index_), place->index_at_, score));
  // Small steps leave most members where they are between their neighbours.
  const ScoreLeaf& leaf = *place->order_.leaf();
  const uint32_t at = place->order_at_;
  const SortedSetBound bound{score, false, true, member};
  const bool behind = at > 0 ? bound.IsBehind(leaf.score(at - 1), leaf.member(at - 1)) : score >= place->score_;
  const bool before = at + 1 < leaf.count() ? !bound.IsBehind(leaf.score(at + 1), leaf.member(at + 1)) : score <= place->score_;
  if (behind && before) {
    ScoreLeaf* owned = order_.Own(&place->order_);
    const bool set = owned->SetScore(at, score);
    order_.Commit(&place->order_, owned);
    if (set) return;
  }
  EraseOrdered(&place->order_, at);
  InsertOrdered(member, score);
}

void SortedSet::Erase(Place* place) {
  EraseIndexed(&place->index_, place->index_at_);
  EraseOrdered(&place->order_, place->order_at_);
}

void SortedSet::RemoveRange(uint64_t first_rank, uint64_t count) {
  order_.RemoveRange(first_rank, count, [this](const ScoreLeaf& leaf, uint64_t from, uint64_t n) {
    for (uint64_t i = from; i < from + n; i++) {
      const auto at = static_cast<uint32_t>(i);
      EraseIndexed(Hash(leaf.member(at)), leaf.score(at));
    }
  });
}

bool SortedSet::Add(std::string_view member, double score) {
  Place place;
  if (Find(member, &place)) return false;
  Insert(&place, member, score);
  return true;
}

// --- scanning ------------------------------------------------------------------------------------------------------------------

// Members of a hash are found by their scores, and where many have the same score all of those must be looked at: a step then
// takes so many hashes that it returns a fair part of what it looks at.
SortedSet::ScanStep SortedSet::PlanScan(uint64_t cursor, uint64_t count, std::unique_ptr<double[]>* scores,
                                        size_t* score_count) const {
  constexpr uint64_t kLooksPerMember = 64;
  std::vector<double> seen;
  ScanStep step{};
  uint64_t wanted = std::max<uint64_t>(count, 1);
  for (int round = 0; round < 2; round++) {
    Index::Path path;
    uint32_t at = 0;
    seen.clear();
    step.first_hash = static_cast<uint32_t>(std::min<uint64_t>(cursor, UINT32_MAX));
    step.done = cursor > UINT32_MAX || !SeekIndex(step.first_hash, &path, &at);
    step.end_hash = uint64_t{UINT32_MAX} + 1;
    for (uint64_t n = 0; !step.done; n++) {
      const uint32_t hash = path.leaf()->hash(at);
      if (n >= wanted && hash != step.end_hash - 1) break;
      step.end_hash = uint64_t{hash} + 1;
      seen.push_back(path.leaf()->score(at));
      if (++at < path.leaf()->count()) continue;
      at = 0;
      step.done = !Index::Next(&path);
    }
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    uint64_t looks = 0;
    for (const double score : seen) {
      looks += CountBefore({score, true, false, {}}) - CountBefore({score, false, false, {}});
    }
    if (round == 1 || looks / kLooksPerMember <= wanted) break;
    wanted = looks / kLooksPerMember;
  }
  *score_count = seen.size();
  *scores = std::make_unique<double[]>(seen.size());
  std::copy(seen.begin(), seen.end(), scores->get());
  return step;
}

}  // namespace cairn
