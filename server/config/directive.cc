#include "server/config/directive.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/numbers.h"
#include "server/config/words.h"

namespace cairn {
namespace {

Status Wrong(std::string message) { return Status::InvalidArgument(std::move(message)); }

Result<int64_t> ReadEnum(const Directive& row, std::span<const std::string> words) {
  int64_t flags = 0;
  for (const std::string& word : words) {
    bool found = false;
    for (const EnumName& name : row.names) {
      if (!EqualsIgnoreCase(name.name, word)) continue;
      flags |= name.value;
      found = true;
      if (row.kind == DirectiveKind::kEnum) return name.value;
      break;
    }
    if (!found) flags = -1;
    if (!found) break;
  }
  // "default" stands alone: it means no flag at all.
  if (row.kind == DirectiveKind::kFlagSet && !words.empty() && flags >= 0) return flags;
  std::string message = "argument(s) must be one of the following: ";
  for (size_t i = 0; i < row.names.size(); i++) {
    if (i > 0) message += ", ";
    message += row.names[i].name;
  }
  return Wrong(std::move(message));
}

bool ReadNumber(const Directive& row, const std::string& word, int64_t* value) {
  if (row.form == NumberForm::kMemory || row.form == NumberForm::kMemoryOrPercent) {
    uint64_t bytes = 0;
    if (ParseMemory(word.empty() ? "0" : word, &bytes) && bytes <= static_cast<uint64_t>(INT64_MAX)) {
      *value = static_cast<int64_t>(bytes);
      return true;
    }
    if (row.form == NumberForm::kMemory || word.size() < 2 || word.back() != '%') return false;
    if (!ParseInt64(std::string_view(word).substr(0, word.size() - 1), value) || *value < 0) return false;
    *value = -*value;
    return true;
  }
  if (row.form == NumberForm::kOctal) {
    char* end = nullptr;
    errno = 0;
    *value = std::strtoll(word.c_str(), &end, 8);
    return errno == 0 && !word.empty() && *end == '\0';
  }
  return ParseInt64(word, value);
}

Status CheckRange(const Directive& row, int64_t value) {
  if (row.form == NumberForm::kMemoryOrPercent && value < 0) {
    if (value < row.min) return Wrong("percentage argument must be less or equal to " + std::to_string(-row.min));
    return {};
  }
  if (value >= row.min && value <= row.max) return {};
  char text[128];
  const char* format = row.form == NumberForm::kOctal ? "argument must be between %llo and %llo inclusive"
                                                      : "argument must be between %lld and %lld inclusive";
  std::snprintf(text, sizeof(text), format, static_cast<long long>(row.min), static_cast<long long>(row.max));
  return Wrong(text);
}

Result<int64_t> ReadByKind(const Directive& row, std::span<const std::string> words) {
  if (row.kind == DirectiveKind::kBool) {
    if (EqualsIgnoreCase(words[0], "yes")) return int64_t{1};
    if (EqualsIgnoreCase(words[0], "no")) return int64_t{0};
    return Wrong("argument must be 'yes' or 'no'");
  }
  if (row.kind == DirectiveKind::kEnum || row.kind == DirectiveKind::kFlagSet) return ReadEnum(row, words);
  int64_t value = 0;
  if (!ReadNumber(row, words[0], &value)) {
    switch (row.form) {
      case NumberForm::kMemoryOrPercent: return Wrong("argument must be a memory or percent value");
      case NumberForm::kMemory: return Wrong("argument must be a memory value");
      case NumberForm::kOctal: return Wrong("argument couldn't be parsed as an octal number");
      case NumberForm::kPlain: return Wrong("argument couldn't be parsed into an integer");
    }
  }
  CAIRN_RETURN_IF_ERROR(CheckRange(row, value));
  return value;
}

}  // namespace

std::span<const Directive> AllDirectives() {
  static const std::vector<Directive>* const rows = [] {
    auto* made = new std::vector<Directive>;
    AppendServerDirectives(made);
    AppendValueLimitDirectives(made);
    AppendSpecialDirectives(made);
    AppendCompatibleDirectives(made);
    return made;
  }();
  return *rows;
}

Result<int64_t> ParseDirectiveNumber(const Directive& row, std::span<const std::string> words) {
  CAIRN_ASSIGN_OR_RETURN(const int64_t value, ReadByKind(row, words));
  if (row.check_number != nullptr) CAIRN_RETURN_IF_ERROR(row.check_number(value));
  return value;
}

std::string FormatDirectiveNumber(const Directive& row, int64_t value) {
  switch (row.kind) {
    case DirectiveKind::kBool: return value ? "yes" : "no";
    case DirectiveKind::kEnum:
      for (const EnumName& name : row.names) {
        if (name.value == value) return std::string(name.name);
      }
      return "unknown";
    case DirectiveKind::kFlagSet: {
      std::string out;
      for (const EnumName& name : row.names) {
        if (value == 0 ? name.value != 0 : (name.value == 0 || (value & name.value) != name.value)) continue;
        if (!out.empty()) out += ' ';
        out += name.name;
      }
      return out;
    }
    default: break;
  }
  if (row.form == NumberForm::kMemoryOrPercent && value < 0) return std::to_string(-value) + "%";
  if (row.form == NumberForm::kOctal) {
    char text[32];
    std::snprintf(text, sizeof(text), "%llo", static_cast<unsigned long long>(value));
    return text;
  }
  return std::to_string(value);
}

}  // namespace cairn
