// What the commands that give fields of a hash an expiry share: their grammar, and how their changes are logged and told.
//
// The Read functions answer Redis's error themselves and return false where the command must end.
#pragma once

#include <cstdint>
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
