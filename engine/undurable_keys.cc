#include "engine/undurable_keys.h"

#include <algorithm>
#include <utility>

#include "base/resp_request.h"

namespace cairn {

std::optional<bool> UndurableKeys::HaveAny(std::span<const uint64_t> key_hashes, Lsn lsn, LogWriter& log,
                                           const CommandTable& commands) {
  MutexLock lock(mutex_);
  if (named_.to < lsn) {
    Named newly;  // put in place only when it is whole: what was known before stays true of the units before
    if (!log.VisitUndurable([&](std::string_view units) { AddUnits(units, commands, &newly); }, &newly.to)) return std::nullopt;
    named_ = std::move(newly);
  }
  const std::unordered_set<uint64_t>& hashes = named_.hashes;
  return named_.every_key ||
         std::any_of(key_hashes.begin(), key_hashes.end(), [&](uint64_t hash) { return hashes.contains(hash); });
}

void UndurableKeys::AddUnits(std::string_view units, const CommandTable& commands, Named* named) {
  std::vector<int> key_indexes;
  RequestReader reader(units);
  while (reader.Next()) {
    const CommandRow* row = commands.FindUnrenamed(reader.args());
    if (row != nullptr && !row->has(kWrite)) continue;  // SELECT, MULTI, EXEC
    key_indexes.clear();
    if (row == nullptr || !CommandTable::KeyIndexes(*row, reader.args(), &key_indexes).ok() || key_indexes.empty()) {
      named->every_key = true;
      return;
    }
    for (const int index : key_indexes) named->hashes.insert(KeyRef::Hash(reader.args()[static_cast<size_t>(index)]));
  }
  if (!reader.status().ok()) named->every_key = true;
}

}  // namespace cairn
