#include "engine/commands/arg_reader.h"
#include "engine/commands/key_commands.h"
#include "engine/keyspace/access_field.h"
#include "engine/store_options.h"

namespace cairn::key_commands {
namespace {

// Redis shares the objects of small integers, except where each needs an access time of its own; clients see that only here.
constexpr int64_t kSharedIntegers = 10000;
constexpr int64_t kSharedReferences = INT32_MAX;

// The key's entry; a null reply where it is absent. No OBJECT subcommand counts as a use of the key.
const Entry* Look(CommandContext& context) {
  const Entry* entry = context.Find(context.key(), Keyspace::Access::kPeek);
  if (entry == nullptr) context.reply.Null();
  return entry;
}

// Whether the entries' access fields count uses rather than hold the time of the last.
bool TracksFrequency(const EvictionSettings& settings) {
  return settings.policy == EvictionPolicy::kAllKeysLfu || settings.policy == EvictionPolicy::kVolatileLfu;
}

bool TracksUse(const EvictionSettings& settings) {
  return TracksFrequency(settings) || settings.policy == EvictionPolicy::kAllKeysLru ||
         settings.policy == EvictionPolicy::kVolatileLru;
}

}  // namespace

void ObjectEncoding(CommandContext& context) {
  if (const Entry* entry = Look(context)) context.reply.Bulk(EncodingName(entry->type(), entry->encoding()));
}

void ObjectFreq(CommandContext& context) {
  const Entry* entry = Look(context);
  if (entry == nullptr) return;
  const EvictionSettings settings = context.keyspace.eviction_settings();
  if (!TracksFrequency(settings)) {
    return context.reply.Error(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between "
        "policies at runtime LRU and LFU data will take some time to adjust.");
  }
  context.reply.Integer(
      LfuCounter(entry->access(), context.now_ms(), {true, settings.lfu_log_factor, settings.lfu_decay_minutes}));
}

void ObjectIdleTime(CommandContext& context) {
  const Entry* entry = Look(context);
  if (entry == nullptr) return;
  if (TracksFrequency(context.keyspace.eviction_settings())) {
    return context.reply.Error(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at "
        "runtime LRU and LFU data will take some time to adjust.");
  }
  context.reply.Integer(LruIdleMs(entry->access(), context.now_ms()) / 1000);
}

void ObjectRefCount(CommandContext& context) {
  const Entry* entry = Look(context);
  if (entry == nullptr) return;
  const EvictionSettings settings = context.keyspace.eviction_settings();
  const bool small = entry->encoding() == Encoding::kInt && entry->int_value() >= 0 && entry->int_value() < kSharedIntegers;
  const bool shared = small && !(settings.limited && TracksUse(settings));
  context.reply.Integer(shared ? kSharedReferences : 1);
}

}  // namespace cairn::key_commands
