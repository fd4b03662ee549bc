// The windows in which a stream knows the messages of its producers again (XADD IDMP): of each producer the ids it gave its latest
// messages, and under which stream id each was added. What is older than the window's duration or beyond its size is forgotten.
//
// Producers are counted like nodes (large_value.h) and copied when they change while shared. Threads: as there.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/values/large_value.h"
#include "engine/values/stream_id.h"

namespace cairn {

inline constexpr uint32_t kProducerDurationDefaultS = 100;
inline constexpr uint32_t kProducerSizeDefault = 100;
inline constexpr uint32_t kProducerDurationMaxS = 86400;
inline constexpr uint32_t kProducerSizeMax = 10000;

class StreamProducer : public CowNode {
 public:
  struct Message {
    std::string message_id;
    StreamId id;
  };

  explicit StreamProducer(std::string_view name) : name_(name) {}
  const std::string& name() const { return name_; }
  const std::deque<Message>& messages() const { return messages_; }  // oldest first
  const StreamId* Find(std::string_view message_id) const;
  uint64_t memory_bytes() const { return bytes_; }

 private:
  friend class StreamProducers;
  StreamProducer(const StreamProducer& other);
  void Add(std::string_view message_id, const StreamId& id);
  void DropOldest();

  const std::string name_;
  std::deque<Message> messages_;
  std::unordered_map<std::string_view, StreamId> by_message_id_;  // keys: of messages_
  uint64_t bytes_ = 0;
};

class StreamProducers {
 public:
  StreamProducers() = default;
  StreamProducers(const StreamProducers& other);  // one more holder of each producer
  StreamProducers& operator=(const StreamProducers&) = delete;
  ~StreamProducers() { Clear(); }

  uint32_t duration_s() const { return duration_s_; }
  uint32_t max_size() const { return max_size_; }
  // Whether there is anything that a stream without producers would not have.
  bool used() const {
    return !producers_.empty() || added != 0 || duplicates != 0 || duration_s_ != kProducerDurationDefaultS ||
           max_size_ != kProducerSizeDefault;
  }
  uint64_t added = 0;                                                           // messages with an id of their own, ever
  uint64_t duplicates = 0;                                                      // of these, those that were known already
  const std::vector<StreamProducer*>& producers() const { return producers_; }  // sorted by name
  uint64_t message_count() const { return message_count_; }
  uint64_t memory_bytes() const { return bytes_; }

  // The stream id of a known message, or null; the pointer lives until the next change. Forgets what is too old at `now_ms` first.
  const StreamId* Find(std::string_view producer, std::string_view message_id, int64_t now_ms);
  // The same without forgetting.
  const StreamId* FindAny(std::string_view producer, std::string_view message_id) const;
  // Adds a message that is unknown.
  void Add(std::string_view producer, std::string_view message_id, const StreamId& id);
  // Other limits than before forget all messages.
  void Configure(uint32_t duration_s, uint32_t max_size);

 private:
  size_t PositionOf(std::string_view name) const;
  StreamProducer* Own(size_t at);
  void Remove(size_t at);
  void Clear();

  std::vector<StreamProducer*> producers_;
  uint32_t duration_s_ = kProducerDurationDefaultS;
  uint32_t max_size_ = kProducerSizeDefault;
  uint64_t message_count_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace cairn
