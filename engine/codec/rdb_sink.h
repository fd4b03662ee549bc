// Where encoders of large values write: a string, a snapshot's file, or nothing but a count of the bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "snapshot/rdb_string_encoder.h"

namespace cairn {

class RdbSink {
 public:
  virtual ~RdbSink() = default;
  // A sink that can fail keeps the failure to itself and takes no more; who made it asks it in the end.
  virtual void Append(std::string_view bytes) = 0;

  void AppendLength(uint64_t length) {
    char prefix[kRdbLengthMaxBytes];
    Append({prefix, static_cast<size_t>(EncodeRdbLength(prefix, length) - prefix)});
  }
  void AppendString(std::string_view bytes) {
    AppendLength(bytes.size());
    Append(bytes);
  }
};

class StringRdbSink final : public RdbSink {
 public:
  explicit StringRdbSink(std::string* out) : out_(out) {}
  void Append(std::string_view bytes) override { out_->append(bytes); }

 private:
  std::string* out_;
};

}  // namespace cairn
