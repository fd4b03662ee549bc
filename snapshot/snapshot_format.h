// The bytes of a snapshot's data file that writer and reader share: sizes, tags, and the fixed
// records around and between the blocks. FORMAT.md draws them and lists the sources that change
// together; entry_codec.h has the inside of a block.
//
// Invariants:
// - Every byte of a data file is covered by exactly one checksum (or is one), and blocks tile the
// file without gaps.
// - The file header never moves in any format version, so an older program can tell "newer" from
// "damaged".
// - Numbers here are on disk: they are added to, never changed or reused.
// Everything here is pure and may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace cairn {

inline constexpr uint32_t kSnapshotFormatVersion = 1;

inline constexpr std::string_view kSnapshotMagic = "CAIRNSNP";
inline constexpr std::string_view kSnapshotFooterMagic = "CAIRNEND";
static_assert(kSnapshotMagic.size() == 8 && kSnapshotFooterMagic.size() == 8);

inline constexpr size_t kFileHeaderBytes = 32;
inline constexpr size_t kBlockHeaderBytes = 32;
inline constexpr size_t kFooterBytes = 36;

// A writer closes a block once it holds this many raw bytes; only an entry that was begun before
// goes beyond.
inline constexpr size_t kBlockTargetBytes = 256 * 1024;
// An entry whose key and value are together larger is stored as a run of blocks (a big entry).
inline constexpr size_t kInlineEntryMaxBytes = 256 * 1024;
// No block is larger once decompressed: what a reader allocates before it has seen the content.
inline constexpr size_t kBlockRawMaxBytes = 1024 * 1024;
// Shards fit 16 bits in the block header; a file number has five digits in its name.
inline constexpr uint32_t kSnapshotShardsMax = 65536;
inline constexpr uint32_t kSnapshotFilesMax = 4096;

enum class BlockKind : uint8_t {
  kEntries = 1,   // whole entries, one after the other
  kBigEntry = 2,  // a piece of one entry that is larger than a block
  kSection = 3,   // a piece of an opaque named section
};

enum BlockFlag : uint8_t {
  kBlockLz4 = 1,         // the payload is one LZ4 block; otherwise it is the raw bytes
  kBlockFirstOfRun = 2,  // the run (big entry or section) begins here
  kBlockLastOfRun = 4,   // the run ends here
};
inline constexpr uint8_t kBlockFlagsKnown = 7;

// The record in front of every block's payload.
struct BlockHeader {
  uint32_t crc32c = 0;  // of the header behind this field and the payload
  BlockKind kind = BlockKind::kEntries;
  uint8_t flags = 0;
  uint16_t shard = 0;
  uint32_t entry_count = 0;  // entries that begin in this block
  uint32_t raw_bytes = 0;
  uint32_t stored_bytes = 0;
  uint32_t run = 0;       // names a run within its file, from 1; 0 in blocks of whole entries
  uint32_t sequence = 0;  // the piece's place in its run, from 0

  bool operator==(const BlockHeader&) const = default;
  bool lz4() const { return flags & kBlockLz4; }
  bool first() const { return flags & kBlockFirstOfRun; }
  bool last() const { return flags & kBlockLastOfRun; }
};

// Writes all fields, the checksum as it stands; `to` has kBlockHeaderBytes.
void EncodeBlockHeader(const BlockHeader& header, char* to);
// Reads them back; any bytes decode, ValidateBlockHeader judges.
BlockHeader DecodeBlockHeader(const char* from);
// The checksum for an encoded header followed by its payload, whatever the header's checksum field
// holds.
uint32_t BlockChecksum(const char* header_and_payload, size_t stored_bytes);
// Why no writer can have written this header; null when one can. Bounds every size before anybody
// allocates for it.
const char* BlockHeaderProblem(const BlockHeader& header);

// The first bytes of every data file. Their layout is the same in all format versions.
struct FileHeader {
  uint32_t version = kSnapshotFormatVersion;
  uint32_t file_number = 0;
  Lsn lsn = 0;
};
void EncodeFileHeader(const FileHeader& header, char* to);
// `from` has kFileHeaderBytes. kDamaged for a wrong magic or checksum, kNewerFormat for a later
// version; the messages do not name the file.
Result<FileHeader> DecodeFileHeader(const char* from);

// The last bytes of every data file: where its index is.
struct Footer {
  uint64_t index_offset = 0;
  uint64_t index_bytes = 0;
  uint32_t index_crc32c = 0;
};
void EncodeFooter(const Footer& footer, char* to);
// `from` has kFooterBytes. kDamaged for a wrong magic or checksum; the message does not name the
// file.
Result<Footer> DecodeFooter(const char* from);
// SnapshotInfo::index_checksum: starts at 0 and takes in the index checksum of each file, in order.
uint32_t ExtendIndexChecksum(uint32_t so_far, uint32_t index_crc32c);

static_assert(kFileHeaderBytes == 8 + 4 + 4 + 8 + 4 + 4);
static_assert(kBlockHeaderBytes == 4 + 1 + 1 + 2 + 5 * 4 + 4);
static_assert(kFooterBytes == 8 + 8 + 4 + 4 + 8 + 4);
static_assert(kBlockTargetBytes + kInlineEntryMaxBytes + 64 <= kBlockRawMaxBytes);
static_assert(static_cast<int>(BlockKind::kSection) == 3 && kBlockLastOfRun == 4);

}  // namespace cairn
