#include "snapshot/snapshot_survey.h"

#include <lz4.h>

#include <memory>
#include <utility>

#include "snapshot/snapshot_directory.h"
#include "snapshot/snapshot_opener.h"

namespace cairn {
namespace {

class Surveyor {
 public:
  Surveyor(const SnapshotReader& reader, const SnapshotEntryCallback& on_entry, const SnapshotPaceCallback& on_block,
           SnapshotSurvey* survey)
      : reader_(reader), on_entry_(on_entry), on_block_(on_block), survey_(*survey) {}

  Status Run() {
    for (size_t i = 0; i < reader_.block_count(); i++) {
      CAIRN_RETURN_IF_ERROR(SurveyBlock(i));
      if (on_block_) CAIRN_RETURN_IF_ERROR(on_block_(reader_.block(i).header.stored_bytes));
    }
    return Status();
  }

 private:
  Status SurveyBlock(size_t i) {
    const BlockHeader& header = reader_.block(i).header;
    bool healed;
    const Result<std::string_view> bytes = reader_.ReadBlockByIndex(i, buffer_, &healed);
    if (!bytes.ok() && bytes.status().code() != StatusCode::kDamaged) return bytes.status();
    if (healed) AddFault(i, Status::Damaged("the block's own header is damaged; the index has it"), 0);
    if (!bytes.ok()) {
      AddFault(i, bytes.status(), header.kind == BlockKind::kEntries ? header.entry_count : 1).sample = Guess(i);
      return Status();
    }
    if (header.kind == BlockKind::kEntries) return SurveyEntries(i, *bytes);
    return header.kind == BlockKind::kBigEntry && header.first() ? SurveyBigEntry(i) : Status();
  }

  Status SurveyEntries(size_t i, std::string_view bytes) {
    EntryReader entries(bytes, reader_.block(i).header.entry_count);
    for (EntryView entry; entries.Next(&entry);) CAIRN_RETURN_IF_ERROR(TakeEntry(i, entry));
    if (!entries.status().ok()) AddFault(i, entries.status(), 1);
    return Status();
  }

  Status SurveyBigEntry(size_t i) {
    Result<std::unique_ptr<BigEntryReader>> big = reader_.OpenBigEntry(i);
    std::string value;
    Status status = big.status();
    while (status.ok()) {
      const Result<std::string_view> part = (*big)->NextPart();
      status = part.status();
      if (!part.ok() || part->empty()) break;
      if (on_entry_) value += *part;
    }
    // The piece that is damaged is reported where it stands.
    if (!status.ok()) return status.code() == StatusCode::kDamaged ? Status() : status;
    return TakeEntry(i, {.head = (*big)->head(), .key = (*big)->key(), .value = value});
  }

  Status TakeEntry(size_t i, const EntryView& entry) {
    Status status = on_entry_ ? on_entry_(entry) : Status();
    if (status.ok()) {
      survey_.entries++;
      return status;
    }
    if (status.code() != StatusCode::kDamaged) return status;
    AddFault(i, status, 1).sample = EntrySample(entry);
    return Status();
  }

  static std::string EntrySample(const EntryView& entry) {
    std::string bytes;
    AppendEntry(bytes, {.head = entry.head, .key = entry.key, .value = {}});
    return bytes;
  }

  // The damaged payload, unpacked as well as it goes.
  std::string Guess(size_t i) {
    const BlockHeader& header = reader_.block(i).header;
    const char* payload = buffer_.Stored(kBlockHeaderBytes + header.stored_bytes) + kBlockHeaderBytes;
    if (!header.lz4()) return std::string(payload, header.stored_bytes);
    std::string raw(header.raw_bytes, '\0');
    const int got = LZ4_decompress_safe(payload, raw.data(), static_cast<int>(header.stored_bytes), static_cast<int>(raw.size()));
    raw.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return raw;
  }

  SnapshotFault& AddFault(size_t i, const Status& problem, uint64_t lost_entries) {
    const SnapshotBlock& block = reader_.block(i);
    // File and offset have fields of their own.
    const std::string place(reader_.Located(i, Status::Damaged("")).message());
    std::string_view what = problem.message();
    if (what.starts_with(place)) what.remove_prefix(place.size());
    survey_.faults.push_back({.file = reader_.file_path(block.file),
                              .offset = block.offset,
                              .bytes = kBlockHeaderBytes + block.header.stored_bytes,
                              .what = std::string(what),
                              .loses = lost_entries > 0,
                              .lost_entries = lost_entries});
    return survey_.faults.back();
  }

  const SnapshotReader& reader_;
  const SnapshotEntryCallback& on_entry_;
  const SnapshotPaceCallback& on_block_;
  SnapshotSurvey& survey_;
  BlockBuffer buffer_;
};

}  // namespace

Status SurveySnapshot(FileSystem& fs, const std::string& path, const SnapshotInfo* expected,
                      const SnapshotEntryCallback& on_entry, const SnapshotPaceCallback& on_block, SnapshotSurvey* survey) {
  *survey = SnapshotSurvey();
  CAIRN_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotReader> reader, SnapshotOpener(fs, path).OpenDamaged(&survey->faults));
  survey->lsn = reader->lsn();
  survey->wall_time_unix_ms = reader->wall_time_unix_ms();
  survey->created_by = reader->created_by();
  survey->files = reader->file_count();
  survey->blocks = reader->block_count();
  survey->size_bytes = reader->size_bytes();
  const bool whole = survey->faults.empty();
  CAIRN_RETURN_IF_ERROR(Surveyor(*reader, on_entry, on_block, survey).Run());
  if (expected == nullptr || !whole) return Status();
  const Status fits = reader->CheckExpected(*expected, path);
  survey->belongs = fits.ok();
  if (!fits.ok()) survey->faults.push_back({.file = path, .what = std::string(fits.message()), .loses = true});
  return Status();
}

}  // namespace cairn
