#include "server/pubsub/monitor_feed.h"

#include <algorithm>
#include <cstdio>

#include "server/config/words.h"
#include "server/security/redaction.h"

namespace cairn {

void MonitorFeed::Add(uint64_t session_id) {
  MutexLock lock(mutex_);
  sessions_.push_back(session_id);
  active_.store(sessions_.size(), std::memory_order_relaxed);
}

void MonitorFeed::Remove(uint64_t session_id) {
  MutexLock lock(mutex_);
  std::erase(sessions_, session_id);
  active_.store(sessions_.size(), std::memory_order_relaxed);
}

std::string MonitorFeed::Line(ArgSpan args, uint32_t database, std::string_view address, int64_t now_unix_us) {
  char time[64];
  std::snprintf(time, sizeof(time), "+%lld.%06lld [%u ", static_cast<long long>(now_unix_us / 1'000'000),
                static_cast<long long>(now_unix_us % 1'000'000), database);
  std::string line = time;
  line += address;
  line += ']';
  for (const std::string_view arg : args) {
    line += ' ';
    line += QuoteWord(arg);
  }
  line += "\r\n";
  return line;
}

void MonitorFeed::Feed(const CommandRow& row, ArgSpan args, uint32_t database, std::string_view address, int64_t now_unix_us) {
  if (row.has(kSkipMonitor) || row.has(kAdmin)) return;
  const std::vector<std::string_view> shown = RedactedArguments(row, args);
  const SharedBytes line = SharedBytes::Copy(Line(shown, database, address, now_unix_us));
  MutexLock lock(mutex_);  // held while posting: every monitor sees the same order
  for (const uint64_t session : sessions_) post_(session, line);
}

}  // namespace cairn
