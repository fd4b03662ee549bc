#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "engine/codec/stream_rdb.h"
#include "engine/codec/value_codec.h"
#include "engine/values/listpack.h"
#include "snapshot/rdb_string_decoder.h"

namespace cairn {
namespace {

// Reads pieces off the front. After a failure everything reads as nothing, so that callers may check once for several pieces.
class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool done() const { return rest_.empty(); }
  uint64_t Length() {
    uint64_t length = 0;
    bool special = false;
    const char* body = DecodeRdbLength(rest_.data(), rest_.data() + rest_.size(), &length, &special);
    if (body == nullptr || special) return Fail();
    rest_.remove_prefix(static_cast<size_t>(body - rest_.data()));
    return length;
  }
  // How many pieces of at least `each_bytes` follow: no more than there are bytes for.
  uint64_t Count(size_t each_bytes) {
    const uint64_t count = Length();
    return count <= rest_.size() / each_bytes ? count : Fail();
  }
  // The view lives until the next call.
  std::string_view String() {
    RdbString value;
    if (!DecodeRdbString(&rest_, &value, &scratch_).ok()) return Fail(), std::string_view();
    if (!value.is_int) return value.bytes;
    scratch_.clear();
    AppendInt(scratch_, value.number);
    return scratch_;
  }
  int64_t Time() {
    const std::string_view bytes = Raw(8);
    return ok_ ? LoadLittleEndian<int64_t>(bytes.data()) : 0;
  }
  StreamId Id() {
    const uint64_t ms = Length();
    return {ms, Length()};
  }
  StreamId RawId() { return FromBytes(Raw(16)); }
  StreamId FromBytes(std::string_view bytes) {
    if (bytes.size() != 16) return Fail(), StreamId();
    return {__builtin_bswap64(LoadLittleEndian<uint64_t>(bytes.data())),
            __builtin_bswap64(LoadLittleEndian<uint64_t>(bytes.data() + 8))};
  }
  uint64_t Fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

 private:
  std::string_view Raw(size_t size) {
    if (rest_.size() < size) return Fail(), std::string_view();
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  std::string_view rest_;
  std::string scratch_;
  bool ok_ = true;
};

// Turns one listpack of Redis into blocks: one, unless a deleted entry's id is not below the next one's (see Stream::Append).
class ListpackDecoder {
 public:
  ListpackDecoder(std::string_view bytes, const StreamId& first) : view_(bytes), first_(first) {}

  Status Decode(Stream* stream) {
    uint32_t elements = 0;
    // Nothing that Redis writes is longer, but for the overhead of many small elements.
    if (view_.bytes().size() > kStreamBlockMaxBytes + (64u << 20)) return Status::Damaged("a stream's block is too long");
    if (!ValidateListpack(view_.bytes(), &elements)) return Status::Damaged("a stream's block is no listpack");
    at_ = view_.begin();
    const int64_t live = Number(), deleted = Number(), names = Number();
    if (!ok_ || live < 0 || deleted < 0 || live > elements || deleted > elements || names < 0 || names > elements) {
      return Status::Damaged("a stream's block begins with impossible counts");
    }
    for (int64_t i = 0; i < names; i++) names_.push_back(Element());
    if (Number() != 0 || !ok_) return Status::Damaged("a stream's block has no end of names");
    StreamBlock* block = nullptr;
    for (int64_t i = 0; i < live + deleted && ok_; i++) DecodeEntry(stream, &block);
    Finish(stream, &block);
    if (!ok_ || at_ != view_.end()) return Status::Damaged("a stream's block has malformed entries");
    return live_ == live ? Status() : Status::Damaged("a stream's block has another number of entries than it says");
  }

 private:
  ListpackValue Read() {
    if (at_ >= view_.end()) {
      ok_ = false;
      static constexpr std::string_view kNothing = "";
      return {.bytes = kNothing};
    }
    return view_.Read(&at_);
  }
  int64_t Number() {
    const ListpackValue value = Read();
    int64_t number = value.number;
    // Another writer may have kept a number as text.
    if (!value.is_int() && !ParseInt64(value.bytes, &number)) ok_ = false;
    return number;
  }
  std::string Element() {
    std::string text;
    Read().AppendTo(&text);
    return text;
  }

