#include "engine/commands/change_count.h"

#include "engine/keyspace/shard.h"

namespace cairn {

void CountMoreChanges(CommandContext& context, const KeyRef& key, uint64_t changes) {
  context.keyspace.shard(key.shard()).changes.Add(changes);
}

}  // namespace cairn
