// A little command that waits for strings, for tests of waiting.
#pragma once

#include <string>

#include "engine/commands/arg_reader.h"
#include "engine/commands/command_context.h"
#include "engine/values/string_value.h"

namespace cairn {

// TAKE key [key ...] timeout: the first key that is a string, with its value; it is deleted.
inline void Take(CommandContext& context) {
  int64_t timeout_ms = 0;
  if (!ReadBlockTimeout(context, context.args.size() - 1, &timeout_ms)) return;
  for (size_t i = 0; i < context.keys().size(); i++) {
    if (!context.LooksAt(i)) continue;
    const auto* entry = context.Find(context.key(i), Keyspace::Access::kWrite);
    if (entry == nullptr) continue;
    std::string scratch;
    const std::string value(StringView(entry).Flatten(&scratch));
    context.reply.Map(1);
    context.reply.Bulk(context.key(i).name);
    context.reply.Bulk(value);
    context.keyspace.Delete(context.scope, context.database(), context.key(i));
    return context.LogAs({"DEL", context.key(i).name});
  }
  if (!context.may_block()) return context.reply.NullArray();
  context.Block({.wanted = ValueType::kString, .timeout_ms = timeout_ms});
}

inline constexpr CommandRow kTakeRow = {.name = "take",
                                        .arity = -3,
                                        .flags = kWrite | kBlocking,
                                        .keys = {1, -2, 1, kKeyReadWrite},
                                        .handler = Take,
                                        .summary = "-",
                                        .since = "1",
                                        .group = "test"};

}  // namespace cairn
