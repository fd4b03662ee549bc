#include "engine/commands/hyperloglog_commands.h"

#include <cmath>

#include "base/random.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/change_count.h"
#include "engine/values/hyperloglog.h"
#include "engine/values/string_value.h"

namespace cairn::hyperloglog_commands {
namespace {

using Access = Keyspace::Access;

// Kept as raw strings with their expiry, like every string that a command changes in place.
constexpr Keyspace::SetOptions kStore{.keep_expiry = true, .raw = true};

void Corrupt(CommandContext& context) { context.reply.Error("INVALIDOBJ Corrupted HLL object detected"); }

// A HyperLogLog as it lies in its entry. `bytes` are valid until the key changes.
struct Found {
  Entry* entry = nullptr;  // null: absent
  std::string_view bytes;
  std::string scratch;

  bool is_sparse() const { return HllIsSparse(bytes); }
};

bool FindHll(CommandContext& context, const KeyRef& key, Access access, Found* found) {
  if (!context.FindTyped(key, ValueType::kString, access, &found->entry)) return false;
  if (found->entry == nullptr) return true;
  found->bytes = StringView(found->entry).Flatten(&found->scratch);
  if (IsHyperLogLog(found->bytes)) return true;
  context.reply.Error("WRONGTYPE Key is not a valid HyperLogLog string value.");
  return false;
}

void Overwrite(CommandContext& context, const KeyRef& key, size_t offset, std::string_view bytes, Found* found) {
  found->entry = context.keyspace.OverwriteString(context.scope, context.database(), key, offset, bytes);
  found->bytes = StringView(found->entry).Flatten(&found->scratch);
}

// From which size on a sparse value becomes dense: what is configured may be another at the next start, so replay goes by rules of its
// own, and what they would not arrive at is logged as it is (StoreLogged).
size_t ReplayedSparseMaxBytes(const Found& found) {
  constexpr size_t kDefault = 3000;
  const bool grown = found.entry != nullptr && found.is_sparse() && found.bytes.size() > kDefault;
  return grown ? SIZE_MAX : kDefault;  // more was configured then
}

// Stores what `make(sparse_max_bytes)` gives, a value, or an empty text where that cannot be (false).
template <typename Make>
bool StoreLogged(CommandContext& context, const KeyRef& key, const Found& found, Make&& make) {
  const size_t replayed_max_bytes = ReplayedSparseMaxBytes(found);
  const size_t max_bytes =
      context.scope.replaying ? replayed_max_bytes : static_cast<size_t>(context.limits().hll_sparse_max_bytes);
  const std::string value = make(max_bytes);
  if (value.empty()) return false;
  const bool as_replayed = max_bytes == replayed_max_bytes || make(replayed_max_bytes) == value;
  context.keyspace.SetString(context.scope, context.database(), key, {value}, kStore);
  if (!as_replayed) context.LogAs({"SET", key.name, value, "KEEPTTL"});
  return true;
}

void MarkCountInvalid(std::string* hll) { (*hll)[kHllCountOffset + 7] |= static_cast<char>(0x80); }

// Raises registers of a dense value where it lies.
void AddInPlace(CommandContext& context, const KeyRef& key, size_t first_arg, Found* found) {
  for (size_t i = first_arg; i < context.args.size(); i++) {
    const HllMark mark = HllMarkOf(context.args[i]);
    if (HllProbe(found->bytes, mark) != HllChange::kChanged) continue;
    const size_t offset = kHllHeaderBytes + mark.index / 4 * 3;  // four registers lie in three bytes
    char four[3];
    found->bytes.copy(four, sizeof(four), offset);
    HllSetDenseRegister(four, mark.index % 4, mark.value);
    Overwrite(context, key, offset, {four, sizeof(four)}, found);
  }
  const char last = found->bytes[kHllCountOffset + 7];
  const char marked = static_cast<char>(last | 0x80);
  if (marked != last) Overwrite(context, key, kHllCountOffset + 7, {&marked, 1}, found);
}

// An absent or sparse value with the elements added; empty where it is corrupt.
std::string WithElements(const CommandContext& context, size_t first_arg, const Found& found, size_t sparse_max_bytes,
                         int64_t* raised) {
  *raised = 0;
  std::string value = found.entry != nullptr ? std::string(found.bytes) : NewHyperLogLog();
  for (size_t i = first_arg; i < context.args.size(); i++) {
    const HllChange change = HllRaise(&value, HllMarkOf(context.args[i]), sparse_max_bytes);
    if (change == HllChange::kCorrupt) return "";
    *raised += change == HllChange::kChanged ? 1 : 0;
  }
  MarkCountInvalid(&value);
  return value;
}

// The registers' maximum over all keys; *dense: whether any value is dense.
bool Union(CommandContext& context, HllRegisters* registers, bool* dense) {
  for (const KeyRef& key : context.keys()) {
    Found found;
    if (!FindHll(context, key, Access::kRead, &found)) return false;
    if (found.entry == nullptr) continue;
    if (!found.is_sparse()) *dense = true;
    if (!HllMergeInto(found.bytes, registers)) {
      Corrupt(context);
      return false;
    }
  }
  return true;
}

// The registers of the union as a value: the destination's own runs grow where it has some, as they do in Redis.
std::string PackUnion(const HllRegisters& registers, bool dense, const Found& destination, size_t sparse_max_bytes) {
  std::string value;
  if (dense) {
    value = HllPackDense(registers);
  } else if (destination.entry == nullptr) {
    value = HllPack(registers, sparse_max_bytes);
  } else {
    HllRegisters own{};
    value = destination.bytes;
    HllMergeInto(value, &own);
    for (uint32_t i = 0; i < kHllRegisters; i++) {
      if (registers[i] > own[i]) HllRaise(&value, {i, registers[i]}, sparse_max_bytes);
    }
  }
  // The count of before stays, marked as not valid.
  if (destination.entry != nullptr) value.replace(kHllCountOffset, 8, destination.bytes.substr(kHllCountOffset, 8));
  MarkCountInvalid(&value);
  return value;
}

bool MakeDense(CommandContext& context, const Found& found) {
  std::string value(found.bytes);
  if (!HllToDense(&value)) {
    Corrupt(context);
    return false;
  }
  context.keyspace.SetString(context.scope, context.database(), context.key(), {value}, kStore);
  return true;
}

}  // namespace

void PfAdd(CommandContext& context) {
  const KeyRef& key = context.key();
  Found found;
  if (!FindHll(context, key, Access::kWrite, &found)) return;
  const bool existed = found.entry != nullptr;
  size_t next = 2;
  if (existed) {
    // Most elements of a large set change nothing: then nothing is copied.
    HllChange change = HllChange::kNone;
    for (; next < context.args.size(); next++) {
      change = HllProbe(found.bytes, HllMarkOf(context.args[next]));
      if (change != HllChange::kNone) break;
    }
    if (change == HllChange::kCorrupt) return Corrupt(context);
    if (change == HllChange::kNone) return context.reply.Integer(0);
  }
  if (existed && !found.is_sparse()) {
    AddInPlace(context, key, next, &found);
  } else {
    int64_t raised = 0;
    const auto add = [&](size_t sparse_max_bytes) { return WithElements(context, next, found, sparse_max_bytes, &raised); };
    if (!StoreLogged(context, key, found, add)) return Corrupt(context);
    CountElements(context, key, raised + (existed ? 0 : 1));
  }
  if (!existed) context.Event(kEventNew, "new", key);
  context.Event(kEventString, "pfadd", key);
  context.reply.Integer(1);
}

void PfCount(CommandContext& context) {
  if (context.keys().size() > 1) {
    HllRegisters registers{};
    bool dense = false;
    if (Union(context, &registers, &dense)) context.reply.Integer(static_cast<int64_t>(HllCount(registers)));
    return;
  }
  const KeyRef& key = context.key();
  Found found;
  uint64_t count = 0;
  if (!FindHll(context, key, Access::kRead, &found)) return;
  if (found.entry != nullptr && !HllCachedCount(found.bytes, &count)) {
    if (!HllCount(found.bytes, &count)) return Corrupt(context);
    // The count is kept in the value, where GET sees it: a change like any other. It is let be where changes are not welcome.
    if (context.scope.deletes_expired && !context.scope.replaying) {
      char bytes[8];
      StoreLittleEndian(bytes, count);
      Overwrite(context, key, kHllCountOffset, {bytes, sizeof(bytes)}, &found);
      context.LogAs({"SETRANGE", key.name, "8", std::string_view(bytes, sizeof(bytes))});
    }
  }
  context.reply.Integer(static_cast<int64_t>(count));
}

void PfMerge(CommandContext& context) {
  HllRegisters registers{};
  bool dense = false;
  if (!Union(context, &registers, &dense)) return;
  const KeyRef& key = context.key();
  Found destination;
  if (!FindHll(context, key, Access::kWrite, &destination)) return;
  const bool existed = destination.entry != nullptr;
  StoreLogged(context, key, destination,
              [&](size_t sparse_max_bytes) { return PackUnion(registers, dense, destination, sparse_max_bytes); });
  if (!existed) context.Event(kEventNew, "new", key);
  context.Event(kEventString, "pfadd", key);
  context.reply.Ok();
}

void PfDebug(CommandContext& context) {
  Found found;
  if (!context.FindTyped(context.key(), ValueType::kString, Access::kWrite, &found.entry)) return;
  if (found.entry == nullptr) return context.reply.Error("ERR The specified key does not exist");
  if (!FindHll(context, context.key(), Access::kPeek, &found)) return;
  const std::string_view what = context.args[1];
  const bool sparse = found.is_sparse();
  if (EqualsIgnoreCase(what, "getreg")) {
    HllRegisters registers{};
    if (sparse && !MakeDense(context, found)) return;
    if (sparse && !FindHll(context, context.key(), Access::kPeek, &found)) return;
    HllMergeInto(found.bytes, &registers);
    context.reply.Array(registers.size());
    for (const uint8_t value : registers) context.reply.Integer(value);
  } else if (EqualsIgnoreCase(what, "decode")) {
    if (!sparse) return context.reply.Error("ERR HLL encoding is not sparse");
    context.reply.Bulk(HllDescribeRuns(found.bytes));
  } else if (EqualsIgnoreCase(what, "encoding")) {
    context.reply.Simple(sparse ? "sparse" : "dense");
  } else if (EqualsIgnoreCase(what, "todense")) {
    if (sparse && !MakeDense(context, found)) return;
    context.reply.Integer(sparse ? 1 : 0);
  } else {
    context.reply.Error("ERR Unknown PFDEBUG subcommand '" + std::string(what) + "'");
  }
}

// Registers of both encodings and the estimate, on random elements. Small enough not to be felt by other clients.
void PfSelfTest(CommandContext& context) {
  constexpr int kElements = 100'000;
  Random& random = ThreadRandom();
  std::string dense = NewHyperLogLog(), mixed = NewHyperLogLog();
  HllToDense(&dense);
  const uint64_t seed = random.Next();
  for (int i = 1, checkpoint = 1; i <= kElements; i++) {
    const uint64_t element = seed ^ static_cast<uint64_t>(i);
    const HllMark mark = HllMarkOf({reinterpret_cast<const char*>(&element), sizeof(element)});
    const HllChange change = HllRaise(&dense, mark, 0);
    if (HllRaise(&mixed, mark, 3000) != change) return context.reply.Error("TESTFAILED dense and sparse registers differ");
    if (i != checkpoint) continue;
    checkpoint *= 10;
    uint64_t count = 0, mixed_count = 0;
    HllCount(dense, &count);
    if (!HllCount(mixed, &mixed_count) || count != mixed_count) return context.reply.Error("TESTFAILED dense/sparse disagree");
    const double error = std::abs(static_cast<double>(count) - i);
    if (error > std::ceil(1.04 / 128 * 6 * i)) {
      return context.reply.Error("TESTFAILED Too big error. card:" + std::to_string(i) + " count:" + std::to_string(count));
    }
  }
  context.reply.Ok();
}

}  // namespace cairn::hyperloglog_commands
