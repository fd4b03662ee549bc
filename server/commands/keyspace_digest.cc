#include "server/commands/keyspace_digest.h"

#include <openssl/sha.h>

#include "engine/codec/value_codec.h"
#include "engine/keyspace/entry.h"
#include "engine/values/stream_value.h"
#include "engine/values/string_value.h"

namespace cairn {
namespace {

std::array<uint8_t, 20> Sha1(std::string_view bytes) {
  std::array<uint8_t, 20> hash{};
  ::SHA1(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
  return hash;
}

}  // namespace

void KeyspaceDigest::Xor(std::string_view bytes) {
  const auto hash = Sha1(bytes);
  for (size_t i = 0; i < hash.size(); i++) bytes_[i] ^= hash[i];
}

void KeyspaceDigest::Mix(std::string_view bytes) {
  Xor(bytes);
  bytes_ = Sha1(view());
}

void KeyspaceDigest::Combine(const KeyspaceDigest& other) { Xor(other.view()); }

void KeyspaceDigest::AddValue(const Entry& entry) {
  const char type[4] = {0, 0, 0, static_cast<char>(entry.type())};  // network byte order
  Mix({type, sizeof(type)});
  std::string scratch;
  if (entry.type() == ValueType::kString) {
    Mix(StringView(&entry).Flatten(&scratch));
  } else if (entry.type() == ValueType::kStream) {
    AddEntries(entry.large_as<Stream>());
  } else {
    AppendRdbValue(entry, &scratch);
    Mix(scratch);
  }
  if (entry.has_expiry()) Xor("!!expire!!");
}

// As Redis does, its entries alone: what is pending to whom is left out.
void KeyspaceDigest::AddEntries(const Stream& stream) {
  for (StreamCursor entry(stream, kStreamIdMin, kStreamIdMax); entry.Next();) {
    std::string id(StreamIdText(entry.id()).view());
    id[id.find('-')] = '.';
    Mix(id);
    for (uint32_t i = 0; i < entry.field_count(); i++) {
      std::string_view name, value;
      entry.ReadField(&name, &value);
      Mix(name);
      Mix(value);
    }
  }
}

std::string KeyspaceDigest::Hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes_) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace cairn
