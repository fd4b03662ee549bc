#include "base/resp_request.h"

#include "base/numbers.h"

namespace cairn {
namespace {

// "$0\r\n\r\n"
constexpr size_t kSmallestBulkBytes = 6;

char* WriteCount(char* to, char marker, size_t count) {
  *to++ = marker;
  to = WriteUint(to, count);
  *to++ = '\r';
  *to++ = '\n';
  return to;
}

}  // namespace

char* WriteRequestHeader(char* to, size_t argument_count) { return WriteCount(to, '*', argument_count); }
char* WriteBulkHeader(char* to, size_t argument_bytes) { return WriteCount(to, '$', argument_bytes); }

void AppendRequestHeader(std::string& out, size_t argument_count) {
  char text[kIntTextMaxBytes + 3];
  out.append(text, static_cast<size_t>(WriteRequestHeader(text, argument_count) - text));
}

void AppendBulk(std::string& out, std::string_view bytes) {
  char text[kIntTextMaxBytes + 3];
  out.append(text, static_cast<size_t>(WriteBulkHeader(text, bytes.size()) - text));
  out.append(bytes);
  out.append("\r\n", 2);
}

void AppendRequest(std::string& out, std::span<const std::string_view> args) {
  size_t size = RequestHeaderSize(args.size());
  for (const std::string_view arg : args) size += BulkSize(arg.size());
  // reserve() alone would grow to exactly this size each time, and copy everything again at the next request.
  if (out.capacity() - out.size() < size) out.reserve(std::max(out.size() + size, out.capacity() * 2));
  AppendRequestHeader(out, args.size());
  for (const std::string_view arg : args) AppendBulk(out, arg);
}

std::string EncodeRequest(std::span<const std::string_view> args) {
  std::string out;
  AppendRequest(out, args);
  return out;
}

std::string EncodeRequest(std::initializer_list<std::string_view> args) {
  return EncodeRequest(std::span<const std::string_view>(args.begin(), args.size()));
}

size_t BulkSize(size_t argument_bytes) { return 1 + IntTextSize(static_cast<int64_t>(argument_bytes)) + 2 + argument_bytes + 2; }
size_t RequestHeaderSize(size_t argument_count) { return 1 + IntTextSize(static_cast<int64_t>(argument_count)) + 2; }

bool RequestReader::Malformed(size_t position, std::string_view expected) {
  status_ = Status::Damaged("malformed request at offset " + std::to_string(request_offset_) + ": expected " +
                            std::string(expected) + " at offset " + std::to_string(position));
  return false;
}

bool RequestReader::EndsEarly(size_t position) {
  incomplete_ = true;
  status_ = Status::Damaged("incomplete request at offset " + std::to_string(request_offset_) + ": the bytes end at offset " +
                            std::to_string(bytes_.size()) + " inside the element at offset " + std::to_string(position));
  return false;
}

bool RequestReader::ReadCount(char marker, uint64_t limit, size_t* position, uint64_t* count) {
  const size_t start = *position;
  if (start >= bytes_.size()) return EndsEarly(start);
  if (bytes_[start] != marker) return Malformed(start, std::string_view(&marker, 1));
  size_t at = start + 1;
  while (at < bytes_.size() && at - start <= kIntTextMaxBytes && bytes_[at] >= '0' && bytes_[at] <= '9') at++;
  if (at == bytes_.size()) return EndsEarly(start);
  if (!ParseUint64(bytes_.substr(start + 1, at - start - 1), count)) return Malformed(start + 1, "a number");
  if (*count > limit) return Malformed(start + 1, "a number within its limit");
  if (bytes_[at] != '\r') return Malformed(at, "a line end");
  if (at + 1 == bytes_.size()) return EndsEarly(start);
  if (bytes_[at + 1] != '\n') return Malformed(at + 1, "a line end");
  *position = at + 2;
  return true;
}

bool RequestReader::Next() {
  if (!status_.ok() || offset_ == bytes_.size()) return false;
  request_offset_ = offset_;
  args_.clear();
  size_t at = offset_;
  uint64_t count = 0;
  if (!ReadCount('*', kMaxArguments, &at, &count)) return false;
  if (count == 0) return Malformed(request_offset_ + 1, "at least one argument");
  if (count <= (bytes_.size() - at) / kSmallestBulkBytes) args_.reserve(count);
  for (uint64_t i = 0; i < count; i++) {
    const size_t element = at;
    uint64_t size = 0;
    if (!ReadCount('$', kMaxBulkBytes, &at, &size)) return false;
    if (bytes_.size() - at < size + 2) return EndsEarly(element);
    args_.push_back(bytes_.substr(at, size));
    at += size;
    if (bytes_[at] != '\r' || bytes_[at + 1] != '\n') return Malformed(at, "a line end");
    at += 2;
  }
  offset_ = at;
  return true;
}

}  // namespace cairn
