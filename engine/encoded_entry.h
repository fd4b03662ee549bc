// Puts a key whose value is encoded, as it stands in a snapshot or an RDB file, into the keyspace.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "engine/keyspace/keyspace.h"
#include "engine/store_options.h"
#include "snapshot/entry_codec.h"

namespace cairn {

// What a store with this policy takes for the access fields of entries that it loads: idle times, where it does not evict by frequency.
AccessKind LoadedAccessKind(EvictionPolicy policy);

// The key's shard is locked, and it is not there yet. Any bytes may come: kDamaged or kNewerFormat, saying what is wrong with the value,
// kNotFound for a collection without elements; the keyspace is as before then.
Status LoadEncodedEntry(Keyspace& keyspace, uint32_t database, const KeyRef& key, uint8_t rdb_type, std::string_view value,
                        const LoadedAttributes& attributes, int64_t now_ms);

}  // namespace cairn
