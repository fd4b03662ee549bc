// How configuration text is taken apart and written so that base/words.h splits it back into itself.
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

// Splits at every single space, keeping empty words: how CONFIG SET takes the value of a directive with several arguments.
std::vector<std::string> SplitAtSpaces(std::string_view text);

// The word in double quotes, with everything that is not printable escaped: SplitWords gives it back.
std::string QuoteWord(std::string_view word);

std::string_view TrimSpaces(std::string_view text);
std::string ToLower(std::string_view text);
// The shortest of 1gb, 1mb, 1kb and plain bytes that is exact.
std::string FormatMemory(int64_t bytes);

// The path from the root, with "." parts and doubled or trailing slashes taken out; ".." stays.
std::string AbsolutePath(std::string_view path);

}  // namespace cairn
