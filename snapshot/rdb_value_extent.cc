#include "snapshot/rdb_value_extent.h"

#include "snapshot/rdb_format.h"
#include "snapshot/rdb_string_decoder.h"

namespace cairn {
namespace {

// Redis's numbers of value types, by shape.
enum Type : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kSortedSet = 3,
  kHash = 4,
  kSortedSet2 = 5,
  kZipmap = 9,
  kListZiplist = 10,
  kIntSet = 11,
  kSortedSetZiplist = 12,
  kHashZiplist = 13,
  kQuicklist = 14,
  kStream = 15,
  kHashListpack = 16,
  kSortedSetListpack = 17,
  kQuicklist2 = 18,
  kStream2 = 19,
  kSetListpack = 20,
  kStream3 = 21,
  kHash2 = kRdbTypeHash2,
  kHashMetadata = 24,
  kHashListpackEx = 25,
  kStream4 = 26,
  kStream5 = 27,
  kStreamExtended = 200,  // Cairn's own, engine/codec/FORMAT.md
};

constexpr uint64_t kDoubleBytes = 8;
constexpr uint64_t kTimeBytes = 8;
constexpr uint64_t kIdBytes = 16;
// The lengths of text scores that stand for NaN and the infinities.
constexpr uint8_t kTextScoreSpecial = 253;

// Marks of a module's parts.
enum ModulePart : uint8_t { kPartEnd = 0, kSigned = 1, kUnsigned = 2, kFloat = 3, kDouble = 4, kText = 5 };

}  // namespace

bool RdbCursor::Short(uint64_t bytes) {
  missing_ = bytes - static_cast<uint64_t>(end_ - at_);
  at_ = end_;
  return false;
}

bool RdbCursor::Malformed() {
  malformed_ = true;
  at_ = end_;
  return false;
}

bool RdbCursor::Skip(uint64_t bytes) {
  if (malformed_ || missing_ != 0) return false;
  if (bytes > static_cast<uint64_t>(end_ - at_)) return Short(bytes);
  at_ += bytes;
  return true;
}

bool RdbCursor::Byte(uint8_t* byte) {
  if (!Skip(1)) return false;
  *byte = static_cast<uint8_t>(at_[-1]);
  return true;
}

bool RdbCursor::Length(uint64_t* length) {
  if (malformed_ || missing_ != 0) return false;
  if (at_ == end_) return Short(1);
  bool special = false;
  const char* behind = DecodeRdbLength(at_, end_, length, &special);
  if (behind != nullptr && !special) [[likely]] {
    at_ = behind;
    return true;
  }
  const size_t bytes = RdbLengthSize(static_cast<uint8_t>(*at_));
  return bytes == 0 ? Malformed() : Short(bytes);
}

bool RdbCursor::SkipLength() {
  uint64_t length = 0;
  return Length(&length);
}

bool RdbCursor::SkipString() {
  if (malformed_ || missing_ != 0) return false;
  if (at_ == end_) return Short(1);
  const auto first = static_cast<uint8_t>(*at_);
  uint64_t bytes = 0;
  switch (first) {
    case kRdbInt8: return Skip(2);
    case kRdbInt16: return Skip(3);
    case kRdbInt32: return Skip(5);
    case kRdbLzf: return Skip(1) && Length(&bytes) && SkipLength() && Skip(bytes);
    default: return Length(&bytes) && Skip(bytes);
  }
}

bool RdbCursor::SkipStrings(uint64_t each) {
  uint64_t count = 0;
  if (!Length(&count)) return false;
  for (; count > 0; count--) {
    for (uint64_t i = 0; i < each; i++) {
      if (!SkipString()) return false;
    }
  }
  return true;
}

bool RdbCursor::SkipSortedSet(bool text_scores) {
  uint64_t count = 0;
  if (!Length(&count)) return false;
  for (; count > 0; count--) {
    uint8_t text_bytes = 0;
    if (!SkipString()) return false;
    if (text_scores && (!Byte(&text_bytes) || !Skip(text_bytes < kTextScoreSpecial ? text_bytes : 0))) return false;
    if (!text_scores && !Skip(kDoubleBytes)) return false;
  }
  return true;
}

bool RdbCursor::SkipQuicklist() {
  uint64_t nodes = 0;
  if (!Length(&nodes)) return false;
  for (; nodes > 0; nodes--) {
    if (!SkipLength() || !SkipString()) return false;
  }
  return true;
}

