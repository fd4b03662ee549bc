#include "snapshot/rdb_reader.h"

#include <algorithm>
#include <cstring>

#include "base/crc64.h"
#include "base/numbers.h"
#include "snapshot/rdb_string_decoder.h"

namespace cairn {
namespace {

constexpr uint64_t kChunkBytes = uint64_t{2} << 20;
constexpr uint8_t kFirstOpcode = static_cast<uint8_t>(RdbOpcode::kKeyMeta);

// The text of one encoded string, all of `bytes`. False where it is malformed.
bool DecodeText(std::string_view bytes, std::string* text) {
  RdbString string;
  std::string scratch;
  if (!DecodeRdbString(&bytes, &string, &scratch).ok()) return false;
  if (string.is_int) {
    AppendInt(*text, string.number);
  } else {
    *text = string.bytes;
  }
  return true;
}

// The bytes of the string that the cursor stands before.
bool TakeEncoded(RdbCursor* cursor, std::string_view* encoded) {
  const char* begin = cursor->at();
  if (!cursor->SkipString()) return false;
  *encoded = {begin, static_cast<size_t>(cursor->at() - begin)};
  return true;
}

}  // namespace

std::string QuotedKey(std::string_view key) {
  constexpr size_t kShownMax = 64;
  std::string quoted = "'";
  for (const char c : key.substr(0, kShownMax)) quoted += c >= ' ' && c <= '~' ? c : '?';
  return quoted + (key.size() > kShownMax ? "...'" : "'");
}

std::string RdbModuleName(uint64_t id) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr int kVersionBits = 10, kLetterBits = 6;
  std::string name(9, ' ');
  id >>= kVersionBits;
  for (size_t i = name.size(); i > 0; i--, id >>= kLetterBits) name[i - 1] = kLetters[id % kLetters.size()];
  return name;
}

Result<std::unique_ptr<RdbReader>> RdbReader::Open(FileSystem& fs, const std::string& path) {
  CAIRN_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, fs.OpenForReading(path));
  CAIRN_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  std::unique_ptr<RdbReader> reader(new RdbReader(std::move(file), path, size));
  CAIRN_RETURN_IF_ERROR(reader->ReadHeader());
  return reader;
}

Status RdbReader::ReadHeader() {
  char header[kRdbHeaderBytes];
  CAIRN_ASSIGN_OR_RETURN(const size_t got, file_->Read(0, sizeof(header), header));
  const std::string_view bytes(header, got);
  valkey_ = bytes.starts_with(kRdbValkeyMagic[0]);
  const std::string_view magic = valkey_ ? kRdbValkeyMagic : kRdbMagic;
  if (bytes.substr(0, magic.size()) != magic.substr(0, bytes.size()) || bytes.empty()) {
    return Located(StatusCode::kDamaged, "it is no RDB file: it begins neither with REDIS nor with VALKEY");
  }
  if (bytes.size() < kRdbHeaderBytes) return Located(StatusCode::kDamaged, "the file ends inside its header");
  for (const char digit : bytes.substr(magic.size())) {
    if (digit < '0' || digit > '9') return Located(StatusCode::kDamaged, "the version is no number");
    version_ = version_ * 10 + static_cast<uint32_t>(digit - '0');
  }
  if (version_ < 1) return Located(StatusCode::kDamaged, "there is no RDB version 0");
  const uint32_t newest = valkey_ ? kRdbValkeyVersion : kRdbNewestVersion;
  if (version_ > newest) {
    return Located(StatusCode::kNewerFormat, std::string(valkey_ ? "Valkey's " : "") + "RDB version " + std::to_string(version_) +
                                                 " is newer than the newest known, " + std::to_string(newest));
  }
  checksum_ = Crc64(bytes);
  offset_ = kRdbHeaderBytes;
  return Status();
}

Status RdbReader::Located(StatusCode code, const std::string& what) const {
  return {code, path_ + " at byte " + std::to_string(offset_) + ": " + what};
}

bool RdbReader::Fail(StatusCode code, const std::string& what) {
  failure_ = Located(code, what);
  return false;
}

