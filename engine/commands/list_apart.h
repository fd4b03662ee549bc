// Changes of a list so long that finding their place under the shard's lock would keep everybody else waiting: they are made on a share
// of the list, without a lock, and the outcome is put in the list's place if that has not changed meanwhile (CommandContext::WorkApart).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "engine/client.h"
#include "engine/commands/command_context.h"
#include "engine/commands/list_support.h"

namespace cairn {

// So many elements are searched, or taken over, under the lock: some tens of microseconds.
inline constexpr uint64_t kNearElements = 20'000;

// The list as it is to be, sharing nodes with the one that is given; null: it stays as it is. `*result` is what the command answers.
using ListChange = std::function<std::unique_ptr<ListValue>(const ListValue& list, int64_t* result)>;

enum class Apart : uint8_t {
  kHere,   // not worthwhile, or not possible: to be done under the lock
  kAsked,  // the command ends here and is run again
  kDone,   // the list is changed
};
Apart ChangeApart(CommandContext& context, ListEdit& list, ListChange change, int64_t* result);

}  // namespace cairn