  void DecodeEntry(Stream* stream, StreamBlock** block) {
    const int64_t flags = Number();
    const auto ms = static_cast<uint64_t>(Number()), seq = static_cast<uint64_t>(Number());
    const StreamId id{first_.ms + ms, first_.seq + seq};
    const bool same_fields = (flags & 2) != 0, deleted = (flags & 1) != 0;
    const int64_t count = same_fields ? static_cast<int64_t>(names_.size()) : Number();
    if (!ok_ || flags < 0 || flags > 3 || count < 0 || static_cast<uint64_t>(count) > view_.bytes().size()) {
      ok_ = false;
      return;
    }
    texts_.clear();
    fields_.clear();
    for (int64_t i = 0; i < count && ok_; i++) {
      texts_.push_back(same_fields ? names_[static_cast<size_t>(i)] : Element());
      texts_.push_back(Element());
    }
    if (Number() != (same_fields ? count + 3 : 2 * count + 4)) ok_ = false;
    // Live entries are in order; a marked one may stand anywhere.
    if (!deleted && (id <= stream->last_id || id.zero())) ok_ = false;
    // One that nobody can see is left out where it would stand before what is there: no Redis wrote that.
    if (!ok_ || (deleted && id <= stream->last_id)) return;
    fields_.assign(texts_.begin(), texts_.end());
    if (*block != nullptr && id <= (*block)->last()) Finish(stream, block);
    if (*block == nullptr) *block = StreamBlock::Create(id, fields_, 0);
    const uint32_t offset = (*block)->used_bytes();
    *block = StreamBlock::Append(*block, id, fields_);
    if (deleted) {
      (*block)->MarkDeleted(offset);
    } else {
      live_++;
      stream->last_id = id;
    }
  }

  // A run of marked entries alone is left out: nobody can see it.
  static void Finish(Stream* stream, StreamBlock** block) {
    if (*block == nullptr) return;
    if ((*block)->live_count() > 0) {
      stream->AppendBlock(StreamBlock::Shrink(*block));
    } else {
      StreamBlock::Free(*block);
    }
    *block = nullptr;
  }

