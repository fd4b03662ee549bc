// The command table: one row a command. COMMAND, key extraction, locking, logging and ACL categories are all derived from it.
//
// Rows are constants with static lifetime; families register them explicitly (RegisterStringCommands(table) ...). A table is filled
// before the first command runs and constant afterwards, so any thread reads it without a lock.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace cairn {

class CommandContext;

using CommandHandler = void (*)(CommandContext&);
using ArgSpan = std::span<const std::string_view>;

enum CommandFlag : uint32_t {
  kWrite = 1u << 0,     // may change the keyspace; refused while writes are
  kReadOnly = 1u << 1,  // never changes it
  kDenyOom = 1u << 2,   // grows memory: refused over maxmemory
  kAdmin = 1u << 3,
  kPubSub = 1u << 4,
  kNoScript = 1u << 5,
  kBlocking = 1u << 6,
  kLoading = 1u << 7,  // allowed while the data set loads
  kStale = 1u << 8,
  kFast = 1u << 9,
  kNoAuth = 1u << 10,       // allowed before authentication
  kNoMulti = 1u << 11,      // an error inside MULTI
  kMovableKeys = 1u << 12,  // `get_keys` decides
  kAllShards = 1u << 13,    // runs under every shard's lock
  kSkipSlowlog = 1u << 14,
  kSkipMonitor = 1u << 15,
  kNoMandatoryKeys = 1u << 16,
  kMayReplicate = 1u << 17,
  kAllowBusy = 1u << 18,
  kProtected = 1u << 19,
  kVariableFlags = 1u << 20,
  kNoAsyncLoading = 1u << 21,
  kRunsUnqueued = 1u << 22,   // executed inside MULTI rather than queued: EXEC, DISCARD, MULTI, WATCH, QUIT, RESET
  kNotLogged = 1u << 23,      // a write-flagged command that its handler logs itself or not at all
  kTouchesAlways = 1u << 24,  // TOUCH: its reads count as uses even after CLIENT NO-TOUCH
};

enum AclCategory : uint32_t {
  kAclKeyspace = 1u << 0,
  kAclRead = 1u << 1,
  kAclWrite = 1u << 2,
  kAclSet = 1u << 3,
  kAclSortedSet = 1u << 4,
  kAclList = 1u << 5,
  kAclHash = 1u << 6,
  kAclString = 1u << 7,
  kAclBitmap = 1u << 8,
  kAclHyperLogLog = 1u << 9,
  kAclGeo = 1u << 10,
  kAclStream = 1u << 11,
  kAclPubSub = 1u << 12,
  kAclAdmin = 1u << 13,
  kAclFast = 1u << 14,
  kAclSlow = 1u << 15,
  kAclBlocking = 1u << 16,
  kAclDangerous = 1u << 17,
  kAclConnection = 1u << 18,
  kAclTransaction = 1u << 19,
  kAclScripting = 1u << 20,
};

// What a command does with a key, as COMMAND INFO's key specs say it: RO, OW, RW or RM, and what for. Without a purpose a read is for
// access and anything else for update.
enum KeyAccess : uint16_t {
  kKeyRead = 1,
  kKeyWrite = 2,
  kKeyReadWrite = 3,
  kKeyRemove = 4,
  kKeyForAccess = 8,
  kKeyForUpdate = 16,
  kKeyForInsert = 32,
  kKeyForDelete = 64,
  kKeyForMetadata = 128,  // neither: TYPE, EXISTS, STRLEN see no byte of the value
  kNotKey = 256,          // a name that a cluster places as it does a key: a shard channel
  kKeysIncomplete = 512,  // the spec does not find all keys: MIGRATE, whose key may be called KEYS
};
constexpr KeyAccess operator|(KeyAccess a, KeyAccess b) { return static_cast<KeyAccess>(+a | +b); }

// Keys at argument indexes first, first + step, ... last (0 is the command's name; last < 0 counts from the end; first 0: none).
struct KeyRange {
  int first = 0, last = 0, step = 0;
  KeyAccess access = kKeyRead;
};

// One of the places where a command's keys stand, as COMMAND INFO tells clients: those of a KeyRange or, where `keyword` is given,
// those behind the first such word at argument `first` or after it (before it, where `first` < 0), with `last` counted from the
// first of them. Where `counted`, argument `first` holds their number and they follow it. `first` 0: no rule that a client could know.
struct KeySpec {
  int first = 0, last = 0, step = 0;
  KeyAccess access = kKeyRead;
  std::string_view keyword = {};
  bool counted = false;
  int limit = 0;  // where it is 2 or more, only this fraction of what follows are keys: XREAD has as many ids

