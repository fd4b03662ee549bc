#include "engine/commands/key_commands.h"

#include "engine/commands/arg_reader.h"
#include "engine/keyspace/access_field.h"
#include "engine/store_options.h"

namespace cairn::key_commands {
namespace {

using Access = Keyspace::Access;

constexpr std::string_view kSameObjectError = "ERR source and destination objects are the same";

void RemoveAll(CommandContext& context) {
  int64_t removed = 0;
  for (const KeyRef& key : context.keys()) {
    if (context.Find(key, Access::kPeek) == nullptr) continue;  // an expired key goes as expired, not as deleted
    context.keyspace.Delete(context.scope, context.database(), key);
    context.Event(kEventGeneric, "del", key);
    removed++;
  }
  context.reply.Integer(removed);
}

int64_t CountFound(CommandContext& context, Access access) {
  int64_t found = 0;
  for (const KeyRef& key : context.keys()) found += context.Find(key, access) != nullptr ? 1 : 0;
  return found;
}

bool CountsAccesses(EvictionPolicy policy) {
  return policy == EvictionPolicy::kAllKeysLfu || policy == EvictionPolicy::kVolatileLfu;
}

// Gives an entry another place, which is free, and removes the old one. The value's bytes are shared where they are many.
void Relocate(CommandContext& context, const Entry& entry, const KeyRef& from, uint32_t to_database, const KeyRef& to) {
  context.keyspace.CopyEntry(context.scope, entry, to_database, to);
  context.keyspace.Delete(context.scope, context.database(), from);
  context.scope.Event(kEventNew, "new", to_database, to.name);
}

// False where the key is already there and must not be (the reply is written).
bool RenameKey(CommandContext& context, bool only_if_absent) {
  const KeyRef& from = context.key(0);
  const KeyRef& to = context.key(1);
  const Entry* entry = context.Find(from, Access::kWrite);
  if (entry == nullptr) {
    context.reply.Error("ERR no such key");
    return false;
  }
  const bool same = from.name == to.name;
  if (same || context.Find(to, Access::kWrite) != nullptr) {
    if (only_if_absent) {
      context.reply.Integer(0);
      return false;
    }
    if (same) return true;
    context.keyspace.Delete(context.scope, context.database(), to);
  }
  Relocate(context, *entry, from, context.database(), to);
  context.Event(kEventGeneric, "rename_from", from);
  context.Event(kEventGeneric, "rename_to", to);
  return true;
}

}  // namespace

void Del(CommandContext& context) { RemoveAll(context); }

void Unlink(CommandContext& context) { RemoveAll(context); }

void Exists(CommandContext& context) { context.reply.Integer(CountFound(context, Access::kLook)); }

void Touch(CommandContext& context) { context.reply.Integer(CountFound(context, Access::kRead)); }

void Type(CommandContext& context) {
  const Entry* entry = context.Find(context.key(), Access::kLook);
  context.reply.Simple(entry == nullptr ? "none" : TypeName(entry->type()));
}

void Rename(CommandContext& context) {
  if (RenameKey(context, false)) context.reply.Ok();
}

void RenameNx(CommandContext& context) {
  if (RenameKey(context, true)) context.reply.Integer(1);
}

void Copy(CommandContext& context) {
  uint32_t to_database = context.database();
  bool replace = false;
  for (OptionReader options(context, 3); options.More();) {
    std::string_view number;
    size_t index = 0;
    if (options.Take("replace")) {
      replace = true;
    } else if (options.Take("db", &number, &index)) {
      if (!ReadDatabase(context, index, &to_database)) return;
    } else {
      return context.SyntaxError();
    }
  }
  const KeyRef& from = context.key(0);
  const KeyRef& to = context.key(1);
  if (to_database == context.database() && from.name == to.name) return context.reply.Error(kSameObjectError);
  const Entry* entry = context.Find(from, Access::kRead);
  if (entry == nullptr) return context.reply.Integer(0);
  if (context.FindIn(to_database, to, Access::kWrite) != nullptr) {
    if (!replace) return context.reply.Integer(0);
    context.keyspace.Delete(context.scope, to_database, to);
  }
  Entry* copy = context.keyspace.CopyEntry(context.scope, *entry, to_database, to);
  copy->set_access(InitialAccess(context.now_ms(), {.lfu = CountsAccesses(context.keyspace.eviction_settings().policy)}));
  context.scope.Event(kEventNew, "new", to_database, to.name);
  context.scope.Event(kEventGeneric, "copy_to", to_database, to.name);
  context.reply.Integer(1);
}

void Move(CommandContext& context) {
  uint32_t to_database = 0;
  if (!ReadDatabase(context, 2, &to_database)) return;
  if (to_database == context.database()) return context.reply.Error(kSameObjectError);
  const KeyRef& key = context.key();
  const Entry* entry = context.Find(key, Access::kWrite);
  if (entry == nullptr) return context.reply.Integer(0);
  if (context.FindIn(to_database, key, Access::kWrite) != nullptr) return context.reply.Integer(0);
  Relocate(context, *entry, key, to_database, key);
  context.Event(kEventGeneric, "move_from", key);
  context.scope.Event(kEventGeneric, "move_to", to_database, key.name);
  context.reply.Integer(1);
}

}  // namespace cairn::key_commands
