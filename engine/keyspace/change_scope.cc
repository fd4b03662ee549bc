#include "engine/keyspace/change_scope.h"

#include <algorithm>
#include <string>

#include "base/numbers.h"
#include "base/resp_request.h"
#include "base/scratch.h"

namespace cairn {

void ChangeScope::TouchAll(uint64_t changes) {
  touched_stripes_.clear();
  for (uint32_t stripe = 0; stripe < kStripeCount; stripe++) touched_stripes_.push_back(static_cast<uint16_t>(stripe));
  changes_ += changes;
}

void ChangeScope::Ready(uint32_t database, std::string_view name) {
  constexpr size_t kListedMost = 16;  // so few are found as fast without an index
  if (ready_.size() < kListedMost) {
    for (const ReadyKey& key : ready_) {
      if (key.database == database && key.name == name) return;
    }
  } else {
    if (ready_index_.empty()) {
      for (const ReadyKey& key : ready_) ready_index_.emplace(key.database, key.name);
    }
    if (!ready_index_.emplace(database, name).second) return;
  }
  ready_.push_back({database, std::string(name)});
}

void ChangeScope::Record(uint32_t database, std::span<const std::string_view> args, std::span<const SharedBytes> owners) {
  if (counts_only) {
    records_++;
    for (const std::string_view arg : args) counted_bytes_ += 1 + arg.size();
    return;
  }
  size_t piece_begin = buffer_.size();
  if (!pieces_.empty() && pieces_.back().shared.size() == 0) {
    piece_begin = pieces_.back().begin;
    pieces_.pop_back();
  }
  if (records_ == 0) {
    first_database_ = database;
  } else if (database != last_database_) {
    const std::string number = std::to_string(database);
    const std::string_view select[] = {"SELECT", number};
    AppendRequest(buffer_, select);
  }
  last_database_ = database;
  records_++;
  // Every write command passes here: the room is made at once, and what is written then goes straight to its place.
  const auto is_linked = [&](size_t i) { return i < owners.size() && owners[i].size() > 0; };
  constexpr size_t kFramingBytes = 1 + kIntTextMaxBytes + 2 + 2;
  size_t room = kFramingBytes * (args.size() + 1);
  for (size_t i = 0; i < args.size(); i++) room += is_linked(i) ? 0 : args[i].size();
  size_t end = buffer_.size();
  buffer_.resize(end + room);
  char* to = WriteRequestHeader(buffer_.data() + end, args.size());
  for (size_t i = 0; i < args.size(); i++) {
    to = WriteBulkHeader(to, args[i].size());
    if (is_linked(i)) {
      end = static_cast<size_t>(to - buffer_.data());
      pieces_.push_back({piece_begin, end, SharedBytes()});
      pieces_.push_back({0, 0, owners[i]});
      piece_begin = end;
    } else {
      to = std::copy(args[i].begin(), args[i].end(), to);
    }
    *to++ = '\r';
    *to++ = '\n';
  }
  buffer_.resize(static_cast<size_t>(to - buffer_.data()));
  if (buffer_.size() > piece_begin) pieces_.push_back({piece_begin, buffer_.size(), SharedBytes()});
}

void ChangeScope::Clear() {
  constexpr size_t kKeptBufferBytes = 64 * 1024;
  now_ms = 0;
  deletes_expired = true;
  replaying = false;
  wanted_events = 0;
  locked_shards.reset();
  counts_only = false;
  buffer_.clear();
  if (buffer_.capacity() > kKeptBufferBytes) buffer_.shrink_to_fit();
  ClearScratch(pieces_);
  ClearScratch(touched_stripes_);
  ClearScratch(read_stripes_);
  ClearScratch(events_);
  ClearScratch(ready_);
  if (!ready_index_.empty()) [[unlikely]]
    ready_index_.clear();
  changes_ = 0;
  records_ = 0;
  counted_bytes_ = 0;
  first_database_ = last_database_ = 0;
  reads_all_ = false;
}

}  // namespace cairn
