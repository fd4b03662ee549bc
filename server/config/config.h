// The server's configuration: every directive with its value, read from a redis.conf file, the command line and CONFIG SET.
//
// Order at the start: file, then `-` (standard input), then options; later lines override earlier ones (save lines add up).
// Reading is for any thread: numbers are atomics, texts are copied under a leaf lock. Set() and Rewrite() take turns among themselves;
// hooks run on the thread that calls Set(), with that turn held, and may read every value but set none.
// Asking for a directive that does not exist, or for a text as a number, is our bug and aborts.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/thread_annotations.h"
#include "engine/store_options.h"
#include "server/config/directive.h"

namespace cairn {

inline constexpr std::string_view kLoadingError = "LOADING Redis is loading the dataset in memory";

struct OutputBufferLimit {
  int64_t hard_bytes = 0;  // 0: none
  int64_t soft_bytes = 0;
  int64_t soft_seconds = 0;
};

// shutdown-on-sigterm, shutdown-on-sigint: bits of Number().
enum ShutdownFlag : int64_t { kShutdownNoSave = 1, kShutdownSave = 2, kShutdownNow = 4, kShutdownForce = 8 };
// enable-debug-command and its like.
enum ProtectedAction : int64_t { kProtectedNo = 0, kProtectedYes = 1, kProtectedLocal = 2 };

class Config {
 public:
  Config();  // every directive at its default
  ~Config();
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;

  // --- loading (one thread, before anything reads) ------------------------------------------------------------------------
  // The arguments behind the program's name: [FILE] [-] [--name value ...]. An error's message is the complete text for standard
  // error, Redis's "*** FATAL CONFIG FILE ERROR" block with the line in question; exit with 1 then.
  static Result<std::unique_ptr<Config>> FromCommandLine(std::span<const std::string> args);
  // One file with what it includes (a glob may match nothing), or text from elsewhere; `source` names it in errors.
  Status LoadFile(const std::string& path);
  Status LoadText(std::string_view text, std::string_view source);

  // --- reading (any thread) -----------------------------------------------------------------------------------------------
  bool Bool(std::string_view name) const { return Number(name) != 0; }
  int64_t Number(std::string_view name) const;
  // The number itself, to keep where it is read often; lives as long as the Config.
  const std::atomic<int64_t>& NumberRef(std::string_view name) const;
  std::string Text(std::string_view name) const;
  // Any directive as CONFIG GET prints it.
  std::string Print(std::string_view name) const;
  // The file a directive names ("logfile"): as it is where absolute, otherwise inside the data directory. Empty stays empty.
  std::string PathInDirectory(std::string_view name) const;
  const std::string& directory() const { return directory_; }      // `dir` made absolute when the configuration was loaded
  const std::string& config_file() const { return config_file_; }  // absolute; empty where there is none

  std::vector<std::string> BindAddresses() const;  // "-" first: may be missing
  std::vector<SavePoint> SavePoints() const;
  enum class ClientClass : uint8_t { kNormal, kReplica, kPubSub };
  OutputBufferLimit OutputLimit(ClientClass client_class) const;
  // rename-command lines in order; the caller applies them to the command table (server/commands/registry.h).
  const std::vector<std::pair<std::string, std::string>>& renamed_commands() const { return renamed_commands_; }
  // The part that the store takes.
  StoreOptions MakeStoreOptions() const;
  RuntimeOptions MakeRuntimeOptions() const;
  ValueLimits MakeValueLimits() const;

  // --- CONFIG GET, SET, REWRITE (any thread) ------------------------------------------------------------------------------
  // What matches any of the patterns (exact names find hidden directives too, aliases count as names), each once.
  std::vector<std::pair<std::string, std::string>> Get(std::span<const std::string_view> patterns) const;

