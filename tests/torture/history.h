// What clients did and saw: the only thing that a recovered store is judged by.
//
// Every operation is stamped when it is sent and when its reply comes, with numbers of one counter that all clients share. A crash has
// two stamps: replies before the first had arrived for certain, operations after the second were not sent yet. So images of a running
// system can be taken without stopping it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace cairn::torture {

// What the clients work on. Every number written is used once, so a value found tells which operation wrote it.
inline constexpr uint32_t kStrings = 6;     // SET, GETSET, GET, MGET
inline constexpr uint32_t kHashFields = 4;  // HSET, HGET on fields of one hash
inline constexpr uint32_t kScores = 4;      // ZADD, ZSCORE on members of one sorted set
inline constexpr uint32_t kGroups = 3;      // MULTI, MSET on kGroupKeys keys of several shards
inline constexpr uint32_t kRegisters = kStrings + kHashFields + kScores + kGroups;
inline constexpr uint32_t kFirstGroup = kRegisters - kGroups;
inline constexpr uint32_t kGroupKeys = 3;
inline constexpr uint32_t kCounters = 2;   // INCR
inline constexpr uint32_t kConsumers = 4;  // of the one group of the one stream; client n is consumer n
inline constexpr uint32_t kClients = 4;
inline constexpr uint32_t kLedgerSlots =
    4;  // a client writes 1, 2, 3... to slots 1, 2, 3, 0, 1...: what survives must be a prefix

enum class OpKind : uint8_t {
  kWrite,        // register `object` := value
  kRead,         // register `object` was `value`
  kSwap,         // register `object` := value, was `other`
  kIncrement,    // counter `object` became `value`
  kCount,        // counter `object` was `value`
  kPush,         // `value` to the end of the queue
  kPop,          // `value` from the front of the queue
  kMove,         // `value` from the front of the queue to the end of the second list
  kAdd,          // `value` to the stream
  kDeliver,      // entry `value` to consumer `object`; 0: nothing was left
  kAck,          // entry `value` by consumer `object`
  kCreateGroup,  // the stream and its group
  kLedger,       // `value` to client `object`'s ledger
};

struct Operation {
  OpKind kind = OpKind::kRead;
  uint32_t object = 0;
  uint64_t value = 0;
  uint64_t other = 0;
  uint64_t start = 0;
  uint64_t finish = 0;
  int64_t started_us = 0;  // by the store's clock, as the next
  int64_t finished_us = 0;
  bool acknowledged = false;  // a positive reply came; otherwise it happened before `finish`, or not at all
};

// One client's operations in the order in which it sent them. Written by its thread only; read by others when that has ended.
using ClientHistory = std::vector<Operation>;

class HistoryClock {
 public:
  uint64_t Next() { return stamp_.fetch_add(1, std::memory_order_seq_cst); }
  uint64_t now() const { return stamp_.load(std::memory_order_seq_cst); }

 private:
  std::atomic<uint64_t> stamp_{1};
};

// How much of what was acknowledged a crash may take back.
enum class Promise : uint8_t {
  kEverything,  // appendfsync always
  // everysec: only what was acknowledged within the last second in which writes were: they wait while older ones are not durable,
  // whether it is the disk that hangs or the machine.
  kOneSecond,
  kPrefix,  // no, or a damaged disk: any amount, but from the end
};

struct CrashMoment {
  uint64_t replies_before = 0;  // stamps, see above
  uint64_t sent_before = 0;
  int64_t at_us = 0;
};

// The operations as they count after a crash: what was not acknowledged for certain becomes doubtful, what was not sent is gone.
std::vector<Operation> HistoryUntil(const CrashMoment& crash, Promise promise, const std::vector<Operation>& before,
                                    const std::vector<ClientHistory>& clients);

}  // namespace cairn::torture
