#include "wal/segment_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace cairn {
namespace {

constexpr size_t kScanBytes = 1 << 20;

bool AllZero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

Result<bool> FileIsZero(const RandomAccessFile& file, uint64_t size_bytes) {
  std::string buffer(std::min<uint64_t>(size_bytes, kScanBytes), '\0');
  for (uint64_t at = 0; at < size_bytes;) {
    CAIRN_ASSIGN_OR_RETURN(size_t got, file.Read(at, buffer.size(), buffer.data()));
    if (got == 0) break;
    if (!AllZero(std::string_view(buffer).substr(0, got))) return false;
    at += got;
  }
  return true;
}

}  // namespace

Result<std::optional<SegmentInfo>> ReadSegmentInfo(FileSystem& fs, const std::string& path, uint64_t file_id) {
  CAIRN_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, fs.OpenForReading(path));
  SegmentInfo info;
  info.path = path;
  CAIRN_ASSIGN_OR_RETURN(info.file_bytes, file->Size());
  char bytes[kSegmentHeaderBytes];
  CAIRN_ASSIGN_OR_RETURN(size_t got, file->Read(0, sizeof(bytes), bytes));
  if (got < sizeof(bytes)) return std::optional<SegmentInfo>();
  if (AllZero({bytes, got})) {
    CAIRN_ASSIGN_OR_RETURN(bool zero, FileIsZero(*file, info.file_bytes));
    if (zero) return std::optional<SegmentInfo>();
  }
  CAIRN_ASSIGN_OR_RETURN(info.header, DecodeSegmentHeader({bytes, got}, path));
  if (info.header.file_id != file_id) {
    return Status::Damaged(path + " holds log segment " + std::to_string(info.header.file_id) + ": it was renamed");
  }
  return std::optional<SegmentInfo>(std::move(info));
}

// --- ChunkReader ---

ChunkReader::ChunkReader(const RandomAccessFile* file, uint64_t from, uint64_t file_bytes)
    : file_(file), file_bytes_(file_bytes), offset_(from) {
  ahead_ = file_bytes > from + kChunkBytes;
  if (ahead_) thread_ = std::thread([this] { RunAhead(); });
}

