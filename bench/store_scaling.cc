// How the store scales with threads when nobody else competes for the cores: Store::Execute called from 1, 2, ... threads over one
// million keys, in memory and with a log.
//
//   store_scaling [threads] [seconds] [keys] [directory]
//
// Prints operations per second of every number of threads, the ratio to one thread and the CPU time of each operation, for GET, SET
// and a half-and-half mix, without a log, with `everysec` and with `always` (in `directory`, which is created, used and left behind;
// default ./store_scaling.data). A thread works as the server's do for a pipelining client: a batch of 16 commands, then, with
// `always`, the wait until they are on disk. The numbers of threads take turns, a tenth of the time each, and the medians are printed:
// what else the machine does meets them all alike. No snapshot is taken meanwhile.

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/logger.h"
#include "base/random.h"
#include "engine/reply_value.h"
#include "engine/store.h"

namespace cairn {
namespace {

struct Settings {
  int threads = 2;
  double seconds = 2;
  uint64_t keys = 1'000'000;
  std::string directory = "store_scaling.data";
};

constexpr int kRounds = 10;
constexpr size_t kBatch = 16;  // as a pipelining client's commands arrive: keys are prefetched a batch at a time

struct Operations {
  const CommandRow* get;
  const CommandRow* set;
};

// "key:" and twelve digits; not snprintf, which would take longer than the store.
void FormatKey(char (&key)[17], uint64_t number) {
  std::memcpy(key, "key:", 4);
  for (int i = 15; i >= 4; i--, number /= 10) key[i] = static_cast<char>('0' + number % 10);
  key[16] = 0;
}

// Left alone, a scheduler may run two short-lived threads on one core.
void PinToCore(int number) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<unsigned>(number) % std::max(1u, std::thread::hardware_concurrency()), &cores);
  (void)pthread_setaffinity_np(pthread_self(), sizeof(cores), &cores);
}

uint64_t Work(Store& store, const Operations& rows, int set_percent, uint64_t keys, uint64_t seed, std::atomic<bool>& stop) {
  Client client;
  NullReplySink sink;
  Random random(seed);
  const std::string value(64, 'v');
  uint64_t done = 0;
  char names[kBatch][17];
  std::string_view args[kBatch][3];
  KeyRef refs[kBatch];
  Request requests[kBatch];
  while (!stop.load(std::memory_order_relaxed)) {
    for (size_t i = 0; i < kBatch; i++) {
      FormatKey(names[i], random.Uniform(keys));
      const bool is_set = random.Uniform(100) < static_cast<uint64_t>(set_percent);
      args[i][0] = is_set ? "SET" : "GET";
      args[i][1] = std::string_view(names[i], 16);
      args[i][2] = value;
      refs[i] = KeyRef::Of(args[i][1]);
      requests[i] = {.row = is_set ? rows.set : rows.get, .args = ArgSpan(args[i], is_set ? 3 : 2), .keys = {&refs[i], 1}};
    }
    store.Prefetch(refs, 0);
    const int64_t now_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    Lsn visible_lsn = 0;
    store.BeginBatch();
    for (Request& request : requests) {
      request.now_ms = now_ms;
      Outcome outcome = store.Execute(client, request, sink);
      for (; outcome.kind == Outcome::Kind::kParked; outcome = store.Execute(client, request, sink)) std::this_thread::yield();
      visible_lsn = std::max(visible_lsn, outcome.visible_lsn);
    }
    store.EndBatch();
    if (visible_lsn != 0 && !store.WaitDurable(visible_lsn).ok()) return done;
    done += kBatch;
  }
  return done;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Rate {
  double per_second;
  double cpu_ns_each;  // of the whole process, the log's threads included
};

double ProcessCpuSeconds() {
  timespec now{};
  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

Rate Measure(Store& store, const Settings& settings, int threads, int set_percent) {
  const Operations rows{store.commands().FindByName("get"), store.commands().FindByName("set")};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> total{0};
  std::vector<std::thread> workers;
  workers.reserve(static_cast<size_t>(threads));
  const double cpu_before = ProcessCpuSeconds();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < threads; i++) {
    workers.emplace_back([&, i] {
      PinToCore(i);
      total += Work(store, rows, set_percent, settings.keys, static_cast<uint64_t>(i) + 1, stop);
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(settings.seconds / kRounds));
  stop = true;
  for (std::thread& worker : workers) worker.join();
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const double operations = static_cast<double>(total.load());
  return {operations / elapsed, (ProcessCpuSeconds() - cpu_before) * 1e9 / operations};
}

void Fill(Store& store, uint64_t keys) {
  Client client;
  const std::string value(64, 'v');
  char key[17];
  for (uint64_t i = 0; i < keys; i++) {
    FormatKey(key, i);
    store.Run(client, {"SET", std::string_view(key, 16), value}, Store::Durability::kDoNotAwait);
  }
}

int RunWith(const char* title, StoreOptions options, const Settings& settings) {
  Result<std::unique_ptr<Store>> opened = Store::Open(std::move(options));
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", opened.status().ToString().c_str());
    return 1;
  }
  Store& store = **opened;
  Fill(store, settings.keys);
  struct Mix {
    const char* name;
    int set_percent;
  };
  for (const Mix mix : {Mix{"GET", 0}, Mix{"SET", 100}, Mix{"GET+SET", 50}}) {
    const auto count = static_cast<size_t>(settings.threads);
    std::vector<std::vector<double>> rates(count), ratios(count), cpu_ns(count);
    for (int round = 0; round < kRounds; round++) {
      for (size_t i = 0; i < count; i++) {
        const Rate rate = Measure(store, settings, static_cast<int>(i) + 1, mix.set_percent);
        rates[i].push_back(rate.per_second);
        ratios[i].push_back(rate.per_second / rates[0].back());
        cpu_ns[i].push_back(rate.cpu_ns_each);
      }
    }
    for (size_t i = 0; i < count; i++) {
      std::printf("%-10s %-8s threads %zu: %12.0f ops/s  ratio %.2f  CPU %5.0f ns each\n", title, mix.name, i + 1,
                  Median(rates[i]), Median(ratios[i]), Median(cpu_ns[i]));
    }
    std::fflush(stdout);
  }
  return store.Close(false).ok() ? 0 : 1;
}

int Main(int argc, char** argv) {
  Settings settings;
  if (argc > 1) settings.threads = std::atoi(argv[1]);
  if (argc > 2) settings.seconds = std::atof(argv[2]);
  if (argc > 3) settings.keys = std::strtoull(argv[3], nullptr, 10);
  if (argc > 4) settings.directory = argv[4];
  SetLogLevel(LogLevel::kWarning);
  StoreOptions in_memory;
  in_memory.in_memory_only = true;
  if (RunWith("no log", in_memory, settings) != 0) return 1;
  for (const FsyncPolicy policy : {FsyncPolicy::kEverySecond, FsyncPolicy::kAlways}) {
    const char* const name = policy == FsyncPolicy::kAlways ? "always" : "everysec";
    StoreOptions logged;
    logged.directory = settings.directory + "/" + name;
    logged.runtime.append_fsync = policy;
    logged.runtime.log_compact_percentage = 0;
    if (RunWith(name, logged, settings) != 0) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) { return cairn::Main(argc, argv); }
