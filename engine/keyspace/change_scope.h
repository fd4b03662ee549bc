// One execution's changes: gathered while the shard locks are held, logged as one atomic unit before they are released.
//
// Life of a scope: (1) the executor fills in the clock and takes the locks of the shards in `locked_shards`; (2) handlers change
// the keyspace, which calls Touch, Record and Event here; (3) the executor appends `unit()` to the log, stores the LSN in the
// touched stripes, hands the events to the listener with that LSN, and releases the locks. Used by one thread; never shared.
#pragma once

#include <bitset>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "engine/keyspace/key_ref.h"

namespace cairn {

// Classes of keyspace events as in notify-keyspace-events.
enum EventClass : uint32_t {
  kEventGeneric = 1u << 0,
  kEventString = 1u << 1,
  kEventList = 1u << 2,
  kEventSet = 1u << 3,
  kEventHash = 1u << 4,
  kEventSortedSet = 1u << 5,
  kEventExpired = 1u << 6,
  kEventEvicted = 1u << 7,
  kEventStream = 1u << 8,
  kEventKeyMiss = 1u << 9,
  kEventNew = 1u << 10,
  kEventFields = 1u << 11,  // no class of its own: with an event of a hash, the fields it is about are wanted too
};

struct KeyspaceEvent {
  EventClass event_class;
  std::string_view name;  // a literal: "set", "del"...
  uint32_t database;
  std::string key;
  std::vector<std::string> fields = {};  // see kEventFields
};

// Hears every event; implemented by the server's pub/sub. Called with the shard locks held, after the unit was logged, so that
// events of one key arrive in log order; must only hand them on. `lsn` must be durable before a subscriber sees them.
class ChangeListener {
 public:
  virtual ~ChangeListener() = default;
  virtual uint32_t wanted_classes() const = 0;  // any thread; 0 makes events free
  virtual void OnEvents(std::span<const KeyspaceEvent> events, Lsn lsn) = 0;
};

// A key that somebody waits for and that may have got what they wait for.
struct ReadyKey {
  uint32_t database;
  std::string name;
};

using ShardSet = std::bitset<kShardCount>;
inline ShardSet AllShards() { return ShardSet().set(); }

// A piece of the unit: bytes of the scope's buffer [begin, end), or a large argument's shared buffer.
struct UnitPiece {
  size_t begin = 0, end = 0;
  SharedBytes shared;  // used when size() > 0
};

class ChangeScope {
 public:
  int64_t now_ms = 0;           // the time this execution sees; one value for a whole transaction
  bool deletes_expired = true;  // false while writes are refused and on replicas: expired keys are hidden instead (promise P5)
  bool replaying = false;       // recovery: nothing expires, nothing is recorded
  uint32_t wanted_events = 0;   // ChangeListener::wanted_classes() at the start
  ShardSet locked_shards;
  bool counts_only = false;  // there is no log: Record only counts. Decided with the locks held (StoreCore::log_off)

  // The key changed: its stripe takes this unit's LSN; `changes` grows (Redis's rdb_changes_since_last_save).
  void Touch(const KeyRef& key) {
    touched_stripes_.push_back(static_cast<uint16_t>(key.stripe()));
    changes_++;
  }
  // Every key may have changed (FLUSHALL, SWAPDB): all stripes take this unit's LSN.
  void TouchAll(uint64_t changes);
  // The reply depends on the key as it is: it waits for the stripe's LSN.
  void Read(const KeyRef& key) { read_stripes_.push_back(static_cast<uint16_t>(key.stripe())); }
  // The reply depends on the whole keyspace: it waits for the newest LSN.
  void ReadAll() { reads_all_ = true; }
  void Event(EventClass event_class, std::string_view name, uint32_t database, std::string_view key) {
    if (wanted_events & event_class) events_.push_back({event_class, name, database, std::string(key)});
  }
  // Whether somebody hears which fields of a hash an event is about.
  bool wants_fields() const {
    constexpr uint32_t kBoth = kEventHash | kEventFields;
    return (wanted_events & kBoth) == kBoth;
  }
  // A field that the last event, which was a hash's, is about.
  void EventField(std::string_view field) {
    if (wants_fields()) [[unlikely]]
      events_.back().fields.emplace_back(field);
  }
  // Somebody waits for the key, and it was touched; said by the keyspace. Kept in the order of the first time.
  void Ready(uint32_t database, std::string_view name);
  bool has_ready() const { return !ready_.empty(); }
  std::vector<ReadyKey> TakeReady() {
    ready_index_.clear();
    return std::exchange(ready_, {});
  }
  // Appends one command to the unit, in order, for `database` (a SELECT is put before it where that differs from the record
  // before). owners: empty, or parallel to args; an owner that is not empty holds exactly args[i] and is linked, not copied.
  void Record(uint32_t database, std::span<const std::string_view> args, std::span<const SharedBytes> owners = {});

  uint64_t changes() const { return changes_; }
  size_t records() const { return records_; }
  uint64_t counted_bytes() const { return counted_bytes_; }  // where the scope counts only: about what the unit would take
  uint32_t first_database() const { return first_database_; }
  uint32_t last_database() const { return last_database_; }
  std::span<const UnitPiece> pieces() const { return pieces_; }
  std::string_view buffer() const { return buffer_; }
  std::span<const uint16_t> touched_stripes() const { return touched_stripes_; }
  std::span<const uint16_t> read_stripes() const { return read_stripes_; }
  bool reads_all() const { return reads_all_; }
  std::span<const KeyspaceEvent> events() const { return events_; }
  // Forgets everything but keeps the buffers' room for the next execution.
  void Clear();

 private:
  std::string buffer_;
  std::vector<UnitPiece> pieces_;
  std::vector<uint16_t> touched_stripes_, read_stripes_;
  std::vector<KeyspaceEvent> events_;
  std::vector<ReadyKey> ready_;
  std::set<std::pair<uint32_t, std::string>> ready_index_;  // of many: FLUSHALL may make all ready that anybody waits for
  uint64_t changes_ = 0;
  size_t records_ = 0;
  uint64_t counted_bytes_ = 0;
  uint32_t first_database_ = 0, last_database_ = 0;
  bool reads_all_ = false;
};

}  // namespace cairn
