// SLOWLOG and LATENCY.
#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/command_help.h"
#include "server/commands/memory_commands.h"
#include "server/commands/registry.h"
#include "server/config/config.h"
#include "server/server.h"
#include "server/session.h"
#include "server/stats.h"

namespace cairn {
namespace {

ServerStats& StatsOf(CommandContext& context) { return SessionOf(context).server().stats(); }

// --- SLOWLOG -------------------------------------------------------------------------------------------------------------------

void SlowLogGet(CommandContext& context) {
  int64_t count = 10;
  if (context.args.size() > 3) return context.SubcommandSyntaxError();
  if (context.args.size() == 3 && !ReadIntBetween(context, 2, -1, std::numeric_limits<int64_t>::max(), &count,
                                                  "ERR count should be greater than or equal to -1")) {
    return;
  }
  const std::vector<SlowEntry> entries =
      StatsOf(context).slow_log().Get(count < 0 ? std::numeric_limits<size_t>::max() : static_cast<size_t>(count));
  context.reply.Array(entries.size());
  for (const SlowEntry& entry : entries) {
    context.reply.Array(6);
    context.reply.Integer(entry.id);
    context.reply.Integer(entry.unix_s);
    context.reply.Integer(entry.duration_us);
    context.reply.Array(entry.args.size());
    for (const std::string& arg : entry.args) context.reply.Bulk(arg);
    context.reply.Bulk(entry.address);
    context.reply.Bulk(entry.client_name);
  }
}

void SlowLogLen(CommandContext& context) { context.reply.Integer(static_cast<int64_t>(StatsOf(context).slow_log().size())); }

void SlowLogReset(CommandContext& context) {
  StatsOf(context).slow_log().Reset();
  context.reply.Ok();
}

// --- LATENCY -------------------------------------------------------------------------------------------------------------------

void LatencyHistory(CommandContext& context) {
  const auto samples = StatsOf(context).latency_events().History(context.args[2]);
  context.reply.Array(samples.size());
  for (const auto& sample : samples) {
    context.reply.Array(2);
    context.reply.Integer(sample.unix_s);
    context.reply.Integer(sample.duration_ms);
  }
}

void LatencyLatest(CommandContext& context) {
  const auto events = StatsOf(context).latency_events().All();
  context.reply.Array(events.size());
  for (const auto& event : events) {
    context.reply.Array(4);
    context.reply.Bulk(event.event);
    context.reply.Integer(event.unix_s);
    context.reply.Integer(event.latest_ms);
    context.reply.Integer(event.max_ms);
  }
}

void LatencyReset(CommandContext& context) {
  context.reply.Integer(static_cast<int64_t>(StatsOf(context).latency_events().Reset(context.args.subspan(2))));
}

std::string Ago(int64_t seconds) {
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < 86400) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86400) + "d";
}

// A bar of up to four rows for each of the last 80 samples, with how long ago it was written downwards below it.
std::string Graph(std::string_view event, std::span<const LatencyEvents::Sample> samples, int64_t all_time_high) {
  constexpr size_t kColumns = 80;
  constexpr int kRows = 4;
  if (samples.size() > kColumns) samples = samples.last(kColumns);
  int64_t low = samples[0].duration_ms, high = low;
  for (const auto& sample : samples) {
    low = std::min(low, sample.duration_ms);
    high = std::max(high, sample.duration_ms);
  }
  std::string text(event);
  text += " - high " + std::to_string(high) + " ms, low " + std::to_string(low) + " ms (all time high " +
          std::to_string(all_time_high) + " ms)\n";
  text += std::string(kColumns, '-') + "\n";
  for (int row = kRows; row >= 1; row--) {
    for (const auto& sample : samples) {
      const double height =
          high == low ? kRows : 1 + static_cast<double>(sample.duration_ms - low) * (kRows - 1) / static_cast<double>(high - low);
      text += height >= row ? (height < row + 1 ? '#' : '|') : '_';
    }
    text += '\n';
  }
  const int64_t now_s = RealClock().WallUs() / 1'000'000;
  std::vector<std::string> labels;
  size_t longest = 0;
  for (const auto& sample : samples) {
    labels.push_back(Ago(std::max<int64_t>(0, now_s - sample.unix_s)));
    longest = std::max(longest, labels.back().size());
  }
  text += '\n';
  for (size_t i = 0; i < longest; i++) {
    for (const std::string& label : labels) text += i < label.size() ? label[i] : ' ';
    text += '\n';
  }
  return text;
}

