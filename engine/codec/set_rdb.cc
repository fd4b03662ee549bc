#include "engine/codec/set_rdb.h"

#include <string>

#include "engine/codec/value_codec.h"
#include "engine/values/set_editor.h"
#include "snapshot/rdb_string_decoder.h"

namespace cairn {
namespace {

constexpr size_t kPieceBytes = 16 * 1024;  // gathered before the sink is asked

// Redis writes members that are integers of up to 32 bits in binary.
void AppendMember(const SetMember& member, std::string* out) {
  const ListpackItem item = ItemOf(member);
  if (!item.is_int()) return AppendRdbString(member.bytes, out);
  char bytes[kRdbIntMaxBytes];
  out->append(bytes, EncodeRdbInt(bytes, item.number()));
}

void TakeSet(MemorySet& set, LoadedValue* value) {
  value->type = ValueType::kSet;
  value->encoding = set.encoding();
  if (set.encoding() == Encoding::kLarge) {
    value->large = set.TakeTable();
  } else {
    value->packed = set.TakePacked();
  }
}

Status DecodeMembers(std::string_view bytes, MemorySet* set) {
  uint64_t count;
  bool special;
  const char* end = bytes.data() + bytes.size();
  const char* body = DecodeRdbLength(bytes.data(), end, &count, &special);
  if (body == nullptr || special) return Status::Damaged("a set's length is malformed");
  std::string_view rest(body, static_cast<size_t>(end - body));
  std::string scratch;
  for (uint64_t i = 0; i < count; i++) {
    RdbString member;
    CAIRN_RETURN_IF_ERROR(DecodeRdbString(&rest, &member, &scratch));
    if (!set->Add(member.is_int ? SetMember{{}, member.number} : MemberOf(member.bytes))) {
      return Status::Damaged("a set has a member twice");
    }
  }
  return rest.empty() ? Status() : Status::Damaged("a set has bytes behind its last member");
}

Status DecodeListpack(std::string_view bytes, MemorySet* set) {
  uint32_t count;
  if (!ValidateListpack(bytes, &count)) return Status::Damaged("a set's listpack is malformed");
  const bool unique = SetView(Encoding::kPacked, bytes).ForEach([&](const SetMember& member) { return set->Add(member); });
  return unique ? Status() : Status::Damaged("a set has a member twice");
}

Status DecodeIntSet(std::string_view bytes, MemorySet* set) {
  CAIRN_RETURN_IF_ERROR(ValidateIntSet(bytes));
  SetView(Encoding::kIntSet, bytes).ForEach([&](const SetMember& member) { return set->Add(member); });
  return Status();
}

}  // namespace

uint8_t SetRdbType(const SetView& set) { return set.encoding() == Encoding::kIntSet ? kRdbTypeIntSet : kRdbTypeSet; }

void EncodeSet(const SetView& set, RdbSink& sink) {
  if (set.encoding() == Encoding::kIntSet) return sink.AppendString(set.packed());
  std::string piece = RdbLengthPrefix(set.count());
  set.ForEach([&](const SetMember& member) {
    AppendMember(member, &piece);
    if (piece.size() < kPieceBytes) return true;
    sink.Append(piece);
    piece.clear();
    return true;
  });
  sink.Append(piece);
}

Status DecodeSet(uint8_t rdb_type, std::string_view bytes, const ValueLimits& limits, LoadedValue* value) {
  MemorySet set(limits);
  if (rdb_type == kRdbTypeSet) {
    CAIRN_RETURN_IF_ERROR(DecodeMembers(bytes, &set));
  } else {
    std::string_view rest = bytes;
    RdbString packed;
    std::string scratch;
    CAIRN_RETURN_IF_ERROR(DecodeRdbString(&rest, &packed, &scratch));
    if (packed.is_int || !rest.empty()) return Status::Damaged("a packed set is not one string");
    CAIRN_RETURN_IF_ERROR(rdb_type == kRdbTypeIntSet ? DecodeIntSet(packed.bytes, &set) : DecodeListpack(packed.bytes, &set));
  }
  if (set.count() == 0) return EmptyCollection("an empty set");
  TakeSet(set, value);
  return Status();
}

}  // namespace cairn
