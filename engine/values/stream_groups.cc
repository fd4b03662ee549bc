#include "engine/values/stream_groups.h"

#include <algorithm>

namespace cairn {
namespace {

uint64_t StringBytes(const std::string& text) {
  static const size_t inline_bytes = std::string().capacity();
  return text.capacity() > inline_bytes ? AllocationSize(text.capacity() + 1) : 0;
}

void Drop(StreamConsumer* consumer) {
  if (consumer->DropReference()) delete consumer;
}

}  // namespace

uint64_t StreamConsumer::memory_bytes() const {
  return AllocationSizeOf<StreamConsumer>() + StringBytes(name_) + pending_.memory_bytes();
}

StreamGroup::StreamGroup(const StreamGroup& other)  // NOLINT: the holders of the copy are not those of the original
    : last_id(other.last_id),
      entries_read(other.entries_read),
      name_(other.name_),
      pending_(other.pending_),
      consumers_(other.consumers_),
      slots_(other.slots_),
      consumer_bytes_(other.consumer_bytes_),
      last_place_(other.last_place_),
      oldest_ms_(other.oldest_delivery_ms()) {
  for (StreamConsumer* consumer : consumers_) consumer->AddReference();
}

StreamGroup::~StreamGroup() {
  for (StreamConsumer* consumer : consumers_) Drop(consumer);
}

uint64_t StreamGroup::nacked_count() const {
  uint64_t count = pending_.size();
  for (const StreamConsumer* consumer : consumers_) count -= consumer->pending().size();
  return count;
}

uint64_t StreamGroup::memory_bytes() const {
  return AllocationSizeOf<StreamGroup>() + StringBytes(name_) + pending_.memory_bytes() + consumer_bytes_ +
         AllocationSize(consumers_.capacity() * sizeof(void*)) + AllocationSize(slots_.capacity() * sizeof(void*));
}

size_t StreamGroup::PositionOf(std::string_view name) const {
  const auto at = std::lower_bound(consumers_.begin(), consumers_.end(), name,
                                   [](const StreamConsumer* consumer, std::string_view key) { return consumer->name() < key; });
  return static_cast<size_t>(at - consumers_.begin());
}

const StreamConsumer* StreamGroup::FindConsumer(std::string_view name) const {
  const size_t at = PositionOf(name);
  return at < consumers_.size() && consumers_[at]->name() == name ? consumers_[at] : nullptr;
}

ConsumerSlot StreamGroup::CreateConsumer(std::string_view name, int64_t seen_ms) {
  size_t slot = consumers_.size() == slots_.size() ? slots_.size() : 0;
  while (slot < slots_.size() && slots_[slot] != nullptr) slot++;
  if (slot == slots_.size()) slots_.push_back(nullptr);
  auto* consumer = new StreamConsumer(name, static_cast<ConsumerSlot>(slot));
  consumer->seen_ms_ = seen_ms;
  slots_[slot] = consumer;
  consumers_.insert(consumers_.begin() + static_cast<ptrdiff_t>(PositionOf(name)), consumer);
  consumer_bytes_ += consumer->memory_bytes();
  return consumer->slot();
}

uint64_t StreamGroup::DeleteConsumer(ConsumerSlot slot) {
  StreamConsumer* consumer = slots_[slot];
  const uint64_t pending = consumer->pending_.size();
  for (auto at = consumer->pending_.First(); at.valid(); at.Next()) pending_.Erase(at->id);
  consumers_.erase(consumers_.begin() + static_cast<ptrdiff_t>(PositionOf(consumer->name())));
  slots_[slot] = nullptr;
  consumer_bytes_ -= consumer->memory_bytes();
  Drop(consumer);
  return pending;
}

StreamConsumer* StreamGroup::MutableConsumer(ConsumerSlot slot) {
  StreamConsumer*& consumer = slots_[slot];
  if (!consumer->shared()) [[likely]]
    return consumer;
  auto* copy = new StreamConsumer(*consumer);
  consumers_[PositionOf(copy->name())] = copy;
  Drop(std::exchange(consumer, copy));
  return copy;
}

void StreamGroup::SetSeen(ConsumerSlot slot, int64_t seen_ms) { MutableConsumer(slot)->seen_ms_ = seen_ms; }
void StreamGroup::SetActive(ConsumerSlot slot, int64_t active_ms) { MutableConsumer(slot)->active_ms_ = active_ms; }

void StreamGroup::Deliver(const PendingEntry& entry) {
  NoteOldestDelivery(std::min(oldest_delivery_ms(), entry.delivery_ms));
  ConsumerSlot before = kNoConsumer;
  if (PendingEntry replaced; pending_.Replace(entry, &replaced)) {
    before = replaced.consumer;
    if (before == entry.consumer) return;
  } else {
    pending_.Insert(entry);
  }
  for (const ConsumerSlot slot : {before, entry.consumer}) {
    if (slot == kNoConsumer) continue;
    StreamConsumer* consumer = MutableConsumer(slot);
    consumer_bytes_ -= consumer->pending_.memory_bytes();
    if (slot == before) {
      consumer->pending_.Erase(entry.id);
    } else {
      consumer->pending_.Insert({entry.id});
    }
    consumer_bytes_ += consumer->pending_.memory_bytes();
  }
}

void StreamGroup::GiveBack(const StreamId& id, int64_t delivery_count) {
  if (last_place_ < INT64_MAX) last_place_++;  // a file may have said anything
  Deliver({.id = id, .delivery_ms = last_place_, .delivery_count = delivery_count});
}

void StreamGroup::RestorePlaces() {
  if (nacked_count() == 0) return;
  for (auto at = pending_.First(); at.valid(); at.Next()) {
    if (at->consumer == kNoConsumer) last_place_ = std::max(last_place_, at->delivery_ms);
  }
}

bool StreamGroup::Acknowledge(const StreamId& id) {
  const PendingEntry* pending = pending_.Find(id);
  if (pending == nullptr) return false;
  if (pending->consumer != kNoConsumer) {
    StreamConsumer* consumer = MutableConsumer(pending->consumer);
    consumer_bytes_ -= consumer->pending_.memory_bytes();
    consumer->pending_.Erase(id);
    consumer_bytes_ += consumer->pending_.memory_bytes();
  }
  pending_.Erase(id);
  if (pending_.empty()) NoteOldestDelivery(INT64_MAX);
  return true;
}

bool StreamGroup::FreeStep(size_t max_nodes) {
  if (pending_.FreeStep(max_nodes)) return true;
  while (!consumers_.empty()) {
    StreamConsumer* consumer = consumers_.back();
    // Another holder's consumer is only let go of.
    if (!consumer->shared() && consumer->pending_.FreeStep(max_nodes)) return true;
    consumers_.pop_back();
    Drop(consumer);
  }
  return false;
}

}  // namespace cairn