Status RdbReader::Next(RdbBatch* batch) {
  batch->entries.clear();
  batch->expanded_keys.clear();
  while (!ended_ && batch->entries.empty() && failure_.ok()) {
    failure_ = Fill(wanted_, batch);
    if (!failure_.ok()) break;
    RdbCursor cursor(batch->bytes.view());
    TakeItems(&cursor, batch);
    rest_ = batch->bytes;
    rest_at_ = static_cast<size_t>(offset_ - batch->file_offset);
    checksum_ = Crc64(batch->bytes.view().substr(0, rest_at_), checksum_);
    if (!failure_.ok()) break;
    if (ended_) {
      failure_ = CheckEnd();
    } else if (cursor.malformed()) {
      Fail(StatusCode::kDamaged, "a length or encoding that does not exist");
    } else {
      const char* begin = batch->bytes.view().data() + rest_at_;
      // Where only a small part more is known to be missing, there may be much more: the steps grow with what is there.
      wanted_ = std::max(cursor.needed_bytes(begin), 2 * (rest_.size() - rest_at_));
      if (cursor.needed_bytes(begin) > size_ - offset_) Fail(StatusCode::kDamaged, "the file ends early, inside this item");
    }
  }
  if (!failure_.ok()) batch->entries.clear();
  return failure_;
}

Status RdbReader::Fill(uint64_t bytes, RdbBatch* batch) {
  const uint64_t left = size_ - offset_;
  if (left == 0) return Located(StatusCode::kDamaged, "the file ends early, without its end mark");
  const uint64_t size = std::min(std::max(bytes, kChunkBytes), left);
  SharedBytes buffer = SharedBytes::Allocate(size);
  const size_t kept = std::min(rest_.size() - rest_at_, size);
  if (kept > 0) std::memcpy(buffer.mutable_data(), rest_.view().data() + rest_at_, kept);
  rest_ = SharedBytes();
  rest_at_ = 0;
  CAIRN_ASSIGN_OR_RETURN(const size_t got, file_->Read(offset_ + kept, size - kept, buffer.mutable_data() + kept));
  if (got != size - kept) return Located(StatusCode::kDamaged, "the file became shorter while it was read");
  batch->bytes = std::move(buffer);
  batch->file_offset = offset_;
  return Status();
}

void RdbReader::TakeItems(RdbCursor* cursor, RdbBatch* batch) {
  const char* const begin = batch->bytes.view().data();
  const uint64_t from = offset_;
  while (!ended_ && TakeItem(cursor, batch)) offset_ = from + static_cast<uint64_t>(cursor->at() - begin);
}

bool RdbReader::TakeItem(RdbCursor* cursor, RdbBatch* batch) {
  uint8_t first = 0;
  if (!cursor->Byte(&first)) return false;
  return first >= kFirstOpcode ? TakeOpcode(static_cast<RdbOpcode>(first), cursor) : TakeKey(first, cursor, batch);
}

bool RdbReader::TakeOpcode(RdbOpcode opcode, RdbCursor* cursor) {
  uint64_t number = 0;
  uint8_t byte = 0;
  std::string_view encoded;
  switch (opcode) {
    case RdbOpcode::kEnd: ended_ = true; return true;
    case RdbOpcode::kExpiryMs:
    case RdbOpcode::kExpirySeconds: return TakeExpiry(opcode, cursor);
    case RdbOpcode::kResizeDb:
      if (!cursor->Length(&number) || !cursor->SkipLength()) return false;
      database_sizes_.push_back({next_.database, number});
      return true;
    case RdbOpcode::kSlotInfo: return cursor->SkipLength() && cursor->SkipLength() && cursor->SkipLength();
    case RdbOpcode::kAux: return TakeAux(cursor);
    case RdbOpcode::kModuleAux: return TakeModuleAux(cursor);
    case RdbOpcode::kKeyMeta:
      if (!valkey_) return TakeKeyMeta(cursor);
      if (!cursor->SkipString() || !cursor->Length(&number)) return false;
      for (; number > 0; number--) {
        if (!cursor->SkipLength() || !cursor->SkipLength()) return false;
      }
      return true;
    case RdbOpcode::kSelectDb:
      if (!cursor->Length(&number)) return false;
      if (number > INT32_MAX) return Fail(StatusCode::kDamaged, "an impossible database number");
      next_.database = static_cast<uint32_t>(number);
      return true;
    case RdbOpcode::kIdle:
      if (!cursor->Length(&number)) return false;
      next_.idle_s = static_cast<int64_t>(std::min<uint64_t>(number, INT64_MAX));
      return true;
    case RdbOpcode::kFrequency:
      if (!cursor->Byte(&byte)) return false;
      next_.frequency = byte;
      return true;
    case RdbOpcode::kFunction2: {
      std::string code;
      if (!TakeEncoded(cursor, &encoded)) return false;
      if (!DecodeText(encoded, &code)) return Fail(StatusCode::kDamaged, "a function library is malformed");
      functions_.push_back(std::move(code));
      return true;
    }
    case RdbOpcode::kFunctionPreview: break;
  }
  return Fail(StatusCode::kNewerFormat,
              "a function library in the form of a release candidate of Redis 7.0, which is not supported");
}

