#include "server/commands/client_state.h"

#include <algorithm>

#include "base/clock.h"
#include "base/numbers.h"
#include "base/resp_request.h"
#include "server/pubsub/hub.h"
#include "server/server.h"
#include "server/session.h"

namespace cairn {
namespace {

std::string FlagsOf(const Session& session) {
  std::string flags;
  if (session.is_monitor) flags += 'O';
  if (ClientTypeOf(session) == ClientType::kPubSub) flags += 'P';
  if (session.transaction.open) flags += 'x';
  if (session.blocked()) flags += 'b';
  if (session.watch != nullptr && session.watch->dirty.load(std::memory_order_relaxed)) flags += 'd';
  if (session.close_after_reply) flags += 'c';
  if (session.info.unix_socket) flags += 'U';
  if (session.no_evict) flags += 'e';
  if (session.no_touch) flags += 'T';
  return flags.empty() ? "N" : flags;
}

struct Fields {
  std::string text;
  void Add(std::string_view name, std::string_view value) {
    if (!text.empty()) text += ' ';
    text += name;
    text += '=';
    text += value;
  }
  void Add(std::string_view name, int64_t value) { Add(name, std::string_view(std::to_string(value))); }
};

}  // namespace

bool SetClientName(CommandContext& context, std::string_view name) {
  for (const char c : name) {
    if (c >= '!' && c <= '~') continue;
    context.reply.Error("ERR Client names cannot contain spaces, newlines or special characters.");
    return false;
  }
  SessionOf(context).info.name = name;
  return true;
}

void ChangeProtocol(Session& session, int protocol) {
  session.protocol = protocol;
  PubSubHub& hub = session.server().pubsub();
  for (const std::string& name : session.channels) hub.Subscribe(session.id(), protocol, ChannelKind::kChannel, name);
  for (const std::string& name : session.patterns) hub.Subscribe(session.id(), protocol, ChannelKind::kPattern, name);
  for (const std::string& name : session.shard_channels) hub.Subscribe(session.id(), protocol, ChannelKind::kShard, name);
}

ClientType ClientTypeNamed(std::string_view name) {
  if (EqualsIgnoreCase(name, "normal")) return ClientType::kNormal;
  if (EqualsIgnoreCase(name, "slave") || EqualsIgnoreCase(name, "replica")) return ClientType::kReplica;
  if (EqualsIgnoreCase(name, "pubsub")) return ClientType::kPubSub;
  if (EqualsIgnoreCase(name, "master")) return ClientType::kMaster;
  return ClientType::kUnknown;
}

ClientType ClientTypeOf(const Session& session) {
  return session.subscription_count() + session.shard_channels.size() > 0 ? ClientType::kPubSub : ClientType::kNormal;
}

std::string ClientInfoLine(Session& session, const CommandContext* running) {
  const SessionInfo& info = session.info;
  const int64_t now_ms = RealClock().MonotonicMs();
  uint64_t argument_bytes = 0, request_bytes = 0;
  if (running != nullptr) {
    request_bytes = RequestHeaderSize(running->args.size());
    for (const std::string_view arg : running->args) {
      argument_bytes += arg.size();
      request_bytes += BulkSize(arg.size());
    }
  }
  const SessionBuffers buffers = session.Buffers();
  // While a command runs its request counts as still in the buffer, as in Redis.
  const uint64_t query_bytes = std::max(buffers.query_bytes, request_bytes);
  const uint64_t query_free_bytes = buffers.query_room_bytes > query_bytes ? buffers.query_room_bytes - query_bytes : 0;
  const CommandRow* const last = running != nullptr ? &running->row : info.last_command;

  Fields fields;
  fields.Add("id", static_cast<int64_t>(session.id()));
  fields.Add("addr", info.address);
  fields.Add("laddr", info.local_address);
  fields.Add("fd", info.fd);
  fields.Add("name", info.name);
  fields.Add("age", (now_ms - info.created_ms) / 1000);
  fields.Add("idle", running != nullptr ? 0 : (now_ms - info.last_active_ms) / 1000);
  fields.Add("flags", FlagsOf(session));
  fields.Add("db", session.database);
  fields.Add("sub", static_cast<int64_t>(session.channels.size()));
  fields.Add("psub", static_cast<int64_t>(session.patterns.size()));
  fields.Add("ssub", static_cast<int64_t>(session.shard_channels.size()));
  fields.Add("multi", session.transaction.open ? static_cast<int64_t>(session.transaction.commands.size()) : -1);
  fields.Add("qbuf", static_cast<int64_t>(query_bytes));
  fields.Add("qbuf-free", static_cast<int64_t>(query_free_bytes));
  fields.Add("argv-mem", static_cast<int64_t>(argument_bytes));
  fields.Add("multi-mem", static_cast<int64_t>(buffers.transaction_bytes));
  fields.Add("rbs", 0);
  fields.Add("rbp", 0);
  fields.Add("obl", 0);
  fields.Add("oll", static_cast<int64_t>(buffers.output_segments));
  fields.Add("omem", static_cast<int64_t>(buffers.output_bytes));
  fields.Add("tot-mem", static_cast<int64_t>(buffers.total_bytes + argument_bytes));
  fields.Add("events", running == nullptr && buffers.output_bytes > 0 ? "rw" : "r");
  fields.Add("cmd", last != nullptr ? std::string_view(CommandTable::FullName(*last)) : std::string_view("NULL"));
  fields.Add("user", info.user);
  fields.Add("redir", -1);
  fields.Add("resp", session.protocol);
  fields.Add("lib-name", info.library_name);
  fields.Add("lib-ver", info.library_version);
  return fields.text;
}

}  // namespace cairn
