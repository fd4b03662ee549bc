// How large values and their parts may become: the longest string, up to where collections stay packed in their entry, and the windows of
// a stream's producers until the stream says its own; under Redis's directive names and with its defaults. Changed by CONFIG SET while
// other threads read: each is one relaxed atomic number.
#pragma once

#include <atomic>
#include <cstdint>

namespace cairn {

class LimitSetting {
 public:
  explicit LimitSetting(int64_t value) : value_(value) {}
  LimitSetting(const LimitSetting& other) : value_(other) {}
  LimitSetting& operator=(const LimitSetting& other) {
    Set(other);
    return *this;
  }
  // NOLINTNEXTLINE(google-explicit-constructor): it reads as a number
  operator int64_t() const { return value_.load(std::memory_order_relaxed); }
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_;
};

// Copied and assigned number by number. A packed value also never takes more than kPackedMaxBytes (entry.h), whatever these say.
struct ValueLimits {
  // proto-max-bulk-len: the longest string that a command may make, and the most memory that LCS may take; at most
  // RequestReader::kMaxBulkBytes. Replay of the log ignores it: what was acknowledged under another limit stays.
  LimitSetting proto_max_bulk_bytes{int64_t{512} << 20};
  LimitSetting hash_max_listpack_entries{512};
  LimitSetting hash_max_listpack_value{64};
  LimitSetting list_max_listpack_size{-2};  // accepted, of no effect: see list_value.h
  LimitSetting list_compress_depth{0};      // accepted, of no effect: nodes are not compressed
  LimitSetting set_max_intset_entries{512};
  LimitSetting set_max_listpack_entries{128};
  LimitSetting set_max_listpack_value{64};
  LimitSetting zset_max_listpack_entries{128};
  LimitSetting zset_max_listpack_value{64};
  LimitSetting hll_sparse_max_bytes{3000};
  LimitSetting stream_node_max_bytes{4096};
  LimitSetting stream_node_max_entries{100};
  LimitSetting stream_idmp_duration_s{100};
  LimitSetting stream_idmp_maxsize{100};
};

}  // namespace cairn
