#include <string>

#include "engine/commands/stream_commands.h"
#include "engine/commands/stream_support.h"

namespace cairn::stream_commands {
namespace {

constexpr std::string_view kNeedsKey =
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create "
    "an "
    "empty stream automatically.";

struct GroupOptions {
  bool make_stream = false;
  int64_t entries_read = kEntriesReadUnknown;
};

bool ReadGroupOptions(CommandContext& context, bool creating, GroupOptions* parsed) {
  for (OptionReader options(context, 5); options.More();) {
    std::string_view text;
    size_t index = 0;
    if (creating && options.Take("mkstream")) {
      parsed->make_stream = true;
    } else if (options.Take("entriesread", &text, &index)) {
      if (!ReadInt(context, index, &parsed->entries_read)) return false;
      // What XSETID makes of a stream's counter may overflow a group's; the log says what came of it.
      const bool valid = parsed->entries_read >= 0 || parsed->entries_read == kEntriesReadUnknown || context.scope.replaying;
      if (!valid) {
        context.reply.Error("ERR value for ENTRIESREAD must be positive or -1");
        return false;
      }
    } else {
      context.SubcommandSyntaxError();
      return false;
    }
  }
  return true;
}

// The key must be there; of the right type.
bool ExpectStream(CommandContext& context, const ValueEdit& edit) {
  if (!context.Expect(edit, ValueType::kStream)) return false;
  if (edit.entry() != nullptr) return true;
  context.reply.Error(kNeedsKey);
  return false;
}

// The key and the group args[3].
bool ExpectGroup(CommandContext& context, const ValueEdit& edit) {
  if (!ExpectStream(context, edit)) return false;
  if (StreamOf(edit.entry())->FindGroup(context.args[3]) != nullptr) return true;
  std::string text = "NOGROUP No such consumer group '";
  text.append(context.args[3]).append("' for key name '").append(context.args[2]).append("'");
  context.reply.Error(text);
  return false;
}

// "$" is the stream's last id.
bool ReadGroupId(CommandContext& context, const Stream* stream, bool strict, StreamId* id) {
  if (context.args[4] == "$") {
    *id = stream == nullptr ? StreamId{} : stream->last_id;
    return true;
  }
  if (!strict && (context.args[4] == "-" || context.args[4] == "+")) {
    *id = context.args[4] == "-" ? kStreamIdMin : kStreamIdMax;
    return true;
  }
  return ReadStreamId(context, 4, id);
}

}  // namespace

void XGroupCreate(CommandContext& context) {
  GroupOptions options;
  if (!ReadGroupOptions(context, true, &options)) return;
  ValueEdit edit = context.Edit(context.key());
  if (options.make_stream ? !context.Expect(edit, ValueType::kStream) : !ExpectStream(context, edit)) return;
  if (context.args.size() > 8) return context.SubcommandSyntaxError();  // options said twice
  const Stream* const stream = StreamOf(edit.entry());
  StreamId id;
  if (!ReadGroupId(context, stream, true, &id)) return;
  if (stream != nullptr && stream->FindGroup(context.args[3]) != nullptr) {
    return context.reply.Error("BUSYGROUP Consumer Group name already exists");
  }
  const bool at_end = context.args[4] == "$";
  if (stream == nullptr) edit.StoreLarge(ValueType::kStream, std::make_unique<Stream>());
  edit.MutableUnwatched<Stream>().CreateGroup(context.args[3], id, options.entries_read);
  context.reply.Ok();
  context.Event(kEventStream, "xgroup-create", context.key());
  if (!at_end) return;
  LoggedCommand command;
  command.Add("XGROUP").Add("CREATE").Add(context.args[2]).Add(context.args[3]).Add(id);
  if (options.make_stream) command.Add("MKSTREAM");
  command.Add("ENTRIESREAD").Add(options.entries_read);
  command.Log(context);
}

void XGroupSetId(CommandContext& context) {
  GroupOptions options;
  if (!ReadGroupOptions(context, false, &options)) return;
  ValueEdit edit = context.Edit(context.key());
  if (!ExpectGroup(context, edit)) return;
  if (context.args.size() > 7) return context.SubcommandSyntaxError();
  StreamId id;
  if (!ReadGroupId(context, StreamOf(edit.entry()), false, &id)) return;
  StreamGroup* const group = edit.MutableUnwatched<Stream>().MutableGroup(context.args[3]);
  group->last_id = id;
  group->entries_read = options.entries_read;
  context.reply.Ok();
  context.Event(kEventStream, "xgroup-setid", context.key());
  LogGroupPosition(context, context.args[2], *group);
}

void XGroupDestroy(CommandContext& context) {
  ValueEdit edit = context.Edit(context.key());
  if (!ExpectStream(context, edit)) return;
  if (StreamOf(edit.entry())->FindGroup(context.args[3]) == nullptr) return context.reply.Integer(0);
  context.keyspace.FreeLater(edit.MutableUnwatched<Stream>().DestroyGroup(context.args[3]));
  context.reply.Integer(1);
  context.Event(kEventStream, "xgroup-destroy", context.key());
}

void XGroupCreateConsumer(CommandContext& context) {
  ValueEdit edit = context.Edit(context.key());
  if (!ExpectGroup(context, edit)) return;
  if (StreamOf(edit.entry())->FindGroup(context.args[3])->FindConsumer(context.args[4]) != nullptr) {
    return context.reply.Integer(0);
  }
  TouchConsumer(context, context.key(), *edit.MutableUnwatched<Stream>().MutableGroup(context.args[3]), context.args[4],
                context.now_ms());
  context.reply.Integer(1);
}

void XGroupDelConsumer(CommandContext& context) {
  ValueEdit edit = context.Edit(context.key());
  if (!ExpectGroup(context, edit)) return;
  const StreamConsumer* consumer = StreamOf(edit.entry())->FindGroup(context.args[3])->FindConsumer(context.args[4]);
  if (consumer == nullptr) return context.reply.Integer(0);
  const ConsumerSlot slot = consumer->slot();
  const uint64_t pending = edit.MutableUnwatched<Stream>().MutableGroup(context.args[3])->DeleteConsumer(slot);
  context.reply.Integer(static_cast<int64_t>(pending));
  context.Event(kEventStream, "xgroup-delconsumer", context.key());
}

void XAck(CommandContext& context) {
  ValueEdit edit = EditAsRead(context);
  if (!context.Expect(edit, ValueType::kStream)) return;
  const Stream* const stream = StreamOf(edit.entry());
  const StreamGroup* const before = stream == nullptr ? nullptr : stream->FindGroup(context.args[2]);
  if (before == nullptr) return context.reply.Integer(0);
  int64_t acknowledged = 0;
  if (context.args.size() == 4) {  // the usual call
    StreamId id;
    if (!ReadStreamId(context, 3, &id)) return;
    if (before->pending().Find(id) != nullptr) {
      acknowledged = edit.MutableUnwatched<Stream>().MutableGroup(context.args[2])->Acknowledge(id) ? 1 : 0;
    }
    return context.reply.Integer(acknowledged);
  }
  std::vector<StreamId> ids;
  if (!ReadStreamIds(context, 3, context.args.size(), &ids)) return;
  for (const StreamId& id : ids) {
    if (acknowledged == 0 && before->pending().Find(id) == nullptr) continue;
    acknowledged += edit.MutableUnwatched<Stream>().MutableGroup(context.args[2])->Acknowledge(id) ? 1 : 0;
  }
  context.reply.Integer(acknowledged);
}

namespace {

struct NackOptions {
  enum Mode : uint8_t { kSilent, kFail, kFatal };
  Mode mode = kSilent;
  int64_t retry_count = -1;
  bool force = false;
  std::vector<StreamId> ids;

