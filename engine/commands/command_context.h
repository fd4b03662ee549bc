// What a handler sees: its arguments, its keys, the clock, the keyspace under the locks it needs, and the sink for its reply.
// Lives for one call, on the executing thread's stack. Everything that handlers share is said once here.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/client.h"
#include "engine/commands/command_table.h"
#include "engine/commands/reply_sink.h"
#include "engine/keyspace/change_scope.h"
#include "engine/keyspace/keyspace.h"
#include "engine/keyspace/value_edit.h"
#include "engine/values/value_limits.h"

namespace cairn {

// How a command waits; see CommandContext::Block.
struct BlockOptions {
  ValueType wanted = ValueType::kString;  // the type of value that it waits for
  int64_t timeout_ms = 0;                 // 0: for ever
  size_t waited_keys = SIZE_MAX;          // it waits for the first so many of keys(), all of them by default
  // It is served, too, when a key for which it waits goes or gets a value of another type (XREADGROUP answers an error then).
  bool wake_on_gone = false;
  // The command to run when it is served, where that differs from its own arguments (XREAD $ with the id that $ meant). Its keys are
  // the same ones.
  ArgSpan args;
};

// One run of a command that may wait: what it asked for, and what it is served with. Made by whoever runs the handler.
struct BlockRequest {
  static constexpr size_t kNotServing = SIZE_MAX;
  size_t ready_key = kNotServing;
  bool asked = false;  // the handler found nothing and wrote no reply
  BlockOptions options;
  std::vector<std::string> args;  // those of the options, kept
  struct LookAgain {
    size_t key;  // index in the command's keys
    int64_t at_ms;
  };
  std::vector<LookAgain> look_again;
};

// A reply that is written after the locks are released; see CommandContext::Defer.
struct DeferredReply {
  uint64_t elements = 0;
  std::function<void(ReplySink&)> produce;  // null: the handler wrote its reply
};

// What the run at hand allows beyond an immediate reply; null: nothing.
struct RunPorts {
  BlockRequest* block = nullptr;
  DeferredReply* deferred = nullptr;
  ApartWork* apart = nullptr;                       // done for this run
  std::shared_ptr<ApartWork>* ask_apart = nullptr;  // takes what the run asks for
};

class CommandContext {
 public:
  CommandContext(const CommandRow& row, ArgSpan args, std::span<const SharedBytes> owners, std::span<const KeyRef> keys,
                 Client& client, Keyspace& keyspace, ChangeScope& scope, const CommandTable& table, ReplySink& reply,
                 RunPorts ports = {})
      : row(row),
        args(args),
        client(client),
        keyspace(keyspace),
        scope(scope),
        table(table),
        reply(reply),
        owners_(owners),
        keys_(keys),
        ports_(ports) {}

  const CommandRow& row;
  const ArgSpan args;  // args[0] is the command's name as sent; of "config set x y" args[2] is x
  Client& client;
  Keyspace& keyspace;
  ChangeScope& scope;
  const CommandTable& table;
  ReplySink& reply;

  int64_t now_ms() const { return scope.now_ms; }
  uint32_t database() const { return client.database; }
  // The n-th key that the row's key specification finds, in that order (n from 0).
  const KeyRef& key(size_t n = 0) const { return keys_[n]; }
  std::span<const KeyRef> keys() const { return keys_; }
  // args[index] as a value to store: with its shared buffer where it has one.
  StringSource source(size_t index) const {
    return {args[index], index < owners_.size() && owners_[index].size() > 0 ? &owners_[index] : nullptr};
  }

  // --- lookups: each answers the error itself and returns false where the command must end ----------------------------------
  Entry* Find(const KeyRef& key, Keyspace::Access access) { return FindIn(client.database, key, access); }
  Entry* FindIn(uint32_t in_database, const KeyRef& key, Keyspace::Access access) {
    if (client.no_touch && access == Keyspace::Access::kRead && !row.has(kTouchesAlways)) [[unlikely]]
      access = Keyspace::Access::kLook;
    const uint64_t before = scope.changes();
    Entry* entry = keyspace.Find(scope, in_database, key, access);
    expired_changes_ += scope.changes() - before;
    return entry;
  }
  // *entry becomes nullptr for an absent key; WRONGTYPE is answered for another type.
  bool FindTyped(const KeyRef& key, ValueType type, Keyspace::Access access, Entry** entry);
  bool FindTyped(const KeyRef& key, ValueType type, Keyspace::Access access, const Entry** entry) {
    Entry* found = nullptr;
    const bool fits = FindTyped(key, type, access, &found);
    *entry = found;
    return fits;
  }
  // The key for a change; see value_edit.h.
  ValueEdit Edit(const KeyRef& key) { return EditIn(client.database, key); }
  ValueEdit EditIn(uint32_t in_database, const KeyRef& key) {
    return ValueEdit(keyspace, scope, in_database, key, &expired_changes_);
  }
  // Whether the key is absent or of this type; WRONGTYPE is answered where it is of another.
  bool Expect(const ValueEdit& edit, ValueType type) {
    if (edit.entry() == nullptr || edit.entry()->type() == type) [[likely]]
      return true;
    WrongType();
    return false;
  }
  // Up to where collections stay packed.
  const ValueLimits& limits() const { return keyspace.limits(); }

