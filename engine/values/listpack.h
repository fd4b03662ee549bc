// Packed sequences of elements, byte for byte Redis's listpack: what small collections are in their entry, what the nodes of large
// lists and streams are, and what the RDB encoding of either holds. An element is a byte string; texts of integers (as ParseInt64
// accepts them, so that printing gives the same text) are kept in binary.
//
//   total bytes 4 | count 2 (65,535: unknown) | element* | 0xFF
//   element: encoding and value | length of that, 1-5 bytes, to be read backwards
//
//   0xxxxxxx            0..127                        1110LLLL L bytes        string under 4,096
//   10LLLLLL bytes      string under 64               11110000 L4 bytes       longer string, little-endian length
//   110xxxxx x          13-bit signed, high bits first 11110001 ... 11110100   16, 24, 32, 64-bit signed, little-endian
//
// A position is an offset into the bytes: that of an element's first byte, or end(), where an element would be appended. It survives
// that the bytes move, and changes behind it; not changes in front of it.
// All functions but ValidateListpack trust the bytes: whatever comes from outside is validated once, when it is decoded.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/numbers.h"
#include "base/status.h"

namespace cairn {

inline constexpr uint32_t kListpackHeaderBytes = 6;
inline constexpr uint32_t kListpackEmptyBytes = 7;
inline constexpr uint16_t kListpackCountUnknown = 65535;
inline constexpr std::string_view kEmptyListpack{"\x07\0\0\0\0\0\xFF", kListpackEmptyBytes};

// An element as it is read: a view into the listpack, or a number.
struct ListpackValue {
  std::string_view bytes;  // data() is nullptr for a number
  int64_t number = 0;

  bool is_int() const { return bytes.data() == nullptr; }
  size_t text_size() const { return is_int() ? IntTextSize(number) : bytes.size(); }
  // As bytes; a number is printed into `buffer`, which the view may refer to.
  std::string_view Text(char (&buffer)[kIntTextMaxBytes]) const {
    if (!is_int()) return bytes;
    return {buffer, static_cast<size_t>(WriteInt(buffer, number) - buffer)};
  }
  void AppendTo(std::string* out) const {
    if (is_int()) return AppendInt(*out, number);
    out->append(bytes);
  }
};

// An element to be stored or looked for, its text parsed once. Refers to the text it was made from.
class ListpackItem {
 public:
  explicit ListpackItem(std::string_view text) : text_(text), is_int_(LooksLikeInt(text) && ParseInt64(text, &number_)) {}
  explicit ListpackItem(int64_t number) : number_(number), is_int_(true) {}
  // The same element again, as another listpack has it: nothing is parsed.
  explicit ListpackItem(const ListpackValue& value) : text_(value.bytes), number_(value.number), is_int_(value.is_int()) {}

  bool is_int() const { return is_int_; }
  int64_t number() const { return number_; }       // only where is_int()
  std::string_view text() const { return text_; }  // only where it was made from text
  // What the element takes in a listpack, its length behind it included.
  size_t encoded_bytes() const;
  // Writes these bytes; returns their end.
  char* Write(char* to) const;
  bool Equals(const ListpackValue& value) const {
    if (value.is_int()) return is_int_ && number_ == value.number;
    return EqualsString(value.bytes);
  }

  // The same for an element that is kept as a string. Another writer may have kept the text of a number so.
  bool EqualsString(std::string_view bytes) const { return bytes == text_ && (!is_int_ || !text_.empty()); }

 private:
  static bool LooksLikeInt(std::string_view text) {
    return !text.empty() && text.size() <= kIntTextMaxBytes && (text[0] <= '9' && (text[0] >= '0' || text[0] == '-'));
  }

  std::string_view text_;
  int64_t number_ = 0;
  bool is_int_;
};

class ListpackView {
 public:
  using Position = uint32_t;

  // A whole valid listpack, which must outlive the view unchanged.
  explicit ListpackView(std::string_view bytes) : bytes_(bytes) {}

  std::string_view bytes() const { return bytes_; }
  bool empty() const { return bytes_.size() == kListpackEmptyBytes; }
  // Number of elements: O(1) below 65,535, otherwise a walk.
  uint32_t count() const;

  Position begin() const { return kListpackHeaderBytes; }
  Position end() const { return static_cast<Position>(bytes_.size() - 1); }
  // Of the element behind or before; `at` is not end(), or not begin().
  Position Next(Position at) const;
  Position Prev(Position at) const;
  // Skips `n` elements, which must be there.
  Position Skip(Position at, uint32_t n) const;
  // The element with this index, from 0, or from the end with -1 for the last; end() where there is none. Walks from the nearer end.
  Position Seek(int64_t index) const;

  // The element at a position that is not end(); Read also moves on to the next one.
  ListpackValue Get(Position at) const { return Read(&at); }
  ListpackValue Read(Position* at) const;
  // The first element from `from` on that equals `item`, of every (skip + 1)-th beginning with `from`; end() where there is none.
  // skip = 1 looks only at a hash's fields. The element count from `from` on is a multiple of skip + 1.
  Position Find(Position from, const ListpackItem& item, uint32_t skip = 0) const;

