// Data directories as values: the files of a store on a file system in memory, copied, damaged and opened again, and what may come of
// that.
//
// Threads: an image is a value; Opened() makes a file system and a store of its own, so that many may run at once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/memory_file_system.h"
#include "base/random.h"
#include "engine/store.h"

namespace cairn {

// Path -> content.
using DirectoryImage = std::map<std::string, std::string>;

inline constexpr char kImageDirectory[] = "db";

DirectoryImage CopyOf(MemoryFileSystem& fs);
// "segment", "snapshot", "manifest", "reserve" or "lock file".
std::string KindOf(const std::string& path);
StoreOptions ImageStoreOptions(FileSystem& fs, const std::string& directory, const RuntimeOptions& runtime = {});
void WriteImage(const DirectoryImage& image, MemoryFileSystem& fs);

// All keys of all databases with their values as DUMP gives them and their expiries.
using KeyspaceState = std::map<std::string, std::string>;
KeyspaceState StateOf(Store& store);
uint64_t HashOf(const KeyspaceState& state);

// One server's life: a fixed list of commands over every type, recorded with the state after each, and images taken on the way. Servers
// with other `values` write other bytes of the same lengths, so that their files fit each other as well as files ever will.
class RecordedLife {
 public:
  RecordedLife(uint64_t seed, char values, RuntimeOptions runtime = {});
  ~RecordedLife();

  void Start();
  void Write(int commands);
  void Save(bool rotate_first);
  void Close();
  // What a crash now would leave, everything being durable.
  const DirectoryImage& Keep(const std::string& name);

  // The hash of the state at an LSN that a command ended at.
  const std::map<Lsn, uint64_t>& states() const { return states_; }
  struct Kept {
    std::string name;
    DirectoryImage image;
    uint64_t state = 0;
  };
  const std::vector<Kept>& kept() const { return kept_; }

 private:
  std::vector<std::string> NextCommand();
  std::vector<std::string> CollectionCommand(uint64_t kind, const std::string& key);
  std::string Value(uint64_t longest);

  MemoryFileSystem fs_;
  RuntimeOptions runtime_;
  Random random_;
  const char values_;
  uint64_t stream_id_ = 0;
  Client client_;
  std::unique_ptr<Store> store_;
  std::map<Lsn, uint64_t> states_;
  std::vector<Kept> kept_;
};

// What became of an image. kWrong is the one that must not be.
enum class DamageOutcome : uint8_t { kSame, kUpToLsn, kRefused, kWrong };
struct OpenedImage {
  DamageOutcome outcome = DamageOutcome::kWrong;
  std::string text;  // the report, the refusal, or what is wrong
};
// Opens a copy and compares: `expected` is the state it held before the damage, `states` those that a report may name.
OpenedImage OpenImage(const DirectoryImage& image, uint64_t expected, const std::map<Lsn, uint64_t>& states);

}  // namespace cairn
