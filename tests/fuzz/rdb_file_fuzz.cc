// Any bytes as an RDB file: refused, or keys whose values are refused or decoded, in Redis 7.0's form too; what was read is written and
// read again the same, but for what only Valkey's files can hold.
#include <cstdint>
#include <string>
#include <vector>

#include "base/memory_file_system.h"
#include "engine/codec/redis70_value.h"
#include "engine/codec/value_codec.h"
#include "snapshot/rdb_reader.h"
#include "snapshot/rdb_string_decoder.h"
#include "snapshot/rdb_writer.h"

using namespace cairn;  // NOLINT(google-build-using-namespace)

namespace {

struct Key {
  RdbEntry entry;
  std::string key, value;
  bool operator==(const Key& other) const {
    return entry.database == other.entry.database && entry.value_type == other.entry.value_type && key == other.key &&
           value == other.value && entry.expiry_unix_ms == other.entry.expiry_unix_ms && entry.idle_s == other.entry.idle_s &&
           entry.frequency == other.entry.frequency;
  }
};

bool ReadAll(MemoryFileSystem& fs, std::vector<Key>* keys) {
  auto reader = RdbReader::Open(fs, "dump.rdb");
  if (!reader.ok()) return false;
  for (RdbBatch batch;;) {
    if (!(*reader)->Next(&batch).ok()) return false;
    if (batch.entries.empty()) return true;
    for (const RdbEntry& entry : batch.entries) keys->push_back({entry, std::string(entry.key), std::string(entry.value)});
  }
}

void Decode(const Key& key) {
  uint8_t type = key.entry.value_type;
  if (type == kRdbTypeString) {
    std::string_view rest = key.value;
    RdbString string;
    std::string scratch;
    (void)DecodeRdbString(&rest, &string, &scratch);
    return;
  }
  LoadedValue value;
  const bool decoded = DecodeCollection(type, key.value, {}, &value).ok();
  if (!NeedsRedis70Form(type)) return;
  std::string converted;
  const bool is_converted = ToRedis70Form(key.value, 1'700'000'000'000, &type, &converted).ok();
  if (!decoded || !is_converted) return;
  LoadedValue again;
  CAIRN_CHECK(DecodeCollection(type, converted, {}, &again).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  MemoryFileSystem fs;
  auto file = fs.OpenForWriting("dump.rdb", FileSystem::OpenMode::kTruncate);
  CAIRN_CHECK((*file)->Append({reinterpret_cast<const char*>(data), size}).ok());
  std::vector<Key> keys;
  const bool whole = ReadAll(fs, &keys);
  for (const Key& key : keys) Decode(key);
  if (!whole) return 0;
  std::erase_if(keys, [](const Key& key) { return key.entry.value_type == kRdbTypeHash2; });  // stands in Valkey's files only
  auto writer = RdbWriter::Create(fs, "dump.rdb");
  for (const Key& key : keys) {
    RdbEntry entry = key.entry;
    entry.key = key.key;
    entry.value = key.value;
    (*writer)->AddEntry(entry);
  }
  CAIRN_CHECK((*writer)->Finish().ok());
  std::vector<Key> again;
  CAIRN_CHECK(ReadAll(fs, &again) && again == keys);
  return 0;
}
