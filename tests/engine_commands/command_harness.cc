#include "tests/engine_commands/command_harness.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

#include "base/numbers.h"
#include "engine/values/rope.h"

namespace cairn {
namespace {

int HexDigit(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

// The commands in a unit's bytes; a damaged unit ends with the command "<damaged>".
std::vector<std::vector<std::string>> DecodeRecords(std::string_view bytes) {
  std::vector<std::vector<std::string>> records;
  while (!bytes.empty()) {
    auto& record = records.emplace_back();
    size_t end = bytes.find("\r\n");
    int64_t count = 0;
    bool damaged = bytes[0] != '*' || !ParseInt64(bytes.substr(1, end - 1), &count);
    bytes.remove_prefix(end + 2);
    for (int64_t i = 0; i < count && !damaged; i++) {
      end = bytes.find("\r\n");
      int64_t size = 0;
      damaged = bytes[0] != '$' || !ParseInt64(bytes.substr(1, end - 1), &size);
      if (damaged) break;
      record.emplace_back(bytes.substr(end + 2, static_cast<size_t>(size)));
      bytes.remove_prefix(end + 2 + static_cast<size_t>(size) + 2);
    }
    if (!damaged) continue;
    record = {"<damaged>"};
    break;
  }
  return records;
}

std::string Join(const std::vector<std::vector<std::string>>& records) {
  std::string text;
  for (const auto& record : records) {
    if (!text.empty()) text += "; ";
    for (size_t i = 0; i < record.size(); i++) text += (i > 0 ? " " : "") + Escaped(record[i]);
  }
  return text;
}

// What a command that waits answers here.
std::string Describe(const BlockRequest& block) {
  std::string text = "blocked";
  if (block.ready_key != BlockRequest::kNotServing) return text;
  const BlockOptions& options = block.options;
  text += " " + std::string(TypeName(options.wanted)) + " " + std::to_string(options.timeout_ms) + " " +
          std::to_string(options.waited_keys) + (options.wake_on_gone ? " gone" : "");
  for (const std::string& arg : block.args) text += " " + arg;
  return text;
}

}  // namespace

std::string Escaped(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c >= ' ' && c < 0x7F && c != '\\') {
      text += c;
    } else {
      constexpr std::string_view kDigits = "0123456789abcdef";
      text += "\\x";
      text += kDigits[static_cast<uint8_t>(c) >> 4];
      text += kDigits[static_cast<uint8_t>(c) & 15];
    }
  }
  return text;
}

void TextSink::Bulk(std::string_view bytes) { Add("\"" + Escaped(bytes) + "\""); }

void TextSink::BulkRope(const Rope& rope) {
  std::string bytes;
  rope.CopyTo(0, rope.size(), &bytes);
  Bulk(bytes);
}

void TextSink::Add(const std::string& text) {
  if (!text_.empty() && !text_.ends_with("[") && !text_.ends_with("{")) text_ += " ";
  text_ += text;
  Close();
}

void TextSink::Open(std::string_view opening, std::string_view closing, size_t elements) {
  if (!text_.empty() && !text_.ends_with("[") && !text_.ends_with("{")) text_ += " ";
  text_ += opening;
  open_.push_back({std::string(closing), elements + 1});
  Close();
}

// One element is complete; so may be the aggregates around it.
void TextSink::Close() {
  while (!open_.empty()) {
    if (--open_.back().left > 0) return;
    text_ += open_.back().closing;
    open_.pop_back();
  }
  replies_++;
}

CommandHarness::CommandHarness() : keyspace(KeyspaceOptions{}) { RegisterEngineCommands(table); }

std::vector<std::string> CommandHarness::Split(std::string_view line) {
  std::vector<std::string> args;
  for (size_t i = 0; i < line.size();) {
    if (line[i] == ' ') {
      i++;
      continue;
    }
    std::string& arg = args.emplace_back();
    const bool quoted = line[i] == '"';
    for (i += quoted ? 1 : 0; i < line.size() && line[i] != (quoted ? '"' : ' '); i++) {
      if (!quoted || line[i] != '\\') {
        arg += line[i];
      } else if (line[++i] == 'x') {
        arg += static_cast<char>(HexDigit(line[i + 1]) * 16 + HexDigit(line[i + 2]));
        i += 2;
      } else {
        arg += line[i] == 'n' ? '\n' : line[i] == 'r' ? '\r' : line[i];
      }
    }
    i += quoted ? 1 : 0;
  }
  return args;
}

std::string CommandHarness::Run(std::string_view line) { return RunArgs(Split(line)); }

std::string CommandHarness::RunArgs(const std::vector<std::string>& args) {
  TextSink sink(protocol);
  records_.clear();
  record_args_.clear();
  events_.clear();
  changes_ = 0;
  const std::vector<std::string_view> views(args.begin(), args.end());
  const CommandRow* row = table.Find(views);
  const Status checked = CommandTable::CheckCall(row, views);
  if (checked.ok()) {
    Execute(*row, args, sink);
  } else {
    sink.Error(checked.message());
  }
  return sink.text();
}

