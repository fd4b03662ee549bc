#include "engine/commands/stream_support.h"

#include <algorithm>

#include "base/status.h"

namespace cairn::stream_commands {
namespace {

constexpr size_t kIdTextMaxBytes = 127;
constexpr size_t kLoggedIdsMax = 1000;  // in one command

// A number as Redis reads it in ids, which is strtoull's way: white space, a plus sign and leading zeros are allowed.
bool ParseIdNumber(std::string_view text, uint64_t* number) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n\v\f\r"), text.size()));
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return false;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return false;
    if (__builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value)) return false;
  }
  *number = value;
  return true;
}

// Without the parenthesis, which *exclusive tells.
bool ReadRangeId(CommandContext& context, size_t index, uint64_t missing_seq, StreamId* id, bool* exclusive) {
  std::string_view text = context.args[index];
  *exclusive = text.size() > 1 && text[0] == '(';
  if (*exclusive) text.remove_prefix(1);
  if (!*exclusive && text == "-") {
    *id = kStreamIdMin;
  } else if (!*exclusive && text == "+") {
    *id = kStreamIdMax;
  } else if (!ParseStreamId(text, missing_seq, id)) {
    context.reply.Error(kInvalidStreamId);
    return false;
  }
  return true;
}

}  // namespace

bool ParseStreamId(std::string_view text, uint64_t missing_seq, StreamId* id, bool* seq_given) {
  if (text.size() > kIdTextMaxBytes) return false;
  const size_t dash = text.find('-');
  StreamId parsed{0, missing_seq};
  if (!ParseIdNumber(text.substr(0, dash), &parsed.ms)) return false;
  if (seq_given != nullptr) *seq_given = true;
  if (dash != std::string_view::npos) {
    const std::string_view seq = text.substr(dash + 1);
    if (seq_given != nullptr && seq == "*") {
      *seq_given = false;
      parsed.seq = 0;
    } else if (!ParseIdNumber(seq, &parsed.seq)) {
      return false;
    }
  }
  *id = parsed;
  return true;
}

bool ReadStreamId(CommandContext& context, size_t index, StreamId* id, uint64_t missing_seq) {
  if (ParseStreamId(context.args[index], missing_seq, id)) return true;
  context.reply.Error(kInvalidStreamId);
  return false;
}

bool ReadStreamIds(CommandContext& context, size_t first, size_t end, std::vector<StreamId>* ids) {
  ids->reserve(end - first);
  for (size_t i = first; i < end; i++) {
    StreamId id;
    if (!ReadStreamId(context, i, &id)) return false;
    ids->push_back(id);
  }
  return true;
}

bool ReadRangeStart(CommandContext& context, size_t index, StreamId* start) {
  bool exclusive = false;
  if (!ReadRangeId(context, index, 0, start, &exclusive)) return false;
  if (!exclusive || start->Increment()) return true;
  context.reply.Error("ERR invalid start ID for the interval");
  return false;
}

bool ReadRangeEnd(CommandContext& context, size_t index, StreamId* end) {
  bool exclusive = false;
  if (!ReadRangeId(context, index, UINT64_MAX, end, &exclusive)) return false;
  if (!exclusive || end->Decrement()) return true;
  context.reply.Error("ERR invalid end ID for the interval");
  return false;
}

bool TakeReferences(OptionReader& options, StreamReferences* references) {
  if (options.Take("keepref")) {
    *references = StreamReferences::kKeep;
  } else if (options.Take("delref")) {
    *references = StreamReferences::kDelete;
  } else if (options.Take("acked")) {
    *references = StreamReferences::kAcked;
  } else {
    return false;
  }
  return true;
}

bool ReadIdsBlock(CommandContext& context, size_t index, size_t* end, std::vector<StreamId>* ids, const IdsBlockErrors& errors) {
  int64_t count = 0;
  if (index + 1 >= context.args.size()) return context.SyntaxError(), false;
  if (!ReadIntBetween(context, index + 1, 1, INT64_MAX, &count, errors.count)) return false;
  if (static_cast<uint64_t>(count) > context.args.size() - index - 2) {
    context.reply.Error(errors.mismatch);
    return false;
  }
  *end = index + 2 + static_cast<size_t>(count);
  ids->clear();
  return ReadStreamIds(context, index + 2, *end, ids);
}

void ReplyFields(ReplySink& reply, StreamCursor& entry) {
  const uint32_t count = entry.field_count();
  reply.Array(size_t{count} * 2);
  for (uint32_t i = 0; i < count; i++) {
    std::string_view name, value;
    entry.ReadField(&name, &value);
    reply.Bulk(name);
    reply.Bulk(value);
  }
}