  // --- what is logged -------------------------------------------------------------------------------------------------------
  // After a handler that changed something (scope.changes() grew by more than expired_changes()) and called neither function, its own
  // arguments are logged.
  void LogAs(std::initializer_list<std::string_view> command);  // instead; may be called several times
  void LogAs(std::span<const std::string_view> command, std::span<const SharedBytes> owners = {});
  void LogNothing() { log_decided_ = true; }
  bool log_decided() const { return log_decided_; }
  // Changes that were expired keys found on the way: they have their records and are not this command's doing.
  uint64_t expired_changes() const { return expired_changes_; }
  std::span<const SharedBytes> owners() const { return owners_; }

  void Event(EventClass event_class, std::string_view name, const KeyRef& key) {
    scope.Event(event_class, name, client.database, key.name);
  }
  // An event of key()'s hash, about every `step`-th of the arguments, which are its fields.
  void HashEvent(std::string_view name, ArgSpan fields, size_t step = 1) {
    Event(kEventHash, name, key());
    for (size_t i = 0; i < fields.size(); i += step) scope.EventField(fields[i]);
  }

  // --- waiting for a key: BLPOP and its like ----------------------------------------------------------------------------------
  // Whether the command may wait. It may not in MULTI, in scripts, in replay, and for a client that nobody could wake; a handler that
  // finds nothing then answers at once as after a timeout. Only for rows with kBlocking.
  bool may_block() const { return ports_.block != nullptr; }
  // The handler found nothing and has written no reply: the command waits for its keys. It is registered before the locks are
  // released, so no wake-up is lost. When one of the keys gets a value (is touched in any way, for that matter) the handler is run
  // again, first come first served, with serving(), under the locks of all its keys, within the unit of the command that made the key
  // ready; if it calls Block() again it keeps its place. What it logs must be its non-blocking form (LPOP for BLPOP).
  void Block(const BlockOptions& options);
  // Together with Block(): at this time (Unix milliseconds) the n-th key may have what the command waits for without being touched.
  void LookAgain(size_t n, int64_t at_ms) { ports_.block->look_again.push_back({n, at_ms}); }
  bool serving() const { return ports_.block != nullptr && ports_.block->ready_key != BlockRequest::kNotServing; }
  // While it is served a handler looks at the key that became ready and at no other of those it waits for.
  size_t ready_key() const { return ports_.block->ready_key; }  // index in keys(); only while serving()
  bool LooksAt(size_t key_index) const { return !serving() || ready_key() == key_index; }
  // A key that somebody may wait for has become ready without being changed. What changes a key says so by itself.
  void SignalReady(const KeyRef& key) { keyspace.SignalReady(scope, client.database, key); }

  // --- long replies -----------------------------------------------------------------------------------------------------------
  // The reply to a read of a large value: `produce` holds what it needs (LargeValue::Share(), never the context or the arguments) and
  // writes the whole reply, after the locks are released, perhaps on another thread. Inside MULTI and the like it is run at once.
  // `elements`: about how many the reply has; more than some thousand are kept off the network thread.
  void Defer(uint64_t elements, std::function<void(ReplySink&)> produce) {
    if (ports_.deferred == nullptr) return produce(reply);
    *ports_.deferred = {elements, std::move(produce)};
  }

  // --- long work before a change ------------------------------------------------------------------------------------------------
  // A change of a huge value whose place takes long to find is prepared without locks: the handler looks whether apart() holds work that
  // still fits (the value is the one that the work was made from); if not it asks for it, with a share of the value, writes nothing and
  // returns, and is run again when the work is done. While others change the value all the time that may fail; after some tries, and
  // inside MULTI and the like, it may not ask any more and does everything under the lock.
  template <typename Work>
  Work* apart() const {
    return dynamic_cast<Work*>(ports_.apart);
  }
  bool may_work_apart() const {
    return ports_.ask_apart != nullptr && (ports_.apart == nullptr || ports_.apart->tries < kApartTries);
  }
  void WorkApart(std::shared_ptr<ApartWork> work) {
    work->tries = ports_.apart == nullptr ? 1 : ports_.apart->tries + 1;
    *ports_.ask_apart = std::move(work);
  }

  // --- common errors --------------------------------------------------------------------------------------------------------
  void SyntaxError() { reply.Error("ERR syntax error"); }
  void WrongArity();             // as where the table refuses the call
  void SubcommandSyntaxError();  // the subcommand does not take these arguments
  void NotAnInteger() { reply.Error("ERR value is not an integer or out of range"); }
  void WrongType() { reply.Error("WRONGTYPE Operation against a key holding the wrong kind of value"); }

 private:
  static constexpr int kApartTries = 4;

  std::span<const SharedBytes> owners_;
  std::span<const KeyRef> keys_;
  const RunPorts ports_;
  uint64_t expired_changes_ = 0;
  bool log_decided_ = false;
};

// Adds all of the engine's commands to a table. Each family's own function registers its rows.
void RegisterEngineCommands(CommandTable& table);
void RegisterBitmapCommands(CommandTable& table);
void RegisterCommandCommands(CommandTable& table);  // COMMAND and its subcommands
void RegisterGeoCommands(CommandTable& table);
void RegisterHashCommands(CommandTable& table);
void RegisterHyperLogLogCommands(CommandTable& table);
void RegisterKeyCommands(CommandTable& table);
void RegisterListCommands(CommandTable& table);
void RegisterSetCommands(CommandTable& table);
void RegisterSortCommands(CommandTable& table);
void RegisterSortedSetCommands(CommandTable& table);
void RegisterStreamCommands(CommandTable& table);
void RegisterStringCommands(CommandTable& table);
void RegisterTransactionCommands(CommandTable& table);

}  // namespace cairn
