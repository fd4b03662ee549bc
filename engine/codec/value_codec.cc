#include "engine/codec/value_codec.h"

#include "engine/codec/hash_rdb.h"
#include "engine/codec/list_rdb.h"
#include "engine/codec/set_rdb.h"
#include "engine/codec/sorted_set_rdb.h"
#include "engine/codec/stream_rdb.h"
#include "snapshot/rdb_format.h"
#include "snapshot/rdb_string_encoder.h"

namespace cairn {

namespace {

// A quicklist's node that holds a listpack, not one plain element.
constexpr char kPackedNode = 2;

constexpr uint64_t kRootBytes = 256;

}  // namespace

uint8_t RdbTypeOf(const Entry& entry) {
  switch (entry.encoding()) {
    case Encoding::kLarge: return RdbTypeOf(entry.type(), entry.large());
    case Encoding::kIntSet: return kRdbTypeIntSet;
    case Encoding::kPacked: break;
    default: return kRdbTypeString;
  }
  switch (entry.type()) {
    case ValueType::kHash: return kRdbTypeHashListpack;
    case ValueType::kSortedSet: return kRdbTypeSortedSetListpack;
    case ValueType::kList: return kRdbTypeListQuicklist2;
    case ValueType::kSet: return kRdbTypeSet;  // version 7.0 has no packed sets of strings
    default: CAIRN_CHECK(false);
  }
  return kRdbTypeString;
}

uint8_t RdbTypeOf(ValueType type, const LargeValue& large) {
  switch (type) {
    case ValueType::kList: return kRdbTypeListQuicklist2;
    case ValueType::kSet: return kRdbTypeSet;
    case ValueType::kSortedSet: return kRdbTypeSortedSet2;
    case ValueType::kHash: return HashRdbType(static_cast<const HashTable&>(large));
    case ValueType::kStream: return StreamRdbType(static_cast<const Stream&>(large));
    default: CAIRN_CHECK(false);
  }
  return kRdbTypeString;
}

void EncodeLargeValue(ValueType type, const LargeValue& large, RdbSink& sink) {
  switch (type) {
    case ValueType::kList: return EncodeList(static_cast<const ListValue&>(large), sink);
    case ValueType::kSet: return EncodeSet(SetView(static_cast<const SetTable&>(large)), sink);
    case ValueType::kSortedSet: return EncodeSortedSet(static_cast<const SortedSet&>(large), sink);
    case ValueType::kHash: return EncodeHash(static_cast<const HashTable&>(large), sink);
    case ValueType::kStream: return EncodeStream(static_cast<const Stream&>(large), sink);
    default: CAIRN_CHECK(false);
  }
}

void EncodeInlineValue(const Entry& entry, std::string* scratch, std::string_view* head, std::string_view* body) {
  scratch->clear();
  *body = {};
  if (entry.encoding() == Encoding::kInt) {
    char bytes[kRdbIntMaxBytes];
    scratch->append(bytes, EncodeRdbInt(bytes, entry.int_value()));
  } else if (entry.type() == ValueType::kSet && entry.encoding() == Encoding::kPacked) {
    StringRdbSink sink(scratch);
    EncodeSet(SetView(&entry), sink);
  } else {
    *body = entry.inline_value();
    char prefix[2 + kRdbLengthMaxBytes];
    char* at = prefix;
    if (entry.type() == ValueType::kList) {
      *at++ = 1;  // node
      *at++ = kPackedNode;
    }
    scratch->append(prefix, EncodeRdbLength(at, body->size()));
  }
  *head = *scratch;
}

void EncodeValue(const Entry& entry, RdbSink& sink) {
  if (entry.encoding() == Encoding::kLarge) return EncodeLargeValue(entry.type(), entry.large(), sink);
  if (entry.encoding() == Encoding::kRope) {
    sink.AppendLength(entry.rope().size());
    for (const RopeSlice& slice : entry.rope().slices()) sink.Append(slice.view());
    return;
  }
  std::string scratch;
  std::string_view head;
  std::string_view body;
  EncodeInlineValue(entry, &scratch, &head, &body);
  sink.Append(head);
  sink.Append(body);
}

void AppendRdbValue(const Entry& entry, std::string* out) {
  StringRdbSink sink(out);
  EncodeValue(entry, sink);
}

Status DecodeCollection(uint8_t rdb_type, std::string_view bytes, const ValueLimits& limits, LoadedValue* value) {
  if (IsListRdbType(rdb_type)) return DecodeList(rdb_type, bytes, value);
  switch (rdb_type) {
    case kRdbTypeSet:
    case kRdbTypeIntSet:
    case kRdbTypeSetListpack: return DecodeSet(rdb_type, bytes, limits, value);
    case kRdbTypeHash:
    case kRdbTypeHashZipmap:
    case kRdbTypeHashZiplist:
    case kRdbTypeHashListpack:
    case kRdbTypeHash2:
    case kRdbTypeHashMetadata:
    case kRdbTypeHashListpackEx: return DecodeHash(rdb_type, bytes, limits, value);
    case kRdbTypeSortedSet:
    case kRdbTypeSortedSet2:
    case kRdbTypeSortedSetZiplist:
    case kRdbTypeSortedSetListpack: return DecodeSortedSet(rdb_type, bytes, limits, value);
    case kRdbTypeStreamListpacks:
    case kRdbTypeStreamListpacks2:
    case kRdbTypeStreamListpacks3:
    case kRdbTypeStreamListpacks4:
    case kRdbTypeStreamListpacks5:
    case kRdbTypeStreamExtended: return DecodeStream(rdb_type, bytes, value);
    default: break;
  }
  return Status::NewerFormat("a value of type " + std::to_string(rdb_type) + ", which this version does not know");
}

RetainedValue RetainedValue::Of(const Entry& entry) {
  RetainedValue value;
  value.type_ = entry.type();
  value.rdb_type_ = RdbTypeOf(entry);
  if (entry.encoding() == Encoding::kLarge) {
    value.large_ = entry.large().Share();
  } else if (entry.encoding() == Encoding::kRope) {
    value.rope_ = entry.rope();
  } else {
    AppendRdbValue(entry, &value.encoded_);
  }
  return value;
}

uint64_t RetainedValue::held_bytes() const { return large_ != nullptr ? kRootBytes : rope_.size() + encoded_.size(); }

bool RetainedValue::MayExceed(uint64_t bytes) const {
  if (large_ != nullptr) return large_->MayEncodeBeyond(bytes);
  return rope_.size() + encoded_.size() + kRdbLengthMaxBytes > bytes;
}

void RetainedValue::Encode(RdbSink& sink) const {
  if (large_ != nullptr) return EncodeLargeValue(type_, *large_, sink);
  if (!encoded_.empty()) return sink.Append(encoded_);
  sink.AppendLength(rope_.size());
  for (const RopeSlice& slice : rope_.slices()) sink.Append(slice.view());
}

}  // namespace cairn
