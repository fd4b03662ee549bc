// Which keys the disk may not have while the log cannot be written: exactly those that the units waiting in memory name.
//
// LSN stripes answer for groups of keys, which is enough where a reply waits a little longer for its neighbour's commit. While the disk
// fails a wrong answer would refuse a value that is durable, for as long as the disk is ill; so whoever finds the stripe too new asks
// here. The waiting units are read once per failure: writes are refused, so there are no new ones.
//
// Threads: any. Whoever asks for a key as it is now has its shard locked.
#pragma once

#include <optional>
#include <span>
#include <unordered_set>

#include "base/thread_annotations.h"
#include "engine/commands/command_table.h"
#include "engine/keyspace/key_ref.h"
#include "wal/log_writer.h"

namespace cairn {

class UndurableKeys {
 public:
  // Whether one of these hashes is that of a key named by a unit up to `lsn` (> durable_lsn()) that is not durable. True in doubt: for a
  // unit that has become durable since the failure, and after a command that names no keys, such as FLUSHALL. Nothing while a commit
  // is under way, when nobody can tell.
  std::optional<bool> HaveAny(std::span<const uint64_t> key_hashes, Lsn lsn, LogWriter& log, const CommandTable& commands)
      CAIRN_EXCLUDES(mutex_);

 private:
  struct Named {
    Lsn to = 0;  // by the units up to here
    bool every_key = false;
    std::unordered_set<uint64_t> hashes;
  };
  static void AddUnits(std::string_view units, const CommandTable& commands, Named* named);

  Mutex mutex_;
  Named named_ CAIRN_GUARDED_BY(mutex_);
};

}  // namespace cairn
