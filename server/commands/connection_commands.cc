// PING, ECHO, HELLO, AUTH, RESET, QUIT and the little of ACL there is: one user, named default, with one password or none.
#include "base/numbers.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/command_help.h"
#include "engine/store_core.h"
#include "server/commands/client_state.h"
#include "server/commands/registry.h"
#include "server/config/config.h"
#include "server/pubsub/hub.h"
#include "server/security/password.h"
#include "server/server.h"
#include "server/session.h"
#include "server/version.h"

namespace cairn {
namespace {

constexpr std::string_view kWrongPassword = "WRONGPASS invalid username-password pair or user is disabled.";

bool Authenticate(Session& session, std::string_view user, std::string_view password) {
  const Config& config = session.server().config();
  if (user != "default") return false;
  if (PasswordRequired(config) && !PasswordsEqual(password, config.Text("requirepass"))) return false;
  session.authenticated = true;
  session.info.user = "default";
  return true;
}

void Ping(CommandContext& context) {
  if (context.args.size() > 2) {
    return context.WrongArity();
  }
  const Session& session = SessionOf(context);
  const bool subscribed = session.subscription_count() + session.shard_channels.size() > 0;
  if (subscribed && session.protocol == 2) {
    context.reply.Array(2);
    context.reply.Bulk("pong");
    context.reply.Bulk(context.args.size() == 2 ? context.args[1] : std::string_view());
    return;
  }
  if (context.args.size() == 2) return context.reply.Bulk(context.args[1]);
  context.reply.Simple("PONG");
}

void Echo(CommandContext& context) { context.reply.Bulk(context.args[1]); }

void Auth(CommandContext& context) {
  Session& session = SessionOf(context);
  if (context.args.size() > 3) return context.SyntaxError();
  if (context.args.size() == 2 && !PasswordRequired(session.server().config())) {
    return context.reply.Error(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is "
        "correct?");
  }
  const std::string_view user = context.args.size() == 2 ? "default" : context.args[1];
  if (Authenticate(session, user, context.args.back())) return context.reply.Ok();
  context.reply.Error(kWrongPassword);
}

void ReplyHello(Session& session, ReplySink& reply) {
  reply.Map(7);
  reply.Bulk("server");
  reply.Bulk("redis");
  reply.Bulk("version");
  reply.Bulk(kRedisVersion);
  reply.Bulk("proto");
  reply.Integer(session.protocol);
  reply.Bulk("id");
  reply.Integer(static_cast<int64_t>(session.id()));
  reply.Bulk("mode");
  reply.Bulk("standalone");
  reply.Bulk("role");
  reply.Bulk("master");
  reply.Bulk("modules");
  reply.Array(0);
}

void Hello(CommandContext& context) {
  Session& session = SessionOf(context);
  int64_t version = 0;
  if (context.args.size() >= 2) {
    if (!ReadInt(context, 1, &version, "ERR Protocol version is not an integer or out of range")) return;
    if (version < 2 || version > 3) return context.reply.Error("NOPROTO unsupported protocol version");
  }
  for (size_t i = 2; i < context.args.size(); i++) {
    const std::string_view option = context.args[i];
    const size_t more = context.args.size() - 1 - i;
    if (EqualsIgnoreCase(option, "auth") && more >= 2) {
      if (!Authenticate(session, context.args[i + 1], context.args[i + 2])) return context.reply.Error(kWrongPassword);
      i += 2;
    } else if (EqualsIgnoreCase(option, "setname") && more >= 1) {
      if (!SetClientName(context, context.args[i + 1])) return;
      i += 1;
    } else {
      return context.reply.Error("ERR Syntax error in HELLO option '" + std::string(option) + "'");
    }
  }
  if (!IsAuthenticated(session.server().config(), session)) {
    return context.reply.Error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be "
        "used to "
        "authenticate the client and select the RESP protocol version at the same time");
  }
  if (version != 0 && version != session.protocol) ChangeProtocol(session, static_cast<int>(version));
  ReplyHello(session, context.reply);
}

void Reset(CommandContext& context) {
  Session& session = SessionOf(context);
  Server& server = session.server();
  if (HearsFirst(context, session)) return;
  server.pubsub().Forget(session);
  session.transaction.open = false;
  session.transaction.aborted = false;
  session.transaction.commands.clear();
  if (session.watch != nullptr && !server.loading()) server.store().Unwatch(session);
  session.database = 0;
  session.info.name.clear();
  session.no_touch = false;
  if (session.reply_mode == ReplyMode::kOff) session.silenced = false;  // its own answer is the first one to go out again
  session.reply_mode = ReplyMode::kOn;
  session.info.user = "default";
  session.authenticated = !PasswordRequired(server.config());
  if (session.protocol != 2) ChangeProtocol(session, 2);
  context.reply.Simple("RESET");
}

void Quit(CommandContext& context) {
  context.reply.Ok();
  SessionOf(context).close_after_reply = true;
}

void AclWhoAmI(CommandContext& context) { context.reply.Bulk(SessionOf(context).info.user); }
void AclUsers(CommandContext& context) {
  context.reply.Array(1);
  context.reply.Bulk("default");
}

void ReadOnlyMode(CommandContext& context) { context.reply.Error("ERR This instance has cluster support disabled"); }

constexpr uint32_t kAlways = kNoScript | kLoading | kStale;

constexpr CommandRow kAclRows[] = {
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ReplyHelp,
     .summary = "Lists the subcommands.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "users",
     .arity = 2,
     .flags = kAdmin | kAlways,
     .handler = AclUsers,
     .summary = "Lists the names of all users.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(N) for N users"},
    {.name = "whoami",
     .arity = 2,
     .flags = kAlways,
     .handler = AclWhoAmI,
     .summary = "Answers the name of the connection's user.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(1)"},
};

