#include "engine/values/stream_producers.h"

#include <algorithm>
#include <utility>

#include "base/allocator.h"

namespace cairn {
namespace {

// A message's text, its place in the list and its entry in the table, roughly.
uint64_t MessageBytes(const StreamProducer::Message& message) {
  constexpr uint64_t kTableEntryBytes = 64;
  return sizeof(message) + kTableEntryBytes + AllocationSize(message.message_id.size() + 1);
}

void Drop(StreamProducer* producer) {
  if (producer->DropReference()) delete producer;
}

}  // namespace

StreamProducer::StreamProducer(const StreamProducer& other)  // NOLINT: has one holder, whoever holds the original
    : name_(other.name_), messages_(other.messages_), bytes_(other.bytes_) {
  for (const Message& message : messages_) by_message_id_.emplace(message.message_id, message.id);
}

const StreamId* StreamProducer::Find(std::string_view message_id) const {
  const auto found = by_message_id_.find(message_id);
  return found == by_message_id_.end() ? nullptr : &found->second;
}

void StreamProducer::Add(std::string_view message_id, const StreamId& id) {
  messages_.push_back({std::string(message_id), id});
  by_message_id_.emplace(messages_.back().message_id, id);
  bytes_ += MessageBytes(messages_.back());
}

void StreamProducer::DropOldest() {
  bytes_ -= MessageBytes(messages_.front());
  by_message_id_.erase(messages_.front().message_id);
  messages_.pop_front();
}

StreamProducers::StreamProducers(const StreamProducers& other)
    : added(other.added),
      duplicates(other.duplicates),
      producers_(other.producers_),
      duration_s_(other.duration_s_),
      max_size_(other.max_size_),
      message_count_(other.message_count_),
      bytes_(other.bytes_) {
  for (StreamProducer* producer : producers_) producer->AddReference();
}

size_t StreamProducers::PositionOf(std::string_view name) const {
  const auto at = std::lower_bound(producers_.begin(), producers_.end(), name,
                                   [](const StreamProducer* producer, std::string_view key) { return producer->name() < key; });
  return static_cast<size_t>(at - producers_.begin());
}

StreamProducer* StreamProducers::Own(size_t at) {
  if (producers_[at]->shared()) {
    auto* copy = new StreamProducer(*producers_[at]);
    Drop(std::exchange(producers_[at], copy));
  }
  return producers_[at];
}

void StreamProducers::Remove(size_t at) {
  message_count_ -= producers_[at]->messages().size();
  bytes_ -= producers_[at]->memory_bytes() + sizeof(StreamProducer);
  Drop(producers_[at]);
  producers_.erase(producers_.begin() + static_cast<ptrdiff_t>(at));
}

void StreamProducers::Clear() {
  for (StreamProducer* producer : producers_) Drop(producer);
  producers_.clear();
  message_count_ = bytes_ = 0;
}

const StreamId* StreamProducers::FindAny(std::string_view producer, std::string_view message_id) const {
  const size_t at = PositionOf(producer);
  if (at == producers_.size() || producers_[at]->name() != producer) return nullptr;
  return producers_[at]->Find(message_id);
}

const StreamId* StreamProducers::Find(std::string_view producer, std::string_view message_id, int64_t now_ms) {
  const size_t at = PositionOf(producer);
  if (at == producers_.size() || producers_[at]->name() != producer) return nullptr;
  // A message's age is its id's: ids of such messages are made from the clock.
  const int64_t oldest_ms = now_ms - int64_t{duration_s_} * 1000;
  const auto too_old = [&](const StreamProducer* of) {
    return !of->messages().empty() && static_cast<int64_t>(of->messages().front().id.ms) < oldest_ms;
  };
  while (too_old(producers_[at])) {
    StreamProducer* own = Own(at);
    bytes_ -= own->memory_bytes();
    own->DropOldest();
    bytes_ += own->memory_bytes();
    message_count_--;
  }
  if (producers_[at]->messages().empty()) {
    Remove(at);
    return nullptr;
  }
  return producers_[at]->Find(message_id);
}

void StreamProducers::Add(std::string_view producer, std::string_view message_id, const StreamId& id) {
  const size_t at = PositionOf(producer);
  if (at == producers_.size() || producers_[at]->name() != producer) {
    producers_.insert(producers_.begin() + static_cast<ptrdiff_t>(at), new StreamProducer(producer));
    bytes_ += sizeof(StreamProducer);
  }
  StreamProducer* own = Own(at);
  bytes_ -= own->memory_bytes();
  own->Add(message_id, id);
  message_count_++;
  for (; own->messages().size() > max_size_; message_count_--) own->DropOldest();
  bytes_ += own->memory_bytes();
}

void StreamProducers::Configure(uint32_t duration_s, uint32_t max_size) {
  if (duration_s == duration_s_ && max_size == max_size_) return;
  Clear();
  duration_s_ = duration_s;
  max_size_ = max_size;
}

}  // namespace cairn