ChunkReader::~ChunkReader() {
  if (!ahead_) return;
  {
    MutexLock hold(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

SharedBytes ChunkReader::TakeBuffer() {
  // A small file gets a small buffer: a directory may hold many of them.
  const uint64_t left = file_bytes_ > offset_ ? file_bytes_ - offset_ : 0;
  const size_t want = kHeadroomBytes + static_cast<size_t>(std::min<uint64_t>(kChunkBytes, left));
  {
    MutexLock hold(mutex_);
    for (size_t i = 0; i < used_.size(); i++) {
      if (!used_[i].unique() || used_[i].size() < want) continue;
      SharedBytes buffer = std::move(used_[i]);
      used_.erase(used_.begin() + static_cast<ptrdiff_t>(i));
      return buffer;
    }
    while (used_.size() > kChunksAhead) used_.pop_front();
  }
  return SharedBytes::Allocate(want);
}

Result<ChunkReader::Chunk> ChunkReader::ReadOne() {
  Chunk chunk;
  if (offset_ >= file_bytes_) return chunk;
  chunk.buffer = TakeBuffer();
  const size_t want = static_cast<size_t>(std::min<uint64_t>(kChunkBytes, file_bytes_ - offset_));
  CAIRN_ASSIGN_OR_RETURN(chunk.size_bytes, file_->Read(offset_, want, chunk.buffer.mutable_data() + kHeadroomBytes));
  offset_ += chunk.size_bytes;
  return chunk;
}

void ChunkReader::RunAhead() {
  while (true) {
    {
      MutexLock hold(mutex_);
      while (!stopping_ && ready_.size() >= kChunksAhead) changed_.Wait(mutex_);
      if (stopping_) return;
    }
    Result<Chunk> chunk = ReadOne();
    const bool last = !chunk.ok() || chunk->size_bytes == 0;
    {
      MutexLock hold(mutex_);
      ready_.push_back(std::move(chunk));
    }
    changed_.NotifyAll();
    if (last) return;
  }
}

Result<ChunkReader::Chunk> ChunkReader::Next() {
  if (!ahead_) return ReadOne();
  MutexLock hold(mutex_);
  while (ready_.empty()) changed_.Wait(mutex_);
  // The end and an error stay, for a caller that asks again.
  if (!ready_.front().ok() || ready_.front()->size_bytes == 0) return ready_.front();
  Result<Chunk> chunk = std::move(ready_.front());
  ready_.pop_front();
  changed_.NotifyAll();
  return chunk;
}

void ChunkReader::Recycle(SharedBytes buffer) {
  if (buffer.size() == 0) return;
  MutexLock hold(mutex_);
  used_.push_back(std::move(buffer));
}

// --- SegmentReader ---

SegmentReader::SegmentReader(std::unique_ptr<RandomAccessFile> file, const SegmentInfo& segment, uint64_t offset)
    : segment_(segment), file_(std::move(file)), chunks_(file_.get(), offset, segment.file_bytes), offset_(offset) {}

Result<std::unique_ptr<SegmentReader>> SegmentReader::Open(FileSystem& fs, const SegmentInfo& segment, uint64_t offset) {
  CAIRN_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, fs.OpenForReading(segment.path));
  SegmentInfo current = segment;
  CAIRN_ASSIGN_OR_RETURN(current.file_bytes, file->Size());
  return std::unique_ptr<SegmentReader>(new SegmentReader(std::move(file), current, offset));
}

// Joins the next chunk to what is left of this one; false at the end of the file or on an error.
bool SegmentReader::FetchMore() {
  Result<ChunkReader::Chunk> next = chunks_.Next();
  if (!next.ok()) {
    status_ = next.status();
    return false;
  }
  if (next->size_bytes == 0) return false;
  char* bytes = next->buffer.mutable_data() + ChunkReader::kHeadroomBytes;
  char* joined = bytes - window_.size();
  if (!window_.empty()) std::memcpy(joined, window_.data(), window_.size());
  window_ = {joined, window_.size() + next->size_bytes};
  chunks_.Recycle(std::exchange(buffer_, std::move(next->buffer)));
  return true;
}

SegmentReader::Outcome SegmentReader::Next(FrameHeader* header, std::string_view* payload) {
  while (true) {
    switch (CheckFrame(window_, segment_.header.file_id, segment_.header.salt, header)) {
      case FrameCheck::kGood: {
        const size_t frame_bytes = kFrameHeaderBytes + header->payload_bytes;
        *payload = window_.substr(kFrameHeaderBytes, header->payload_bytes);
        window_.remove_prefix(frame_bytes);
        offset_ += frame_bytes;
        return Outcome::kFrame;
      }
      case FrameCheck::kBad: return Outcome::kEnd;
      case FrameCheck::kIncomplete:
        if (!FetchMore()) return status_.ok() ? Outcome::kEnd : Outcome::kReadError;
    }
  }
}

Result<std::optional<uint64_t>> SegmentReader::FindMarkBeyond(uint64_t offset, Lsn lsn) const {
  return FindFrameWith(offset, kFrameDurableLsnAt, lsn + 1);
}

Result<std::optional<uint64_t>> SegmentReader::FindFrame(uint64_t offset, Lsn lsn) const {
  return FindFrameWith(offset, kFrameFirstLsnAt, lsn);
}

Result<std::optional<uint64_t>> SegmentReader::FindFrameWith(uint64_t offset, size_t field_at, uint64_t value) const {
  char id[sizeof(uint64_t)];
  StoreLittleEndian<uint64_t>(id, segment_.header.file_id);
  const std::string_view needle(id, sizeof(id));
  // Frames that begin in the first kChunkBytes of a stretch are looked at; the rest is there so that they are whole.
  const uint64_t left = segment_.file_bytes > offset ? segment_.file_bytes - offset : 0;
  std::string stretch(std::min<uint64_t>(left, ChunkReader::kChunkBytes + ChunkReader::kHeadroomBytes), '\0');
  for (uint64_t base = offset; base < segment_.file_bytes; base += ChunkReader::kChunkBytes) {
    CAIRN_ASSIGN_OR_RETURN(size_t got, file_->Read(base, stretch.size(), stretch.data()));
    const std::string_view bytes(stretch.data(), got);
    for (size_t at = bytes.find(needle, kFrameFileIdAt); at != std::string_view::npos; at = bytes.find(needle, at + 1)) {
      const size_t start = at - kFrameFileIdAt;
      if (start >= ChunkReader::kChunkBytes) break;
      if (start + kFrameHeaderBytes > got) break;
      if (LoadLittleEndian<uint64_t>(bytes.data() + start + field_at) < value) continue;
      FrameHeader header;
      const FrameCheck check = CheckFrame(bytes.substr(start), segment_.header.file_id, segment_.header.salt, &header);
      if (check == FrameCheck::kGood) return std::optional<uint64_t>(base + start);
    }
  }
  return std::optional<uint64_t>();
}

Result<uint64_t> SegmentReader::NonZeroBytesFrom(uint64_t offset) const {
  const uint64_t left = segment_.file_bytes > offset ? segment_.file_bytes - offset : 0;
  std::string stretch(std::min<uint64_t>(left, ChunkReader::kChunkBytes), '\0');
  uint64_t last = offset;
  for (uint64_t base = offset; base < segment_.file_bytes; base += stretch.size()) {
    CAIRN_ASSIGN_OR_RETURN(size_t got, file_->Read(base, stretch.size(), stretch.data()));
    const size_t found = std::string_view(stretch.data(), got).find_last_not_of('\0');
    if (found != std::string_view::npos) last = base + found + 1;
  }
  return last - offset;
}

}  // namespace cairn
