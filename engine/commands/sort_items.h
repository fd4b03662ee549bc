// Elements with what they are sorted by: gathered one after another, put in order as far as somebody will look.
//
// The elements are views of a value that stays as it is meanwhile. Where only the first few in order are wanted no more than those are
// kept. Elements with equal numbers are ordered by their bytes; those with equal weights, or without any, stay as they were added.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/commands/sort_request.h"
#include "engine/values/listpack.h"

namespace cairn {

struct SortItem {
  double score = 0;  // sorted by number
  ListpackValue element;
  std::string_view weight;  // BY with ALPHA: no data for an element without one, which comes first
  uint64_t position = 0;    // SortItems': how many were added before
};

// A number as SORT reads it: what strtod reads to the text's end. False for anything else, NaN and overflow included.
bool ReadSortScore(const ListpackValue& text, double* score);

class SortItems {
 public:
  // Of `count` elements, those that `order` wants; `weighted`: by their weights. Unsorted ones are added as they are wanted.
  SortItems(const SortOrder& order, bool weighted, uint64_t count);

  void Add(SortItem item);
  // The wanted elements in order; once, after the last Add.
  std::span<const SortItem> Finish();

 private:
  bool Before(const SortItem& a, const SortItem& b) const;
  int Compare(const SortItem& a, const SortItem& b) const;

  const SortOrder order_;
  const bool weighted_;
  uint64_t first_ = 0, end_ = 0;
  uint64_t added_ = 0;
  bool heap_;  // only the first end_ elements in order are kept, the last of them on top
  std::vector<SortItem> items_;
};

}  // namespace cairn
