// Reading arguments, said once for all families: integers and ranges, an option loop, timeouts, and the expiry options that SET,
// GETEX and MSETEX share.
//
// Every Read function answers Redis's error itself and returns false where the command must end. Views that are handed out live as
// long as the context's arguments. Used on the executing thread only.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/numbers.h"
#include "engine/commands/command_context.h"

namespace cairn {

inline constexpr std::string_view kNotAnIntegerError = "ERR value is not an integer or out of range";

// args[index] as an integer under Redis's strict rule; `error` is the text otherwise.
inline bool ReadInt(CommandContext& context, size_t index, int64_t* value, std::string_view error = kNotAnIntegerError) {
  if (ParseInt64(context.args[index], value)) return true;
  context.reply.Error(error);
  return false;
}

// The same within [min, max]; without an `error` of its own a value outside is answered with Redis's text that names the bounds.
bool ReadIntBetween(CommandContext& context, size_t index, int64_t min, int64_t max, int64_t* value, std::string_view error = {});

// A database's number ("ERR DB index is out of range"); `error` is the text for what is not an integer.
bool ReadDatabase(CommandContext& context, size_t index, uint32_t* database, std::string_view error = kNotAnIntegerError);

// A timeout in whole milliseconds, not negative (WAIT, WAITAOF).
bool ReadTimeoutMs(CommandContext& context, size_t index, int64_t* timeout_ms);

// How long a command waits for a key, in seconds with a fraction, rounded up to milliseconds (BLPOP...); 0: for ever.
bool ReadBlockTimeout(CommandContext& context, size_t index, int64_t* timeout_ms);

// "ERR invalid expire time in 'set' command", with the row's own name.
void InvalidExpireTime(CommandContext& context);

// Walks the options from args[first] on:
//   for (OptionReader options(context, 3); options.More();) {
//     if (options.Take("nx")) ... else if (options.Take("count", &text)) ... else return context.SyntaxError();
//   }
// Names are compared without regard to case.
class OptionReader {
 public:
  OptionReader(const CommandContext& context, size_t first) : args_(context.args), next_(first) {}

  bool More() const { return next_ < args_.size(); }
  size_t index() const { return next_; }  // of the argument that Take looks at
  std::string_view peek() const { return args_[next_]; }
  // Consumes the option if it is `name`.
  bool Take(std::string_view name) {
    if (!EqualsIgnoreCase(args_[next_], name)) return false;
    next_++;
    return true;
  }
  // The same with the argument that follows; not taken where none does. *value_index, if given, is that argument's index.
  bool Take(std::string_view name, std::string_view* value, size_t* value_index = nullptr) {
    if (next_ + 1 >= args_.size() || !EqualsIgnoreCase(args_[next_], name)) return false;
    if (value_index != nullptr) *value_index = next_ + 1;
    *value = args_[next_ + 1];
    next_ += 2;
    return true;
  }
  // Passes over an argument that belongs to the option before it and has been read.
  void Skip() { next_++; }

 private:
  ArgSpan args_;
  size_t next_;
};

// EX, PX, EXAT, PXAT, KEEPTTL or PERSIST as read; at most one kind in a call, the last amount counts.
struct ExpiryOption {
  enum Kind : uint8_t { kNone = 0, kEx = 1, kPx = 2, kExAt = 4, kPxAt = 8, kKeep = 16, kPersist = 32 };
  Kind kind = kNone;
  std::string_view amount;

  bool sets() const { return (kind & (kEx | kPx | kExAt | kPxAt)) != 0; }
  bool absolute() const { return (kind & (kExAt | kPxAt)) != 0; }
};

// Consumes an expiry option that does not contradict the one before; `also` names which of kKeep and kPersist the command knows.
bool TakeExpiry(OptionReader& options, ExpiryOption::Kind also, ExpiryOption* expiry);
// The Unix time in milliseconds that an option which sets() one means: more than 0, or an error is answered.
bool ReadExpiry(CommandContext& context, const ExpiryOption& expiry, int64_t* expiry_ms);

}  // namespace cairn
