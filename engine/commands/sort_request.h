// What a call of SORT or SORT_RO asks for, and where it looks.
//
// The keys that BY and GET name come from the elements, so nobody knows them before: such a call runs under all shards' locks.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/commands/command_context.h"

namespace cairn {

// How elements are put in order and which of them are wanted.
struct SortOrder {
  bool descending = false;
  bool alpha = false;          // by bytes, not by number
  bool ties_by_bytes = false;  // of elements with equal weights, which otherwise stay as they come
  bool unsorted = false;       // as they come: BY without a '*'
  int64_t limit_first = 0;
  int64_t limit_count = -1;  // negative: all

  // The wanted ones of `count` elements: [*first, *end).
  void Range(uint64_t count, uint64_t* first, uint64_t* end) const;
};

// "prefix*suffix", perhaps with "->field" behind; "#" is the element itself. Without a '*' nothing is ever found.
struct SortPattern {
  explicit SortPattern(std::string_view text);

  bool element = false;
  bool substitutes = false;  // has the '*'
  bool has_field = false;
  std::string_view prefix, suffix, field;
};

struct SortRequest {
  SortOrder order;
  std::vector<SortPattern> by;   // at most one
  std::vector<SortPattern> get;  // none: the elements themselves
  bool stores = false;           // into the context's second key
};

// The options from args[2] on; false where an error was answered.
bool ReadSortRequest(CommandContext& context, bool may_store, SortRequest* request);

// For the rows: the key that is sorted, and the last STORE's; whether the call looks at further ones.
Status SortRoKeys(ArgSpan args, std::vector<int>* key_indexes);
Status SortKeys(ArgSpan args, std::vector<int>* key_indexes);
bool SortLooksAtOtherKeys(ArgSpan args);

}  // namespace cairn
