#include "snapshot/rdb_writer.h"

#include <utility>

#include "base/bytes.h"
#include "base/crc64.h"
#include "snapshot/rdb_string_encoder.h"

namespace cairn {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;
// A log on the same disk waits for what is on its way there at once.
constexpr uint64_t kSyncEveryBytes = 2 << 20;
constexpr std::string_view kUnfinishedSuffix = ".tmp";

void AppendByte(std::string* out, uint8_t byte) { out->push_back(static_cast<char>(byte)); }
void AppendOpcode(std::string* out, RdbOpcode opcode) { AppendByte(out, static_cast<uint8_t>(opcode)); }

void AppendLength(std::string* out, uint64_t length) {
  char bytes[kRdbLengthMaxBytes];
  out->append(bytes, EncodeRdbLength(bytes, length));
}

}  // namespace

void AppendRdbEntryHead(std::string* out, const RdbEntry& entry) {
  if (entry.expiry_unix_ms >= 0) {
    char bytes[8];
    StoreLittleEndian(bytes, entry.expiry_unix_ms);
    AppendOpcode(out, RdbOpcode::kExpiryMs);
    out->append(bytes, sizeof(bytes));
  }
  if (entry.idle_s >= 0) {
    AppendOpcode(out, RdbOpcode::kIdle);
    AppendLength(out, static_cast<uint64_t>(entry.idle_s));
  }
  if (entry.frequency >= 0) {
    AppendOpcode(out, RdbOpcode::kFrequency);
    AppendByte(out, static_cast<uint8_t>(entry.frequency));
  }
  AppendByte(out, entry.value_type);
  AppendRdbString(entry.key, out);
}

RdbWriter::RdbWriter(FileSystem* fs, std::string path, std::unique_ptr<WritableFile> file)
    : fs_(fs), path_(std::move(path)), unfinished_path_(path_ + std::string(kUnfinishedSuffix)), file_(std::move(file)) {
  buffer_.reserve(kBufferBytes);
  const std::string version = std::to_string(kRdbWrittenVersion);
  Put(kRdbMagic);
  Put(std::string(kRdbHeaderBytes - kRdbMagic.size() - version.size(), '0') + version);
}

Result<std::unique_ptr<RdbWriter>> RdbWriter::Create(FileSystem& fs, const std::string& path) {
  CAIRN_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                         fs.OpenForWriting(path + std::string(kUnfinishedSuffix), FileSystem::OpenMode::kTruncate));
  return std::unique_ptr<RdbWriter>(new RdbWriter(&fs, path, std::move(file)));
}

std::unique_ptr<RdbWriter> RdbWriter::Over(std::unique_ptr<WritableFile> file) {
  return std::unique_ptr<RdbWriter>(new RdbWriter(nullptr, "", std::move(file)));
}

RdbWriter::~RdbWriter() { Remove(); }

void RdbWriter::Remove() {
  if (std::exchange(done_, true)) return;
  file_.reset();
  if (fs_ != nullptr) (void)fs_->RemoveFile(unfinished_path_);
}

void RdbWriter::Put(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) {
    Write(buffer_);
    buffer_.clear();
    if (bytes.size() > kBufferBytes) return Write(bytes);
  }
  buffer_.append(bytes);
}

void RdbWriter::Write(std::string_view bytes) {
  if (!failure_.ok() || bytes.empty()) return;
  checksum_ = Crc64(bytes, checksum_);
  failure_ = file_->Append(bytes);
  written_ += bytes.size();
  if (fs_ == nullptr || !failure_.ok() || written_ - synced_ < kSyncEveryBytes) return;
  failure_ = file_->Sync();
  synced_ = written_;
}

void RdbWriter::AddAux(std::string_view name, std::string_view value) {
  std::string item;
  AppendOpcode(&item, RdbOpcode::kAux);
  AppendRdbString(name, &item);
  AppendRdbString(value, &item);
  Put(item);
}

void RdbWriter::AddFunction(std::string_view code) {
  std::string item;
  AppendOpcode(&item, RdbOpcode::kFunction2);
  AppendRdbString(code, &item);
  Put(item);
}

void RdbWriter::SelectDatabase(uint32_t database) {
  if (database_selected_ && database_ == database) return;
  std::string item;
  AppendOpcode(&item, RdbOpcode::kSelectDb);
  AppendLength(&item, database);
  Put(item);
  database_selected_ = true;
  database_ = database;
}

void RdbWriter::AddDatabaseSize(uint32_t database, uint64_t keys, uint64_t expiring) {
  SelectDatabase(database);
  std::string item;
  AppendOpcode(&item, RdbOpcode::kResizeDb);
  AppendLength(&item, keys);
  AppendLength(&item, expiring);
  Put(item);
}

void RdbWriter::AddEntry(const RdbEntry& entry) {
  BeginEntry(entry);
  Put(entry.value);
}

void RdbWriter::BeginEntry(const RdbEntry& entry) {
  SelectDatabase(entry.database);
  std::string head;
  AppendRdbEntryHead(&head, entry);
  Put(head);
}

void RdbWriter::AddEncoded(uint32_t database, std::string_view entries) {
  SelectDatabase(database);
  Put(entries);
}

Status RdbWriter::Finish() {
  std::string end;
  AppendOpcode(&end, RdbOpcode::kEnd);
  Put(end);
  Write(std::exchange(buffer_, {}));
  char checksum[kRdbChecksumBytes];
  StoreLittleEndian(checksum, checksum_);
  if (failure_.ok()) failure_ = file_->Append({checksum, sizeof(checksum)});
  written_ += sizeof(checksum);
  // A pipe has nothing to sync.
  if (failure_.ok() && fs_ != nullptr) failure_ = file_->Sync();
  if (failure_.ok()) failure_ = file_->Close();
  if (failure_.ok() && fs_ != nullptr) failure_ = fs_->Rename(unfinished_path_, path_);
  if (!failure_.ok()) {
    Remove();
    return failure_;
  }
  done_ = true;
  return fs_ != nullptr ? fs_->SyncDirectory(ParentOf(path_)) : Status();
}

}  // namespace cairn
