// The opening half of SnapshotReader: reads headers, footers and indexes of all data files and
// believes nothing of them that it has not checked. Used once, by one thread, by snapshot_reader.cc
// only.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "snapshot/snapshot_reader.h"

namespace cairn {

namespace pb {
class SnapshotIndex;
class SnapshotBlock;
}  // namespace pb

class SnapshotOpener {
 public:
  SnapshotOpener(FileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}

  // All checks of SnapshotReader::OpenPath.
  Result<std::unique_ptr<SnapshotReader>> Open();

 private:
  // Block numbers by run, of the file being opened.
  struct Run {
    size_t first;
    size_t last;
    bool is_used_section = false;
  };

  Status OpenFile(uint32_t number);
  Status ReadIndex(const RandomAccessFile& file, uint32_t number, pb::SnapshotIndex* index);
  Status CheckFileAgreement(const pb::SnapshotIndex& index, uint32_t number);
  Status AddBlocks(const pb::SnapshotIndex& index, uint32_t number);
  Status AddBlock(const pb::SnapshotBlock& stored, uint32_t number, uint64_t* offset);
  Status LinkRun(size_t block_number);
  Status AddSections(const pb::SnapshotIndex& index);
  Status AddCounts(const pb::SnapshotIndex& index);
  Status SumCounts();
  // Fills `to` or fails with kDamaged.
  Status ReadExactly(const RandomAccessFile& file, uint64_t offset, size_t size_bytes, char* to);

  FileSystem& fs_;
  const std::string path_;
  std::unique_ptr<SnapshotReader> reader_;
  uint32_t file_count_ = 1;
  uint64_t index_offset_ = 0;  // of the file being opened
  std::unordered_map<uint32_t, Run> runs_;
};

}  // namespace cairn
