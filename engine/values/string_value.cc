#include "engine/values/string_value.h"

#include <algorithm>

#include "base/numbers.h"

namespace cairn {

StringView::StringView(const Entry* entry) : entry_(entry) {}

uint64_t StringView::size() const {
  if (entry_ == nullptr) return 0;
  switch (entry_->encoding()) {
    case Encoding::kInt: return IntTextSize(entry_->int_value());
    case Encoding::kRope: return entry_->rope().size();
    default: break;
  }
  return entry_->inline_value().size();
}

std::string_view StringView::Flatten(std::string* scratch) const {
  if (entry_ == nullptr) return {};
  switch (entry_->encoding()) {
    case Encoding::kInt:
      scratch->clear();
      AppendInt(*scratch, entry_->int_value());
      return *scratch;
    case Encoding::kRope: return Range(0, entry_->rope().size(), scratch);
    default: break;
  }
  return entry_->inline_value();
}

std::string_view StringView::Range(uint64_t offset, uint64_t size_bytes, std::string* scratch) const {
  const uint64_t size = this->size();
  if (offset >= size || size_bytes == 0) return {};
  size_bytes = std::min(size_bytes, size - offset);
  if (entry_->encoding() != Encoding::kRope) return Flatten(scratch).substr(offset, size_bytes);
  const Rope& rope = entry_->rope();
  if (const std::string_view whole = rope.Contiguous(offset, size_bytes); whole.data() != nullptr) return whole;
  scratch->clear();
  scratch->reserve(size_bytes);
  rope.CopyTo(offset, size_bytes, scratch);
  return *scratch;
}

uint8_t StringView::ByteAt(uint64_t offset) const {
  if (offset >= size()) return 0;
  switch (entry_->encoding()) {
    case Encoding::kInt: {
      char text[kIntTextMaxBytes];
      WriteInt(text, entry_->int_value());
      return static_cast<uint8_t>(text[offset]);
    }
    case Encoding::kRope: return entry_->rope().ByteAt(offset);
    default: break;
  }
  return static_cast<uint8_t>(entry_->inline_value()[offset]);
}

std::optional<int64_t> StringView::AsInt() const {
  if (entry_ == nullptr || entry_->encoding() == Encoding::kRope) return std::nullopt;
  if (entry_->encoding() == Encoding::kInt) return entry_->int_value();
  int64_t value;
  if (!ParseInt64(entry_->inline_value(), &value)) return std::nullopt;
  return value;
}

const Rope* StringView::rope() const {
  return entry_ != nullptr && entry_->encoding() == Encoding::kRope ? &entry_->rope() : nullptr;
}

}  // namespace cairn
