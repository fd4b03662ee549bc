#include "engine/commands/command_table.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>

#include "base/numbers.h"

namespace cairn {
namespace {

// Names up to this length are found without touching memory outside the slot; longer ones exist only by Rename.
constexpr size_t kInlineNameBytes = 24;

// Lower-cases eight ASCII bytes at once; other bytes stay.
uint64_t FoldWord(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  const uint64_t low_bits = word & (kOnes * 0x7F);
  const uint64_t above_z = low_bits + kOnes * (0x7F - 'Z');
  const uint64_t from_a = low_bits + kOnes * (0x80 - 'A');
  const uint64_t upper = ~word & (from_a ^ above_z) & (kOnes * 0x80);
  return word | (upper >> 2);
}

// A name of at most kInlineNameBytes as three words: the first and last eight bytes, which may overlap, and the eight between.
struct FoldedName {
  uint64_t words[3] = {0, 0, 0};

  explicit FoldedName(std::string_view name) {
    const char* data = name.data();
    const size_t size = name.size();
    if (size >= 8) {
      std::memcpy(&words[0], data, 8);
      std::memcpy(&words[1], data + size - 8, 8);
      if (size > 16) std::memcpy(&words[2], data + 8, 8);
    } else if (size >= 4) {
      uint32_t first = 0, last = 0;
      std::memcpy(&first, data, 4);
      std::memcpy(&last, data + size - 4, 4);
      words[0] = (static_cast<uint64_t>(last) << 32) | first;
    } else {
      for (size_t i = 0; i < size; i++) words[0] |= static_cast<uint64_t>(static_cast<uint8_t>(data[i])) << (8 * i);
    }
    for (uint64_t& word : words) word = FoldWord(word);
  }
  uint64_t Hash(size_t size) const {
    uint64_t hash = (words[0] + size) * 0x9E3779B97F4A7C15;
    hash = (hash ^ words[1]) * 0xC2B2AE3D27D4EB4F;
    hash = (hash ^ words[2] ^ (hash >> 29)) * 0x165667B19E3779F9;
    return hash ^ (hash >> 32);
  }
  bool operator==(const FoldedName& other) const { return std::memcmp(words, other.words, sizeof(words)) == 0; }
};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}

// Rows are ours: one that contradicts itself is a bug.
void CheckRow(const CommandRow& row) {
  CAIRN_CHECK(!row.name.empty() && row.name == Lower(row.name) && row.name.find('|') == std::string_view::npos);
  CAIRN_CHECK(row.arity != 0);
  CAIRN_CHECK(row.handler != nullptr || !row.subcommands.empty());
  CAIRN_CHECK(!(row.has(kWrite) && row.has(kReadOnly)));
  CAIRN_CHECK(!row.has(kMovableKeys) || row.get_keys != nullptr);
  CAIRN_CHECK(row.keys.first == 0 || row.keys.step > 0);
  CAIRN_CHECK(!row.summary.empty() && !row.since.empty() && !row.group.empty());
}

// At most 128 bytes of what a client sent, for an error text, up to a zero byte.
std::string_view Excerpt(std::string_view text, size_t limit = 128) {
  text = text.substr(0, limit);
  return text.substr(0, std::min(text.size(), text.find('\0')));
}

}  // namespace

struct CommandTable::Index {
  struct Slot {
    FoldedName name{std::string_view()};
    size_t size = 0;
    const CommandRow* row = nullptr;
  };

  std::deque<CommandRow> rows;                                    // the table's own copies: their addresses are what Find returns
  std::deque<std::vector<CommandRow>> subcommands;                // sorted by name, one vector a container
  std::map<std::string, const CommandRow*, std::less<>> visible;  // under the names that clients use
  std::map<std::string, const CommandRow*, std::less<>> original;  // under the rows' own names
  std::vector<Slot> slots{16};                                     // open addressing over `visible`, at most a quarter full

  const CommandRow* Lookup(std::string_view name) const {
    if (name.size() > kInlineNameBytes) [[unlikely]] {
      auto found = visible.find(Lower(name));
      return found == visible.end() ? nullptr : found->second;
    }
    const FoldedName folded(name);
    const size_t mask = slots.size() - 1;
    for (size_t i = folded.Hash(name.size()) & mask;; i = (i + 1) & mask) {
      const Slot& slot = slots[i];
      if (slot.row == nullptr) return nullptr;
      if (slot.size == name.size() && slot.name == folded) return slot.row;
    }
  }

  void Rebuild() {
    size_t capacity = 16;
    while (capacity < visible.size() * 4) capacity *= 2;
    slots.assign(capacity, Slot());
    for (const auto& [name, row] : visible) {
      if (name.size() > kInlineNameBytes) continue;
      const FoldedName folded(name);
      size_t i = folded.Hash(name.size()) & (capacity - 1);
      while (slots[i].row != nullptr) i = (i + 1) & (capacity - 1);
      slots[i] = Slot{folded, name.size(), row};
    }
  }

  static const CommandRow* Subcommand(const CommandRow& container, std::string_view name) {
    for (const CommandRow& row : container.subcommands) {
      if (EqualsIgnoreCase(row.name, name)) return &row;
    }
    return nullptr;
  }

