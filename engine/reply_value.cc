#include "engine/reply_value.h"

#include <cmath>
#include <cstdio>

#include "base/status.h"
#include "engine/values/rope.h"

namespace cairn {

std::string ReplyValue::ToString() const {
  switch (kind) {
    case Kind::kNull: return "(nil)";
    case Kind::kStatus: return text;
    case Kind::kError: return "(error) " + text;
    case Kind::kInteger: return "(integer) " + std::to_string(integer);
    case Kind::kString: return "\"" + text + "\"";
    case Kind::kArray: break;
  }
  std::string all = "[";
  for (const ReplyValue& element : elements) {
    if (all.size() > 1) all += ", ";
    all += element.ToString();
  }
  return all + "]";
}

ReplyValue ReplyValueSink::Take() {
  CAIRN_CHECK(open_.empty());
  ReplyValue value = std::move(done_);
  done_ = ReplyValue();
  return value;
}

void ReplyValueSink::Add(ReplyValue value) {
  while (!open_.empty()) {
    Open& innermost = open_.back();
    innermost.value.elements.push_back(std::move(value));
    if (--innermost.missing > 0) return;
    value = std::move(innermost.value);
    open_.pop_back();
  }
  done_ = std::move(value);
}

void ReplyValueSink::Simple(std::string_view text) { Add({.kind = ReplyValue::Kind::kStatus, .text = std::string(text)}); }

void ReplyValueSink::Error(std::string_view message) {
  errors_++;
  Add({.kind = ReplyValue::Kind::kError, .text = std::string(message)});
}

void ReplyValueSink::Integer(int64_t value) { Add({.kind = ReplyValue::Kind::kInteger, .integer = value}); }

void ReplyValueSink::Bulk(std::string_view bytes) { Add({.kind = ReplyValue::Kind::kString, .text = std::string(bytes)}); }

void ReplyValueSink::BulkRope(const Rope& rope) {
  ReplyValue value{.kind = ReplyValue::Kind::kString};
  rope.CopyTo(0, rope.size(), &value.text);
  Add(std::move(value));
}

void ReplyValueSink::Null() { Add({}); }

void ReplyValueSink::Array(size_t elements) {
  ReplyValue value{.kind = ReplyValue::Kind::kArray};
  if (elements == 0) return Add(std::move(value));
  open_.push_back({std::move(value), elements});
}

void ReplyValueSink::Double(double value) {
  if (std::isinf(value)) return Bulk(value > 0 ? "inf" : "-inf");
  char text[40];
  std::snprintf(text, sizeof(text), "%.17g", value);
  Bulk(text);
}

void NullReplySink::Error(std::string_view message) {
  if (errors_++ == 0) first_error_ = message;
}

}  // namespace cairn
