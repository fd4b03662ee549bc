#include "engine/keyspace/snapshot_cut.h"

#include <algorithm>

#include "engine/codec/value_codec.h"
#include "engine/keyspace/shard.h"

namespace cairn {

namespace {

constexpr size_t kChunkBytes = 32 * 1024;  // of the buffers that writers fill
constexpr uint32_t kBucketsPerLock = 4;    // some tens of microseconds where entries were not touched for long
constexpr size_t kLargeEntriesPerCall = 16;
constexpr size_t kInlineEncodedMaxBytes = kPackedMaxBytes * 3;  // packed elements may take less than encoded ones

}  // namespace

// One shard's part. Everything but the claim and the atomic is guarded by the shard's lock, or belongs to who claimed the part.
class SnapshotCut::ShardCut : public EntrySink {
 public:
  ShardCut(Shard* shard, AccessKind access_kind) : shard_(shard), access_kind_(access_kind) {}

  struct Chunk {
    std::string bytes;
    uint64_t entries = 0;
  };

  void TakeEntry(uint32_t database, const Entry& entry) override {
    EntryHead entry_head;
    entry_head.database = database;
    entry_head.value_type = RdbTypeOf(entry);
    entry_head.access_kind = access_kind_;
    entry_head.access = entry.access();
    entry_head.has_expiry = entry.has_expiry();
    if (entry_head.has_expiry) entry_head.expiry_unix_ms = entry.expiry_ms();
    const std::string_view key = entry.key();
    const bool retains = entry.encoding() == Encoding::kRope || entry.encoding() == Encoding::kLarge;
    if (retains || EntryBlock::IsBig(key.size(), kInlineEncodedMaxBytes))
      return Retain({shard_->index, entry_head, std::string(key), RetainedValue::Of(entry)});
    std::string_view prefix;
    std::string_view body;
    EncodeInlineValue(entry, &scratch_, &prefix, &body);
    const size_t value_bytes = prefix.size() + body.size();
    if (walker_block_ != nullptr && !walker_block_->full()) {
      walker_block_->BeginEntry(entry_head, key, value_bytes);
      walker_block_->AppendValue(prefix);
      walker_block_->AppendValue(body);
      return;
    }
    const size_t entry_bytes = kEntryHeadMaxBytes + key.size() + value_bytes;
    if (chunks_.empty() || chunks_.back().bytes.capacity() - chunks_.back().bytes.size() < entry_bytes) {
      chunks_.emplace_back().bytes.reserve(std::max(kChunkBytes, entry_bytes));
    }
    Chunk& chunk = chunks_.back();
    const size_t before = chunk.bytes.size();
    char encoded_head[kEntryHeadMaxBytes];
    chunk.bytes.append(encoded_head, EncodeEntryHead(encoded_head, entry_head, key.size(), value_bytes));
    chunk.bytes.append(key).append(prefix).append(body);
    chunk.entries++;
    buffered_bytes_.fetch_add(chunk.bytes.size() - before, std::memory_order_relaxed);
  }

  // Moves what writers handed over to the claimer, or, where there is nothing and it `may_walk`, walks some buckets into `block`. The
  // shard is locked.
  void Advance(EntryBlock* block, bool may_walk) {
    if (may_walk && chunks_.empty() && large_.empty() && !walked_) {
      walker_block_ = block;
      walked_ = !WalkSome();
      walker_block_ = nullptr;
    }
    std::move(chunks_.begin(), chunks_.end(), std::back_inserter(taken_chunks_));
    std::move(large_.begin(), large_.end(), std::back_inserter(taken_large_));
    chunks_.clear();
    large_.clear();
  }

  // --- the claimer's, without the lock ---
  // Moves taken chunks and retained entries to the block and to `large`, as far as the block has room.
  uint64_t Drain(EntryBlock* block, std::vector<LargeEntry>* large);
  bool drained() const { return taken_chunks_.empty() && taken_large_.empty(); }
  uint64_t buffered_bytes() const { return buffered_bytes_.load(std::memory_order_relaxed); }

  Shard& shard() { return *shard_; }
  std::vector<std::shared_ptr<Table>> tables;  // by database
  bool claimed = false;                        // with done, guarded by SnapshotCut::claims_
  bool done = false;
  bool finished() const { return walked_ && chunks_.empty() && large_.empty(); }  // the shard is locked

 private:
  void Retain(LargeEntry entry) {
    buffered_bytes_.fetch_add(entry.key.size() + entry.value.held_bytes(), std::memory_order_relaxed);
    large_.push_back(std::move(entry));
  }

  bool WalkSome() {
    for (; walk_database_ < tables.size(); walk_database_++, walk_ = {}) {
      if (tables[walk_database_] != nullptr && tables[walk_database_]->dictionary.HandOverSome(&walk_, kBucketsPerLock))
        return true;
    }
    return false;
  }

