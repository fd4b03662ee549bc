// SUBSCRIBE and its kin, PUBLISH, SPUBLISH, PUBSUB.
#include <string>
#include <vector>

#include "engine/commands/command_help.h"
#include "engine/store_core.h"
#include "server/commands/registry.h"
#include "server/pubsub/hub.h"
#include "server/server.h"
#include "server/session.h"

namespace cairn {
namespace {

int64_t CountOf(const Session& session, ChannelKind kind) {
  return static_cast<int64_t>(kind == ChannelKind::kShard ? session.shard_channels.size() : session.subscription_count());
}

// "subscribe", the channel (or nothing) and the number of subscriptions. It goes out even where replies are switched off, as messages do.
void Confirm(CommandContext& context, Session& session, std::string_view kind, const std::string_view* name, int64_t count) {
  session.silenced = false;
  context.reply.Push(3);
  context.reply.Bulk(kind);
  if (name != nullptr) {
    context.reply.Bulk(*name);
  } else {
    context.reply.Null();
  }
  context.reply.Integer(count);
}

void SubscribeAll(CommandContext& context, ChannelKind kind, std::string_view word) {
  Session& session = SessionOf(context);
  PubSubHub& hub = session.server().pubsub();
  for (size_t i = 1; i < context.args.size(); i++) {
    const std::string_view name = context.args[i];
    if (NamesOf(session, kind).emplace(name).second) hub.Subscribe(session.id(), session.protocol, kind, name);
    Confirm(context, session, word, &name, CountOf(session, kind));
  }
}

void UnsubscribeOne(CommandContext& context, Session& session, ChannelKind kind, std::string_view word, std::string_view name) {
  if (NamesOf(session, kind).erase(std::string(name)) > 0) session.server().pubsub().Unsubscribe(session.id(), kind, name);
  Confirm(context, session, word, &name, CountOf(session, kind));
}

void UnsubscribeAll(CommandContext& context, ChannelKind kind, std::string_view word) {
  Session& session = SessionOf(context);
  if (HearsFirst(context, session)) return;
  if (context.args.size() > 1) {
    for (const std::string_view name : context.args.subspan(1)) UnsubscribeOne(context, session, kind, word, name);
    return;
  }
  const std::vector<std::string> names(NamesOf(session, kind).begin(), NamesOf(session, kind).end());
  for (const std::string& name : names) UnsubscribeOne(context, session, kind, word, name);
  if (names.empty()) Confirm(context, session, word, nullptr, CountOf(session, kind));
}

void Subscribe(CommandContext& context) { SubscribeAll(context, ChannelKind::kChannel, "subscribe"); }
void PSubscribe(CommandContext& context) { SubscribeAll(context, ChannelKind::kPattern, "psubscribe"); }
void SSubscribe(CommandContext& context) {
  // In a transaction a command has one reply, and this has one a channel. SUBSCRIBE and PSUBSCRIBE are let through, as ever.
  if (ThisThreadHoldsShards()) return context.reply.Error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
  SubscribeAll(context, ChannelKind::kShard, "ssubscribe");
}
void Unsubscribe(CommandContext& context) { UnsubscribeAll(context, ChannelKind::kChannel, "unsubscribe"); }
void PUnsubscribe(CommandContext& context) { UnsubscribeAll(context, ChannelKind::kPattern, "punsubscribe"); }
void SUnsubscribe(CommandContext& context) { UnsubscribeAll(context, ChannelKind::kShard, "sunsubscribe"); }

void Publish(CommandContext& context, bool shard_channel) {
  PubSubHub& hub = SessionOf(context).server().pubsub();
  context.reply.Integer(static_cast<int64_t>(hub.PublishLater(context.args[1], context.args[2], shard_channel)));
}
void PublishCommand(CommandContext& context) { Publish(context, false); }
void SPublishCommand(CommandContext& context) { Publish(context, true); }

// --- PUBSUB --------------------------------------------------------------------------------------------------------------------

void Channels(CommandContext& context, ChannelKind kind) {
  if (context.args.size() > 3) return context.SubcommandSyntaxError();
  const std::string_view pattern = context.args.size() == 3 ? context.args[2] : std::string_view("*");
  const std::vector<std::string> names = SessionOf(context).server().pubsub().ActiveChannels(kind, pattern);
  context.reply.Array(names.size());
  for (const std::string& name : names) context.reply.Bulk(name);
}
void PubSubChannels(CommandContext& context) { Channels(context, ChannelKind::kChannel); }
void PubSubShardChannels(CommandContext& context) { Channels(context, ChannelKind::kShard); }

void Subscribers(CommandContext& context, ChannelKind kind) {
  const PubSubHub& hub = SessionOf(context).server().pubsub();
  context.reply.Array((context.args.size() - 2) * 2);
  for (const std::string_view name : context.args.subspan(2)) {
    context.reply.Bulk(name);
    context.reply.Integer(static_cast<int64_t>(hub.SubscriberCount(kind, name)));
  }
}
void PubSubNumSub(CommandContext& context) { Subscribers(context, ChannelKind::kChannel); }
void PubSubShardNumSub(CommandContext& context) { Subscribers(context, ChannelKind::kShard); }

void PubSubNumPat(CommandContext& context) {
  context.reply.Integer(static_cast<int64_t>(SessionOf(context).server().pubsub().pattern_count()));
}

constexpr uint32_t kAsk = kPubSub | kLoading | kStale;
constexpr uint32_t kListen = kPubSub | kNoScript | kLoading | kStale;

constexpr CommandRow kPubSubRows[] = {
    {.name = "channels",
     .arity = -2,
     .flags = kAsk,
     .handler = PubSubChannels,
     .summary = "Lists the channels that have subscribers.",
     .since = "2.8.0",
     .group = "pubsub",
     .complexity = "O(N) for N active channels",
     .syntax = "[pattern]"},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ReplyHelp,
     .summary = "Lists the subcommands.",
     .since = "6.2.0",
     .group = "pubsub",
     .complexity = "O(1)"},
    {.name = "numpat",
     .arity = 2,
     .flags = kAsk,
     .handler = PubSubNumPat,
     .summary = "Counts the distinct patterns subscribed to.",
     .since = "2.8.0",
     .group = "pubsub",
     .complexity = "O(1)"},
    {.name = "numsub",
     .arity = -2,
     .flags = kAsk,
     .handler = PubSubNumSub,
     .summary = "Counts the subscribers of channels, not those of patterns.",
     .since = "2.8.0",
     .group = "pubsub",
     .complexity = "O(N) for N channels",
     .syntax = "[channel [channel ...]]"},
    {.name = "shardchannels",
     .arity = -2,
     .flags = kAsk,
     .handler = PubSubShardChannels,
     .summary = "Lists the shard channels that have subscribers.",
     .since = "7.0.0",
     .group = "pubsub",
     .complexity = "O(N) for N active shard channels",
     .syntax = "[pattern]"},
    {.name = "shardnumsub",
     .arity = -2,
     .flags = kAsk,
     .handler = PubSubShardNumSub,
     .summary = "Counts the subscribers of shard channels.",
     .since = "7.0.0",
     .group = "pubsub",
     .complexity = "O(N) for N channels",
     .syntax = "[shardchannel [shardchannel ...]]"},
};

// Not keys, but of a slot all the same: clients of a cluster send them there.
constexpr KeySpec kShardChannel[] = {{1, 1, 1, kNotKey}};
constexpr KeySpec kShardChannels[] = {{1, -1, 1, kNotKey}};

constexpr CommandRow kRows[] = {
    {.name = "subscribe",
     .arity = -2,
     .flags = kListen,
     .handler = Subscribe,
     .summary = "Listens to channels.",
     .since = "2.0.0",
     .group = "pubsub",
     .complexity = "O(N) for N channels",
     .syntax = "channel [channel ...]"},
    {.name = "unsubscribe",
     .arity = -1,
     .flags = kListen,
     .handler = Unsubscribe,
     .summary = "Stops listening to channels, or to all.",
     .since = "2.0.0",
     .group = "pubsub",
     .complexity = "O(N) for N channels",
     .syntax = "[channel [channel ...]]"},
    {.name = "psubscribe",
     .arity = -2,
     .flags = kListen,
     .handler = PSubscribe,
     .summary = "Listens to channels that match patterns.",
     .since = "2.0.0",
     .group = "pubsub",
     .complexity = "O(N) for N patterns",
     .syntax = "pattern [pattern ...]"},
    {.name = "punsubscribe",
     .arity = -1,
     .flags = kListen,
     .handler = PUnsubscribe,
     .summary = "Stops listening to patterns, or to all of them.",
     .since = "2.0.0",
     .group = "pubsub",
     .complexity = "O(N) for N patterns",
     .syntax = "[pattern [pattern ...]]"},
    {.name = "ssubscribe",
     .arity = -2,
     .flags = kListen,
     .handler = SSubscribe,
     .summary = "Listens to shard channels.",
     .since = "7.0.0",
     .group = "pubsub",
     .complexity = "O(N) for N shard channels",
     .syntax = "shardchannel [shardchannel ...]",
     .key_specs = kShardChannels},
    {.name = "sunsubscribe",
     .arity = -1,
     .flags = kListen,
     .handler = SUnsubscribe,
     .summary = "Stops listening to shard channels, or to all of them.",
     .since = "7.0.0",
     .group = "pubsub",
     .complexity = "O(N) for N shard channels",
     .syntax = "[shardchannel [shardchannel ...]]",
     .key_specs = kShardChannels},
    {.name = "publish",
     .arity = 3,
     .flags = kPubSub | kLoading | kStale | kFast | kMayReplicate,
     .handler = PublishCommand,
     .summary = "Sends a message to a channel.",
     .since = "2.0.0",
     .group = "pubsub",
     .complexity = "O(N+M) for N subscribers and M patterns",
     .syntax = "channel message"},
    {.name = "spublish",
     .arity = 3,
     .flags = kPubSub | kLoading | kStale | kFast | kMayReplicate,
     .handler = SPublishCommand,
     .summary = "Sends a message to a shard channel.",
     .since = "7.0.0",
     .group = "pubsub",
     .complexity = "O(N) for N subscribers",
     .syntax = "shardchannel message",
     .key_specs = kShardChannel},
    {.name = "pubsub",
     .arity = -2,
     .flags = 0,
     .summary = "Publish and subscribe.",
     .since = "2.8.0",
     .group = "pubsub",
     .complexity = "Depends on subcommand.",
     .subcommands = kPubSubRows},
};

}  // namespace

void RegisterPubSubCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
