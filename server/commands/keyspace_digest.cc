#include "server/commands/keyspace_digest.h"

#include <openssl/sha.h>

#include "base/numbers.h"
#include "engine/codec/value_codec.h"
#include "engine/keyspace/entry.h"
#include "engine/values/hash_value.h"
#include "engine/values/list_cursor.h"
#include "engine/values/set_value.h"
#include "engine/values/sorted_set.h"
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

void KeyspaceDigest::CombinePair(std::string_view first, std::string_view second) {
  KeyspaceDigest pair;
  pair.Mix(first);
  pair.Mix(second);
  Combine(pair);
}

void KeyspaceDigest::AddList(const Entry& entry) {
  char buffer[kIntTextMaxBytes];
  ListCursor cursor = entry.encoding() == Encoding::kLarge ? ListCursor(entry.large_as<ListValue>()) : ListCursor(entry.packed());
  while (cursor.valid()) Mix(cursor.ReadForward().value.Text(buffer));
}

void KeyspaceDigest::AddSet(const Entry& entry) {
  SetView(&entry).ForEach([&](const SetMember& member) {
    char buffer[kIntTextMaxBytes];
    Xor(member.Text(buffer));
    return true;
  });
}

void KeyspaceDigest::AddPairs(const Entry& entry) {
  const ListpackView pairs(entry.packed());
  for (ListpackView::Position at = pairs.begin(); at != pairs.end();) {
    char first[kIntTextMaxBytes];
    char second[kIntTextMaxBytes];
    const ListpackValue name = pairs.Read(&at);
    const ListpackValue value = pairs.Read(&at);
    CombinePair(name.Text(first), value.Text(second));
  }
}

void KeyspaceDigest::AddSortedSet(const SortedSet& set) {
  for (SortedSet::Cursor at = set.At(0); at.valid(); at.Next()) CombinePair(at.member(), FormatDouble(at.score()));
}

void KeyspaceDigest::AddValue(const Entry& entry) {
  const char type[4] = {0, 0, 0, static_cast<char>(entry.type())};  // network byte order
  Mix({type, sizeof(type)});
  const bool large = entry.encoding() == Encoding::kLarge;
  std::string scratch;
  switch (entry.type()) {
    case ValueType::kString: Mix(StringView(&entry).Flatten(&scratch)); break;
    case ValueType::kList: AddList(entry); break;
    case ValueType::kSet: AddSet(entry); break;
    case ValueType::kSortedSet: large ? AddSortedSet(entry.large_as<SortedSet>()) : AddPairs(entry); break;
    case ValueType::kHash: large ? AddFields(entry.large_as<HashTable>()) : AddPairs(entry); break;
    case ValueType::kStream: AddEntries(entry.large_as<Stream>()); break;
  }
  if (entry.has_expiry()) Xor("!!expire!!");
}

void KeyspaceDigest::AddFields(const HashTable& table) {
  HashTrie::Walk walk(table.fields());
  for (std::string_view payload; walk.Next(&payload);) {
    const HashField field = ReadHashField(payload);
    KeyspaceDigest digest;
    digest.Mix(field.name);
    digest.Mix(field.value);
    if (field.has_deadline()) digest.Xor("!!hexpire!!");  // since Redis 7.4
    Combine(digest);
  }
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