void CommandHarness::Execute(const CommandRow& row, const std::vector<std::string>& args, ReplySink& reply) {
  const std::vector<std::string_view> views(args.begin(), args.end());
  std::vector<int> indexes;
  const Status found = CommandTable::KeyIndexes(row, views, &indexes);
  if (!found.ok()) return reply.Error(found.message());
  std::vector<KeyRef> keys;
  ChangeScope scope;
  scope.now_ms = now_ms;
  scope.replaying = replaying;
  scope.wanted_events = want_events ? ~0u : 0;
  for (const int index : indexes) {
    keys.push_back(KeyRef::Of(views[static_cast<size_t>(index)]));
    scope.locked_shards.set(keys.back().shard());
  }
  if (row.NeedsAllShards(views)) scope.locked_shards.set();
  // Large arguments come in buffers of their own, as from the network.
  std::vector<SharedBytes> owners(args.size());
  for (size_t i = 0; i < args.size(); i++) {
    if (args[i].size() > kInlineValueMaxBytes) owners[i] = SharedBytes::Copy(args[i]);
  }
  const uint32_t database = client.database;
  keyspace.LockShards(scope.locked_shards);
  BlockRequest block;
  block.ready_key = std::exchange(ready_key, BlockRequest::kNotServing);
  const bool waits = row.has(kBlocking) && (may_block || block.ready_key != BlockRequest::kNotServing);
  CommandContext context(row, views, owners, keys, client, keyspace, scope, table, reply, {waits ? &block : nullptr, nullptr});
  row.handler(context);
  if (block.asked) reply.Simple(Describe(block));
  const bool changed = scope.changes() > context.expired_changes();
  if (changed && !context.log_decided() && row.has(kWrite) && !row.has(kNotLogged)) scope.Record(database, views, owners);
  keyspace.UnlockShards(scope.locked_shards);
  changes_ = scope.changes();
  std::string bytes;
  for (const UnitPiece& piece : scope.pieces()) {
    bytes += piece.shared.size() > 0 ? piece.shared.view() : scope.buffer().substr(piece.begin, piece.end - piece.begin);
  }
  record_args_ = DecodeRecords(bytes);
  record_database_ = scope.first_database();
  records_ = Join(record_args_);
  for (const KeyspaceEvent& event : scope.events()) {
    events_ += (events_.empty() ? "" : " ") + std::string(event.name) + ":" + event.key + "@" + std::to_string(event.database);
  }
  if ((row.name == "unwatch" || row.name == "discard") && reply.error_count() == 0) ReleaseWatches();
}

std::set<std::string> CommandHarness::Names(std::string_view pattern) {
  const std::string reply = RunArgs({"KEYS", std::string(pattern)});
  const std::vector<std::string> names = Split(std::string_view(reply).substr(1, reply.size() - 2));
  return {names.begin(), names.end()};
}

void CommandHarness::ReleaseWatches() {
  const std::shared_ptr<WatchState> watch = std::move(client.watch);
  client.watch.reset();
  if (watch == nullptr) return;
  for (const WatchState::Key& watched : watch->keys) {
    const KeyRef key = KeyRef::Of(watched.name);
    ShardSet shards;
    shards.set(key.shard());
    keyspace.LockShards(shards);
    keyspace.Unwatch(watch, watched.database, key);
    keyspace.UnlockShards(shards);
  }
}

void RunSessions(const std::vector<Session>& sessions) {
  for (const Session& session : sessions) {
    CommandHarness harness;
    for (const Step& step : session.steps) {
      SCOPED_TRACE(session.name + ": " + step.command);
      if (step.command.starts_with("@advance ")) {
        harness.now_ms += std::atoll(step.command.c_str() + 9);
        continue;
      }
      if (step.command.starts_with("@protocol ")) {
        harness.protocol = std::atoi(step.command.c_str() + 10);
        continue;
      }
      if (step.command.starts_with("@blocking ")) {
        harness.may_block = step.command.ends_with("1");
        continue;
      }
      if (step.command.starts_with("@ready ")) {
        harness.ready_key = static_cast<size_t>(std::atoi(step.command.c_str() + 7));
        continue;
      }
      const std::string reply = harness.Run(step.command);
      if (step.reply != "?") EXPECT_EQ(reply, step.reply);
      if (step.record != "?") EXPECT_EQ(harness.records(), step.record);
      if (step.events != "?") EXPECT_EQ(harness.events(), step.events);
    }
  }
}

std::vector<Session> AllSessions() {
  std::vector<Session> all;
  for (auto sessions : {StringSessions(), BitmapSessions(), HyperLogLogSessions(), ListSessions(), HashSessions(), SetSessions(),
                        SortedSetSessions(), StreamSessions(), KeySessions(), GeoSessions(), SortSessions(),
                        TransactionSessions(), CommandSessions()}) {
    all.insert(all.end(), sessions.begin(), sessions.end());
  }
  return all;
}

}  // namespace cairn
