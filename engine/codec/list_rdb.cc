#include "engine/codec/list_rdb.h"

#include <string>

#include "engine/codec/ziplist.h"
#include "engine/values/listpack.h"
#include "engine/values/listpack_search.h"
#include "snapshot/rdb_string_decoder.h"

namespace cairn {
namespace {

// What a node of a quicklist is.
constexpr uint64_t kPlainNode = 1;
constexpr uint64_t kPackedNode = 2;

Status TakeCount(std::string_view* rest, uint64_t* count) {
  bool special = false;
  const char* body = DecodeRdbLength(rest->data(), rest->data() + rest->size(), count, &special);
  if (body == nullptr || special) return Status::Damaged("a list's length is malformed");
  rest->remove_prefix(static_cast<size_t>(body - rest->data()));
  return Status();
}

// The next string's bytes, a number's as text.
Status TakeText(std::string_view* rest, std::string* scratch, std::string_view* text) {
  RdbString string;
  CAIRN_RETURN_IF_ERROR(DecodeRdbString(rest, &string, scratch));
  if (string.is_int) {
    scratch->clear();
    AppendInt(*scratch, string.number);
    string.bytes = *scratch;
  }
  *text = string.bytes;
  return Status();
}

// The elements of a valid listpack. Another writer's encodings are made the shortest, because searching relies on it.
void AppendElements(std::string_view listpack, ListValue* list) {
  const ListpackView view(listpack);
  if (HasShortestEncodings(view)) return list->AppendPacked(listpack);
  for (uint32_t at = view.begin(); at != view.end();) {
    const ListpackValue element = view.Read(&at);
    list->Push(ListEnd::kBack, ListItem(element.is_int() ? ListpackItem(element.number) : ListpackItem(element.bytes)));
  }
}

Status AppendListpack(std::string_view bytes, ListValue* list) {
  uint32_t count = 0;
  if (!ValidateListpack(bytes, &count)) return Status::Damaged("a list's listpack is malformed");
  AppendElements(bytes, list);
  return Status();
}

Status AppendZiplistNode(std::string_view bytes, ListValue* list) {
  ListpackBuilder elements(bytes.size());
  CAIRN_RETURN_IF_ERROR(AppendZiplist(bytes, &elements));
  AppendElements(elements.listpack(), list);
  return Status();
}

Status DecodeNode(uint8_t rdb_type, std::string_view* rest, std::string* scratch, ListValue* list) {
  uint64_t container = kPackedNode;
  if (rdb_type == kRdbTypeListQuicklist2) {
    CAIRN_RETURN_IF_ERROR(TakeCount(rest, &container));
    if (container != kPlainNode && container != kPackedNode) return Status::Damaged("a list's node is of an unknown kind");
  }
  std::string_view text;
  CAIRN_RETURN_IF_ERROR(TakeText(rest, scratch, &text));
  if (container == kPlainNode && text.empty()) return Status::Damaged("a list's node is empty");
  if (rdb_type == kRdbTypeList || container == kPlainNode) {
    list->Push(ListEnd::kBack, ListItem(text));
    return Status();
  }
  return rdb_type == kRdbTypeListQuicklist2 ? AppendListpack(text, list) : AppendZiplistNode(text, list);
}

// What is small lies in its entry.
void Store(std::unique_ptr<ListValue> list, LoadedValue* value) {
  value->type = ValueType::kList;
  ListTree::Path path;
  list->tree().First(&path);
  const ListLeaf& first = *path.leaf();
  if (!first.large() && first.count() == list->element_count() && first.size <= kPackedListMaxBytes) {
    value->encoding = Encoding::kPacked;
    value->packed = first.packed();
    return;
  }
  value->encoding = Encoding::kLarge;
  value->large = std::move(list);
}

}  // namespace

bool IsListRdbType(uint8_t rdb_type) {
  return rdb_type == kRdbTypeList || rdb_type == kRdbTypeListZiplist || rdb_type == kRdbTypeListQuicklist ||
         rdb_type == kRdbTypeListQuicklist2;
}

void EncodeList(const ListValue& list, RdbSink& sink) {
  uint64_t nodes = 0;
  ListTree::Path path;
  for (bool more = list.tree().First(&path); more; more = ListTree::Next(&path)) nodes++;
  sink.AppendLength(nodes);
  for (bool more = list.tree().First(&path); more; more = ListTree::Next(&path)) {
    const ListLeaf& leaf = *path.leaf();
    sink.AppendLength(leaf.large() ? kPlainNode : kPackedNode);
    sink.AppendString(leaf.large() ? leaf.element().view() : leaf.packed());
  }
}

Status DecodeList(uint8_t rdb_type, std::string_view bytes, LoadedValue* value) {
  auto list = std::make_unique<ListValue>();
  std::string scratch;
  uint64_t nodes = 1;
  if (rdb_type != kRdbTypeListZiplist) CAIRN_RETURN_IF_ERROR(TakeCount(&bytes, &nodes));
  for (; nodes > 0; nodes--) CAIRN_RETURN_IF_ERROR(DecodeNode(rdb_type, &bytes, &scratch, list.get()));
  if (!bytes.empty()) return Status::Damaged("bytes follow a list");
  if (list->element_count() == 0) return EmptyCollection("a list has no element");
  Store(std::move(list), value);
  return Status();
}

}  // namespace cairn
