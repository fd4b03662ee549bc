#include "tests/engine_damage/directory_image.h"

#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "base/crc64.h"
#include "engine/keyspace/keyspace.h"
#include "engine/reply_value.h"
#include "snapshot/snapshot_directory.h"

namespace cairn {
namespace {

// A log on a disk this small writes no zeros ahead of need and holds little more than a megabyte in reserve: every image is copied
// several times, and larger ones would cost more than all else here.
constexpr uint64_t kDiskBytes = uint64_t{10} << 20;

void CopyFiles(MemoryFileSystem& fs, const std::string& directory, DirectoryImage* image) {
  const auto names = fs.ListDirectory(directory);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    const std::string path = JoinPath(directory, name);
    if (fs.ListDirectory(path).ok()) {
      CopyFiles(fs, path, image);
    } else if (const auto content = fs.Content(path); content.ok()) {
      (*image)[path] = *content;
    }
  }
}

}  // namespace

std::string KindOf(const std::string& path) {
  if (path.ends_with("/reserve")) return "reserve";
  if (path.find("/log/") != std::string::npos) return "segment";
  if (path.find("/snapshots/") != std::string::npos) return "snapshot";
  return path.find("MANIFEST") != std::string::npos ? "manifest" : "lock file";
}

StoreOptions ImageStoreOptions(FileSystem& fs, const std::string& directory, const RuntimeOptions& runtime) {
  StoreOptions options;
  options.directory = directory;
  options.threads = 1;
  options.databases = 4;
  options.file_system = &fs;
  options.runtime = runtime;
  options.runtime.save_points.clear();
  return options;
}

DirectoryImage CopyOf(MemoryFileSystem& fs) {
  DirectoryImage image;
  CopyFiles(fs, kImageDirectory, &image);
  return image;
}

void WriteImage(const DirectoryImage& image, MemoryFileSystem& fs) {
  for (const auto& [path, content] : image) {
    for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      ASSERT_TRUE(fs.CreateDirectory(path.substr(0, slash)).ok());
    }
    auto file = fs.OpenForWriting(path, FileSystem::OpenMode::kTruncate);
    ASSERT_TRUE(file.ok() && (*file)->WriteAt(0, content).ok()) << path;
  }
}

KeyspaceState StateOf(Store& store) {
  KeyspaceState state;
  Client client;
  for (uint32_t database = 0; database < store.keyspace().databases(); database++) {
    std::vector<std::string> keys;
    store.ForEachKey(database, [&](std::string_view key, const Entry&) { keys.emplace_back(key); });
    client.database = database;
    for (const std::string& key : keys) {
      const std::string value = store.Run(client, {"DUMP", key}).text;
      state[std::to_string(database) + ":" + key] = value + store.Run(client, {"PEXPIRETIME", key}).ToString();
    }
  }
  return state;
}

uint64_t HashOf(const KeyspaceState& state) {
  uint64_t hash = 1;
  for (const auto& [key, value] : state) hash = Crc64(value, Crc64(key, hash));
  return hash;
}

RecordedLife::RecordedLife(uint64_t seed, char values, RuntimeOptions runtime)
    : runtime_(std::move(runtime)), random_(seed), values_(values) {
  fs_.SetCapacityBytes(kDiskBytes);
}

RecordedLife::~RecordedLife() = default;

void RecordedLife::Start() {
  auto opened = Store::Open(ImageStoreOptions(fs_, kImageDirectory, runtime_));
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  store_ = std::move(opened).value();
}

void RecordedLife::Write(int commands) {
  for (int i = 0; i < commands; i++) {
    const std::vector<std::string> command = NextCommand();
    const std::vector<std::string_view> args(command.begin(), command.end());
    client_.database = static_cast<uint32_t>(random_.Uniform(3));
    const ReplyValue reply = store_->Run(client_, args);
    ASSERT_FALSE(reply.is_error()) << command[0] << ": " << reply.ToString();
    states_[store_->end_lsn()] = HashOf(StateOf(*store_));
  }
}

void RecordedLife::Save(bool rotate_first) {
  bool done = false;
  Status status = store_->StartSnapshot(rotate_first, nullptr, SnapshotPace::kFast);
  ASSERT_TRUE(status.ok()) << status.ToString();
  while (!done) done = !store_->Info().snapshot_in_progress;
  ASSERT_EQ(store_->Info().last_snapshot_error, "");
  states_[store_->end_lsn()] = HashOf(StateOf(*store_));
}

