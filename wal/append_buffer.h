// The memory between Append() and the disk: appended units, in log order, already laid out as frames.
//
// Bytes lie in blocks of kBlockBytes. Appenders copy payload into the open frame at the end of the newest block, behind room
// for its header; the log thread closes that frame when it collects, so that a group is written straight from here with its
// headers filled in place. A unit that is too large to be copied under the spin lock is linked: a slot of header size in the
// block stands for it.
//
//   block:  [slot|payload......][slot|payload..][slot: linked]  [slot|payload...        free      ]
//           written and kept until released      closed ────────^ open frame       used ─^
//
// An append reserves its bytes under the spin lock and copies them when it has left it: the lines of the block may have to come from
// another core, and nobody should wait for that. Each thread has a slot that says from where on it may still be copying; Collect waits
// for those who are.
//
// While the buffer is off units are only counted, by each thread for itself, so that a store without a log has nothing that its
// threads share.
//
// Threads: the functions for appenders may be called from any thread; those for the log thread by it alone. Bytes before a
// collected position never change again except for the headers, which only the log thread writes.
// Ownership: a block belongs to this object from allocation to Release(); what is linked is held until then.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/cpu.h"
#include "base/thread_annotations.h"
#include "wal/log_options.h"
#include "wal/record_format.h"
#include "wal/thread_waker.h"

namespace cairn {

// A unit held by reference. `pieces` all have owners or lie in one that has.
struct LinkedUnit {
  std::vector<LogPiece> pieces;
  uint64_t bytes = 0;
  Lsn end_lsn = 0;
  LinkedUnit* next = nullptr;
};

class AppendBuffer {
 public:
  static constexpr uint32_t kBlockBytes = 1u << 20;
  // Units up to this size are copied under the lock; the engine's values above it are shared chunks anyway.
  static constexpr size_t kCopyLimitBytes = 16 * 1024;
  static constexpr uint32_t kNoDatabase = UINT32_MAX;

  struct Block {
    Block* next = nullptr;
    uint32_t closed = 0;  // bytes of whole frames; final once `next` is set
    char* bytes = nullptr;
  };
  // A frame boundary. `units` counts the units before it.
  struct Position {
    Block* block = nullptr;
    uint32_t offset = 0;
    Lsn lsn = 0;
    uint64_t units = 0;
  };
  // What stands in the header room of a closed frame until the log thread seals it.
  struct Slot {
    uint32_t payload_bytes = 0;
    Lsn first_lsn = 0;
    LinkedUnit* linked = nullptr;  // null for a frame with its payload behind it
  };

  // `waker` is woken by the first append after the log thread announced that it sleeps. `durable_lsn` is kept equal to the
  // end while the buffer is off. All outlive this object.
  AppendBuffer(Lsn next_lsn, size_t max_frame_bytes, ThreadWaker* waker, std::atomic<Lsn>* durable_lsn);
  ~AppendBuffer();
  AppendBuffer(const AppendBuffer&) = delete;
  AppendBuffer& operator=(const AppendBuffer&) = delete;

  // --- Appenders. `database` kNoDatabase: no SELECT is considered, and the selected database is not touched. While the buffer is
  // off the returned LSN is one before the unit's end, durable already. ---
  Lsn Append(uint32_t database, std::string_view unit, uint32_t database_after);
  Lsn Append(uint32_t database, std::span<const LogPiece> pieces);
  // A unit that the caller has not written down, while the buffer is off. The caller sees to it that no StartKeeping() runs meanwhile.
  Lsn Count(uint64_t bytes);
  Lsn Cut();
  Lsn end_lsn() const { return keeping() ? end_.load(std::memory_order_acquire) : CountedEnd(); }
  uint64_t units() const { return units_.load(std::memory_order_relaxed); }
  // An append by this thread comes soon.
  void PrefetchForAppend() const {
    if (keeping()) PrefetchForWrite(&lock_);
  }

  // The next appends of this thread, up to so many, do not wake the log thread.
  void HoldWakes(uint32_t units);
  // Whether there were such, none of which woke it: somebody must see that they are committed.
  bool ReleaseWakes();
  // Whether the log thread sleeps, and something came in after `seen`; it is then to be woken by the caller.
  bool MustWake(Lsn seen);

