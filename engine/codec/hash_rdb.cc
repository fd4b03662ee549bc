#include "engine/codec/hash_rdb.h"

#include <algorithm>
#include <vector>

#include "engine/codec/value_codec.h"
#include "engine/codec/ziplist.h"
#include "engine/codec/zipmap.h"
#include "engine/values/listpack.h"
#include "snapshot/rdb_format.h"
#include "snapshot/rdb_string_decoder.h"

namespace cairn {

namespace {

Status Damaged(std::string_view what) { return Status::Damaged("hash: " + std::string(what)); }

// Builds a hash from fields in any order: packed while it may be.
class HashLoader {
 public:
  explicit HashLoader(const ValueLimits& limits)
      : entries_max_(static_cast<uint64_t>(std::max<int64_t>(limits.hash_max_listpack_entries, 0))),
        value_max_(static_cast<uint64_t>(std::max<int64_t>(limits.hash_max_listpack_value, 0))) {}

  // False for a field that is there already.
  bool Add(std::string_view name, std::string_view value, int64_t deadline_ms) {
    if (table_ == nullptr) {
      const ListpackItem field(name);
      const ListpackItem content(value);
      const bool fits = packed_.count() / 2 < entries_max_ && name.size() <= value_max_ && value.size() <= value_max_ &&
                        packed_.listpack_bytes() + field.encoded_bytes() + content.encoded_bytes() <= kPackedMaxBytes;
      if (fits && deadline_ms == HashField::kNoDeadline) {
        const ListpackView view(packed_.listpack());
        if (view.Find(view.begin(), field, 1) != view.end()) return false;
        packed_.Add(field);
        packed_.Add(content);
        return true;
      }
      table_ = HashTable::FromPacked(packed_.listpack());
    }
    return table_->Set(name, value, deadline_ms);
  }

  // Packed fields, each once.
  void AddPacked(std::string_view listpack) { table_ = HashTable::FromPacked(listpack); }

  Status Finish(LoadedValue* value) {
    if (table_ == nullptr && packed_.count() == 0) return EmptyCollection("hash: no fields");
    value->type = ValueType::kHash;
    if (table_ != nullptr) {
      value->encoding = Encoding::kLarge;
      value->large = std::move(table_);
    } else {
      value->encoding = Encoding::kPacked;
      value->packed = packed_.listpack();
    }
    return Status();
  }

