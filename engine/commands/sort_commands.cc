// SORT and SORT_RO. What is sorted by itself needs no other key, so a large value is shared and sorted without the locks: after the command
// where the result is answered, before it where it is stored (apart.h). Everything else is sorted under the locks, elements by their
// weights.
#include <deque>

#include "engine/commands/apart.h"
#include "engine/commands/change_count.h"
#include "engine/commands/hash_access.h"
#include "engine/commands/sort_items.h"
#include "engine/commands/sort_source.h"
#include "engine/commands/string_support.h"
#include "engine/values/list_value.h"

namespace cairn {
namespace {

constexpr size_t kPackedResultBytes = 1024;  // as of a list that grows by pushes
constexpr std::string_view kNotANumberError = "ERR One or more scores can't be converted into double";

// What a pattern leads to: a string's entry, or a hash field's value; neither where there is nothing.
struct Found {
  const Entry* string = nullptr;
  bool in_hash = false;
  bool lasts = true;  // false: the hash may change by being looked up once more, for it has fields with deadlines
  ListpackValue field;
  bool any() const { return string != nullptr || in_hash; }
};

// Substitutes elements in patterns and looks up what the result names. One object serves many elements.
class PatternReader {
 public:
  explicit PatternReader(CommandContext& context) : context_(context) {}

  Found Find(const SortPattern& pattern, const ListpackValue& element) {
    if (pattern.element) return {.in_hash = true, .field = element};
    if (!pattern.substitutes) return {};
    char buffer[kIntTextMaxBytes];
    name_.assign(pattern.prefix).append(element.Text(buffer)).append(pattern.suffix);
    const KeyRef key = KeyRef::Of(name_);
    const Entry* entry = context_.Find(key, Keyspace::Access::kRead);
    if (entry == nullptr) return {};
    if (!pattern.has_field) return {.string = entry->type() == ValueType::kString ? entry : nullptr};
    if (entry->type() != ValueType::kHash) return {};
    Found found;
    const HashView hash(context_, entry);
    found.in_hash = hash.Find(pattern.field, &found.field);
    found.lasts = hash.table() == nullptr || !hash.table()->has_deadlines();
    return found;
  }
  // The bytes of what was found: in the value until the next Find(), or kept by this object.
  ListpackValue ValueOf(const Found& found) {
    if (found.string == nullptr) return found.field;
    if (found.string->encoding() == Encoding::kInt) return {{}, found.string->int_value()};
    if (found.string->encoding() != Encoding::kRope) return {found.string->inline_value(), 0};
    ropes_.emplace_back();
    StringView(found.string).Flatten(&ropes_.back());
    return {ropes_.back(), 0};
  }
  // The same as text that lasts.
  std::string_view TextOf(const Found& found) {
    const ListpackValue value = ValueOf(found);
    if (!value.is_int() && found.lasts) return value.bytes;
    value.AppendTo(&texts_.emplace_back());
    return texts_.back();
  }

 private:
  CommandContext& context_;
  std::string name_;
  std::deque<std::string> ropes_, texts_;  // whose elements never move
};

// Adds an element with what it is sorted by; false where that is not a number.
bool AddItem(const SortRequest& request, const ListpackValue& element, PatternReader& reader, SortItems* items) {
  SortItem item{.element = element};
  if (!request.order.unsorted) {
    if (request.by.empty()) {
      if (!request.order.alpha && !ReadSortScore(element, &item.score)) return false;
    } else if (const Found found = reader.Find(request.by[0], element); found.any()) {
      if (request.order.alpha) {
        item.weight = reader.TextOf(found);
      } else if (!ReadSortScore(reader.ValueOf(found), &item.score)) {
        return false;
      }
    }
  }
  items->Add(item);
  return true;
}

void ReplyText(ReplySink& reply, const ListpackValue& value) {
  char buffer[kIntTextMaxBytes];
  reply.Bulk(value.Text(buffer));
}

// The elements of a source that nothing but itself is needed to sort; false where one is not a number.
bool PickOwnItems(const SortOrder& order, const SortSource& source, SortItems* items) {
  bool numbers = true;
  source.ForRange(0, source.count(), false, [&](const ListpackValue& element) {
    SortItem item{.element = element};
    numbers = numbers && (order.alpha || ReadSortScore(element, &item.score));
    items->Add(item);
  });
  return numbers;
}

// Those that are wanted.
void ReplySorted(ReplySink& reply, const SortOrder& order, const SortSource& source) {
  uint64_t first = 0, end = 0;
  order.Range(source.count(), &first, &end);
  if (order.unsorted) {
    reply.Array(end - first);
    return source.ForRange(first, end, order.descending, [&](const ListpackValue& element) { ReplyText(reply, element); });
  }
  SortItems items(order, false, source.count());
  if (!PickOwnItems(order, source, &items)) return reply.Error(kNotANumberError);
  const std::span<const SortItem> sorted = items.Finish();
  reply.Array(sorted.size());
  for (const SortItem& item : sorted) ReplyText(reply, item.element);
}

// Writes a list that is stored into the log as what it holds, in records of a bounded size.
class PushRecords {
 public:
  PushRecords(CommandContext& context, const KeyRef& key) : context_(context), args_{"RPUSH", key.name}, owners_(args_.size()) {
    texts_.reserve(kElementsMost * kIntTextMaxBytes);  // so that it never moves
  }
  // The element's bytes outlive Finish().
  void Add(const ListElement& element) {
    const ListpackValue& value = element.value;
    if (value.is_int()) {
      const size_t begin = texts_.size();
      value.AppendTo(&texts_);
      args_.emplace_back(std::string_view(texts_).substr(begin));
    } else {
      args_.push_back(value.bytes);
      bytes_ += element.owner == nullptr ? value.bytes.size() : 0;
    }
    owners_.push_back(element.owner == nullptr ? SharedBytes() : *element.owner);
    if (args_.size() - kNames >= kElementsMost || bytes_ >= kBytesMost) Finish();
  }
  void Finish() {
    if (args_.size() > kNames) context_.LogAs(args_, owners_);
    args_.resize(kNames);
    owners_.resize(kNames);
    texts_.clear();
    bytes_ = 0;
  }

