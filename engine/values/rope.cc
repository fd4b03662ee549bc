#include "engine/values/rope.h"

#include <algorithm>
#include <cstring>

#include "base/allocator.h"
#include "base/status.h"

namespace cairn {

namespace {

constexpr uint32_t kPieceMaxBytes = 1024 * 1024;  // what appends allocate at once in a very long rope
constexpr uint32_t kSliceMaxBytes = 1u << 30;
constexpr size_t kBufferHeaderBytes = 16;  // what SharedBytes puts in front of the bytes

// Zeros that all gaps share; written to, they are replaced piece by piece.
const SharedBytes& Zeros() {
  static const SharedBytes zeros = [] {
    SharedBytes bytes = SharedBytes::Allocate(kPieceMaxBytes);
    std::memset(bytes.mutable_data(), 0, kPieceMaxBytes);
    return bytes;
  }();
  return zeros;
}

}  // namespace

uint64_t Rope::SliceBytes(const RopeSlice& slice) {
  return slice.size_bytes == slice.owner.size() ? AllocationSize(kBufferHeaderBytes + slice.owner.size()) : slice.size_bytes;
}

Rope::Rope(SharedBytes whole) {
  const uint64_t size = whole.size();
  if (size > UINT32_MAX) {  // a slice could not say where it begins
    Append(whole.view());
    return;
  }
  for (uint64_t offset = 0; offset < size; offset += kSliceMaxBytes) {
    Push({whole, static_cast<uint32_t>(offset), static_cast<uint32_t>(std::min<uint64_t>(size - offset, kSliceMaxBytes))});
  }
}

Rope Rope::Copy(std::string_view bytes) { return Rope(SharedBytes::Copy(bytes)); }

void Rope::Push(RopeSlice slice) {
  starts_.push_back(size_bytes_);
  size_bytes_ += slice.size_bytes;
  buffer_bytes_ += SliceBytes(slice);
  slices_.push_back(std::move(slice));
}

void Rope::Append(std::string_view bytes) {
  if (!slices_.empty() && !bytes.empty()) {
    RopeSlice& last = slices_.back();
    const size_t end = size_t{last.offset} + last.size_bytes;
    if (end < last.owner.size() && last.owner.unique()) {
      const uint32_t n = static_cast<uint32_t>(std::min<size_t>(bytes.size(), last.owner.size() - end));
      buffer_bytes_ -= SliceBytes(last);
      std::memcpy(last.owner.mutable_data() + end, bytes.data(), n);
      last.size_bytes += n;
      buffer_bytes_ += SliceBytes(last);
      size_bytes_ += n;
      bytes.remove_prefix(n);
    }
  }
  while (!bytes.empty()) {
    // A short last piece that cannot grow is taken into the new one, or small appends would leave as many slices.
    RopeSlice tail;
    if (!slices_.empty() && slices_.back().size_bytes < kPieceBytes) {
      tail = std::move(slices_.back());
      slices_.pop_back();
      starts_.pop_back();
      buffer_bytes_ -= SliceBytes(tail);
      size_bytes_ -= tail.size_bytes;
    }
    const uint64_t wanted =
        std::max<uint64_t>(size_bytes_ / 8, tail.size_bytes + std::min<uint64_t>(bytes.size(), kPieceMaxBytes));
    const uint64_t pieces = (wanted + kPieceBytes - 1) / kPieceBytes;
    const uint64_t room = std::min<uint64_t>(pieces * kPieceBytes, kPieceMaxBytes + kPieceBytes);
    SharedBytes owner = SharedBytes::Allocate(room);
    char* to = owner.mutable_data();
    if (tail.size_bytes > 0) std::memcpy(to, tail.view().data(), tail.size_bytes);
    const size_t n = std::min<size_t>(bytes.size(), room - tail.size_bytes);
    std::memcpy(to + tail.size_bytes, bytes.data(), n);
    bytes.remove_prefix(n);
    Push({std::move(owner), 0, static_cast<uint32_t>(tail.size_bytes + n)});
  }
}

void Rope::AppendZeros(uint64_t count) {
  while (count > 0) {
    const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(count, kPieceMaxBytes));
    Push({Zeros(), 0, n});
    count -= n;
  }
}

size_t Rope::SliceAt(uint64_t offset) const {
  return static_cast<size_t>(std::upper_bound(starts_.begin(), starts_.end(), offset) - starts_.begin()) - 1;
}

