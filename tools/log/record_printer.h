// Chooses and prints the records of a log: for cairn-log.
//
//   1234 2026-11-27 02:10:11.123456 UTC [0] "SET" "key" "value"
//   1270 2026-11-27 02:10:11.123456 UTC [0] | "INCR" "counter"          part of a transaction, between its MULTI and EXEC
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/commands/command_table.h"
#include "wal/log_reader.h"

namespace cairn {

struct RecordFilter {
  std::string key_pattern;            // of Redis's glob style; a record passes with one key that matches. Empty: every record
  std::vector<std::string> commands;  // names; none: every one
  std::optional<uint32_t> database;
  Lsn from_lsn = 0;
  Lsn until_lsn = UINT64_MAX;  // records that begin before it
  uint64_t from_us = 0;
  uint64_t until_us = UINT64_MAX;
};

class RecordPrinter {
 public:
  // `write` gets whole lines.
  RecordPrinter(RecordFilter filter, bool json, std::function<void(const std::string& line)> write);

  // The units of a frame, in log order. kDamaged where they do not parse.
  Status Take(const LogFrame& frame);
  // Nothing that follows can pass the filter.
  bool past_the_end() const { return past_the_end_; }
  uint64_t records() const { return records_; }
  uint64_t printed() const { return printed_; }

 private:
  struct Record {
    Lsn lsn = 0;
    Lsn end_lsn = 0;
    uint64_t wall_us = 0;
    const std::vector<std::string_view>& args;
  };
  void TakeRecord(const Record& record);
  bool Passes(const Record& record, const std::vector<std::string_view>& keys) const;
  std::vector<std::string_view> KeysOf(const Record& record) const;
  std::string Text(const Record& record) const;
  std::string Json(const Record& record, const std::vector<std::string_view>& keys) const;

  const RecordFilter filter_;
  const bool json_;
  const std::function<void(const std::string&)> write_;
  CommandTable commands_;
  std::optional<uint32_t> database_;    // unknown before the first SELECT
  std::optional<Lsn> transaction_lsn_;  // of the MULTI that is open
  bool past_the_end_ = false;
  uint64_t records_ = 0;
  uint64_t printed_ = 0;
};

}  // namespace cairn