  static const CommandRow* Resolve(const CommandRow* row, ArgSpan args) {
    if (row == nullptr || row->subcommands.empty() || args.size() < 2) return row;
    const CommandRow* subcommand = Subcommand(*row, args[1]);
    return subcommand != nullptr ? subcommand : row;
  }
};

CommandTable::CommandTable() : index_(std::make_unique<Index>()) {}
CommandTable::~CommandTable() = default;

void CommandTable::Register(std::span<const CommandRow> rows) {
  for (const CommandRow& row : rows) {
    CheckRow(row);
    CommandRow& copy = index_->rows.emplace_back(row);
    if (!row.subcommands.empty()) {
      auto& subcommands = index_->subcommands.emplace_back(row.subcommands.begin(), row.subcommands.end());
      std::sort(subcommands.begin(), subcommands.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
      for (CommandRow& subcommand : subcommands) {
        CheckRow(subcommand);
        CAIRN_CHECK(subcommand.subcommands.empty());
        subcommand.parent = &copy;
      }
      copy.subcommands = subcommands;
    }
    CAIRN_CHECK(index_->visible.emplace(row.name, &copy).second);
    CAIRN_CHECK(index_->original.emplace(row.name, &copy).second);
  }
  index_->Rebuild();
}

Status CommandTable::Rename(std::string_view from, std::string_view to) {
  auto found = index_->visible.find(Lower(from));
  if (found == index_->visible.end()) return Status::NotFound("No such command in rename-command");
  const CommandRow* row = found->second;
  if (!to.empty()) {
    if (!index_->visible.emplace(Lower(to), row).second) {
      return Status::AlreadyExists("Target command name already exists");
    }
    has_renamed_ = true;
  }
  index_->visible.erase(found);
  index_->Rebuild();
  return Status::Ok();
}

const CommandRow* CommandTable::Find(ArgSpan args) const {
  if (args.empty()) return nullptr;
  return Index::Resolve(index_->Lookup(args[0]), args);
}

const CommandRow* CommandTable::FindUnrenamed(ArgSpan args) const {
  if (args.empty()) return nullptr;
  const auto found = index_->original.find(Lower(args[0]));
  return found == index_->original.end() ? nullptr : Index::Resolve(found->second, args);
}

const CommandRow* CommandTable::FindByName(std::string_view name) const {
  const size_t bar = name.find('|');
  const CommandRow* row = index_->Lookup(name.substr(0, bar));
  if (row == nullptr || bar == std::string_view::npos) return row;
  return Index::Subcommand(*row, name.substr(bar + 1));
}

std::vector<const CommandRow*> CommandTable::Rows() const {
  std::vector<const CommandRow*> rows;
  rows.reserve(index_->visible.size());
  for (const auto& [name, row] : index_->visible) rows.push_back(row);
  return rows;
}

Status CommandTable::KeyIndexes(const CommandRow& row, ArgSpan args, std::vector<int>* indexes) {
  indexes->clear();
  if (row.get_keys != nullptr) return row.get_keys(args, indexes);
  if (row.keys.first == 0) return Status::Ok();
  const int count = static_cast<int>(args.size());
  const int last = row.keys.last < 0 ? count + row.keys.last : row.keys.last;
  if (last < row.keys.first || last >= count) return Status::InvalidArgument("ERR Invalid arguments specified for command");
  for (int i = row.keys.first; i <= last; i += row.keys.step) indexes->push_back(i);
  return Status::Ok();
}

Status CommandTable::CheckCall(const CommandRow* row, ArgSpan args) {
  if (row == nullptr) {
    std::string quoted;
    for (size_t i = 1; i < args.size() && quoted.size() < 128; i++) {
      const std::string_view excerpt = Excerpt(args[i], 128 - quoted.size());
      quoted.append("'").append(excerpt).append("' ");
    }
    const std::string_view name = args.empty() ? std::string_view() : Excerpt(args[0]);
    return Status::InvalidArgument("ERR unknown command '" + std::string(name) + "', with args beginning with: " + quoted);
  }
  if (!row->subcommands.empty() && args.size() > 1) {
    return Status::InvalidArgument("ERR unknown subcommand '" + std::string(Excerpt(args[1])) + "'. Try " +
                                   Upper(Excerpt(args[0])) + " HELP.");
  }
  if (!row->Accepts(args.size())) {
    return Status::InvalidArgument(WrongArityText(*row));
  }
  return Status::Ok();
}

std::string CommandTable::WrongArityText(const CommandRow& row) {
  return "ERR wrong number of arguments for '" + FullName(row) + "' command";
}

std::string CommandTable::FullName(const CommandRow& row) {
  if (row.parent == nullptr) return std::string(row.name);
  return std::string(row.parent->name) + "|" + std::string(row.name);
}

uint32_t CommandTable::Categories(const CommandRow& row) {
  uint32_t categories = row.categories;
  if (row.has(kWrite)) categories |= kAclWrite;
  if (row.has(kReadOnly) && (categories & kAclScripting) == 0) categories |= kAclRead;
  if (row.has(kAdmin)) categories |= kAclAdmin | kAclDangerous;
  if (row.has(kPubSub)) categories |= kAclPubSub;
  if (row.has(kBlocking)) categories |= kAclBlocking;
  categories |= row.has(kFast) ? kAclFast : kAclSlow;
  return categories;
}

}  // namespace cairn
