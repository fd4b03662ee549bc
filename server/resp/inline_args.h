// Inline requests: a line of words as typed into telnet, split as Redis splits it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cairn {

// What SplitWords (base/words.h) makes of the line up to its first zero byte. False for unbalanced quotes. Pure function; any thread.
bool SplitInline(std::string_view line, std::vector<std::string>* words);

}  // namespace cairn
