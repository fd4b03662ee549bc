// How much a change weighs for rdb_changes_since_last_save and save points: the keyspace counts each key that is touched, Redis each
// element. Called under the key's shard lock, after the change.
#pragma once

#include <cstdint>

#include "engine/commands/command_context.h"

namespace cairn {

void CountMoreChanges(CommandContext& context, const KeyRef& key, uint64_t changes);

// One key was touched for so many elements.
inline void CountElements(CommandContext& context, const KeyRef& key, int64_t elements) {
  if (elements > 1) [[unlikely]]
    CountMoreChanges(context, key, static_cast<uint64_t>(elements) - 1);
}

}  // namespace cairn
