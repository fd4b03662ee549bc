// MONITOR: every command that runs, as a line, to the sessions that asked for it. Costs one relaxed load while nobody did.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/thread_annotations.h"
#include "engine/commands/command_table.h"

namespace cairn {

class MonitorFeed {
 public:
  // Queues a line for a session (its thread calls Session::PushEncoded with LSN 0).
  using Post = std::function<void(uint64_t session_id, SharedBytes line)>;
  void SetPost(Post post) { post_ = std::move(post); }  // before the first Add

  void Add(uint64_t session_id);
  void Remove(uint64_t session_id);
  bool active() const { return active_.load(std::memory_order_relaxed) > 0; }

  // One command that has run, or waits; call it once for each, where active(). EXEC: first its commands, as each of them runs, then itself.
  // Rows that are not to be shown (kSkipMonitor, kAdmin) are left out, secrets are replaced. `address` as in CLIENT LIST, or "unix:PATH".
  void Feed(const CommandRow& row, ArgSpan args, uint32_t database, std::string_view address, int64_t now_unix_us);
  static std::string Line(ArgSpan args, uint32_t database, std::string_view address, int64_t now_unix_us);

 private:
  Post post_;
  std::atomic<uint64_t> active_{0};
  Mutex mutex_;
  std::vector<uint64_t> sessions_ CAIRN_GUARDED_BY(mutex_);
};

}  // namespace cairn
