#include "server/security/redaction.h"

#include "base/numbers.h"
#include "server/config/config.h"

namespace cairn {
namespace {

constexpr std::string_view kRedacted = "(redacted)";

void HideAfter(std::vector<std::string_view>* args, size_t first, std::string_view word, size_t count) {
  for (size_t i = first; i < args->size(); i++) {
    if (!EqualsIgnoreCase((*args)[i], word)) continue;
    for (size_t j = i + 1; j < args->size() && j <= i + count; j++) (*args)[j] = kRedacted;
    return;
  }
}

}  // namespace

std::vector<std::string_view> RedactedArguments(const CommandRow& row, ArgSpan args) {
  std::vector<std::string_view> shown(args.begin(), args.end());
  if (row.parent == nullptr && row.name == "auth") {
    for (size_t i = 1; i < shown.size(); i++) shown[i] = kRedacted;
  } else if (row.parent == nullptr && row.name == "hello") {
    HideAfter(&shown, 2, "auth", 2);
  } else if (row.parent == nullptr && row.name == "migrate") {
    HideAfter(&shown, 6, "auth", 1);
    HideAfter(&shown, 6, "auth2", 2);
  } else if (row.name == "set" && row.parent != nullptr && row.parent->name == "config") {
    for (size_t i = 2; i + 1 < shown.size(); i += 2) {
      if (Config::IsSensitive(shown[i])) shown[i + 1] = kRedacted;
    }
  }
  return shown;
}

}  // namespace cairn