void ReplyEntry(ReplySink& reply, StreamCursor& entry) {
  reply.Array(2);
  ReplyStreamId(reply, entry.id());
  ReplyFields(reply, entry);
}

void ReplyEntry(ReplySink& reply, const Stream& stream, const StreamId& id) {
  StreamCursor entry(stream, id, id);
  CAIRN_CHECK(entry.Next());
  ReplyEntry(reply, entry);
}

void ReplyEntries(ReplySink& reply, const Stream& stream, const StreamId& start, const StreamId& end, uint64_t count,
                  bool backwards) {
  reply.Array(count);
  StreamCursor entry(stream, start, end, backwards);
  for (; count > 0; count--) {
    CAIRN_CHECK(entry.Next());
    ReplyEntry(reply, entry);
  }
}

// --- what is logged ----------------------------------------------------------------------------------------------------------------

LoggedCommand& LoggedCommand::Add(const StreamId& id) {
  const StreamIdText text(id);
  args_.push_back({{}, texts_.size(), text.view().size()});
  texts_.append(text.view());
  return *this;
}

LoggedCommand& LoggedCommand::Add(int64_t number) {
  const size_t offset = texts_.size();
  AppendInt(texts_, number);
  args_.push_back({{}, offset, texts_.size() - offset});
  return *this;
}

void LoggedCommand::Log(CommandContext& context) {
  std::vector<std::string_view> args;
  args.reserve(args_.size());
  for (const Arg& arg : args_) args.push_back(arg.size == 0 ? arg.given : std::string_view(texts_).substr(arg.offset, arg.size));
  context.LogAs(args);
}

void PendingLog::Add(const PendingEntry& entry) {
  const bool same = !ids_.empty() && ids_.size() < kLoggedIdsMax && first_.delivery_ms == entry.delivery_ms &&
                    first_.delivery_count == entry.delivery_count && first_.consumer == entry.consumer;
  if (!same) {
    Flush();
    first_ = entry;
  }
  ids_.push_back(entry.id);
  any_ = true;
}

void PendingLog::Flush() {
  if (ids_.empty()) return;
  LoggedCommand command;
  command.Add("XCLAIM").Add(key_).Add(group_.name()).Add(group_.consumer(first_.consumer).name()).Add("0");
  for (const StreamId& id : ids_) command.Add(id);
  command.Add("TIME").Add(first_.delivery_ms).Add("RETRYCOUNT").Add(first_.delivery_count);
  command.Add("FORCE").Add("JUSTID").Add("LASTID").Add(group_.last_id);
  command.Log(context_);
  ids_.clear();
}

void LogGroupPosition(CommandContext& context, std::string_view key, const StreamGroup& group) {
  LoggedCommand command;
  command.Add("XGROUP").Add("SETID").Add(key).Add(group.name()).Add(group.last_id).Add("ENTRIESREAD").Add(group.entries_read);
  command.Log(context);
}

void LogAcknowledged(CommandContext& context, std::string_view key, const StreamGroup& group, const std::vector<StreamId>& ids) {
  if (ids.empty()) return;
  LoggedCommand command;
  command.Add("XACK").Add(key).Add(group.name());
  for (const StreamId& id : ids) command.Add(id);
  command.Log(context);
}

// --- groups ------------------------------------------------------------------------------------------------------------------------

ConsumerSlot TouchConsumer(CommandContext& context, const KeyRef& key, StreamGroup& group, std::string_view name, int64_t seen_ms,
                           bool* created) {
  const StreamConsumer* consumer = group.FindConsumer(name);
  if (created != nullptr) *created = consumer == nullptr;
  if (consumer == nullptr) {
    context.Event(kEventStream, "xgroup-createconsumer", key);
    return group.CreateConsumer(name, seen_ms);
  }
  const ConsumerSlot slot = consumer->slot();
  group.SetSeen(slot, seen_ms);  // may replace the consumer, whose last holder may be a snapshot then
  return slot;
}

int64_t IdleMs(const CommandContext& context, int64_t then_ms) {
  int64_t idle_ms = 0;
  if (!__builtin_sub_overflow(context.now_ms(), then_ms, &idle_ms)) return std::max<int64_t>(idle_ms, 0);
  return then_ms < 0 ? INT64_MAX : 0;
}

void UnrecognizedOption(CommandContext& context, std::string_view command, std::string_view option) {
  std::string error = "ERR Unrecognized ";
  error.append(command).append(" option '").append(option).append("'");
  context.reply.Error(error);
}

void NoGroup(CommandContext& context, std::string_view key, std::string_view group, std::string_view more) {
  std::string text = "NOGROUP No such key '";
  text.append(key).append("' or consumer group '").append(group).append("'").append(more);
  context.reply.Error(text);
}

}  // namespace cairn::stream_commands
