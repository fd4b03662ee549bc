#include "engine/damage_guess.h"

#include <cstdio>
#include <vector>

#include "base/resp_request.h"
#include "engine/commands/command_context.h"
#include "engine/commands/command_table.h"
#include "snapshot/entry_codec.h"

namespace cairn {
namespace {

constexpr size_t kNamedMost = 8;
constexpr size_t kShownBytes = 60;

const CommandTable& Commands() {
  static const CommandTable* const table = [] {
    auto* made = new CommandTable();
    RegisterEngineCommands(*made);
    return made;
  }();
  return *table;
}

// Collects up to kNamedMost names.
class NameList {
 public:
  void Add(const std::string& name) {
    if (count_++ < kNamedMost) text_ += (text_.empty() ? "" : ", ") + name;
  }
  std::string text() const {
    return count_ <= kNamedMost ? text_ : text_ + " and " + std::to_string(count_ - kNamedMost) + " more";
  }

 private:
  std::string text_;
  size_t count_ = 0;
};

std::string NameOf(const std::vector<std::string_view>& args) {
  std::string name = Printable(args[0]);
  const CommandRow* row = Commands().FindUnrenamed(args);
  std::vector<int> keys;
  if (row == nullptr || !CommandTable::KeyIndexes(*row, args, &keys).ok() || keys.empty()) {
    return args.size() == 2 ? name + " " + Printable(args[1]) : name;
  }
  return name + " " + Printable(args[static_cast<size_t>(keys.front())]);
}

}  // namespace

std::string Printable(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, kShownBytes)) {
    if (c >= ' ' && c <= '~' && c != '\\') {
      text += c;
      continue;
    }
    char escaped[8];
    std::snprintf(escaped, sizeof(escaped), "\\x%02x", static_cast<unsigned char>(c));
    text += escaped;
  }
  return bytes.size() > kShownBytes ? text + "..." : text;
}

std::string GuessLogContent(std::string_view bytes) {
  NameList names;
  for (size_t at = bytes.find('*'); at != std::string_view::npos; at = bytes.find('*', at)) {
    RequestReader reader(bytes.substr(at));
    size_t end = 0;
    while (reader.Next()) {
      if (!reader.args().empty() && !reader.args()[0].empty()) names.Add(NameOf(reader.args()));
      end = reader.offset();
    }
    at += end > 0 ? end : 1;
  }
  return names.text();
}

std::string GuessEntries(std::string_view bytes) {
  NameList names;
  uint32_t database = 0;
  EntryReader entries(bytes, UINT64_MAX);
  for (EntryView entry; entries.Next(&entry);) {
    const bool first = names.text().empty();
    const std::string prefix =
        first || entry.head.database != database ? "database " + std::to_string(entry.head.database) + ": " : "";
    database = entry.head.database;
    names.Add(prefix + Printable(entry.key));
  }
  return names.text();
}

}  // namespace cairn