constexpr CommandRow kRows[] = {
    {.name = "ping",
     .arity = -1,
     .flags = kFast,
     .categories = kAclConnection,
     .handler = Ping,
     .summary = "Answers PONG, or the message given.",
     .since = "1.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .syntax = "[message]",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "echo",
     .arity = 2,
     .flags = kLoading | kStale | kFast,
     .categories = kAclConnection,
     .handler = Echo,
     .summary = "Answers the message given.",
     .since = "1.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .syntax = "message"},
    {.name = "hello",
     .arity = -1,
     .flags = kAlways | kFast | kNoAuth | kAllowBusy,
     .categories = kAclConnection,
     .handler = Hello,
     .summary = "Chooses the protocol's version, if asked authenticates and names the connection, and tells about the server.",
     .since = "6.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .syntax = "[protover [AUTH username password] [SETNAME clientname]]"},
    {.name = "auth",
     .arity = -2,
     .flags = kAlways | kFast | kNoAuth | kAllowBusy,
     .categories = kAclConnection,
     .handler = Auth,
     .summary = "Authenticates the connection.",
     .since = "1.0.0",
     .group = "connection",
     .complexity = "O(1)",
     .syntax = "[username] password"},
    {.name = "reset",
     .arity = 1,
     .flags = kAlways | kFast | kNoAuth | kAllowBusy | kRunsUnqueued,
     .categories = kAclConnection,
     .handler = Reset,
     .summary = "Makes the connection as it was when it was new.",
     .since = "6.2.0",
     .group = "connection",
     .complexity = "O(1)"},
    {.name = "quit",
     .arity = -1,
     .flags = kAlways | kFast | kNoAuth | kAllowBusy | kRunsUnqueued,
     .categories = kAclConnection,
     .handler = Quit,
     .summary = "Closes the connection.",
     .since = "1.0.0",
     .group = "connection",
     .complexity = "O(1)"},
    {.name = "readonly",
     .arity = 1,
     .flags = kLoading | kStale | kFast,
     .categories = kAclConnection,
     .handler = ReadOnlyMode,
     .summary = "Allows reads on a connection to a replica of a cluster.",
     .since = "3.0.0",
     .group = "cluster",
     .complexity = "O(1)"},
    {.name = "readwrite",
     .arity = 1,
     .flags = kLoading | kStale | kFast,
     .categories = kAclConnection,
     .handler = ReadOnlyMode,
     .summary = "Ends what READONLY began.",
     .since = "3.0.0",
     .group = "cluster",
     .complexity = "O(1)"},
    {.name = "acl",
     .arity = -2,
     .flags = 0,
     .summary = "Access control.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "Depends on subcommand.",
     .subcommands = kAclRows},
};

}  // namespace

void RegisterConnectionCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