  // --- Log thread, or whoever commits in its place. ---
  // Closes the open frame; everything before the returned position is ready to be written.
  Position Collect();
  static Slot ReadSlot(const char* at);
  // Where the frames before `end` stop in the block that `at` points into.
  static uint32_t FrameLimit(const Position& at, const Position& end) {
    return at.block == end.block ? end.offset : at.block->closed;
  }
  // From the end of a block's frames to the next block; false where `at` is not at that end.
  static bool EnterNextBlock(Position* at, uint32_t limit);
  // The closed frames from `at` on, in order: the payload is empty for a linked unit.
  static void ForEachFrame(Position at, const Position& end,
                           const std::function<void(const Slot&, std::string_view payload)>& visit);
  // Bytes before `upto` are no longer needed. Returns the position to go on from in its place.
  Position Release(const Position& upto);
  // Announces that the log thread goes to sleep; false when something came in after `seen`, then it must not.
  bool PrepareSleep(const Position& seen);
  void CancelSleep();
  // Allocates what appenders will need next, outside their lock, and gives back what an idle log does not need.
  void KeepSpare();
  void TrimSpares();
  // From the returned position on units are kept (Start), or only counted (Stop). While the buffer is off, the durable LSN
  // follows the end only after FollowEnd(): it is then end_lsn(), and the slot it is kept in otherwise is not written.
  Position StartKeeping();
  Position StopKeeping();
  void FollowEnd();
  bool keeping() const { return keeping_.load(std::memory_order_relaxed); }
  bool following() const { return following_.load(std::memory_order_seq_cst); }
  uint64_t block_bytes() const;

 private:
  static Block* NewBlock();
  static void FreeBlock(Block* block);

  // What one thread is at. Threads whose number is too large for a slot of their own share the last one, and copy under the lock.
  struct alignas(64) ThreadSlot {
    std::atomic<Lsn> copying_from{UINT64_MAX};  // where the reserved bytes begin that are not there yet
    std::atomic<uint64_t> counted{kCountingClosed};
    uint32_t wakes_held = 0;  // the thread's own, as the next: how many more appends do not wake the log thread
    bool held_any = false;
  };
  static constexpr uint32_t kThreadSlots = 64;
  static constexpr uint64_t kCountingClosed = uint64_t{1} << 63;  // what is added to this is not counted

  ThreadSlot& OwnSlot(bool* alone) const;
  // Counts a unit while the buffer is off; false where it is kept after all.
  bool CountUnlocked(size_t bytes) const;
  uint64_t CountedBytes() const CAIRN_REQUIRES(lock_);
  Lsn CountedEnd() const;
  Lsn AppendPieces(uint32_t database, std::span<const LogPiece> pieces, uint64_t bytes, uint32_t database_after);
  void AwaitCopies(Lsn upto) const;

  void EmitSelect(uint32_t database, uint32_t database_after) CAIRN_REQUIRES(lock_);
  void MakeRoom(size_t bytes) CAIRN_REQUIRES(lock_);
  void CloseFrame() CAIRN_REQUIRES(lock_);
  void NextBlock() CAIRN_REQUIRES(lock_);
  // Takes so many bytes at the end, for which MakeRoom has seen; they are to be filled.
  char* Reserve(size_t bytes) CAIRN_REQUIRES(lock_);
  void Link(LinkedUnit* unit) CAIRN_REQUIRES(lock_);
  Lsn end() const CAIRN_REQUIRES(lock_) { return end_.load(std::memory_order_relaxed); }
  void AdvanceEnd(size_t bytes) CAIRN_REQUIRES(lock_) { end_.store(end() + bytes, std::memory_order_release); }
  Position TailPosition() const CAIRN_REQUIRES(lock_);
  void ReleaseLinked(Lsn upto);

  // One cache line is all that appenders of different cores share.
  alignas(64) mutable SpinLock lock_;
  uint32_t used_ CAIRN_GUARDED_BY(lock_) = kFrameHeaderBytes;
  uint32_t frame_start_ CAIRN_GUARDED_BY(lock_) = 0;         // the open frame's slot
  uint32_t database_ CAIRN_GUARDED_BY(lock_) = kNoDatabase;  // selected at the end; kNoDatabase: emit a SELECT
  std::atomic<Lsn> end_;                                     // written under lock_; while the buffer is off, of what came before
  std::atomic<uint64_t> units_{0};                           // likewise
  Lsn frame_lsn_ CAIRN_GUARDED_BY(lock_);                    // of the open frame's first byte
  Block* tail_ CAIRN_GUARDED_BY(lock_);
  char* tail_bytes_ CAIRN_GUARDED_BY(lock_);  // the tail's
  bool sleeping_ CAIRN_GUARDED_BY(lock_) = false;

  alignas(64) const size_t max_frame_bytes_;
  const size_t copy_limit_bytes_;
  ThreadWaker* const waker_;
  std::atomic<Lsn>* const durable_lsn_;
  std::atomic<bool> keeping_{true};     // written under lock_
  std::atomic<bool> following_{false};  // likewise
  LinkedUnit* linked_first_ CAIRN_GUARDED_BY(lock_) = nullptr;
  LinkedUnit* linked_last_ CAIRN_GUARDED_BY(lock_) = nullptr;
  std::vector<Block*> spares_ CAIRN_GUARDED_BY(lock_);

  Block* first_;                     // oldest block not released; log thread only
  std::atomic<uint32_t> blocks_{0};  // allocated
  const std::unique_ptr<ThreadSlot[]> slots_;
};

}  // namespace cairn
