// Limits that clients can change while the server runs and that handlers obey. Process-wide; any thread reads and writes them.
#pragma once

#include <atomic>
#include <cstdint>

namespace cairn {

namespace internal {
inline std::atomic<int64_t> proto_max_bulk_bytes{int64_t{512} * 1024 * 1024};
}  // namespace internal

// proto-max-bulk-len: the longest string that a command may make, and the most memory that LCS may take. Replay of the log ignores
// it: what was acknowledged under another limit stays.
inline int64_t ProtoMaxBulkBytes() { return internal::proto_max_bulk_bytes.load(std::memory_order_relaxed); }
inline void SetProtoMaxBulkBytes(int64_t bytes) { internal::proto_max_bulk_bytes.store(bytes, std::memory_order_relaxed); }

}  // namespace cairn
