#include "engine/codec/dump_payload.h"

#include <atomic>

#include "base/bytes.h"
#include "base/crc64.h"
#include "engine/codec/value_codec.h"
#include "snapshot/rdb_format.h"

namespace cairn {

namespace {

constexpr size_t kVersionBytes = 2;
constexpr size_t kFooterBytes = kVersionBytes + 8;
constexpr uint8_t kUnknownType = UINT8_MAX;

std::atomic<bool> skips_checksums{false};

void AppendFooter(uint32_t version, std::string* payload) {
  char footer[kFooterBytes];
  StoreLittleEndian<uint16_t>(footer, static_cast<uint16_t>(version));
  payload->append(footer, kVersionBytes);
  StoreLittleEndian<uint64_t>(footer, Crc64(*payload));
  payload->append(footer, sizeof(uint64_t));
}

// Appends to a rope and keeps the checksum of all that was appended; what comes in small pieces is gathered first.
class ChecksummedRope final : public RdbSink {
 public:
  void Append(std::string_view bytes) override {
    if (gathered_.size() + bytes.size() > kGatheredBytes) Flush();
    if (bytes.size() > kGatheredBytes) return Write(bytes);
    gathered_ += bytes;
  }
  Rope Finish(uint32_t version) {
    char bytes[sizeof(uint64_t)];
    StoreLittleEndian<uint16_t>(bytes, static_cast<uint16_t>(version));
    Append({bytes, kVersionBytes});
    Flush();
    StoreLittleEndian<uint64_t>(bytes, checksum_);
    rope_.Append({bytes, sizeof(bytes)});
    return std::move(rope_);
  }

 private:
  static constexpr size_t kGatheredBytes = 8192;

  void Write(std::string_view bytes) {
    checksum_ = Crc64(bytes, checksum_);
    rope_.Append(bytes);
  }
  void Flush() {
    Write(gathered_);
    gathered_.clear();
  }

  Rope rope_;
  std::string gathered_;
  uint64_t checksum_ = 0;
};

}  // namespace

Rope MakeDumpRope(const RetainedValue& value) {
  ChecksummedRope payload;
  const char type = static_cast<char>(value.rdb_type());
  payload.Append({&type, 1});
  value.Encode(payload);
  return payload.Finish(kRdbWrittenVersion);
}

std::string MakeDumpPayload(const Entry& entry) {
  std::string payload(1, static_cast<char>(RdbTypeOf(entry)));
  AppendRdbValue(entry, &payload);
  AppendFooter(kRdbWrittenVersion, &payload);
  return payload;
}

std::string MakeDumpPayload(uint8_t rdb_type, std::string_view value) {
  std::string payload(1, static_cast<char>(rdb_type));
  payload += value;
  AppendFooter(rdb_type == kRdbTypeHash2 ? kRdbValkeyVersion : kRdbWrittenVersion, &payload);
  return payload;
}

bool OpenDumpPayload(std::string_view payload, uint8_t* rdb_type, std::string_view* value, DumpChecksum checksum) {
  if (payload.size() < 1 + kFooterBytes) return false;
  const char* footer = payload.data() + payload.size() - kFooterBytes;
  const auto version = LoadLittleEndian<uint16_t>(footer);
  const bool valkey = version == kRdbValkeyVersion;
  if (version > kRdbNewestVersion && !valkey) return false;
  const bool checks = checksum == DumpChecksum::kChecked && !skips_checksums.load(std::memory_order_relaxed);
  const auto expected = LoadLittleEndian<uint64_t>(footer + kVersionBytes);
  if (checks && expected != Crc64(payload.substr(0, payload.size() - sizeof(uint64_t)))) return false;
  *rdb_type = static_cast<uint8_t>(payload[0]);
  if (*rdb_type == kRdbTypeHash2 && !valkey) *rdb_type = kUnknownType;
  *value = payload.substr(1, payload.size() - 1 - kFooterBytes);
  return true;
}

void SkipDumpChecksums(bool skip) { skips_checksums.store(skip, std::memory_order_relaxed); }

}  // namespace cairn
