#include "engine/keyspace/change_scope.h"

#include <string>

#include "base/numbers.h"
#include "base/resp_request.h"

namespace cairn {

void ChangeScope::TouchAll(uint64_t changes) {
  touched_stripes_.clear();
  for (uint32_t stripe = 0; stripe < kStripeCount; stripe++) touched_stripes_.push_back(static_cast<uint16_t>(stripe));
  changes_ += changes;
}

void ChangeScope::Ready(uint32_t database, std::string_view name) {
  for (const ReadyKey& key : ready_) {
    if (key.database == database && key.name == name) return;
  }
  ready_.push_back({database, std::string(name)});
}

void ChangeScope::Record(uint32_t database, std::span<const std::string_view> args, std::span<const SharedBytes> owners) {
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
  AppendRequestHeader(buffer_, args.size());
  for (size_t i = 0; i < args.size(); i++) {
    if (i >= owners.size() || owners[i].size() == 0) {
      AppendBulk(buffer_, args[i]);
      continue;
    }
    buffer_ += '$';
    AppendUint(buffer_, args[i].size());
    buffer_ += "\r\n";
    pieces_.push_back({piece_begin, buffer_.size(), SharedBytes()});
    pieces_.push_back({0, 0, owners[i]});
    piece_begin = buffer_.size();
    buffer_ += "\r\n";
  }
  if (buffer_.size() > piece_begin) pieces_.push_back({piece_begin, buffer_.size(), SharedBytes()});
}

void ChangeScope::Clear() {
  constexpr size_t kKeptBufferBytes = 64 * 1024;
  now_ms = 0;
  deletes_expired = true;
  replaying = false;
  wanted_events = 0;
  locked_shards.reset();
  buffer_.clear();
  if (buffer_.capacity() > kKeptBufferBytes) buffer_.shrink_to_fit();
  pieces_.clear();
  touched_stripes_.clear();
  read_stripes_.clear();
  events_.clear();
  ready_.clear();
  changes_ = 0;
  records_ = 0;
  first_database_ = last_database_ = 0;
  reads_all_ = false;
}

}  // namespace cairn