  const ListpackView view_;
  const StreamId first_;
  ListpackView::Position at_ = 0;
  bool ok_ = true;
  int64_t live_ = 0;
  std::vector<std::string> names_, texts_;
  std::vector<std::string_view> fields_;
};

Status DecodeBlocks(Input* input, Stream* stream) {
  const uint64_t blocks = input->Count(16);
  for (uint64_t i = 0; i < blocks; i++) {
    const StreamId first = input->FromBytes(input->String());
    const std::string_view listpack = input->String();
    if (!input->ok()) return Status::Damaged("a stream's blocks end early");
    CAIRN_RETURN_IF_ERROR(ListpackDecoder(listpack, first).Decode(stream));
  }
  return Status();
}

Status DecodeCounters(uint8_t rdb_type, Input* input, Stream* stream) {
  const uint64_t length = input->Length();
  const StreamId last_live = stream->last_id;
  stream->last_id = input->Id();
  stream->entries_added = length;
  stream->UpdateFirstId();
  if (rdb_type != kRdbTypeStreamListpacks) {
    input->Id();  // the first entry's, which the blocks say
    stream->max_deleted_id = input->Id();
    stream->entries_added = input->Length();
  }
  if (!input->ok()) return Status::Damaged("a stream's counters end early");
  if (length != stream->length()) return Status::Damaged("a stream has another number of entries than it says");
  if (stream->last_id < last_live) return Status::Damaged("a stream's last id is below an entry's");
  return Status();
}

Status DecodePending(Input* input, StreamGroup* group) {
  const uint64_t pending = input->Count(25);
  for (uint64_t i = 0; i < pending; i++) {
    PendingEntry entry{.id = input->RawId()};
    entry.delivery_ms = input->Time();
    entry.delivery_count = static_cast<int64_t>(input->Length());
    if (!input->ok() || entry.delivery_count < 0) return Status::Damaged("a group's pending entries end early");
    if (group->pending().Find(entry.id) != nullptr) return Status::Damaged("an entry is pending twice in one group");
    group->Deliver(entry);
  }
  return Status();
}

Status DecodeConsumer(bool active_times, Input* input, StreamGroup* group) {
  const std::string name(input->String());
  if (!input->ok()) return Status::Damaged("a consumer is cut off");
  if (group->FindConsumer(name) != nullptr) return Status::Damaged("Duplicate stream consumer detected");
  const int64_t seen_ms = input->Time();
  const ConsumerSlot slot = group->CreateConsumer(name, seen_ms);
  group->SetActive(slot, active_times ? input->Time() : seen_ms);  // as Redis takes it where it is not told
  const uint64_t pending = input->Count(16);
  for (uint64_t i = 0; i < pending; i++) {
    const PendingEntry* entry = group->pending().Find(input->RawId());
    if (!input->ok() || entry == nullptr || entry->consumer != kNoConsumer) {
      return Status::Damaged("a consumer's pending entry is not its group's, or another consumer's");
    }
    PendingEntry owned = *entry;
    owned.consumer = slot;
    group->Deliver(owned);
  }
  return input->ok() ? Status() : Status::Damaged("a consumer ends early");
}

// The pending entries without a consumer in their order.
Status DecodeGivenBack(Input* input, StreamGroup* group) {
  const uint64_t count = input->Count(16);
  if (!input->ok() || count != group->nacked_count()) return Status::Damaged("a pending entry has no consumer");
  std::vector<StreamId> ids;
  for (uint64_t i = 0; i < count; i++) {
    const StreamId id = input->RawId();
    const PendingEntry* entry = group->pending().Find(id);
    if (entry == nullptr || entry->consumer != kNoConsumer) {
      return Status::Damaged("an entry that was given back is not pending, or has a consumer");
    }
    group->GiveBack(id, entry->delivery_count);
    ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  const bool twice = std::adjacent_find(ids.begin(), ids.end()) != ids.end();
  return twice ? Status::Damaged("an entry was given back twice") : Status();
}

Status DecodeGroup(uint8_t rdb_type, Input* input, Stream* stream) {
  const std::string name(input->String());
  const StreamId last = input->Id();
  const int64_t entries_read =
      rdb_type == kRdbTypeStreamListpacks ? stream->CountUpTo(last) : static_cast<int64_t>(input->Length());
  if (!input->ok()) return Status::Damaged("a group ends early");
  StreamGroup* group = stream->CreateGroup(name, last, entries_read);
  if (group == nullptr) return Status::Damaged("a group is there twice");
  CAIRN_RETURN_IF_ERROR(DecodePending(input, group));
  const bool active_times = rdb_type >= kRdbTypeStreamListpacks3;
  const uint64_t consumers = input->Count(10);
  for (uint64_t i = 0; i < consumers; i++) CAIRN_RETURN_IF_ERROR(DecodeConsumer(active_times, input, group));
  if (!input->ok()) return Status::Damaged("a group's consumers end early");
  if (rdb_type == kRdbTypeStreamListpacks5) return DecodeGivenBack(input, group);
  if (rdb_type != kRdbTypeStreamExtended && group->nacked_count() > 0) return Status::Damaged("a pending entry has no consumer");
  group->RestorePlaces();
  return Status();
}

Status DecodeProducers(uint8_t rdb_type, Input* input, Stream* stream) {
  const bool counters_first = rdb_type == kRdbTypeStreamExtended;
  auto read = std::make_unique<StreamProducers>();
  StreamProducers& producers = *read;
  const uint64_t duration_s = input->Length(), max_size = input->Length();
  if (!input->ok() || duration_s < 1 || duration_s > kProducerDurationMaxS || max_size < 1 || max_size > kProducerSizeMax) {
    return Status::Damaged("a stream's producers have impossible windows");
  }
  producers.Configure(static_cast<uint32_t>(duration_s), static_cast<uint32_t>(max_size));
  const auto read_counters = [&] {
    producers.added = input->Length();
    producers.duplicates = input->Length();
  };
  if (counters_first) read_counters();
  const uint64_t count = input->Count(2);
  for (uint64_t i = 0; i < count; i++) {
    const std::string name(input->String());
    const uint64_t messages = input->Count(3);
    for (uint64_t m = 0; m < messages; m++) {
      const std::string message_id(input->String());
      const StreamId id = input->Id();
      if (!input->ok() || producers.FindAny(name, message_id) != nullptr) {
        return Status::Damaged("a producer's message is cut off, or there twice");
      }
      producers.Add(name, message_id, id);
    }
  }
  if (!counters_first) read_counters();
  if (!input->ok()) return Status::Damaged("a stream's producers end early");
  if (producers.used()) stream->SetProducers(std::move(read));  // Redis writes down of every stream that it has none
  return Status();
}

}  // namespace

Status DecodeStream(uint8_t rdb_type, std::string_view bytes, LoadedValue* value) {
  Input input(bytes);
  auto decoded = std::make_unique<Stream>();
  CAIRN_RETURN_IF_ERROR(DecodeBlocks(&input, decoded.get()));
  CAIRN_RETURN_IF_ERROR(DecodeCounters(rdb_type, &input, decoded.get()));
  const uint64_t groups = input.Count(6);
  for (uint64_t i = 0; i < groups; i++) CAIRN_RETURN_IF_ERROR(DecodeGroup(rdb_type, &input, decoded.get()));
  if (rdb_type >= kRdbTypeStreamListpacks4 && input.ok()) {
    CAIRN_RETURN_IF_ERROR(DecodeProducers(rdb_type, &input, decoded.get()));
  }
  if (!input.ok() || !input.done()) return Status::Damaged("a stream's bytes end early, or go on behind its end");
  value->type = ValueType::kStream;
  value->encoding = Encoding::kLarge;
  value->large = std::move(decoded);
  return Status();
}

}  // namespace cairn
