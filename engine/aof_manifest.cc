#include "engine/aof_manifest.h"

#include <algorithm>

#include "base/numbers.h"

namespace cairn {
namespace {

constexpr size_t kLineMaxBytes = 1024;

struct Line {
  std::string file, type;
  int64_t seq = 0;
};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r'; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// What stands behind a backslash within double quotes; moves *at behind it.
char TakeEscaped(std::string_view text, size_t* at) {
  if (text[*at] == 'x' && text.size() - *at > 2 && HexDigit(text[*at + 1]) >= 0 && HexDigit(text[*at + 2]) >= 0) {
    const int value = HexDigit(text[*at + 1]) * 16 + HexDigit(text[*at + 2]);
    *at += 3;
    return static_cast<char>(value);
  }
  const char c = text[(*at)++];
  switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return c;
  }
}

// The next word, which may be quoted. False at the end, and with *malformed where quotes are not closed.
bool TakeWord(std::string_view text, size_t* at, std::string* word, bool* malformed) {
  while (*at < text.size() && IsSpace(text[*at])) (*at)++;
  if (*at == text.size()) return false;
  word->clear();
  const char quote = text[*at] == '"' || text[*at] == '\'' ? text[*at] : 0;
  if (quote != 0) (*at)++;
  while (*at < text.size()) {
    const char c = text[*at];
    if (quote != 0 ? c == quote : IsSpace(c)) break;
    (*at)++;
    const bool escapes = c == '\\' && *at < text.size() && (quote == '"' || (quote == '\'' && text[*at] == '\''));
    *word += escapes ? TakeEscaped(text, at) : c;
  }
  if (quote == 0) return true;
  const bool closed = *at < text.size();
  if (closed) (*at)++;
  *malformed = !closed || (*at < text.size() && !IsSpace(text[*at]));
  return !*malformed;
}

Status ParseLine(std::string_view text, Line* line) {
  Status malformed = Status::Damaged("Invalid AOF manifest file format");
  std::string name, value;
  bool broken = false;
  size_t pairs = 0;
  for (size_t at = 0; TakeWord(text, &at, &name, &broken); pairs++) {
    if (!TakeWord(text, &at, &value, &broken)) return malformed;
    if (EqualsIgnoreCase(name, "file")) {
      if (value.find('/') != std::string::npos) return Status::Damaged("File can't be a path, just a filename");
      line->file = value;
    } else if (EqualsIgnoreCase(name, "seq")) {
      if (!ParseInt64(value, &line->seq)) return malformed;
    } else if (EqualsIgnoreCase(name, "type")) {
      line->type = value;
    }
  }
  return broken || pairs < 3 || line->file.empty() || line->seq == 0 || line->type.empty() ? malformed : Status();
}

Status AddLine(const Line& line, int64_t* last_seq, AofManifest* manifest) {
  switch (line.type[0]) {
    case 'b':
      if (!manifest->base.empty()) return Status::Damaged("Found duplicate base file information");
      manifest->base = line.file;
      return Status();
    case 'h': return Status();
    case 'i':
      if (line.seq <= *last_seq) return Status::Damaged("Found a non-monotonic sequence number");
      *last_seq = line.seq;
      manifest->increments.push_back(line.file);
      return Status();
    default: return Status::Damaged("Unknown AOF file type");
  }
}

}  // namespace

Result<AofManifest> ParseAofManifest(std::string_view text) {
  if (text.empty()) return Status::Damaged("Found an empty AOF manifest");
  AofManifest manifest;
  int64_t last_seq = 0;
  for (size_t number = 1; !text.empty(); number++) {
    const size_t end = text.find('\n');
    const std::string_view raw = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (raw.starts_with('#')) continue;
    Line line;
    Status status = raw.size() >= kLineMaxBytes || end == std::string_view::npos
                        ? Status::Damaged("The AOF manifest file contains too long line")
                        : ParseLine(raw, &line);
    if (status.ok()) status = AddLine(line, &last_seq, &manifest);
    if (!status.ok()) return Status::Damaged("line " + std::to_string(number) + ": " + std::string(status.message()));
  }
  return manifest;
}

}  // namespace cairn
