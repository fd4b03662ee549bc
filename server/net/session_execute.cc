// The execution half of Session::Io: what Redis checks before a command, in its order, and what happens around a command that runs.
#include <algorithm>
#include <cinttypes>

#include "base/clock.h"
#include "base/logger.h"
#include "base/numbers.h"
#include "engine/commands/command_context.h"
#include "server/config/config.h"
#include "server/net/long_reply.h"
#include "server/net/session_io.h"
#include "server/pubsub/hub.h"
#include "server/security/redaction.h"
#include "server/stats.h"

namespace cairn {
namespace {

// An endless pipeline's share of a round: some hundred short commands. Others then wait for it no longer than for one long command.
constexpr uint64_t kTurnNs = 250'000;

}  // namespace

RequestParser::Kind Session::Io::ParseBatch(std::string_view input, RequestBatch& batch, size_t* skipped) {
  const bool authenticated = session_.authenticated || shared_.password_size.load(std::memory_order_relaxed) == 0;
  const RequestParser::Limits limits{shared_.proto_max_bulk_bytes.load(std::memory_order_relaxed), authenticated};
  const size_t most = authenticated ? RequestBatch::kMaxRequests : 1;  // AUTH changes the limits for what follows
  size_t at = 0;
  *skipped = 0;
  while (batch.items.size() < most) {
    const size_t first_arg = batch.args.size();
    const RequestParser::Result result = thread_.parser().Next(input.substr(at), limits, partial_, &batch.args);
    if (result.kind != RequestParser::Kind::kRequest) {
      *skipped = at + result.begin;
      return result.kind;
    }
    RequestBatch::Item& item = batch.items.emplace_back();
    item.first_arg = static_cast<uint32_t>(first_arg);
    item.arg_count = static_cast<uint32_t>(batch.args.size() - first_arg);
    item.begin = at + result.begin;
    item.end = at + result.consumed;
    item.ends_batch = result.ends_batch;
    at = item.end;
    *skipped = at;
    if (result.ends_batch) break;
    if (at == input.size()) break;
  }
  return RequestParser::Kind::kRequest;
}

size_t Session::Io::RunRequests(std::string_view input) {
  RequestBatch& batch = thread_.batch();
  BeginOutput();
  CommandClock& clock = thread_.command_clock();
  if (!thread_.deferring()) clock.Read();
  batch_now_ms_ = thread_.loop().WallMsAt(clock.last_ns());
  turn_ends_ns_ = clock.last_ns() + kTurnNs;
  turn_over_ = false;
  size_t done = 0;
  while (CanExecute() && !turn_over_ && done < input.size()) {
    batch.Clear();
    size_t parsed_to = 0;
    const RequestParser::Kind kind = ParseBatch(input.substr(done), batch, &parsed_to);
    const std::string error = kind == RequestParser::Kind::kError ? thread_.parser().error() : std::string();
    const size_t ran_to = batch.items.empty() ? 0 : RunBatch(batch);
    const bool all_ran = batch.items.empty() || ran_to == batch.items.back().end;
    if (!all_ran) {
      // Parsed once more from there; what was begun behind it is forgotten, its bytes are still in the input.
      if (!batch.items.front().ends_batch) partial_.reset();
      done += ran_to;
      break;
    }
    done += parsed_to;
    if (kind == RequestParser::Kind::kError) {
      partial_.reset();
      if (!CanExecute()) break;  // it is found again when the session goes on
      FailProtocol(error);
      done = input.size();
    }
    if (kind != RequestParser::Kind::kRequest) break;
  }
  batch.Clear();
  if (hung_up_ && WaitsInVain()) [[unlikely]]
    EndInVain();  // it hung up before what it waits in was read: no further event will say so
  EndOutput();
  return done;
}

size_t Session::Io::RunBatch(RequestBatch& batch) {
  Store* const store = shared_.store.load(std::memory_order_acquire);
  batch.Resolve(*shared_.CurrentView().table, store != nullptr && !session_.transaction.open);
  if (store != nullptr) batch.Prefetch(*store, session_.database);
  size_t ran_to = batch.items.front().begin;
  for (const RequestBatch::Item& item : batch.items) {
    if (!CanExecute() || turn_over_) return ran_to;
    const ReplyMode mode = session_.reply_mode;
    const uint64_t mark = mode == ReplyMode::kOn ? 0 : thread_.sink().Mark();
    if (mode == ReplyMode::kSkipNext) session_.reply_mode = ReplyMode::kOn;
    session_.silenced = mode != ReplyMode::kOn;
    if (RunOne(item, batch.ArgsOf(item)) == Ran::kAgain) {
      session_.reply_mode = mode;
      return ran_to;
    }
    ran_to = item.end;
    if (item.ends_batch) thread_.parser().Release(partial_);
    if (closed()) return ran_to;
    if (session_.silenced) thread_.sink().Rewind(mark);
    if (!output_.empty() && OverOutputLimit()) return ran_to;
    turn_over_ = thread_.command_clock().last_ns() >= turn_ends_ns_;
  }
  return ran_to;
}

void Session::Io::FailProtocol(std::string_view error) {
  if (LogEnabled(LogLevel::kVerbose)) {
    LogF(LogLevel::kVerbose, "%.*s from client: id=%" PRIu64 " addr=%s", static_cast<int>(error.size()), error.data(),
         session_.id(), session_.info.address.c_str());
  }
  RespSink& sink = thread_.sink();
  const uint64_t mark = sink.Mark();
  sink.Error("ERR " + std::string(error));
  if (session_.reply_mode != ReplyMode::kOn) sink.Rewind(mark);
  session_.close_after_reply = true;
}

void Session::Io::Reject(const CommandRow* row, std::string_view message) {
  if (row != nullptr) thread_.stats().CommandRejected(*row);
  Client::Transaction& transaction = session_.transaction;
  if (row == nullptr || row != shared_.CurrentView().exec) {
    if (transaction.open) transaction.aborted = true;
    thread_.sink().Error(message);
    return;
  }
  // A refused EXEC ends the transaction.
  if (message.starts_with("ERR ")) message.remove_prefix(4);
  thread_.sink().Error("EXECABORT Transaction discarded because of: " + std::string(message));
  transaction = {};
  Store* const store = shared_.store.load(std::memory_order_acquire);
  if (store != nullptr && session_.watch != nullptr) store->Unwatch(session_);
}

bool Session::Io::Refused(const CommandRow* row, ArgSpan args) {
  if (row == nullptr || row->handler == nullptr || !row->Accepts(args.size())) [[unlikely]] {
    if (EqualsIgnoreCase(args[0], "post") || EqualsIgnoreCase(args[0], "host:")) {
      Log(LogLevel::kWarning,
          "Possible SECURITY ATTACK detected: a client sent POST or Host:, as a browser tricked into talking to this port "
          "would. Connection aborted.");
      Close("cross protocol scripting");
      return true;
    }
    const Status status = CommandTable::CheckCall(row, args);
    if (!status.ok()) {
      const bool unknown = row != nullptr && !row->subcommands.empty() && args.size() > 1;
      Reject(unknown ? nullptr : row, status.message());  // what there is not is not counted as a command
      return true;
    }
  }
  if (!session_.authenticated && !row->has(kNoAuth) && shared_.password_size.load(std::memory_order_relaxed) > 0) [[unlikely]] {
    Reject(row, "NOAUTH Authentication required.");
    return true;
  }
  const CommandView& view = shared_.CurrentView();
  if (session_.transaction.open) [[unlikely]] {
    if (row->has(kNoMulti)) {
      Reject(row, "ERR Command not allowed inside a transaction");
      return true;
    }
    Store* const store = shared_.store.load(std::memory_order_acquire);
    if (store != nullptr && row != view.exec && row != view.discard && row != view.quit && row != view.reset) {
      const std::string refusal = store->RefusalOf(*row, true);
      if (!refusal.empty()) {
        Reject(row, refusal);
        return true;
      }
    }
  }
  if (shared_.WantsReplicas() && Does(*row, kWrite)) [[unlikely]] {
    Reject(row, "NOREPLICAS Not enough good replicas to write.");
    return true;
  }
  if (session_.protocol == 2 && session_.subscription_count() + session_.shard_channels.size() > 0 &&
      !view.AllowedWhileSubscribed(row)) [[unlikely]] {
    Reject(row, "ERR Can't execute '" + CommandTable::FullName(*row) +
                    "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context");
    return true;
  }
  if (!row->has(kLoading) && shared_.store.load(std::memory_order_acquire) == nullptr) [[unlikely]] {
    Reject(row, kLoadingError);
    return true;
  }
  return false;
}

bool Session::Io::MustPause(const CommandRow& row) const {
  const int64_t until_ms = shared_.pause_until_ms.load(std::memory_order_relaxed);
  if (until_ms == 0 || RealClock().MonotonicMs() >= until_ms) return false;
  if (!shared_.pause_writes_only.load(std::memory_order_relaxed)) return true;
  return Does(row, kWrite | kMayReplicate);
}

bool Session::Io::Does(const CommandRow& row, uint32_t flags) const {
  if (row.flags & flags) return true;
  if (&row != shared_.CurrentView().exec) return false;
  const std::vector<QueuedCommand>& queued = session_.transaction.commands;
  return std::any_of(queued.begin(), queued.end(),
                     [flags](const QueuedCommand& command) { return (command.row->flags & flags) != 0; });
}

Session::Io::Ran Session::Io::RunOne(const RequestBatch::Item& item, ArgSpan args) {
  const CommandRow* const row = item.row;
  if (row != nullptr) session_.info.last_command = row;
  if (Refused(row, args)) [[unlikely]] {
    if (apart_ != nullptr) DropApartWork(std::move(apart_));
    return Ran::kNext;
  }
  if (shared_.pause_until_ms.load(std::memory_order_relaxed) != 0 && MustPause(*row)) [[unlikely]] {
    WaitFor(Hold::kPaused);
    return Ran::kAgain;
  }
  const std::span<const SharedBytes> owners = item.ends_batch ? thread_.parser().owners() : std::span<const SharedBytes>();
  if (session_.transaction.open && !row->has(kRunsUnqueued)) [[unlikely]] {
    Queue(*row, args, owners);
    return Ran::kNext;
  }
  return Execute(*row, args, item, owners);
}

void Session::Io::Queue(const CommandRow& row, ArgSpan args, std::span<const SharedBytes> owners) {
  if (!session_.transaction.aborted) {  // an aborted one will not run: keeping its commands would only cost memory
    QueuedCommand command{&row, {}};
    command.args.reserve(args.size());
    for (size_t i = 0; i < args.size(); i++) {
      const bool owned = i < owners.size() && owners[i].size() > 0;
      command.args.push_back(owned ? owners[i] : SharedBytes::Copy(args[i]));
    }
    if (session_.transaction.commands.empty()) transaction_bytes_ = 0;
    transaction_bytes_ += sizeof(command);
    for (const SharedBytes& arg : command.args) transaction_bytes_ += sizeof(arg) + arg.size();
    session_.transaction.commands.push_back(std::move(command));
  }
  thread_.sink().Simple("QUEUED");
}

Session::Io::Ran Session::Io::Execute(const CommandRow& row, ArgSpan args, const RequestBatch::Item& item,
                                      std::span<const SharedBytes> owners) {
  Store* const store = shared_.store.load(std::memory_order_acquire);
  if (store == nullptr) [[unlikely]] {
    ExecuteWhileLoading(row, args);
    return Ran::kNext;
  }
  std::shared_ptr<ApartWork> apart = std::move(apart_);
  RespSink& sink = thread_.sink();
  const uint64_t errors = sink.error_count();
  Outcome outcome;
  if (&row == shared_.view.exec) [[unlikely]] {
    queued_errors_ = 0;
    outcome = store->ExecuteTransaction(session_, sink);
  } else {
    const Request request{.row = &row,
                          .args = args,
                          .owners = owners,
                          .keys = thread_.batch().KeysOf(item),
                          .now_ms = batch_now_ms_,
                          .apart = apart.get()};
    outcome = store->Execute(session_, request, sink);
  }
  if (apart != nullptr) [[unlikely]]
    DropApartWork(std::move(apart));
  if (outcome.kind == Outcome::Kind::kParked) [[unlikely]] {
    WaitFor(Hold::kParked);
    return Ran::kAgain;
  }
  if (outcome.kind == Outcome::Kind::kApart) [[unlikely]]
    return Ran::kAgain;
  if (shared_.hub.monitors().active() && !outcome.refused) [[unlikely]]
    FeedMonitors(row, args);
  if (outcome.kind == Outcome::Kind::kBlocked) [[unlikely]] {
    if (waiter_ != nullptr) {
      session_.visible_lsn =
          std::max(session_.visible_lsn, outcome.visible_lsn);  // a nil at its end says what it saw at its beginning
      BeginWait();
      thread_.command_clock().Now();
      return Ran::kNext;
    }
    long_reply_->visible_lsn = std::exchange(outcome.visible_lsn, 0);
    if (long_reply_->visible_lsn != 0) long_reply_->read_hashes = session_.read_hashes;
    session_.visible_lsn = std::max(session_.visible_lsn, long_reply_->visible_lsn);
  }
  if (outcome.refused) [[unlikely]] {
    thread_.stats().CommandRejected(row);
    thread_.command_clock().Now();
    return Ran::kNext;
  }
  if (outcome.visible_lsn != 0) NoteWait(outcome.visible_lsn);
  shared_.hub.DeliverOutbox(session_.visible_lsn);
  const uint64_t duration_ns = thread_.command_clock().Lap();
  const bool is_exec = &row == shared_.view.exec;  // its commands' errors are not its own
  AfterCommand(row, args, duration_ns, sink.error_count() - errors != (is_exec ? queued_errors_ : 0));
  return Ran::kNext;
}

void Session::Io::AfterQueuedCommand(const CommandRow& row, ArgSpan args, uint64_t errors) {
  queued_errors_ += errors;
  if (shared_.hub.monitors().active()) [[unlikely]]
    FeedMonitors(row, args);
  AfterCommand(row, args, thread_.command_clock().Lap(), errors > 0);
}

void Session::Io::AfterCommand(const CommandRow& row, ArgSpan args, uint64_t duration_ns, bool failed) {
  thread_.stats().CommandDone(row, duration_ns, failed, shared_.latency_tracking.load(std::memory_order_relaxed) != 0);
  const int64_t duration_us = static_cast<int64_t>(duration_ns / 1000);
  ServerStats& stats = shared_.stats;
  if (stats.latency_events().IsLate(duration_us / 1000)) [[unlikely]] {
    stats.latency_events().Add(row.has(kFast) ? "fast-command" : "command", duration_us / 1000);
  }
  if (!stats.slow_log().IsSlow(duration_us) || row.has(kSkipSlowlog)) [[likely]]
    return;
  const std::vector<std::string_view> shown = RedactedArguments(row, args);
  stats.slow_log().Add(shown, duration_us, session_.info.address, session_.info.name);
}

void Session::Io::FeedMonitors(const CommandRow& row, ArgSpan args) {
  const std::string address = session_.info.unix_socket ? "unix:" + shared_.config.Text("unixsocket") : session_.info.address;
  shared_.hub.monitors().Feed(row, args, session_.database, address, RealClock().WallUs());
}

void Session::Io::ExecuteWhileLoading(const CommandRow& row, ArgSpan args) {
  if (&row == shared_.loading_view.exec && session_.transaction.open) return Reject(&row, kLoadingError);
  RespSink& sink = thread_.sink();
  const uint64_t errors = sink.error_count();
  ChangeScope scope;
  scope.now_ms = batch_now_ms_;
  CommandContext context(row, args, {}, {}, session_, *shared_.loading_keyspace, scope, *shared_.loading_view.table, sink);
  row.handler(context);
  if (&row == shared_.loading_view.discard) session_.watch.reset();
  shared_.hub.DeliverOutbox(session_.visible_lsn);
  AfterCommand(row, args, thread_.command_clock().Lap(), sink.error_count() > errors);  // Redis's MONITOR shows nothing meanwhile
}

}  // namespace cairn
