// What the engine must know about whoever issues commands: a server session derives from it; an embedded caller has a plain one.
// A Client is used by one thread at a time, except `watch`, which other threads mark dirty under a shard's lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace cairn {

class ReplySink;
struct CommandRow;
struct Waiter;

// A command whose bytes are owned: queued by MULTI until EXEC.
struct QueuedCommand {
  const CommandRow* row = nullptr;
  std::vector<SharedBytes> args;
};

// The keys a client watches. Registered in the shards' watch tables (Keyspace::Watch), which hold a reference until Unwatch.
struct WatchState {
  std::atomic<bool> dirty{
      false};  // set under the key's shard lock by the command that changes it; read by EXEC under the same locks
  struct Key {
    uint32_t database;
    std::string name;
  };
  std::vector<Key> keys;
};

// What a command does without locks before it is run again; see CommandContext::WorkApart.
class ApartWork {
 public:
  virtual ~ApartWork() = default;
  // Once, with no lock held, on any thread.
  virtual void Run() = 0;
  // Run() takes no time worth another thread: the command is there for being run again, behind what was posted to its client's thread.
  virtual bool brief() const { return false; }

  int tries = 0;  // how often the command has asked for such work, this included
};

// Who runs a client whose commands may answer later; see CommandContext::Block, Defer and WorkApart.
class WaitPort {
 public:
  // The client's command waits for its keys: it has written no reply, Execute answers Outcome::kBlocked. Called with shard locks held:
  // sets waiter->done and otherwise only takes note. The port then sees to waiter->timeout_ms.
  virtual void OnBlocked(const std::shared_ptr<Waiter>& waiter) = 0;
  // The reply of a finished read is long: `produce` writes all of it. Called without locks. True where the port has it written
  // later (Execute answers kBlocked and the LSN that the reply waits for); false: it is to be written now.
  virtual bool OnDeferred(uint64_t elements, std::function<void(ReplySink&)>& produce) = 0;
  // The command has written nothing and asks for work that takes long. Called without locks. True where the port sees to it (Execute
  // answers kApart): it runs the work and then executes the same request again, with Request::apart. False: it is to be done now.
  virtual bool OnApartWork(const std::shared_ptr<ApartWork>& /*work*/) { return false; }

 protected:
  ~WaitPort() = default;
};

class Client {
 public:
  Client() = default;
  virtual ~Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // EXEC ran one of its commands, which answered so many errors (its own or, of a container, several). For statistics: called with the
  // transaction's locks held, so it must not wait.
  virtual void OnQueuedCommandRan(const CommandRow& /*row*/, std::span<const std::string_view> /*args*/, uint64_t /*errors*/) {}

  uint32_t database = 0;  // SELECT
  // Where an outcome has a visible_lsn: the hashes of the keys that the reply shows, if it shows nothing else and changed nothing;
  // otherwise empty. Their stripes' LSNs are what it waits for; see Store::StateOfReads.
  std::vector<uint64_t> read_hashes;
  WaitPort* wait_port = nullptr;      // null: its commands never wait for a key, and all replies come at once
  bool no_touch = false;              // CLIENT NO-TOUCH: reads leave LRU and LFU alone
  std::shared_ptr<WatchState> watch;  // null until the first WATCH

  struct Transaction {
    bool open = false;     // between MULTI and EXEC or DISCARD
    bool aborted = false;  // a command could not be queued: EXEC answers EXECABORT
    std::vector<QueuedCommand> commands;
  } transaction;
};

}  // namespace cairn
