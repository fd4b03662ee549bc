#include <algorithm>
#include <memory>
#include <optional>

#include "base/status.h"
#include "engine/commands/apart.h"
#include "engine/commands/stream_commands.h"
#include "engine/commands/stream_producer_support.h"
#include "engine/commands/stream_support.h"

namespace cairn::stream_commands {
namespace {

// What XADD and XTRIM share of their arguments.
struct AddOrTrim {
  enum Strategy : uint8_t { kNone, kMaxLen, kMinId };
  Strategy strategy = kNone;
  StreamTrim trim;
  bool limit_given = false;
  // XADD alone:
  bool create = true;
  bool id_given = false, seq_given = false;  // otherwise "*", or "ms-*"
  StreamId id;
  size_t first_field = 0;
  ProducerOption producer;
};

// MAXLEN or MINID with its operator and threshold.
bool ReadStrategy(CommandContext& context, AddOrTrim::Strategy strategy, size_t* index, AddOrTrim* parsed) {
  if (parsed->strategy != AddOrTrim::kNone) {
    context.reply.Error("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
    return false;
  }
  const std::string_view next = context.args[*index + 1];
  const bool has_operator = *index + 2 < context.args.size() && (next == "~" || next == "=");
  parsed->trim.whole_blocks = has_operator && next == "~";
  *index += has_operator ? 2 : 1;
  parsed->strategy = strategy;
  parsed->trim.by_id = strategy == AddOrTrim::kMinId;
  if (parsed->trim.by_id) return ReadStreamId(context, *index, &parsed->trim.min_id);
  int64_t length = 0;
  if (!ReadInt(context, *index, &length)) return false;
  if (length < 0) {
    context.reply.Error("ERR The MAXLEN argument must be >= 0.");
    return false;
  }
  parsed->trim.max_length = static_cast<uint64_t>(length);
  return true;
}

bool ReadLimit(CommandContext& context, size_t index, AddOrTrim* parsed) {
  int64_t limit = 0;
  if (!ReadInt(context, index, &limit)) return false;
  if (limit < 0) {
    context.reply.Error("ERR The LIMIT argument must be >= 0.");
    return false;
  }
  parsed->limit_given = true;
  parsed->trim.limit = static_cast<uint64_t>(limit);
  return true;
}

// What the options say together; without a LIMIT '~' gets Redis's.
bool CheckOptions(CommandContext& context, bool add, AddOrTrim* parsed) {
  if (parsed->trim.limit != 0 && parsed->strategy == AddOrTrim::kNone) {
    context.reply.Error("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
    return false;
  }
  if (!add && parsed->strategy == AddOrTrim::kNone) {
    context.reply.Error("ERR syntax error, XTRIM must be called with a trimming strategy");
    return false;
  }
  if (context.scope.replaying) {
    parsed->trim.limit = 0;
    return true;
  }
  if (parsed->limit_given && !parsed->trim.whole_blocks) {
    context.reply.Error("ERR syntax error, LIMIT cannot be used without the special ~ option");
    return false;
  }
  if (!parsed->limit_given && parsed->trim.whole_blocks) {
    const int64_t entries = context.limits().stream_node_max_entries;
    constexpr int64_t kBlocks = 100, kDefault = 10'000, kMost = 1'000'000;
    parsed->trim.limit = entries <= 0 ? kDefault : static_cast<uint64_t>(std::min(kMost, std::min(entries, kMost) * kBlocks));
  }
  return true;
}

bool ReadAddId(CommandContext& context, size_t index, AddOrTrim* parsed) {
  parsed->first_field = index + 1;
  if (context.args[index] == "*") return true;
  if (!ParseStreamId(context.args[index], 0, &parsed->id, &parsed->seq_given)) {
    context.reply.Error(kInvalidStreamId);
    return false;
  }
  parsed->id_given = true;
  return true;
}

// All arguments before the fields.
bool ReadOptions(CommandContext& context, bool add, AddOrTrim* parsed) {
  size_t i = 2;
  for (; i < context.args.size(); i++) {
    const std::string_view option = context.args[i];
    const bool more = i + 1 < context.args.size();
    if (add && option == "*") break;
    OptionReader options(context, i);
    if (more && EqualsIgnoreCase(option, "maxlen")) {
      if (!ReadStrategy(context, AddOrTrim::kMaxLen, &i, parsed)) return false;
    } else if (more && EqualsIgnoreCase(option, "minid")) {
      if (!ReadStrategy(context, AddOrTrim::kMinId, &i, parsed)) return false;
    } else if (more && EqualsIgnoreCase(option, "limit")) {
      if (!ReadLimit(context, ++i, parsed)) return false;
    } else if (add && EqualsIgnoreCase(option, "nomkstream")) {
      parsed->create = false;
    } else if (TakeReferences(options, &parsed->trim.references)) {
      continue;
    } else if (add && more && ProducerOption::Is(option)) {
      if (!parsed->producer.Read(context, &i)) return false;
    } else if (add) {
      break;
    } else {
      context.SyntaxError();
      return false;
    }
  }
  if (add && i < context.args.size() && !ReadAddId(context, i, parsed)) return false;
  return CheckOptions(context, add, parsed);
}

// The arguments that are logged: few enough, nearly always, to need no allocation.
class LoggedArgs {
 public:
  explicit LoggedArgs(size_t most)
      : heap_(most > kInline ? new std::string_view[most] : nullptr), args_(heap_ ? heap_.get() : inline_) {}

  void Add(std::string_view arg) { args_[size_++] = arg; }
  // Arguments of the command itself, with their shared buffers.
  void AddRest(const CommandContext& context, size_t first) {
    for (size_t i = first; i < context.args.size(); i++) {
      if (i < context.owners().size() && context.owners()[i].size() > 0) {
        owners_.resize(size_ + 1);
        owners_.back() = context.owners()[i];
      }
      Add(context.args[i]);
    }
    if (!owners_.empty()) owners_.resize(size_);
  }
  void Log(CommandContext& context) { context.LogAs(std::span<const std::string_view>(args_, size_), owners_); }

 private:
  static constexpr size_t kInline = 16;
  std::string_view inline_[kInline];
  const std::unique_ptr<std::string_view[]> heap_;
  std::string_view* const args_;
  std::vector<SharedBytes> owners_;  // empty, or as many as args_
  size_t size_ = 0;
};

constexpr size_t kTrimArgs = 4;

// What a trim did, as the exact trim that does the same: at most kTrimArgs arguments.
struct TrimRecord {
  TrimRecord(const AddOrTrim& parsed, const Stream& stream, const StreamId& last_removed) {
    if (parsed.trim.references == StreamReferences::kAcked) {
      // What stays among the old depends on the groups, not on how many there are: all that could go up to the last one went.
      StreamId behind = last_removed;
      by_id = true;
      threshold_end = WriteStreamId(threshold, behind.Increment() ? behind : kStreamIdMax);
      references = "ACKED";
      return;
    }
    by_id = parsed.trim.by_id;
    threshold_end = by_id ? WriteStreamId(threshold, parsed.trim.whole_blocks ? stream.FirstIdOfBlocks() : parsed.trim.min_id)
                          : WriteUint(threshold, stream.length());
    if (parsed.trim.references == StreamReferences::kDelete) references = "DELREF";
  }
  void AddTo(LoggedArgs* args) const {
    args->Add(by_id ? "MINID" : "MAXLEN");
    args->Add("=");
    args->Add({threshold, static_cast<size_t>(threshold_end - threshold)});
    if (!references.empty()) args->Add(references);
  }

  bool by_id = false;
  std::string_view references;
  char threshold[kStreamIdTextMaxBytes];
  char* threshold_end = threshold;
};

// The id of a new entry, or false where there is none above the last; answers the error then.
bool ChooseId(CommandContext& context, const AddOrTrim& parsed, const StreamId& last, StreamId* id) {
  if (last == kStreamIdMax) {
    context.reply.Error("ERR The stream has exhausted the last possible ID, unable to add more items");
    return false;
  }
  bool exists = true;
  if (!parsed.id_given) {
    const auto now_ms = static_cast<uint64_t>(context.now_ms());
    *id = now_ms > last.ms ? StreamId{now_ms, 0} : last;
    if (now_ms <= last.ms) id->Increment();
  } else {
    *id = parsed.id;
    if (!parsed.seq_given && parsed.id.ms == last.ms) {
      id->seq = last.seq + 1;
      exists = id->seq != 0;
    }
  }
  if (exists && *id > last) return true;
  context.reply.Error("ERR The ID specified in XADD is equal or smaller than the target stream top item");
  return false;
}

bool CheckFields(CommandContext& context, const AddOrTrim& parsed) {
  const size_t count = context.args.size() - std::min(context.args.size(), parsed.first_field);
  if (parsed.first_field == 0 || count < 2 || count % 2 != 0) {
    context.WrongArity();
    return false;
  }
  if (parsed.producer.given() && parsed.id_given) {
    context.reply.Error("ERR IDMP/IDMPAUTO can be used only with auto-generated IDs");
    return false;
  }
  if (parsed.id_given && parsed.seq_given && parsed.id.zero()) {
    context.reply.Error("ERR The ID specified in XADD must be greater than 0-0");
    return false;
  }
  return true;
}

void LogAdd(CommandContext& context, const AddOrTrim& parsed, std::string_view id, const TrimRecord* trim) {
  LoggedArgs logged(kTrimArgs + 3 + context.args.size() - parsed.first_field);
  logged.Add("XADD");
  logged.Add(context.args[1]);
  const bool trim_apart = trim != nullptr && parsed.trim.references == StreamReferences::kAcked;
  if (trim != nullptr && !trim_apart) trim->AddTo(&logged);
  logged.Add(id);
  logged.AddRest(context, parsed.first_field);
  logged.Log(context);
  if (!trim_apart) return;
  LoggedArgs trimmed(kTrimArgs + 2);
  trimmed.Add("XTRIM");
  trimmed.Add(context.args[1]);
  trim->AddTo(&trimmed);
  trimmed.Log(context);
}

// A trim of many entries, which leaves the groups alone, on a share of the stream: groups go on being read meanwhile.
class TrimWork final : public ApartWork {
 public:
  TrimWork(const Stream& stream, const StreamTrim& trim) : before_(ShareOf(stream)), trim_(trim) {}

  void Run() override {
    trimmed_ = ShareOf(*before_);
    removed_ = trimmed_->Trim(trim_, &last_removed_);
  }

  bool Fits(const Stream& stream) const { return before_ != nullptr && stream.SharesEntriesWith(*before_); }
  uint64_t PutInto(Stream& stream, StreamId* last_removed) {
    before_.reset();
    stream.SwapEntries(*trimmed_);
    *last_removed = last_removed_;
    return removed_;
  }

 private:
  std::unique_ptr<Stream> before_;
  const StreamTrim trim_;
  std::unique_ptr<Stream> trimmed_;  // once put into the stream, what that was
  uint64_t removed_ = 0;
  StreamId last_removed_;
};

// Without groups there are no references: such a trim takes whole blocks, and can be made apart.
void IgnoreReferencesWithoutGroups(const Stream& stream, StreamTrim* trim) {
  if (stream.groups().empty()) trim->references = StreamReferences::kKeep;
}

// False: the command ends here and is run again.
bool TrimWhole(CommandContext& context, ValueEdit& edit, const StreamTrim& trim, uint64_t* removed, StreamId* last_removed) {
  const Stream& before = *StreamOf(edit.entry());
  if (trim.references == StreamReferences::kKeep && before.MostTrimmed(trim) > kNearElements) {
    TrimWork* work = nullptr;
    const Apart apart = FindApart(
        context, before, [&] { return std::make_shared<TrimWork>(before, trim); }, &work);
    if (apart == Apart::kDone) *removed = work->PutInto(edit.Mutable<Stream>(), last_removed);
    if (apart != Apart::kHere) return apart == Apart::kDone;
  }
  *removed = edit.MutableUnwatched<Stream>().Trim(trim, last_removed);
  if (*removed > 0) edit.Mutable<Stream>();
  return true;
}

}  // namespace

void XAdd(CommandContext& context) {
  AddOrTrim parsed;
  if (!ReadOptions(context, true, &parsed) || !CheckFields(context, parsed)) return;
  const FieldSpan fields = context.args.subspan(parsed.first_field);
  uint64_t bytes = 0;
  for (const std::string_view text : fields) bytes += text.size();
  const KeyRef& key = context.key();
  ValueEdit edit = context.Edit(key);
  if (!context.Expect(edit, ValueType::kStream)) return;
  if (edit.entry() == nullptr && !parsed.create) return context.reply.Null();
  if (parsed.producer.given()) {
    parsed.producer.Resolve(fields);
    if (AnswerKnownMessage(context, edit, parsed.producer)) return;
  }
  StreamId id;
  if (!ChooseId(context, parsed, edit.entry() == nullptr ? StreamId{} : StreamOf(edit.entry())->last_id, &id)) return;
  if (bytes > kStreamBlockMaxBytes) return context.reply.Error("ERR Elements are too large to be stored");
  if (edit.entry() == nullptr) edit.StoreLarge(ValueType::kStream, std::make_unique<Stream>());
  auto& stream = edit.Mutable<Stream>();
  stream.Append(id, fields, context.limits());
  const StreamIdText id_text(id);
  context.reply.Bulk(id_text.view());
  context.Event(kEventStream, "xadd", key);
  std::optional<TrimRecord> trim;
  StreamId last_removed;
  IgnoreReferencesWithoutGroups(stream, &parsed.trim);
  if (parsed.strategy != AddOrTrim::kNone && stream.Trim(parsed.trim, &last_removed) > 0) {
    context.Event(kEventStream, "xtrim", key);
    trim.emplace(parsed, stream, last_removed);
  }
  LogAdd(context, parsed, id_text.view(), trim.has_value() ? &*trim : nullptr);
  if (parsed.producer.given()) RememberMessage(context, stream, parsed.producer, id);
}

void XTrim(CommandContext& context) {
  AddOrTrim parsed;
  if (!ReadOptions(context, false, &parsed)) return;
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kStream)) return;
  const Stream* const before = StreamOf(edit.entry());
  // Most trims find nothing to do; the value is not touched for that.
  if (before == nullptr || !before->WouldTrim(parsed.trim)) return context.reply.Integer(0);
  IgnoreReferencesWithoutGroups(*before, &parsed.trim);
  StreamId last_removed;
  uint64_t removed = 0;
  if (!TrimWhole(context, edit, parsed.trim, &removed, &last_removed)) return;
  context.reply.Integer(static_cast<int64_t>(removed));
  if (removed == 0) return context.LogNothing();
  context.Event(kEventStream, "xtrim", context.key());
  LoggedArgs logged(kTrimArgs + 2);
  logged.Add("XTRIM");
  logged.Add(context.args[1]);
  const TrimRecord record(parsed, *StreamOf(edit.entry()), last_removed);
  record.AddTo(&logged);
  logged.Log(context);
}

}  // namespace cairn::stream_commands
