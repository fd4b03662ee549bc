#include "engine/undurable_keys.h"

#include "base/resp_request.h"

namespace cairn {

bool UndurableKeys::Has(const KeyRef& key, Lsn stripe_lsn, LogWriter& log, const CommandTable& commands) {
  MutexLock lock(mutex_);
  if (collected_to_ < stripe_lsn) {
    hashes_.clear();
    every_key_ = false;
    const auto take = [&](std::string_view units) CAIRN_REQUIRES(mutex_) { TakeUnits(units, commands); };
    if (!log.VisitUndurable(take, &collected_to_)) return true;
  }
  return every_key_ || hashes_.contains(key.hash);
}

void UndurableKeys::TakeUnits(std::string_view units, const CommandTable& commands) {
  std::vector<int> key_indexes;
  RequestReader reader(units);
  while (reader.Next()) {
    const CommandRow* row = commands.FindUnrenamed(reader.args());
    if (row != nullptr && !row->has(kWrite)) continue;  // SELECT, MULTI, EXEC
    key_indexes.clear();
    if (row == nullptr || !CommandTable::KeyIndexes(*row, reader.args(), &key_indexes).ok() || key_indexes.empty()) {
      every_key_ = true;
      return;
    }
    for (const int index : key_indexes) hashes_.insert(KeyRef::Hash(reader.args()[static_cast<size_t>(index)]));
  }
  if (!reader.status().ok()) every_key_ = true;
}

}  // namespace cairn
