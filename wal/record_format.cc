#include "wal/record_format.h"

#include <cstdio>
#include <cstring>

#include "base/crc32c.h"

namespace cairn {
namespace {

// What a kind promises about its payload's length.
bool LengthFitsKind(uint8_t kind, uint32_t payload_bytes) {
  switch (static_cast<FrameKind>(kind)) {
    case FrameKind::kData:
    case FrameKind::kBegin:
    case FrameKind::kMiddle:
    case FrameKind::kCommit: return payload_bytes > 0 && payload_bytes <= kMaxPayloadBytes;
    case FrameKind::kSuccessor: return payload_bytes == kSuccessorPayloadBytes;
    case FrameKind::kCleanEnd:
    case FrameKind::kMark: return payload_bytes == 0;
  }
  return false;
}

}  // namespace

void EncodeSegmentHeader(const SegmentHeader& header, char* to) {
  std::memset(to, 0, kSegmentHeaderBytes);
  std::memcpy(to + kSegmentMagicAt, kSegmentMagic.data(), kSegmentMagic.size());
  StoreLittleEndian<uint32_t>(to + kSegmentVersionAt, header.version);
  StoreLittleEndian<uint32_t>(to + kSegmentSaltAt, header.salt);
  StoreLittleEndian<uint64_t>(to + kSegmentFileIdAt, header.file_id);
  StoreLittleEndian<uint64_t>(to + kSegmentPredecessorAt, header.predecessor);
  StoreLittleEndian<uint64_t>(to + kSegmentContinuesFromAt, header.continues_from);
  StoreLittleEndian<uint64_t>(to + kSegmentFirstLsnAt, header.first_lsn);
  StoreLittleEndian<uint64_t>(to + kSegmentDurableLsnAt, header.durable_lsn);
  StoreLittleEndian<uint64_t>(to + kSegmentWallUsAt, header.wall_us);
  StoreLittleEndian<uint32_t>(to + kSegmentDirectoryIdAt, header.directory_id);
  StoreLittleEndian<uint32_t>(to + kSegmentCrcAt, Crc32c(std::string_view(to, kSegmentCrcAt)));
}

Result<SegmentHeader> DecodeSegmentHeader(std::string_view bytes, const std::string& path) {
  if (bytes.size() < kSegmentHeaderBytes || bytes.substr(kSegmentMagicAt, kSegmentMagic.size()) != kSegmentMagic) {
    return Status::Damaged(path + " is not a log segment: its first bytes are wrong");
  }
  const char* from = bytes.data();
  if (LoadLittleEndian<uint32_t>(from + kSegmentCrcAt) != Crc32c(bytes.substr(0, kSegmentCrcAt))) {
    return Status::Damaged(path + ": the segment header fails its checksum");
  }
  SegmentHeader header;
  header.version = LoadLittleEndian<uint32_t>(from + kSegmentVersionAt);
  if (header.version > kLogFormatVersion) {
    return Status::NewerFormat(path + " was written by a newer version (log format " + std::to_string(header.version) +
                               ", this one reads up to " + std::to_string(kLogFormatVersion) + "): start the newer version");
  }
  header.salt = LoadLittleEndian<uint32_t>(from + kSegmentSaltAt);
  header.file_id = LoadLittleEndian<uint64_t>(from + kSegmentFileIdAt);
  header.predecessor = LoadLittleEndian<uint64_t>(from + kSegmentPredecessorAt);
  header.continues_from = LoadLittleEndian<uint64_t>(from + kSegmentContinuesFromAt);
  header.first_lsn = LoadLittleEndian<uint64_t>(from + kSegmentFirstLsnAt);
  header.durable_lsn = LoadLittleEndian<uint64_t>(from + kSegmentDurableLsnAt);
  header.wall_us = LoadLittleEndian<uint64_t>(from + kSegmentWallUsAt);
  header.directory_id = LoadLittleEndian<uint32_t>(from + kSegmentDirectoryIdAt);
  if (header.version == 0 || header.first_lsn < header.continues_from || header.predecessor >= header.file_id ||
      header.first_lsn > kMaxLsn || (header.first_lsn > header.continues_from && header.durable_lsn < header.first_lsn)) {
    return Status::Damaged(path + ": the segment header contradicts itself");
  }
  return header;
}

void SealFrame(const FrameHeader& header, uint32_t salt, char* frame) {
  StoreLittleEndian<uint32_t>(frame + kFramePayloadBytesAt, header.payload_bytes);
  StoreLittleEndian<uint64_t>(frame + kFrameKindAt, static_cast<uint64_t>(header.kind));  // the kind and seven zeros
  StoreLittleEndian<uint64_t>(frame + kFrameFileIdAt, header.file_id);
  StoreLittleEndian<uint64_t>(frame + kFrameFirstLsnAt, header.first_lsn);
  StoreLittleEndian<uint64_t>(frame + kFrameDurableLsnAt, header.durable_lsn);
  StoreLittleEndian<uint64_t>(frame + kFrameWallUsAt, header.wall_us);
  StoreLittleEndian<uint64_t>(frame + kFrameUnitBytesAt, header.unit_bytes);
  std::string_view covered(frame + kFramePayloadBytesAt, kFrameHeaderBytes - kFramePayloadBytesAt + header.payload_bytes);
  StoreLittleEndian<uint32_t>(frame + kFrameCrcAt, Crc32c(covered, salt));
}

FrameCheck CheckFrame(std::string_view bytes, uint64_t file_id, uint32_t salt, FrameHeader* header) {
  if (bytes.size() < kFrameHeaderBytes) return FrameCheck::kIncomplete;
  const char* from = bytes.data();
  uint64_t kind_and_zeros = LoadLittleEndian<uint64_t>(from + kFrameKindAt);
  if (kind_and_zeros == 0 || kind_and_zeros > static_cast<uint64_t>(FrameKind::kMark)) return FrameCheck::kBad;
  header->kind = static_cast<FrameKind>(kind_and_zeros);
  header->payload_bytes = LoadLittleEndian<uint32_t>(from + kFramePayloadBytesAt);
  header->file_id = LoadLittleEndian<uint64_t>(from + kFrameFileIdAt);
  if (header->file_id != file_id || !LengthFitsKind(static_cast<uint8_t>(header->kind), header->payload_bytes)) {
    return FrameCheck::kBad;
  }
  if (bytes.size() < kFrameHeaderBytes + header->payload_bytes) return FrameCheck::kIncomplete;
  std::string_view covered = bytes.substr(kFramePayloadBytesAt, kFrameHeaderBytes - kFramePayloadBytesAt + header->payload_bytes);
  if (LoadLittleEndian<uint32_t>(from + kFrameCrcAt) != Crc32c(covered, salt)) return FrameCheck::kBad;
  header->first_lsn = LoadLittleEndian<uint64_t>(from + kFrameFirstLsnAt);
  header->durable_lsn = LoadLittleEndian<uint64_t>(from + kFrameDurableLsnAt);
  header->wall_us = LoadLittleEndian<uint64_t>(from + kFrameWallUsAt);
  header->unit_bytes = LoadLittleEndian<uint64_t>(from + kFrameUnitBytesAt);
  // No frame can know of bytes that come after it.
  return header->durable_lsn <= header->first_lsn ? FrameCheck::kGood : FrameCheck::kBad;
}

void EncodeSuccessor(uint64_t file_id, Lsn continues_from, char* to) {
  StoreLittleEndian<uint64_t>(to, file_id);
  StoreLittleEndian<uint64_t>(to + sizeof(uint64_t), continues_from);
}

Successor DecodeSuccessor(std::string_view payload) {
  return {LoadLittleEndian<uint64_t>(payload.data()), LoadLittleEndian<Lsn>(payload.data() + sizeof(uint64_t))};
}

std::string SegmentFileName(uint64_t file_id) {
  char name[32];
  std::snprintf(name, sizeof(name), "%020llu.log", static_cast<unsigned long long>(file_id));
  return name;
}

std::optional<uint64_t> ParseSegmentFileName(std::string_view name) {
  if (name.size() != 24 || name.substr(20) != ".log") return std::nullopt;
  uint64_t file_id = 0;
  for (char digit : name.substr(0, 20)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    uint64_t value = static_cast<uint64_t>(digit - '0');
    if (file_id > (UINT64_MAX - value) / 10) return std::nullopt;
    file_id = file_id * 10 + value;
  }
  return file_id;
}

}  // namespace cairn