bool RdbCursor::SkipHashWithDeadlines() {
  uint64_t fields = 0;
  if (!Skip(kTimeBytes) || !Length(&fields)) return false;
  for (; fields > 0; fields--) {
    if (!SkipLength() || !SkipString() || !SkipString()) return false;
  }
  return true;
}

bool RdbCursor::SkipHash2() {
  uint64_t fields = 0;
  if (!Length(&fields)) return false;
  for (; fields > 0; fields--) {
    if (!SkipString() || !SkipString() || !Skip(kTimeBytes)) return false;
  }
  return true;
}

bool RdbCursor::SkipIds() {
  uint64_t ids = 0;
  if (!Length(&ids)) return false;
  if (ids > UINT64_MAX / kIdBytes) return Malformed();
  return Skip(ids * kIdBytes);
}

bool RdbCursor::SkipStreamGroup(uint8_t value_type) {
  uint64_t pending = 0, consumers = 0;
  if (!SkipString() || !SkipLength() || !SkipLength()) return false;
  if (value_type != kStream && !SkipLength()) return false;
  if (!Length(&pending)) return false;
  for (; pending > 0; pending--) {
    if (!Skip(kIdBytes + kTimeBytes) || !SkipLength()) return false;
  }
  const bool active_times = value_type >= kStream3;
  if (!Length(&consumers)) return false;
  for (; consumers > 0; consumers--) {
    if (!SkipString() || !Skip(active_times ? 2 * kTimeBytes : kTimeBytes) || !SkipIds()) return false;
  }
  return value_type != kStream5 || SkipIds();
}

bool RdbCursor::SkipProducers(uint8_t value_type) {
  // Duration, size, messages ever and duplicates: the last two stand behind the producers in Redis's form.
  const int before = value_type == kStreamExtended ? 4 : 2, behind = 4 - before;
  uint64_t producers = 0;
  for (int i = 0; i < before; i++) SkipLength();
  if (!Length(&producers)) return false;
  for (; producers > 0; producers--) {
    uint64_t messages = 0;
    if (!SkipString() || !Length(&messages)) return false;
    for (; messages > 0; messages--) {
      if (!SkipString() || !SkipLength() || !SkipLength()) return false;
    }
  }
  for (int i = 0; i < behind; i++) SkipLength();
  return missing_ == 0 && !malformed_;
}

bool RdbCursor::SkipStream(uint8_t value_type) {
  uint64_t blocks = 0, groups = 0;
  if (!Length(&blocks)) return false;
  for (; blocks > 0; blocks--) {
    if (!SkipString() || !SkipString()) return false;
  }
  // Number of entries and last id; from the second form on the first id, the largest deleted one and the entries ever added.
  const int counters = value_type == kStream ? 3 : 8;
  for (int i = 0; i < counters; i++) SkipLength();
  if (!Length(&groups)) return false;
  for (; groups > 0; groups--) {
    if (!SkipStreamGroup(value_type)) return false;
  }
  return value_type < kStream4 || SkipProducers(value_type);
}

bool RdbCursor::SkipModuleParts() {
  for (uint64_t part = 0;;) {
    if (!Length(&part)) return false;
    switch (part) {
      case kPartEnd: return true;
      case kSigned:
      case kUnsigned: SkipLength(); break;
      case kFloat: Skip(4); break;
      case kDouble: Skip(kDoubleBytes); break;
      case kText: SkipString(); break;
      default: return Malformed();
    }
  }
}

bool RdbCursor::SkipValue(uint8_t value_type) {
  switch (value_type) {
    case kString:
    case kZipmap:
    case kListZiplist:
    case kIntSet:
    case kSortedSetZiplist:
    case kHashZiplist:
    case kHashListpack:
    case kSortedSetListpack:
    case kSetListpack: return SkipString();
    case kList:
    case kSet:
    case kQuicklist: return SkipStrings(1);
    case kHash: return SkipStrings(2);
    case kSortedSet:
    case kSortedSet2: return SkipSortedSet(value_type == kSortedSet);
    case kRdbTypeModule2: return SkipLength() && SkipModuleParts();
    case kQuicklist2: return SkipQuicklist();
    case kStream:
    case kStream2:
    case kStream3:
    case kStream4:
    case kStream5:
    case kStreamExtended: return SkipStream(value_type);
    case kHash2: return SkipHash2();
    case kHashMetadata: return SkipHashWithDeadlines();
    case kHashListpackEx: return Skip(kTimeBytes) && SkipString();
    default: return Malformed();
  }
}

bool IsRdbValueType(uint8_t value_type) {
  RdbCursor nothing{std::string_view()};
  nothing.SkipValue(value_type);
  return !nothing.malformed();
}

}  // namespace cairn
