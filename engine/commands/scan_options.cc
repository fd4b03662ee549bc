#include "engine/commands/scan_options.h"

#include "engine/commands/arg_reader.h"

namespace cairn {

bool ReadScanCursor(CommandContext& context, size_t index, uint64_t* cursor) {
  std::string_view text = context.args[index];
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  uint64_t value = 0;
  bool valid = !text.empty() || context.args[index].empty();  // nothing at all is 0, a sign alone is not
  for (const char c : text) {
    valid = valid && c >= '0' && c <= '9' && !__builtin_mul_overflow(value, uint64_t{10}, &value) &&
            !__builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value);
  }
  if (!valid) {
    context.reply.Error("ERR invalid cursor");
    return false;
  }
  *cursor = negative ? 0 - value : value;
  return true;
}

bool ReadScanOptions(CommandContext& context, size_t first, ScanExtra extra, ScanOptions* scan) {
  for (OptionReader options(context, first); options.More();) {
    std::string_view number;
    size_t index = 0;
    if (options.Take("count", &number, &index)) {
      if (!ReadInt(context, index, &scan->count)) return false;
      if (scan->count >= 1) continue;
      context.SyntaxError();
      return false;
    }
    if (options.Take("match", &scan->pattern)) continue;
    if ((extra & kScanType) != 0 && options.Take("type", &scan->type)) {
      scan->typed = true;
      continue;
    }
    if (((extra & kScanNoValues) != 0 && options.Take("novalues")) ||
        ((extra & kScanNoScores) != 0 && options.Take("noscores"))) {
      scan->no_values = true;
      continue;
    }
    context.SyntaxError();
    return false;
  }
  return true;
}

void ReplyScanHeader(ReplySink& reply, uint64_t next_cursor, size_t elements) {
  char text[kIntTextMaxBytes];
  reply.Array(2);
  reply.Bulk({text, static_cast<size_t>(WriteUint(text, next_cursor) - text)});
  reply.Array(elements);
}

}  // namespace cairn