 private:
  static constexpr size_t kNames = 2;
  static constexpr size_t kElementsMost = 1000;
  static constexpr size_t kBytesMost = size_t{64} << 10;  // that are copied

  CommandContext& context_;
  std::vector<std::string_view> args_;
  std::vector<SharedBytes> owners_;
  std::string texts_;
  size_t bytes_ = 0;
};

// A list that is made beside the keyspace.
class ListResult {
 public:
  void Add(const ListpackValue& value) {
    const ListpackItem item = value.is_int() ? ListpackItem(value.number) : ListpackItem(value.bytes);
    if (large_ == nullptr && packed_.listpack_bytes() + item.encoded_bytes() <= kPackedResultBytes) return packed_.Add(item);
    if (large_ == nullptr) {
      large_ = packed_.count() == 0 ? std::make_unique<ListValue>() : ListValue::FromPacked(packed_.listpack());
    }
    large_->Push(ListEnd::kBack, ListItem(item));
  }
  uint64_t count() const { return large_ == nullptr ? packed_.count() : large_->element_count(); }
  void Log(CommandContext& context, const KeyRef& key) {
    PushRecords records(context, key);
    ListCursor cursor = large_ == nullptr ? ListCursor(packed_.listpack()) : ListCursor(*large_);
    while (cursor.valid()) records.Add(cursor.ReadForward());
    records.Finish();
  }
  void Store(ValueEdit& edit) {
    if (large_ != nullptr) return edit.StoreLarge(ValueType::kList, std::move(large_));
    edit.StorePacked(ValueType::kList, Encoding::kPacked, packed_.listpack());
  }

