// CLIENT with every subcommand but TRACKING. What concerns other sessions runs on their own threads (Server::ForEachSession); the asking
// session waits for the answer without holding its thread.
#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/thread_annotations.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/command_help.h"
#include "server/commands/client_state.h"
#include "server/commands/registry.h"
#include "server/server.h"
#include "server/session.h"

namespace cairn {
namespace {

void ClientId(CommandContext& context) { context.reply.Integer(static_cast<int64_t>(SessionOf(context).id())); }

void ClientInfo(CommandContext& context) { context.reply.Verbatim("txt", ClientInfoLine(SessionOf(context), &context) + "\n"); }

// --- LIST ----------------------------------------------------------------------------------------------------------------------

// Lines gathered on the network threads, by client id.
struct GatheredLines {
  Mutex mutex;
  std::map<uint64_t, std::string> lines CAIRN_GUARDED_BY(mutex);
};

struct ListFilter {
  bool by_type = false;
  ClientType type = ClientType::kNormal;
  bool by_id = false;
  std::vector<uint64_t> ids;

  bool Matches(const Session& session) const {
    if (by_type) return ClientTypeOf(session) == type;
    return !by_id || std::find(ids.begin(), ids.end(), session.id()) != ids.end();
  }
};

bool ReadListFilter(CommandContext& context, ListFilter* filter) {
  const ArgSpan args = context.args;
  if (args.size() == 4 && EqualsIgnoreCase(args[2], "type")) {
    filter->by_type = true;
    filter->type = ClientTypeNamed(args[3]);
    if (filter->type != ClientType::kUnknown) return true;
    context.reply.Error("ERR Unknown client type '" + std::string(args[3]) + "'");
    return false;
  }
  if (args.size() > 3 && EqualsIgnoreCase(args[2], "id")) {
    filter->by_id = true;
    for (size_t i = 3; i < args.size(); i++) {
      int64_t id = 0;
      if (!ReadInt(context, i, &id, "ERR Invalid client ID")) return false;
      filter->ids.push_back(static_cast<uint64_t>(id));
    }
    return true;
  }
  if (args.size() == 2) return true;
  context.SyntaxError();
  return false;
}

void ClientList(CommandContext& context) {
  Session& session = SessionOf(context);
  ListFilter filter;
  if (!ReadListFilter(context, &filter)) return;
  auto gathered = std::make_shared<GatheredLines>();
  const uint64_t own_id = session.id();
  if (filter.Matches(session)) {
    MutexLock lock(gathered->mutex);
    gathered->lines[own_id] = ClientInfoLine(session, &context);
  }
  session.Block();
  session.server().ForEachSession(
      [gathered, filter, own_id](Session& other) {
        if (other.id() == own_id || other.closed() || !filter.Matches(other)) return;
        std::string line = ClientInfoLine(other, nullptr);
        MutexLock lock(gathered->mutex);
        gathered->lines[other.id()] = std::move(line);
      },
      own_id,
      [gathered](Session& asking) {
        std::string text;
        {
          MutexLock lock(gathered->mutex);
          for (const auto& [id, line] : gathered->lines) text += line + "\n";
        }
        asking.Unblock([&text](ReplySink& reply) { reply.Verbatim("txt", text); });
      });
}

// --- KILL ----------------------------------------------------------------------------------------------------------------------

struct KillFilter {
  std::optional<std::string> address, local_address;
  std::string user;
  ClientType type = ClientType::kUnknown;  // any
  uint64_t id = 0;                         // 0: any
  int64_t max_age_s = 0;                   // 0: any
  bool skip_self = true;
  bool old_form = false;

