#include "engine/commands/sort_request.h"

#include <algorithm>

#include "engine/commands/arg_reader.h"

namespace cairn {

void SortOrder::Range(uint64_t count, uint64_t* first, uint64_t* end) const {
  *first = std::min(static_cast<uint64_t>(std::max<int64_t>(limit_first, 0)), count);
  *end = limit_count < 0 ? count : *first + std::min(static_cast<uint64_t>(limit_count), count - *first);
}

SortPattern::SortPattern(std::string_view text) : element(text == "#") {
  const size_t star = text.find('*');
  if (star == std::string_view::npos) return;
  substitutes = true;
  prefix = text.substr(0, star);
  suffix = text.substr(star + 1);
  const size_t arrow = suffix.find("->");
  if (arrow == std::string_view::npos || arrow + 2 == suffix.size()) return;
  has_field = true;
  field = suffix.substr(arrow + 2);
  suffix = suffix.substr(0, arrow);
}

bool ReadSortRequest(CommandContext& context, bool may_store, SortRequest* request) {
  SortOrder& order = request->order;
  for (OptionReader options(context, 2); options.More();) {
    std::string_view text;
    size_t index = 0;
    if (options.Take("asc")) {
      order.descending = false;
    } else if (options.Take("desc")) {
      order.descending = true;
    } else if (options.Take("alpha")) {
      order.alpha = true;
    } else if (options.index() + 2 < context.args.size() && options.Take("limit", &text, &index)) {
      if (!ReadInt(context, index, &order.limit_first) || !ReadInt(context, index + 1, &order.limit_count)) return false;
      options.Skip();
    } else if (may_store && options.Take("store", &text)) {
      request->stores = true;
    } else if (options.Take("by", &text)) {
      request->by.assign(1, SortPattern(text));
      // Once nothing is to be sorted, a later pattern does not change that.
      order.unsorted = order.unsorted || !request->by[0].substitutes;
    } else if (options.Take("get", &text)) {
      request->get.emplace_back(text);
    } else {
      context.SyntaxError();
      return false;
    }
  }
  if (order.unsorted) request->by.clear();
  return true;
}

Status SortRoKeys(ArgSpan, std::vector<int>* key_indexes) {
  key_indexes->push_back(1);
  return Status::Ok();
}

Status SortKeys(ArgSpan args, std::vector<int>* key_indexes) {
  key_indexes->push_back(1);
  const auto takes = [&](size_t i, std::string_view name, size_t values) {
    return EqualsIgnoreCase(args[i], name) && i + values < args.size();
  };
  int store = 0;
  for (size_t i = 2; i < args.size(); i++) {
    if (takes(i, "limit", 2)) {
      i += 2;
    } else if (takes(i, "get", 1) || takes(i, "by", 1)) {
      i++;
    } else if (takes(i, "store", 1)) {
      store = static_cast<int>(++i);  // the last one counts
    }
  }
  if (store != 0) key_indexes->push_back(store);
  return Status::Ok();
}

bool SortLooksAtOtherKeys(ArgSpan args) {
  for (size_t i = 2; i + 1 < args.size(); i++) {
    if (EqualsIgnoreCase(args[i], "limit")) {
      i += 2;
    } else if (EqualsIgnoreCase(args[i], "store")) {
      i++;
    } else if (EqualsIgnoreCase(args[i], "by") || EqualsIgnoreCase(args[i], "get")) {
      const SortPattern pattern(args[++i]);
      if (pattern.substitutes) return true;
    }
  }
  return false;
}

}  // namespace cairn
