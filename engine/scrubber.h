// Reads the snapshots and segments of a running store again, now and then, so that damage is known before the day they are needed.
//
// On a thread of its own, at a bounded rate, beside the writers: only what is durable is looked at, and what a compaction drops meanwhile
// is passed over. What looks damaged is looked at twice before it is reported: in the server's log and in report().
// Threads: the public functions from any thread; Start and Stop once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/status.h"
#include "base/thread_annotations.h"

namespace cairn {

class Scrubber {
 public:
  struct Report {
    bool in_progress = false;
    uint64_t passes = 0;              // completed
    int64_t last_unix_s = 0;          // when the last one ended; 0: none yet
    uint64_t checked_bytes = 0;       // in the current or last pass
    std::vector<std::string> faults;  // of the last pass, each with file and offset
    std::string error;                // why it could not be completed; empty where it was
  };

  // `period_hours` is read anew each second; 0: never. `durable_lsn` gives how far the log may be looked at, nothing while it is off. All
  // outlive this object.
  Scrubber(FileSystem& fs, Clock& clock, std::string directory, const std::atomic<int64_t>& period_hours,
           std::function<std::optional<Lsn>()> durable_lsn);
  ~Scrubber();

  void Start();
  // Gives up the pass under way.
  void Stop();
  Report report() const CAIRN_EXCLUDES(mutex_);
  // One pass at full speed on the calling thread.
  void Pass() CAIRN_EXCLUDES(mutex_);

 private:
  void ThreadMain();
  void RunPass(uint64_t bytes_per_second) CAIRN_EXCLUDES(mutex_);
  using FaultsByPlace = std::map<std::string, std::string>;  // "file at offset N", and the text of the fault
  Status Look(uint64_t bytes_per_second, FaultsByPlace* faults) CAIRN_EXCLUDES(mutex_);
  // Counts bytes and rests, so that the rate is kept.
  Status Pace(uint64_t bytes, uint64_t bytes_per_second) CAIRN_EXCLUDES(mutex_);

  FileSystem& fs_;
  Clock& clock_;
  const std::string directory_;
  const std::atomic<int64_t>& period_hours_;
  const std::function<std::optional<Lsn>()> durable_lsn_;
  std::thread thread_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool stopping_ CAIRN_GUARDED_BY(mutex_) = false;
  Report report_ CAIRN_GUARDED_BY(mutex_);
  int64_t pass_began_us_ = 0;  // of who runs the pass
};

}  // namespace cairn
