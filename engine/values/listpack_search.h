// Looking for one element in many listpacks: whether it can be in one at all is seen by comparing 16 or 32 bytes at a time, without
// walking from element to element. A list of millions is searched at the speed of memory.
//
// Only for listpacks of shortest encodings, which all that this program writes are. One object may be used by any thread. Failure: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/values/listpack.h"

namespace cairn {

class ListpackSearch {
 public:
  // Refers to what the item refers to.
  explicit ListpackSearch(const ListpackItem& item);

  const ListpackItem& item() const { return item_; }
  // False where no element from position `from` on equals the item; true where one may.
  bool MayFind(const ListpackView& view, ListpackView::Position from) const;
  // The first that does, as ListpackView::Find.
  ListpackView::Position Find(const ListpackView& view, ListpackView::Position from) const {
    return MayFind(view, from) ? view.Find(from, item_) : view.end();
  }

 private:
  static constexpr size_t kPatternMaxBytes = 48;

  const ListpackItem item_;
  size_t size_ = 0;   // of the pattern: the encoded element, or its beginning
  size_t probe_ = 0;  // two neighbouring bytes of it are compared first: the last of a text, where similar elements differ
  char pattern_[kPatternMaxBytes];
};

// Whether every element is encoded as ListpackItem encodes it. Of a valid listpack.
bool HasShortestEncodings(const ListpackView& view);

}  // namespace cairn