bool RdbReader::TakeExpiry(RdbOpcode opcode, RdbCursor* cursor) {
  constexpr size_t kSecondsBytes = 4, kMsBytes = 8;
  const char* at = cursor->at();
  if (opcode == RdbOpcode::kExpirySeconds) {
    if (!cursor->Skip(kSecondsBytes)) return false;
    next_.expiry_unix_ms = int64_t{LoadLittleEndian<int32_t>(at)} * 1000;
  } else {
    if (!cursor->Skip(kMsBytes)) return false;
    next_.expiry_unix_ms = LoadLittleEndian<int64_t>(at);
  }
  // A time before 1970 is long past: the first moment that there is says the same.
  next_.expiry_unix_ms = std::max<int64_t>(next_.expiry_unix_ms, 0);
  return true;
}

bool RdbReader::TakeAux(RdbCursor* cursor) {
  std::string_view encoded_name, encoded_value;
  if (!TakeEncoded(cursor, &encoded_name) || !TakeEncoded(cursor, &encoded_value)) return false;
  std::string name, value;
  if (!DecodeText(encoded_name, &name) || !DecodeText(encoded_value, &value)) {
    return Fail(StatusCode::kDamaged, "an auxiliary field is malformed");
  }
  aux_fields_.emplace_back(std::move(name), std::move(value));
  return true;
}

bool RdbReader::TakeModuleAux(RdbCursor* cursor) {
  uint64_t id = 0;
  // The parts include the mark and the number that say when in the loading it was to be read.
  if (!cursor->Length(&id) || !cursor->SkipModuleParts()) return false;
  skipped_modules_.push_back(RdbModuleName(id));
  return true;
}

bool RdbReader::TakeKeyMeta(RdbCursor* cursor) {
  constexpr size_t kClassBytes = 4;
  const std::string skipped = "(notes of modules about keys)";
  uint64_t classes = 0;
  if (!cursor->Length(&classes)) return false;
  for (; classes > 0; classes--) {
    if (!cursor->Skip(kClassBytes) || !cursor->SkipModuleParts()) return false;
  }
  if (std::find(skipped_modules_.begin(), skipped_modules_.end(), skipped) == skipped_modules_.end()) {
    skipped_modules_.push_back(skipped);
  }
  return true;
}

bool RdbReader::TakeKey(uint8_t value_type, RdbCursor* cursor, RdbBatch* batch) {
  const bool known = IsRdbValueType(value_type) || value_type == kRdbTypeModule;
  if (!known || (value_type == kRdbTypeHash2 && !valkey_)) {
    return Fail(StatusCode::kNewerFormat, "a value of type " + std::to_string(value_type) + ", which this version does not know");
  }
  RdbEntry& entry = next_;
  entry.value_type = value_type;
  std::string_view encoded_key;
  if (!TakeEncoded(cursor, &encoded_key)) return false;
  RdbString plain;
  if (DecodePlainRdbString(encoded_key, &plain)) [[likely]] {
    entry.key = plain.bytes;
  } else {
    std::string& key = batch->expanded_keys.emplace_back();
    if (!DecodeText(encoded_key, &key)) return Fail(StatusCode::kDamaged, "a key is malformed");
    entry.key = key;
  }
  const char* value = cursor->at();
  if (value_type == kRdbTypeModule || value_type == kRdbTypeModule2) {
    uint64_t id = 0;
    if (!cursor->Length(&id)) return false;
    return Fail(StatusCode::kNewerFormat, "the key " + QuotedKey(entry.key) + " holds a value of the module type " +
                                              RdbModuleName(id) +
                                              ", which only its module can read: delete the key in Redis and save again");
  }
  if (!cursor->SkipValue(value_type)) return false;
  entry.value = {value, static_cast<size_t>(cursor->at() - value)};
  batch->entries.push_back(entry);
  next_ = RdbEntry{.database = entry.database};
  return true;
}

Status RdbReader::CheckEnd() {
  rest_ = SharedBytes();
  rest_at_ = 0;
  if (version_ < kRdbFirstVersionWithChecksum) return Status();
  char bytes[kRdbChecksumBytes];
  CAIRN_ASSIGN_OR_RETURN(const size_t got, file_->Read(offset_, sizeof(bytes), bytes));
  if (got != sizeof(bytes)) return Located(StatusCode::kDamaged, "the file ends early, inside its checksum");
  const auto stated = LoadLittleEndian<uint64_t>(bytes);
  if (stated != 0 && stated != checksum_) {
    return Located(StatusCode::kDamaged, "RDB CRC error: the file was changed or damaged since it was written");
  }
  offset_ += kRdbChecksumBytes;
  return Status();
}

}  // namespace cairn
