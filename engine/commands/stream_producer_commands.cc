#include <xxhash.h>

#include "base/bytes.h"
#include "engine/commands/stream_commands.h"
#include "engine/commands/stream_producer_support.h"
#include "engine/commands/stream_support.h"

namespace cairn::stream_commands {
namespace {

void LogMessage(CommandContext& context, const ProducerOption& option, const StreamId& id) {
  LoggedCommand command;
  command.Add("XIDMPRECORD").Add(context.args[1]).Add(option.producer()).Add(option.message_id()).Add(id);
  command.Log(context);
}

void LogWindow(CommandContext& context, const StreamProducers& producers) {
  LoggedCommand command;
  command.Add("XCFGSET").Add(context.args[1]);
  command.Add("IDMP-DURATION").Add(int64_t{producers.duration_s()}).Add("IDMP-MAXSIZE").Add(int64_t{producers.max_size()});
  command.Log(context);
}

// The stream's producers for change. Replay is told of a first window, as it may find another configuration.
StreamProducers& BeginProducers(CommandContext& context, Stream& stream) {
  const bool first = stream.producers() == nullptr && !context.scope.replaying;
  StreamProducers& producers = stream.MutableProducers();
  if (!first) return producers;
  ConfigureFirstWindow(context, &producers);
  if (producers.used()) LogWindow(context, producers);
  return producers;
}

}  // namespace

void ConfigureFirstWindow(const CommandContext& context, StreamProducers* producers) {
  const ValueLimits& limits = context.limits();
  producers->Configure(static_cast<uint32_t>(limits.stream_idmp_duration_s), static_cast<uint32_t>(limits.stream_idmp_maxsize));
}

bool ProducerOption::Is(std::string_view option) {
  return EqualsIgnoreCase(option, "idmp") || EqualsIgnoreCase(option, "idmpauto");
}

bool ProducerOption::Read(CommandContext& context, size_t* index) {
  const std::string_view option = context.args[*index];
  if (given()) {
    context.reply.Error("ERR IDMP/IDMPAUTO specified multiple times");
    return false;
  }
  automatic_ = EqualsIgnoreCase(option, "idmpauto");
  const size_t last = *index + (automatic_ ? 1 : 2);
  if (last >= context.args.size()) return context.SyntaxError(), false;
  producer_ = context.args[*index + 1];
  if (producer_.empty()) {
    context.reply.Error(automatic_ ? "ERR IDMPAUTO requires a non-empty producer ID"
                                   : "ERR IDMP requires a non-empty producer ID");
    return false;
  }
  if (!automatic_) {
    message_id_ = context.args[last];
    if (message_id_.empty()) return context.reply.Error("ERR IDMP requires a non-empty idempotent ID"), false;
  }
  *index = last;
  return true;
}

void ProducerOption::Resolve(FieldSpan fields) {
  if (!automatic_) return;
  // The sum of the fields' digests, so that their order does not matter; their number keeps a repeated one apart.
  uint64_t low = fields.size(), high = 0;
  for (size_t i = 0; i < fields.size(); i += 2) {
    const XXH64_hash_t name = XXH3_64bits(fields[i].data(), fields[i].size());
    const XXH128_hash_t field = XXH3_128bits_withSeed(fields[i + 1].data(), fields[i + 1].size(), name);
    low += field.low64;
    high += field.high64;
  }
  char bytes[16];
  StoreLittleEndian(bytes, low);
  StoreLittleEndian(bytes + 8, high);
  digest_.assign(bytes, sizeof(bytes));
}

bool AnswerKnownMessage(CommandContext& context, ValueEdit& edit, const ProducerOption& option) {
  const Stream* const stream = StreamOf(edit.entry());
  if (stream == nullptr || stream->producers() == nullptr) return false;
  if (stream->producers()->FindAny(option.producer(), option.message_id()) == nullptr) return false;
  StreamProducers& producers = edit.MutableUnwatched<Stream>().MutableProducers();
  const StreamId* const known = producers.Find(option.producer(), option.message_id(), context.now_ms());
  if (known == nullptr) return false;  // it was too old
  producers.duplicates++;
  ReplyStreamId(context.reply, *known);
  LogMessage(context, option, *known);
  return true;
}

void RememberMessage(CommandContext& context, Stream& stream, const ProducerOption& option, const StreamId& id) {
  StreamProducers& producers = BeginProducers(context, stream);
  // Forgets what is too old by the id's time, which replay knows too.
  producers.Find(option.producer(), option.message_id(), static_cast<int64_t>(id.ms));
  producers.Add(option.producer(), option.message_id(), id);
  producers.added++;
  LogMessage(context, option, id);
}

void XCfgSet(CommandContext& context) {
  int64_t duration_s = 0, max_size = 0;
  if (context.args.size() == 2) return context.reply.Error("ERR At least one parameter must be specified");
  for (size_t i = 2; i < context.args.size(); i += 2) {
    const bool duration = EqualsIgnoreCase(context.args[i], "idmp-duration");
    if (i + 1 >= context.args.size() || (!duration && !EqualsIgnoreCase(context.args[i], "idmp-maxsize")))
      return context.SyntaxError();
    int64_t* const value = duration ? &duration_s : &max_size;
    const int64_t most = duration ? kProducerDurationMaxS : kProducerSizeMax;
    if (!ReadInt(context, i + 1, value)) return;
    if (*value < 1 || *value > most) {
      return context.reply.Error(std::string(duration ? "ERR IDMP-DURATION" : "ERR IDMP-MAXSIZE") + " must be between 1 and " +
                                 std::to_string(most) + (duration ? " seconds" : " entries"));
    }
  }
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kStream)) return;
  if (edit.entry() == nullptr) return context.reply.Error("ERR no such key");
  StreamProducers& producers = BeginProducers(context, edit.Mutable<Stream>());
  producers.Configure(duration_s != 0 ? static_cast<uint32_t>(duration_s) : producers.duration_s(),
                      max_size != 0 ? static_cast<uint32_t>(max_size) : producers.max_size());
  if (context.log_decided()) LogWindow(context, producers);
  context.reply.Ok();
}

