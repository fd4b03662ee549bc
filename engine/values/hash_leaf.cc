#include "engine/values/hash_leaf.h"

#include <algorithm>
#include <new>

#include "base/allocator.h"
#include "base/status.h"

namespace cairn {

HashLeaf* HashLeaf::New(size_t content_bytes, uint32_t depth) {
  const size_t size_bytes = AllocationSize(sizeof(HashLeaf) + content_bytes);
  CAIRN_CHECK(size_bytes <= kMaxBytes);  // only records whose 64 hash bits are equal share a larger leaf
  HashLeaf* leaf = new (AllocateBytes(size_bytes)) HashLeaf;
  leaf->size_bytes_ = static_cast<uint16_t>(size_bytes);
  leaf->depth_ = static_cast<uint8_t>(depth);
  return leaf;
}

void HashLeaf::FillFrom(const HashLeaf& from) {
  outside_count_ = from.outside_count_;
  if (from.hole_bytes_ == 0) {
    count_ = from.count_;
    data_bytes_ = from.data_bytes_;
    std::memcpy(tags(), from.tags(), count_ * kSlotBytes);
    std::memcpy(end() - data_bytes_, from.end() - data_bytes_, data_bytes_);
    return;
  }
  count_ = from.count_;
  std::memcpy(tags(), from.tags(), count_);
  uint32_t distance = 0;
  for (uint32_t slot = 0; slot < count_; slot++) {
    const char* record = from.record(slot);
    const uint32_t size = RecordBytes(record);
    distance += size;
    std::memcpy(end() - distance, record, size);
    const auto stored = static_cast<uint16_t>(distance);
    std::memcpy(tags() + count_ + 2 * slot, &stored, sizeof(stored));
  }
  data_bytes_ = static_cast<uint16_t>(distance);
}

HashLeaf* HashLeaf::Copy(size_t content_bytes) const {
  HashLeaf* copy = New(content_bytes, depth_);
  copy->FillFrom(*this);
  if (outside_count_ > 0) {
    for (uint32_t slot = 0; slot < count_; slot++) ShareOutside(slot).Detach();
  }
  return copy;
}

HashLeaf* HashLeaf::Move(size_t content_bytes) {
  HashLeaf* moved = New(content_bytes, depth_);
  moved->FillFrom(*this);
  FreeBytes(this, size_bytes_);
  return moved;
}

void HashLeaf::Free() {
  for (uint32_t slot = 0; outside_count_ > 0 && slot < count_; slot++) {
    if (static_cast<uint8_t>(*record(slot)) == kOutside) {
      SharedBytes::Adopt(OutsideReference(record(slot)));
      outside_count_--;
    }
  }
  FreeBytes(this, size_bytes_);
}

uint64_t HashLeaf::outside_bytes(uint32_t slot) const {
  return outside_count_ == 0 || !outside(slot) ? 0 : OutsideBytes(payload(slot).size());
}

uint64_t HashLeaf::OutsideBytes(size_t payload_bytes) {
  return payload_bytes <= kInlinePayloadMaxBytes ? 0 : AllocationSize(SharedBytes::kHeaderBytes + payload_bytes);
}

void HashLeaf::FreeShell() { FreeBytes(this, size_bytes_); }

SharedBytes HashLeaf::ShareOutside(uint32_t slot) const {
  const char* at = record(slot);
  if (static_cast<uint8_t>(*at) != kOutside) return {};
  SharedBytes held = SharedBytes::Adopt(OutsideReference(at));
  SharedBytes another = held;
  held.Detach();
  return another;
}

char* HashLeaf::AddSlot(uint8_t tag, uint32_t record_bytes) {
  uint8_t* at = tags();
  std::memmove(at + count_ + 1, at + count_, 2 * size_t{count_});
  at[count_++] = tag;
  data_bytes_ = static_cast<uint16_t>(data_bytes_ + record_bytes);
  std::memcpy(at + count_ + 2 * (count_ - 1u), &data_bytes_, sizeof(data_bytes_));
  return end() - data_bytes_;
}

void HashLeaf::Add(uint8_t tag, const PayloadParts& payload) {
  const size_t size = payload.size();
  if (size <= kInlinePayloadMaxBytes) [[likely]] {
    char* to = AddSlot(tag, static_cast<uint32_t>(1 + size));
    *to = static_cast<char>(size);
    payload.CopyTo(to + 1);
    return;
  }
  SharedBytes outside = SharedBytes::Allocate(size);
  payload.CopyTo(outside.mutable_data());
  char* to = AddSlot(tag, kOutsideBytes);
  *to = static_cast<char>(kOutside);
  const uint64_t reference = outside.Detach();
  std::memcpy(to + 1, &reference, sizeof(reference));
  outside_count_++;
}

void HashLeaf::AddMoved(const HashLeaf& from, uint32_t slot) {
  const char* record = from.record(slot);
  const uint32_t size = RecordBytes(record);
  std::memcpy(AddSlot(from.tags()[slot], size), record, size);
  outside_count_ = static_cast<uint16_t>(outside_count_ + (static_cast<uint8_t>(*record) == kOutside));
}

bool HashLeaf::Overwrite(uint32_t slot, const PayloadParts& payload) {
  char* at = record(slot);
  const size_t size = payload.size();
  if (static_cast<uint8_t>(*at) != kOutside) {
    if (size != static_cast<uint8_t>(*at)) return false;
    payload.CopyTo(at + 1);
    return true;
  }
  if (size <= kInlinePayloadMaxBytes) return false;
  // The parts may lie in the old payload: it goes last.
  SharedBytes outside = SharedBytes::Allocate(size);
  payload.CopyTo(outside.mutable_data());
  const uint64_t reference = outside.Detach();
  SharedBytes old = SharedBytes::Adopt(OutsideReference(at));
  std::memcpy(at + 1, &reference, sizeof(reference));
  return true;
}

char* HashLeaf::MutablePayload(uint32_t slot) {
  char* at = record(slot);
  if (static_cast<uint8_t>(*at) != kOutside) return at + 1;
  SharedBytes held = SharedBytes::Adopt(OutsideReference(at));
  if (!held.unique()) held = SharedBytes::Copy(held.view());
  char* data = held.mutable_data();
  const uint64_t reference = held.Detach();
  std::memcpy(at + 1, &reference, sizeof(reference));
  return data;
}

void HashLeaf::Erase(uint32_t slot) {
  const char* at = record(slot);
  const uint32_t size = RecordBytes(at);
  if (static_cast<uint8_t>(*at) == kOutside) {
    SharedBytes::Adopt(OutsideReference(at));
    outside_count_--;
  }
  // The lowest record leaves free bytes, any other a hole.
  if (distance(slot) == data_bytes_) {
    data_bytes_ = static_cast<uint16_t>(data_bytes_ - size);
  } else {
    hole_bytes_ = static_cast<uint16_t>(hole_bytes_ + size);
  }
  uint8_t* tag = tags();
  const uint32_t last = count_ - 1u;
  tag[slot] = tag[last];
  std::memcpy(tag + count_ + 2 * slot, tag + count_ + 2 * last, 2);
  std::memmove(tag + last, tag + count_, 2 * size_t{last});
  count_--;
  if (count_ == 0) data_bytes_ = hole_bytes_ = 0;
}

}  // namespace cairn
