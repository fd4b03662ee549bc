// The opening half of SnapshotReader: reads headers, footers and indexes of all data files and
// believes nothing of them that it has not checked. Used once, by one thread, by snapshot_reader.cc
// only.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "snapshot/snapshot_reader.h"
#include "snapshot/snapshot_survey.h"

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
  // Opens what can be used of it (snapshot_salvage.cc): where an index is damaged, blocks are found by their own headers. Fails only
  // where the disk does, or for a newer format.
  Result<std::unique_ptr<SnapshotReader>> OpenDamaged(std::vector<SnapshotFault>* faults);

 private:
  // Block numbers by run, of the file being opened.
  struct Run {
    size_t first;
    size_t last;
    bool is_used_section = false;
  };

  Status OpenFile(uint32_t number);
  Status ReadHeader(const RandomAccessFile& file, FileHeader* header);
  Status ReadIndex(const RandomAccessFile& file, uint32_t number, pb::SnapshotIndex* index);
  Status CheckHeader(const FileHeader& header, const pb::SnapshotIndex& index);
  Status CheckFileAgreement(const pb::SnapshotIndex& index, uint32_t number);
  Status AddBlocks(const pb::SnapshotIndex& index, uint32_t number);
  Status AddBlock(const pb::SnapshotBlock& stored, uint32_t number, uint64_t* offset);
  Status LinkRun(size_t block_number);
  Status AddSections(const pb::SnapshotIndex& index);
  Status AddCounts(const pb::SnapshotIndex& index);
  Status SumCounts();
  // --- Salvage ---
  Status OpenDamagedFile(uint32_t number, const std::string& path, const RandomAccessFile& file, pb::SnapshotIndex* index);
  Status ScanBlocks(const RandomAccessFile& file, uint64_t file_bytes, pb::SnapshotIndex* index);
  Result<bool> TakeIndexBehindBlocks(const RandomAccessFile& file, uint64_t file_bytes, pb::SnapshotIndex* index);
  void DropBrokenRuns(const std::string& path, pb::SnapshotIndex* index);
  void AddFault(const std::string& path, uint64_t offset, uint64_t bytes, std::string what, bool loses);
  // Fills `to` or fails with kDamaged.
  Status ReadExactly(const RandomAccessFile& file, uint64_t offset, size_t size_bytes, char* to);

  FileSystem& fs_;
  const std::string path_;
  std::unique_ptr<SnapshotReader> reader_;
  uint32_t file_count_ = 1;
  uint64_t index_offset_ = 0;                     // of the file being opened
  std::vector<SnapshotFault>* faults_ = nullptr;  // salvage: what is wrong; blocks need not tile the file then
  std::unordered_map<uint32_t, Run> runs_;
};

}  // namespace cairn
