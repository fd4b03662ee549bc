#include <string>

#include "base/logger.h"
#include "base/numbers.h"
#include "engine/codec/dump_payload.h"
#include "engine/codec/value_codec.h"
#include "engine/commands/arg_reader.h"
#include "server/admin_worker.h"
#include "server/commands/debug_commands.h"
#include "server/commands/keyspace_digest.h"
#include "server/commands/registry.h"
#include "server/config/config.h"
#include "server/server.h"
#include "server/session.h"

namespace cairn {

void DebugObject(CommandContext& context) {
  const Entry* const entry = context.Find(context.key(), Keyspace::Access::kPeek);
  if (entry == nullptr) return context.reply.Error("ERR no such key");
  std::string serialized;
  AppendRdbValue(*entry, &serialized);
  const auto now_s = static_cast<uint32_t>(context.now_ms() / 1000);
  char text[256];
  std::snprintf(text, sizeof(text), "Value at:%p refcount:1 encoding:%s serializedlength:%zu lru:%u lru_seconds_idle:%u",
                static_cast<const void*>(entry), std::string(EncodingName(entry->type(), entry->encoding())).c_str(),
                serialized.size(), entry->access(), (now_s - entry->access()) & 0xFFFFFF);
  context.reply.Simple(text);
}

void DebugSkipChecksums(CommandContext& context) {
  SkipDumpChecksums(context.args[2] == "1");
  context.reply.Ok();
}

void DebugDigest(CommandContext& context) {
  context.scope.ReadAll();
  KeyspaceDigest total;
  for (uint32_t i = 0; i < context.keyspace.databases(); i++) {
    if (context.keyspace.Size(i) == 0) continue;
    const char number[4] = {static_cast<char>(i >> 24), static_cast<char>(i >> 16), static_cast<char>(i >> 8),
                            static_cast<char>(i)};
    total.Mix({number, sizeof(number)});
    context.keyspace.ForEach(context.scope, i, [&total](const Entry& entry) {
      KeyspaceDigest one;
      one.Mix(entry.key());
      one.AddValue(entry);
      total.Combine(one);
    });
  }
  context.reply.Simple(total.Hex());
}

void DebugDigestValue(CommandContext& context) {
  context.reply.Array(context.keys().size());
  for (size_t i = 0; i < context.keys().size(); i++) {
    KeyspaceDigest digest;
    if (const Entry* const entry = context.Find(context.key(i), Keyspace::Access::kPeek)) digest.AddValue(*entry);
    context.reply.Simple(digest.Hex());
  }
}

void DebugPopulate(CommandContext& context) {
  int64_t count = 0, size = 0;
  if (context.args.size() > 5) return context.SyntaxError();
  constexpr std::string_view kNegative = "ERR value is out of range, must be positive";
  if (!ReadIntBetween(context, 2, 0, INT64_MAX, &count, kNegative)) return;
  if (context.args.size() == 5 && !ReadIntBetween(context, 4, 0, 512 << 20, &size, kNegative)) return;
  const std::string prefix(context.args.size() > 3 ? context.args[3] : std::string_view("key"));
  for (int64_t i = 0; i < count; i++) {
    const std::string name = prefix + ':' + std::to_string(i);
    const KeyRef key = KeyRef::Of(name);
    if (context.Find(key, Keyspace::Access::kPeek) != nullptr) continue;
    std::string value = "value:" + std::to_string(i);
    if (size > 0) value.resize(static_cast<size_t>(size), '\0');
    context.keyspace.SetString(context.scope, context.database(), key, {value}, {});
    context.LogAs({"SET", name, value});
  }
  context.reply.Ok();
}

void DebugHashTableStats(CommandContext& context) {
  uint32_t database = 0;
  if (!StoreReady(context)) return;
  int64_t number = 0;
  if (!ReadInt(context, 2, &number)) return;
  if (number < 0 || number >= static_cast<int64_t>(context.keyspace.databases()))
    return context.reply.Error("ERR Out of range database");
  database = static_cast<uint32_t>(number);
  std::string text = "[Dictionary HT]\n";
  text += " number of elements: " + std::to_string(context.keyspace.Size(database)) + "\n";
  text += " bytes of buckets and directories: " + std::to_string(context.keyspace.dictionary_bytes(database)) + "\n";
  text += "[Expires HT]\n";
  text += " number of elements: " + std::to_string(context.keyspace.ExpiringKeys(database)) + "\n";
  context.reply.Verbatim("txt", text);
}

namespace {

// Reloading locks everybody out and takes as long as a start: never on a network thread.
void ReloadInBackground(CommandContext& context, bool snapshot_first, const char* name) {
  Session& session = SessionOf(context);
  Server& server = session.server();
  const uint64_t id = session.id();
  session.Block();
  server.admin_worker().Run([&server, id, snapshot_first, name] {
    // In the turn of CONFIG SET, which waits for a reload: elsewhere than on a network thread.
    const Status status = server.config().InTurn([&] { return server.store().Reload(snapshot_first); });
    if (status.ok()) {
      LogF(LogLevel::kWarning, "DB reloaded by %s", name);
    } else {
      LogF(LogLevel::kWarning, "%s: %s", name, std::string(status.message()).c_str());
    }
    server.PostToSession(id, [status](Session& waiting) {
      waiting.Unblock([&](ReplySink& reply) {
        if (status.ok()) return reply.Ok();
        reply.Error("ERR Error trying to load the RDB dump: " + std::string(status.message()));
      });
    });
  });
}

}  // namespace

void DebugReload(CommandContext& context) {
  if (!StoreReady(context)) return;
  bool save = true;
  for (OptionReader options(context, 2); options.More();) {
    if (options.Take("nosave")) {
      save = false;
    } else if (!options.Take("noflush") && !options.Take("merge")) {
      return context.reply.Error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    }
  }
  ReloadInBackground(context, save, "DEBUG RELOAD");
}

void DebugLoadAof(CommandContext& context) {
  if (!StoreReady(context)) return;
  ReloadInBackground(context, false, "DEBUG LOADAOF");
}

}  // namespace cairn
