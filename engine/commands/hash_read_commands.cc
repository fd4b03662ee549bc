#include <algorithm>
#include <optional>
#include <unordered_set>

#include "base/random.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/hash_access.h"
#include "engine/commands/hash_commands.h"
#include "engine/commands/scan_options.h"

namespace cairn::hash_commands {
namespace {

using Access = Keyspace::Access;
using Pair = std::pair<ListpackValue, ListpackValue>;

// False where WRONGTYPE was answered.
bool FindHash(CommandContext& context, const Entry** entry) {
  return context.FindTyped(context.key(), ValueType::kHash, Access::kRead, entry);
}

// One field for each index of a list in ascending order, of fields counted in the order of ForEach.
void CollectAt(const HashView& view, const std::vector<uint64_t>& indexes, std::vector<Pair>* out) {
  uint64_t index = 0;
  auto next = indexes.begin();
  view.ForEach([&](const ListpackValue& name, const ListpackValue& value) {
    for (; next != indexes.end() && *next == index; ++next) out->emplace_back(name, value);
    index++;
  });
}

// Draws from the fields of a table that are not due, of which there are some.
class FieldDraw {
 public:
  explicit FieldDraw(const HashView& view) : view_(view) {
    if (!MostAreDue(view)) return;
    live_.reserve(view.size());
    view.ForEach([this](const ListpackValue& name, const ListpackValue& value) { live_.emplace_back(name, value); });
  }

  // Whether drawing until one lives would take longer than a walk over all.
  static bool MostAreDue(const HashView& view) { return view.size() < view.table()->element_count() / 4; }

  Pair Any(Random& random) {
    if (!live_.empty()) return live_[random.Uniform(live_.size())];
    while (true) {
      const HashField field = ReadHashField(view_.table()->fields().RandomPayload(random));
      if (!field.Due(view_.now_ms())) return {ListpackValue{field.name}, ListpackValue{field.value}};
    }
  }

