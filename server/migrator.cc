#include "server/migrator.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/resp_request.h"
#include "engine/store.h"
#include "server/server.h"
#include "server/session.h"

namespace cairn {
namespace {

constexpr int64_t kIdleMs = 10'000;
constexpr size_t kTargetsMax = 64;
constexpr int kTries = 16;  // for a key that is changed all the while

std::vector<std::string_view> Words(std::string_view first, const std::vector<std::string>& rest) {
  std::vector<std::string_view> words{first};
  words.insert(words.end(), rest.begin(), rest.end());
  return words;
}

}  // namespace

void Migrator::Start(Server& server, uint64_t session_id, MigrateRequest request) {
  worker_.Run([this, &server, session_id, request = std::move(request)] {
    const std::string answer = Migrate(server.store(), request);
    server.PostToSession(session_id, [answer](Session& waiting) {
      waiting.Unblock([&](ReplySink& reply) {
        if (answer[0] == '+') return reply.Simple(std::string_view(answer).substr(1));
        reply.Error(std::string_view(answer).substr(1));
      });
    });
    worker_.Await(
        RealClock().MonotonicMs() + kIdleMs + 1, [] { return false; }, [this](bool) { CloseIdle(); });
  });
}

void Migrator::Stop() {
  stopping_.store(true, std::memory_order_relaxed);
  worker_.Stop();
  targets_.clear();
}

void Migrator::CloseIdle() {
  const int64_t now_ms = RealClock().MonotonicMs();
  std::erase_if(targets_, [now_ms](const auto& item) { return now_ms - item.second.last_used_ms >= kIdleMs; });
  cached_count_.store(targets_.size(), std::memory_order_relaxed);
}

void Migrator::Forget(const MigrateRequest& request) {
  targets_.erase(request.host + " " + request.port);
  cached_count_.store(targets_.size(), std::memory_order_relaxed);
}

std::string Migrator::Migrate(Store& store, const MigrateRequest& request) {
  Client client;
  client.database = request.database;
  bool replace = request.replace;
  for (int i = 0; i < kTries; i++) {
    bool again = false;
    std::string answer = Try(store, client, request, replace, &again);
    store.Run(client, {"UNWATCH"});
    if (!again) return answer;
    replace = true;  // what is there now came from here
  }
  return "-ERR the keys were changed all the while: they are at the target, and still here";
}

std::string Migrator::Try(Store& store, Client& client, const MigrateRequest& request, bool replace, bool* again) {
  if (!request.copy) store.Run(client, Words("WATCH", request.keys));
  const bool any = store.Run(client, Words("EXISTS", request.keys)).integer != 0;
  if (!any) return "+NOKEY";
  Answers answers;
  for (bool retried = false;; retried = true) {
    Result<Target*> target = TargetOf(request);
    if (!target.ok()) {
      // Redis takes a refused connection for one that is made, and learns otherwise when it writes.
      const bool nobody = target.status().code() == StatusCode::kNotFound;
      return std::string("-IOERR error or timeout ") + (nobody ? "writing to target instance" : "connecting to the client");
    }
    Sent sent;
    const Status encoded = Encode(store, request, replace, (*target)->database, &sent);
    if (!encoded.ok()) return "-" + std::string(encoded.message());
    bool wrote = false;
    answers = {};
    const Status done = Exchange(**target, request, sent, &wrote, &answers);
    if (done.ok()) break;
    Forget(request);
    // A kept connection that the other side had closed meanwhile is opened again, if nothing was done with it yet.
    const bool timed_out = done.code() == StatusCode::kUnavailable;
    if (!timed_out && !retried && answers.taken.empty() && answers.error.empty()) continue;
    if (answers.error.empty())
      answers.error = std::string("IOERR error or timeout ") + (wrote ? "reading" : "writing") + " to target instance";
    break;
  }
  if (!request.copy && !answers.taken.empty()) {
    store.Run(client, {"MULTI"});
    store.Run(client, Words("DEL", answers.taken));
    const ReplyValue deleted = store.Run(client, {"EXEC"});
    if (deleted.is_error()) return "-" + deleted.text;
    *again = deleted.is_null() && answers.error.empty();
  }
  return answers.error.empty() ? "+OK" : "-" + answers.error;
}

Status Migrator::Encode(Store& store, const MigrateRequest& request, bool replace, int64_t selected_database, Sent* sent) {
  Client client;  // not the one that watches: EXEC ends watches
  client.database = request.database;
  if (!request.auth.empty()) {
    AppendRequest(sent->preamble, Words("AUTH", request.auth));
    sent->preamble_replies++;
  }
  if (selected_database != request.target_database) {
    sent->preamble += EncodeRequest({"SELECT", std::to_string(request.target_database)});
    sent->preamble_replies++;
  }
  for (const std::string& key : request.keys) {
    // Read as one: another value's expiry would travel with this one.
    store.Run(client, {"MULTI"}, Store::Durability::kDoNotAwait);
    store.Run(client, {"PTTL", key}, Store::Durability::kDoNotAwait);
    store.Run(client, {"DUMP", key}, Store::Durability::kDoNotAwait);
    const ReplyValue both = store.Run(client, {"EXEC"});
    if (both.is_error()) return Status::Unavailable(both.text);
    if (both.elements.size() != 2 || both.elements[1].is_null()) continue;
    const std::string ttl = std::to_string(std::max<int64_t>(both.elements[0].integer, both.elements[0].integer == -1 ? 0 : 1));
    sent->bytes += replace ? EncodeRequest({"RESTORE", key, ttl, both.elements[1].text, "REPLACE"})
                           : EncodeRequest({"RESTORE", key, ttl, both.elements[1].text});
    sent->keys.push_back(key);
  }
  return Status();
}

Result<Migrator::Target*> Migrator::TargetOf(const MigrateRequest& request) {
  const std::string name = request.host + " " + request.port;
  const auto found = targets_.find(name);
  if (found != targets_.end()) {
    found->second.last_used_ms = RealClock().MonotonicMs();
    return &found->second;
  }
  CAIRN_ASSIGN_OR_RETURN(auto connection, TargetConnection::Connect(request.host, request.port, request.timeout_ms, &stopping_));
  if (targets_.size() >= kTargetsMax) targets_.erase(targets_.begin());
  Target& target = targets_[name];
  target = {.connection = std::move(connection), .last_used_ms = RealClock().MonotonicMs()};
  cached_count_.store(targets_.size(), std::memory_order_relaxed);
  return &target;
}

Status Migrator::Exchange(Target& target, const MigrateRequest& request, const Sent& sent, bool* wrote, Answers* answers) {
  TargetConnection& connection = *target.connection;
  // Whether the target did as it was told. What answers with neither a status nor an error is not a Redis server, whatever else it is
  // (something that speaks HTTP at that port, say), and has taken no key.
  const auto accepted = [&]() -> Result<bool> {
    CAIRN_ASSIGN_OR_RETURN(const std::string line, connection.ReadLine(request.timeout_ms));
    if (line.starts_with('+')) return true;
    if (!line.starts_with('-')) return Status::IoError("the other side does not speak RESP");
    if (answers->error.empty()) answers->error = "ERR Target instance replied with error: " + line.substr(1);
    return false;
  };
  target.database = -1;
  CAIRN_RETURN_IF_ERROR(connection.Send(sent.preamble, request.timeout_ms));
  for (int i = 0; i < sent.preamble_replies; i++) {
    *wrote = true;
    CAIRN_RETURN_IF_ERROR(accepted().status());
  }
  // Without them the keys would go to another place than was meant.
  if (!answers->error.empty()) return Status();
  *wrote = false;
  CAIRN_RETURN_IF_ERROR(connection.Send(sent.bytes, request.timeout_ms));
  *wrote = true;
  for (const std::string& key : sent.keys) {
    CAIRN_ASSIGN_OR_RETURN(const bool taken, accepted());
    if (taken) answers->taken.push_back(key);
  }
  target.database = answers->error.empty() ? request.target_database : -1;
  return Status();
}

}  // namespace cairn
