// Reading a list, packed or large, from any index in either direction: what LRANGE, LPOS, LINSERT, SORT and the codec read with.
// A cursor and the views it gives live as long as the list stays as it is. Not synchronised. Failure: none.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/values/list_value.h"
#include "engine/values/listpack.h"

namespace cairn {

// An element as it is read, with its buffer where it has one of its own.
struct ListElement {
  ListpackValue value;
  const SharedBytes* owner = nullptr;
};

class ListCursor {
 public:
  // At the first element. `listpack` is valid.
  explicit ListCursor(std::string_view listpack);
  explicit ListCursor(const ListValue& list);
  ListCursor(const ListCursor&) = default;
  ListCursor& operator=(const ListCursor&) = default;

  uint64_t element_count() const { return count_; }
  // To the element with this index; false, and not valid, where there is none.
  bool Seek(uint64_t index);
  bool valid() const { return at_ != end_; }
  // The rest but Seek: only while valid.
  uint64_t index() const;
  ListElement Get() const {
    uint32_t at = at_;
    return Decode(&at);
  }
  // The element, and on to the next one or the one before; not valid beyond the last (first).
  ListElement ReadForward() {
    const ListElement element = Decode(&at_);
    if (at_ == end_) [[unlikely]]
      NextLeaf();
    return element;
  }
  ListElement ReadBackward() {
    const ListElement element = Get();
    if (at_ == begin_) {
      PrevLeaf();
    } else {
      at_ = ListpackView(leaf_).Prev(at_);
    }
    return element;
  }
  // From here on, to the first element that equals `item` and has an index below `end`, or, backward, at least `end`; false, and not
  // valid, where there is none.
  bool FindForward(const ListpackItem& item, uint64_t end = UINT64_MAX);
  bool FindBackward(const ListpackItem& item, uint64_t end = 0);

 private:
  ListElement Decode(uint32_t* at) const {
    if (large_ == nullptr) [[likely]]
      return {ListpackView(leaf_).Read(at), nullptr};
    *at = end_;
    return {ListpackValue{large_->view(), 0}, large_};
  }
  void NextLeaf();
  void PrevLeaf();
  // Takes the leaf of path_ up, at its first element.
  void EnterLeaf();
  void Invalidate() { at_ = end_; }

  const ListValue* list_ = nullptr;  // null: packed
  ListTree::Path path_;
  const SharedBytes* large_ = nullptr;  // the leaf is this one element, at 0 of [0, 1)
  std::string_view leaf_;
  uint32_t at_ = 0;
  uint32_t begin_ = 0;
  uint32_t end_ = 0;
  uint64_t leaf_first_ = 0;  // index of the leaf's first element
  uint64_t count_ = 0;
};

}  // namespace cairn
