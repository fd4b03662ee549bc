// A reply as a C++ value, for embedded callers: what Store::Run returns, and the sink that builds it.
//
// Maps, sets, doubles and the like arrive in their RESP2 shapes (a map is an array of 2 * pairs), so that callers know six kinds only.
// Values are plain: copyable, owned by whoever holds them. A sink belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/commands/reply_sink.h"

namespace cairn {

struct ReplyValue {
  enum class Kind : uint8_t { kNull, kStatus, kError, kInteger, kString, kArray };
  Kind kind = Kind::kNull;
  std::string text;                  // kStatus ("OK"), kError ("ERR ..."), kString
  int64_t integer = 0;               // kInteger
  std::vector<ReplyValue> elements;  // kArray

  bool is_null() const { return kind == Kind::kNull; }
  bool is_error() const { return kind == Kind::kError; }
  bool is_ok() const { return kind == Kind::kStatus && text == "OK"; }
  // As redis-cli prints it on one line, for logs and tests: "OK", (integer) 3, "text", (nil), [a, b].
  std::string ToString() const;
  bool operator==(const ReplyValue&) const = default;
};

// Collects exactly one reply; Take() hands it out and makes the sink ready for the next.
class ReplyValueSink final : public ReplySink {
 public:
  ReplyValue Take();

  void Simple(std::string_view text) override;
  void Error(std::string_view message) override;
  void Integer(int64_t value) override;
  void Bulk(std::string_view bytes) override;
  void BulkRope(const Rope& rope) override;
  void Null() override;
  void NullArray() override { Null(); }
  void Array(size_t elements) override;
  void Map(size_t pairs) override { Array(2 * pairs); }
  void Set(size_t elements) override { Array(elements); }
  void Push(size_t elements) override { Array(elements); }
  void Double(double value) override;
  void BigNumber(std::string_view digits) override { Bulk(digits); }
  void Boolean(bool value) override { Integer(value ? 1 : 0); }
  void Verbatim(std::string_view format, std::string_view text) override { Bulk(text); }
  int protocol() const override { return 2; }
  uint64_t error_count() const override { return errors_; }

 private:
  struct Open {
    ReplyValue value;
    size_t missing;
  };
  void Add(ReplyValue value);

  std::vector<Open> open_;  // aggregates whose elements are still to come, outermost first
  ReplyValue done_;
  uint64_t errors_ = 0;
};

// Takes any reply and keeps nothing but the number of errors and the first one's text: replay and background work.
class NullReplySink final : public ReplySink {
 public:
  void Simple(std::string_view text) override {}
  void Error(std::string_view message) override;
  void Integer(int64_t value) override {}
  void Bulk(std::string_view bytes) override {}
  void BulkRope(const Rope& rope) override {}
  void Null() override {}
  void NullArray() override {}
  void Array(size_t elements) override {}
  void Map(size_t pairs) override {}
  void Set(size_t elements) override {}
  void Push(size_t elements) override {}
  void Double(double value) override {}
  void BigNumber(std::string_view digits) override {}
  void Boolean(bool value) override {}
  void Verbatim(std::string_view format, std::string_view text) override {}
  int protocol() const override { return 2; }
  uint64_t error_count() const override { return errors_; }
  const std::string& first_error() const { return first_error_; }

 private:
  uint64_t errors_ = 0;
  std::string first_error_;
};

}  // namespace cairn
