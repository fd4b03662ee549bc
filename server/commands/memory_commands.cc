#include "server/commands/memory_commands.h"

#include <algorithm>
#include <string>

#include "base/allocator.h"
#include "engine/commands/arg_reader.h"
#include "server/commands/registry.h"
#include "server/server.h"
#include "server/session.h"

namespace cairn {
namespace {

double Ratio(uint64_t part, uint64_t whole) { return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole); }
int64_t Difference(uint64_t a, uint64_t b) { return static_cast<int64_t>(a) - static_cast<int64_t>(b); }

struct Figures {
  StoreInfo store;
  AllocatorStats allocator;
  uint64_t resident = 0, keyspace = 0, tables = 0, keys = 0;
  uint64_t data() const { return keyspace > tables ? keyspace - tables : 0; }
  uint64_t overhead() const { return store.used_memory_bytes > data() ? store.used_memory_bytes - data() : 0; }
  uint64_t clients() const { return store.used_memory_bytes > keyspace ? store.used_memory_bytes - keyspace : 0; }

  explicit Figures(Server& server) : store(server.store().Info()), allocator(ReadAllocatorStats()), resident(ResidentBytes()) {
    Keyspace& space = server.store().keyspace();
    keyspace = space.memory_bytes();
    keys = space.entry_count_all();
    for (uint32_t i = 0; i < space.databases(); i++) tables += space.dictionary_bytes(i);
  }
};

void Pair(ReplySink& reply, std::string_view name, int64_t value) {
  reply.Bulk(name);
  reply.Integer(value);
}
void Pair(ReplySink& reply, std::string_view name, uint64_t value) { Pair(reply, name, static_cast<int64_t>(value)); }
void PairRatio(ReplySink& reply, std::string_view name, double value) {
  reply.Bulk(name);
  reply.Double(value);
}

void ReplyAllocator(ReplySink& reply, const Figures& figures) {
  const AllocatorStats& allocator = figures.allocator;
  const uint64_t used = figures.store.used_memory_bytes;
  Pair(reply, "allocator.allocated", allocator.allocated_bytes);
  Pair(reply, "allocator.active", allocator.active_bytes);
  Pair(reply, "allocator.resident", allocator.resident_bytes);
  PairRatio(reply, "allocator-fragmentation.ratio", Ratio(allocator.active_bytes, allocator.allocated_bytes));
  Pair(reply, "allocator-fragmentation.bytes", Difference(allocator.active_bytes, allocator.allocated_bytes));
  PairRatio(reply, "allocator-rss.ratio", Ratio(allocator.resident_bytes, allocator.active_bytes));
  Pair(reply, "allocator-rss.bytes", Difference(allocator.resident_bytes, allocator.active_bytes));
  PairRatio(reply, "rss-overhead.ratio", Ratio(figures.resident, allocator.resident_bytes));
  Pair(reply, "rss-overhead.bytes", Difference(figures.resident, allocator.resident_bytes));
  PairRatio(reply, "fragmentation", Ratio(figures.resident, used));
  Pair(reply, "fragmentation.bytes", Difference(figures.resident, used));
}

}  // namespace

void MemoryUsage(CommandContext& context) {
  for (OptionReader options(context, 3); options.More();) {
    std::string_view value;
    size_t index = 0;
    int64_t samples = 0;
    if (!options.Take("samples", &value, &index)) return context.SyntaxError();
    if (!ReadInt(context, index, &samples)) return;
    if (samples < 0) return context.SyntaxError();
  }
  const Entry* const entry = context.Find(context.key(), Keyspace::Access::kPeek);
  if (entry == nullptr) return context.reply.Null();
  constexpr int64_t kBucketShareBytes = 8;  // the entry's place in the dictionary
  context.reply.Integer(static_cast<int64_t>(entry->memory_bytes()) + kBucketShareBytes);
}

