#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

#include "base/glob.h"
#include "base/logger.h"
#include "engine/commands/arg_reader.h"
#include "engine/store_core.h"
#include "server/commands/debug_commands.h"
#include "server/commands/registry.h"
#include "server/config/config.h"
#include "server/net/network_thread.h"
#include "server/server.h"
#include "server/session.h"

namespace cairn {

// Holds all network threads on purpose: tests use it to see what clients do when a server answers nobody.
void DebugSleep(CommandContext& context) {
  const double seconds = std::strtod(std::string(context.args[2]).c_str(), nullptr);
  if (std::isfinite(seconds) && seconds > 0) {
    constexpr double kLongestSeconds = 3600;
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::microseconds(static_cast<int64_t>(std::min(seconds, kLongestSeconds) * 1e6));
    for (const auto& thread : SessionOf(context).server().threads())
      thread->loop().Post([end] { std::this_thread::sleep_until(end); });
    std::this_thread::sleep_until(end);
  }
  context.reply.Ok();
}

void DebugSetActiveExpire(CommandContext& context) {
  if (!StoreReady(context)) return;
  const bool on = std::atoi(std::string(context.args[2]).c_str()) != 0;
  Session& session = SessionOf(context);
  const auto set = [&server = session.server(), on] {
    const Status status = server.store().UpdateOptions([on](RuntimeOptions& options) { options.active_expire = on; });
    return status.ok() ? status : Status(status.code(), "ERR " + std::string(status.message()));
  };
  const std::optional<Status> done = session.server().config().TryInTurn(set);
  if (done) return ReplyStatus(context.reply, *done);
  if (ThisThreadHoldsShards()) return context.reply.Error(Config::kTurnTaken);
  AnswerLater(session, [&server = session.server(), set] { return server.config().InTurn(set); });
}

void DebugError(CommandContext& context) { context.reply.Error(context.args[2]); }

void DebugLog(CommandContext& context) {
  LogF(LogLevel::kWarning, "DEBUG LOG: %s", std::string(context.args[2]).c_str());
  context.reply.Ok();
}

void DebugStringMatch(CommandContext& context) {
  int64_t length = 0;
  if (!ReadIntBetween(context, 2, 0, 512 << 20, &length)) return;
  context.reply.Integer(GlobMatch(context.args[3], std::string(static_cast<size_t>(length), 'a')) ? 1 : 0);
}

void DebugConfigRewrite(CommandContext& context) {
  Session& session = SessionOf(context);
  const auto rewrite = [&config = session.server().config()](bool may_wait) {
    const Status status = config.Rewrite(true, may_wait);
    return status.ok() ? status : Status(status.code(), "ERR CONFIG-REWRITE-FORCE-ALL failed: " + std::string(status.message()));
  };
  if (ThisThreadHoldsShards()) return ReplyStatus(context.reply, rewrite(false));
  AnswerLater(session, [rewrite] { return rewrite(true); });
}

void DebugAccepted(CommandContext& context) { context.reply.Ok(); }

namespace {

void ThreeIntegers(ReplySink& reply) {
  for (int i = 0; i < 3; i++) reply.Integer(i);
}

// An attribute is no reply: it goes out of turn, before the reply it belongs to.
void AttributeReply(CommandContext& context) {
  if (context.reply.protocol() == 3) {
    SessionOf(context).PushEncoded(SharedBytes::Copy("|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n"), 0);
  }
  context.reply.Bulk("Some real reply following the attribute");
}

void PushReply(CommandContext& context) {
  if (context.reply.protocol() < 3) return context.reply.Error("ERR RESP2 is not supported by this command");
  context.reply.Push(2);
  context.reply.Bulk("server-cpu-usage");
  context.reply.Integer(42);
  context.reply.Bulk("Some real reply following the push reply");
}

}  // namespace

void DebugProtocol(CommandContext& context) {
  const std::string_view type = context.args[2];
  ReplySink& reply = context.reply;
  const auto is = [type](std::string_view name) { return EqualsIgnoreCase(type, name); };
  if (is("string")) return reply.Bulk("Hello World");
  if (is("integer")) return reply.Integer(12345);
  if (is("double")) return reply.Double(3.141);
  if (is("bignum")) return reply.BigNumber("1234567999999999999999999999999999999");
  if (is("null")) return reply.Null();
  if (is("true")) return reply.Boolean(true);
  if (is("false")) return reply.Boolean(false);
  if (is("verbatim")) return reply.Verbatim("txt", "This is a verbatim\nstring");
  if (is("attrib")) return AttributeReply(context);
  if (is("push")) return PushReply(context);
  if (is("array")) {
    reply.Array(3);
    return ThreeIntegers(reply);
  }
  if (is("set")) {
    reply.Set(3);
    return ThreeIntegers(reply);
  }
  if (is("map")) {
    reply.Map(3);
    for (int i = 0; i < 3; i++) {
      reply.Integer(i);
      reply.Boolean(i == 1);
    }
    return;
  }
  reply.Error(
      "ERR Wrong protocol type name. Please use one of the following: "
      "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
}

}  // namespace cairn
