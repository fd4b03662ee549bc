// A large list: a counted tree of packed leaves of up to 4 KiB (list_leaf.h). Whatever the place, a change costs the way to its leaf and
// some hundred nanoseconds in it. Sharing, threads, memory: large_value.h.
//
// An index counts from 0 at the front; the caller has checked that it exists.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/values/large_value.h"
#include "engine/values/list_leaf.h"

namespace cairn {

// A list whose listpack takes no more than this lies in its entry. A push there moves up to all of it, so this stays far below the 8 KiB
// that list-max-listpack-size would allow by default.
inline constexpr size_t kPackedListMaxBytes = 1024;

class ListValue final : public LargeValue {
 public:
  ListValue() = default;
  // A list of the elements of a valid listpack.
  static std::unique_ptr<ListValue> FromPacked(std::string_view listpack);

  std::unique_ptr<LargeValue> Share() const override { return ShareList(); }
  std::unique_ptr<ListValue> ShareList() const;
  bool SameAs(const LargeValue& other) const override { return tree_.SameAs(static_cast<const ListValue&>(other).tree_); }
  uint64_t element_count() const override { return tree_.count(); }
  uint64_t memory_bytes() const override;
  bool FreeStep(size_t max_nodes) override { return tree_.FreeStep(max_nodes); }

  void Push(ListEnd end, const ListItem& item);
  void Insert(uint64_t index, const ListItem& item);  // before the element there, or at the end
  void Set(uint64_t index, const ListItem& item);
  // May leave the list empty.
  void Remove(uint64_t first, uint64_t count);
  void Pop(ListEnd end) { Remove(end == ListEnd::kFront ? 0 : element_count() - 1, 1); }
  // Removes up to `limit` elements that equal `item`, the first ones from `start` towards the back, or, where `from` is the back, from
  // there towards the front; returns how many.
  uint64_t RemoveEqual(const ListpackItem& item, uint64_t limit, ListEnd from, uint64_t start);
  // A list of these elements only (count > 0), which shares the leaves with this one. O(count / leaf).
  std::unique_ptr<ListValue> Slice(uint64_t first, uint64_t count) const;

  // Appends the elements of a valid listpack of shortest encodings (listpack_search.h), filling leaves, or one element.
  void AppendPacked(std::string_view listpack);
  void Append(const SharedBytes& element);

  const ListTree& tree() const { return tree_; }

 private:
  // What a new leaf at an end is allocated: small lists stay small, and long ones make few copies.
  size_t EndLeafBytes() const { return tree_.memory_bytes() / 8; }
  void RemoveAt(ListTree::Path* path, uint64_t within, uint64_t count);
  void SplitFor(ListTree::Path* path, uint32_t at, const ListpackItem& item);
  // After the path's leaf has been changed.
  void CommitSmaller(ListTree::Path* path, ListLeaf* leaf);

  ListTree tree_;
};

}  // namespace cairn
