// Any bytes as the frames of a log of one or two segments, as they are or with right checksums: reading and repairing end,
// allocate no more than the files are long, and what a recovery handed out is handed out again after it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "wal/log_reader.h"
#include "wal/log_survey.h"
#include "wal/record_format.h"

namespace {

using namespace cairn;  // NOLINT: one file, one purpose

constexpr uint32_t kSalt = 77;

// Gives every stretch that looks like a frame the file id and checksum it needs.
void Seal(std::string* body, uint64_t file_id) {
  for (size_t at = 0; at + kFrameHeaderBytes <= body->size();) {
    char* frame = body->data() + at;
    FrameHeader header;
    header.payload_bytes = LoadLittleEndian<uint16_t>(frame + kFramePayloadBytesAt) % 512;
    header.kind = static_cast<FrameKind>(1 + static_cast<uint8_t>(frame[kFrameKindAt]) % 7);
    if (header.kind == FrameKind::kSuccessor) header.payload_bytes = kSuccessorPayloadBytes;
    if (header.kind > FrameKind::kSuccessor) header.payload_bytes = 0;
    if (at + kFrameHeaderBytes + header.payload_bytes > body->size()) return;
    header.file_id = file_id;
    header.first_lsn = LoadLittleEndian<uint64_t>(frame + kFrameFirstLsnAt);
    header.durable_lsn = LoadLittleEndian<uint64_t>(frame + kFrameDurableLsnAt);
    header.wall_us = LoadLittleEndian<uint64_t>(frame + kFrameWallUsAt);
    header.unit_bytes = LoadLittleEndian<uint64_t>(frame + kFrameUnitBytesAt);
    SealFrame(header, kSalt, frame);
    at += kFrameHeaderBytes + header.payload_bytes;
  }
}

void AddSegment(MemoryFileSystem& fs, uint64_t file_id, Lsn continues_from, Lsn first_lsn, std::string_view body, bool seal) {
  SegmentHeader header;
  header.salt = kSalt;
  header.file_id = file_id;
  header.predecessor = file_id - 1;
  header.continues_from = continues_from;
  header.first_lsn = first_lsn;
  if (first_lsn > continues_from) header.durable_lsn = first_lsn;
  std::string bytes(kSegmentHeaderBytes, '\0');
  EncodeSegmentHeader(header, bytes.data());
  std::string frames(body);
  if (seal) Seal(&frames, file_id);
  auto file = fs.OpenForWriting("log/" + SegmentFileName(file_id), FileSystem::OpenMode::kTruncate);
  if (!file.ok() || !(*file)->WriteAt(0, bytes + frames).ok()) std::abort();
}

Status Recover(const LogOptions& options, std::string* stream) {
  stream->clear();
  LogRecoveryResult found;
  const auto take = [&](const LogFrame& frame) {
    stream->append(frame.payload);
    return Status::Ok();
  };
  Status status = RecoverLog(options, 0, take, &found);
  const bool served = found.end == LogEnd::kClean || found.end == LogEnd::kTornTail;
  if (status.ok() && !served) std::abort();
  return status;
}

// Ends, and hands out at least what a reader that stops at the first hole does.
void Survey(const LogOptions& options) {
  std::string read;
  LogRecoveryResult found;
  const auto take = [&](const LogFrame& frame) {
    read.append(frame.payload);
    return Status::Ok();
  };
  const Status status = ReadLog(options, 0, take, &found);
  std::string surveyed;
  const auto take_all = [&](const SurveyedUnits& units) {
    surveyed.append(units.frame.payload);
    return Status::Ok();
  };
  LogSurvey survey;
  if (!SurveyLog(options, {}, take_all, &survey).ok()) return;
  if (status.ok() && surveyed.compare(0, read.size(), read) != 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const bool seal = (data[0] & 1) != 0;
  const bool whole_file = (data[0] & 2) != 0;
  const bool two = (data[0] & 4) != 0;
  MemoryFileSystem fs;
  if (!fs.CreateDirectory("log").ok()) std::abort();
  std::string_view body = input.substr(4);
  if (whole_file) {
    auto file = fs.OpenForWriting("log/" + SegmentFileName(1), FileSystem::OpenMode::kTruncate);
    if (!file.ok() || !(*file)->WriteAt(0, body).ok()) std::abort();
  } else if (two) {
    const size_t split = body.size() * data[1] / 256;
    AddSegment(fs, 1, 0, 0, body.substr(0, split), seal);
    AddSegment(fs, 2, data[2], data[2] + (data[3] > 200 ? data[3] : 0u), body.substr(split), seal);
  } else {
    AddSegment(fs, 1, 0, data[2] > 200 ? data[2] : 0u, body, seal);
  }
  LogOptions options;
  options.directory = "log";
  options.fs = &fs;
  options.clock = &RealClock();
  Survey(options);
  std::string first;
  std::string again;
  if (!Recover(options, &first).ok()) return 0;
  if (!Recover(options, &again).ok() || again != first) std::abort();
  return 0;
}