// Also how a message sent twice is counted when the log is replayed.
void XIdmpRecord(CommandContext& context) {
  const std::string_view producer = context.args[2], message_id = context.args[3];
  StreamId id;
  if (producer.empty()) return context.reply.Error("ERR IDMP requires a non-empty producer ID");
  if (message_id.empty()) return context.reply.Error("ERR IDMP requires a non-empty idempotent ID");
  if (!ReadStreamId(context, 4, &id)) return;
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kStream)) return;
  const Stream* const stream = StreamOf(edit.entry());
  if (stream == nullptr) return context.reply.Error("ERR no such key");
  const bool replaying = context.scope.replaying;
  const StreamId* const known = stream->producers() == nullptr ? nullptr : stream->producers()->FindAny(producer, message_id);
  if (known != nullptr && *known == id) {
    if (replaying) edit.Mutable<Stream>().MutableProducers().duplicates++;
    return context.reply.Ok();
  }
  if (!replaying && !stream->Contains(id)) return context.reply.Error("ERR The stream ID does not exist in the stream");
  if (!replaying && known != nullptr) return context.reply.Error("ERR The idempotent ID already maps to a different stream ID");
  StreamProducers& producers = BeginProducers(context, edit.Mutable<Stream>());
  if (context.log_decided()) context.LogAs(context.args);
  producers.Find(producer, message_id, static_cast<int64_t>(id.ms));
  if (producers.FindAny(producer, message_id) != nullptr) return context.reply.Ok();
  producers.Add(producer, message_id, id);
  producers.added++;
  context.reply.Ok();
}

}  // namespace cairn::stream_commands
