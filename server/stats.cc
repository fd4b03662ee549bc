#include "server/stats.h"

#include <algorithm>

#include "server/config/config.h"

namespace cairn {

ThreadStats::~ThreadStats() {
  for (size_t i = 0; i < kSlots; i++) delete slots_[i].latency.load(std::memory_order_relaxed);
}

ThreadStats::CommandSlot& ThreadStats::SlotOf(const CommandRow& row) {
  // Rows lie in arrays, so neighbours differ by the row's size: a multiplicative hash spreads them.
  size_t at = (reinterpret_cast<uintptr_t>(&row) * 0x9E3779B97F4A7C15ull) >> 54;
  static_assert(kSlots == 1u << 10);
  while (true) {
    CommandSlot& slot = slots_[at];
    const CommandRow* const held = slot.row.load(std::memory_order_relaxed);
    if (held == &row) return slot;
    if (held == nullptr) {
      slot.row.store(&row, std::memory_order_release);
      return slot;
    }
    at = (at + 1) % kSlots;
  }
}

void ThreadStats::CommandDone(const CommandRow& row, uint64_t duration_ns, bool failed, bool track_latency) {
  CommandSlot& slot = SlotOf(row);
  Bump(slot.calls, 1);
  Bump(slot.nsec, duration_ns);
  if (failed) Bump(slot.failed, 1);
  Bump(counters_[static_cast<size_t>(Counter::kCommands)], 1);
  if (!track_latency) return;
  SharedLatencyHistogram* histogram = slot.latency.load(std::memory_order_relaxed);
  if (histogram == nullptr) {
    histogram = new SharedLatencyHistogram;
    slot.latency.store(histogram, std::memory_order_release);
  }
  histogram->Add(duration_ns);
}

void ThreadStats::CommandRejected(const CommandRow& row) { Bump(SlotOf(row).rejected, 1); }

void ThreadStats::CountError(std::string_view message) {
  constexpr size_t kCodesMax = 128;  // clients can make up codes through scripts; the list must stay readable
  const std::string_view code = message.substr(0, message.find(' '));
  MutexLock lock(error_mutex_);
  auto& total = counters_[static_cast<size_t>(Counter::kErrorReplies)];
  total.fetch_add(1, std::memory_order_relaxed);
  const auto found = errors_.find(code);
  if (found != errors_.end()) {
    found->second++;
  } else if (errors_.size() < kCodesMax) {
    errors_.emplace(std::string(code), 1);
  }
}

ServerStats::ServerStats(const Config& config, size_t threads) : slow_log_(config), latency_events_(config) {
  for (size_t i = 0; i < threads; i++) threads_.push_back(new ThreadStats);
}

ServerStats::~ServerStats() {
  for (ThreadStats* const thread : threads_) delete thread;
}

uint64_t ServerStats::Total(Counter counter) const {
  uint64_t total = 0;
  for (const ThreadStats* const thread : threads_) total += thread->Get(counter);
  return total - base_[static_cast<size_t>(counter)].load(std::memory_order_relaxed);
}

namespace {

void AddTo(CommandTotals* to, const CommandTotals& from, bool subtract) {
  const uint64_t sign = subtract ? ~0ull : 1;  // times -1, modulo 2^64
  to->calls += sign * from.calls;
  to->usec += sign * from.usec;
  to->rejected += sign * from.rejected;
  to->failed += sign * from.failed;
  if (subtract) to->latency.Subtract(from.latency);
}

}  // namespace

std::map<const CommandRow*, CommandTotals> ServerStats::Commands() const {
  std::map<const CommandRow*, CommandTotals> all;
  std::map<const CommandRow*, uint64_t> nsec;
  for (const ThreadStats* const thread : threads_) {
    for (size_t i = 0; i < ThreadStats::kSlots; i++) {
      const auto& slot = thread->slots_[i];
      const CommandRow* const row = slot.row.load(std::memory_order_acquire);
      if (row == nullptr) continue;
      CommandTotals& totals = all[row];
      totals.calls += slot.calls.load(std::memory_order_relaxed);
      nsec[row] += slot.nsec.load(std::memory_order_relaxed);
      totals.rejected += slot.rejected.load(std::memory_order_relaxed);
      totals.failed += slot.failed.load(std::memory_order_relaxed);
      if (const auto* const histogram = slot.latency.load(std::memory_order_acquire)) totals.latency.AddAll(*histogram);
    }
  }
  for (auto& [row, totals] : all) totals.usec = nsec[row] / 1000;
  MutexLock lock(base_mutex_);
  for (auto& [row, base] : command_base_) AddTo(&all[row], base, true);
  return all;
}

std::map<std::string, CommandTotals> ServerStats::CommandsByName() const {
  std::map<std::string, CommandTotals> by_name;
  for (const auto& [row, totals] : Commands()) {
    const CommandRow& named = row->parent != nullptr && row->parent->name == "debug" ? *row->parent : *row;
    CommandTotals& sum = by_name[CommandTable::FullName(named)];
    AddTo(&sum, totals, false);
    sum.latency.AddAll(totals.latency);
  }
  return by_name;
}

std::map<std::string, uint64_t> ServerStats::Errors() const {
  std::map<std::string, uint64_t> all;
  for (ThreadStats* const thread : threads_) {
    MutexLock lock(thread->error_mutex_);
    for (const auto& [code, count] : thread->errors_) all[code] += count;
  }
  return all;
}

void ServerStats::Reset() {
  for (size_t i = 0; i < base_.size(); i++) {
    base_[i].fetch_add(Total(static_cast<Counter>(i)), std::memory_order_relaxed);
  }
  auto now = Commands();
  for (ThreadStats* const thread : threads_) {
    MutexLock lock(thread->error_mutex_);
    thread->errors_.clear();
  }
  MutexLock lock(base_mutex_);
  for (auto& [row, totals] : now) {
    // What was left after the last reset goes on top of what was subtracted then; histograms are taken whole.
    CommandTotals& base = command_base_[row];
    AddTo(&base, totals, false);
    LatencyHistogram whole;
    for (const ThreadStats* const thread : threads_) {
      for (size_t i = 0; i < ThreadStats::kSlots; i++) {
        const auto& slot = thread->slots_[i];
        if (slot.row.load(std::memory_order_acquire) != row) continue;
        if (const auto* const histogram = slot.latency.load(std::memory_order_acquire)) whole.AddAll(*histogram);
      }
    }
    base.latency = std::move(whole);
  }
  for (auto& rate : samples_) {
    for (auto& sample : rate) sample.store(0, std::memory_order_relaxed);
  }
  rewrites.store(0, std::memory_order_relaxed);
}

void ServerStats::Sample(int64_t monotonic_ms) {
  constexpr Counter kSampled[] = {Counter::kCommands, Counter::kNetInputBytes, Counter::kNetOutputBytes};
  const int64_t passed_ms = monotonic_ms - last_sample_ms_;
  const bool first = last_sample_ms_ == 0;
  last_sample_ms_ = monotonic_ms;
  for (size_t rate = 0; rate < samples_.size(); rate++) {
    uint64_t now = 0;
    for (const ThreadStats* const thread : threads_) now += thread->Get(kSampled[rate]);
    const uint64_t grown = now - last_[rate];
    last_[rate] = now;
    if (first || passed_ms <= 0) continue;
    samples_[rate][next_sample_].store(grown * 1000 / static_cast<uint64_t>(passed_ms), std::memory_order_relaxed);
  }
  if (!first) next_sample_ = (next_sample_ + 1) % kSamples;
}

double ServerStats::PerSecond(Rate rate) const {
  uint64_t sum = 0;
  for (const auto& sample : samples_[static_cast<size_t>(rate)]) sum += sample.load(std::memory_order_relaxed);
  return static_cast<double>(sum) / kSamples;
}

}  // namespace cairn
