#include <algorithm>
#include <cstring>

#include "engine/commands/arg_reader.h"
#include "engine/commands/bitmap_commands.h"
#include "engine/commands/string_support.h"

namespace cairn::bitmap_commands {
namespace {

enum class Operation : uint8_t { kAnd, kOr, kXor, kNot, kDiff, kDiff1, kAndOr, kOne };

bool ReadOperation(CommandContext& context, Operation* operation) {
  struct Name {
    std::string_view text;
    Operation operation;
    size_t args_min;
  };
  static constexpr Name kNames[] = {{"AND", Operation::kAnd, 4},     {"OR", Operation::kOr, 4},
                                    {"XOR", Operation::kXor, 4},     {"NOT", Operation::kNot, 4},
                                    {"DIFF", Operation::kDiff, 5},   {"DIFF1", Operation::kDiff1, 5},
                                    {"ANDOR", Operation::kAndOr, 5}, {"ONE", Operation::kOne, 4}};
  for (const Name& name : kNames) {
    if (!EqualsIgnoreCase(context.args[1], name.text)) continue;
    *operation = name.operation;
    if (*operation == Operation::kNot && context.args.size() != 4) {
      context.reply.Error("ERR BITOP NOT must be called with a single source key.");
      return false;
    }
    if (context.args.size() >= name.args_min) return true;
    context.reply.Error("ERR BITOP " + std::string(name.text) + " must be called with at least two source keys.");
    return false;
  }
  context.SyntaxError();
  return false;
}

// result[i] = combine(result[i], bytes[i]) for the value's bytes. The loop is plain enough for the compiler to vectorise.
template <typename Combine>
void Apply(const StringView& value, uint8_t* result, Combine combine) {
  ForEachPiece(value, 0, value.size(), [&](std::string_view piece) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(piece.data());
    for (size_t i = 0; i < piece.size(); i++) result[i] = static_cast<uint8_t>(combine(result[i], bytes[i]));
    result += piece.size();
    return true;
  });
}

void Or(const StringView& value, uint8_t* result) {
  Apply(value, result, [](uint8_t a, uint8_t b) { return a | b; });
}

// Beyond the value's end its bits are 0, so the result's become 0.
void And(const StringView& value, uint8_t* result, size_t size_bytes) {
  Apply(value, result, [](uint8_t a, uint8_t b) { return a & b; });
  std::memset(result + value.size(), 0, size_bytes - value.size());
}

void AndNot(const StringView& value, uint8_t* result) {
  Apply(value, result, [](uint8_t a, uint8_t b) { return a & ~b; });
}

// The bits that exactly one value has: those of any, less those of two or more.
void ExactlyOne(std::span<const StringView> values, uint8_t* result, size_t size_bytes) {
  std::string repeated(size_bytes, '\0');
  for (const StringView& value : values) {
    size_t at = 0;
    ForEachPiece(value, 0, value.size(), [&](std::string_view piece) {
      for (const char c : piece) {
        const auto byte = static_cast<uint8_t>(c);
        repeated[at] = static_cast<char>(repeated[at] | (result[at] & byte));
        result[at++] |= byte;
      }
      return true;
    });
  }
  for (size_t i = 0; i < size_bytes; i++) result[i] &= static_cast<uint8_t>(~static_cast<uint8_t>(repeated[i]));
}

// `result` has room for the longest value and is zero.
void Compute(Operation operation, std::span<const StringView> values, uint8_t* result, size_t size_bytes) {
  if (operation == Operation::kOne) return ExactlyOne(values, result, size_bytes);
  const StringView& first = values[0];
  const std::span<const StringView> others = values.subspan(1);
  const bool others_first = operation == Operation::kDiff1 || operation == Operation::kAndOr;
  if (!others_first) Or(first, result);
  for (const StringView& value : others) {
    switch (operation) {
      case Operation::kAnd: And(value, result, size_bytes); break;
      case Operation::kXor: Apply(value, result, [](uint8_t a, uint8_t b) { return a ^ b; }); break;
      case Operation::kDiff: AndNot(value, result); break;
      default: Or(value, result);
    }
  }
  if (operation == Operation::kNot)
    std::transform(result, result + size_bytes, result, [](uint8_t b) { return static_cast<uint8_t>(~b); });
  if (operation == Operation::kDiff1) AndNot(first, result);
  if (operation == Operation::kAndOr) And(first, result, size_bytes);
}

// Removes the destination: the result is empty.
void RemoveDestination(CommandContext& context) {
  const KeyRef& key = context.key(0);
  if (context.Find(key, Keyspace::Access::kWrite) == nullptr) return;
  context.keyspace.Delete(context.scope, context.database(), key);
  context.Event(kEventGeneric, "del", key);
}

}  // namespace

void BitOp(CommandContext& context) {
  Operation operation{};
  if (!ReadOperation(context, &operation)) return;
  std::vector<StringView> values;
  size_t size_bytes = 0;
  for (const KeyRef& key : context.keys().subspan(1)) {
    Entry* entry = nullptr;
    if (!context.FindTyped(key, ValueType::kString, Keyspace::Access::kRead, &entry)) return;
    values.emplace_back(entry);
    size_bytes = std::max<size_t>(size_bytes, values.back().size());
  }
  if (size_bytes == 0) {
    RemoveDestination(context);
    return context.reply.Integer(0);
  }
  SharedBytes result = SharedBytes::Allocate(size_bytes);
  std::memset(result.mutable_data(), 0, size_bytes);
  Compute(operation, values, reinterpret_cast<uint8_t*>(result.mutable_data()), size_bytes);
  const KeyRef& destination = context.key(0);
  const bool existed = context.scope.wanted_events == 0 || context.Find(destination, Keyspace::Access::kPeek) != nullptr;
  const SharedBytes* owner = size_bytes > kInlineValueMaxBytes ? &result : nullptr;
  StoreString(context, destination, {result.view(), owner}, {.raw = true}, existed, "set");
  context.reply.Integer(static_cast<int64_t>(size_bytes));
}

}  // namespace cairn::bitmap_commands
