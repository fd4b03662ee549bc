#include <algorithm>

#include "engine/commands/arg_reader.h"
#include "engine/commands/bitmap_commands.h"
#include "engine/commands/string_support.h"

namespace cairn::bitmap_commands {
namespace {

enum class Overflow : uint8_t { kWrap, kSaturate, kFail };

struct FieldOperation {
  enum Kind : uint8_t { kGet, kSet, kIncrement } kind = kGet;
  Overflow overflow = Overflow::kWrap;
  bool is_signed = false;
  uint32_t bits = 0;    // 1 to 64, 63 where unsigned
  uint64_t offset = 0;  // of the first bit
  int64_t operand = 0;

  uint64_t last_bit() const { return offset + bits - 1; }
};

bool ReadFieldType(CommandContext& context, std::string_view text, FieldOperation* operation) {
  int64_t bits = 0;
  text = text.substr(0, text.find('\0'));  // Redis reads no further
  operation->is_signed = text.starts_with('i');
  const bool valid = (operation->is_signed || text.starts_with('u')) && ParseInt64(text.substr(1), &bits) && bits >= 1 &&
                     bits <= (operation->is_signed ? 64 : 63);
  if (!valid) {
    context.reply.Error("ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.");
    return false;
  }
  operation->bits = static_cast<uint32_t>(bits);
  return true;
}

bool ReadOverflow(CommandContext& context, std::string_view text, Overflow* overflow) {
  if (EqualsIgnoreCase(text, "wrap")) {
    *overflow = Overflow::kWrap;
  } else if (EqualsIgnoreCase(text, "sat")) {
    *overflow = Overflow::kSaturate;
  } else if (EqualsIgnoreCase(text, "fail")) {
    *overflow = Overflow::kFail;
  } else {
    context.reply.Error("ERR Invalid OVERFLOW type specified");
    return false;
  }
  return true;
}

bool ReadOperations(CommandContext& context, std::vector<FieldOperation>* operations) {
  const ArgSpan args = context.args;
  Overflow overflow = Overflow::kWrap;
  for (size_t i = 2; i < args.size();) {
    const size_t left = args.size() - i - 1;
    FieldOperation operation;
    if (EqualsIgnoreCase(args[i], "overflow") && left >= 1) {
      if (!ReadOverflow(context, args[i + 1], &overflow)) return false;
      i += 2;
      continue;
    }
    if (EqualsIgnoreCase(args[i], "get") && left >= 2) {
      operation.kind = FieldOperation::kGet;
    } else if (EqualsIgnoreCase(args[i], "set") && left >= 3) {
      operation.kind = FieldOperation::kSet;
    } else if (EqualsIgnoreCase(args[i], "incrby") && left >= 3) {
      operation.kind = FieldOperation::kIncrement;
    } else {
      context.SyntaxError();
      return false;
    }
    operation.overflow = overflow;
    if (!ReadFieldType(context, args[i + 1], &operation)) return false;
    if (!ReadBitOffset(context, args[i + 2], operation.bits, &operation.offset)) return false;
    if (operation.kind != FieldOperation::kGet && !ReadInt(context, i + 3, &operation.operand)) return false;
    i += operation.kind == FieldOperation::kGet ? 3 : 4;
    operations->push_back(operation);
  }
  return true;
}

// The nine bytes that any field lies in, as one big-endian number of 72 bits; zero beyond the value's end.
unsigned __int128 LoadField(const StringView& value, const FieldOperation& operation) {
  uint8_t bytes[9] = {};
  std::string scratch;
  const std::string_view view = value.Range(operation.offset >> 3, sizeof(bytes), &scratch);
  std::copy(view.begin(), view.end(), bytes);
  unsigned __int128 number = 0;
  for (const uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

uint32_t FieldShift(const FieldOperation& operation) { return 72 - static_cast<uint32_t>(operation.offset & 7) - operation.bits; }

unsigned __int128 FieldMask(const FieldOperation& operation) { return (static_cast<unsigned __int128>(1) << operation.bits) - 1; }

int64_t Extend(uint64_t raw, const FieldOperation& operation) {
  const uint32_t unused = 64 - operation.bits;
  if (!operation.is_signed) return static_cast<int64_t>(raw);  // at most 63 bits
  return static_cast<int64_t>(raw << unused) >> unused;
}

int64_t ReadField(const StringView& value, const FieldOperation& operation) {
  const auto raw = static_cast<uint64_t>(LoadField(value, operation) >> FieldShift(operation) & FieldMask(operation));
  return Extend(raw, operation);
}

// The field's new value: false where it does not fit and the overflow type is FAIL.
bool NewValue(const FieldOperation& operation, int64_t old_value, int64_t* new_value) {
  const __int128 max = operation.is_signed ? (static_cast<__int128>(1) << (operation.bits - 1)) - 1
                                           : (static_cast<__int128>(1) << operation.bits) - 1;
  const __int128 min = operation.is_signed ? -max - 1 : 0;
  __int128 value = operation.operand;
  if (operation.kind == FieldOperation::kIncrement) {
    value += old_value;
  } else if (!operation.is_signed) {
    value = static_cast<uint64_t>(operation.operand);  // SET of a negative number is its two's complement
  }
  if (value < min || value > max) {
    if (operation.overflow == Overflow::kFail) return false;
    if (operation.overflow == Overflow::kSaturate) {
      value = value < min ? min : max;
    } else {
      value = Extend(static_cast<uint64_t>(static_cast<unsigned __int128>(value) & FieldMask(operation)), operation);
    }
  }
  *new_value = static_cast<int64_t>(value);
  return true;
}

Entry* WriteField(CommandContext& context, const StringView& value, const FieldOperation& operation, int64_t new_value) {
  const uint32_t shift = FieldShift(operation);
  const unsigned __int128 mask = FieldMask(operation);
  unsigned __int128 number = LoadField(value, operation);
  number = (number & ~(mask << shift)) | ((static_cast<unsigned __int128>(static_cast<uint64_t>(new_value)) & mask) << shift);
  char bytes[9];
  for (int i = 8; i >= 0; i--, number >>= 8) bytes[i] = static_cast<char>(number & 0xFF);
  const size_t size_bytes = ((operation.offset & 7) + operation.bits + 7) / 8;
  return context.keyspace.OverwriteString(context.scope, context.database(), context.key(), operation.offset >> 3,
                                          {bytes, size_bytes});
}

// Runs one operation, answers it, and returns whether it counts as a change; *entry is the key's, which may move.
bool RunOperation(CommandContext& context, const FieldOperation& operation, bool grows, Entry** entry) {
  const StringView value(*entry);
  const int64_t old_value = ReadField(value, operation);
  if (operation.kind == FieldOperation::kGet) {
    context.reply.Integer(old_value);
    return false;
  }
  int64_t new_value = 0;
  if (!NewValue(operation, old_value, &new_value)) {
    context.reply.Null();
    return false;
  }
  if (new_value != old_value) *entry = WriteField(context, value, operation, new_value);
  context.reply.Integer(operation.kind == FieldOperation::kSet ? old_value : new_value);
  return grows || new_value != old_value;
}

void Run(CommandContext& context, bool read_only) {
  std::vector<FieldOperation> operations;
  if (!ReadOperations(context, &operations)) return;
  uint64_t size_needed = 0;
  for (const FieldOperation& operation : operations) {
    if (operation.kind != FieldOperation::kGet) size_needed = std::max(size_needed, (operation.last_bit() >> 3) + 1);
  }
  if (read_only && size_needed > 0) return context.reply.Error("ERR BITFIELD_RO only supports the GET subcommand");
  const KeyRef& key = context.key();
  const auto access = size_needed > 0 ? Keyspace::Access::kWrite : Keyspace::Access::kRead;
  Entry* entry = nullptr;
  if (!context.FindTyped(key, ValueType::kString, access, &entry)) return;
  const bool existed = entry != nullptr;
  const bool grows = StringView(entry).size() < size_needed;
  bool changed = false;
  context.reply.Array(operations.size());
  for (const FieldOperation& operation : operations) changed = RunOperation(context, operation, grows, &entry) || changed;
  // Every write makes room for itself, even one that writes the zeros that are there or fails.
  if (StringView(entry).size() < size_needed) {
    context.keyspace.OverwriteString(context.scope, context.database(), key, size_needed - 1, std::string_view("\0", 1));
  }
  if (!existed && size_needed > 0) context.Event(kEventNew, "new", key);
  if (changed) context.Event(kEventString, "setbit", key);
}

}  // namespace

void BitField(CommandContext& context) { Run(context, false); }

void BitFieldRo(CommandContext& context) { Run(context, true); }

KeyAccess BitFieldKeyAccess(ArgSpan args) {
  for (size_t i = 2; i < args.size();) {
    if (EqualsIgnoreCase(args[i], "get") && i + 2 < args.size()) {
      i += 3;
    } else if (EqualsIgnoreCase(args[i], "overflow") && i + 1 < args.size()) {
      i += 2;
    } else {
      return kKeyReadWrite | kKeyForAccess | kKeyForUpdate;
    }
  }
  return kKeyRead | kKeyForAccess;
}

}  // namespace cairn::bitmap_commands