void LatencyGraph(CommandContext& context) {
  LatencyEvents& events = StatsOf(context).latency_events();
  const auto samples = events.History(context.args[2]);
  if (samples.empty()) return context.reply.Error("ERR No samples available for event '" + std::string(context.args[2]) + "'");
  int64_t high = 0;
  for (const auto& event : events.All()) {
    if (event.event == context.args[2]) high = event.max_ms;
  }
  context.reply.Verbatim("txt", Graph(context.args[2], samples, high));
}

void LatencyDoctor(CommandContext& context) {
  const LatencyEvents& events = StatsOf(context).latency_events();
  std::string report;
  if (!events.enabled()) {
    report =
        "The latency monitor is off. CONFIG SET latency-monitor-threshold MILLISECONDS turns it on; 100 is a good value to begin "
        "with.\n";
  } else if (events.All().empty()) {
    report = "No latency spike was seen since the monitor was turned on or reset.\n";
  } else {
    report = "Latency spikes that were seen:\n\n";
    int number = 0;
    for (const auto& event : events.All()) {
      const auto samples = events.History(event.event);
      int64_t sum = 0;
      for (const auto& sample : samples) sum += sample.duration_ms;
      report += std::to_string(++number) + ". " + event.event + ": " + std::to_string(samples.size()) + " spikes, on average " +
                std::to_string(sum / static_cast<int64_t>(samples.size())) + " ms, worst " + std::to_string(event.max_ms) +
                " ms.\n";
    }
    report +=
        "\n- command, fast-command: a command took that long. SLOWLOG GET shows which, CONFIG SET slowlog-log-slower-than from "
        "when on.\n";
    report +=
        "- Others are named after what the server did; a disk or a machine that is too busy shows as several of them at once.\n";
  }
  context.reply.Verbatim("txt", report);
}

void ReplyHistogram(ReplySink& reply, const std::string& name, const LatencyHistogram& latency) {
  std::vector<std::pair<int64_t, uint64_t>> levels;
  uint64_t before = 0;
  for (uint64_t bound_ns = 1024; before < latency.total(); bound_ns *= 2) {
    const uint64_t count = latency.CountUpTo(bound_ns - 1);
    if (count > before) levels.emplace_back(static_cast<int64_t>(bound_ns / 1000), count);
    before = count;
    if (bound_ns >= uint64_t{1} << 41) break;
  }
  reply.Bulk(name);
  reply.Map(2);
  reply.Bulk("calls");
  reply.Integer(static_cast<int64_t>(latency.total()));
  reply.Bulk("histogram_usec");
  reply.Map(levels.size());
  for (const auto& [micros, count] : levels) {
    reply.Integer(micros);
    reply.Integer(static_cast<int64_t>(count));
  }
}

void LatencyHistogramCommand(CommandContext& context) {
  const auto all = StatsOf(context).CommandsByName();
  std::vector<std::pair<std::string, const LatencyHistogram*>> shown;
  const auto add_matching = [&](std::string_view wanted) {
    for (const auto& [name, totals] : all) {
      if (totals.latency.total() == 0) continue;
      const std::string_view container = std::string_view(name).substr(0, name.find('|'));
      if (wanted.empty() || EqualsIgnoreCase(wanted, name) || EqualsIgnoreCase(wanted, container))
        shown.emplace_back(name, &totals.latency);
    }
  };
  if (context.args.size() == 2) add_matching({});
  for (const std::string_view wanted : context.args.subspan(2)) {
    if (!wanted.empty()) add_matching(wanted);
  }
  context.reply.Map(shown.size());
  for (const auto& [name, latency] : shown) ReplyHistogram(context.reply, name, *latency);
}

constexpr uint32_t kWatch = kAdmin | kLoading | kStale;
constexpr uint32_t kWatchNoScript = kWatch | kNoScript;

