// CPU time of GET and SET inside the keyspace: with and without prefetching a batch, by one thread and by two.
//   keyspace_ops [keys]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "engine/keyspace/keyspace.h"

namespace cairn {
namespace {

constexpr size_t kBatch = 16;
constexpr uint64_t kNames = 1 << 16;  // made at once, outside the measured part
constexpr uint64_t kOperations = kNames * 64;

std::string KeyName(uint64_t n) {
  char name[32];
  std::snprintf(name, sizeof(name), "key:%012llu", static_cast<unsigned long long>(n));
  return name;
}

double ThreadCpuNs() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

enum class Kind { kGet, kSet, kMixed };

// Nanoseconds of CPU an operation took, hashing included.
double Run(Keyspace& keyspace, uint64_t keys, Kind kind, bool prefetch, uint64_t seed) {
  Random random(seed);
  std::string value(64, 'w');
  std::vector<std::string> names(kNames);
  std::vector<KeyRef> refs(kBatch);
  ChangeScope scope;
  std::string scratch;
  uint64_t sum = 0;
  double spent = 0;
  double begin = 0;
  for (uint64_t done = 0; done < kOperations; done += kBatch) {
    if (done % kNames == 0) {
      if (done > 0) spent += ThreadCpuNs() - begin;
      for (std::string& name : names) name = KeyName(random.Uniform(keys));
      begin = ThreadCpuNs();
    }
    for (size_t i = 0; i < kBatch; i++) refs[i] = KeyRef::Of(names[(done + i) % kNames]);
    if (prefetch) keyspace.Prefetch(refs, 0);
    for (size_t i = 0; i < kBatch; i++) {
      const KeyRef& key = refs[i];
      scope.Clear();
      scope.now_ms = static_cast<int64_t>(done / 1000);
      scope.locked_shards.set(key.shard());
      keyspace.LockShard(key.shard());
      if (kind == Kind::kSet || (kind == Kind::kMixed && i % 2 == 0)) {
        keyspace.SetString(scope, 0, key, {value}, {});
      } else {
        sum += StringView(keyspace.Find(scope, 0, key, Keyspace::Access::kRead)).Flatten(&scratch).size();
      }
      keyspace.UnlockShard(key.shard());
    }
  }
  spent += ThreadCpuNs() - begin;
  if (sum == 1) std::printf(" ");
  return spent / kOperations;
}

double Threads(Keyspace& keyspace, uint64_t keys, int threads, double* operations_per_second) {
  std::vector<std::thread> running;
  running.reserve(static_cast<size_t>(threads));
  std::vector<double> ns(static_cast<size_t>(threads));
  const auto begin = std::chrono::steady_clock::now();
  for (int t = 0; t < threads; t++) {
    running.emplace_back(
        [&, t] { ns[static_cast<size_t>(t)] = Run(keyspace, keys, Kind::kMixed, true, static_cast<uint64_t>(t) + 10); });
  }
  for (std::thread& thread : running) thread.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  *operations_per_second = static_cast<double>(kOperations) * threads / seconds;
  double sum = 0;
  for (const double one : ns) sum += one;
  return sum / threads;
}

int Main(uint64_t keys) {
  Keyspace keyspace{KeyspaceOptions{}};
  const std::string value(64, 'v');
  std::vector<std::vector<std::string>> names(kShardCount);  // as a snapshot has them: shard by shard
  for (uint64_t n = 0; n < keys; n++) {
    std::string name = KeyName(n);
    names[KeyRef::Of(name).shard()].push_back(std::move(name));
  }
  const double begin = ThreadCpuNs();
  for (uint32_t shard = 0; shard < kShardCount; shard++) {
    keyspace.Reserve(shard, 0, names[shard].size());
    for (const std::string& name : names[shard]) keyspace.LoadEntry(0, KeyRef::Of(name), {.value = {value}}, 1000, true);
  }
  const double load_ns = (ThreadCpuNs() - begin) / static_cast<double>(keys);
  names.clear();
  std::printf("%llu keys, ns of CPU an operation (hash, locks and lookup included)\n", static_cast<unsigned long long>(keys));
  std::printf("  loading              %6.1f\n", load_ns);
  if (std::getenv("KEYSPACE_OPS_GET_ONLY") != nullptr) {  // for a profiler
    std::printf("  GET prefetched %.1f\n", Run(keyspace, keys, Kind::kGet, true, 1));
    return 0;
  }
  for (const bool prefetch : {false, true}) {
    std::printf("  GET %-16s %6.1f\n", prefetch ? "prefetched" : "not prefetched", Run(keyspace, keys, Kind::kGet, prefetch, 1));
    std::printf("  SET %-16s %6.1f\n", prefetch ? "prefetched" : "not prefetched", Run(keyspace, keys, Kind::kSet, prefetch, 2));
  }
  for (const int threads : {1, 2}) {
    double per_second = 0;
    const double ns = Threads(keyspace, keys, threads, &per_second);
    std::printf("  %d thread(s), GET and SET: %6.1f ns, %.0f operations a second\n", threads, ns, per_second);
  }
  return 0;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) { return cairn::Main(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1000000); }
