// Bytes in JSON, and keys as JSON lines: one object a line,
//
//   {"db":0,"key":K,"type":"string","value":S}                       "expires_at_ms":N where the key expires (Unix time)
//   {"db":0,"key":K,"type":"list","value":[S,...]}                   front to back
//   {"db":0,"key":K,"type":"set","value":[S,...]}
//   {"db":0,"key":K,"type":"hash","value":[[S,S],...]}               field, value; "field_expires_at_ms":[[S,N],...] where fields expire
//   {"db":0,"key":K,"type":"zset","value":[[S,"1.5"],...]}           member, score as ZSCORE prints it
//   {"db":0,"key":K,"type":"stream","entries":[["1-1",[S,S,...]],...],"dump":{"base64":"..."}}
//
// K and S are strings where the bytes are valid UTF-8, and {"base64":"..."} otherwise. "dump" is DUMP's payload: it has all of a stream,
// groups and pending entries too, and is what is read back; "entries" is for people.
// Pure functions; any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/status.h"

namespace cairn {

bool IsValidUtf8(std::string_view bytes);
std::string EncodeBase64(std::string_view bytes);
// False where the text is not base64.
bool DecodeBase64(std::string_view text, std::string* bytes);

nlohmann::json BytesToJson(std::string_view bytes);
// kDamaged where the value is neither a string nor {"base64":...}.
Result<std::string> BytesFromJson(const nlohmann::json& value);

}  // namespace cairn
