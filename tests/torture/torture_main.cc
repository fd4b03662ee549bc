// The torture rig as a program: seeds one after the other until they, the crashes or the seconds are used up.
//
// Prints figures as it goes; the exit code is 1 if a promise was broken, and each violation comes with the seed and a line that repeats it.
#include <pthread.h>

#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "base/logger.h"
#include "base/thread_annotations.h"
#include "tests/torture/torture_run.h"

namespace cairn::torture {
namespace {

struct Settings {
  uint64_t first_seed = 1;
  uint64_t seeds = UINT64_MAX;
  uint64_t crashes = UINT64_MAX;
  double seconds = 1e9;
  uint64_t jobs = 2;
  bool deterministic = false;
  bool canary = false;  // a broken promise is what is hoped for
  bool verbose = false;
};

class Rig {
 public:
  explicit Rig(const Settings& settings) : settings_(settings), begin_us_(RealClock().MonotonicUs()) {}

  int Run() {
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < settings_.jobs; i++) threads.emplace_back([this] { Work(); });
    for (std::thread& thread : threads) thread.join();
    Report("done");
    return failed_ == settings_.canary ? 0 : 1;
  }

 private:
  int64_t ElapsedUs() const { return RealClock().MonotonicUs() - begin_us_; }

  void Work() {
    while (!failed_ && crashes_ < settings_.crashes && static_cast<double>(ElapsedUs()) < settings_.seconds * 1e6) {
      const uint64_t number = next_.fetch_add(1);
      if (number >= settings_.seeds) return;
      const Scenario scenario = ScenarioOf(settings_.first_seed + number, settings_.deterministic);
      const TortureResult result = TortureRun(scenario).Run();
      crashes_ += result.crashes;
      recoveries_ += result.recoveries;
      refusals_ += result.refusals;
      operations_ += result.operations;
      const uint64_t done = seeds_.fetch_add(1) + 1;
      if (!result.violations.empty()) Complain(scenario, result);
      if (settings_.verbose || done % 100 == 0) Report(ToString(scenario).c_str());
    }
  }

  void Complain(const Scenario& scenario, const TortureResult& result) {
    MutexLock lock(mutex_);
    failed_ = true;
    for (size_t i = 0; i < result.violations.size() && i < 8; i++) std::printf("VIOLATION: %s\n", result.violations[i].c_str());
    std::printf("scenario: %s\nseed %" PRIu64 ", to repeat: build/bin/cairn-torture --first-seed %" PRIu64 " --seeds 1%s\n",
                ToString(scenario).c_str(), scenario.seed, scenario.seed, scenario.deterministic ? " --deterministic" : "");
    std::fflush(stdout);
  }

  void Report(const char* what) {
    MutexLock lock(mutex_);
    const double seconds = static_cast<double>(ElapsedUs()) / 1e6;
    std::printf("%" PRIu64 " seeds, %" PRIu64 " crashes (%.0f a minute), %" PRIu64 " recoveries, %" PRIu64
                " refused damage, %" PRIu64 " operations, %.0f s: %s\n",
                seeds_.load(), crashes_.load(), static_cast<double>(crashes_) * 60 / seconds, recoveries_.load(),
                refusals_.load(), operations_.load(), seconds, what);
    std::fflush(stdout);
  }

  const Settings settings_;
  const int64_t begin_us_;
  std::atomic<uint64_t> next_{0};
  std::atomic<uint64_t> seeds_{0};
  std::atomic<uint64_t> crashes_{0};
  std::atomic<uint64_t> recoveries_{0};
  std::atomic<uint64_t> refusals_{0};
  std::atomic<uint64_t> operations_{0};
  std::atomic<bool> failed_{false};
  Mutex mutex_;
};

bool Parse(int argc, char** argv, Settings* settings) {
  for (int i = 1; i < argc; i++) {
    const std::string_view flag = argv[i];
    if (flag == "--deterministic") {
      settings->deterministic = true;
    } else if (flag == "--canary") {
      settings->canary = true;
    } else if (flag == "--verbose") {
      settings->verbose = true;
    } else if (i + 1 == argc) {
      return false;
    } else if (flag == "--seconds") {
      settings->seconds = std::strtod(argv[++i], nullptr);
    } else {
      uint64_t* const number = flag == "--first-seed" ? &settings->first_seed
                               : flag == "--seeds"    ? &settings->seeds
                               : flag == "--crashes"  ? &settings->crashes
                               : flag == "--jobs"     ? &settings->jobs
                                                      : nullptr;
      if (number == nullptr) return false;
      *number = std::strtoull(argv[++i], nullptr, 10);
    }
  }
  return true;
}

}  // namespace
}  // namespace cairn::torture

int main(int argc, char** argv) {
  cairn::torture::Settings settings;
  if (!cairn::torture::Parse(argc, argv, &settings)) {
    std::fprintf(stderr,
                 "usage: cairn-torture [--first-seed N] [--seeds N] [--crashes N] [--seconds N] [--jobs N] [--deterministic] "
                 "[--verbose]\n");
    return 2;
  }
  // Thousands of stores a minute start and end their threads; small stacks are kept and used again.
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 512 * 1024);
  pthread_setattr_default_np(&attributes);
  cairn::SetLogSink([](cairn::LogLevel, std::string_view) {});
  return cairn::torture::Rig(settings).Run();
}
