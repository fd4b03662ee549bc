#include "server/resp/resp_sink.h"

#include <algorithm>

#include "base/status.h"
#include "engine/values/rope.h"

namespace cairn {

RespSink::RespSink(ErrorListener on_error)
    : on_error_(std::move(on_error)),
      buffer_(new char[kBufferBytes]),
      start_(buffer_.get()),
      position_(buffer_.get()),
      end_(buffer_.get() + kBufferBytes) {}

RespSink::~RespSink() = default;

void RespSink::Spill() {
  if (position_ == start_) return;
  CAIRN_CHECK(queue_ != nullptr);
  queue_->Append(gathered());
  position_ = start_;
}

void RespSink::Rewind(uint64_t mark) {
  if (mark < queue_->end_offset()) {
    queue_->TruncateTo(mark);
    position_ = start_;
  } else {
    position_ = start_ + (mark - queue_->end_offset());
  }
}

char* RespSink::SlowRoom(size_t bytes) {
  Spill();
  if (on_spill_) on_spill_();
  return static_cast<size_t>(end_ - position_) >= bytes ? position_ : nullptr;
}

void RespSink::Raw(std::string_view bytes) {
  char* to = Room(bytes.size());
  if (to == nullptr) {
    Spill();
    queue_->Append(bytes);
    if (on_spill_) on_spill_();
    return;
  }
  std::memcpy(to, bytes.data(), bytes.size());
  position_ = to + bytes.size();
}

void RespSink::LargeBulk(char type, std::string_view prefix, std::string_view bytes) {
  WriteNumberLine(type, static_cast<int64_t>(prefix.size() + bytes.size()));
  Raw(prefix);
  Raw(bytes);
  Raw("\r\n");
}

void RespSink::Line(char type, std::string_view text) {
  Raw(std::string_view(&type, 1));
  if (text.find_first_of("\r\n") == std::string_view::npos) [[likely]] {
    Raw(text);
  } else {
    std::string clean(text);
    std::replace_if(
        clean.begin(), clean.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
    Raw(clean);
  }
  Raw("\r\n");
}

void RespSink::Simple(std::string_view text) {
  if (text == "OK") [[likely]] {
    Raw("+OK\r\n");
  } else {
    Line('+', text);
  }
}

void RespSink::Error(std::string_view message) {
  errors_++;
  // As Redis does: line ends go at either end of the text, and become blanks within it.
  while (message.ends_with('\r') || message.ends_with('\n')) message.remove_suffix(1);
  if (on_error_) on_error_(message);
  Line('-', message);
}

void RespSink::BulkRope(const Rope& rope) {
  WriteNumberLine('$', static_cast<int64_t>(rope.size()));
  Spill();
  for (const RopeSlice& slice : rope.slices()) queue_->Link(slice.owner, slice.offset, slice.size_bytes);
  Raw("\r\n");
}

void RespSink::Null() { Raw(protocol() == 3 ? std::string_view("_\r\n") : std::string_view("$-1\r\n")); }
void RespSink::NullArray() { Raw(protocol() == 3 ? std::string_view("_\r\n") : std::string_view("*-1\r\n")); }

void RespSink::Map(size_t pairs) {
  if (protocol() == 3) {
    WriteNumberLine('%', static_cast<int64_t>(pairs));
  } else {
    WriteNumberLine('*', static_cast<int64_t>(2 * pairs));
  }
}

void RespSink::Double(double value) {
  char buffer[kDoubleTextMaxBytes];
  const std::string_view text(buffer, static_cast<size_t>(WriteDouble(buffer, value) - buffer));
  if (protocol() == 3) {
    Line(',', text);
  } else {
    Bulk(text);
  }
}

void RespSink::BigNumber(std::string_view digits) {
  if (protocol() == 3) {
    Line('(', digits);
  } else {
    Bulk(digits);
  }
}

void RespSink::Boolean(bool value) {
  if (protocol() == 3) {
    Raw(value ? "#t\r\n" : "#f\r\n");
  } else {
    Integer(value ? 1 : 0);
  }
}

void RespSink::Verbatim(std::string_view format, std::string_view text) {
  if (protocol() != 3) return Bulk(text);
  std::string prefix(format.substr(0, 3));
  prefix.resize(3, ' ');
  prefix += ':';
  LargeBulk('=', prefix, text);
}

}  // namespace cairn
