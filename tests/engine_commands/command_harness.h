// Runs commands against a keyspace without store, log or server: locks, context, handler, and what would be logged, as text.
//
// Replies are written as one line: +OK, -ERR text, :1, "bulk", nil, nil-array, [a b] for arrays, {k v} for maps (RESP3; in RESP2 a flat
// array), ~[a b] for sets, >[...] for pushes, ,1.5 for doubles. Bytes that do not print are \xNN. One thread.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/commands/command_context.h"
#include "engine/commands/command_table.h"

namespace cairn {

class TextSink : public ReplySink {
 public:
  explicit TextSink(int protocol) : protocol_(protocol) {}

  void Simple(std::string_view text) override { Add("+" + std::string(text)); }
  void Error(std::string_view message) override {
    errors_++;
    Add("-" + std::string(message));
  }
  void Integer(int64_t value) override { Add(":" + std::to_string(value)); }
  void Bulk(std::string_view bytes) override;
  void BulkRope(const Rope& rope) override;
  void Null() override { Add("nil"); }
  void NullArray() override { Add(protocol_ == 2 ? "nil-array" : "nil"); }
  void Array(size_t elements) override { Open("[", "]", elements); }
  void Map(size_t pairs) override { Open(protocol_ == 2 ? "[" : "{", protocol_ == 2 ? "]" : "}", 2 * pairs); }
  void Set(size_t elements) override { Open(protocol_ == 2 ? "[" : "~[", "]", elements); }
  void Push(size_t elements) override { Open(protocol_ == 2 ? "[" : ">[", "]", elements); }
  void Double(double value) override { Add("," + std::to_string(value)); }
  void BigNumber(std::string_view digits) override { Add("(" + std::string(digits)); }
  void Boolean(bool value) override { Add(protocol_ == 2 ? (value ? ":1" : ":0") : (value ? "#t" : "#f")); }
  void Verbatim(std::string_view, std::string_view text) override { Bulk(text); }
  int protocol() const override { return protocol_; }
  uint64_t error_count() const override { return errors_; }

  // The whole reply; an incomplete aggregate or a second reply shows as "!".
  std::string text() const { return open_.empty() && replies_ == 1 ? text_ : text_ + "!"; }

 private:
  struct Level {
    std::string closing;
    size_t left;
  };
  void Add(const std::string& text);
  void Open(std::string_view opening, std::string_view closing, size_t elements);
  void Close();

  const int protocol_;
  uint64_t errors_ = 0;
  size_t replies_ = 0;
  std::string text_;
  std::vector<Level> open_;
};

std::string Escaped(std::string_view bytes);

class CommandHarness {
 public:
  CommandHarness();

  // Splits at spaces ("..." with \xNN, \n, \r, \\ and \" for anything else), runs, returns the reply.
  std::string Run(std::string_view line);
  std::string RunArgs(const std::vector<std::string>& args);
  static std::vector<std::string> Split(std::string_view line);

  // Of the last command: "SET k v; DEL x", and "set:k@0 expire:k@0".
  const std::string& records() const { return records_; }
  const std::string& events() const { return events_; }
  const std::vector<std::vector<std::string>>& record_args() const { return record_args_; }
  // Where the first record belongs; a SELECT among the records says it of those that follow.
  uint32_t record_database() const { return record_database_; }
  uint64_t changes() const { return changes_; }
  // The live keys of the client's database.
  std::set<std::string> Names(std::string_view pattern = "*");

  int protocol = 2;
  int64_t now_ms = 1'700'000'000'000;
  bool want_events = true;
  bool replaying = false;
  bool may_block = false;                        // a command that finds nothing answers "blocked ..."
  size_t ready_key = BlockRequest::kNotServing;  // otherwise the next one runs as if served with this key
  Client client;
  CommandTable table;
  Keyspace keyspace;

 private:
  void Execute(const CommandRow& row, const std::vector<std::string>& args, ReplySink& reply);
  void ReleaseWatches();

  std::string records_, events_;
  std::vector<std::vector<std::string>> record_args_;
  uint32_t record_database_ = 0;
  uint64_t changes_ = 0;
};

// One command of a session and what must come of it; "?" is not looked at. Events are "name:key@database", separated by spaces.
// Commands that start with '@' drive the harness: "@advance ms", "@protocol n", "@blocking 1" (what may wait does, and answers "blocked
// TYPE timeout_ms waited keys [gone] [args]"), "@ready n" (the next command runs as if served with its n-th key, from 0; where it goes on
// waiting it answers "blocked").
struct Step {
  std::string command;
  std::string reply;
  std::string record = "?";
  std::string events = "?";
};

// A session that starts with an empty keyspace.
struct Session {
  std::string name;
  std::vector<Step> steps;
};

std::vector<Session> StringSessions();
std::vector<Session> ListSessions();
std::vector<Session> BitmapSessions();
std::vector<Session> HyperLogLogSessions();
std::vector<Session> HashSessions();
std::vector<Session> KeySessions();
std::vector<Session> SetSessions();
std::vector<Session> SortSessions();
std::vector<Session> StreamSessions();
std::vector<Session> SortedSetSessions();
std::vector<Session> GeoSessions();
std::vector<Session> TransactionSessions();
std::vector<Session> CommandSessions();
std::vector<Session> AllSessions();

void RunSessions(const std::vector<Session>& sessions);

}  // namespace cairn
