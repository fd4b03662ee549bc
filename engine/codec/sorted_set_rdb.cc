#include "engine/codec/sorted_set_rdb.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "engine/codec/value_codec.h"
#include "engine/codec/ziplist.h"
#include "engine/values/sorted_set_view.h"
#include "snapshot/rdb_string_decoder.h"

namespace cairn {
namespace {

constexpr size_t kPieceBytes = 16 * 1024;  // gathered before the sink is asked

// The lengths of text scores that are not lengths.
constexpr uint8_t kTextNan = 253;
constexpr uint8_t kTextInfinity = 254;
constexpr uint8_t kTextMinusInfinity = 255;

bool TakeTextScore(std::string_view* rest, double* score) {
  if (rest->empty()) return false;
  const auto size = static_cast<uint8_t>(rest->front());
  rest->remove_prefix(1);
  if (size == kTextNan) return false;
  if (size == kTextInfinity || size == kTextMinusInfinity) {
    *score = std::numeric_limits<double>::infinity() * (size == kTextInfinity ? 1 : -1);
    return true;
  }
  if (rest->size() < size || !ParseDouble(rest->substr(0, size), score)) return false;
  rest->remove_prefix(size);
  return true;
}

bool TakeBinaryScore(std::string_view* rest, double* score) {
  if (rest->size() < 8) return false;
  *score = std::bit_cast<double>(LoadLittleEndian<uint64_t>(rest->data()));
  rest->remove_prefix(8);
  return !std::isnan(*score);
}

// What is small lies in its entry.
void Store(std::unique_ptr<SortedSet> set, const ValueLimits& limits, LoadedValue* value) {
  value->type = ValueType::kSortedSet;
  const uint64_t count = set->element_count();
  bool packed = static_cast<int64_t>(count) <= limits.zset_max_listpack_entries;
  if (packed) {
    ListpackBuilder pairs;
    for (SortedSet::Cursor at = set->At(0); packed && at.valid(); at.Next()) {
      packed = static_cast<int64_t>(at.member().size()) <= limits.zset_max_listpack_value &&
               pairs.listpack_bytes() + at.member().size() <= kPackedMaxBytes;
      if (packed) AddPackedPair(pairs, at.member(), at.score());
    }
    if (packed && pairs.listpack_bytes() <= kPackedMaxBytes) {
      value->encoding = Encoding::kPacked;
      value->packed = pairs.listpack();
      return;
    }
  }
  value->encoding = Encoding::kLarge;
  value->large = std::move(set);
}

Status DecodePairs(uint8_t rdb_type, std::string_view bytes, SortedSet* set) {
  uint64_t count = 0;
  bool special = false;
  const char* end = bytes.data() + bytes.size();
  const char* body = DecodeRdbLength(bytes.data(), end, &count, &special);
  if (body == nullptr || special) return Status::Damaged("a sorted set's length is malformed");
  std::string_view rest(body, static_cast<size_t>(end - body));
  std::string scratch;
  for (uint64_t i = 0; i < count; i++) {
    RdbString member;
    CAIRN_RETURN_IF_ERROR(DecodeRdbString(&rest, &member, &scratch));
    double score = 0;
    const bool read = rdb_type == kRdbTypeSortedSet2 ? TakeBinaryScore(&rest, &score) : TakeTextScore(&rest, &score);
    if (!read) return Status::Damaged("a sorted set's score is malformed");
    char buffer[kIntTextMaxBytes];
    const ListpackValue text{member.is_int ? std::string_view() : member.bytes, member.number};
    const std::string_view name = member.is_int ? text.Text(buffer) : member.bytes;
    if (!set->Add(name, score)) return Status::Damaged("a sorted set has a member twice");
  }
  return rest.empty() ? Status() : Status::Damaged("a sorted set has bytes behind its last element");
}

// A score that a listpack holds, as it is written: an integer, or a text.
bool ReadPackedScore(const ListpackValue& value, double* score) {
  if (!value.is_int()) return ParseDouble(value.bytes, score);
  *score = static_cast<double>(value.number);
  return true;
}

// Whether the listpack, which is well-formed, can become the value as it is: in order, within the limits, surely without a member
// twice. The usual case; what fails here is built element by element, and judged there.
bool UsableAsItIs(std::string_view bytes, uint32_t count, const ValueLimits& limits) {
  if (count == 0 || static_cast<int64_t>(count / 2) > limits.zset_max_listpack_entries || bytes.size() > kPackedMaxBytes)
    return false;
  if (ListpackHeaderCount(bytes) == kListpackCountUnknown) return false;
  std::vector<size_t> hashes;
  hashes.reserve(count / 2);
  const ListpackView list(bytes);
  double last_score = -std::numeric_limits<double>::infinity();
  char buffers[2][kIntTextMaxBytes];
  std::string_view last_member;
  for (ListpackView::Position at = list.begin(); at != list.end();) {
    const std::string_view member = list.Read(&at).Text(buffers[hashes.size() % 2]);
    double score = 0;
    if (!ReadPackedScore(list.Read(&at), &score)) return false;
    if (static_cast<int64_t>(member.size()) > limits.zset_max_listpack_value) return false;
    if (!hashes.empty() && (score < last_score || (score == last_score && member <= last_member))) return false;
    last_score = score;
    last_member = member;
    hashes.push_back(std::hash<std::string_view>()(member));
  }
  std::sort(hashes.begin(), hashes.end());
  return std::adjacent_find(hashes.begin(), hashes.end()) == hashes.end();
}

Status DecodeListpack(std::string_view bytes, SortedSet* set) {
  const ListpackView list(bytes);
  for (ListpackView::Position at = list.begin(); at != list.end();) {
    char buffer[kIntTextMaxBytes];
    const ListpackValue member = list.Read(&at);
    double score = 0;
    if (!ReadPackedScore(list.Read(&at), &score)) return Status::Damaged("a sorted set's score is malformed");
    if (!set->Add(member.Text(buffer), score)) return Status::Damaged("a sorted set has a member twice");
  }
  return Status();
}

}  // namespace

void EncodeSortedSet(const SortedSet& set, RdbSink& sink) {
  const uint64_t count = set.element_count();
  std::string piece = RdbLengthPrefix(count);
  // The highest first: Redis builds its list fastest from that end.
  for (SortedSet::Cursor at = set.At(count - 1); at.valid(); at.Prev()) {
    const ListpackItem item(at.member());
    if (item.is_int()) {
      char number[kRdbIntMaxBytes];
      piece.append(number, EncodeRdbInt(number, item.number()));
    } else {
      AppendRdbString(at.member(), &piece);
    }
    char score[8];
    StoreLittleEndian<uint64_t>(score, std::bit_cast<uint64_t>(at.score()));
    piece.append(score, sizeof(score));
    if (piece.size() < kPieceBytes) continue;
    sink.Append(piece);
    piece.clear();
  }
  sink.Append(piece);
}

Status DecodeSortedSet(uint8_t rdb_type, std::string_view bytes, const ValueLimits& limits, LoadedValue* value) {
  auto set = std::make_unique<SortedSet>();
  if (rdb_type == kRdbTypeSortedSetListpack || rdb_type == kRdbTypeSortedSetZiplist) {
    std::string_view rest = bytes;
    RdbString packed;
    std::string scratch;
    CAIRN_RETURN_IF_ERROR(DecodeRdbString(&rest, &packed, &scratch));
    if (packed.is_int || !rest.empty()) return Status::Damaged("a packed sorted set is not one string");
    ListpackBuilder converted;
    if (rdb_type == kRdbTypeSortedSetZiplist) {
      CAIRN_RETURN_IF_ERROR(AppendZiplist(packed.bytes, &converted));
      packed.bytes = converted.listpack();
    }
    uint32_t count = 0;
    if (!ValidateListpack(packed.bytes, &count) || count % 2 != 0) return Status::Damaged("a sorted set's listpack is malformed");
    if (UsableAsItIs(packed.bytes, count, limits)) {
      value->type = ValueType::kSortedSet;
      value->encoding = Encoding::kPacked;
      value->packed = packed.bytes;
      return Status();
    }
    CAIRN_RETURN_IF_ERROR(DecodeListpack(packed.bytes, set.get()));
  } else {
    CAIRN_RETURN_IF_ERROR(DecodePairs(rdb_type, bytes, set.get()));
  }
  if (set->element_count() == 0) return EmptyCollection("a sorted set is empty");
  Store(std::move(set), limits, value);
  return Status();
}

}  // namespace cairn
