// Images of a disk lose power, and the stores that are opened on what is left are judged.
#include <utility>

#include "tests/torture/torture_run.h"
#include "tests/torture/verdict.h"

namespace cairn::torture {
namespace {

std::string Where(const Image& image, uint64_t crash_seed) {
  return "crash " + std::to_string(crash_seed) + " before " + image.before;
}

}  // namespace

void TortureRun::CrashImage(Disk& disk, Image& image, bool last) {
  const std::vector<Operation> history = HistoryUntil(image.moment, scenario_.promise, base_.history, clients_);
  for (uint32_t i = 0; i < scenario_.crashes_per_image && result_.violations.empty(); i++) {
    CrashOnce(image, history, i == 0 ? MemoryFileSystem::kDropAll : random_.Next() | 1);
  }
  // One of the images is where the next generation begins.
  if (next_base_ != nullptr && !(last ? random_.OneIn(2) : random_.OneIn(4))) return;
  next_base_ = std::make_unique<Base>();
  next_base_->memory = image.memory->Image();
  next_base_->memory->CrashAndDropUnsynced(random_.Next() | 1);
  next_base_->memory->SetCapacityBytes(scenario_.capacity_bytes);
  for (const Operation& operation : history) {
    if (operation.kind != OpKind::kLedger) next_base_->history.push_back(operation);
  }
}

void TortureRun::CrashOnce(const Image& image, const std::vector<Operation>& history, uint64_t crash_seed) {
  Random random(crash_seed);
  std::string where = Where(image, crash_seed);
  std::unique_ptr<MemoryFileSystem> memory = image.memory->Image();
  memory->SetCapacityBytes(scenario_.capacity_bytes);
  const bool killed = scenario_.promise == Promise::kEverything && random.OneIn(4);
  if (!killed) memory->CrashAndDropUnsynced(crash_seed);
  result_.crashes++;
  if (scenario_.damage) {
    const std::string damage = Damage(*memory, random);
    (void)Recover(where + ", " + damage, memory, image, history, true);
    return;
  }
  if (random.OneIn(4)) {
    CrashInRecovery(memory, random);
    where += ", then in recovery";
    result_.crashes++;
  }
  std::unique_ptr<Observation> first = Recover(where + (killed ? ", killed" : ""), memory, image, history, false);
  if (first == nullptr || !killed) return;
  // What a client read after the kill must survive the power cut that follows.
  memory->CrashAndDropUnsynced(random.Next() | 1);
  result_.crashes++;
  std::unique_ptr<Observation> second = Recover(where + ", killed, power cut", memory, image, history, false);
  if (second != nullptr && *second != *first)
    Fail(where + ", killed, power cut", "values that were read after the kill are gone");
}

std::unique_ptr<Observation> TortureRun::Recover(const std::string& where, std::unique_ptr<MemoryFileSystem>& memory,
                                                 const Image& image, const std::vector<Operation>& history, bool damaged) {
  result_.recoveries++;
  Result<std::unique_ptr<Store>> opened = Store::Open(OptionsFor(*memory));
  if (!opened.ok()) {
    if (damaged && opened.status().message().find("db/") != std::string::npos) {
      result_.refusals++;
    } else {
      Fail(where, "the store cannot be opened: " + opened.status().ToString());
    }
    return nullptr;
  }
  const std::unique_ptr<Store> store = std::move(opened).value();
  if (store->end_lsn() < image.used_lsn) {
    Fail(where,
         "LSN " + std::to_string(store->end_lsn()) + " is given out again; " + std::to_string(image.used_lsn) + " was the end");
  }
  auto found = std::make_unique<Observation>(Observe(*store, generation_));
  for (const std::string& violation : Judge(history, *found, image.moment.sent_before + 1)) Fail(where, violation);
  // What a kill leaves goes on as it is: the disk of a store that is still open.
  std::unique_ptr<MemoryFileSystem> left = memory->Image();
  const Status closed = store->Close(false);
  if (!closed.ok()) Fail(where, "closing: " + closed.ToString());
  std::swap(memory, left);
  return found;
}

void TortureRun::CrashInRecovery(std::unique_ptr<MemoryFileSystem>& memory, Random& random) {
  Disk disk(memory->Image(), *clock_, &stamps_, {.seed = random.Next()});
  disk.CaptureBefore({random.Uniform(60)});
  {
    Result<std::unique_ptr<Store>> opened = Store::Open(OptionsFor(disk.fs()));
    result_.recoveries++;
  }
  if (disk.images().empty()) disk.CaptureNow("nothing");
  memory = std::move(disk.images()[0].memory);
  memory->CrashAndDropUnsynced(random.OneIn(4) ? MemoryFileSystem::kDropAll : random.Next() | 1);
}

// One fault of a bad disk, told in words.
std::string TortureRun::Damage(MemoryFileSystem& memory, Random& random) {
  std::vector<std::string> files;
  for (std::string& path : memory.Files()) {
    if (path.find("LOCK") == std::string::npos && *memory.FileSize(path) > 0) files.push_back(std::move(path));
  }
  if (files.empty()) return "nothing to damage";
  const std::string& path = files[random.Uniform(files.size())];
  const uint64_t size = *memory.FileSize(path);
  const uint64_t pages = (size + MemoryFileSystem::kPageBytes - 1) / MemoryFileSystem::kPageBytes;
  const uint64_t page = random.Uniform(pages);
  switch (random.Uniform(3)) {
    case 0:
      if (memory.MakePageStale(path, page)) return "page " + std::to_string(page) + " of " + path + " is stale";
      [[fallthrough]];
    case 1: {
      const std::string& other = files[random.Uniform(files.size())];
      const uint64_t other_pages = (*memory.FileSize(other) + MemoryFileSystem::kPageBytes - 1) / MemoryFileSystem::kPageBytes;
      const uint64_t from = random.Uniform(other_pages);
      (void)memory.MisdirectPage(other, from, path, page);
      return "page " + std::to_string(page) + " of " + path + " is page " + std::to_string(from) + " of " + other;
    }
    default: {
      const uint64_t offset = random.Uniform(std::min<uint64_t>(size, 100'000));
      (void)memory.FlipBit(path, offset, static_cast<int>(random.Uniform(8)));
      return "a bit of " + path + " at " + std::to_string(offset) + " is flipped";
    }
  }
}

}  // namespace cairn::torture
