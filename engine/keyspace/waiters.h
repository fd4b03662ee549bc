// Commands that wait for a key (BLPOP and its like), by the name of the key; one table a shard, guarded by the shard's lock.
//
// A waiter needs the shards of all its keys, also of those that it does not wait for (BLMOVE's destination). It is registered, served
// and forgotten under the locks of all of them, so that exactly one of service, timeout and disconnection gets it.
// Queues are first come, first served. One queue holds the waiters of all databases for a name: hardly anybody waits for one name in
// two of them, and whoever looks for the shards that serving a key may need does not have to know its database.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "engine/keyspace/change_scope.h"
#include "engine/keyspace/entry.h"
#include "engine/keyspace/key_ref.h"

namespace cairn {

struct CommandRow;
class RecordingSink;
struct Waiter;

using WaiterList = std::list<std::shared_ptr<Waiter>>;

struct Waiter {
  // Constant once registered.
  uint32_t database = 0;
  const CommandRow* row = nullptr;
  std::vector<SharedBytes> args;  // of the command that serves it
  std::vector<KeyRef> keys;       // all, views of `args`
  size_t waited_keys = 0;         // it waits for the first so many
  ShardSet needs;                 // the shards of all of them
  ValueType wanted{};
  bool wake_on_gone = false;
  bool no_touch = false;
  int protocol = 2;
  int64_t timeout_ms = 0;  // 0: none. Kept by whoever runs the client, who then takes the waiter away (Store::CancelWait)
  // Hears the reply and the LSN that it waits for (0: none), once, if the waiter is served; no reply where the store was closed.
  // Set by WaitPort::OnBlocked. Called from any thread with shard locks held: it must only hand on.
  std::function<void(std::shared_ptr<RecordingSink> reply, Lsn visible_lsn)> done;

  // Guarded by the locks of `needs`.
  bool registered = false;
  struct Place {
    size_t key;  // index in `keys`
    WaiterList::iterator at;
  };
  std::vector<Place> places;  // in the queues of the waited keys; a key named twice has one

  bool has_destination() const { return waited_keys < keys.size(); }
};

class WaiterTable {
 public:
  struct Queue {
    WaiterList waiters;           // the longest waiting first
    ShardSet needs;               // that serving them takes; of all who were here since the queue was last empty
    size_t with_destination = 0;  // how many have further keys, which serving them changes
    size_t wake_on_gone = 0;      // how many want to know when the key goes
  };

  bool empty() const { return queues_.empty(); }
  size_t size() const { return queues_.size(); }
  // For how many names somebody has wake_on_gone.
  size_t awaited_gone() const { return awaited_gone_; }
  // The waiters for keys of this name in any database; nullptr for none. Valid until the table changes.
  Queue* Find(std::string_view name) {
    const auto at = queues_.find(name);
    return at == queues_.end() ? nullptr : &at->second;
  }
  WaiterList::iterator Add(const std::shared_ptr<Waiter>& waiter, std::string_view name);
  void Remove(std::string_view name, WaiterList::iterator place);
  template <typename Visit>
  void ForEachName(Visit visit) const {
    for (const auto& [name, queue] : queues_) visit(std::string_view(name), queue);
  }

 private:
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's name
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  std::unordered_map<std::string, Queue, Hash, std::equal_to<>> queues_;
  size_t awaited_gone_ = 0;
};

}  // namespace cairn
