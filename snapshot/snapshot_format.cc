#include "snapshot/snapshot_format.h"

#include <cstring>
#include <string>

#include "base/crc32c.h"

namespace cairn {

void EncodeBlockHeader(const BlockHeader& header, char* to) {
  StoreLittleEndian<uint32_t>(to, header.crc32c);
  StoreLittleEndian<uint8_t>(to + 4, static_cast<uint8_t>(header.kind));
  StoreLittleEndian<uint8_t>(to + 5, header.flags);
  StoreLittleEndian<uint16_t>(to + 6, header.shard);
  StoreLittleEndian<uint32_t>(to + 8, header.entry_count);
  StoreLittleEndian<uint32_t>(to + 12, header.raw_bytes);
  StoreLittleEndian<uint32_t>(to + 16, header.stored_bytes);
  StoreLittleEndian<uint32_t>(to + 20, header.run);
  StoreLittleEndian<uint32_t>(to + 24, header.sequence);
  StoreLittleEndian<uint32_t>(to + 28, 0);
}

BlockHeader DecodeBlockHeader(const char* from) {
  BlockHeader header;
  header.crc32c = LoadLittleEndian<uint32_t>(from);
  header.kind = static_cast<BlockKind>(LoadLittleEndian<uint8_t>(from + 4));
  header.flags = LoadLittleEndian<uint8_t>(from + 5);
  header.shard = LoadLittleEndian<uint16_t>(from + 6);
  header.entry_count = LoadLittleEndian<uint32_t>(from + 8);
  header.raw_bytes = LoadLittleEndian<uint32_t>(from + 12);
  header.stored_bytes = LoadLittleEndian<uint32_t>(from + 16);
  header.run = LoadLittleEndian<uint32_t>(from + 20);
  header.sequence = LoadLittleEndian<uint32_t>(from + 24);
  return header;
}

uint32_t BlockChecksum(const char* header_and_payload, size_t stored_bytes) {
  return Crc32c({header_and_payload + 4, kBlockHeaderBytes - 4 + stored_bytes});
}

const char* BlockHeaderProblem(const BlockHeader& header) {
  const bool in_run = header.kind == BlockKind::kBigEntry || header.kind == BlockKind::kSection;
  if (!in_run && header.kind != BlockKind::kEntries) return "unknown block kind";
  if (header.flags & ~kBlockFlagsKnown) return "unknown block flags";
  if (header.raw_bytes > kBlockRawMaxBytes) return "raw size over the limit";
  // An LZ4 block is smaller than its content, but by no more than 255 times; otherwise it would be
  // stored raw.
  if (header.lz4() ? header.stored_bytes >= header.raw_bytes || header.raw_bytes / 256 > header.stored_bytes
                   : header.stored_bytes != header.raw_bytes) {
    return "raw and stored sizes contradict each other";
  }
  if (in_run != (header.run != 0)) return "run number contradicts the kind";
  if (!in_run && (header.first() || header.last() || header.sequence != 0)) {
    return "run flags on a block outside runs";
  }
  if (in_run && header.first() != (header.sequence == 0)) return "first flag contradicts the place";
  switch (header.kind) {
    case BlockKind::kEntries:
      // The smallest entry is five bytes: database, flags, type and two lengths.
      return header.entry_count == 0 || header.entry_count > header.raw_bytes / 5 ? "impossible entry count" : nullptr;
    case BlockKind::kBigEntry: return header.entry_count == (header.first() ? 1u : 0u) ? nullptr : "impossible entry count";
    case BlockKind::kSection: return header.entry_count == 0 ? nullptr : "impossible entry count";
  }
  return "unknown block kind";
}

void EncodeFileHeader(const FileHeader& header, char* to) {
  std::memcpy(to, kSnapshotMagic.data(), 8);
  StoreLittleEndian<uint32_t>(to + 8, header.version);
  StoreLittleEndian<uint32_t>(to + 12, header.file_number);
  StoreLittleEndian<uint64_t>(to + 16, header.lsn);
  StoreLittleEndian<uint32_t>(to + 24, 0);
  StoreLittleEndian<uint32_t>(to + 28, Crc32c({to, 28}));
}

Result<FileHeader> DecodeFileHeader(const char* from) {
  if (std::string_view(from, 8) != kSnapshotMagic) {
    return Status::Damaged("not a snapshot data file (wrong magic)");
  }
  if (LoadLittleEndian<uint32_t>(from + 28) != Crc32c({from, 28})) {
    return Status::Damaged("file header fails its checksum");
  }
  FileHeader header;
  header.version = LoadLittleEndian<uint32_t>(from + 8);
  header.file_number = LoadLittleEndian<uint32_t>(from + 12);
  header.lsn = LoadLittleEndian<uint64_t>(from + 16);
  if (header.version > kSnapshotFormatVersion) {
    return Status::NewerFormat("snapshot format version " + std::to_string(header.version) + ", this program reads up to " +
                               std::to_string(kSnapshotFormatVersion) + ": use a newer Cairn");
  }
  if (header.version == 0) return Status::Damaged("snapshot format version 0 does not exist");
  return header;
}

void EncodeFooter(const Footer& footer, char* to) {
  StoreLittleEndian<uint64_t>(to, footer.index_offset);
  StoreLittleEndian<uint64_t>(to + 8, footer.index_bytes);
  StoreLittleEndian<uint32_t>(to + 16, footer.index_crc32c);
  StoreLittleEndian<uint32_t>(to + 20, kSnapshotFormatVersion);
  std::memcpy(to + 24, kSnapshotFooterMagic.data(), 8);
  StoreLittleEndian<uint32_t>(to + 32, Crc32c({to, 32}));
}

Result<Footer> DecodeFooter(const char* from) {
  if (std::string_view(from + 24, 8) != kSnapshotFooterMagic) {
    return Status::Damaged("the file does not end with a footer (cut short or never finished)");
  }
  if (LoadLittleEndian<uint32_t>(from + 32) != Crc32c({from, 32})) {
    return Status::Damaged("footer fails its checksum");
  }
  Footer footer;
  footer.index_offset = LoadLittleEndian<uint64_t>(from);
  footer.index_bytes = LoadLittleEndian<uint64_t>(from + 8);
  footer.index_crc32c = LoadLittleEndian<uint32_t>(from + 16);
  return footer;
}

uint32_t ExtendIndexChecksum(uint32_t so_far, uint32_t index_crc32c) {
  char bytes[sizeof(index_crc32c)];
  StoreLittleEndian<uint32_t>(bytes, index_crc32c);
  return Crc32c({bytes, sizeof(bytes)}, so_far);
}

}  // namespace cairn