constexpr CommandRow kSlowLogRows[] = {
    {.name = "get",
     .arity = -2,
     .flags = kWatch,
     .handler = SlowLogGet,
     .summary =
         "Answers the newest entries (10, or all for -1): number, time, microseconds, arguments, client's address and name.",
     .since = "2.2.12",
     .group = "server",
     .complexity = "O(N) for N entries",
     .syntax = "[count]",
     .tips = "request_policy:all_nodes nondeterministic_output"},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ReplyHelp,
     .summary = "Lists the subcommands.",
     .since = "6.2.0",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "len",
     .arity = 2,
     .flags = kWatch,
     .handler = SlowLogLen,
     .summary = "Counts the entries.",
     .since = "2.2.12",
     .group = "server",
     .complexity = "O(1)",
     .tips = "request_policy:all_nodes response_policy:agg_sum nondeterministic_output"},
    {.name = "reset",
     .arity = 2,
     .flags = kWatch,
     .handler = SlowLogReset,
     .summary = "Forgets all entries.",
     .since = "2.2.12",
     .group = "server",
     .complexity = "O(N) for N entries",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
};

constexpr CommandRow kLatencyRows[] = {
    {.name = "doctor",
     .arity = 2,
     .flags = kWatchNoScript,
     .handler = LatencyDoctor,
     .summary = "Reports in words what was slow.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)",
     .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"},
    {.name = "graph",
     .arity = 3,
     .flags = kWatchNoScript,
     .handler = LatencyGraph,
     .summary = "Draws an event's samples.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)",
     .syntax = "event",
     .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ReplyHelp,
     .summary = "Lists the subcommands.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "histogram",
     .arity = -2,
     .flags = kWatchNoScript,
     .handler = LatencyHistogramCommand,
     .summary = "Answers how many calls of commands took at most how long.",
     .since = "7.0.0",
     .group = "server",
     .complexity = "O(N) for N commands",
     .syntax = "[command [command ...]]",
     .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"},
    {.name = "history",
     .arity = 3,
     .flags = kWatchNoScript,
     .handler = LatencyHistory,
     .summary = "Answers an event's samples.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)",
     .syntax = "event",
     .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"},
    {.name = "latest",
     .arity = 2,
     .flags = kWatchNoScript,
     .handler = LatencyLatest,
     .summary = "Answers every event's last sample.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)",
     .tips = "nondeterministic_output request_policy:all_nodes response_policy:special"},
    {.name = "reset",
     .arity = -2,
     .flags = kWatchNoScript,
     .handler = LatencyReset,
     .summary = "Forgets the samples of events, or of all.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)",
     .syntax = "[event [event ...]]",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
};

constexpr CommandRow kMemoryRows[] = {
    {.name = "doctor",
     .arity = 2,
     .flags = 0,
     .handler = MemoryDoctor,
     .summary = "Reports in words what is wrong with memory.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(1)",
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ReplyHelp,
     .summary = "Lists the subcommands.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "malloc-stats",
     .arity = 2,
     .flags = 0,
     .handler = MemoryMallocStats,
     .summary = "Answers the allocator's own figures.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(1)",
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
    {.name = "purge",
     .arity = 2,
     .flags = 0,
     .handler = MemoryPurge,
     .summary = "Gives unused memory back to the system.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(1)",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "stats",
     .arity = 2,
     .flags = 0,
     .handler = MemoryStats,
     .summary = "Answers what memory is used for.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(1)",
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
    {.name = "usage",
     .arity = -3,
     .flags = kReadOnly,
     .keys = {2, 2, 1, kKeyRead | kKeyForMetadata},
     .handler = MemoryUsage,
     .summary = "Answers how many bytes a key and its value take.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(1)",
     .syntax = "key [SAMPLES count]"},
};

constexpr CommandRow kRows[] = {
    {.name = "slowlog",
     .arity = -2,
     .flags = 0,
     .summary = "Calls that took long.",
     .since = "2.2.12",
     .group = "server",
     .complexity = "Depends on subcommand.",
     .subcommands = kSlowLogRows},
    {.name = "latency",
     .arity = -2,
     .flags = 0,
     .summary = "How long things take.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "Depends on subcommand.",
     .subcommands = kLatencyRows},
    {.name = "memory",
     .arity = -2,
     .flags = 0,
     .summary = "Memory.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "Depends on subcommand.",
     .subcommands = kMemoryRows},
};

}  // namespace

void RegisterDiagnosticCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
