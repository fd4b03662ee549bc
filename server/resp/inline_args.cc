#include "server/resp/inline_args.h"

#include <optional>
#include <utility>

#include "base/words.h"

namespace cairn {

bool SplitInline(std::string_view line, std::vector<std::string>* words) {
  std::optional<std::vector<std::string>> split = SplitWords(line.substr(0, line.find('\0')));
  if (!split) return false;
  *words = *std::move(split);
  return true;
}

}  // namespace cairn
