// The arguments of a command, read from its row's syntax line: what COMMAND DOCS answers as "arguments".
//
// The line is written as on redis.io: lower-case words are arguments, words in capitals are tokens, [a] is optional, a | b are
// alternatives, <a | b> is one of several, "name [name ...]" repeats. It is ours, so a line that does not parse is a bug; whatever
// parses strangely is shown strangely, nothing else depends on it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/commands/command_table.h"

namespace cairn {

struct SyntaxArgument {
  enum class Type : uint8_t { kString, kInteger, kDouble, kKey, kPattern, kUnixTime, kPureToken, kOneOf, kBlock };
  std::string name;
  Type type = Type::kString;
  std::string token;  // empty: none
  bool optional = false, multiple = false;
  std::vector<SyntaxArgument> arguments;  // of kOneOf and kBlock
};

std::vector<SyntaxArgument> ParseSyntax(std::string_view syntax);
std::string_view TypeText(SyntaxArgument::Type type);  // "pure-token"...

}  // namespace cairn
