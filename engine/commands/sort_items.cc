#include "engine/commands/sort_items.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <string>

namespace cairn {
namespace {

constexpr uint64_t kHeapShare = 8;  // a heap is worth its cost up to one in so many elements

int CompareTexts(const ListpackValue& a, const ListpackValue& b) {
  char buffer_a[kIntTextMaxBytes];
  char buffer_b[kIntTextMaxBytes];
  return a.Text(buffer_a).compare(b.Text(buffer_b));
}

}  // namespace

bool ReadSortScore(const ListpackValue& text, double* score) {
  int64_t number = text.number;
  if (text.is_int() || ParseInt64(text.bytes, &number)) {
    *score = static_cast<double>(number);
    return true;
  }
  // strtod wants a zero behind the text, and reads spaces in front of it and nothing at all as Redis lets it.
  constexpr size_t kShortBytes = 64;
  char buffer[kShortBytes];
  std::string copy;
  const char* start = buffer;
  if (text.bytes.size() < kShortBytes) {
    buffer[text.bytes.copy(buffer, kShortBytes - 1)] = '\0';
  } else {
    copy = text.bytes;
    start = copy.c_str();
  }
  char* end = nullptr;
  errno = 0;
  *score = std::strtod(start, &end);
  return *end == '\0' && errno != ERANGE && !std::isnan(*score);
}

SortItems::SortItems(const SortOrder& order, bool weighted, uint64_t count) : order_(order), weighted_(weighted) {
  order.Range(count, &first_, &end_);
  if (order.unsorted) {
    end_ -= first_;
    first_ = 0;
  }
  heap_ = !order.unsorted && end_ < count / kHeapShare;
  items_.reserve(heap_ || order.unsorted ? end_ : count);
}

int SortItems::Compare(const SortItem& a, const SortItem& b) const {
  if (!order_.alpha) {
    if (a.score != b.score) return a.score < b.score ? -1 : 1;
  } else if (weighted_) {
    const bool has_a = a.weight.data() != nullptr, has_b = b.weight.data() != nullptr;
    if (has_a != has_b) return has_a ? 1 : -1;
    if (const int by_weight = a.weight.compare(b.weight); by_weight != 0) return by_weight;
    if (!order_.ties_by_bytes) return 0;
  }
  return CompareTexts(a.element, b.element);
}

bool SortItems::Before(const SortItem& a, const SortItem& b) const {
  const int compared = Compare(a, b);
  if (compared == 0) return a.position < b.position;
  return order_.descending ? compared > 0 : compared < 0;
}

void SortItems::Add(SortItem item) {
  item.position = added_++;
  if (!heap_) {
    items_.push_back(item);
    return;
  }
  const auto before = [this](const SortItem& a, const SortItem& b) { return Before(a, b); };
  if (items_.size() < end_) {
    items_.push_back(item);
    std::push_heap(items_.begin(), items_.end(), before);
  } else if (end_ > 0 && Before(item, items_.front())) {
    std::pop_heap(items_.begin(), items_.end(), before);
    items_.back() = item;
    std::push_heap(items_.begin(), items_.end(), before);
  }
}

std::span<const SortItem> SortItems::Finish() {
  const auto before = [this](const SortItem& a, const SortItem& b) { return Before(a, b); };
  const auto first = items_.begin() + static_cast<ptrdiff_t>(first_), end = items_.begin() + static_cast<ptrdiff_t>(end_);
  if (!order_.unsorted) {
    if (end_ < items_.size()) std::nth_element(items_.begin(), end, items_.end(), before);
    if (first_ > 0 && first_ < end_) std::nth_element(items_.begin(), first, end, before);
    std::sort(first, end, before);
  }
  return std::span<const SortItem>(items_).subspan(first_, end_ - first_);
}

}  // namespace cairn