  // The delivery count of an entry that is given back; of one that was not pending where it was -1.
  int64_t CountAfter(int64_t before) const {
    if (retry_count >= 0) return retry_count;
    if (mode == kFatal) return INT64_MAX;
    if (before < 0) return 0;
    return mode == kSilent && before > 0 ? before - 1 : before;
  }
};

bool ReadNack(CommandContext& context, NackOptions* parsed) {
  const std::string_view mode = context.args[3];
  if (EqualsIgnoreCase(mode, "silent")) {
    parsed->mode = NackOptions::kSilent;
  } else if (EqualsIgnoreCase(mode, "fail")) {
    parsed->mode = NackOptions::kFail;
  } else if (EqualsIgnoreCase(mode, "fatal")) {
    parsed->mode = NackOptions::kFatal;
  } else {
    return context.reply.Error("ERR mode must be SILENT, FAIL, or FATAL"), false;
  }
  constexpr IdsBlockErrors kIdsErrors = {"ERR numids must be a positive integer", "ERR number of IDs doesn't match numids"};
  for (size_t i = 4; i < context.args.size();) {
    OptionReader options(context, i);
    std::string_view text;
    size_t index = 0;
    if (options.Take("force")) {
      parsed->force = true;
    } else if (options.Take("retrycount", &text, &index)) {
      if (!ReadInt(context, index, &parsed->retry_count)) return false;
      if (parsed->retry_count < 0) return context.reply.Error("ERR Invalid RETRYCOUNT value, must be >= 0"), false;
    } else if (parsed->ids.empty() && EqualsIgnoreCase(options.peek(), "ids")) {
      if (!ReadIdsBlock(context, i, &i, &parsed->ids, kIdsErrors)) return false;
      continue;
    } else {
      return UnrecognizedOption(context, "XNACK", options.peek()), false;
    }
    i = options.index();
  }
  if (parsed->ids.empty()) return context.reply.Error("ERR syntax error, expected IDS keyword"), false;
  return true;
}

}  // namespace

void XNack(CommandContext& context) {
  NackOptions parsed;
  if (!ReadNack(context, &parsed)) return;
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kStream)) return;
  const Stream* const stream = StreamOf(edit.entry());
  if (stream == nullptr || stream->FindGroup(context.args[2]) == nullptr)
    return NoGroup(context, context.args[1], context.args[2]);
  int64_t released = 0;
  for (const StreamId& id : parsed.ids) {
    const PendingEntry* pending = stream->FindGroup(context.args[2])->pending().Find(id);
    if (pending == nullptr && !(parsed.force && stream->Contains(id))) continue;
    const int64_t count = parsed.CountAfter(pending ? pending->delivery_count : -1);
    edit.MutableUnwatched<Stream>().MutableGroup(context.args[2])->GiveBack(id, count);
    released++;
  }
  context.reply.Integer(released);
}

}  // namespace cairn::stream_commands
