// Writes an RDB file of version 10, which Redis 7.0 and later load:
//
//   CAIRN_ASSIGN_OR_RETURN(auto writer, RdbWriter::Create(fs, path));
//   writer->AddAux("redis-ver", "7.0.15");
//   writer->AddEntry(entry);                                  // or, with the value in parts:
//   writer->BeginEntry(head); writer->AppendValue(part); ...  // until the next Begin, Add or Finish
//   CAIRN_RETURN_IF_ERROR(writer->Finish());
//
// Durability: bytes go to PATH.tmp; only Finish, returning OK, puts a whole and synced file in place of PATH. Failure: the first one is
// kept, later calls do nothing, Finish returns it; Finish and the destructor then remove what was written. Threads: one at a time.
// Memory: one buffer of 1 MiB.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/status.h"
#include "snapshot/rdb_format.h"

namespace cairn {

class RdbWriter {
 public:
  // Replaces PATH where it exists. `fs` outlives the writer.
  static Result<std::unique_ptr<RdbWriter>> Create(FileSystem& fs, const std::string& path);
  // Writes to a file as it is, a pipe for example, by Append alone: there is nothing to publish or to remove.
  static std::unique_ptr<RdbWriter> Over(std::unique_ptr<WritableFile> file);
  ~RdbWriter();
  RdbWriter(const RdbWriter&) = delete;
  RdbWriter& operator=(const RdbWriter&) = delete;

  void AddAux(std::string_view name, std::string_view value);
  // The code of a function library.
  void AddFunction(std::string_view code);
  // A hint for the loader, before a database's first key.
  void AddDatabaseSize(uint32_t database, uint64_t keys, uint64_t expiring);

  // Keys may come in any order, databases too; writing one database after the other saves a few bytes.
  void AddEntry(const RdbEntry& entry);
  // The same for a value that comes in parts; entry.value is not looked at.
  void BeginEntry(const RdbEntry& entry);
  void AppendValue(std::string_view part) { Put(part); }
  // Whole keys of one database, encoded by the caller: AppendRdbEntryHead and the value of each.
  void AddEncoded(uint32_t database, std::string_view entries);

  // The file's size so far.
  uint64_t size_bytes() const { return written_ + buffer_.size(); }
  Status status() const { return failure_; }
  // Ends, syncs and publishes the file. Once.
  Status Finish();

 private:
  RdbWriter(FileSystem* fs, std::string path, std::unique_ptr<WritableFile> file);
  void Put(std::string_view bytes);
  void Write(std::string_view bytes);
  void SelectDatabase(uint32_t database);
  void Remove();

  FileSystem* const fs_;  // null: nothing to publish
  const std::string path_;
  const std::string unfinished_path_;
  std::unique_ptr<WritableFile> file_;
  std::string buffer_;
  uint64_t written_ = 0;
  uint64_t synced_ = 0;  // of what was written
  uint64_t checksum_ = 0;
  bool database_selected_ = false;
  uint32_t database_ = 0;
  bool done_ = false;
  Status failure_;
};

// Appends what stands in front of a key's value: expiry, idle time or frequency, type, key.
void AppendRdbEntryHead(std::string* out, const RdbEntry& entry);

}  // namespace cairn
