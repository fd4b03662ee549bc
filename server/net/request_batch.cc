#include "server/net/request_batch.h"

#include <algorithm>

#include "base/bytes.h"

namespace cairn {

// A pipeline often says the same again, and often of the same key.
const CommandRow* RequestBatch::RowOf(const CommandTable& table, const Item& item, const Item* before) const {
  if (before != nullptr && EqualBytes(args[item.first_arg], args[before->first_arg])) {
    const CommandRow* const row = before->row;
    if (row == nullptr || (row->parent == nullptr && row->subcommands.empty())) return row;
  }
  return table.Find(ArgsOf(item));
}

void RequestBatch::AddKey(std::string_view name) {
  if (!keys.empty() && EqualBytes(keys.back().name, name)) {
    keys.push_back(KeyRef(keys.back()));
  } else {
    keys.push_back(KeyRef::Of(name));
  }
}

void RequestBatch::HashKeys(Item& item) {
  const CommandRow& row = *item.row;
  item.first_key = static_cast<uint32_t>(keys.size());
  if (row.keys.first <= 0 || row.get_keys != nullptr) return;
  const int count = static_cast<int>(item.arg_count);
  if (count < (row.arity < 0 ? -row.arity : row.arity)) return;  // the store answers the error
  if (row.keys.last == row.keys.first && row.keys.first < count) [[likely]] {
    AddKey(args[item.first_arg + static_cast<size_t>(row.keys.first)]);
    item.key_count = 1;
    return;
  }
  const int last = row.keys.last < 0 ? count + row.keys.last : row.keys.last;
  if (last >= count || last < row.keys.first || (last - row.keys.first) % row.keys.step != 0) return;  // likewise
  for (int i = row.keys.first; i <= last; i += row.keys.step) AddKey(args[item.first_arg + static_cast<size_t>(i)]);
  item.key_count = static_cast<uint32_t>(keys.size()) - item.first_key;
}

void RequestBatch::Resolve(const CommandTable& table, bool hash_keys) {
  const Item* before = nullptr;
  for (Item& item : items) {
    item.row = RowOf(table, item, before);
    if (hash_keys && item.row != nullptr) HashKeys(item);
    before = &item;
  }
}

void RequestBatch::Prefetch(Store& store, uint32_t database) const {
  constexpr size_t kMostKeys = 1024;  // more would push each other out of the caches before they are used
  if (keys.size() > 1) store.Prefetch(std::span(keys).first(std::min(keys.size(), kMostKeys)), database);
}

}  // namespace cairn
