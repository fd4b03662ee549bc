#include "engine/codec/redis70_value.h"

#include <set>
#include <vector>

#include "base/bytes.h"
#include "engine/codec/hash_rdb.h"
#include "engine/codec/stream_rdb.h"
#include "engine/codec/value_codec.h"
#include "snapshot/rdb_string_encoder.h"
#include "snapshot/rdb_value_extent.h"

namespace cairn {
namespace {

constexpr size_t kTimeBytes = 8;
constexpr size_t kIdBytes = 16;
constexpr std::string_view kNackedConsumer = "nacked";

std::string_view Between(const char* begin, const char* end) { return {begin, static_cast<size_t>(end - begin)}; }

void AppendLength(uint64_t length, std::string* out) {
  char bytes[kRdbLengthMaxBytes];
  out->append(bytes, EncodeRdbLength(bytes, length));
}

Status ConvertHash(std::string_view value, int64_t now_ms, std::string* out) {
  Status damaged = Status::Damaged("a hash with expiries of fields is malformed");
  RdbCursor cursor(value);
  uint64_t count = 0, live = 0;
  if (!cursor.Skip(kTimeBytes) || !cursor.Length(&count)) return damaged;
  const int64_t earliest_ms = LoadLittleEndian<int64_t>(value.data());
  // Unsigned: any two times may be further apart than int64_t reaches.
  const uint64_t passed_ms = static_cast<uint64_t>(now_ms) - static_cast<uint64_t>(earliest_ms);
  std::string fields;
  for (; count > 0; count--) {
    uint64_t relative_ms = 0;
    if (!cursor.Length(&relative_ms)) return damaged;
    const char* begin = cursor.at();
    if (!cursor.SkipString() || !cursor.SkipString()) return damaged;
    const bool due = relative_ms != 0 && earliest_ms <= now_ms && relative_ms - 1 <= passed_ms;
    if (due) continue;
    fields.append(Between(begin, cursor.at()));
    live++;
  }
  if (live == 0) return Status::NotFound("a hash without live fields");
  AppendLength(live, out);
  out->append(fields);
  return Status();
}

// Copies one group of a stream, in the form that has no active times and whose pending entries all have consumers.
class GroupConverter {
 public:
  GroupConverter(RdbCursor* cursor, std::string* out) : cursor_(*cursor), out_(*out) {}

  bool Convert() {
    // Name, last id, entries read.
    const char* begin = cursor_.at();
    if (!cursor_.SkipString() || !cursor_.SkipLength() || !cursor_.SkipLength() || !cursor_.SkipLength()) return false;
    uint64_t pending = 0;
    if (!cursor_.Length(&pending)) return false;
    for (; pending > 0; pending--) {
      const char* id = cursor_.at();
      if (!cursor_.Skip(kIdBytes + kTimeBytes) || !cursor_.SkipLength()) return false;
      unowned_.insert(std::string(id, kIdBytes));
    }
    out_.append(Between(begin, cursor_.at()));
    uint64_t consumers = 0;
    if (!cursor_.Length(&consumers)) return false;
    std::string copied;
    for (uint64_t i = 0; i < consumers; i++) {
      if (!CopyConsumer(&copied)) return false;
    }
    AppendLength(consumers + (unowned_.empty() ? 0 : 1), &out_);
    out_.append(copied);
    AppendNacked();
    return true;
  }

 private:
  bool CopyConsumer(std::string* copied) {
    const char* begin = cursor_.at();
    if (!cursor_.SkipString()) return false;
    names_.insert(std::string(Between(begin, cursor_.at())));
    if (!cursor_.Skip(kTimeBytes)) return false;
    copied->append(Between(begin, cursor_.at()));
    uint64_t owned = 0;
    if (!cursor_.Skip(kTimeBytes)) return false;
    begin = cursor_.at();
    if (!cursor_.Length(&owned)) return false;
    for (; owned > 0; owned--) {
      if (!cursor_.Skip(kIdBytes)) return false;
      unowned_.erase(std::string(cursor_.at() - kIdBytes, kIdBytes));
    }
    copied->append(Between(begin, cursor_.at()));
    return true;
  }

  void AppendNacked() {
    if (unowned_.empty()) return;
    std::string name, encoded;
    for (int number = 1; encoded.empty() || names_.contains(encoded); number++) {
      name = std::string(kNackedConsumer) + (number == 1 ? "" : "-" + std::to_string(number));
      encoded.clear();
      AppendRdbString(name, &encoded);
    }
    out_.append(encoded).append(kTimeBytes, '\0');
    AppendLength(unowned_.size(), &out_);
    for (const std::string& id : unowned_) out_.append(id);
  }

  RdbCursor& cursor_;
  std::string& out_;
  std::set<std::string> unowned_;  // ids of pending entries, until a consumer with them comes
  std::set<std::string> names_;    // encoded
};

Status ConvertStream(std::string_view value, std::string* out) {
  Status damaged = Status::Damaged("a stream is malformed");
  constexpr int kCounters = 8;
  RdbCursor cursor(value);
  uint64_t blocks = 0, groups = 0;
  if (!cursor.Length(&blocks)) return damaged;
  for (; blocks > 0; blocks--) {
    if (!cursor.SkipString() || !cursor.SkipString()) return damaged;
  }
  for (int i = 0; i < kCounters; i++) cursor.SkipLength();
  if (!cursor.Length(&groups)) return damaged;
  out->append(Between(value.data(), cursor.at()));
  for (; groups > 0; groups--) {
    if (!GroupConverter(&cursor, out).Convert()) return damaged;
  }
  return Status();
}

}  // namespace

bool NeedsRedis70Form(uint8_t rdb_type) { return rdb_type == kRdbTypeHashMetadata || rdb_type == kRdbTypeStreamExtended; }

Status ToRedis70Form(std::string_view value, int64_t now_ms, uint8_t* rdb_type, std::string* out) {
  out->clear();
  const bool hash = *rdb_type == kRdbTypeHashMetadata;
  *rdb_type = hash ? kRdbTypeHash : kRdbTypeStreamListpacks2;
  return hash ? ConvertHash(value, now_ms, out) : ConvertStream(value, out);
}

}  // namespace cairn
