// Bitmap commands against bit-by-bit models, on values inline and in ropes.

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "tests/engine_commands/command_harness.h"

namespace cairn {
namespace {

constexpr uint64_t kSeed = 20260101;

bool Bit(const std::string& bytes, uint64_t at) {
  return at / 8 < bytes.size() && ((static_cast<uint8_t>(bytes[at / 8]) >> (7 - at % 8)) & 1) != 0;
}

// Long runs of equal bytes with something between, so that searches go far.
std::string RandomBits(Random& random, size_t size_max) {
  std::string bytes;
  const size_t size = random.Uniform(size_max);
  while (bytes.size() < size) {
    switch (random.Uniform(3)) {
      case 0: bytes.append(random.Uniform(size_max), '\0'); break;
      case 1: bytes.append(random.Uniform(size_max), '\xff'); break;
      default: bytes += random.Bytes(random.Uniform(20));
    }
  }
  bytes.resize(size);
  return bytes;
}

struct Range {
  int64_t first, last;  // bits
};

Range Resolve(int64_t start, int64_t end, int64_t size, bool bits) {
  if (start < 0) start = std::max<int64_t>(0, start + size);
  if (end < 0) end = std::max<int64_t>(0, end + size);
  end = std::min(end, size - 1);
  if (start > end) return {0, -1};
  return bits ? Range{start, end} : Range{start * 8, end * 8 + 7};
}

TEST(BitmapModel, CountAndPosition) {
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  CommandHarness harness;
  for (int round = 0; round < 300; round++) {
    const std::string bytes = RandomBits(random, round % 10 == 0 ? 60000 : 40);
    if (bytes.empty()) continue;
    harness.RunArgs({"SET", "k", bytes});
    const bool bits = random.OneIn(2);
    const auto size = static_cast<int64_t>(bits ? bytes.size() * 8 : bytes.size());
    const int64_t start = random.Between(-size - 3, size + 3), end = random.Between(-size - 3, size + 3);
    const Range range = Resolve(start, end, size, bits);
    int64_t count = 0, first_set = -1, first_clear = -1;
    for (int64_t i = range.first; i <= range.last; i++) {
      const bool bit = Bit(bytes, static_cast<uint64_t>(i));
      count += bit ? 1 : 0;
      if (bit && first_set < 0) first_set = i;
      if (!bit && first_clear < 0) first_clear = i;
    }
    if (start < 0 && end < 0 && start > end) count = 0;
    const std::vector<std::string> tail = {std::to_string(start), std::to_string(end), bits ? "BIT" : "BYTE"};
    const auto call = [&](std::vector<std::string> args) {
      args.insert(args.end(), tail.begin(), tail.end());
      return harness.RunArgs(args);
    };
    ASSERT_EQ(call({"BITCOUNT", "k"}), ":" + std::to_string(count)) << start << " " << end << " " << bits;
    ASSERT_EQ(call({"BITPOS", "k", "1"}), ":" + std::to_string(first_set)) << start << " " << end << " " << bits;
    ASSERT_EQ(call({"BITPOS", "k", "0"}), ":" + std::to_string(first_clear)) << start << " " << end << " " << bits;
  }
}

bool Combine(const std::string& operation, const std::vector<bool>& bits) {
  const auto set = static_cast<size_t>(std::count(bits.begin(), bits.end(), true));
  const bool any_other = std::find(bits.begin() + 1, bits.end(), true) != bits.end();
  if (operation == "AND") return set == bits.size();
  if (operation == "OR") return set > 0;
  if (operation == "XOR") return set % 2 == 1;
  if (operation == "NOT") return !bits[0];
  if (operation == "ONE") return set == 1;
  if (operation == "DIFF") return bits[0] && !any_other;
  if (operation == "DIFF1") return !bits[0] && any_other;
  return bits[0] && any_other;  // ANDOR
}

TEST(BitmapModel, Operations) {
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  CommandHarness harness;
  const std::vector<std::string> operations = {"AND", "OR", "XOR", "NOT", "ONE", "DIFF", "DIFF1", "ANDOR"};
  for (int round = 0; round < 160; round++) {
    const std::string& operation = operations[static_cast<size_t>(round) % operations.size()];
    const size_t count = operation == "NOT" ? 1 : 2 + random.Uniform(4);
    std::vector<std::string> args = {"BITOP", operation, "result"}, values;
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
      values.push_back(RandomBits(random, round % 20 == 0 ? 50000 : 100));
      size = std::max(size, values.back().size());
      args.push_back("source" + std::to_string(i));
      if (values.back().empty()) {
        harness.RunArgs({"DEL", args.back()});
      } else {
        harness.RunArgs({"SET", args.back(), values.back()});
      }
    }
    ASSERT_EQ(harness.RunArgs(args), ":" + std::to_string(size));
    std::string expected(size, '\0');
    for (size_t at = 0; at < size * 8; at++) {
      std::vector<bool> bits(values.size());
      std::transform(values.begin(), values.end(), bits.begin(), [&](const std::string& value) { return Bit(value, at); });
      if (Combine(operation, bits)) expected[at / 8] = static_cast<char>(expected[at / 8] | (0x80 >> (at % 8)));
    }
    ASSERT_EQ(harness.RunArgs({"GET", "result"}), size == 0 ? "nil" : "\"" + Escaped(expected) + "\"") << operation;
  }
}

// A field as Redis documents it, in 128 bits.
struct FieldModel {
  std::string bytes;

