#include "base/words.h"

#include <utility>

namespace cairn {
namespace {

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char Unescape(char c) {
  switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return c;
  }
}

// Reads from behind the opening quote to behind the closing one; false where that is missing or glued to more text.
bool ReadQuoted(std::string_view line, char quote, size_t* at, std::string* word) {
  size_t i = *at;
  for (;; i++) {
    if (i >= line.size()) return false;
    const char c = line[i];
    if (c == quote) break;
    if (c == '\\' && quote == '"' && i + 3 < line.size() && line[i + 1] == 'x' && HexDigit(line[i + 2]) >= 0 &&
        HexDigit(line[i + 3]) >= 0) {
      word->push_back(static_cast<char>(HexDigit(line[i + 2]) * 16 + HexDigit(line[i + 3])));
      i += 3;
    } else if (c == '\\' && quote == '"' && i + 1 < line.size()) {
      word->push_back(Unescape(line[++i]));
    } else if (c == '\\' && quote == '\'' && i + 1 < line.size() && line[i + 1] == '\'') {
      word->push_back('\'');
      i++;
    } else {
      word->push_back(c);
    }
  }
  *at = i + 1;
  return *at >= line.size() || IsSpace(line[*at]);
}

}  // namespace

std::optional<std::vector<std::string>> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  size_t i = 0;
  for (;;) {
    while (i < line.size() && IsSpace(line[i])) i++;
    if (i >= line.size()) return words;
    std::string& word = words.emplace_back();
    while (i < line.size() && !IsSpace(line[i])) {
      const char c = line[i++];
      if (c != '"' && c != '\'') {
        word.push_back(c);
        continue;
      }
      if (!ReadQuoted(line, c, &i, &word)) return std::nullopt;
      break;
    }
  }
}

}  // namespace cairn
