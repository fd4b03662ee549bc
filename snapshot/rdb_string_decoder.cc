#include "snapshot/rdb_string_decoder.h"

namespace cairn {

namespace {

constexpr uint64_t kLzfMaxRatio = 264;

// LZF: control bytes below 32 start a run of literals; others a back reference of 3 to 264 bytes, up to 8 KiB back.
bool ExpandLzf(std::string_view from, uint64_t size, std::string* to) {
  to->clear();
  to->reserve(size);
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(from[i]); };
  for (size_t i = 0; i < from.size();) {
    const uint8_t control = byte(i++);
    if (control < 32) {
      const size_t literals = control + 1u;
      if (from.size() - i < literals || size - to->size() < literals) return false;
      to->append(from.substr(i, literals));
      i += literals;
      continue;
    }
    size_t count = control >> 5;
    if (count == 7) {
      if (i == from.size()) return false;
      count += byte(i++);
    }
    count += 2;
    if (i == from.size()) return false;
    const size_t distance = ((control & 0x1Fu) << 8 | byte(i++)) + 1u;
    if (distance > to->size() || size - to->size() < count) return false;
    for (size_t n = 0; n < count; n++) to->push_back((*to)[to->size() - distance]);
  }
  return to->size() == size;
}

template <typename T>
Status TakeInt(std::string_view* rest, RdbString* value) {
  if (rest->size() < sizeof(T)) return Status::Damaged("an integer ends early");
  value->is_int = true;
  value->number = LoadLittleEndian<T>(rest->data());
  value->bytes = {};
  rest->remove_prefix(sizeof(T));
  return Status();
}

Status TakeLength(std::string_view* rest, uint64_t* length, bool* special) {
  const char* body = DecodeRdbLength(rest->data(), rest->data() + rest->size(), length, special);
  if (body == nullptr) return Status::Damaged("a length is malformed or ends early");
  rest->remove_prefix(static_cast<size_t>(body - rest->data()));
  return Status();
}

Status TakeLzf(std::string_view* rest, RdbString* value, std::string* scratch) {
  uint64_t packed;
  uint64_t size;
  bool special_packed;
  bool special_size;
  CAIRN_RETURN_IF_ERROR(TakeLength(rest, &packed, &special_packed));
  CAIRN_RETURN_IF_ERROR(TakeLength(rest, &size, &special_size));
  if (special_packed || special_size || packed > rest->size() || size / kLzfMaxRatio > packed) {
    return Status::Damaged("a compressed string's lengths are impossible");
  }
  if (!ExpandLzf(rest->substr(0, packed), size, scratch)) return Status::Damaged("a compressed string is malformed");
  rest->remove_prefix(packed);
  value->is_int = false;
  value->bytes = *scratch;
  return Status();
}

}  // namespace

Status DecodeRdbString(std::string_view* rest, RdbString* value, std::string* scratch) {
  uint64_t length;
  bool special;
  CAIRN_RETURN_IF_ERROR(TakeLength(rest, &length, &special));
  if (special) {
    switch (length) {
      case kRdbInt8: return TakeInt<int8_t>(rest, value);
      case kRdbInt16: return TakeInt<int16_t>(rest, value);
      case kRdbInt32: return TakeInt<int32_t>(rest, value);
      case kRdbLzf: return TakeLzf(rest, value, scratch);
      default: return Status::Damaged("a string has an unknown encoding");
    }
  }
  if (length > rest->size()) return Status::Damaged("a string ends early");
  value->is_int = false;
  value->bytes = rest->substr(0, length);
  rest->remove_prefix(length);
  return Status();
}

}  // namespace cairn
