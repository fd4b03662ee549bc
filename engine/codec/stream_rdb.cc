#include "engine/codec/stream_rdb.h"

#include <string>

#include "engine/codec/value_codec.h"
#include "engine/values/listpack.h"
#include "snapshot/rdb_string_encoder.h"

namespace cairn {
namespace {

// Gathers small pieces, so that the sink is called once for many.
class Output {
 public:
  explicit Output(RdbSink& sink) : sink_(sink) {}
  ~Output() { Flush(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void Length(uint64_t length) {
    char bytes[kRdbLengthMaxBytes];
    Raw({bytes, static_cast<size_t>(EncodeRdbLength(bytes, length) - bytes)});
  }
  void String(std::string_view bytes) {
    Length(bytes.size());
    Raw(bytes);
  }
  void Time(int64_t ms) {
    char bytes[8];
    StoreLittleEndian(bytes, ms);
    Raw({bytes, sizeof(bytes)});
  }
  void Id(const StreamId& id) {
    Length(id.ms);
    Length(id.seq);
  }
  void RawId(const StreamId& id) {
    char bytes[16];
    StoreLittleEndian(bytes, __builtin_bswap64(id.ms));
    StoreLittleEndian(bytes + 8, __builtin_bswap64(id.seq));
    Raw({bytes, sizeof(bytes)});
  }

 private:
  static constexpr size_t kChunkBytes = 4096;
  void Raw(std::string_view bytes) {
    if (buffer_.size() + bytes.size() > kChunkBytes) Flush();
    if (bytes.size() > kChunkBytes) {
      sink_.Append(bytes);
    } else {
      buffer_.append(bytes);
    }
  }
  void Flush() {
    if (!buffer_.empty()) sink_.Append(buffer_);
    buffer_.clear();
  }

  RdbSink& sink_;
  std::string buffer_;
};

// A block as Redis's listpack. Each entry ends with the number of elements before, so that it can be read backwards.
void BuildListpack(const StreamBlock& block, ListpackBuilder* listpack) {
  listpack->Clear();
  listpack->Add(int64_t{block.live_count()});
  listpack->Add(int64_t{block.deleted_count()});
  listpack->Add(int64_t{block.name_count()});
  std::string_view name, value;
  BlockCursor names(block);
  names.Next();  // the first entry, whose names are the block's
  for (uint32_t i = 0; i < names.field_count(); i++) {
    names.ReadField(&name, &value);
    listpack->Add(name);
  }
  listpack->Add(int64_t{0});
  for (BlockCursor entry(block); entry.Next();) {
    constexpr int64_t kDeleted = 1, kSameFields = 2;
    const auto count = int64_t{entry.field_count()};
    listpack->Add((entry.deleted() ? kDeleted : 0) + (entry.same_fields() ? kSameFields : 0));
    listpack->Add(static_cast<int64_t>(entry.id().ms - block.first().ms));
    listpack->Add(static_cast<int64_t>(entry.id().seq - block.first().seq));
    if (!entry.same_fields()) listpack->Add(count);
    for (int64_t i = 0; i < count; i++) {
      entry.ReadField(&name, &value);
      if (!entry.same_fields()) listpack->Add(name);
      listpack->Add(value);
    }
    listpack->Add(entry.same_fields() ? count + 3 : 2 * count + 4);
  }
}

void EncodeBlocks(const Stream& stream, Output* out) {
  out->Length(stream.block_count());
  ListpackBuilder listpack;
  Stream::BlockTree::Path path;
  for (bool more = stream.blocks().First(&path); more; more = Stream::BlockTree::Next(&path)) {
    constexpr uint64_t kIdBytes = 16;
    out->Length(kIdBytes);
    out->RawId(path.leaf()->first());
    BuildListpack(*path.leaf(), &listpack);
    out->String(listpack.listpack());
  }
}

void EncodeGroup(const StreamGroup& group, bool active_times, Output* out) {
  out->String(group.name());
  out->Id(group.last_id);
  out->Length(static_cast<uint64_t>(group.entries_read));
  out->Length(group.pending().size());
  for (auto at = group.pending().First(); at.valid(); at.Next()) {
    out->RawId(at->id);
    out->Time(at->delivery_ms);
    out->Length(static_cast<uint64_t>(at->delivery_count));
  }
  out->Length(group.consumers().size());
  for (const StreamConsumer* consumer : group.consumers()) {
    out->String(consumer->name());
    out->Time(consumer->seen_ms());
    if (active_times) out->Time(consumer->active_ms());
    out->Length(consumer->pending().size());
    for (auto at = consumer->pending().First(); at.valid(); at.Next()) out->RawId(at->id);
  }
}

void EncodeProducers(const StreamProducers& producers, Output* out) {
  out->Length(producers.duration_s());
  out->Length(producers.max_size());
  out->Length(producers.added);
  out->Length(producers.duplicates);
  out->Length(producers.producers().size());
  for (const StreamProducer* producer : producers.producers()) {
    out->String(producer->name());
    out->Length(producer->messages().size());
    for (const StreamProducer::Message& message : producer->messages()) {
      out->String(message.message_id);
      out->Id(message.id);
    }
  }
}

bool HasUnowned(const StreamGroup& group) {
  uint64_t owned = 0;
  for (const StreamConsumer* consumer : group.consumers()) owned += consumer->pending().size();
  return owned != group.pending().size();
}

}  // namespace

uint8_t StreamRdbType(const Stream& stream) {
  if (stream.producers() != nullptr && stream.producers()->used()) return kRdbTypeStreamExtended;
  for (const StreamGroup* group : stream.groups()) {
    if (HasUnowned(*group)) return kRdbTypeStreamExtended;
  }
  return kRdbTypeStreamListpacks2;
}

void EncodeStream(const Stream& stream, RdbSink& sink) {
  const bool extended = StreamRdbType(stream) == kRdbTypeStreamExtended;
  Output out(sink);
  EncodeBlocks(stream, &out);
  out.Length(stream.length());
  out.Id(stream.last_id);
  out.Id(stream.first_id());
  out.Id(stream.max_deleted_id);
  out.Length(stream.entries_added);
  out.Length(stream.groups().size());
  for (const StreamGroup* group : stream.groups()) EncodeGroup(*group, extended, &out);
  if (extended) EncodeProducers(stream.producers() != nullptr ? *stream.producers() : StreamProducers(), &out);
}

}  // namespace cairn
