// One key after the other with its value taken apart by commands, for the exports that people and other programs read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/store.h"
#include "tools/dump/exporter.h"

namespace cairn {

struct KeyContent {
  uint32_t database = 0;
  std::string key;
  ValueType type = ValueType::kString;
  int64_t expires_at_ms = -1;  // < 0: does not
  // A string's value; a list's, set's elements; a hash's fields and values, a sorted set's members and scores, alternating.
  std::vector<std::string> items;
  std::vector<std::pair<std::string, int64_t>> field_expiries;
  ReplyValue entries;   // a stream's, as XRANGE answers
  std::string payload;  // a stream's, as DUMP answers
};

// Calls `visit` for every key that the filter takes until it fails.
Status WalkKeys(Store& store, const KeyFilter& filter, const std::function<Status(const KeyContent&)>& visit);

}  // namespace cairn
