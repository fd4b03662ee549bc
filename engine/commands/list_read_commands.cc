#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/commands/apart.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/list_commands.h"
#include "engine/commands/list_support.h"

namespace cairn::list_commands {
namespace {

constexpr uint64_t kElementsUnderLock = 256;  // a longer reply is written after the locks are given back

struct PosOptions {
  int64_t rank = 1;
  int64_t count = -1;  // not given
  int64_t max_elements = 0;
};

bool ReadPosOptions(CommandContext& context, PosOptions* options) {
  for (OptionReader reader(context, 3); reader.More();) {
    std::string_view value;
    size_t at = 0;
    if (reader.Take("rank", &value, &at)) {
      if (!ReadIntBetween(context, at, -INT64_MAX, INT64_MAX, &options->rank)) return false;
      if (options->rank == 0) {
        context.reply.Error(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from "
            "the "
            "end of the list");
        return false;
      }
    } else if (reader.Take("count", &value, &at)) {
      if (!ReadIntBetween(context, at, 0, INT64_MAX, &options->count, "ERR COUNT can't be negative")) return false;
    } else if (reader.Take("maxlen", &value, &at)) {
      if (!ReadIntBetween(context, at, 0, INT64_MAX, &options->max_elements, "ERR MAXLEN can't be negative")) return false;
    } else {
      context.SyntaxError();
      return false;
    }
  }
  return true;
}

uint64_t Wanted(const PosOptions& options) {
  return options.count < 0 ? 1 : options.count == 0 ? UINT64_MAX : static_cast<uint64_t>(options.count);
}

// The indexes that LPOS answers, in the order in which they are found.
std::vector<int64_t> FindPositions(ListCursor cursor, const ListpackItem& item, const PosOptions& options) {
  const bool forward = options.rank > 0;
  const uint64_t length = cursor.element_count();
  const auto most = static_cast<uint64_t>(options.max_elements == 0 ? INT64_MAX : options.max_elements);
  const uint64_t end = forward ? most : length - std::min(length, most);
  uint64_t skip = static_cast<uint64_t>(forward ? options.rank : -options.rank) - 1;
  const uint64_t wanted = Wanted(options);
  std::vector<int64_t> found;
  if (!forward) cursor.Seek(length - 1);
  while (found.size() < wanted && (forward ? cursor.FindForward(item, end) : cursor.FindBackward(item, end))) {
    if (skip > 0) {
      skip--;
    } else {
      found.push_back(static_cast<int64_t>(cursor.index()));
    }
    if (forward) {
      cursor.ReadForward();
    } else {
      cursor.ReadBackward();
    }
  }
  return found;
}

void ReplyPositions(ReplySink& reply, const PosOptions& options, const std::vector<int64_t>& found) {
  if (options.count < 0) return found.empty() ? reply.Null() : reply.Integer(found[0]);
  reply.Array(found.size());
  for (const int64_t index : found) reply.Integer(index);
}

}  // namespace

void LLen(CommandContext& context) {
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kList, Keyspace::Access::kRead, &entry)) return;
  context.reply.Integer(entry == nullptr ? 0 : static_cast<int64_t>(ListLength(*entry)));
}

void LIndex(CommandContext& context) {
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kList, Keyspace::Access::kRead, &entry)) return;
  if (entry == nullptr) return context.reply.Null();
  int64_t index = 0;
  if (!ReadInt(context, 2, &index)) return;
  ListCursor cursor = OpenList(*entry);
  if (index < 0) index += static_cast<int64_t>(cursor.element_count());
  if (index < 0 || !cursor.Seek(static_cast<uint64_t>(index))) return context.reply.Null();
  ReplyElement(context.reply, cursor.Get());
}

void LRange(CommandContext& context) {
  int64_t start = 0;
  int64_t stop = 0;
  if (!ReadInt(context, 2, &start) || !ReadInt(context, 3, &stop)) return;
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kList, Keyspace::Access::kRead, &entry)) return;
  if (entry == nullptr) return context.reply.Array(0);
  const ListRange range = ClipListRange(start, stop, ListLength(*entry));
  if (range.count > kElementsUnderLock && entry->encoding() == Encoding::kLarge) {
    std::shared_ptr<const LargeValue> list = entry->large().Share();
    return context.Defer(range.count, [list = std::move(list), range](ReplySink& reply) {
      ReplyElements(reply, ListCursor(static_cast<const ListValue&>(*list)), range.first, range.count);
    });
  }
  ReplyElements(context.reply, OpenList(*entry), range.first, range.count);
}

void LPos(CommandContext& context) {
  PosOptions options;
  if (!ReadPosOptions(context, &options)) return;
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kList, Keyspace::Access::kRead, &entry)) return;
  if (entry == nullptr) return ReplyPositions(context.reply, options, {});
  const ListpackItem item(context.args[2]);
  const auto most = static_cast<uint64_t>(options.max_elements);
  const uint64_t length = ListLength(*entry);
  const bool all = length <= kNearElements || (most > 0 && most <= kNearElements);
  PosOptions near = options;
  if (!all) near.max_elements = static_cast<int64_t>(kNearElements);
  const std::vector<int64_t> found = FindPositions(OpenList(*entry), item, near);
  if (all || found.size() == Wanted(options)) return ReplyPositions(context.reply, options, found);
  // The rest of a long list is searched without the lock.
  std::shared_ptr<const LargeValue> list = entry->large().Share();
  context.Defer(length, [list = std::move(list), options, text = std::string(context.args[2])](ReplySink& reply) {
    const ListCursor cursor(static_cast<const ListValue&>(*list));
    ReplyPositions(reply, options, FindPositions(cursor, ListpackItem(text), options));
  });
}

}  // namespace cairn::list_commands
