// Reads the frames of one segment in order, a few large reads ahead of the caller.
//
// Threads: one object belongs to one thread; it owns a read-ahead thread for files larger than a chunk.
// Lifetime: a payload lies in buffer(); keep a copy of that to keep the payload.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/status.h"
#include "base/thread_annotations.h"
#include "wal/segment_set.h"

namespace cairn {

// One segment's header. Nothing where the file is an interrupted creation: the header is the first thing written and smaller than a sector,
// so it is there wholly or not at all, and no frame is written before it is synced. Errors as of ListSegments.
Result<std::optional<SegmentInfo>> ReadSegmentInfo(FileSystem& fs, const std::string& path, uint64_t file_id);

// Hands out a file's bytes in chunks with free room before each, so that a frame that straddles two chunks can be joined
// without moving the second.
class ChunkReader {
 public:
  static constexpr size_t kChunkBytes = 2 << 20;
  // Room before a chunk's bytes: the largest frame.
  static constexpr size_t kHeadroomBytes = kFrameHeaderBytes + kMaxPayloadBytes;

  struct Chunk {
    SharedBytes buffer;     // kHeadroomBytes, then the file's bytes
    size_t size_bytes = 0;  // 0: the end of the file
  };

  ChunkReader(const RandomAccessFile* file, uint64_t from, uint64_t file_bytes);
  ~ChunkReader();
  Result<Chunk> Next();
  // A buffer the caller is done with; used again if nobody else holds it.
  void Recycle(SharedBytes buffer);

 private:
  static constexpr size_t kChunksAhead = 3;
  Result<Chunk> ReadOne();
  SharedBytes TakeBuffer() CAIRN_EXCLUDES(mutex_);
  void RunAhead();

  const RandomAccessFile* const file_;
  const uint64_t file_bytes_;
  uint64_t offset_;  // of the next read; the reading thread's
  bool ahead_ = false;

  Mutex mutex_;
  CondVar changed_;
  std::deque<Result<Chunk>> ready_ CAIRN_GUARDED_BY(mutex_);
  std::deque<SharedBytes> used_ CAIRN_GUARDED_BY(mutex_);
  bool stopping_ CAIRN_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

class SegmentReader {
 public:
  enum class Outcome : uint8_t {
    kFrame,
    kEnd,        // at offset() there is no whole valid frame: unwritten, torn or damaged, the caller finds out
    kReadError,  // status() says what
  };

  // `offset`: where a frame begins.
  static Result<std::unique_ptr<SegmentReader>> Open(FileSystem& fs, const SegmentInfo& segment,
                                                     uint64_t offset = kSegmentHeaderBytes);

  // The frame at offset(); on kFrame offset() moves behind it.
  Outcome Next(FrameHeader* header, std::string_view* payload);
  uint64_t offset() const { return offset_; }
  const SharedBytes& buffer() const { return buffer_; }
  const Status& status() const { return status_; }
  const std::string& path() const { return segment_.path; }
  uint64_t file_bytes() const { return segment_.file_bytes; }

  // Looks through everything from `offset` on, whatever lies between, for a whole valid frame of this segment whose durable
  // mark is beyond `lsn`: the proof that bytes at `lsn` were on disk. Returns its offset.
  Result<std::optional<uint64_t>> FindMarkBeyond(uint64_t offset, Lsn lsn) const;
  // The next whole valid frame of this segment at `offset` or behind, whatever lies between, whose first LSN is `lsn` or later.
  Result<std::optional<uint64_t>> FindFrame(uint64_t offset, Lsn lsn) const;
  // Bytes from `offset` to the last one that is not zero.
  Result<uint64_t> NonZeroBytesFrom(uint64_t offset) const;

 private:
  SegmentReader(std::unique_ptr<RandomAccessFile> file, const SegmentInfo& segment, uint64_t offset);
  // The first valid frame whose header has at least `value` in its field at `field_at`.
  Result<std::optional<uint64_t>> FindFrameWith(uint64_t offset, size_t field_at, uint64_t value) const;
  bool FetchMore();

  const SegmentInfo segment_;
  const std::unique_ptr<RandomAccessFile> file_;
  ChunkReader chunks_;
  uint64_t offset_;
  std::string_view window_;  // unread bytes in buffer_
  SharedBytes buffer_;
  Status status_;
};

}  // namespace cairn
