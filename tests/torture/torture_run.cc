#include "tests/torture/torture_run.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "wal/log_writer.h"

namespace cairn::torture {
namespace {

constexpr int64_t kFastClockFactor = 20;
constexpr uint32_t kCallsAtMost = 600;  // of a generation, among which those are chosen before which images are taken
constexpr int kRotationMs = 2'000;      // an empty segment is not ended: then nothing comes
constexpr int kHealingTries = 10'000;   // of a millisecond each

}  // namespace

TortureRun::TortureRun(const Scenario& scenario) : scenario_(scenario), random_(scenario.seed) {
  if (scenario.deterministic) {
    clock_ = std::make_unique<ManualClock>();
  } else {
    // The second of everysec is a real one: threads of the store wait in real time too.
    clock_ = std::make_unique<FastClock>(scenario.policy == FsyncPolicy::kEverySecond ? 1 : kFastClockFactor);
  }
  base_.memory = std::make_unique<MemoryFileSystem>();
  base_.memory->SetCapacityBytes(scenario.capacity_bytes);
}

TortureResult TortureRun::Run() {
  for (generation_ = 0; generation_ < scenario_.generations; generation_++) {
    if (!OneGeneration() || next_base_ == nullptr || !result_.violations.empty()) break;
    base_ = std::move(*next_base_);
    next_base_.reset();
  }
  return std::move(result_);
}

void TortureRun::Fail(const std::string& where, const std::string& what) {
  result_.violations.push_back("generation " + std::to_string(generation_) + ", " + where + ": " + what);
}

StoreOptions TortureRun::OptionsFor(FileSystem& fs) {
  StoreOptions options;
  options.directory = "db";
  options.databases = 1;
  options.threads = 1;
  options.file_system = &fs;
  options.clock = clock_.get();
  options.runtime.append_fsync = scenario_.policy;
  options.runtime.log_compact_percentage = 0;
  return options;
}

bool TortureRun::OneGeneration() {
  Disk disk(std::move(base_.memory), *clock_, &stamps_,
            {.seed = random_.Next(), .sync_delay_us = scenario_.sync_delay_us, .trace = scenario_.deterministic});
  std::set<uint64_t> calls;
  for (uint32_t i = 0; i < scenario_.images; i++) {
    calls.insert(scenario_.deterministic ? i : random_.Uniform(kCallsAtMost) * random_.Uniform(kCallsAtMost) / kCallsAtMost);
  }
  disk.CaptureBefore(calls);
  {
    Result<std::unique_ptr<Store>> opened = Store::Open(OptionsFor(disk.fs()));
    if (!opened.ok()) {
      Fail("opening", opened.status().ToString());
      return false;
    }
    result_.recoveries++;
    const std::unique_ptr<Store> store = std::move(opened).value();
    disk.NoteUsed(store->end_lsn());
    Work(*store, disk);
    CheckHealed(*store, disk);
    if (random_.OneIn(3)) {
      const Status closed = store->Close(random_.OneIn(3));
      if (!closed.ok()) Fail("closing", closed.ToString());
      disk.CaptureNow("nothing: the store was closed");
    }
  }
  result_.trace = disk.trace();
  if (disk.faulty().syncs_after_failure() != 0) Fail("working", "a file was synced again after a failure");
  for (size_t i = 0; i < disk.images().size() && result_.violations.empty(); i++) {
    CrashImage(disk, disk.images()[i], i + 1 == disk.images().size());
  }
  return true;
}

void TortureRun::Work(Store& store, Disk& disk) {
  std::vector<std::unique_ptr<TortureClient>> clients;
  for (uint32_t i = 0; i < scenario_.clients; i++) {
    const TortureClient::World world{store, disk, *clock_, stamps_, next_number_, generation_, scenario_.faults};
    clients.push_back(std::make_unique<TortureClient>(world, i, random_.Next()));
  }
  clients[0]->CreateGroup();
  if (scenario_.faults) {
    for (FileFault& fault : FaultsOf(random_)) disk.faulty().AddFault(std::move(fault));
  }
  const uint64_t administrator_seed = random_.Next();
  if (scenario_.deterministic) {
    WorkAlone(store, *clients[0], administrator_seed);
  } else {
    std::atomic<bool> working{true};
    std::thread administrator([&] { Administer(store, disk, working, administrator_seed); });
    std::vector<std::thread> threads;
    for (auto& client : clients) {
      threads.emplace_back([&client, this] {
        for (uint32_t i = 0; i < scenario_.operations; i++) client->Step();
      });
    }
    for (std::thread& thread : threads) thread.join();
    working = false;
    administrator.join();
  }
  clients_.clear();
  for (auto& client : clients) {
    result_.operations += client->history().size();
    for (const std::string& violation : client->violations()) Fail("client", violation);
    clients_.push_back(client->history());
  }
}

// One thing after the other: nothing is under way when the next begins, so the calls of the file system come in one order.
void TortureRun::WorkAlone(Store& store, TortureClient& client, uint64_t seed) {
  Random administrator(seed);
  for (uint32_t i = 0; i < scenario_.operations; i++) {
    client.One();
    if (administrator.OneIn(25)) (void)store.SaveAndWait();
    if (!administrator.OneIn(25)) continue;
    const uint64_t segments = store.log().stats().segments;
    (void)store.log().RotateSegment();
    for (int wait_ms = 0; wait_ms < kRotationMs && store.log().stats().segments == segments; wait_ms++) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
}

// Snapshots, compactions, rotation, a disk that fills up and is given room again.
void TortureRun::Administer(Store& store, Disk& disk, std::atomic<bool>& working, uint64_t seed) {
  Random random(seed);
  while (working) {
    std::this_thread::sleep_for(std::chrono::microseconds(200 + random.Uniform(4000)));
    switch (random.Uniform(scenario_.faults ? 6 : 4)) {
      case 0: (void)store.SaveAndWait(); break;
      case 1: (void)store.StartSnapshot(true); break;
      case 2: (void)store.log().RotateSegment(); break;
      case 4:
        disk.memory().SetCapacityBytes(0);
        std::this_thread::sleep_for(std::chrono::microseconds(random.Uniform(3000)));
        disk.memory().SetCapacityBytes(scenario_.capacity_bytes);
        break;
      default: break;
    }
  }
}

// Whatever the disk did: once it is well, writes are accepted again without a restart, and nothing is missing.
void TortureRun::CheckHealed(Store& store, Disk& disk) {
  if (!scenario_.faults) return;
  disk.faulty().ClearFaults();
  Client client;
  ReplyValue reply;
  for (int i = 0; i < kHealingTries; i++) {
    reply = store.Run(client, {"SET", "healed", "1"});
    if (reply.is_ok()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (!reply.is_ok()) Fail("after the faults", "writes are still refused: " + reply.text);
  disk.CaptureNow("nothing: the disk had failed and was well again");
}

}  // namespace cairn::torture
