// What the server counts: commands, connections, bytes, errors, latencies, slow calls.
//
// Counting is for the hot path: each network thread writes its own ThreadStats with relaxed stores and shares no line with others;
// whoever asks sums over the threads. Numbers read are each exact up to a call under way, not one instant's picture.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_annotations.h"
#include "engine/commands/command_table.h"
#include "server/latency_histogram.h"
#include "server/slow_log.h"

namespace cairn {

class Config;

// The numbers that have one counter a thread.
enum class Counter : uint8_t {
  kCommands,             // total_commands_processed
  kConnections,          // total_connections_received
  kRejectedConnections,  // over maxclients, protected mode
  kNetInputBytes,
  kNetOutputBytes,
  kErrorReplies,  // total_error_replies
  kReadsProcessed,
  kWritesProcessed,
  kQueryBufferLimitDisconnections,
  kOutputBufferLimitDisconnections,
  kEvictedClients,
  kCount
};

struct CommandTotals {
  uint64_t calls = 0, usec = 0, rejected = 0, failed = 0;
  LatencyHistogram latency;
};

// One network thread's counters. Written by that thread only, except CountError and Reset.
class alignas(64) ThreadStats {
 public:
  void Add(Counter counter, uint64_t amount = 1) { Bump(counters_[static_cast<size_t>(counter)], amount); }
  uint64_t Get(Counter counter) const { return counters_[static_cast<size_t>(counter)].load(std::memory_order_relaxed); }

  // A call that ran: its time and whether it answered an error. `track_latency`: latency-tracking is on.
  void CommandDone(const CommandRow& row, uint64_t duration_ns, bool failed, bool track_latency = true);
  // A call that was refused before it ran (arity, OOM, NOAUTH, ...).
  void CommandRejected(const CommandRow& row);
  // An error reply: counts it, and its code (up to the first space) for errorstats. Any thread.
  void CountError(std::string_view message);

 private:
  friend class ServerStats;
  static void Bump(std::atomic<uint64_t>& counter, uint64_t amount) {  // one writer: no locked instruction
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  struct CommandSlot {
    std::atomic<const CommandRow*> row{nullptr};
    std::atomic<uint64_t> calls{0}, nsec{0}, rejected{0}, failed{0};
    std::atomic<SharedLatencyHistogram*> latency{nullptr};
  };
  // Open addressing by the row's address; sized well above the number of commands, so it never fills.
  static constexpr size_t kSlots = 1024;
  CommandSlot& SlotOf(const CommandRow& row);
  ThreadStats() = default;
  ~ThreadStats();

  std::array<std::atomic<uint64_t>, static_cast<size_t>(Counter::kCount)> counters_{};
  std::unique_ptr<CommandSlot[]> slots_ = std::make_unique<CommandSlot[]>(kSlots);
  Mutex error_mutex_;
  std::map<std::string, uint64_t, std::less<>> errors_ CAIRN_GUARDED_BY(error_mutex_);
};

class ServerStats {
 public:
  // `threads`: how many ThreadStats there are. The Config must outlive this.
  ServerStats(const Config& config, size_t threads);
  ~ServerStats();

  ThreadStats& thread(size_t index) { return *threads_[index]; }
  size_t threads() const { return threads_.size(); }

  // --- reading (any thread) -----------------------------------------------------------------------------------------------
  uint64_t Total(Counter counter) const;
  std::map<const CommandRow*, CommandTotals> Commands() const;
  // The same by full name ("config|set"; DEBUG's subcommands count as one, as they do in Redis): rows of several tables add up.
  std::map<std::string, CommandTotals> CommandsByName() const;
  std::map<std::string, uint64_t> Errors() const;
  // CONFIG RESETSTAT: counts from zero again. Calls under way may survive it.
  void Reset();
  // --- rates: call Sample about every 100 ms from one thread --------------------------------------------------------------
  void Sample(int64_t monotonic_ms);
  enum class Rate : uint8_t { kOperations, kInputBytes, kOutputBytes };
  double PerSecond(Rate rate) const;

  // --- BGREWRITEAOF, which is a snapshot to the store ---------------------------------------------------------------------
  std::atomic<bool> rewrite_in_progress{false}, rewrite_scheduled{false}, last_rewrite_ok{true};
  std::atomic<uint64_t> rewrites{0};

  SlowLog& slow_log() { return slow_log_; }
  LatencyEvents& latency_events() { return latency_events_; }

 private:
  std::vector<ThreadStats*> threads_;
  // What Reset() subtracts: counters have one writer, so they are not stored to from elsewhere.
  std::array<std::atomic<uint64_t>, static_cast<size_t>(Counter::kCount)> base_{};
  mutable Mutex base_mutex_;
  std::map<const CommandRow*, CommandTotals> command_base_ CAIRN_GUARDED_BY(base_mutex_);
  static constexpr size_t kSamples = 16;
  std::array<std::array<std::atomic<uint64_t>, kSamples>, 3> samples_{};  // per second
  std::array<uint64_t, 3> last_{};
  int64_t last_sample_ms_ = 0;
  size_t next_sample_ = 0;
  SlowLog slow_log_;
  LatencyEvents latency_events_;
};

}  // namespace cairn