void MemoryStats(CommandContext& context) {
  if (!StoreReady(context)) return;
  Server& server = SessionOf(context).server();
  const Figures figures(server);
  const Keyspace& space = server.store().keyspace();
  const uint64_t used = figures.store.used_memory_bytes, peak = std::max(used, figures.store.peak_memory_bytes);
  std::vector<uint32_t> databases;
  for (uint32_t i = 0; i < space.databases(); i++) {
    if (space.Size(i) > 0) databases.push_back(i);
  }
  ReplySink& reply = context.reply;
  reply.Map(27 + databases.size());
  Pair(reply, "peak.allocated", peak);
  Pair(reply, "total.allocated", used);
  Pair(reply, "startup.allocated", uint64_t{0});
  Pair(reply, "replication.backlog", uint64_t{0});
  Pair(reply, "clients.slaves", uint64_t{0});
  Pair(reply, "clients.normal", figures.clients());
  Pair(reply, "cluster.links", uint64_t{0});
  Pair(reply, "aof.buffer", figures.store.log.buffer_bytes);
  Pair(reply, "lua.caches", uint64_t{0});
  Pair(reply, "functions.caches", uint64_t{0});
  for (const uint32_t database : databases) {
    reply.Bulk("db." + std::to_string(database));
    reply.Map(3);
    Pair(reply, "overhead.hashtable.main", space.dictionary_bytes(database));
    Pair(reply, "overhead.hashtable.expires", uint64_t{0});
    Pair(reply, "overhead.hashtable.slot-to-keys", uint64_t{0});
  }
  Pair(reply, "overhead.total", figures.overhead());
  Pair(reply, "keys.count", figures.keys);
  Pair(reply, "keys.bytes-per-key", figures.keys == 0 ? uint64_t{0} : figures.keyspace / figures.keys);
  Pair(reply, "dataset.bytes", figures.data());
  PairRatio(reply, "dataset.percentage", Ratio(figures.data(), used) * 100);
  PairRatio(reply, "peak.percentage", Ratio(used, peak) * 100);
  ReplyAllocator(reply, figures);
}

void MemoryDoctor(CommandContext& context) {
  if (!StoreReady(context)) return;
  const Figures figures(SessionOf(context).server());
  const uint64_t used = figures.store.used_memory_bytes;
  constexpr uint64_t kSmallBytes = 5 << 20;
  std::string report;
  if (used < kSmallBytes) {
    report = "This instance holds little or nothing, so there is nothing to tell about its memory yet.\n";
  } else {
    if (figures.store.peak_memory_bytes > used + used / 2) {
      report +=
          " * Peak: at its peak the server used more than one and a half times what it uses now; memory given back to the "
          "allocator "
          "may still count as resident. MEMORY PURGE returns it.\n";
    }
    if (Ratio(figures.resident, used) > 1.4) {
      report +=
          " * Resident memory is more than 1.4 times what is used: fragmentation, buffers of clients, or a snapshot under way.\n";
    }
    if (figures.clients() > used / 2)
      report += " * Clients: buffers of connections hold more than half of the memory. CLIENT LIST shows whose.\n";
    report = report.empty() ? "Nothing is wrong with this instance's memory.\n" : "What stands out:\n\n" + report;
  }
  context.reply.Verbatim("txt", report);
}

void MemoryPurge(CommandContext& context) {
  PurgeAllocator();
  context.reply.Ok();
}

void MemoryMallocStats(CommandContext& context) {
  const AllocatorStats stats = ReadAllocatorStats();
  context.reply.Verbatim("txt", std::string(AllocatorName()) + "\nallocated: " + std::to_string(stats.allocated_bytes) +
                                    "\nactive: " + std::to_string(stats.active_bytes) + "\nresident: " +
                                    std::to_string(stats.resident_bytes) + "\nretained: " + std::to_string(stats.retained_bytes) +
                                    "\nmetadata: " + std::to_string(stats.metadata_bytes) + "\n");
}

}  // namespace cairn
