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

}  // namespace

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

bool OpenDumpPayload(std::string_view payload, uint8_t* rdb_type, std::string_view* value) {
  if (payload.size() < 1 + kFooterBytes) return false;
  const char* footer = payload.data() + payload.size() - kFooterBytes;
  const auto version = LoadLittleEndian<uint16_t>(footer);
  const bool valkey = version == kRdbValkeyVersion;
  if (version > kRdbNewestVersion && !valkey) return false;
  const uint64_t checksum = LoadLittleEndian<uint64_t>(footer + kVersionBytes);
  const bool checks = !skips_checksums.load(std::memory_order_relaxed);
  if (checks && checksum != Crc64(payload.substr(0, payload.size() - sizeof(uint64_t)))) return false;
  *rdb_type = static_cast<uint8_t>(payload[0]);
  if (*rdb_type == kRdbTypeHash2 && !valkey) *rdb_type = kUnknownType;
  *value = payload.substr(1, payload.size() - 1 - kFooterBytes);
  return true;
}

void SkipDumpChecksums(bool skip) { skips_checksums.store(skip, std::memory_order_relaxed); }

}  // namespace cairn
