#include "tests/snapshot/snapshot_fixture.h"

#include <algorithm>

namespace cairn {

std::string RandomBytes(size_t size_bytes, uint64_t seed) {
  std::string bytes(size_bytes, '\0');
  uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
  for (char& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

EntryHead HeadOf(uint32_t database, const StoredEntry& entry) {
  return {.database = database,
          .value_type = entry.value_type,
          .access_kind = entry.access_kind,
          .has_expiry = entry.has_expiry,
          .access = entry.access,
          .expiry_unix_ms = entry.expiry_unix_ms};
}

SnapshotContent MakeContent(size_t count, uint16_t shards, bool big) {
  SnapshotContent content;
  for (size_t i = 0; i < count; i++) {
    StoredEntry entry;
    entry.shard = static_cast<uint16_t>(i % shards);
    entry.value_type = static_cast<uint8_t>(i % 7);
    entry.has_expiry = i % 3 == 0;
    entry.expiry_unix_ms = entry.has_expiry ? 1700000000000 + static_cast<int64_t>(i) : 0;
    entry.access_kind = static_cast<AccessKind>(i % 3);
    entry.access = entry.access_kind == AccessKind::kNone ? 0 : static_cast<uint32_t>(i * 77777 % (1 << 24));
    entry.value = i % 2 == 0 ? std::string(i % 100, 'v') : RandomBytes(i % 100, i);
    content.entries[{static_cast<uint32_t>(i % 5 == 4 ? 300 : i % 5), "key:" + std::to_string(i)}] = entry;
  }
  content.entries[{0, ""}] = {.shard = 0, .value = ""};
  content.entries[{0, std::string("\0binary\xff", 8)}] = {.shard = 0, .value = std::string(3, '\0')};
  content.sections["functions"] = "not known here";
  content.sections["nothing"] = "";
  if (!big) return content;
  const size_t sizes[] = {kInlineEntryMaxBytes - 10, kInlineEntryMaxBytes + 1, 3 * kBlockTargetBytes, 1'000'003};
  for (const size_t size : sizes) {
    StoredEntry entry{.shard = static_cast<uint16_t>(size % shards), .has_expiry = true, .expiry_unix_ms = 5};
    entry.value = RandomBytes(size, size);
    content.entries[{2, "big" + std::to_string(size)}] = entry;
    entry.value = std::string(size, 'z');
    content.entries[{3, RandomBytes(size, 1)}] = entry;  // the key is big as well
  }
  content.sections["large"] = RandomBytes(kBlockTargetBytes, 3) + std::string(kBlockTargetBytes, 'x');
  return content;
}

namespace {

Status WriteBig(SnapshotWriter& writer, const EntryKey& key, const StoredEntry& entry) {
  CAIRN_ASSIGN_OR_RETURN(auto big, writer.BeginBigEntry(entry.shard, HeadOf(key.first, entry), key.second, entry.value.size()));
  for (size_t at = 0; at < entry.value.size(); at += 100'000) {
    CAIRN_RETURN_IF_ERROR(big->Append(std::string_view(entry.value).substr(at, 100'000)));
  }
  return big->Finish();
}

}  // namespace

Result<SnapshotInfo> WriteContent(FileSystem& fs, const std::string& directory, Lsn lsn, const SnapshotContent& content,
                                  SnapshotWriterOptions options) {
  CAIRN_ASSIGN_OR_RETURN(auto writer, SnapshotWriter::Create(fs, directory, lsn, options));
  std::map<uint16_t, EntryBlock> blocks;
  for (const auto& [key, entry] : content.entries) {
    if (EntryBlock::IsBig(key.second.size(), entry.value.size())) {
      CAIRN_RETURN_IF_ERROR(WriteBig(*writer, key, entry));
      continue;
    }
    EntryBlock& block = blocks.try_emplace(entry.shard, entry.shard, options.block_bytes).first->second;
    block.Append({HeadOf(key.first, entry), key.second, entry.value});
    if (block.full()) CAIRN_RETURN_IF_ERROR(writer->AddBlock(block));
  }
  for (auto& [shard, block] : blocks) CAIRN_RETURN_IF_ERROR(writer->AddBlock(block));
  for (const auto& [name, bytes] : content.sections) {
    CAIRN_RETURN_IF_ERROR(writer->AddSection(name, bytes));
  }
  return writer->Finish();
}

namespace {

StoredEntry ToStored(uint16_t shard, const EntryHead& head, std::string value) {
  return {.shard = shard,
          .value_type = head.value_type,
          .has_expiry = head.has_expiry,
          .expiry_unix_ms = head.expiry_unix_ms,
          .access_kind = head.access_kind,
          .access = head.access,
          .value = std::move(value)};
}

Status ReadBig(const SnapshotReader& reader, size_t i, SnapshotContent* content) {
  CAIRN_ASSIGN_OR_RETURN(auto big, reader.OpenBigEntry(i));
  std::string value;
  for (;;) {
    CAIRN_ASSIGN_OR_RETURN(const std::string_view part, big->NextPart());
    if (part.empty()) break;
    value.append(part);
  }
  if (value.size() != big->value_bytes()) return Status::Internal("value size");
  content->entries[{big->head().database, std::string(big->key())}] =
      ToStored(reader.block(i).header.shard, big->head(), std::move(value));
  return Status();
}

}  // namespace

Result<SnapshotContent> ReadContent(const SnapshotReader& reader) {
  SnapshotContent content;
  BlockBuffer buffer;
  for (size_t i = 0; i < reader.block_count(); i++) {
    const BlockHeader& header = reader.block(i).header;
    if (header.kind == BlockKind::kBigEntry && header.first()) {
      CAIRN_RETURN_IF_ERROR(ReadBig(reader, i, &content));
    }
    if (header.kind != BlockKind::kEntries) continue;
    CAIRN_ASSIGN_OR_RETURN(const std::string_view bytes, reader.ReadBlock(i, buffer));
    EntryReader entries(bytes, header.entry_count);
    for (EntryView entry; entries.Next(&entry);) {
      content.entries[{entry.head.database, std::string(entry.key)}] =
          ToStored(header.shard, entry.head, std::string(entry.value));
    }
    CAIRN_RETURN_IF_ERROR(reader.Located(i, entries.status()));
  }
  for (const std::string& name : reader.section_names()) {
    CAIRN_ASSIGN_OR_RETURN(content.sections[name], reader.ReadSection(name));
  }
  return content;
}

Result<SnapshotContent> OpenAndRead(FileSystem& fs, const std::string& directory, const SnapshotInfo& info) {
  CAIRN_ASSIGN_OR_RETURN(auto reader, SnapshotReader::Open(fs, directory, info));
  return ReadContent(*reader);
}

}  // namespace cairn
