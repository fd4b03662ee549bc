#include "server/net/request_batch.h"

namespace cairn {

void RequestBatch::HashKeys(Item& item) {
  const CommandRow& row = *item.row;
  item.first_key = static_cast<uint32_t>(keys.size());
  if (row.keys.first <= 0 || row.get_keys != nullptr) return;
  const int count = static_cast<int>(item.arg_count);
  const int last = row.keys.last < 0 ? count + row.keys.last : row.keys.last;
  if (last >= count || last < row.keys.first || (last - row.keys.first) % row.keys.step != 0)
    return;  // the store answers the error
  if (count < (row.arity < 0 ? -row.arity : row.arity)) return;
  for (int i = row.keys.first; i <= last; i += row.keys.step)
    keys.push_back(KeyRef::Of(args[item.first_arg + static_cast<size_t>(i)]));
  item.key_count = static_cast<uint32_t>(keys.size()) - item.first_key;
}

void RequestBatch::Resolve(const CommandTable& table, bool hash_keys) {
  for (Item& item : items) {
    item.row = table.Find(ArgsOf(item));
    if (hash_keys && item.row != nullptr) HashKeys(item);
  }
}

void RequestBatch::Prefetch(Store& store, uint32_t database) {
  requests_.clear();
  for (const Item& item : items) {
    if (item.key_count > 0) requests_.push_back({.row = item.row, .args = ArgsOf(item), .owners = {}, .keys = KeysOf(item)});
  }
  if (requests_.size() > 1) store.Prefetch(requests_, database);
}

}  // namespace cairn
