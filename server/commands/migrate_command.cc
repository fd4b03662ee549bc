// MIGRATE: the request's grammar. What is done with it: migrator.h.
#include <string>
#include <utility>
#include <vector>

#include "engine/commands/arg_reader.h"
#include "server/commands/registry.h"
#include "server/migrator.h"
#include "server/server.h"
#include "server/session.h"

namespace cairn {
namespace {

constexpr size_t kKeyArg = 3;
constexpr size_t kFirstOption = 6;
constexpr int64_t kDefaultTimeoutMs = 1000;

// Behind KEYS all that follows is keys; it is an option, not the password of AUTH before it.
size_t KeysOption(ArgSpan args) {
  for (size_t i = kFirstOption; i < args.size(); i++) {
    if (EqualsIgnoreCase(args[i], "keys")) return i;
    if (EqualsIgnoreCase(args[i], "auth")) i += 1;
    if (EqualsIgnoreCase(args[i], "auth2")) i += 2;
  }
  return args.size();
}

Status MigrateKeys(ArgSpan args, std::vector<int>* key_indexes) {
  const size_t keys = args[kKeyArg].empty() ? KeysOption(args) : args.size();
  if (keys == args.size()) {
    key_indexes->push_back(kKeyArg);
    return Status();
  }
  for (size_t i = keys + 1; i < args.size(); i++) key_indexes->push_back(static_cast<int>(i));
  return Status();
}

bool ReadOptions(CommandContext& context, MigrateRequest* request) {
  const size_t keys = KeysOption(context.args);
  for (OptionReader options(context, kFirstOption); options.More() && options.index() < keys;) {
    std::string_view word;
    if (options.Take("copy")) {
      request->copy = true;
    } else if (options.Take("replace")) {
      request->replace = true;
    } else if (options.Take("auth", &word)) {
      request->auth = {std::string(word)};
    } else if (options.index() + 2 < context.args.size() && options.Take("auth2", &word)) {
      request->auth = {std::string(word), std::string(options.peek())};
      options.Skip();
    } else {
      context.SyntaxError();
      return false;
    }
  }
  if (keys == context.args.size() || context.args[kKeyArg].empty()) return true;
  context.reply.Error("ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");
  return false;
}

void Migrate(CommandContext& context) {
  MigrateRequest request;
  if (!ReadOptions(context, &request)) return;
  if (!ReadInt(context, 5, &request.timeout_ms) || !ReadInt(context, 4, &request.target_database)) return;
  if (request.timeout_ms <= 0) request.timeout_ms = kDefaultTimeoutMs;
  if (!StoreReady(context)) return;
  request.host = context.args[1];
  request.port = context.args[2];
  request.database = context.database();
  for (const KeyRef& key : context.keys()) request.keys.emplace_back(key.name);
  if (request.keys.empty()) return context.reply.Simple("NOKEY");
  Session& session = SessionOf(context);
  session.Block();
  session.server().migrator().Start(session.server(), session.id(), std::move(request));
}

constexpr KeyAccess kMoved = kKeyReadWrite | kKeyForAccess | kKeyForDelete;
constexpr KeySpec kMigratedKeys[] = {{3, 3, 1, kMoved}, {-2, -1, 1, kMoved | kKeysIncomplete, "KEYS"}};

constexpr CommandRow kRows[] = {
    {.name = "migrate",
     .arity = -6,
     .flags = kWrite | kMovableKeys | kNotLogged | kNoScript | kNoMulti,
     .categories = kAclKeyspace | kAclDangerous,
     .keys = {3, 3, 1, kMoved},
     .handler = Migrate,
     .summary = "Moves keys to another server, or copies them.",
     .since = "2.6.0",
     .group = "generic",
     .complexity = "O(N) for values of N bytes, here and at the target",
     .syntax = "host port key | \"\" destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password] [KEYS key "
               "[key ...]]",
     .get_keys = MigrateKeys,
     .tips = "nondeterministic_output",
     .key_specs = kMigratedKeys},
};

}  // namespace

void RegisterMigrateCommand(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