 private:
  const uint8_t* At(Position at) const { return reinterpret_cast<const uint8_t*>(bytes_.data()) + at; }
  std::string_view bytes_;
};

// Whether untrusted bytes are a listpack as this header describes it: every element inside the bytes, lengths as they are written,
// the count right or unknown. *count becomes the number of elements.
bool ValidateListpack(std::string_view bytes, uint32_t* count);

// The header's bytes for a listpack of `total_bytes` and `count` elements (65,535 and more: unknown).
void WriteListpackHeader(char* to, size_t total_bytes, uint64_t count);
inline uint16_t ListpackHeaderCount(std::string_view bytes) { return LoadLittleEndian<uint16_t>(bytes.data() + 4); }

// Encodes elements one after another: to make a new listpack, or to be put into one. Up to about 500 bytes nothing is allocated.
class ListpackBuilder {
 public:
  ListpackBuilder() = default;
  explicit ListpackBuilder(size_t elements_bytes) { Reserve(elements_bytes); }
  ListpackBuilder(const ListpackBuilder&) = delete;
  ListpackBuilder& operator=(const ListpackBuilder&) = delete;

  void Add(const ListpackItem& item) {
    Reserve(item.encoded_bytes());
    end_ = static_cast<size_t>(item.Write(data_ + end_) - data_);
    count_++;
  }
  void Add(std::string_view text) { Add(ListpackItem(text)); }
  void Add(int64_t number) { Add(ListpackItem(number)); }
  // Elements that are encoded already, `count` of them.
  void AddEncoded(std::string_view bytes, uint64_t count);
  void Clear() { end_ = kListpackHeaderBytes, count_ = 0; }

  uint64_t count() const { return count_; }
  // The elements' bytes alone. Views live until the next change of the builder.
  std::string_view elements() const { return {data_ + kListpackHeaderBytes, end_ - kListpackHeaderBytes}; }
  // What listpack() would take.
  size_t listpack_bytes() const { return end_ + 1; }
  // The elements as a whole listpack; further ones may be added afterwards. At most 4 GiB.
  std::string_view listpack();

 private:
  static constexpr size_t kInlineBytes = 504;
  void Reserve(size_t more_bytes) {
    if (capacity_ - end_ <= more_bytes) [[unlikely]]
      Grow(more_bytes);
  }
  void Grow(size_t more_bytes);

  char inline_[kInlineBytes];
  std::unique_ptr<char[]> heap_;
  char* data_ = inline_;
  size_t capacity_ = kInlineBytes;
  size_t end_ = kListpackHeaderBytes;
  uint64_t count_ = 0;
};

// --- changes ---------------------------------------------------------------------------------------------------------------------
// Whatever holds a listpack and lets a range of it be replaced: a packed entry under change (ValueEdit), a node of a tree, or a
// string (StringSplice). Splice may move the bytes; MutablePacked() gives the first of them as they lie then.
template <typename T>
concept SpliceTarget = requires(T& target, size_t offset, size_t remove_bytes, std::string_view insert) {
  target.Splice(offset, remove_bytes, insert);
  { target.MutablePacked() } -> std::convertible_to<char*>;
};

template <SpliceTarget T>
std::string_view PackedBytesOf(const T& target) {
  if constexpr (requires { target.packed(); }) {
    return target.packed();
  } else {
    return target.entry()->packed();
  }
}

// Replaces the `removed` elements in [begin, end) by `inserted` encoded ones; `elements` must not lie in the target. The caller has
// checked that the result may be so large.
template <SpliceTarget T>
void SpliceListpack(T& target, ListpackView::Position begin, ListpackView::Position end, uint64_t removed,
                    std::string_view elements, uint64_t inserted) {
  const std::string_view before = PackedBytesOf(target);
  const uint16_t count = ListpackHeaderCount(before);
  const size_t total_bytes = before.size() - (end - begin) + elements.size();
  target.Splice(begin, end - begin, elements);
  WriteListpackHeader(target.MutablePacked(), total_bytes, count == kListpackCountUnknown ? count : count - removed + inserted);
}

// The same for the common cases: before the element at `at` (or at end()), one element, `n` elements from `at` on.
template <SpliceTarget T>
void InsertIntoListpack(T& target, ListpackView::Position at, const ListpackBuilder& elements) {
  SpliceListpack(target, at, at, 0, elements.elements(), elements.count());
}
template <SpliceTarget T>
void AppendToListpack(T& target, const ListpackBuilder& elements) {
  InsertIntoListpack(target, ListpackView(PackedBytesOf(target)).end(), elements);
}
template <SpliceTarget T>
void ReplaceInListpack(T& target, ListpackView::Position at, const ListpackBuilder& elements) {
  SpliceListpack(target, at, ListpackView(PackedBytesOf(target)).Next(at), 1, elements.elements(), elements.count());
}
template <SpliceTarget T>
void RemoveFromListpack(T& target, ListpackView::Position at, uint32_t n = 1) {
  SpliceListpack(target, at, ListpackView(PackedBytesOf(target)).Skip(at, n), n, {}, 0);
}

// A listpack in a string.
class StringSplice {
 public:
  explicit StringSplice(std::string* bytes) : bytes_(bytes) {}
  std::string_view packed() const { return *bytes_; }
  void Splice(size_t offset, size_t remove_bytes, std::string_view insert) { bytes_->replace(offset, remove_bytes, insert); }
  char* MutablePacked() { return bytes_->data(); }

 private:
  std::string* bytes_;
};

}  // namespace cairn
