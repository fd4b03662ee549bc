// Every kind of damage to a data directory ends in one of three ways: the same state, the state up to an LSN that a report names, or a
// refusal that names a file. Never a wrong value, never a part of the keyspace as if it were the whole. A table of the outcomes is printed.
//
// CAIRN_EVERY_BYTE=1 tries every offset and every byte (minutes); without it a sample of them, another one each time.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include "tests/engine_damage/directory_image.h"
#include "tests/support/test_seed.h"

namespace cairn {
namespace {

struct Trial {
  std::string row;  // of the table
  std::string what;
  DirectoryImage image;
};

// Outcomes counted by kind of damage; fails the test for each wrong one.
class OutcomeTable {
 public:
  void Add(const Trial& trial, const OpenedImage& opened) {
    std::lock_guard hold(mutex_);
    counts_[trial.row][static_cast<size_t>(opened.outcome)]++;
    if (opened.outcome == DamageOutcome::kWrong) ADD_FAILURE() << trial.row << ", " << trial.what << ": " << opened.text;
  }
  ~OutcomeTable() {
    std::printf("%-44s %8s %10s %8s %8s\n", "damage", "same", "up to LSN", "refused", "WRONG");
    for (const auto& [row, counts] : counts_) {
      std::printf("%-44s %8zu %10zu %8zu %8zu\n", row.c_str(), counts[0], counts[1], counts[2], counts[3]);
    }
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::array<size_t, 4>> counts_;
};

bool EveryByte() { return std::getenv("CAIRN_EVERY_BYTE") != nullptr; }

// Runs trial number 0 to count-1, or a sample of about `sample` of them, on all cores.
void RunTrials(size_t count, size_t sample, Random& random, const std::function<Trial(size_t)>& make,
               const RecordedLife::Kept& whole, const std::map<Lsn, uint64_t>& states, OutcomeTable* table) {
  std::vector<size_t> chosen;
  for (size_t i = 0; i < count; i++) {
    if (EveryByte() || count <= sample || random.Uniform(count) < sample) chosen.push_back(i);
  }
  std::atomic<size_t> next{0};
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); i++) {
    workers.emplace_back([&] {
      for (size_t at = next++; at < chosen.size(); at = next++) {
        const Trial trial = make(chosen[at]);
        table->Add(trial, OpenImage(trial.image, whole.state, states));
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
}

class DamageTableTest : public testing::Test {
 protected:
  OutcomeTable table_;
};

// A log alone, cut at every offset: while it was open, and after a clean end.
TEST_F(DamageTableTest, ALogCutAnywhere) {
  CAIRN_SEEDED(random);
  RecordedLife life(random.Next(), 0);
  life.Start();
  while (life.Keep("").at("db/log/00000000000000000001.log").size() < 66'000) life.Write(20);
  life.Keep("crashed");
  life.Close();
  life.Keep("closed");
  const std::string path = "db/log/00000000000000000001.log";
  for (size_t which = life.kept().size() - 2; which < life.kept().size(); which++) {
    const RecordedLife::Kept& whole = life.kept()[which];
    const std::string& bytes = whole.image.at(path);
    ASSERT_GE(bytes.size(), size_t{64} << 10);
    const auto cut = [&](size_t offset) {
      Trial trial{"log cut, " + whole.name, "at " + std::to_string(offset), whole.image};
      trial.image[path] = bytes.substr(0, offset);
      return trial;
    };
    RunTrials(bytes.size(), 300, random, cut, whole, life.states(), &table_);
    const auto flip = [&](size_t offset) {
      Trial trial{"segment byte changed, " + whole.name, "at " + std::to_string(offset), whole.image};
      trial.image[path][offset] = static_cast<char>(bytes[offset] ^ (1 + offset % 255));
      return trial;
    };
    RunTrials(bytes.size(), 300, random, flip, whole, life.states(), &table_);
  }
}

// Snapshot, manifest and log of a directory with all types, each byte changed in turn.
TEST_F(DamageTableTest, EveryByteChanged) {
  CAIRN_SEEDED(random);
  RecordedLife life(random.Next(), 0);
  life.Start();
  life.Write(400);
  life.Save(true);
  life.Write(20);
  life.Keep("crashed");
  life.Close();
  life.Keep("closed");
  for (const RecordedLife::Kept& whole : life.kept()) {
    for (const auto& file : whole.image) {
      const std::string& path = file.first;
      const std::string& bytes = file.second;
      const auto flip = [&](size_t offset) {
        Trial trial{KindOf(path) + " byte changed, " + whole.name, path + " at " + std::to_string(offset), whole.image};
        trial.image[path][offset] = static_cast<char>(bytes[offset] ^ (1 + (offset * 7 + 3) % 255));
        return trial;
      };
      RunTrials(bytes.size(), 200, random, flip, whole, life.states(), &table_);
      const auto cut = [&](size_t offset) {
        Trial trial{KindOf(path) + " cut, " + whole.name, path + " at " + std::to_string(offset), whole.image};
        trial.image[path] = bytes.substr(0, offset);
        return trial;
      };
      RunTrials(bytes.size(), 100, random, cut, whole, life.states(), &table_);
    }
  }
}

// A life with restarts, snapshots, rotation and compaction, with an image at every turn.
void LiveOn(RecordedLife& life) {
  life.Start();
  life.Keep("new");
  life.Write(60);
  life.Keep("first writes, crashed");
  life.Close();
  life.Keep("first writes, closed");
  life.Start();
  life.Keep("opened again");
  life.Write(40);
  life.Keep("second writes, crashed");
  life.Save(false);
  life.Keep("saved");
  life.Write(30);
  life.Keep("saved, third writes");
  life.Save(true);
  life.Keep("compacted");
  life.Write(30);
  life.Keep("compacted, fourth writes");
  life.Close();
  life.Keep("closed");
  life.Start();
  life.Close();
  life.Keep("opened and closed");
  life.Start();
  life.Write(25);
  life.Keep("last writes, crashed");
  life.Close();
  life.Keep("last writes, closed");
}

// A change of one file. Images are made of it when their turn comes, not kept: there are thousands.
struct FileChange {
  std::string row;
  std::string what;
  std::string path;
  const std::string* content;  // that the file has then; null: it is deleted
};

// Each file deleted; swapped with the one of another server of the same shape; swapped with an older one; an older one put back.
std::vector<FileChange> ChangesOf(const RecordedLife& life, size_t at, const RecordedLife& other) {
  const RecordedLife::Kept& whole = life.kept()[at];
  std::vector<FileChange> changes;
  for (const auto& file : whole.image) {
    const std::string& path = file.first;
    const std::string kind = KindOf(path);
    const std::string where = whole.name + ": " + path;
    changes.push_back({kind + " deleted", where, path, nullptr});
    for (const RecordedLife::Kept& kept : other.kept()) {
      const auto foreign = kept.image.find(path);
      if (foreign == kept.image.end()) continue;
      changes.push_back({kind + " of another server", where + " from its " + kept.name, path, &foreign->second});
    }
  }
  for (size_t o = 0; o < at; o++) {
    for (const auto& [path, bytes] : life.kept()[o].image) {
      const auto now = whole.image.find(path);
      if (now != whole.image.end() && now->second == bytes) continue;
      const std::string what = now == whole.image.end() ? " that was dropped, put back" : " from before";
      changes.push_back({KindOf(path) + what, whole.name + ": " + path + " of " + life.kept()[o].name, path, &bytes});
    }
  }
  return changes;
}

void SwapFiles(const RecordedLife& life, const RecordedLife& other, Random& random, OutcomeTable* table) {
  for (size_t at = 0; at < life.kept().size(); at++) {
    const RecordedLife::Kept& whole = life.kept()[at];
    const std::vector<FileChange> changes = ChangesOf(life, at, other);
    const auto make = [&](size_t i) {
      const FileChange& change = changes[i];
      Trial trial{change.row, change.what, whole.image};
      if (change.content == nullptr) {
        trial.image.erase(change.path);
      } else {
        trial.image[change.path] = *change.content;
      }
      return trial;
    };
    RunTrials(changes.size(), 1'000, random, make, whole, life.states(), table);
  }
}

TEST_F(DamageTableTest, FilesDeletedAndSwapped) {
  CAIRN_SEEDED(random);
  const uint64_t seed = random.Next();
  for (const int64_t retention_hours : {0, 1}) {
    RuntimeOptions runtime;
    runtime.log_retention_hours = retention_hours;
    RecordedLife life(seed, 0, runtime);
    RecordedLife other(seed, 1, runtime);
    LiveOn(life);
    LiveOn(other);
    ASSERT_EQ(life.states().rbegin()->first, other.states().rbegin()->first);
    SwapFiles(life, other, random, &table_);
  }
}

}  // namespace
}  // namespace cairn
