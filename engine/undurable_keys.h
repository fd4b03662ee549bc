// Which keys the disk may not have while the log cannot be written: exactly those that the units waiting in memory name.
//
// LSN stripes answer for groups of keys, which is enough where a reply waits a little longer for its neighbour's commit. While the disk
// fails a wrong answer would refuse a value that is durable, for as long as the disk is ill; so whoever finds the stripe too new asks
// here. The waiting units are read once per failure: writes are refused, so there are no new ones.
//
// Threads: any, with the asked key's shard locked.
#pragma once

#include <unordered_set>

#include "base/thread_annotations.h"
#include "engine/commands/command_table.h"
#include "engine/keyspace/key_ref.h"
#include "wal/log_writer.h"

namespace cairn {

class UndurableKeys {
 public:
  // Whether a unit that is not durable names `key`, whose stripe was written last at `stripe_lsn` (> durable_lsn()). True in doubt:
  // while a commit is under way, and after a command that names no keys, such as FLUSHALL.
  bool Has(const KeyRef& key, Lsn stripe_lsn, LogWriter& log, const CommandTable& commands) CAIRN_EXCLUDES(mutex_);

 private:
  void TakeUnits(std::string_view units, const CommandTable& commands) CAIRN_REQUIRES(mutex_);

  Mutex mutex_;
  Lsn collected_to_ CAIRN_GUARDED_BY(mutex_) = 0;  // what is known goes up to here
  bool every_key_ CAIRN_GUARDED_BY(mutex_) = false;
  std::unordered_set<uint64_t> hashes_ CAIRN_GUARDED_BY(mutex_);
};

}  // namespace cairn