void RecordedLife::Close() {
  ASSERT_TRUE(store_->Close(false).ok());
  store_.reset();
}

const DirectoryImage& RecordedLife::Keep(const std::string& name) {
  const uint64_t state = states_.empty() ? HashOf({}) : states_.rbegin()->second;
  kept_.push_back({name, CopyOf(fs_), state});
  return kept_.back().image;
}

std::string RecordedLife::Value(uint64_t longest) {
  std::string value = random_.Bytes(1 + random_.Uniform(longest));
  for (char& byte : value) byte = static_cast<char>(byte ^ values_);
  return value;
}

std::vector<std::string> RecordedLife::CollectionCommand(uint64_t kind, const std::string& key) {
  const std::string number = std::to_string(random_.Uniform(1000));
  switch (kind) {
    case 0: return {"RPUSH", "list:" + key, Value(40), Value(200), number};
    case 1: return {"LPOP", "list:" + key};
    case 2: return {"SADD", "set:" + key, Value(10), Value(60)};
    case 3: return {"SADD", "ints:" + key, number};
    case 4: return {"HSET", "hash:" + key, "f" + number, Value(80), Value(8), number};
    case 5: return {"HDEL", "hash:" + key, "f" + number};
    case 6: return {"ZADD", "zset:" + key, number, Value(30), number + ".5", Value(12)};
    case 7: return {"ZPOPMIN", "zset:" + key};
    case 8: return {"XADD", "stream:" + key, std::to_string(++stream_id_) + "-1", "field", Value(50)};
    case 9: return {"PFADD", "hll:" + key, Value(9), Value(9)};
    case 10: return {"SETBIT", "bits:" + key, number, "1"};
    default: return {"GEOADD", "geo:" + key, "13." + number, "38.1", Value(20)};
  }
}

std::vector<std::string> RecordedLife::NextCommand() {
  const std::string key = std::to_string(random_.Uniform(4));
  switch (random_.Uniform(20)) {
    case 0: return {"SET", "string:" + key, Value(3000)};
    case 1: return {"SET", "string:" + key, Value(100), "PX", "100000000"};
    case 2: return {"INCRBY", "number:" + key, std::to_string(random_.Uniform(100))};
    case 3: return {"APPEND", "string:" + key, Value(60)};
    case 4: return {"DEL", "string:" + key, "set:" + key};
    case 5: return {"COPY", "hash:" + key, "hash:copy", "REPLACE"};
    case 6: return {"HSET", "large:" + key, Value(100), Value(100)};  // over hash-max-listpack-value: a trie
    case 7: return {"RPUSH", "large-list:" + key, Value(2000)};
    default: return CollectionCommand(random_.Uniform(12), key);
  }
}

OpenedImage OpenImage(const DirectoryImage& image, uint64_t expected, const std::map<Lsn, uint64_t>& states) {
  MemoryFileSystem fs;
  fs.SetCapacityBytes(kDiskBytes);
  WriteImage(image, fs);
  auto opened = Store::Open(ImageStoreOptions(fs, kImageDirectory));
  if (!opened.ok()) {
    const std::string message(opened.status().message());
    const bool named = message.find(std::string(kImageDirectory) + "/") != std::string::npos;
    return {named ? DamageOutcome::kRefused : DamageOutcome::kWrong, (named ? "" : "refused without a file: ") + message};
  }
  const uint64_t state = HashOf(StateOf(**opened));
  const std::string report = (*opened)->Info().load_report;
  if (state == expected) return {DamageOutcome::kSame, report};
  constexpr std::string_view kNamed = "up to LSN ";
  const size_t at = report.find(kNamed);
  if (at == std::string::npos) return {DamageOutcome::kWrong, "another state, silently; report: " + report};
  const Lsn lsn = std::strtoull(report.c_str() + at + kNamed.size(), nullptr, 10);
  const auto known = states.find(lsn);
  const uint64_t named_state = known == states.end() ? HashOf({}) : known->second;
  if (known == states.end() && !states.empty() && lsn >= states.begin()->first) {
    return {DamageOutcome::kWrong, "reports LSN " + std::to_string(lsn) + ", where no command ended: " + report};
  }
  if (named_state != state) return {DamageOutcome::kWrong, "not the state at the LSN it reports: " + report};
  return {DamageOutcome::kUpToLsn, report};
}

}  // namespace cairn