void Rope::ReplaceSlice(size_t index, std::vector<RopeSlice> parts) {
  buffer_bytes_ -= SliceBytes(slices_[index]);
  uint64_t start = starts_[index];
  std::vector<uint64_t> starts;
  for (const RopeSlice& part : parts) {
    buffer_bytes_ += SliceBytes(part);
    starts.push_back(start);
    start += part.size_bytes;
  }
  const auto at = static_cast<std::ptrdiff_t>(index);
  slices_[index] = std::move(parts[0]);
  slices_.insert(slices_.begin() + at + 1, std::make_move_iterator(parts.begin() + 1), std::make_move_iterator(parts.end()));
  starts_.insert(starts_.begin() + at + 1, starts.begin() + 1, starts.end());
}

char* Rope::MakeWritable(uint64_t offset, uint64_t* room) {
  size_t index = SliceAt(offset);
  if (!slices_[index].owner.unique()) {
    // The aligned 16 KiB around the byte, as far as they are in this slice, become a buffer of their own.
    const RopeSlice shared = slices_[index];
    const uint64_t start = starts_[index];
    const uint64_t end = start + shared.size_bytes;
    const uint64_t piece_begin = std::max(start, offset / kPieceBytes * kPieceBytes);
    const uint64_t piece_end = std::min(end, (offset / kPieceBytes + 1) * kPieceBytes);
    const uint32_t before = static_cast<uint32_t>(piece_begin - start);
    const uint32_t piece = static_cast<uint32_t>(piece_end - piece_begin);
    std::vector<RopeSlice> parts;
    if (before > 0) parts.push_back({shared.owner, shared.offset, before});
    parts.push_back({SharedBytes::Copy(shared.view().substr(before, piece)), 0, piece});
    if (piece_end < end) parts.push_back({shared.owner, shared.offset + before + piece, static_cast<uint32_t>(end - piece_end)});
    ReplaceSlice(index, std::move(parts));
    if (before > 0) index++;
  }
  RopeSlice& slice = slices_[index];
  const uint64_t inside = offset - starts_[index];
  *room = slice.size_bytes - inside;
  return slice.owner.mutable_data() + slice.offset + inside;
}

void Rope::Overwrite(uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  if (offset > size_bytes_) AppendZeros(offset - size_bytes_);
  while (!bytes.empty() && offset < size_bytes_) {
    uint64_t room;
    char* to = MakeWritable(offset, &room);
    const size_t n = std::min<uint64_t>(room, bytes.size());
    std::memcpy(to, bytes.data(), n);
    offset += n;
    bytes.remove_prefix(n);
  }
  Append(bytes);
}

uint8_t Rope::ByteAt(uint64_t offset) const {
  const size_t index = SliceAt(offset);
  return static_cast<uint8_t>(slices_[index].view()[offset - starts_[index]]);
}

void Rope::CopyTo(uint64_t offset, uint64_t size_bytes, std::string* out) const {
  if (size_bytes == 0) return;
  CAIRN_CHECK(offset <= size_bytes_ && size_bytes <= size_bytes_ - offset);
  for (size_t index = SliceAt(offset); size_bytes > 0; index++) {
    const std::string_view part = slices_[index].view().substr(offset - starts_[index], size_bytes);
    out->append(part);
    offset += part.size();
    size_bytes -= part.size();
  }
}

std::string_view Rope::Contiguous(uint64_t offset, uint64_t size_bytes) const {
  if (size_bytes == 0 || offset >= size_bytes_) return {};
  const size_t index = SliceAt(offset);
  const std::string_view part = slices_[index].view().substr(offset - starts_[index]);
  return part.size() >= size_bytes ? part.substr(0, size_bytes) : std::string_view();
}

Rope Rope::Substr(uint64_t offset, uint64_t size_bytes) const {
  Rope part;
  if (size_bytes == 0) return part;
  CAIRN_CHECK(offset <= size_bytes_ && size_bytes <= size_bytes_ - offset);
  for (size_t index = SliceAt(offset); size_bytes > 0; index++) {
    const RopeSlice& slice = slices_[index];
    const uint32_t inside = static_cast<uint32_t>(offset - starts_[index]);
    const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(slice.size_bytes - inside, size_bytes));
    part.Push({slice.owner, slice.offset + inside, n});
    offset += n;
    size_bytes -= n;
  }
  return part;
}

uint64_t Rope::memory_bytes() const {
  return AllocationSizeOf<Rope>() + AllocationSize(slices_.capacity() * sizeof(RopeSlice)) +
         AllocationSize(starts_.capacity() * sizeof(uint64_t)) + buffer_bytes_;
}

bool Rope::FreeStep(size_t max_slices) {
  for (size_t i = 0; i < max_slices && !slices_.empty(); i++) slices_.pop_back();
  return !slices_.empty();
}

}  // namespace cairn