 private:
  const HashView& view_;
  std::vector<Pair> live_;
};

// `count` < view.size() different fields, each set of them equally likely.
void PickDifferent(const HashView& view, uint64_t count, std::vector<Pair>* out) {
  constexpr uint64_t kWalkRatio = 3;  // a walk over all costs less than drawing with so many repetitions
  Random& random = ThreadRandom();
  const uint64_t size = view.size();
  if (view.table() != nullptr && count * kWalkRatio < size) {
    FieldDraw draw(view);
    std::unordered_set<const char*> taken;
    while (out->size() < count) {
      const Pair pair = draw.Any(random);
      if (taken.insert(pair.first.bytes.data()).second) out->push_back(pair);
    }
    return;
  }
  uint64_t left = size;
  view.ForEach([&](const ListpackValue& name, const ListpackValue& value) {
    if (random.Uniform(left--) < count - out->size()) out->emplace_back(name, value);
  });
}

// `count` fields of a packed hash, which may repeat, in random order: one walk for all, then their order is drawn.
void PickRepeating(const HashView& view, uint64_t count, std::vector<Pair>* out) {
  Random& random = ThreadRandom();
  std::vector<uint64_t> indexes(count);
  for (uint64_t& index : indexes) index = random.Uniform(view.size());
  std::sort(indexes.begin(), indexes.end());
  CollectAt(view, indexes, out);
  for (size_t i = out->size(); i > 1; i--) std::swap((*out)[i - 1], (*out)[random.Uniform(i)]);
}

void ReplyPair(ReplySink& reply, const Pair& pair, bool with_values) {
  if (with_values && reply.protocol() > 2) reply.Array(2);
  ReplyElement(reply, pair.first);
  if (with_values) ReplyElement(reply, pair.second);
}

void ReplyRepeating(ReplySink& reply, const HashView& view, uint64_t count, bool with_values) {
  // The count may ask for far more than there is: it is answered in portions.
  constexpr uint64_t kPortion = 1000;
  std::optional<FieldDraw> draw;
  if (view.table() != nullptr) draw.emplace(view);
  std::vector<Pair> pairs;
  for (uint64_t left = count; left > 0 && !reply.abandoned();) {
    const uint64_t portion = std::min(left, kPortion);
    left -= portion;
    if (draw) {
      for (uint64_t i = 0; i < portion; i++) ReplyPair(reply, draw->Any(ThreadRandom()), with_values);
      continue;
    }
    pairs.clear();
    PickRepeating(view, portion, &pairs);
    for (const Pair& pair : pairs) ReplyPair(reply, pair, with_values);
  }
}

// As HRANDFIELD's count says: that many different fields, all where there are fewer, or, below 0, as many draws.
void ReplyRandom(ReplySink& reply, const HashView& view, int64_t count, bool with_values) {
  const uint64_t size = view.size();
  const uint64_t fields = count < 0 ? uint64_t{0} - static_cast<uint64_t>(count) : std::min(static_cast<uint64_t>(count), size);
  reply.Array(with_values && reply.protocol() == 2 ? fields * 2 : fields);
  if (count < 0) return ReplyRepeating(reply, view, fields, with_values);
  if (fields == size) {
    view.ForEach([&](const ListpackValue& name, const ListpackValue& value) { ReplyPair(reply, {name, value}, with_values); });
    return;
  }
  std::vector<Pair> pairs;
  PickDifferent(view, fields, &pairs);
  for (const Pair& pair : pairs) ReplyPair(reply, pair, with_values);
}

void RandomFields(CommandContext& context, int64_t count, bool with_values) {
  const Entry* entry = nullptr;
  if (!FindHash(context, &entry)) return;
  const HashView view(context, entry);
  if (view.size() == 0 || count == 0) return context.reply.Array(0);
  if (view.table() == nullptr) return ReplyRandom(context.reply, view, count, with_values);
  uint64_t work = count < 0 ? uint64_t{0} - static_cast<uint64_t>(count) : std::min(static_cast<uint64_t>(count), view.size());
  if (FieldDraw::MostAreDue(view)) work = std::max(work, view.table()->element_count());
  const std::shared_ptr<LargeValue> held = view.table()->Share();
  context.Defer(work, [held, count, with_values, now_ms = view.now_ms()](ReplySink& reply) {
    ReplyRandom(reply, HashView(static_cast<const HashTable&>(*held), now_ms), count, with_values);
  });
}

enum class Parts : uint8_t { kNames, kValues, kBoth };

void ReplyAll(ReplySink& reply, const HashView& view, Parts parts) {
  if (parts == Parts::kBoth) {
    reply.Map(view.size());
  } else {
    reply.Array(view.size());
  }
  view.ForEach([&](const ListpackValue& name, const ListpackValue& value) {
    if (parts != Parts::kValues) ReplyElement(reply, name);
    if (parts != Parts::kNames) ReplyElement(reply, value);
  });
}

void AnswerAll(CommandContext& context, Parts parts) {
  constexpr uint64_t kDeferredSize = 500;  // fields; fewer are written while the lock is held
  const Entry* entry = nullptr;
  if (!FindHash(context, &entry)) return;
  const HashView view(context, entry);
  if (view.table() == nullptr || view.size() < kDeferredSize) return ReplyAll(context.reply, view, parts);
  const std::shared_ptr<LargeValue> held = view.table()->Share();
  context.Defer(parts == Parts::kBoth ? 2 * view.size() : view.size(), [held, parts, now_ms = view.now_ms()](ReplySink& reply) {
    ReplyAll(reply, HashView(static_cast<const HashTable&>(*held), now_ms), parts);
  });
}

}  // namespace

void HGet(CommandContext& context) {
  const Entry* entry = nullptr;
  if (FindHash(context, &entry)) HashView(context, entry).Reply(context.reply, context.args[2]);
}

void HMGet(CommandContext& context) {
  const Entry* entry = nullptr;
  if (!FindHash(context, &entry)) return;
  const HashView view(context, entry);
  context.reply.Array(context.args.size() - 2);
  for (size_t i = 2; i < context.args.size(); i++) view.Reply(context.reply, context.args[i]);
}

void HGetAll(CommandContext& context) { AnswerAll(context, Parts::kBoth); }
void HKeys(CommandContext& context) { AnswerAll(context, Parts::kNames); }
void HVals(CommandContext& context) { AnswerAll(context, Parts::kValues); }

void HLen(CommandContext& context) {
  const Entry* entry = nullptr;
  if (FindHash(context, &entry)) context.reply.Integer(static_cast<int64_t>(HashView(context, entry).size()));
}

void HStrLen(CommandContext& context) {
  const Entry* entry = nullptr;
  if (!FindHash(context, &entry)) return;
  ListpackValue value;
  const bool found = HashView(context, entry).Find(context.args[2], &value);
  context.reply.Integer(found ? static_cast<int64_t>(value.text_size()) : 0);
}

void HExists(CommandContext& context) {
  const Entry* entry = nullptr;
  if (FindHash(context, &entry)) context.reply.Integer(HashView(context, entry).Contains(context.args[2]) ? 1 : 0);
}

void HRandField(CommandContext& context) {
  if (context.args.size() >= 3) {
    int64_t count = 0;
    if (!ReadIntBetween(context, 2, -INT64_MAX, INT64_MAX, &count)) return;
    const bool with_values = context.args.size() == 4 && EqualsIgnoreCase(context.args[3], "withvalues");
    if (context.args.size() > 3 && !with_values) return context.SyntaxError();
    if (with_values && (count < -INT64_MAX / 2 || count > INT64_MAX / 2)) {
      return context.reply.Error("ERR value is out of range");
    }
    return RandomFields(context, count, with_values);
  }
  const Entry* entry = nullptr;
  if (!FindHash(context, &entry)) return;
  const HashView view(context, entry);
  if (view.size() == 0) return context.reply.Null();
  if (view.table() != nullptr && FieldDraw::MostAreDue(view)) {
    const std::shared_ptr<LargeValue> held = view.table()->Share();
    context.Defer(view.table()->element_count(), [held, now_ms = view.now_ms()](ReplySink& reply) {
      const HashView kept(static_cast<const HashTable&>(*held), now_ms);
      ReplyElement(reply, FieldDraw(kept).Any(ThreadRandom()).first);
    });
    return;
  }
  if (view.table() != nullptr) return ReplyElement(context.reply, FieldDraw(view).Any(ThreadRandom()).first);
  std::vector<Pair> pairs;
  PickRepeating(view, 1, &pairs);
  ReplyElement(context.reply, pairs[0].first);
}

void HScan(CommandContext& context) {
  uint64_t cursor = 0;
  ScanOptions options;
  const Entry* entry = nullptr;
  if (!ReadScanCursor(context, 2, &cursor) || !FindHash(context, &entry)) return;
  if (entry == nullptr) return ReplyNothingScanned(context.reply);
  if (!ReadScanOptions(context, 3, kScanNoValues, &options)) return;
  const HashView view(context, entry);
  std::vector<Pair> pairs;
  const auto take = [&](const ListpackValue& name, const ListpackValue& value) {
    char text[kIntTextMaxBytes];
    if (options.Matches(name.Text(text))) pairs.emplace_back(name, value);
  };
  if (view.table() == nullptr) {
    view.ForEach(take);
    cursor = 0;
  } else {
    std::vector<std::string_view> payloads;
    cursor = view.table()->fields().Scan(cursor, static_cast<size_t>(options.count), &payloads);
    for (const std::string_view payload : payloads) {
      const HashField field = ReadHashField(payload);
      if (!field.Due(view.now_ms())) take(ListpackValue{field.name}, ListpackValue{field.value});
    }
  }
  ReplyScanHeader(context.reply, cursor, options.no_values ? pairs.size() : 2 * pairs.size());
  for (const auto& [name, value] : pairs) {
    ReplyElement(context.reply, name);
    if (!options.no_values) ReplyElement(context.reply, value);
  }
}

}  // namespace cairn::hash_commands