  bool Matches(const Session& session, int64_t now_ms) const {
    if (address && session.info.address != *address) return false;
    if (local_address && session.info.local_address != *local_address) return false;
    if (type != ClientType::kUnknown && ClientTypeOf(session) != type) return false;
    if (id != 0 && session.id() != id) return false;
    if (!user.empty() && session.info.user != user) return false;
    return max_age_s == 0 || (now_ms - session.info.created_ms) / 1000 >= max_age_s;
  }
};

bool ReadKillOption(CommandContext& context, OptionReader& options, KillFilter* filter) {
  std::string_view value;
  size_t index = 0;
  int64_t number = 0;
  if (options.Take("id", &value, &index)) {
    if (!ReadIntBetween(context, index, 1, std::numeric_limits<int64_t>::max(), &number,
                        "ERR client-id should be greater than 0")) {
      return false;
    }
    filter->id = static_cast<uint64_t>(number);
  } else if (options.Take("type", &value)) {
    filter->type = ClientTypeNamed(value);
    if (filter->type == ClientType::kUnknown) {
      context.reply.Error("ERR Unknown client type '" + std::string(value) + "'");
      return false;
    }
  } else if (options.Take("addr", &value)) {
    filter->address = value;
  } else if (options.Take("laddr", &value)) {
    filter->local_address = value;
  } else if (options.Take("user", &value)) {
    filter->user = value;
    if (value != "default") {
      context.reply.Error("ERR No such user '" + std::string(value) + "'");
      return false;
    }
  } else if (options.Take("maxage", &value, &index)) {
    constexpr auto kLimits = std::numeric_limits<int64_t>();
    if (!ReadIntBetween(context, index, kLimits.min(), kLimits.max(), &filter->max_age_s,
                        "ERR maxage is not an integer or out of range")) {
      return false;
    }
    if (filter->max_age_s <= 0) {
      context.reply.Error("ERR maxage should be greater than 0");
      return false;
    }
  } else if (options.Take("skipme", &value)) {
    if (!EqualsIgnoreCase(value, "yes") && !EqualsIgnoreCase(value, "no")) {
      context.SyntaxError();
      return false;
    }
    filter->skip_self = EqualsIgnoreCase(value, "yes");
  } else {
    context.SyntaxError();
    return false;
  }
  return true;
}

void ReplyKilled(ReplySink& reply, bool old_form, int64_t killed) {
  if (!old_form) return reply.Integer(killed);
  if (killed == 0) return reply.Error("ERR No such client");
  reply.Ok();
}

void ClientKill(CommandContext& context) {
  Session& session = SessionOf(context);
  KillFilter filter;
  if (context.args.size() == 3) {  // CLIENT KILL ip:port, which may be one's own
    filter.address = context.args[2];
    filter.skip_self = false;
    filter.old_form = true;
  } else {
    for (OptionReader options(context, 2); options.More();) {
      if (!ReadKillOption(context, options, &filter)) return;
    }
  }
  const int64_t now_ms = RealClock().MonotonicMs();
  const bool kills_self = !filter.skip_self && filter.Matches(session, now_ms);
  auto killed = std::make_shared<std::atomic<int64_t>>(kills_self ? 1 : 0);
  const uint64_t own_id = session.id();
  session.Block();
  session.server().ForEachSession(
      [killed, filter, own_id, now_ms](Session& other) {
        if (other.id() == own_id || other.closed() || !filter.Matches(other, now_ms)) return;
        killed->fetch_add(1, std::memory_order_relaxed);
        other.CloseNow("CLIENT KILL");
      },
      own_id,
      [killed, kills_self, old_form = filter.old_form](Session& asking) {
        if (kills_self) asking.close_after_reply = true;
        asking.Unblock([&](ReplySink& reply) { ReplyKilled(reply, old_form, killed->load(std::memory_order_relaxed)); });
      });
}

// --- about oneself -------------------------------------------------------------------------------------------------------------

void ClientGetName(CommandContext& context) {
  const std::string& name = SessionOf(context).info.name;
  if (name.empty()) return context.reply.Null();
  context.reply.Bulk(name);
}

void ClientSetName(CommandContext& context) {
  if (SetClientName(context, context.args[2])) context.reply.Ok();
}

void ClientSetInfo(CommandContext& context) {
  SessionInfo& info = SessionOf(context).info;
  const std::string_view attribute = context.args[2], value = context.args[3];
  const bool name = EqualsIgnoreCase(attribute, "lib-name");
  if (!name && !EqualsIgnoreCase(attribute, "lib-ver")) {
    return context.reply.Error("ERR Unrecognized option '" + std::string(attribute) + "'");
  }
  for (const char c : value) {
    if (c >= '!' && c <= '~') continue;
    return context.reply.Error("ERR " + std::string(attribute) + " cannot contain spaces, newlines or special characters.");
  }
  (name ? info.library_name : info.library_version) = value;
  context.reply.Ok();
}

void ClientReply(CommandContext& context) {
  Session& session = SessionOf(context);
  const std::string_view mode = context.args[2];
  if (EqualsIgnoreCase(mode, "on")) {
    session.reply_mode = ReplyMode::kOn;
    session.silenced = false;
    return context.reply.Ok();
  }
  if (EqualsIgnoreCase(mode, "off")) {
    session.reply_mode = ReplyMode::kOff;
  } else if (EqualsIgnoreCase(mode, "skip")) {
    if (session.reply_mode == ReplyMode::kOn) session.reply_mode = ReplyMode::kSkipNext;
  } else {
    context.SyntaxError();
  }
}

// ON or OFF as the third argument.
bool ReadSwitch(CommandContext& context, bool* on) {
  *on = EqualsIgnoreCase(context.args[2], "on");
  if (*on || EqualsIgnoreCase(context.args[2], "off")) return true;
  context.SyntaxError();
  return false;
}

void ClientNoEvict(CommandContext& context) {
  if (ReadSwitch(context, &SessionOf(context).no_evict)) context.reply.Ok();
}

void ClientNoTouch(CommandContext& context) {
  if (ReadSwitch(context, &context.client.no_touch)) context.reply.Ok();
}

void ClientGetRedir(CommandContext& context) { context.reply.Integer(-1); }

void ClientTrackingInfo(CommandContext& context) {
  context.reply.Map(3);
  context.reply.Bulk("flags");
  context.reply.Set(1);
  context.reply.Bulk("off");
  context.reply.Bulk("redirect");
  context.reply.Integer(-1);
  context.reply.Bulk("prefixes");
  context.reply.Array(0);
}

void ClientCaching(CommandContext& context) {
  context.reply.Error(
      "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled");
}

// --- about others --------------------------------------------------------------------------------------------------------------

void ClientPause(CommandContext& context) {
  bool writes_only = false;
  if (context.args.size() > 4) return context.SubcommandSyntaxError();
  if (context.args.size() == 4) {
    writes_only = EqualsIgnoreCase(context.args[3], "write");
    if (!writes_only && !EqualsIgnoreCase(context.args[3], "all"))
      return context.reply.Error("ERR CLIENT PAUSE mode must be WRITE or ALL");
  }
  int64_t timeout_ms = 0;
  if (!ReadTimeoutMs(context, 2, &timeout_ms)) return;
  const int64_t now_ms = RealClock().MonotonicMs();
  const int64_t until_ms =
      timeout_ms > std::numeric_limits<int64_t>::max() - now_ms ? std::numeric_limits<int64_t>::max() : now_ms + timeout_ms;
  SessionOf(context).server().PauseClients(until_ms, writes_only);
  context.reply.Ok();
}

void ClientUnpause(CommandContext& context) {
  SessionOf(context).server().PauseClients(0, false);
  context.reply.Ok();
}

void ClientUnblock(CommandContext& context) {
  bool with_error = false;
  if (context.args.size() > 4) return context.SubcommandSyntaxError();
  if (context.args.size() == 4) {
    with_error = EqualsIgnoreCase(context.args[3], "error");
    if (!with_error && !EqualsIgnoreCase(context.args[3], "timeout")) {
      return context.reply.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
  }
  int64_t id = 0;
  if (!ReadInt(context, 2, &id)) return;
  Session& session = SessionOf(context);
  auto found = std::make_shared<std::atomic<bool>>(false);
  session.Block();
  session.server().ForEachSession(
      [found, id, with_error](Session& other) {
        if (other.id() != static_cast<uint64_t>(id) || !other.blocked() || !other.on_client_unblock) return;
        found->store(true, std::memory_order_relaxed);
        const auto end = std::move(other.on_client_unblock);
        other.on_client_unblock = nullptr;
        end(other, with_error);
      },
      session.id(),
      [found](Session& asking) {
        asking.Unblock([&](ReplySink& reply) { reply.Integer(found->load(std::memory_order_relaxed) ? 1 : 0); });
      });
}

constexpr uint32_t kOwn = kNoScript | kLoading | kStale;
// These wait for other threads, which a transaction that holds locks must not do.
constexpr uint32_t kOthers = kAdmin | kNoScript | kLoading | kStale | kNoMulti;

#define CAIRN_CLIENT_ROW(row_name, row_arity, row_flags, row_handler, row_since, row_complexity, row_syntax, row_summary) \
  {                                                                                                                       \
    .name = row_name, .arity = row_arity, .flags = row_flags, .categories = kAclConnection, .handler = row_handler,       \
    .summary = row_summary, .since = row_since, .group = "connection", .complexity = row_complexity, .syntax = row_syntax \
  }

constexpr CommandRow kSubcommands[] = {
    CAIRN_CLIENT_ROW("caching", 3, kOwn, ClientCaching, "6.0.0", "O(1)", "<YES | NO>",
                     "Whether the keys of the next command are tracked, in OPTIN and OPTOUT modes."),
    CAIRN_CLIENT_ROW("getname", 2, kOwn, ClientGetName, "2.6.9", "O(1)", "", "Answers the connection's name."),
    CAIRN_CLIENT_ROW("getredir", 2, kOwn, ClientGetRedir, "6.0.0", "O(1)", "",
                     "Answers the client that tracking messages go to."),
    CAIRN_CLIENT_ROW("help", 2, kLoading | kStale, ReplyHelp, "5.0.0", "O(1)", "", "Lists the subcommands."),
    CAIRN_CLIENT_ROW("id", 2, kOwn, ClientId, "5.0.0", "O(1)", "", "Answers the connection's number."),
    CAIRN_CLIENT_ROW("info", 2, kOwn, ClientInfo, "6.2.0", "O(1)", "", "Describes the connection."),
    CAIRN_CLIENT_ROW(
        "kill", -3, kOthers, ClientKill, "2.4.0", "O(N) for N connections",
        "<ip:port | <[ID client-id] | [TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] | [USER username] | [ADDR ip:port] | "
        "[LADDR ip:port] | [SKIPME <YES | NO>] | [MAXAGE seconds]>>",
        "Closes the connections that match every filter given."),
    CAIRN_CLIENT_ROW("list", -2, kOthers, ClientList, "2.4.0", "O(N) for N connections",
                     "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
                     "Describes all connections, or those of a type or with the numbers given."),
    CAIRN_CLIENT_ROW("no-evict", 3, kAdmin | kOwn, ClientNoEvict, "7.0.0", "O(1)", "<ON | OFF>",
                     "Whether the connection is spared when clients are closed for their memory."),
    CAIRN_CLIENT_ROW("no-touch", 3, kOwn, ClientNoTouch, "7.2.0", "O(1)", "<ON | OFF>",
                     "Whether this connection's reads leave the keys' access times alone."),
    CAIRN_CLIENT_ROW("pause", -3, kAdmin | kOwn, ClientPause, "2.9.50", "O(1)", "timeout [WRITE | ALL]",
                     "Stops running commands, or only writes, for that many milliseconds."),
    CAIRN_CLIENT_ROW("reply", 3, kOwn, ClientReply, "3.2.0", "O(1)", "<ON | OFF | SKIP>",
                     "Whether the connection gets replies, or none to the next command."),
    CAIRN_CLIENT_ROW("setinfo", 4, kOwn, ClientSetInfo, "7.2.0", "O(1)", "<LIB-NAME libname | LIB-VER libver>",
                     "Tells which library the client uses."),
    CAIRN_CLIENT_ROW("setname", 3, kOwn, ClientSetName, "2.6.9", "O(1)", "connection-name", "Names the connection."),
    CAIRN_CLIENT_ROW("trackinginfo", 2, kOwn, ClientTrackingInfo, "6.2.0", "O(1)", "",
                     "Describes how keys are tracked for the connection."),
    CAIRN_CLIENT_ROW("unblock", -3, kOthers, ClientUnblock, "5.0.0", "O(N) for N connections", "client-id [TIMEOUT | ERROR]",
                     "Ends the wait of a connection that waits in a blocking command."),
    CAIRN_CLIENT_ROW("unpause", 2, kAdmin | kOwn, ClientUnpause, "6.2.0", "O(N) for N connections", "", "Ends CLIENT PAUSE."),
};

#undef CAIRN_CLIENT_ROW

constexpr CommandRow kRows[] = {
    {.name = "client",
     .arity = -2,
     .flags = 0,
     .summary = "Connections.",
     .since = "2.4.0",
     .group = "connection",
     .complexity = "Depends on subcommand.",
     .subcommands = kSubcommands},
};

}  // namespace

void RegisterClientCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
