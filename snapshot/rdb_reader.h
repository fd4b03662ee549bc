// Reads an RDB file of any version of Redis up to kRdbNewestVersion, or of Valkey up to kRdbValkeyVersion, front to back:
//
//   CAIRN_ASSIGN_OR_RETURN(auto reader, RdbReader::Open(fs, path));
//   for (RdbBatch batch;;) {
//     CAIRN_RETURN_IF_ERROR(reader->Next(&batch));
//     if (batch.entries.empty()) break;  // the whole file was read, and its checksum is right
//     for (const RdbEntry& entry : batch.entries) ...
//   }
//
// Any bytes may come. Memory: a few MiB, or what the largest key and value together take; nothing is allocated for a length before the
// file is known to have so much left. Failure: kDamaged or kNewerFormat naming the file, the byte and what is wrong, or the file
// system's error; the reader is at its end then. Entries that came before may come from a damaged file: nothing is final until the end.
// Threads: one at a time; batches may be handed to others.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/status.h"
#include "snapshot/rdb_format.h"
#include "snapshot/rdb_value_extent.h"

namespace cairn {

// Some consecutive keys. Their views live as long as the batch (moved, not copied) or, but for the keys in `expanded_keys`, as `bytes`.
struct RdbBatch {
  std::vector<RdbEntry> entries;
  SharedBytes bytes;
  std::deque<std::string> expanded_keys;  // those that stand compressed, or as numbers
  uint64_t file_offset = 0;               // of bytes

  // Where in the file an entry's value stands.
  uint64_t OffsetOf(const RdbEntry& entry) const {
    return file_offset + static_cast<uint64_t>(entry.value.data() - bytes.view().data());
  }
};

class RdbReader {
 public:
  // The header is read and checked. `fs` outlives the reader.
  static Result<std::unique_ptr<RdbReader>> Open(FileSystem& fs, const std::string& path);

  // The next batch, replacing what was there; empty at the end.
  Status Next(RdbBatch* batch);

  uint32_t version() const { return version_; }
  uint64_t size_bytes() const { return size_; }
  // How far it has read; at the end, where the RDB ends: commands may follow (an AOF with an RDB preamble).
  uint64_t offset() const { return offset_; }
  // How many keys the file says databases have, in the order in which it does: hints, which may be wrong.
  struct DatabaseSize {
    uint32_t database;
    uint64_t keys;
  };
  const std::vector<DatabaseSize>& database_sizes() const { return database_sizes_; }
  // What has come so far of auxiliary fields, in order, and of function libraries' code.
  const std::vector<std::pair<std::string, std::string>>& aux_fields() const { return aux_fields_; }
  const std::vector<std::string>& functions() const { return functions_; }
  // The modules whose state outside of values was skipped. Keys that only a module understands end the reading.
  const std::vector<std::string>& skipped_modules() const { return skipped_modules_; }

 private:
  RdbReader(std::unique_ptr<RandomAccessFile> file, std::string path, uint64_t size)
      : file_(std::move(file)), path_(std::move(path)), size_(size) {}
  Status ReadHeader();
  // Puts at least `bytes` bytes from offset_ on into batch->bytes; kDamaged where the file has fewer.
  Status Fill(uint64_t bytes, RdbBatch* batch);
  void TakeItems(RdbCursor* cursor, RdbBatch* batch);
  // Takes one item off the front of the cursor's bytes. False with a cursor that failed, or with failure_ set.
  bool TakeItem(RdbCursor* cursor, RdbBatch* batch);
  bool TakeOpcode(RdbOpcode opcode, RdbCursor* cursor);
  bool TakeKey(uint8_t value_type, RdbCursor* cursor, RdbBatch* batch);
  bool TakeAux(RdbCursor* cursor);
  bool TakeModuleAux(RdbCursor* cursor);
  bool TakeKeyMeta(RdbCursor* cursor);
  bool TakeExpiry(RdbOpcode opcode, RdbCursor* cursor);
  Status CheckEnd();
  bool Fail(StatusCode code, const std::string& what);
  Status Located(StatusCode code, const std::string& what) const;

  const std::unique_ptr<RandomAccessFile> file_;
  const std::string path_;
  const uint64_t size_;
  uint32_t version_ = 0;
  bool valkey_ = false;
  uint64_t offset_ = 0;    // of the next item
  uint64_t checksum_ = 0;  // of all before it
  SharedBytes rest_;       // holds what was read beyond offset_, from rest_at_ on
  size_t rest_at_ = 0;
  uint64_t wanted_ = 1;  // bytes without which the next item is known to be incomplete
  RdbEntry next_;        // what opcodes said of the next key
  bool ended_ = false;
  Status failure_;
  std::vector<std::pair<std::string, std::string>> aux_fields_;
  std::vector<std::string> functions_;
  std::vector<std::string> skipped_modules_;
  std::vector<DatabaseSize> database_sizes_;
};

// A key as messages show it: printable, and not too long.
std::string QuotedKey(std::string_view key);

// The nine letters of a module's type, from the number that stands in the file.
std::string RdbModuleName(uint64_t id);

}  // namespace cairn
