// What the commands that give fields of a hash an expiry share: their grammar, and how their changes are logged and told.
//
// The Read functions answer Redis's error themselves and return false where the command must end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/commands/hash_access.h"

namespace cairn {

enum class TimeUnit : uint8_t { kSeconds, kMilliseconds };
enum class TimeBase : uint8_t { kNow, kUnix };

inline constexpr std::string_view kFieldCountError = "ERR Number of fields must be a positive integer";

// args[index] as a field's deadline in Unix milliseconds: not negative, and no later than a hash can hold.
bool ReadFieldDeadline(CommandContext& context, size_t index, TimeUnit unit, TimeBase base, int64_t* deadline_ms);

// "FIELDS numfields field..." from args[index] to the end; *first becomes the first field's index. `count_error` is the text for a count
// that is not positive.
bool ReadFieldList(CommandContext& context, size_t index, std::string_view count_error, size_t* first);

// Where a command's fields stand if options may follow them: `count` fields from args[first] on, each before its value if it has one.
struct FieldBlock {
  size_t first = 0;
  size_t count = 0;  // 0: not read yet
};

// How many arguments a command's block has, and what is answered where they are not there.
struct FieldBlockRules {
  size_t args_per_field;    // 2 where each field is followed by a value
  size_t args_min;          // after FIELDS
  std::string_view none;    // for fewer arguments than args_min
  std::string_view count;   // for a numfields that is not a number from 1 to 2^31-1
  std::string_view beyond;  // for fewer fields than numfields
};

// The block whose FIELDS is args[*index], which moves to the block's last argument. A second block is refused.
bool ReadFieldBlock(CommandContext& context, size_t* index, const FieldBlockRules& rules, FieldBlock* block);

inline constexpr std::string_view kNoFieldBlockError = "ERR missing FIELDS argument";
inline std::string UnknownArgumentError(std::string_view arg) { return "ERR unknown argument: " + std::string(arg); }

// Gathers the changes of deadlines that one command makes, logs them in a form that does not depend on the clock, and sends the events.
class FieldChanges {
 public:
  FieldChanges(CommandContext& context, ValueEdit& edit) : context_(context), edit_(edit) {}

  // Of a field that is there: false where the time is past and the field was removed.
  bool SetDeadline(std::string_view name, int64_t deadline_ms);
  void Persist(std::string_view name);
  void Erase(std::string_view name);
  bool any() const { return !dated_.empty() || !persisted_.empty() || !erased_.empty(); }

  // Once, after the last change; `deadline_ms` as all SetDeadline calls had it. `log_dated` is false where the command logs what was given
  // a deadline itself.
  void Finish(int64_t deadline_ms, bool log_dated = true);

 private:
  CommandContext& context_;
  ValueEdit& edit_;
  FieldNames dated_, persisted_, erased_;
};

}  // namespace cairn
