// Keeps a reply so that it can be written into another sink later, on another thread: the replies of commands that waited, which run
// on the thread of whoever woke them.
//
// One buffer for the calls, one list for ropes, which stay shared. Whether maps are maps is decided by the sink that it is replayed into;
// only what a handler makes depend on protocol() is decided here. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/commands/reply_sink.h"
#include "engine/values/rope.h"

namespace cairn {

class RecordingSink final : public ReplySink {
 public:
  explicit RecordingSink(int protocol) : protocol_(protocol) {}

  // Repeats every call, in order.
  void Replay(ReplySink& into) const;
  void Clear();

  void Simple(std::string_view text) override { AddText(Call::kSimple, text); }
  void Error(std::string_view message) override {
    errors_++;
    AddText(Call::kError, message);
  }
  void Integer(int64_t value) override { AddNumber(Call::kInteger, static_cast<uint64_t>(value)); }
  void Bulk(std::string_view bytes) override { AddText(Call::kBulk, bytes); }
  void BulkRope(const Rope& rope) override {
    Add(Call::kRope);
    ropes_.push_back(rope);
  }
  void Null() override { Add(Call::kNull); }
  void NullArray() override { Add(Call::kNullArray); }
  void Array(size_t elements) override { AddNumber(Call::kArray, elements); }
  void Map(size_t pairs) override { AddNumber(Call::kMap, pairs); }
  void Set(size_t elements) override { AddNumber(Call::kSet, elements); }
  void Push(size_t elements) override { AddNumber(Call::kPush, elements); }
  void Double(double value) override;
  void BigNumber(std::string_view digits) override { AddText(Call::kBigNumber, digits); }
  void Boolean(bool value) override { Add(value ? Call::kTrue : Call::kFalse); }
  void Verbatim(std::string_view format, std::string_view text) override {
    AddText(Call::kVerbatim, format);
    AddText(Call::kBulk, text);
  }
  int protocol() const override { return protocol_; }
  uint64_t error_count() const override { return errors_; }

 private:
  enum class Call : uint8_t {
    kSimple,
    kError,
    kInteger,
    kBulk,
    kRope,
    kNull,
    kNullArray,
    kArray,
    kMap,
    kSet,
    kPush,
    kDouble,
    kBigNumber,
    kTrue,
    kFalse,
    kVerbatim,  // the format; the text follows as kBulk
  };
  class Reader;
  void Add(Call call) { calls_.push_back(static_cast<char>(call)); }
  void AddNumber(Call call, uint64_t number);
  void AddText(Call call, std::string_view text);
  static void ReplayOne(Call call, Reader& reader, const std::vector<Rope>& ropes, size_t* next_rope, ReplySink& into);

  const int protocol_;
  uint64_t errors_ = 0;
  std::string calls_;  // a byte for the call, then a fixed 64-bit number or a length and bytes
  std::vector<Rope> ropes_;
};

}  // namespace cairn
