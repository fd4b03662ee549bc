#include "tools/common/json_text.h"

#include <openssl/evp.h>

namespace cairn {
namespace {

constexpr std::string_view kBase64Key = "base64";

// Length of the UTF-8 sequence at the front, 0 where there is none that is valid.
size_t SequenceBytes(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  const uint8_t first = at(0);
  if (first < 0x80) return 1;
  const size_t size = first >= 0xC2 && first < 0xE0   ? 2
                      : first >= 0xE0 && first < 0xF0 ? 3
                      : first >= 0xF0 && first < 0xF5 ? 4
                                                      : 0;
  if (size == 0 || bytes.size() < size) return 0;
  for (size_t i = 1; i < size; i++) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, beyond U+10FFFF.
  if ((first == 0xE0 && at(1) < 0xA0) || (first == 0xED && at(1) > 0x9F)) return 0;
  if ((first == 0xF0 && at(1) < 0x90) || (first == 0xF4 && at(1) > 0x8F)) return 0;
  return size;
}

}  // namespace

bool IsValidUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t size = SequenceBytes(bytes);
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  // OpenSSL counts in int: larger inputs go in pieces that need no padding in between.
  constexpr size_t kPiece = 3 << 20;
  size_t written = 0;
  for (size_t at = 0; at < bytes.size(); at += kPiece) {
    const std::string_view piece = bytes.substr(at, kPiece);
    written += static_cast<size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()) + written,
                                                   reinterpret_cast<const unsigned char*>(piece.data()),
                                                   static_cast<int>(piece.size())));
  }
  text.resize(written);
  return text;
}

bool DecodeBase64(std::string_view text, std::string* bytes) {
  bytes->clear();
  if (text.size() % 4 != 0) return false;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  if (text.find('=') < text.size() - padding) return false;
  bytes->resize(text.size() / 4 * 3 + 1);
  constexpr size_t kPiece = 4 << 20;
  size_t written = 0;
  for (size_t at = 0; at < text.size(); at += kPiece) {
    const std::string_view piece = text.substr(at, kPiece);
    // Spaces at a block's ends are not base64, though OpenSSL would pass over them.
    if (piece.find_first_of(" \t\r\n") != std::string_view::npos) return false;
    const int got = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes->data()) + written,
                                    reinterpret_cast<const unsigned char*>(piece.data()), static_cast<int>(piece.size()));
    if (got < 0) return false;
    written += static_cast<size_t>(got);
  }
  bytes->resize(written - padding);
  return true;
}

nlohmann::json BytesToJson(std::string_view bytes) {
  if (IsValidUtf8(bytes)) return std::string(bytes);
  return {{kBase64Key, EncodeBase64(bytes)}};
}

Result<std::string> BytesFromJson(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  std::string bytes;
  if (value.is_object() && value.size() == 1 && value.contains(kBase64Key) && value[kBase64Key].is_string() &&
      DecodeBase64(value[kBase64Key].get_ref<const std::string&>(), &bytes)) {
    return bytes;
  }
  return Status::Damaged("a string, or {\"base64\":\"...\"}, is expected");
}

}  // namespace cairn