  bool plain() const { return first != 0 && keyword.empty() && !counted; }
};

// For kMovableKeys: fills the argument indexes of the keys; an error's message is the RESP error text.
using KeyExtractor = Status (*)(ArgSpan args, std::vector<int>* key_indexes);

struct CommandRow {
  std::string_view name;  // lower case; subcommands hold the bare word ("set" of "config|set")
  int arity = 0;          // Redis's: exact when positive, at least -arity when negative; counts the name(s)
  uint32_t flags = 0;
  uint32_t categories = 0;  // AclCategory beyond those that the flags imply
  KeyRange keys;
  CommandHandler handler = nullptr;
  std::string_view summary;
  std::string_view since;
  std::string_view group;  // "string", "generic", "server"...
  std::string_view complexity;
  std::string_view syntax;  // the argument grammar as on redis.io, e.g. "key value [NX | XX] [GET]"; COMMAND DOCS and HELP use it
  KeyExtractor get_keys = nullptr;
  std::span<const CommandRow> subcommands = {};  // handler may be null where there are any
  const CommandRow* parent = nullptr;            // set by the table in its copy of a subcommand's row
  // --- documentation that few rows need ---
  std::string_view tips = {};  // COMMAND INFO's tips, separated by spaces
  std::string_view deprecated_since = {};
  std::string_view replaced_by = {};
  // Where `keys` does not tell it all. Of keys that no plain one covers the last tells the access.
  std::span<const KeySpec> key_specs = {};
  KeyAccess (*key_access)(ArgSpan args) = nullptr;  // for kVariableFlags: the access of this very call

  // For a command that looks at keys which its arguments do not name (SORT BY): whether this very call does. It then runs under every
  // shard's lock; its own keys are known as ever.
  bool (*looks_anywhere)(ArgSpan args) = nullptr;

  bool has(CommandFlag flag) const { return (flags & flag) != 0; }
  // Whether a call may have so many arguments, its name(s) included.
  bool Accepts(size_t args) const {
    return arity >= 0 ? args == static_cast<size_t>(arity) : args >= static_cast<size_t>(-arity);
  }
  bool NeedsAllShards(ArgSpan args) const { return has(kAllShards) || (looks_anywhere != nullptr && looks_anywhere(args)); }
};

class CommandTable {
 public:
  CommandTable();
  ~CommandTable();
  // Adds rows; aborts on a duplicate name or an inconsistent row (that is our bug). Subcommands are registered with their parent.
  void Register(std::span<const CommandRow> rows);
  // Gives a command another name, or none (`to` empty); kNotFound, kAlreadyExists. The row keeps its own name, which errors, COMMAND
  // and the log go on to use.
  Status Rename(std::string_view from, std::string_view to);

  // Whether any command has another name than its row's: then args[0] of a call need not be its command's own name.
  bool has_renamed() const { return has_renamed_; }

  // The row for args[0] (case-insensitive), or for its subcommand args[1] where the row has subcommands and one matches;
  // nullptr for an unknown command. A container row is returned itself where the subcommand is unknown.
  const CommandRow* Find(ArgSpan args) const;
  const CommandRow* FindByName(std::string_view name) const;  // "get", "config|set"
  const CommandRow* FindUnrenamed(ArgSpan args) const;        // Find by the rows' own names: for replay of the log
  std::vector<const CommandRow*> Rows() const;                // top level, sorted by name

  // The indexes of the keys in args (none is OK); the Status's message is Redis's error text where they are malformed. `args` has the
  // right arity.
  static Status KeyIndexes(const CommandRow& row, ArgSpan args, std::vector<int>* indexes);
  // Redis's error text for a call that may not run (unknown command or subcommand, wrong arity); OK where it may.
  static Status CheckCall(const CommandRow* row, ArgSpan args);
  static std::string WrongArityText(const CommandRow& row);  // of these; handlers give it where the arity depends on arguments
  static std::string FullName(const CommandRow& row);        // "config|set"
  static uint32_t Categories(const CommandRow& row);         // the row's AclCategory bits and those that its flags imply

 private:
  struct Index;
  std::unique_ptr<Index> index_;
  bool has_renamed_ = false;
};

}  // namespace cairn
