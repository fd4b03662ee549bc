#include "engine/values/stream_value.h"

#include <algorithm>

#include "base/allocator.h"
#include "base/status.h"
#include "engine/values/stream_id_tree.h"

namespace cairn {
namespace {

void Drop(StreamGroup* group) {
  if (group->DropReference()) delete group;
}

// Whether Redis would start a new node before it adds an entry of so many bytes.
bool IsFull(const StreamBlock& block, uint64_t entry_bytes, const ValueLimits& limits) {
  const int64_t max_bytes = limits.stream_node_max_bytes, max_entries = limits.stream_node_max_entries;
  const uint64_t node_bytes =
      max_bytes <= 0 ? kStreamBlockMaxBytes : std::min<uint64_t>(static_cast<uint64_t>(max_bytes), kStreamBlockMaxBytes);
  if (block.listpack_bytes() + entry_bytes >= node_bytes) return true;
  return max_entries > 0 && uint64_t{block.live_count()} + block.deleted_count() >= static_cast<uint64_t>(max_entries);
}

}  // namespace

Stream::Stream(const Stream& other)
    : LargeValue(),
      last_id(other.last_id),
      max_deleted_id(other.max_deleted_id),
      entries_added(other.entries_added),
      blocks_(other.blocks_.Share()),
      block_count_(other.block_count_),
      first_id_(other.first_id_),
      groups_(other.groups_),
      producers_(other.producers_ == nullptr ? nullptr : std::make_unique<StreamProducers>(*other.producers_)) {
  for (StreamGroup* group : groups_) group->AddReference();
}

Stream::~Stream() {
  for (StreamGroup* group : groups_) Drop(group);
}

std::unique_ptr<LargeValue> Stream::Share() const { return std::unique_ptr<LargeValue>(new Stream(*this)); }

uint64_t Stream::memory_bytes() const {
  uint64_t bytes = AllocationSizeOf<Stream>() + blocks_.memory_bytes() + AllocationSize(groups_.capacity() * sizeof(void*));
  for (const StreamGroup* group : groups_) bytes += group->memory_bytes();
  if (producers_ != nullptr) bytes += AllocationSizeOf<StreamProducers>() + producers_->memory_bytes();
  return bytes;
}

bool Stream::MayEncodeBeyond(uint64_t bytes) const {
  constexpr uint64_t kBlockOverhead = 32;  // its id and length
  // Counters, groups and producers take less than in memory.
  uint64_t encoded = 256 + memory_bytes() - blocks_.memory_bytes();
  BlockTree::Path path;
  for (bool more = blocks_.First(&path); more && encoded <= bytes; more = BlockTree::Next(&path)) {
    encoded += path.leaf()->listpack_bytes() + kBlockOverhead;
  }
  return encoded > bytes;
}

bool Stream::FreeStep(size_t max_nodes) {
  if (blocks_.FreeStep(max_nodes)) return true;
  while (!groups_.empty()) {
    StreamGroup* group = groups_.back();
    // A group that somebody else holds too is only let go of.
    if (!group->shared() && group->FreeStep(max_nodes)) return true;
    groups_.pop_back();
    Drop(group);
  }
  producers_.reset();
  return false;
}

// --- entries ---------------------------------------------------------------------------------------------------------------------

void Stream::Append(const StreamId& id, FieldSpan fields, const ValueLimits& limits) {
  uint64_t entry_bytes = 0;
  for (const std::string_view text : fields) entry_bytes += text.size();
  BlockTree::Path path;
  // The entries of a new block will take about as much as those of the one before.
  uint32_t expected_bytes = 0;
  bool appended = false;
  if (blocks_.Last(&path)) {
    // XSETID may have gone back behind a deleted entry: what follows such a one begins a block of its own.
    if (id > path.leaf()->last() && !IsFull(*path.leaf(), entry_bytes, limits)) {
      StreamBlock* block = blocks_.Own(&path);
      blocks_.Commit(&path, StreamBlock::Append(block, id, fields));
      appended = true;
    } else {
      const uint32_t used_bytes = path.leaf()->used_bytes();
      expected_bytes = std::min<uint32_t>(used_bytes + used_bytes / 16, 4096);
      if (StreamBlock::IsSlack(*path.leaf())) {
        StreamBlock* block = blocks_.Own(&path);
        blocks_.Commit(&path, StreamBlock::Shrink(block));
      }
    }
  }
  if (!appended) {
    blocks_.Append(StreamBlock::Append(StreamBlock::Create(id, fields, expected_bytes), id, fields));
    block_count_++;
  }
  last_id = id;
  entries_added++;
  if (length() == 1) first_id_ = id;
}

void Stream::AppendBlock(StreamBlock* block) {
  blocks_.Append(block);
  block_count_++;
}

void Stream::UpdateFirstId() {
  first_id_ = {};
  StreamCursor first(*this, kStreamIdMin, kStreamIdMax);
  if (length() > 0 && first.Next()) first_id_ = first.id();
}

bool Stream::Delete(const StreamId& id) {
  BlockTree::Path path;
  if (!blocks_.Seek(StreamIdProbe{id}, &path)) return false;
  BlockCursor entry(*path.leaf());
  if (!entry.Seek(id) || entry.id() != id || entry.deleted()) return false;
  if (path.leaf()->live_count() == 1) {
    blocks_.Remove(&path);
    block_count_--;
  } else {
    const uint32_t offset = entry.offset();
    StreamBlock* block = blocks_.Own(&path);
    block->MarkDeleted(offset);
    blocks_.Commit(&path, block);
  }
  if (id == first_id_ || length() == 0) UpdateFirstId();
  return true;
}

bool Stream::WouldTrim(const StreamTrim& trim) const {
  BlockTree::Path path;
  if (!blocks_.First(&path)) return false;
  const StreamBlock& block = *path.leaf();
  if (trim.limit != 0 && block.live_count() > trim.limit) return false;
  const bool whole = trim.by_id ? block.last() < trim.min_id : length() - block.live_count() >= trim.max_length;
  return whole || (!trim.whole_blocks && (trim.by_id ? first_id_ < trim.min_id : length() > trim.max_length));
}

uint64_t Stream::MostTrimmed(const StreamTrim& trim) const {
  const uint64_t beyond = trim.by_id ? CountBelow(trim.min_id) : length() - std::min(length(), trim.max_length);
  return trim.limit == 0 ? beyond : std::min(beyond, trim.limit);
}

void Stream::SwapEntries(Stream& trimmed) {
  std::swap(blocks_, trimmed.blocks_);
  std::swap(block_count_, trimmed.block_count_);
  std::swap(first_id_, trimmed.first_id_);
}

uint64_t Stream::Trim(const StreamTrim& trim, StreamId* last_removed) {
  StreamId ignored;
  if (last_removed == nullptr) last_removed = &ignored;
  uint64_t removed = 0;
  std::optional<StreamId> kept;  // the first id of the last block that stays (kAcked)
  BlockTree::Path path;
  while (kept.has_value() ? blocks_.Seek(StreamIdProbe{*kept}, &path) && BlockTree::Next(&path) : blocks_.First(&path)) {
    const StreamBlock& block = *path.leaf();
    if (!trim.by_id && length() <= trim.max_length) break;
    if (trim.by_id && block.first() >= trim.min_id) break;
    if (trim.limit != 0 && removed + block.live_count() > trim.limit) break;
    const bool whole = trim.by_id ? block.last() < trim.min_id : length() - block.live_count() >= trim.max_length;
    if (!whole && trim.whole_blocks) break;
    const StreamId first = block.first();
    const uint64_t blocks = block_count_;
    if (whole && trim.references == StreamReferences::kKeep) {
      removed += block.live_count();
      *last_removed = block.last();
      blocks_.Remove(&path);
      block_count_--;
    } else {
      removed += TrimBlock(&path, trim, last_removed);
    }
    if (!whole) break;
    if (block_count_ == blocks) kept = first;
  }
  if (removed > 0) UpdateFirstId();
  return removed;
}

uint64_t Stream::TrimBlock(BlockTree::Path* path, const StreamTrim& trim, StreamId* last_removed) {
  std::vector<uint32_t> offsets;
  uint64_t left = length();
  for (BlockCursor entry(*path->leaf()); entry.Next();) {
    if (trim.by_id ? entry.id() >= trim.min_id : left <= trim.max_length) break;
    if (entry.deleted() || (trim.references == StreamReferences::kAcked && IsReferenced(entry.id()))) continue;
    if (trim.references == StreamReferences::kDelete) DropReferences(entry.id());
    offsets.push_back(entry.offset());
    *last_removed = entry.id();
    left--;
  }
  if (offsets.empty()) return 0;
  if (offsets.size() == path->leaf()->live_count()) {
    blocks_.Remove(path);
    block_count_--;
  } else {
    StreamBlock* block = blocks_.Own(path);
    for (const uint32_t offset : offsets) block->MarkDeleted(offset);
    blocks_.Commit(path, block);
  }
  return offsets.size();
}

bool Stream::Contains(const StreamId& id) const {
  BlockTree::Path path;
  if (!blocks_.Seek(StreamIdProbe{id}, &path)) return false;
  if (id > path.leaf()->last()) return false;
  BlockCursor entry(*path.leaf());
  return entry.Seek(id) && entry.id() == id && !entry.deleted();
}

uint64_t Stream::CountBelow(const StreamId& id) const {
  BlockTree::Path path;
  if (id.zero() || !blocks_.Seek(StreamIdProbe{id}, &path)) return 0;
  uint64_t count = BlockTree::ElementsBefore(path);
  if (path.leaf()->last() < id) return count + path.leaf()->live_count();
  for (BlockCursor entry(*path.leaf()); entry.Next() && entry.id() < id;) count += entry.deleted() ? 0 : 1;
  return count;
}

uint64_t Stream::CountBetween(const StreamId& start, const StreamId& end) const {
  if (start > end) return 0;
  StreamId behind = end;
  const uint64_t below_end = end >= last_id || !behind.Increment() ? length() : CountBelow(behind);
  return below_end - CountBelow(start);
}

StreamId Stream::LastLiveId() const {
  BlockTree::Path path;
  if (!blocks_.Last(&path)) return {};
  // Every block has a live entry; nearly always its last one.
  StreamCursor last(*this, kStreamIdMin, kStreamIdMax, true);
  return last.Next() ? last.id() : StreamId{};
}

StreamId Stream::FirstIdOfBlocks() const {
  BlockTree::Path path;
  return blocks_.First(&path) ? path.leaf()->first() : kStreamIdMax;
}

// --- groups ----------------------------------------------------------------------------------------------------------------------

size_t Stream::GroupPosition(std::string_view name) const {
  const auto at = std::lower_bound(groups_.begin(), groups_.end(), name,
                                   [](const StreamGroup* group, std::string_view key) { return group->name() < key; });
  return static_cast<size_t>(at - groups_.begin());
}

const StreamGroup* Stream::FindGroup(std::string_view name) const {
  const size_t at = GroupPosition(name);
  return at < groups_.size() && groups_[at]->name() == name ? groups_[at] : nullptr;
}

StreamGroup* Stream::MutableGroup(std::string_view name) {
  const size_t at = GroupPosition(name);
  return at < groups_.size() && groups_[at]->name() == name ? MutableGroup(at) : nullptr;
}

StreamGroup* Stream::MutableGroup(size_t index) {
  StreamGroup*& group = groups_[index];
  if (group->shared()) Drop(std::exchange(group, group->Copy()));
  return group;
}

StreamGroup* Stream::CreateGroup(std::string_view name, const StreamId& last, int64_t entries_read) {
  if (FindGroup(name) != nullptr) return nullptr;
  auto* group = new StreamGroup(name);
  group->last_id = last;
  group->entries_read = entries_read;
  groups_.insert(groups_.begin() + static_cast<ptrdiff_t>(GroupPosition(name)), group);
  return group;
}

std::unique_ptr<LargeValue> Stream::DestroyGroup(std::string_view name) {
  if (FindGroup(name) == nullptr) return nullptr;
  const size_t at = GroupPosition(name);
  auto detached = std::make_unique<Stream>();
  detached->groups_.push_back(groups_[at]);
  groups_.erase(groups_.begin() + static_cast<ptrdiff_t>(at));
  return detached;
}

bool Stream::IsReferenced(const StreamId& id) const {
  for (const StreamGroup* group : groups_) {
    if (group->last_id < id || group->pending().Find(id) != nullptr) return true;
  }
  return false;
}

bool Stream::IsPending(const StreamId& id) const {
  for (const StreamGroup* group : groups_) {
    if (group->pending().Find(id) != nullptr) return true;
  }
  return false;
}

size_t Stream::DropReferences(const StreamId& id) {
  size_t dropped = 0;
  for (size_t i = 0; i < groups_.size(); i++) {
    if (groups_[i]->pending().Find(id) != nullptr) dropped += MutableGroup(i)->Acknowledge(id) ? 1 : 0;
  }
  return dropped;
}

int64_t Stream::CountUpTo(const StreamId& id) const {
  if (entries_added == 0) return 0;
  // XSETID may have set the counter to anything: it wraps, as Redis's does.
  const auto added = static_cast<int64_t>(entries_added);
  const uint64_t there = length();
  if (there == 0 && id <= last_id) return added;
  if (id == last_id) return added;
  if (id > last_id) return kEntriesReadUnknown;
  if (max_deleted_id.zero() || max_deleted_id < first_id_) {
    // Nothing is missing between the first entry and the last.
    if (id < first_id_) return static_cast<int64_t>(entries_added - there);
    if (id == first_id_) return static_cast<int64_t>(entries_added - there + 1);
  }
  return kEntriesReadUnknown;
}

bool Stream::HasDeletedFrom(const StreamId& start) const {
  if (length() == 0 || max_deleted_id.zero() || first_id_ > max_deleted_id) return false;
  return start <= max_deleted_id;
}

StreamProducers& Stream::MutableProducers() {
  if (producers_ == nullptr) producers_ = std::make_unique<StreamProducers>();
  return *producers_;
}

// --- walking ---------------------------------------------------------------------------------------------------------------------

StreamCursor::StreamCursor(const Stream& stream, const StreamId& start, const StreamId& end, bool backwards, bool deleted_too)
    : start_(start), end_(end), backwards_(backwards), deleted_too_(deleted_too) {
  found_ = start <= end && stream.blocks().Seek(StreamIdProbe{backwards ? end : start}, &at_);
}

// Goes to the entries of the block at at_; false where the block, and all behind it, are out of the range.
bool StreamCursor::EnterBlock() {
  const StreamBlock& block = *at_.leaf();
  if (backwards_ ? block.last() < start_ : block.first() > end_) return false;
  block_.emplace(block);
  if (!backwards_) return true;
  places_.clear();
  places_.reserve(block.live_count());
  while (block_->Next() && block_->id() <= end_) {
    if (block_->id() >= start_ && (deleted_too_ || !block_->deleted())) places_.push_back(block_->place());
  }
  return true;
}

bool StreamCursor::NextInBlock() {
  if (backwards_) {
    if (places_.empty()) return false;
    block_->Return(places_.back());
    places_.pop_back();
    return true;
  }
  while (block_->Next()) {
    if (block_->id() < start_ || (block_->deleted() && !deleted_too_)) continue;
    if (block_->id() <= end_) return true;
    found_ = false;
    return false;
  }
  return false;
}

bool StreamCursor::Next() {
  while (found_) {
    if (!entered_) {
      found_ = entered_ = EnterBlock();
      continue;
    }
    if (NextInBlock()) return true;
    if (!found_) break;
    entered_ = false;
    found_ = backwards_ ? Stream::BlockTree::Prev(&at_) : Stream::BlockTree::Next(&at_);
  }
  return false;
}

}  // namespace cairn
