// Any bytes as a snapshot's data file, as they are and with all checksums made right, so that what
// stands behind them is reached: opening and reading everything ends in content or in an error.
#include <lz4.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/crc32c.h"
#include "base/memory_file_system.h"
#include "snapshot/snapshot_format.h"
#include "snapshot/snapshot_index.pb.h"
#include "snapshot/snapshot_reader.h"
#include "snapshot/snapshot_survey.h"

namespace cairn {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void ReadBig(const SnapshotReader& reader, size_t i) {
  const auto big = reader.OpenBigEntry(i);
  if (!big.ok()) return;
  uint64_t value_bytes = 0;
  for (;;) {
    const auto part = (*big)->NextPart();
    if (!part.ok()) return;
    if (part->empty()) break;
    value_bytes += part->size();
  }
  Require(value_bytes == (*big)->value_bytes());
}

// Whether all of it could be read.
bool ReadAll(const SnapshotReader& reader) {
  BlockBuffer buffer;
  bool whole = true;
  for (size_t i = 0; i < reader.block_count(); i++) {
    const BlockHeader& header = reader.block(i).header;
    if (header.kind == BlockKind::kBigEntry && header.first()) ReadBig(reader, i);
    const auto bytes = reader.ReadBlock(i, buffer);
    whole = whole && bytes.ok();
    if (!bytes.ok()) continue;
    Require(bytes->size() == header.raw_bytes);
    EntryReader entries(*bytes, header.entry_count);
    for (EntryView entry; entries.Next(&entry);) {
    }
    whole = whole && reader.Located(i, header.kind == BlockKind::kEntries ? entries.status() : Status()).ok();
  }
  for (const std::string& name : reader.section_names()) (void)reader.ReadSection(name);
  return whole;
}

void Check(const std::string& bytes) {
  MemoryFileSystem fs;
  Require(fs.CreateDirectory("s").ok());
  {
    const auto file = fs.OpenForWriting("s/data-00000", FileSystem::OpenMode::kCreateNew);
    Require(file.ok() && (*file)->Append(bytes).ok());
  }
  const auto reader = SnapshotReader::OpenPath(fs, "s");
  const bool whole = reader.ok() && ReadAll(**reader);
  SnapshotSurvey survey;
  const Status surveyed = SurveySnapshot(fs, "s", nullptr, nullptr, nullptr, &survey);
  Require(!whole || surveyed.ok());
  // What a reader refuses a survey names.
  Require(reader.ok() || !surveyed.ok() || !survey.faults.empty());
}

// Makes the file header, every block that the index can reach, the index and the footer agree.
std::string Sealed(std::string bytes) {
  if (bytes.size() < kFileHeaderBytes + kFooterBytes) return bytes;
  char* footer = bytes.data() + bytes.size() - kFooterBytes;
  const uint64_t index_offset = LoadLittleEndian<uint64_t>(footer);
  const uint64_t footer_offset = bytes.size() - kFooterBytes;
  if (index_offset < kFileHeaderBytes || index_offset > footer_offset) return bytes;
  pb::SnapshotIndex index;
  if (!index.ParseFromArray(bytes.data() + index_offset, static_cast<int>(footer_offset - index_offset))) return bytes;
  uint64_t offset = kFileHeaderBytes;
  for (pb::SnapshotBlock& block : *index.mutable_blocks()) {
    if (block.stored_bytes() > kBlockRawMaxBytes) break;
    const uint64_t end = offset + kBlockHeaderBytes + block.stored_bytes();
    if (end > index_offset) break;
    BlockHeader header{.kind = static_cast<BlockKind>(block.kind()),
                       .flags = static_cast<uint8_t>(block.flags()),
                       .shard = static_cast<uint16_t>(block.shard()),
                       .entry_count = block.entry_count(),
                       .raw_bytes = block.raw_bytes(),
                       .stored_bytes = block.stored_bytes(),
                       .run = block.run(),
                       .sequence = block.sequence()};
    EncodeBlockHeader(header, bytes.data() + offset);
    header.crc32c = BlockChecksum(bytes.data() + offset, block.stored_bytes());
    StoreLittleEndian<uint32_t>(bytes.data() + offset, header.crc32c);
    block.set_offset(offset);
    block.set_crc32c(header.crc32c);
    offset = end;
  }
  bytes.resize(offset);
  EncodeFileHeader({.file_number = index.file_number(), .lsn = index.lsn()}, bytes.data());
  const std::string index_bytes = index.SerializeAsString();
  char sealed_footer[kFooterBytes];
  EncodeFooter({.index_offset = offset, .index_bytes = index_bytes.size(), .index_crc32c = Crc32c(index_bytes)}, sealed_footer);
  return bytes + index_bytes + std::string(sealed_footer, kFooterBytes);
}

}  // namespace
}  // namespace cairn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  cairn::Check(input);
  cairn::Check(cairn::Sealed(input));
  return 0;
}
