#include "engine/undurable_keys.h"

#include <algorithm>

#include "base/resp_request.h"

namespace cairn {

std::optional<bool> UndurableKeys::HaveAny(std::span<const uint64_t> key_hashes, Lsn lsn, LogWriter& log,
                                           const CommandTable& commands) {
  MutexLock lock(mutex_);
  if (collected_to_ < lsn) {
    hashes_.clear();
    every_key_ = false;
    const auto take = [&](std::string_view units) CAIRN_REQUIRES(mutex_) { TakeUnits(units, commands); };
    if (!log.VisitUndurable(take, &collected_to_)) return std::nullopt;
  }
  const auto named = [&](uint64_t hash) CAIRN_REQUIRES(mutex_) { return hashes_.contains(hash); };
  return every_key_ || std::any_of(key_hashes.begin(), key_hashes.end(), named);
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
