#include "wal/append_buffer.h"

#include <sys/mman.h>

#include <charconv>
#include <cstring>
#include <thread>
#include <utility>

namespace cairn {
namespace {

// In memory only: the slot stands for a linked unit.
constexpr uint8_t kLinkedSlot = 0xff;
// Blocks kept for reuse under load; an idle log keeps one.
constexpr size_t kMaxSpares = 32;

size_t SelectRecord(uint32_t database, char* to) {
  char digits[12];
  size_t length = static_cast<size_t>(std::to_chars(digits, digits + sizeof(digits), database).ptr - digits);
  constexpr std::string_view kHead = "*2\r\n$6\r\nSELECT\r\n$";
  char* at = to;
  std::memcpy(at, kHead.data(), kHead.size());
  at += kHead.size();
  at = std::to_chars(at, at + 2, length).ptr;
  *at++ = '\r';
  *at++ = '\n';
  std::memcpy(at, digits, length);
  at += length;
  *at++ = '\r';
  *at++ = '\n';
  return static_cast<size_t>(at - to);
}
constexpr size_t kMaxSelectBytes = 40;

// How far ahead of its own bytes an append asks for the block's lines, which the log thread's core has read, or written in an earlier
// round: about four small units.
constexpr size_t kPrefetchAheadBytes = 512;

void CopyPieces(std::span<const LogPiece> pieces, char* to) {
  for (const LogPiece& piece : pieces) {
    if (piece.bytes.empty()) continue;
    std::memcpy(to, piece.bytes.data(), piece.bytes.size());
    to += piece.bytes.size();
  }
}

uint64_t TotalBytes(std::span<const LogPiece> pieces) {
  uint64_t bytes = 0;
  for (const LogPiece& piece : pieces) bytes += piece.bytes.size();
  return bytes;
}

// Takes references to owned pieces and copies the others.
std::unique_ptr<LinkedUnit> MakeLinked(std::span<const LogPiece> pieces, uint64_t bytes) {
  auto unit = std::make_unique<LinkedUnit>();
  unit->bytes = bytes;
  unit->pieces.reserve(pieces.size());
  for (const LogPiece& piece : pieces) {
    if (piece.bytes.empty()) continue;
    if (piece.owner.size() > 0) {
      unit->pieces.push_back(piece);
    } else {
      SharedBytes copy = SharedBytes::Copy(piece.bytes);
      std::string_view view = copy.view();
      unit->pieces.push_back({view, std::move(copy)});
    }
  }
  return unit;
}

}  // namespace

AppendBuffer::AppendBuffer(Lsn next_lsn, size_t max_frame_bytes, ThreadWaker* waker, std::atomic<Lsn>* durable_lsn)
    : end_(next_lsn),
      frame_lsn_(next_lsn),
      tail_(NewBlock()),
      tail_bytes_(tail_->bytes),
      max_frame_bytes_(max_frame_bytes),
      copy_limit_bytes_(std::min(kCopyLimitBytes, max_frame_bytes)),
      waker_(waker),
      durable_lsn_(durable_lsn),
      first_(tail_),
      slots_(new ThreadSlot[kThreadSlots]) {
  // A SELECT record must fit a frame.
  CAIRN_CHECK(max_frame_bytes >= kMaxSelectBytes && max_frame_bytes <= kMaxPayloadBytes);
  static_assert(kFrameHeaderBytes + kCopyLimitBytes + kMaxSelectBytes < kBlockBytes);
  spares_.reserve(kMaxSpares + 1);
  blocks_.store(1);
}

AppendBuffer::~AppendBuffer() {
  ReleaseLinked(UINT64_MAX);
  while (first_ != nullptr) {
    Block* next = first_->next;
    FreeBlock(first_);
    first_ = next;
  }
  for (Block* spare : spares_) FreeBlock(spare);
}

// Mapped, not malloc'ed, so that freeing a block gives its pages back at once; populated, so that appenders take no page
// faults under their lock.
AppendBuffer::Block* AppendBuffer::NewBlock() {
  void* bytes = ::mmap(nullptr, kBlockBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  CAIRN_CHECK(bytes != MAP_FAILED);
  auto* block = new Block;
  block->bytes = static_cast<char*>(bytes);
  return block;
}

void AppendBuffer::FreeBlock(Block* block) {
  ::munmap(block->bytes, kBlockBytes);
  delete block;
}

AppendBuffer::ThreadSlot& AppendBuffer::OwnSlot(bool* alone) const {
  const uint32_t number = ThisThreadNumber();
  *alone = number < kThreadSlots - 1;
  return slots_[*alone ? number : kThreadSlots - 1];
}

bool AppendBuffer::CountUnlocked(size_t bytes) const {
  bool alone;
  return (OwnSlot(&alone).counted.fetch_add(bytes, std::memory_order_seq_cst) & kCountingClosed) == 0;
}

uint64_t AppendBuffer::CountedBytes() const {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < kThreadSlots; i++) {
    const uint64_t counted = slots_[i].counted.load(std::memory_order_seq_cst);
    if ((counted & kCountingClosed) == 0) bytes += counted;
  }
  return bytes;
}

Lsn AppendBuffer::CountedEnd() const {
  SpinLockHolder hold(lock_);
  return end() + CountedBytes();
}

Lsn AppendBuffer::Append(uint32_t database, std::string_view unit, uint32_t database_after) {
  const LogPiece piece{unit, {}};
  return AppendPieces(database, {&piece, 1}, unit.size(), database_after);
}

Lsn AppendBuffer::Append(uint32_t database, std::span<const LogPiece> pieces) {
  return AppendPieces(database, pieces, TotalBytes(pieces), database);
}

Lsn AppendBuffer::Count(uint64_t bytes) {
  CAIRN_CHECK(!keeping());
  bool alone;
  std::atomic<uint64_t>& counted = OwnSlot(&alone).counted;
  const uint64_t before = counted.load(std::memory_order_relaxed);
  if (alone && (before & kCountingClosed) == 0) [[likely]] {
    // Nobody else writes here until the buffer is on again, which the caller keeps off: no locked instruction.
    counted.store(before + bytes, std::memory_order_release);
    return end_.load(std::memory_order_relaxed);
  }
  if (CountUnlocked(bytes)) return end_.load(std::memory_order_relaxed);
  SpinLockHolder hold(lock_);
  CAIRN_CHECK(!keeping());
  AdvanceEnd(bytes);
  frame_lsn_ = end();
  return end();
}

Lsn AppendBuffer::AppendPieces(uint32_t database, std::span<const LogPiece> pieces, uint64_t bytes, uint32_t database_after) {
  if (bytes == 0) return end_lsn();
  if (!keeping() && CountUnlocked(bytes)) return end_.load(std::memory_order_relaxed);
  const bool links = bytes > copy_limit_bytes_;
  std::unique_ptr<LinkedUnit> linked;
  if (links) linked = MakeLinked(pieces, bytes);
  bool alone;
  ThreadSlot& slot = OwnSlot(&alone);
  char* to = nullptr;
  Lsn unit_end;
  bool wake = false;
  {
    SpinLockHolder hold(lock_);
    if (!keeping()) {
      // Switched off since the look above.
      AdvanceEnd(bytes);
      frame_lsn_ = end();
      return end();
    }
    EmitSelect(database, database_after);
    if (links) {
      Link(linked.release());
    } else {
      MakeRoom(bytes);
      if (alone) slot.copying_from.store(end(), std::memory_order_release);
      to = Reserve(bytes);
      if (!alone) CopyPieces(pieces, to);
    }
    units_.store(units_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (slot.wakes_held > 0) {
      slot.wakes_held--;
      slot.held_any = true;
    } else {
      slot.held_any = false;
      wake = sleeping_;
      sleeping_ = false;
    }
    unit_end = end();
  }
  if (to != nullptr && alone) {
    PrefetchForWrite(to + kPrefetchAheadBytes);
    PrefetchForWrite(to + kPrefetchAheadBytes + 64);
    CopyPieces(pieces, to);
    slot.copying_from.store(UINT64_MAX, std::memory_order_release);
  }
  if (wake) waker_->Wake();
  return unit_end;
}

void AppendBuffer::HoldWakes(uint32_t units) {
  bool alone;
  ThreadSlot& slot = OwnSlot(&alone);
  if (alone) slot.wakes_held = units;
}

bool AppendBuffer::ReleaseWakes() {
  bool alone;
  ThreadSlot& slot = OwnSlot(&alone);
  if (!alone) return false;
  slot.wakes_held = 0;
  return std::exchange(slot.held_any, false);
}

bool AppendBuffer::MustWake(Lsn seen) {
  SpinLockHolder hold(lock_);
  if (!sleeping_ || end() == seen) return false;
  sleeping_ = false;
  return true;
}

Lsn AppendBuffer::Cut() {
  SpinLockHolder hold(lock_);
  database_ = kNoDatabase;
  return keeping() ? end() : end() + CountedBytes();
}

void AppendBuffer::EmitSelect(uint32_t database, uint32_t database_after) {
  if (database == kNoDatabase) return;
  if (database != database_) {
    char record[kMaxSelectBytes];
    size_t bytes = SelectRecord(database, record);
    MakeRoom(bytes);
    std::memcpy(Reserve(bytes), record, bytes);
  }
  database_ = database_after;
}

// Makes the open frame able to take `bytes` more.
void AppendBuffer::MakeRoom(size_t bytes) {
  size_t payload = used_ - frame_start_ - kFrameHeaderBytes;
  if (payload + bytes > max_frame_bytes_) CloseFrame();
  if (size_t{used_} + bytes > kBlockBytes) NextBlock();
}

char* AppendBuffer::Reserve(size_t bytes) {
  char* const at = tail_bytes_ + used_;
  used_ += static_cast<uint32_t>(bytes);
  AdvanceEnd(bytes);
  return at;
}

void AppendBuffer::CloseFrame() {
  uint32_t payload = used_ - frame_start_ - static_cast<uint32_t>(kFrameHeaderBytes);
  if (payload == 0) return;
  char* slot = tail_bytes_ + frame_start_;
  StoreLittleEndian<uint32_t>(slot + kFramePayloadBytesAt, payload);
  StoreLittleEndian<uint64_t>(slot + kFrameKindAt, static_cast<uint64_t>(FrameKind::kData));
  StoreLittleEndian<uint64_t>(slot + kFrameFirstLsnAt, frame_lsn_);
  tail_->closed = used_;
  frame_start_ = used_;
  used_ += kFrameHeaderBytes;
  frame_lsn_ = end();
}

void AppendBuffer::NextBlock() {
  CloseFrame();
  Block* block;
  if (spares_.empty()) {
    block = NewBlock();
    blocks_.fetch_add(1, std::memory_order_relaxed);
  } else {
    block = spares_.back();
    spares_.pop_back();
  }
  tail_->next = block;
  tail_ = block;
  tail_bytes_ = block->bytes;
  frame_start_ = 0;
  used_ = kFrameHeaderBytes;
}

void AppendBuffer::Link(LinkedUnit* unit) {
  CloseFrame();
  if (size_t{frame_start_} + kFrameHeaderBytes > kBlockBytes) NextBlock();
  char* slot = tail_bytes_ + frame_start_;
  StoreLittleEndian<uint64_t>(slot + kFrameKindAt, kLinkedSlot);
  StoreLittleEndian<uint64_t>(slot + kFrameFirstLsnAt, end());
  StoreLittleEndian<uint64_t>(slot + kFrameUnitBytesAt, reinterpret_cast<uintptr_t>(unit));
  frame_start_ += kFrameHeaderBytes;
  tail_->closed = frame_start_;
  used_ = frame_start_ + static_cast<uint32_t>(kFrameHeaderBytes);
  AdvanceEnd(unit->bytes);
  frame_lsn_ = end();
  unit->end_lsn = end();
  (linked_last_ != nullptr ? linked_last_->next : linked_first_) = unit;
  linked_last_ = unit;
}

AppendBuffer::Position AppendBuffer::TailPosition() const {
  return {tail_, tail_->closed, end(), units_.load(std::memory_order_relaxed)};
}

AppendBuffer::Position AppendBuffer::Collect() {
  Position end;
  {
    SpinLockHolder hold(lock_);
    CloseFrame();
    end = TailPosition();
  }
  AwaitCopies(end.lsn);
  return end;
}

// Whoever reserved bytes before `upto` said so under the lock, which was taken since.
void AppendBuffer::AwaitCopies(Lsn upto) const {
  for (uint32_t i = 0; i < kThreadSlots - 1; i++) {
    for (uint32_t looks = 1; slots_[i].copying_from.load(std::memory_order_acquire) < upto; looks++) {
      // A copy takes well under a microsecond, unless its thread has lost its core.
      if (looks % 64 == 0) {
        std::this_thread::yield();
      } else {
        PauseCpu();
      }
    }
  }
}

AppendBuffer::Slot AppendBuffer::ReadSlot(const char* at) {
  Slot slot;
  slot.first_lsn = LoadLittleEndian<uint64_t>(at + kFrameFirstLsnAt);
  if (static_cast<uint8_t>(at[kFrameKindAt]) == kLinkedSlot) {
    slot.linked = reinterpret_cast<LinkedUnit*>(LoadLittleEndian<uint64_t>(at + kFrameUnitBytesAt));
  } else {
    slot.payload_bytes = LoadLittleEndian<uint32_t>(at + kFramePayloadBytesAt);
  }
  return slot;
}

bool AppendBuffer::EnterNextBlock(Position* at, uint32_t limit) {
  if (at->offset != limit) return false;
  at->block = at->block->next;
  at->offset = 0;
  return true;
}

void AppendBuffer::ForEachFrame(Position at, const Position& end,
                                const std::function<void(const Slot&, std::string_view payload)>& visit) {
  while (at.lsn != end.lsn) {
    if (EnterNextBlock(&at, FrameLimit(at, end))) continue;
    const char* const frame = at.block->bytes + at.offset;
    const Slot slot = ReadSlot(frame);
    visit(slot, {frame + kFrameHeaderBytes, slot.payload_bytes});
    at.offset += static_cast<uint32_t>(kFrameHeaderBytes) + slot.payload_bytes;
    at.lsn = slot.first_lsn + (slot.linked != nullptr ? slot.linked->bytes : slot.payload_bytes);
  }
}

AppendBuffer::Position AppendBuffer::Release(const Position& upto) {
  ReleaseLinked(upto.lsn);
  while (first_ != upto.block) {
    Block* block = first_;
    first_ = block->next;
    block->next = nullptr;
    block->closed = 0;
    bool kept = false;
    {
      SpinLockHolder hold(lock_);
      if (spares_.size() < kMaxSpares) {
        spares_.push_back(block);
        kept = true;
      }
    }
    if (!kept) {
      FreeBlock(block);
      blocks_.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  // Nothing left: start the block again from its beginning, where it is still in the caches.
  SpinLockHolder hold(lock_);
  if (upto.block != tail_ || upto.offset != tail_->closed || used_ != frame_start_ + kFrameHeaderBytes) return upto;
  tail_->closed = 0;
  frame_start_ = 0;
  used_ = kFrameHeaderBytes;
  return {tail_, 0, upto.lsn, upto.units};
}

void AppendBuffer::ReleaseLinked(Lsn upto) {
  LinkedUnit* done = nullptr;
  {
    SpinLockHolder hold(lock_);
    if (linked_first_ == nullptr || linked_first_->end_lsn > upto) return;
    done = linked_first_;
    LinkedUnit* last = done;
    while (last->next != nullptr && last->next->end_lsn <= upto) last = last->next;
    linked_first_ = last->next;
    if (linked_first_ == nullptr) linked_last_ = nullptr;
    last->next = nullptr;
  }
  while (done != nullptr) {
    LinkedUnit* next = done->next;
    delete done;
    done = next;
  }
}

bool AppendBuffer::PrepareSleep(const Position& seen) {
  SpinLockHolder hold(lock_);
  // While the buffer is off there is nothing to wake up for.
  if (keeping() && end() != seen.lsn) return false;
  sleeping_ = keeping();
  return true;
}

void AppendBuffer::CancelSleep() {
  SpinLockHolder hold(lock_);
  sleeping_ = false;
}

void AppendBuffer::KeepSpare() {
  {
    SpinLockHolder hold(lock_);
    if (!spares_.empty()) return;
  }
  Block* block = NewBlock();
  blocks_.fetch_add(1, std::memory_order_relaxed);
  SpinLockHolder hold(lock_);
  spares_.push_back(block);
}

void AppendBuffer::TrimSpares() {
  std::vector<Block*> surplus;
  surplus.reserve(kMaxSpares + 1);
  {
    SpinLockHolder hold(lock_);
    surplus.assign(spares_.begin(), spares_.end());
    spares_.clear();
  }
  for (Block* block : surplus) FreeBlock(block);
  blocks_.fetch_sub(static_cast<uint32_t>(surplus.size()), std::memory_order_relaxed);
}

AppendBuffer::Position AppendBuffer::StartKeeping() {
  SpinLockHolder hold(lock_);
  uint64_t counted = 0;
  for (uint32_t i = 0; i < kThreadSlots; i++) {
    const uint64_t bytes = slots_[i].counted.exchange(kCountingClosed, std::memory_order_seq_cst);
    if ((bytes & kCountingClosed) == 0) counted += bytes;
  }
  AdvanceEnd(counted);
  durable_lsn_->store(end(), std::memory_order_seq_cst);
  following_.store(false, std::memory_order_seq_cst);
  database_ = kNoDatabase;
  frame_lsn_ = end();
  keeping_.store(true, std::memory_order_seq_cst);
  return TailPosition();
}

AppendBuffer::Position AppendBuffer::StopKeeping() {
  Position end;
  {
    SpinLockHolder hold(lock_);
    CloseFrame();
    keeping_.store(false, std::memory_order_seq_cst);
    for (uint32_t i = 0; i < kThreadSlots; i++) slots_[i].counted.store(0, std::memory_order_seq_cst);
    end = TailPosition();
  }
  AwaitCopies(end.lsn);
  return end;
}

void AppendBuffer::FollowEnd() {
  SpinLockHolder hold(lock_);
  following_.store(true, std::memory_order_seq_cst);
  durable_lsn_->store(end() + CountedBytes(), std::memory_order_seq_cst);
}

uint64_t AppendBuffer::block_bytes() const { return uint64_t{blocks_.load(std::memory_order_relaxed)} * kBlockBytes; }

}  // namespace cairn
