#include "engine/commands/bitmap_commands.h"

#include <algorithm>

#include "engine/commands/arg_reader.h"
#include "engine/commands/string_support.h"

namespace cairn::bitmap_commands {
namespace {

using Access = Keyspace::Access;

bool BitAt(const StringView& value, uint64_t offset) { return ((value.ByteAt(offset >> 3) >> (7 - (offset & 7))) & 1) != 0; }

// A part of a string in bits, both ends included; empty where first > last.
struct BitRange {
  int64_t first = 0, last = -1;
  bool empty() const { return first > last; }
};

bool ReadUnit(CommandContext& context, size_t index, bool* in_bits) {
  *in_bits = EqualsIgnoreCase(context.args[index], "bit");
  if (*in_bits || EqualsIgnoreCase(context.args[index], "byte")) return true;
  context.SyntaxError();
  return false;
}

// Indexes from the end made positive and clipped, in bytes or bits, then turned into bits.
BitRange ToBits(int64_t start, int64_t end, int64_t size_bytes, bool in_bits) {
  const int64_t size = in_bits ? size_bytes * 8 : size_bytes;
  if (start < 0) start = std::max<int64_t>(start + size, 0);
  if (end < 0) end = std::max<int64_t>(end + size, 0);
  end = std::min(end, size - 1);
  if (start > end) return {};
  return in_bits ? BitRange{start, end} : BitRange{start * 8, end * 8 + 7};
}

int64_t CountInRange(const StringView& value, const BitRange& range) {
  const auto first_byte = static_cast<uint64_t>(range.first >> 3), last_byte = static_cast<uint64_t>(range.last >> 3);
  uint64_t count = 0;
  ForEachPiece(value, first_byte, last_byte - first_byte + 1, [&](std::string_view piece) {
    count += CountBits(piece);
    return true;
  });
  // The edges' bits outside of the range were counted too.
  for (int64_t i = range.first & ~int64_t{7}; i < range.first; i++) count -= BitAt(value, static_cast<uint64_t>(i)) ? 1 : 0;
  for (int64_t i = range.last + 1; (i & 7) != 0; i++) count -= BitAt(value, static_cast<uint64_t>(i)) ? 1 : 0;
  return static_cast<int64_t>(count);
}

// The first bit of the range with this value, or -1: edges bit by bit, whole bytes by words.
int64_t FindInRange(const StringView& value, const BitRange& range, bool bit) {
  int64_t at = range.first;
  for (; (at & 7) != 0 && at <= range.last; at++) {
    if (BitAt(value, static_cast<uint64_t>(at)) == bit) return at;
  }
  const int64_t whole_bytes = (range.last + 1 - at) / 8;
  int64_t found = -1;
  if (whole_bytes > 0) {
    ForEachPiece(value, static_cast<uint64_t>(at >> 3), static_cast<uint64_t>(whole_bytes), [&](std::string_view piece) {
      found = FirstBit(piece, bit);
      at += found >= 0 ? found : static_cast<int64_t>(piece.size()) * 8;
      return found < 0;
    });
  }
  if (found >= 0) return at;
  for (; at <= range.last; at++) {
    if (BitAt(value, static_cast<uint64_t>(at)) == bit) return at;
  }
  return -1;
}

}  // namespace

bool ReadBitOffset(CommandContext& context, std::string_view text, uint32_t field_bits, uint64_t* offset) {
  int64_t number = 0;
  const bool in_fields = field_bits > 0 && text.starts_with('#');
  bool valid = ParseInt64(text.substr(in_fields ? 1 : 0), &number) && number >= 0;
  if (in_fields) valid = valid && !__builtin_mul_overflow(number, static_cast<int64_t>(field_bits), &number);
  if (!valid || (!context.scope.replaying && (number >> 3) >= context.limits().proto_max_bulk_bytes)) {
    context.reply.Error("ERR bit offset is not an integer or out of range");
    return false;
  }
  *offset = static_cast<uint64_t>(number);
  return true;
}

void SetBit(CommandContext& context) {
  static constexpr std::string_view kError = "ERR bit is not an integer or out of range";
  uint64_t offset = 0;
  int64_t bit = 0;
  if (!ReadBitOffset(context, context.args[2], 0, &offset)) return;
  if (!ReadIntBetween(context, 3, 0, 1, &bit, kError)) return;
  const KeyRef& key = context.key();
  Entry* entry = nullptr;
  if (!context.FindTyped(key, ValueType::kString, Access::kWrite, &entry)) return;
  const StringView value(entry);
  const bool old_bit = BitAt(value, offset);
  if (entry == nullptr || (offset >> 3) >= value.size() || old_bit != (bit == 1)) {
    const auto mask = static_cast<uint8_t>(0x80 >> (offset & 7));
    const uint8_t old_byte = value.ByteAt(offset >> 3);
    const char byte = static_cast<char>(bit == 1 ? old_byte | mask : old_byte & ~mask);
    context.keyspace.OverwriteString(context.scope, context.database(), key, offset >> 3, {&byte, 1});
    if (entry == nullptr) context.Event(kEventNew, "new", key);
    context.Event(kEventString, "setbit", key);
  }
  context.reply.Integer(old_bit ? 1 : 0);
}

void GetBit(CommandContext& context) {
  uint64_t offset = 0;
  Entry* entry = nullptr;
  if (!ReadBitOffset(context, context.args[2], 0, &offset)) return;
  if (!context.FindTyped(context.key(), ValueType::kString, Access::kRead, &entry)) return;
  context.reply.Integer(BitAt(StringView(entry), offset) ? 1 : 0);
}

void BitCount(CommandContext& context) {
  Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kString, Access::kRead, &entry)) return;
  if (entry == nullptr) return context.reply.Integer(0);
  const StringView value(entry);
  int64_t start = 0, end = -1;
  bool in_bits = false;
  if (context.args.size() > 2) {
    if (context.args.size() != 4 && context.args.size() != 5) return context.SyntaxError();
    if (!ReadInt(context, 2, &start) || !ReadInt(context, 3, &end)) return;
    if (start < 0 && end < 0 && start > end) return context.reply.Integer(0);
    if (context.args.size() == 5 && !ReadUnit(context, 4, &in_bits)) return;
  }
  const BitRange range = ToBits(start, end, static_cast<int64_t>(value.size()), in_bits);
  context.reply.Integer(range.empty() ? 0 : CountInRange(value, range));
}

void BitPos(CommandContext& context) {
  int64_t bit = 0;
  if (!ReadInt(context, 2, &bit)) return;
  if (bit != 0 && bit != 1) return context.reply.Error("ERR The bit argument must be 1 or 0.");
  Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kString, Access::kRead, &entry)) return;
  if (entry == nullptr) return context.reply.Integer(bit == 1 ? -1 : 0);
  const StringView value(entry);
  int64_t start = 0, end = -1;
  bool in_bits = false;
  const size_t count = context.args.size();
  if (count > 6) return context.SyntaxError();
  if (count > 3 && !ReadInt(context, 3, &start)) return;
  if (count == 6 && !ReadUnit(context, 5, &in_bits)) return;
  if (count > 4 && !ReadInt(context, 4, &end)) return;
  const BitRange range = ToBits(start, end, static_cast<int64_t>(value.size()), in_bits);
  if (range.empty()) return context.reply.Integer(-1);
  const int64_t position = FindInRange(value, range, bit == 1);
  // Without an end the string goes on with zeros for ever.
  if (position < 0 && bit == 0 && count <= 4) return context.reply.Integer(static_cast<int64_t>(value.size()) * 8);
  context.reply.Integer(position);
}

}  // namespace cairn::bitmap_commands
