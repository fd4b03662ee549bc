#include "server/resp/output_queue.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace cairn {
namespace {

constexpr size_t kFirstChunkBytes = 512;
constexpr size_t kLargestChunkBytes = 32 * 1024;

}  // namespace

void OutputQueue::Append(std::string_view bytes) {
  end_offset_ += bytes.size();
  if (segment_count() > 0 && segments_.back().copied) {
    Segment& last = segments_.back();
    const size_t part = std::min(bytes.size(), last.bytes.size() - last.end);
    std::memcpy(last.bytes.mutable_data() + last.end, bytes.data(), part);
    last.end += part;
    bytes.remove_prefix(part);
  }
  if (bytes.empty()) return;
  size_t capacity = kFirstChunkBytes;
  if (segment_count() > 0) capacity = std::clamp(2 * segments_.back().bytes.size(), kFirstChunkBytes, kLargestChunkBytes);
  Segment segment{SharedBytes::Allocate(std::max(capacity, bytes.size())), 0, bytes.size(), true};
  std::memcpy(segment.bytes.mutable_data(), bytes.data(), bytes.size());
  segments_.push_back(std::move(segment));
}

void OutputQueue::Link(const SharedBytes& owner, size_t offset, size_t size) {
  if (size == 0) return;
  segments_.push_back({owner, offset, offset + size, false});
  end_offset_ += size;
}

// One gate for what both hold back.
void OutputQueue::Merge(Gate& into, const Gate& gate) {
  into.lsn = std::max(into.lsn, gate.lsn);
  if (into.read_hashes.empty()) return;
  if (gate.read_hashes.empty()) {
    into.read_hashes.clear();
  } else if (gate.read_hashes != into.read_hashes) {  // the pieces of a long reply have the same
    into.read_hashes.insert(into.read_hashes.end(), gate.read_hashes.begin(), gate.read_hashes.end());
  }
}

void OutputQueue::AddGate(uint64_t begin, Lsn lsn, std::vector<uint64_t> read_hashes) {
  Gate added{std::max(begin, begin_offset_), lsn, std::move(read_hashes)};
  while (gated() && gates_.back().begin >= added.begin) {
    Merge(added, gates_.back());
    gates_.pop_back();
  }
  if (gated() && gates_.back().lsn >= added.lsn) {
    Merge(gates_.back(), added);
  } else {
    gates_.push_back(std::move(added));
  }
}

bool OutputQueue::OpenGates(Lsn durable, const ReadsWereDurable& were_durable) {
  const uint64_t sendable_before = sendable_bytes();
  const auto opens = [&](const Gate& gate) {
    if (gate.lsn <= durable) return true;
    return were_durable != nullptr && !gate.read_hashes.empty() && were_durable(gate.read_hashes, gate.lsn);
  };
  while (gated() && opens(gates_[first_gate_])) first_gate_++;
  if (!gated()) {
    gates_.clear();
    first_gate_ = 0;
  }
  return sendable_bytes() > sendable_before;
}

size_t OutputQueue::Gather(iovec* pieces, size_t limit) const {
  uint64_t left = sendable_bytes();
  size_t count = 0;
  for (size_t i = first_segment_; i < segments_.size() && left > 0 && count < limit; i++) {
    const std::string_view view = segments_[i].bytes.view();
    const size_t size = static_cast<size_t>(std::min<uint64_t>(left, segments_[i].end - segments_[i].begin));
    pieces[count++] = {const_cast<char*>(view.data()) + segments_[i].begin, size};
    left -= size;
  }
  return count;
}

void OutputQueue::Consume(size_t bytes) {
  begin_offset_ += bytes;
  while (bytes > 0) {
    Segment& first = segments_[first_segment_];
    const size_t size = first.end - first.begin;
    if (bytes < size) {
      first.begin += bytes;
      break;
    }
    bytes -= size;
    first.bytes = SharedBytes();
    first_segment_++;
  }
  Compact();
}

void OutputQueue::Compact() {
  if (first_segment_ == segments_.size()) {
    first_segment_ = 0;
    if (segments_.capacity() > 4) {
      std::vector<Segment>().swap(segments_);
    } else {
      segments_.clear();
    }
  } else if (first_segment_ > 64 && first_segment_ * 2 > segments_.size()) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<ptrdiff_t>(first_segment_));
    first_segment_ = 0;
  }
}

void OutputQueue::TruncateTo(uint64_t offset) {
  while (end_offset_ > offset && segment_count() > 0) {
    Segment& last = segments_.back();
    const uint64_t size = last.end - last.begin;
    const uint64_t surplus = end_offset_ - offset;
    if (surplus < size) {
      last.end -= static_cast<size_t>(surplus);
      end_offset_ = offset;
      return;
    }
    end_offset_ -= size;
    segments_.pop_back();
  }
  Compact();
}

OutputQueue OutputQueue::TakeAll() {
  OutputQueue taken;
  taken.Splice(*this);
  return taken;
}

void OutputQueue::Splice(OutputQueue& other) {
  segments_.insert(segments_.end(),
                   std::make_move_iterator(other.segments_.begin() + static_cast<ptrdiff_t>(other.first_segment_)),
                   std::make_move_iterator(other.segments_.end()));
  end_offset_ += other.size_bytes();
  other.Clear();
}

void OutputQueue::Clear() {
  std::vector<Segment>().swap(segments_);
  std::vector<Gate>().swap(gates_);
  first_segment_ = first_gate_ = 0;
  begin_offset_ = end_offset_;
}

}  // namespace cairn
