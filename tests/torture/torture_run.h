// One seed's torture: a store works on a disk, images of the disk are taken while it does, each image loses power in several ways, and
// every time the store that is opened on what is left must account for what clients were told.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/store.h"
#include "tests/torture/clients.h"
#include "tests/torture/disk.h"
#include "tests/torture/observation.h"
#include "tests/torture/scenario.h"

namespace cairn::torture {

struct TortureResult {
  uint64_t crashes = 0;     // power cuts and kills that were recovered from and judged
  uint64_t recoveries = 0;  // stores opened
  uint64_t refusals = 0;    // of damaged images
  uint64_t operations = 0;
  std::vector<std::string> violations;
  std::vector<std::string> trace;  // deterministic runs: every call of the file system while clients worked
};

// The machine's time, running faster, so that the seconds after which a store tries a failed disk again pass quickly.
class FastClock : public Clock {
 public:
  explicit FastClock(int64_t factor) : factor_(factor), begin_us_(RealClock().MonotonicUs()), wall_us_(RealClock().WallUs()) {}
  int64_t WallUs() override { return wall_us_ + (RealClock().MonotonicUs() - begin_us_) * factor_; }
  int64_t MonotonicUs() override { return 1'000'000 + (RealClock().MonotonicUs() - begin_us_) * factor_; }

 private:
  const int64_t factor_;
  const int64_t begin_us_;
  const int64_t wall_us_;
};

class TortureRun {
 public:
  explicit TortureRun(const Scenario& scenario);
  TortureResult Run();

 private:
  struct Base {  // what a generation begins with
    std::unique_ptr<MemoryFileSystem> memory;
    std::vector<Operation> history;
  };
  StoreOptions OptionsFor(FileSystem& fs);
  void Fail(const std::string& where, const std::string& what);

  // --- Working (torture_run.cc) ---
  bool OneGeneration();
  void Work(Store& store, Disk& disk);
  void WorkAlone(Store& store, TortureClient& client, uint64_t seed);
  void Administer(Store& store, Disk& disk, std::atomic<bool>& working, uint64_t seed);
  void CheckHealed(Store& store, Disk& disk);
  // --- Crashing (torture_crash.cc) ---
  void CrashImage(Disk& disk, Image& image, bool last);
  void CrashOnce(const Image& image, const std::vector<Operation>& history, uint64_t crash_seed);
  std::string Damage(MemoryFileSystem& memory, Random& random);
  // Opens a store on `memory`, judges it, and says what it saw; nothing where it could not be opened.
  std::unique_ptr<Observation> Recover(const std::string& where, std::unique_ptr<MemoryFileSystem>& memory, const Image& image,
                                       const std::vector<Operation>& history, bool damaged);
  // Starts recovering `memory` and leaves what a crash before a random call of that leaves.
  void CrashInRecovery(std::unique_ptr<MemoryFileSystem>& memory, Random& random);

  const Scenario scenario_;
  Random random_;
  HistoryClock stamps_;
  std::atomic<uint64_t> next_number_{1};
  std::unique_ptr<Clock> clock_;
  uint64_t generation_ = 0;
  Base base_;
  std::unique_ptr<Base> next_base_;
  std::vector<ClientHistory> clients_;
  TortureResult result_;
};

}  // namespace cairn::torture
