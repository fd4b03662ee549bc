// The log's bytes on disk: sizes, offsets and codecs that writer, reader, repair and tools share. FORMAT.md draws the same
// bytes; change both together, and raise kLogFormatVersion when an older reader could misread what a newer writer writes.
//
// All integers are little-endian. Numbers that reach the disk (FrameKind, offsets, magic) never move.
// Everything here is pure computation on memory: any thread, no I/O, nothing allocated except names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace cairn {

inline constexpr std::string_view kSegmentMagic = "CAIRNLOG";
inline constexpr uint32_t kLogFormatVersion = 1;

// --- Segment header: the first bytes of every file, written once before any frame. ---
inline constexpr size_t kSegmentMagicAt = 0;
inline constexpr size_t kSegmentVersionAt = 8;
inline constexpr size_t kSegmentSaltAt = 12;
inline constexpr size_t kSegmentFileIdAt = 16;
inline constexpr size_t kSegmentPredecessorAt = 24;
inline constexpr size_t kSegmentContinuesFromAt = 32;
inline constexpr size_t kSegmentFirstLsnAt = 40;
inline constexpr size_t kSegmentDurableLsnAt = 48;
inline constexpr size_t kSegmentWallUsAt = 56;
inline constexpr size_t kSegmentDirectoryIdAt = 64;
inline constexpr size_t kSegmentCrcAt = 68;
inline constexpr size_t kSegmentHeaderBytes = 72;
static_assert(kSegmentMagicAt + kSegmentMagic.size() == kSegmentVersionAt);
static_assert(kSegmentSaltAt == kSegmentVersionAt + sizeof(uint32_t));
static_assert(kSegmentWallUsAt == kSegmentFileIdAt + 5 * sizeof(uint64_t));
static_assert(kSegmentCrcAt + sizeof(uint32_t) == kSegmentHeaderBytes);

// --- Frame header: before every payload. ---
inline constexpr size_t kFrameCrcAt = 0;
inline constexpr size_t kFramePayloadBytesAt = 4;
inline constexpr size_t kFrameKindAt = 8;
inline constexpr size_t kFrameReservedAt = 9;  // seven zero bytes
inline constexpr size_t kFrameFileIdAt = 16;
inline constexpr size_t kFrameFirstLsnAt = 24;
inline constexpr size_t kFrameDurableLsnAt = 32;
inline constexpr size_t kFrameWallUsAt = 40;
inline constexpr size_t kFrameUnitBytesAt = 48;
inline constexpr size_t kFrameHeaderBytes = 56;
static_assert(kFrameKindAt == kFramePayloadBytesAt + sizeof(uint32_t));
static_assert(kFrameReservedAt + 7 == kFrameFileIdAt);
static_assert(kFrameUnitBytesAt + sizeof(uint64_t) == kFrameHeaderBytes);
static_assert(kFrameUnitBytesAt == kFrameFileIdAt + 4 * sizeof(uint64_t));

// No frame's payload is longer; readers size their buffers by it.
inline constexpr size_t kMaxPayloadBytes = size_t{1} << 20;
// Writers are never configured to shorter frames than this.
inline constexpr size_t kMinFrameBytes = 64;
// A successor frame's payload: the successor's file id, then the LSN it continues from.
inline constexpr size_t kSuccessorPayloadBytes = 16;
// Distance between the end of a log that did not end cleanly and the next LSN given out: more than any process could have
// written beyond the end that was found, so that no LSN ever names two different bytes.
inline constexpr uint64_t kUncleanLsnGap = uint64_t{1} << 40;
// Far more than a log can reach; larger values are damage.
inline constexpr Lsn kMaxLsn = uint64_t{1} << 62;

// Persisted. 0 never appears in a frame, so that unwritten (zero) bytes are never one.
enum class FrameKind : uint8_t {
  kData = 1,   // whole units
  kBegin = 2,  // the first part of a unit larger than a frame; unit_bytes is its whole length
  kMiddle = 3,
  kCommit = 4,     // its last part: with it the unit exists
  kSuccessor = 5,  // the segment ends here; payload names the next. Takes no LSNs
  kCleanEnd = 6,   // the log was closed here with everything durable. No payload
  kMark = 7,       // carries durable_lsn into an idle log. No payload
};

struct SegmentHeader {
  uint32_t version = kLogFormatVersion;
  uint32_t salt = 0;         // random; seeds every frame's CRC, so frames copied into values or other files never verify
  uint64_t file_id = 0;      // grows by at least one a file; equals the number in the file's name
  uint64_t predecessor = 0;  // file id of the segment before, 0 for the first
  Lsn continues_from = 0;    // supersedes whatever earlier segments hold from here on
  Lsn first_lsn = 0;         // its first byte; larger than continues_from after an unclean end, never smaller
  Lsn durable_lsn = 0;       // every byte before it was on disk when this file was created
  uint64_t wall_us = 0;      // creation
  // Of the directory it was made in (LogOptions::directory_id). 0: unknown, as in all segments of earlier versions, which did not write
  // it and do not look at it.
  uint32_t directory_id = 0;
};

struct FrameHeader {
  uint32_t payload_bytes = 0;
  FrameKind kind = FrameKind::kData;
  uint64_t file_id = 0;
  Lsn first_lsn = 0;        // of the payload's first byte; of the next byte to come for kinds without stream bytes
  Lsn durable_lsn = 0;      // every byte before it was on disk when this frame was written
  uint64_t wall_us = 0;     // never smaller than the frame before
  uint64_t unit_bytes = 0;  // kBegin only

  // True when the payload is part of the LSN stream.
  bool carries_stream() const { return kind >= FrameKind::kData && kind <= FrameKind::kCommit; }
  Lsn end_lsn() const { return carries_stream() ? first_lsn + payload_bytes : first_lsn; }
};

// Writes kSegmentHeaderBytes to `to`, CRC included.
void EncodeSegmentHeader(const SegmentHeader& header, char* to);
// kDamaged where the bytes are not a segment header, kNewerFormat where a newer version wrote it; both name `path`.
Result<SegmentHeader> DecodeSegmentHeader(std::string_view bytes, const std::string& path);

// Completes the frame whose payload already stands at `frame + kFrameHeaderBytes`: writes the header before it, CRC included.
void SealFrame(const FrameHeader& header, uint32_t salt, char* frame);

enum class FrameCheck : uint8_t { kGood, kIncomplete, kBad };
// Looks for one whole frame at the start of `bytes` (header and payload). kIncomplete: what is there could be a frame, but
// `bytes` ends before it does. kBad: whatever follows, this is not a frame of the file `file_id` with `salt`.
FrameCheck CheckFrame(std::string_view bytes, uint64_t file_id, uint32_t salt, FrameHeader* header);

void EncodeSuccessor(uint64_t file_id, Lsn continues_from, char* to);
struct Successor {
  uint64_t file_id = 0;
  Lsn continues_from = 0;
};
Successor DecodeSuccessor(std::string_view payload);

// "00000000000000000042.log" and back; nothing for names that are not a segment's.
std::string SegmentFileName(uint64_t file_id);
std::optional<uint64_t> ParseSegmentFileName(std::string_view name);
// Behind a segment's name while it is not complete; see segment_set.h.
inline constexpr std::string_view kReplacementSuffix = ".new";
// The file that holds space back for a full disk.
inline constexpr std::string_view kReserveFileName = "reserve";

}  // namespace cairn