  Shard* const shard_;
  const AccessKind access_kind_;
  EntryBlock* walker_block_ = nullptr;
  std::deque<Chunk> chunks_;
  std::deque<LargeEntry> large_;
  uint32_t walk_database_ = 0;
  Dictionary::CutWalk walk_;
  bool walked_ = false;
  std::atomic<uint64_t> buffered_bytes_{0};
  std::deque<Chunk> taken_chunks_;
  std::deque<LargeEntry> taken_large_;
  size_t taken_offset_ = 0;    // into the first taken chunk
  std::string scratch_;        // with the lock
  std::string drained_value_;  // the claimer's
};

uint64_t SnapshotCut::ShardCut::Drain(EntryBlock* block, std::vector<LargeEntry>* large) {
  uint64_t drained_entries = 0;
  while (!taken_chunks_.empty() && !block->full()) {
    const Chunk& chunk = taken_chunks_.front();
    const size_t begin = taken_offset_;
    const std::string_view rest = std::string_view(chunk.bytes).substr(taken_offset_);
    EntryReader reader(rest, UINT64_MAX);
    EntryView entry;
    while (!block->full() && taken_offset_ < chunk.bytes.size() && reader.Next(&entry)) {
      block->Append(entry);
      taken_offset_ = static_cast<size_t>(entry.value.data() + entry.value.size() - chunk.bytes.data());
      drained_entries++;
    }
    buffered_bytes_.fetch_sub(taken_offset_ - begin, std::memory_order_relaxed);
    CAIRN_CHECK(block->full() || taken_offset_ == chunk.bytes.size());
    if (taken_offset_ == chunk.bytes.size()) {
      taken_chunks_.pop_front();
      taken_offset_ = 0;
    }
  }
  while (!taken_large_.empty() && !block->full() && large->size() < kLargeEntriesPerCall) {
    LargeEntry entry = std::move(taken_large_.front());
    taken_large_.pop_front();
    buffered_bytes_.fetch_sub(entry.key.size() + entry.value.held_bytes(), std::memory_order_relaxed);
    drained_entries++;
    if (entry.value.MayExceed(kInlineEncodedMaxBytes) || EntryBlock::IsBig(entry.key.size(), kInlineEncodedMaxBytes)) {
      large->push_back(std::move(entry));
      continue;
    }
    drained_value_.clear();
    StringRdbSink sink(&drained_value_);
    entry.value.Encode(sink);
    block->Append({entry.head, entry.key, drained_value_});
  }
  return drained_entries;
}

SnapshotCut::SnapshotCut(Shard* const* shards, uint32_t databases, AccessKind access_kind) {
  for (uint32_t i = 0; i < kShardCount; i++) {
    parts_[i] = std::make_unique<ShardCut>(shards[i], access_kind);
    parts_[i]->tables.resize(databases);
  }
}

SnapshotCut::~SnapshotCut() = default;

void SnapshotCut::Pin(uint32_t epoch) {
  for (const std::unique_ptr<ShardCut>& part : parts_) {
    for (uint32_t database = 0; database < part->tables.size(); database++) {
      const std::shared_ptr<Table>& table = part->shard().tables[database];
      if (table == nullptr || table->dictionary.size() == 0) continue;
      table->dictionary.SetCut(part.get(), epoch, database);
      entry_count_ += table->dictionary.size();
      part->tables[database] = table;
    }
  }
}

std::vector<std::shared_ptr<Table>> SnapshotCut::Unpin(uint32_t shard) {
  ShardCut& part = *parts_[shard];
  std::vector<std::shared_ptr<Table>> pinned;
  for (std::shared_ptr<Table>& table : part.tables) {
    if (table == nullptr) continue;
    table->dictionary.SetCut(nullptr, 0, 0);
    pinned.push_back(std::move(table));
    table = nullptr;
  }
  return pinned;
}

uint64_t SnapshotCut::handed_over_bytes() const {
  uint64_t bytes = 0;
  for (const std::unique_ptr<ShardCut>& part : parts_) bytes += part->buffered_bytes();
  return bytes;
}

SnapshotCut::ShardCut* SnapshotCut::Claim(bool relieve) {
  SpinLockHolder hold(claims_);
  ShardCut* best = nullptr;
  for (const std::unique_ptr<ShardCut>& part : parts_) {
    if (part->claimed || part->done) continue;
    if (best == nullptr || (relieve && part->buffered_bytes() > best->buffered_bytes())) best = part.get();
  }
  if (best != nullptr) best->claimed = true;
  return best;
}

bool SnapshotCut::NextBlock(EntryBlock* block, std::vector<LargeEntry>* large, uint64_t relieve_from_bytes,
                            const std::function<void()>& between) {
  const bool relieve = handed_over_bytes() >= relieve_from_bytes;
  ShardCut* part = Claim(relieve);
  if (part == nullptr) {
    block->Reset(0);
    return false;
  }
  block->Reset(static_cast<uint16_t>(part->shard().index));
  Fill(*part, relieve && part->buffered_bytes() > 0, block, large, between);
  return true;
}

void SnapshotCut::Fill(ShardCut& part, bool relieve, EntryBlock* block, std::vector<LargeEntry>* large,
                       const std::function<void()>& between) {
  bool done = false;
  const size_t large_before = large->size();
  while (!block->full() && large->size() - large_before < kLargeEntriesPerCall && !done) {
    const uint32_t in_block = block->entry_count();
    {
      SpinLockHolder hold(part.shard().lock);
      part.Advance(block, !relieve);
      done = part.finished();
    }
    const uint64_t walked = block->entry_count() - in_block;
    entries_done_.fetch_add(walked + part.Drain(block, large), std::memory_order_relaxed);
    done = done && part.drained();
    if (relieve && part.drained()) break;
    if (between && !done) between();
  }
  SpinLockHolder hold(claims_);
  part.claimed = false;
  part.done = done;
}

}  // namespace cairn