 private:
  const uint64_t entries_max_;
  const uint64_t value_max_;
  ListpackBuilder packed_;
  std::unique_ptr<HashTable> table_;
};

Status ReadLength(std::string_view* rest, uint64_t* length) {
  bool special = false;
  const char* end = rest->data() + rest->size();
  const char* behind = DecodeRdbLength(rest->data(), end, length, &special);
  if (behind == nullptr || special) return Damaged("length");
  *rest = {behind, static_cast<size_t>(end - behind)};
  return Status();
}

Status ReadText(std::string_view* rest, std::string* scratch, char (&number)[kIntTextMaxBytes], std::string_view* text) {
  RdbString string;
  CAIRN_RETURN_IF_ERROR(DecodeRdbString(rest, &string, scratch));
  *text = string.is_int ? std::string_view(number, static_cast<size_t>(WriteInt(number, string.number) - number)) : string.bytes;
  return Status();
}

Status ReadTime(std::string_view* rest, int64_t* time_ms) {
  if (rest->size() < 8) return Damaged("deadline");
  *time_ms = LoadLittleEndian<int64_t>(rest->data());
  rest->remove_prefix(8);
  return Status();
}

bool IsDeadline(int64_t deadline_ms) { return deadline_ms >= 0 && deadline_ms <= HashTable::kMaxDeadlineMs; }

// Of type 4, 22 or 24.
Status DecodeFields(uint8_t rdb_type, std::string_view bytes, const ValueLimits& limits, LoadedValue* value) {
  const bool metadata = rdb_type == kRdbTypeHashMetadata;
  int64_t earliest_ms = 0;
  uint64_t fields = 0;
  if (metadata) CAIRN_RETURN_IF_ERROR(ReadTime(&bytes, &earliest_ms));
  CAIRN_RETURN_IF_ERROR(ReadLength(&bytes, &fields));
  HashLoader loader(limits);
  std::string name_scratch, value_scratch;
  char name_number[kIntTextMaxBytes], value_number[kIntTextMaxBytes];
  for (uint64_t i = 0; i < fields; i++) {
    uint64_t relative_ms = 0;
    std::string_view name, content;
    if (metadata) CAIRN_RETURN_IF_ERROR(ReadLength(&bytes, &relative_ms));
    CAIRN_RETURN_IF_ERROR(ReadText(&bytes, &name_scratch, name_number, &name));
    CAIRN_RETURN_IF_ERROR(ReadText(&bytes, &value_scratch, value_number, &content));
    int64_t deadline_ms = HashField::kNoDeadline;
    if (relative_ms > 0) {
      if (!IsDeadline(earliest_ms) || relative_ms - 1 > static_cast<uint64_t>(HashTable::kMaxDeadlineMs))
        return Damaged("deadline");
      deadline_ms = earliest_ms + static_cast<int64_t>(relative_ms) - 1;
      if (!IsDeadline(deadline_ms)) return Damaged("deadline");
    }
    if (rdb_type == kRdbTypeHash2) {
      int64_t stated_ms = 0;
      CAIRN_RETURN_IF_ERROR(ReadTime(&bytes, &stated_ms));
      // Valkey allows later ones than there are here.
      if (stated_ms >= 0) deadline_ms = std::min(stated_ms, HashTable::kMaxDeadlineMs);
    }
    if (!loader.Add(name, content, deadline_ms)) return Damaged("a field twice");
  }
  if (!bytes.empty()) return Damaged("bytes behind the last field");
  return loader.Finish(value);
}

// Whether every (stride)-th element is different from the others.
bool FieldsDiffer(ListpackView view, uint32_t fields, uint32_t stride) {
  constexpr uint32_t kQuadraticMax = 24;
  std::vector<std::string> names;
  for (ListpackView::Position at = view.begin(); at != view.end();) {
    const ListpackValue name = view.Read(&at);
    for (uint32_t i = 1; i < stride; i++) at = view.Next(at);
    if (fields <= kQuadraticMax) {
      if (view.Find(at, ListpackItem(name), stride - 1) != view.end()) return false;
    } else {
      name.AppendTo(&names.emplace_back());
    }
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) == names.end();
}

// A valid listpack of fields and values.
Status LoadPairs(std::string_view listpack, uint32_t elements, const ValueLimits& limits, LoadedValue* value) {
  if (elements == 0) return EmptyCollection("hash: no fields");
  if (elements % 2 != 0) return Damaged("number of elements");
  const ListpackView view(listpack);
  if (!FieldsDiffer(view, elements / 2, 2)) return Damaged("listpack with dup elements");
  bool fits = listpack.size() <= kPackedMaxBytes && static_cast<int64_t>(elements / 2) <= limits.hash_max_listpack_entries;
  for (ListpackView::Position at = view.begin(); fits && at != view.end();) {
    fits = static_cast<int64_t>(view.Read(&at).text_size()) <= limits.hash_max_listpack_value;
  }
  if (fits) {
    value->type = ValueType::kHash;
    value->encoding = Encoding::kPacked;
    value->packed = listpack;
    return Status();
  }
  HashLoader loader(limits);
  loader.AddPacked(listpack);
  return loader.Finish(value);
}

// A valid listpack of fields, values and deadlines.
Status LoadTriples(std::string_view listpack, uint32_t elements, const ValueLimits& limits, LoadedValue* value) {
  if (elements == 0) return EmptyCollection("hash: no fields");
  if (elements % 3 != 0) return Damaged("number of elements");
  const ListpackView view(listpack);
  if (!FieldsDiffer(view, elements / 3, 3)) return Damaged("a field twice");
  HashLoader loader(limits);
  char name_text[kIntTextMaxBytes], value_text[kIntTextMaxBytes];
  for (ListpackView::Position at = view.begin(); at != view.end();) {
    const ListpackValue name = view.Read(&at);
    const ListpackValue content = view.Read(&at);
    const ListpackValue deadline = view.Read(&at);
    if (!deadline.is_int() || !IsDeadline(deadline.number)) return Damaged("deadline");
    loader.Add(name.Text(name_text), content.Text(value_text), deadline.number == 0 ? HashField::kNoDeadline : deadline.number);
  }
  return loader.Finish(value);
}

Status DecodePacked(uint8_t rdb_type, std::string_view bytes, const ValueLimits& limits, LoadedValue* value) {
  int64_t earliest_ms = 0;
  std::string scratch;
  RdbString string;
  uint32_t elements = 0;
  if (rdb_type == kRdbTypeHashListpackEx) CAIRN_RETURN_IF_ERROR(ReadTime(&bytes, &earliest_ms));
  CAIRN_RETURN_IF_ERROR(DecodeRdbString(&bytes, &string, &scratch));
  if (!bytes.empty()) return Damaged("bytes behind the listpack");
  if (string.is_int) return Damaged("a number for a listpack");
  if (rdb_type == kRdbTypeHashZiplist || rdb_type == kRdbTypeHashZipmap) {
    ListpackBuilder pairs(string.bytes.size());
    const bool ziplist = rdb_type == kRdbTypeHashZiplist;
    CAIRN_RETURN_IF_ERROR(ziplist ? AppendZiplist(string.bytes, &pairs) : AppendZipmap(string.bytes, &pairs));
    return LoadPairs(pairs.listpack(), static_cast<uint32_t>(pairs.count()), limits, value);
  }
  if (!ValidateListpack(string.bytes, &elements)) return Damaged("listpack");
  if (rdb_type == kRdbTypeHashListpackEx) return LoadTriples(string.bytes, elements, limits, value);
  return LoadPairs(string.bytes, elements, limits, value);
}

}  // namespace

uint8_t HashRdbType(const HashTable& table) { return table.has_deadlines() ? kRdbTypeHashMetadata : kRdbTypeHash; }

void EncodeHash(const HashTable& table, RdbSink& sink) {
  const bool metadata = table.has_deadlines();
  const int64_t earliest_ms = table.next_deadline_ms();
  if (metadata) {
    char bytes[8];
    StoreLittleEndian(bytes, earliest_ms);
    sink.Append({bytes, sizeof(bytes)});
  }
  sink.AppendLength(table.element_count());
  HashTrie::Walk walk(table.fields());
  std::string_view payload;
  while (walk.Next(&payload)) {
    const HashField field = ReadHashField(payload);
    if (metadata) sink.AppendLength(field.has_deadline() ? static_cast<uint64_t>(field.deadline_ms - earliest_ms + 1) : 0);
    sink.AppendString(field.name);
    sink.AppendString(field.value);
  }
}

Status DecodeHash(uint8_t rdb_type, std::string_view bytes, const ValueLimits& limits, LoadedValue* value) {
  const bool plain = rdb_type == kRdbTypeHash || rdb_type == kRdbTypeHash2 || rdb_type == kRdbTypeHashMetadata;
  if (plain) return DecodeFields(rdb_type, bytes, limits, value);
  return DecodePacked(rdb_type, bytes, limits, value);
}

}  // namespace cairn
