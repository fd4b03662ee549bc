// Inline requests: a line of words as typed into telnet, split as Redis splits it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cairn {

// Words are separated by white space. "..." knows \n \r \t \b \a \xHH and \c for any other c; '...' knows \' only; a closing quote must be
// followed by white space or the end. False for unbalanced quotes. Pure function; any thread.
bool SplitInline(std::string_view line, std::vector<std::string>* words);

}  // namespace cairn
