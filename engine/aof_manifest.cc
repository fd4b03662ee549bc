#include "engine/aof_manifest.h"

#include <optional>
#include <string>
#include <vector>

#include "base/numbers.h"
#include "base/words.h"

namespace cairn {
namespace {

constexpr size_t kLineMaxBytes = 1024;

struct Line {
  std::string file, type;
  int64_t seq = 0;
};

Status ParseLine(std::string_view text, Line* line) {
  Status malformed = Status::Damaged("Invalid AOF manifest file format");
  const std::optional<std::vector<std::string>> words = SplitWords(text);
  if (!words || words->size() < 6 || words->size() % 2 != 0) return malformed;
  for (size_t i = 0; i < words->size(); i += 2) {
    const std::string& name = (*words)[i];
    const std::string& value = (*words)[i + 1];
    if (EqualsIgnoreCase(name, "file")) {
      if (value.find('/') != std::string::npos) return Status::Damaged("File can't be a path, just a filename");
      line->file = value;
    } else if (EqualsIgnoreCase(name, "seq")) {
      if (!ParseInt64(value, &line->seq)) return malformed;
    } else if (EqualsIgnoreCase(name, "type")) {
      line->type = value;
    }
  }
  return line->file.empty() || line->seq == 0 || line->type.empty() ? malformed : Status();
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
