// Glob patterns as KEYS, SCAN, PSUBSCRIBE and CONFIG GET use them. Any thread.
#pragma once

#include <string_view>

namespace cairn {

// Whether `text` matches all of `pattern`: `*` any bytes, `?` any one byte, `[abc]`, `[^abc]`, `[a-z]` one byte of (or not of) a
// set, `\x` the byte x itself. A set that is not closed ends with the pattern. Bytes, not characters; `ignore_case` folds ASCII.
// Takes at most pattern * text steps, whatever the pattern, and no memory.
bool GlobMatch(std::string_view pattern, std::string_view text, bool ignore_case = false);

}  // namespace cairn