 private:
  ListpackBuilder packed_;
  std::unique_ptr<ListValue> large_;
};

// A source that nothing but itself is needed to sort, sorted; null where an element is not a number.
std::unique_ptr<ListResult> SortedList(const SortOrder& order, const SortSource& source) {
  auto result = std::make_unique<ListResult>();
  if (order.unsorted) {
    uint64_t first = 0, end = 0;
    order.Range(source.count(), &first, &end);
    source.ForRange(first, end, order.descending, [&](const ListpackValue& element) { result->Add(element); });
    return result;
  }
  SortItems items(order, false, source.count());
  if (!PickOwnItems(order, source, &items)) return nullptr;
  for (const SortItem& item : items.Finish()) result->Add(item.element);
  return result;
}

// What the elements lead to is known here and not in replay, where hash fields that are due and have no record yet are there again.
enum class Logged : uint8_t { kCommand, kResult };

void StoreResult(CommandContext& context, const KeyRef& key, ListResult& result, Logged logged) {
  const uint64_t count = result.count();
  bool had_expiry = false;
  {
    ValueEdit edit = context.Edit(key);
    if (logged == Logged::kResult) {
      context.LogNothing();
      if (edit.entry() != nullptr) context.LogAs({"DEL", key.name});
      result.Log(context, key);
    }
    if (count > 0) {
      had_expiry = edit.entry() != nullptr && edit.entry()->has_expiry();
      result.Store(edit);
      context.Event(kEventList, "sortstore", key);
    } else if (edit.entry() != nullptr) {
      edit.Remove();
      context.Event(kEventGeneric, "del", key);
    }
  }
  if (had_expiry) context.keyspace.SetExpiry(context.scope, context.database(), key, -1);
  CountElements(context, key, static_cast<int64_t>(count));
  context.reply.Integer(static_cast<int64_t>(count));
}

void ReplyResult(CommandContext& context, const SortRequest& request, std::span<const SortItem> items, PatternReader& reader) {
  ReplySink& reply = context.reply;
  reply.Array(items.size() * std::max<size_t>(request.get.size(), 1));
  for (const SortItem& item : items) {
    if (request.get.empty()) ReplyText(reply, item.element);
    for (const SortPattern& pattern : request.get) {
      const Found found = reader.Find(pattern, item.element);
      if (found.string != nullptr) {
        ReplyString(reply, found.string);
      } else if (found.in_hash) {
        ReplyText(reply, found.field);
      } else {
        reply.Null();
      }
    }
  }
}

// The wanted elements in order, as far as anything is to be sorted; false where something is not a number.
bool PickItems(const SortRequest& request, const SortSource& source, PatternReader& reader, SortItems* items) {
  uint64_t first = 0, end = source.count();
  if (request.order.unsorted) request.order.Range(source.count(), &first, &end);
  bool numbers = true;
  source.ForRange(first, end, request.order.unsorted && request.order.descending,
                  [&](const ListpackValue& element) { numbers = numbers && AddItem(request, element, reader, items); });
  return numbers;
}

void StoreSorted(CommandContext& context, const KeptValue& value, const SortOrder& order) {
  using Sorted = std::unique_ptr<ListResult>;
  const std::optional<Sorted> sorted =
      ComputeApart<Sorted>(context, {value}, SortSource(value).count(),
                           [order](std::span<const KeptValue> source) { return SortedList(order, SortSource(source[0])); });
  if (!sorted.has_value()) return;
  if (*sorted == nullptr) return context.reply.Error(kNotANumberError);
  StoreResult(context, context.key(1), **sorted, Logged::kCommand);
}

void Run(CommandContext& context, bool may_store) {
  SortRequest request;
  if (!ReadSortRequest(context, may_store, &request)) return;
  const Entry* entry = context.Find(context.key(0), Keyspace::Access::kRead);
  if (entry != nullptr && !SortSource::CanSort(entry->type())) return context.WrongType();
  KeptValue value(entry);
  const SortSource source(value);
  SortOrder& order = request.order;
  // What is stored must not depend on a set's inner order, which differs from one run to the next.
  if (request.stores && source.type() == ValueType::kSet) {
    order.ties_by_bytes = true;
    if (order.unsorted) order.alpha = true;
    order.unsorted = false;
  }
  if (request.by.empty() && request.get.empty()) {
    if (request.stores) return StoreSorted(context, value, order);
    if (value.large() == nullptr) return ReplySorted(context.reply, order, source);
    value.Keep();
    return context.Defer(source.count(), [value, order](ReplySink& reply) { ReplySorted(reply, order, SortSource(value)); });
  }
  PatternReader reader(context);
  SortItems items(order, !request.by.empty(), source.count());
  if (!PickItems(request, source, reader, &items)) return context.reply.Error(kNotANumberError);
  const std::span<const SortItem> sorted = items.Finish();
  if (!request.stores) return ReplyResult(context, request, sorted, reader);
  ListResult result;
  for (const SortItem& item : sorted) {
    if (request.get.empty()) result.Add(item.element);
    for (const SortPattern& pattern : request.get) {
      const Found found = reader.Find(pattern, item.element);
      result.Add(found.any() ? reader.ValueOf(found) : ListpackValue{"", 0});
    }
  }
  StoreResult(context, context.key(1), result, Logged::kResult);
}

// The keys that BY, GET and STORE name can be found by no rule.
constexpr KeySpec kSortKeys[] = {
    {1, 1, 1, kKeyRead | kKeyForAccess}, {0, 0, 0, kKeyRead | kKeyForAccess}, {0, 0, 0, kKeyWrite | kKeyForUpdate}};
constexpr KeySpec kSortRoKeys[] = {{1, 1, 1, kKeyRead | kKeyForAccess}, {0, 0, 0, kKeyRead | kKeyForAccess}};

constexpr CommandRow kRows[] = {
    {.name = "sort",
     .arity = -2,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .categories = kAclSet | kAclSortedSet | kAclList | kAclDangerous,
     .keys = {0, 0, 0, kKeyRead | kKeyForAccess},
     .handler = [](CommandContext& context) { Run(context, true); },
     .summary = "Sorts a list, set or sorted set by its elements or by what other keys say of them; stores the result if asked.",
     .since = "1.0.0",
     .group = "generic",
     .complexity = "O(N+M*log(M)) for N elements of which M are answered",
     .syntax = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] [STORE destination]",
     .get_keys = SortKeys,
     .key_specs = kSortKeys,
     .looks_anywhere = SortLooksAtOtherKeys},
    {.name = "sort_ro",
     .arity = -2,
     .flags = kReadOnly | kMovableKeys,
     .categories = kAclSet | kAclSortedSet | kAclList | kAclDangerous,
     .keys = {0, 0, 0, kKeyRead | kKeyForAccess},
     .handler = [](CommandContext& context) { Run(context, false); },
     .summary = "Sorts a list, set or sorted set as SORT does, and never stores.",
     .since = "7.0.0",
     .group = "generic",
     .complexity = "O(N+M*log(M)) for N elements of which M are answered",
     .syntax = "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]",
     .get_keys = SortRoKeys,
     .key_specs = kSortRoKeys,
     .looks_anywhere = SortLooksAtOtherKeys},
};

}  // namespace

void RegisterSortCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
