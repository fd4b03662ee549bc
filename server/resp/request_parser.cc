#include "server/resp/request_parser.h"

#include <algorithm>
#include <climits>
#include <cstring>

#include "base/numbers.h"
#include "server/resp/inline_args.h"

namespace cairn {
namespace {

constexpr uint64_t kLargeFirstStepBytes = 256 * 1024;
constexpr uint64_t kLargeGrowthFactor = 4;

// What the smallest argument takes, and so what is behind the count line of any whole request and, line included, from any size line on.
constexpr ptrdiff_t kLeastArgumentBytes = 6;  // "$0\r\n\r\n"

// A "<type><digits>\r\n" line with 3 to 9 digits, the first not 0: its bytes; 0 where it is anything else or ends at `end`.
size_t ReadLongNumberLine(const char* at, const char* end, int64_t* number) {
  uint32_t value = 0;
  const char* const limit = std::min(end - 1, at + 11);
  for (const char* digit = at + 1; digit < limit; digit++) {
    const uint32_t next = static_cast<uint8_t>(*digit) - '0';
    if (next > 9) {
      if (digit[0] != '\r' || digit[1] != '\n') return 0;
      *number = value;
      return static_cast<size_t>(digit + 2 - at);
    }
    value = value * 10 + next;
  }
  return 0;
}

// A "<type><digits>\r\n" line at `at`, from where there are at least kLeastArgumentBytes: its bytes; 0 where it is not there as a whole
// with a plain number of up to 9 digits.
inline size_t ReadShortNumberLine(const char* at, const char* end, int64_t* number) {
  const uint32_t first = static_cast<uint8_t>(at[1]) - '0';
  if (first > 9) return 0;
  if (at[2] == '\r') {
    *number = first;
    return at[3] == '\n' ? 4 : 0;
  }
  const uint32_t second = static_cast<uint8_t>(at[2]) - '0';
  if (first == 0 || second > 9) return 0;
  if (at[3] == '\r') {
    *number = first * 10 + second;
    return at[4] == '\n' ? 5 : 0;
  }
  return ReadLongNumberLine(at, end, number);
}

}  // namespace

std::span<char> PartialRequest::DirectRoom() {
  if (large_announced_ == 0) return {};
  if (large_filled_ == large_.size()) {
    SharedBytes larger =
        SharedBytes::Allocate(static_cast<size_t>(std::min(large_announced_, large_.size() * kLargeGrowthFactor)));
    std::memcpy(larger.mutable_data(), large_.view().data(), large_filled_);
    large_ = std::move(larger);
  }
  return {large_.mutable_data() + large_filled_, static_cast<size_t>(large_.size() - large_filled_)};
}

void PartialRequest::DirectFilled(size_t bytes) {
  large_filled_ += bytes;
  if (large_filled_ == large_announced_) FinishLarge();
}

void PartialRequest::FinishLarge() {
  arguments_.push_back({0, large_.size(), static_cast<int>(owners_.size())});
  held_bytes_ += large_.size();
  owners_.push_back(std::move(large_));
  large_ = SharedBytes();
  large_announced_ = large_filled_ = 0;
  missing_--;
  bulk_size_ = -1;
  position_ += 2;  // the line end behind it
}

RequestParser::Step RequestParser::Fail(std::string_view text) {
  error_ = "Protocol error: ";
  error_ += text;
  return Step::kError;
}

RequestParser::Step RequestParser::CheckCount(int64_t count, const Limits& limits) {
  if (count > INT_MAX) return Fail("invalid multibulk length");
  if (count > kUnauthenticatedArguments && !limits.authenticated) return Fail("unauthenticated multibulk length");
  return Step::kDone;
}

RequestParser::Step RequestParser::CheckBulkSize(int64_t size, const Limits& limits) {
  if (size < 0 || size > limits.max_bulk_bytes) return Fail("invalid bulk length");
  if (size > kUnauthenticatedBulkBytes && !limits.authenticated) return Fail("unauthenticated bulk length");
  return Step::kDone;
}

RequestParser::Line RequestParser::ReadNumberLine(std::string_view input, size_t position, int64_t* number, size_t* next) {
  const size_t end = input.find('\r', position);
  if (end == std::string_view::npos) return input.size() - position > kLineMaxBytes ? Line::kTooLong : Line::kMore;
  if (end + 2 > input.size()) return Line::kMore;
  *next = end + 2;
  return ParseInt64(input.substr(position + 1, end - position - 1), number) ? Line::kOk : Line::kBadNumber;
}

RequestParser::Step RequestParser::ParseWhole(std::string_view input, const Limits& limits, std::vector<std::string_view>* args,
                                              size_t* consumed) {
  const char* const begin = input.data();
  const char* const end = begin + input.size();
  if (end - begin < kLeastArgumentBytes || !limits.authenticated) return Step::kMore;
  int64_t count = 0;
  size_t size = ReadShortNumberLine(begin, end, &count);
  const char* at = begin + size;
  // Room is made for arguments that may be there, not for a count alone.
  if (size == 0 || count <= 0 || count > (end - at) / kLeastArgumentBytes) return Step::kMore;
  const size_t first = args->size();
  args->resize(first + static_cast<size_t>(count));
  std::string_view* const last = args->data() + args->size();
  for (std::string_view* arg = args->data() + first; arg != last; arg++) {
    int64_t bulk = 0;
    size = end - at >= kLeastArgumentBytes && *at == '$' ? ReadShortNumberLine(at, end, &bulk) : 0;
    const int64_t there = end - at - static_cast<ptrdiff_t>(size) - 2;
    if (size == 0 || bulk > limits.max_bulk_bytes || bulk > there) {
      args->resize(first);
      return Step::kMore;
    }
    *arg = {at + size, static_cast<size_t>(bulk)};
    at += size + static_cast<size_t>(bulk) + 2;
  }
  *consumed = static_cast<size_t>(at - begin);
  return Step::kDone;
}

RequestParser::Step RequestParser::ParseBulk(std::string_view input, const Limits& limits, PartialRequest& partial) {
  if (partial.bulk_size_ < 0) {
    if (partial.position_ >= input.size()) return Step::kMore;
    int64_t size = 0;
    size_t next = 0;
    const Line line = ReadNumberLine(input, partial.position_, &size, &next);
    if (line == Line::kMore) return Step::kMore;
    if (line == Line::kTooLong) return Fail("too big bulk count string");
    if (input[partial.position_] != '$') {
      const Step failed = Fail("expected '$', got '");
      error_ += input[partial.position_];
      error_ += "'";
      return failed;
    }
    if (line == Line::kBadNumber) return Fail("invalid bulk length");
    if (CheckBulkSize(size, limits) == Step::kError) return Step::kError;
    partial.bulk_size_ = size;
    partial.position_ = next;
  }
  const size_t size = static_cast<size_t>(partial.bulk_size_);
  const size_t there = input.size() - partial.position_;
  if (there >= size + 2) {
    partial.arguments_.push_back({partial.position_, size, -1});
    partial.position_ += size + 2;
    partial.bulk_size_ = -1;
    partial.missing_--;
    return Step::kDone;
  }
  if (size <= kLargeBulkBytes || there >= size) return Step::kMore;
  partial.large_ =
      SharedBytes::Allocate(static_cast<size_t>(std::min<uint64_t>(size, std::max<uint64_t>(kLargeFirstStepBytes, there))));
  std::memcpy(partial.large_.mutable_data(), input.data() + partial.position_, there);
  partial.large_announced_ = size;
  partial.large_filled_ = there;
  partial.cut_at_ = partial.position_;
  return Step::kMore;
}

RequestParser::Step RequestParser::ParseArray(std::string_view input, const Limits& limits, PartialRequest& partial) {
  if (partial.reading_direct()) return Step::kMore;
  if (partial.missing_ < 0) {
    int64_t count = 0;
    size_t next = 0;
    const Line line = ReadNumberLine(input, 0, &count, &next);
    if (line == Line::kMore) return Step::kMore;
    if (line == Line::kTooLong) return Fail("too big mbulk count string");
    if (line == Line::kBadNumber) return Fail("invalid multibulk length");
    if (CheckCount(count, limits) == Step::kError) return Step::kError;
    partial.missing_ = std::max<int64_t>(count, 0);
    partial.position_ = next;
  }
  while (partial.missing_ > 0) {
    const Step step = ParseBulk(input, limits, partial);
    if (step != Step::kDone) return step;
  }
  // Behind a large bulk string its line end is skipped, perhaps before it arrived.
  return partial.position_ <= input.size() ? Step::kDone : Step::kMore;
}

RequestParser::Step RequestParser::ParseInline(std::string_view input, std::unique_ptr<PartialRequest>& partial,
                                               size_t* consumed) {
  const size_t newline = input.find('\n', partial != nullptr ? partial->position_ : 0);
  if (newline == std::string_view::npos) {
    if (input.size() > kLineMaxBytes) return Fail("too big inline request");
    if (partial == nullptr) partial = std::make_unique<PartialRequest>();
    partial->inline_scanned_ = true;
    partial->position_ = input.size();
    return Step::kMore;
  }
  partial.reset();
  const bool carriage_return = newline > 0 && input[newline - 1] == '\r';
  if (!SplitInline(input.substr(0, carriage_return ? newline - 1 : newline), &words_))
    return Fail("unbalanced quotes in request");
  *consumed = newline + 1;
  return Step::kDone;
}

void RequestParser::Emit(std::string_view input, PartialRequest& partial, std::vector<std::string_view>* args) {
  owners_.clear();
  if (!partial.owners_.empty()) owners_.resize(partial.arguments_.size());
  for (size_t i = 0; i < partial.arguments_.size(); i++) {
    const PartialRequest::Argument& argument = partial.arguments_[i];
    if (argument.owner >= 0) {
      owners_[i] = partial.owners_[static_cast<size_t>(argument.owner)];
      args->push_back(owners_[i].view());
    } else {
      args->push_back(input.substr(argument.offset, argument.size));
    }
  }
}

RequestParser::Result RequestParser::Next(std::string_view input, const Limits& limits, std::unique_ptr<PartialRequest>& partial,
                                          std::vector<std::string_view>* args) {
  size_t skipped = 0;
  while (skipped < input.size() || partial != nullptr) {
    const std::string_view rest = input.substr(skipped);
    size_t consumed = 0;
    const bool is_array = partial != nullptr ? !partial->inline_scanned_ : rest[0] == '*';
    if (!is_array) {
      const Step step = ParseInline(rest, partial, &consumed);
      if (step == Step::kError) return {Kind::kError, skipped, skipped};
      if (step == Step::kMore) return {Kind::kIncomplete, skipped, skipped};
      if (words_.empty()) {
        skipped += consumed;
        continue;
      }
      owners_.clear();
      for (const std::string& word : words_) args->push_back(word);
      return {Kind::kRequest, skipped, skipped + consumed, true};
    }
    if (partial == nullptr && ParseWhole(rest, limits, args, &consumed) == Step::kDone) [[likely]] {
      return {Kind::kRequest, skipped, skipped + consumed, false};
    }
    if (partial == nullptr) partial = std::make_unique<PartialRequest>();
    const Step step = ParseArray(rest, limits, *partial);
    if (step == Step::kError) return {Kind::kError, skipped, skipped};
    if (step == Step::kMore) return {Kind::kIncomplete, skipped, skipped};
    if (partial->arguments_.empty()) {
      skipped += partial->position_;
      partial.reset();
      continue;
    }
    Emit(rest, *partial, args);
    return {Kind::kRequest, skipped, skipped + partial->position_, true};
  }
  return {Kind::kIncomplete, skipped, skipped};
}

}  // namespace cairn
