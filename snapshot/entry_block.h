// A block of entries being filled: one shard's entries in one buffer that is allocated once and
// used again, with the counts that the snapshot's index keeps so that a loader can size its tables.
//
//   EntryBlock block(shard);
//   block.Append(entry);
//   if (block.full()) CAIRN_RETURN_IF_ERROR(writer.AddBlock(block));
//
// Not synchronised: one thread at a time. Nothing here fails; misuse aborts.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "snapshot/entry_codec.h"
#include "snapshot/snapshot_format.h"

namespace cairn {

// How many entries of one database are there; `expiring` of them have an expiry.
struct DatabaseCount {
  uint32_t database = 0;
  uint64_t entries = 0;
  uint64_t expiring = 0;
};

class EntryBlock {
 public:
  // Is full when it holds `target_bytes`, at most kBlockTargetBytes. Reserves up to half a megabyte of address space; pages become
  // resident as they are filled.
  explicit EntryBlock(uint16_t shard = 0, size_t target_bytes = kBlockTargetBytes)
      : shard_(shard), target_bytes_(target_bytes), buffer_(new char[target_bytes + kExtraBytes]) {}
  EntryBlock(EntryBlock&&) noexcept = default;
  EntryBlock& operator=(EntryBlock&&) noexcept = default;

  // Whether an entry of these sizes must go through SnapshotWriter::BeginBigEntry instead.
  static bool IsBig(uint64_t key_bytes, uint64_t value_bytes) {
    return key_bytes > kInlineEntryMaxBytes || value_bytes > kInlineEntryMaxBytes - key_bytes;
  }

  // Copies one entry in. Only while !full() and for entries that are not big.
  void Append(const EntryView& entry) {
    CheckRoom(entry.key.size(), entry.value.size());
    size_ = static_cast<size_t>(EncodeEntry(buffer_.get() + size_, entry) - buffer_.get());
    Count(entry.head);
  }

  // The same for a value that comes in parts: exactly `value_bytes` must follow through AppendValue
  // before anything else.
  void BeginEntry(const EntryHead& head, std::string_view key, uint64_t value_bytes) {
    CheckRoom(key.size(), value_bytes);
    char* end = EncodeEntryHead(buffer_.get() + size_, head, key.size(), value_bytes);
    end = std::copy_n(key.data(), key.size(), end);
    size_ = static_cast<size_t>(end - buffer_.get());
    value_bytes_missing_ = value_bytes;
    Count(head);
  }
  void AppendValue(std::string_view part) {
    CAIRN_CHECK(part.size() <= value_bytes_missing_);
    std::copy_n(part.data(), part.size(), buffer_.get() + size_);
    size_ += part.size();
    value_bytes_missing_ -= part.size();
  }

  // Time to hand it to SnapshotWriter::AddBlock.
  bool full() const { return size_ >= kBlockHeaderBytes + target_bytes_; }
  bool empty() const { return entry_count_ == 0; }
  uint16_t shard() const { return shard_; }
  uint32_t entry_count() const { return entry_count_; }
  size_t raw_bytes() const { return size_ - kBlockHeaderBytes; }
  std::string_view raw() const { return {buffer_.get() + kBlockHeaderBytes, raw_bytes()}; }
  const std::vector<DatabaseCount>& counts() const { return counts_; }

  // Empties it for entries of `shard`.
  void Reset(uint16_t shard) {
    shard_ = shard;
    size_ = kBlockHeaderBytes;
    entry_count_ = 0;
    value_bytes_missing_ = 0;
    counts_.clear();
  }

 private:
  friend class SnapshotWriter;
  // The block header's room lies in front of the entries, so that an incompressible block is
  // written from here.
  static constexpr size_t kExtraBytes = kBlockHeaderBytes + kInlineEntryMaxBytes + kEntryHeadMaxBytes;

  void CheckRoom(uint64_t key_bytes, uint64_t value_bytes) const {
    CAIRN_CHECK(!full() && !IsBig(key_bytes, value_bytes) && value_bytes_missing_ == 0);
  }
  void Count(const EntryHead& head) {
    entry_count_++;
    if (counts_.empty() || counts_[last_count_].database != head.database) FindCount(head.database);
    counts_[last_count_].entries++;
    counts_[last_count_].expiring += head.has_expiry;
  }
  void FindCount(uint32_t database) {
    for (last_count_ = 0; last_count_ < counts_.size(); last_count_++) {
      if (counts_[last_count_].database == database) return;
    }
    counts_.push_back({.database = database});
  }

  uint16_t shard_;
  uint32_t entry_count_ = 0;
  size_t target_bytes_;
  std::unique_ptr<char[]> buffer_;
  size_t size_ = kBlockHeaderBytes;
  uint64_t value_bytes_missing_ = 0;
  std::vector<DatabaseCount> counts_;
  size_t last_count_ = 0;
};

}  // namespace cairn