  struct SetContext {
    bool loading = false;           // the data set is being loaded
    bool protected_allowed = true;  // see ProtectedAllowed()
  };
  // All or nothing. An error's message is the RESP error text.
  Status Set(std::span<const std::pair<std::string_view, std::string_view>> pairs, const SetContext& context);
  // The same without waiting for others who change, rewrite or are InTurn(): nullopt, with nothing done, where there is one.
  std::optional<Status> TrySet(std::span<const std::pair<std::string_view, std::string_view>> pairs, const SetContext& context);
  static constexpr std::string_view kTurnTaken = "ERR another client changes the configuration just now: try again";
  // Does something else in the turn of Set() and Rewrite(): what holds for long what hooks wait for.
  Status InTurn(const std::function<Status()>& work) CAIRN_EXCLUDES(set_mutex_);
  std::optional<Status> TryInTurn(const std::function<Status()>& work) CAIRN_EXCLUDES(set_mutex_);
  // Whether a client may do what enable-protected-configs or enable-debug-command (its Number) guards.
  static bool ProtectedAllowed(int64_t setting, bool local_client) {
    return setting == kProtectedYes || (setting == kProtectedLocal && local_client);
  }
  // Whether the directive's value must not be shown.
  static bool IsSensitive(std::string_view name);
  // `hook` runs after a new value was stored; its Status refuses the value, which is then put back (and the hook runs again). The message
  // goes into the CONFIG SET error. One hook may serve several names: it runs once a Set(). A name may have several hooks, which run in the
  // order in which they were given.
  using Hook = std::function<Status()>;
  void OnChange(std::span<const std::string_view> names, Hook hook);
  void OnChange(std::initializer_list<std::string_view> names, Hook hook) {
    OnChange(std::span<const std::string_view>(names.begin(), names.size()), std::move(hook));
  }
  // The directives that MakeValueLimits() reads.
  static std::vector<std::string_view> ValueLimitDirectives();

  // Writes the file again, keeping comments and order; durable when OK. The message is the RESP error text. `everything`: directives at
  // their default too. Without `may_wait` it fails where another change is under way: its hooks may wait for the caller.
  Status Rewrite(bool everything = false, bool may_wait = true);
  // The new content for a file's old one.
  std::string RewrittenText(std::string_view old_text, bool everything) const;

 private:
  struct Value {
    std::atomic<int64_t> number{0};  // of a text: its size
    std::string text;                // guarded by text_mutex_
  };
  using Words = std::span<const std::string>;
  struct Source {
    std::string name;
    int depth = 0;
  };

  static int IndexOf(std::string_view name);  // -1 where there is none
  static const Directive& RowOf(std::string_view name, int* index);
  std::string TextAt(int index) const;
  std::string PrintAt(int index) const;
  Status Store(int index, Words words, bool loading);  // checks and stores; no hooks
  Status LoadLine(const std::vector<std::string>& words, const Source& source);
  Status LoadLines(std::string_view text, const Source& source);
  Status LoadFileAt(const std::string& path, int depth);
  Status FinishLoading();
  Status CheckPairs(std::span<const std::pair<std::string_view, std::string_view>> pairs, const SetContext& context,
                    std::vector<int>* indexes) const;
  Status SetInTurn(std::span<const std::pair<std::string_view, std::string_view>> pairs, const SetContext& context)
      CAIRN_REQUIRES(set_mutex_);
  Status RewriteInTurn(bool everything) CAIRN_REQUIRES(set_mutex_);
  void Restore(std::span<const int> indexes, std::span<const std::string> old_values);

  std::unique_ptr<Value[]> values_;
  mutable Mutex text_mutex_;
  Mutex set_mutex_;  // the turn of Set() and Rewrite()
  std::vector<bool> seen_in_files_;
  std::vector<std::vector<std::shared_ptr<Hook>>> hooks_;  // by directive
  std::string directory_, config_file_;
  std::vector<std::pair<std::string, std::string>> renamed_commands_;
  bool default_user_nopass_ = false;  // a `user` line said so
};

}  // namespace cairn