  __int128 Read(uint64_t offset, int bits, bool is_signed) const {
    __int128 value = 0;
    for (int i = 0; i < bits; i++) value = value * 2 + (Bit(bytes, offset + static_cast<uint64_t>(i)) ? 1 : 0);
    return is_signed && value >= (static_cast<__int128>(1) << (bits - 1)) ? value - (static_cast<__int128>(1) << bits) : value;
  }
  void Write(uint64_t offset, int bits, __int128 value) {
    bytes.resize(std::max<size_t>(bytes.size(), (offset + static_cast<uint64_t>(bits) + 7) / 8));
    for (int i = 0; i < bits; i++) {
      const uint64_t at = offset + static_cast<uint64_t>(i);
      const auto mask = static_cast<uint8_t>(0x80 >> (at % 8));
      const bool bit = ((value >> (bits - 1 - i)) & 1) != 0;
      bytes[at / 8] = static_cast<char>(bit ? bytes[at / 8] | mask : bytes[at / 8] & ~mask);
    }
  }
};

TEST(BitmapModel, Fields) {
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  CommandHarness harness;
  FieldModel model;
  for (int round = 0; round < 5000; round++) {
    if (random.OneIn(500)) {
      harness.Run("DEL k");
      model.bytes.clear();
    }
    const bool is_signed = random.OneIn(2);
    const int bits = static_cast<int>(random.Between(1, is_signed ? 64 : 63));
    const uint64_t offset = random.Uniform(random.OneIn(20) ? 200000 : 300);
    const __int128 max = (static_cast<__int128>(1) << (is_signed ? bits - 1 : bits)) - 1, min = is_signed ? -max - 1 : 0;
    const auto operand = static_cast<int64_t>(random.OneIn(2) ? random.Next() : random.Next() >> random.Uniform(64));
    const bool increment = random.OneIn(2);
    const char* overflow = random.OneIn(3) ? "WRAP" : random.OneIn(2) ? "SAT" : "FAIL";
    const __int128 old_value = model.Read(offset, bits, is_signed);
    __int128 value = increment   ? old_value + operand
                     : is_signed ? operand
                                 : static_cast<__int128>(static_cast<uint64_t>(operand));
    const bool fits = value >= min && value <= max;
    if (!fits && overflow[0] == 'S') value = value < min ? min : max;
    const bool fails = !fits && overflow[0] == 'F';
    model.bytes.resize(std::max<size_t>(model.bytes.size(), (offset + static_cast<uint64_t>(bits) + 7) / 8));
    if (!fails) model.Write(offset, bits, value);
    const __int128 answer = increment ? model.Read(offset, bits, is_signed) : old_value;
    const std::string reply =
        harness.RunArgs({"BITFIELD", "k", "OVERFLOW", overflow, increment ? "INCRBY" : "SET",
                         (is_signed ? "i" : "u") + std::to_string(bits), std::to_string(offset), std::to_string(operand)});
    ASSERT_EQ(reply, fails ? "[nil]" : "[:" + std::to_string(static_cast<int64_t>(answer)) + "]") << round;
    if (round % 100 == 0) ASSERT_EQ(harness.RunArgs({"GET", "k"}), "\"" + Escaped(model.bytes) + "\"");
  }
}

}  // namespace
}  // namespace cairn
