// Short ways to write the rows of the directive table; for the files that hold its parts.
#pragma once

#include <cstdint>
#include <limits>

#include "server/config/directive.h"

namespace cairn::rows {

inline constexpr int64_t kIntMax = std::numeric_limits<int32_t>::max();
inline constexpr int64_t kIntMin = std::numeric_limits<int32_t>::min();
inline constexpr int64_t kLongMax = std::numeric_limits<int64_t>::max();

inline Directive Bool(std::string_view name, bool value, uint32_t flags = 0, std::string_view alias = {},
                      NumberCheck check = nullptr) {
  Directive row;
  row.name = name;
  row.alias = alias;
  row.kind = DirectiveKind::kBool;
  row.flags = flags;
  row.default_number = value ? 1 : 0;
  row.check_number = check;
  return row;
}

inline Directive Number(std::string_view name, int64_t value, int64_t min, int64_t max, uint32_t flags = 0,
                        std::string_view alias = {}, NumberCheck check = nullptr) {
  Directive row;
  row.name = name;
  row.alias = alias;
  row.kind = DirectiveKind::kNumber;
  row.flags = flags;
  row.default_number = value;
  row.min = min;
  row.max = max;
  row.check_number = check;
  return row;
}

inline Directive Memory(std::string_view name, int64_t value, int64_t min, int64_t max = kLongMax, uint32_t flags = 0,
                        std::string_view alias = {}, NumberCheck check = nullptr) {
  Directive row = Number(name, value, min, max, flags, alias, check);
  row.form = NumberForm::kMemory;
  return row;
}

inline Directive Enum(std::string_view name, std::span<const EnumName> names, int64_t value, uint32_t flags = 0,
                      NumberCheck check = nullptr) {
  Directive row;
  row.name = name;
  row.kind = DirectiveKind::kEnum;
  row.flags = flags;
  row.default_number = value;
  row.names = names;
  row.check_number = check;
  return row;
}

inline Directive Text(std::string_view name, std::string_view value, uint32_t flags = 0, TextCheck check = nullptr,
                      std::string_view alias = {}) {
  Directive row;
  row.name = name;
  row.alias = alias;
  row.kind = DirectiveKind::kText;
  row.flags = flags;
  row.default_text = value;
  row.check_text = check;
  return row;
}

inline Directive Special(std::string_view name, std::string_view value, uint32_t flags, Normalizer normalize,
                         RewriteLines rewrite_lines = nullptr, std::string_view alias = {}) {
  Directive row;
  row.name = name;
  row.alias = alias;
  row.kind = DirectiveKind::kSpecial;
  row.flags = flags;
  row.default_text = value;
  row.normalize = normalize;
  row.rewrite_lines = rewrite_lines;
  return row;
}

}  // namespace cairn::rows
