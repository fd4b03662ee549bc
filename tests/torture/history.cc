#include "tests/torture/history.h"

#include <algorithm>

namespace cairn::torture {
namespace {

constexpr int64_t kEverySecondUs = 1'000'000;

bool IsRead(const Operation& operation) { return operation.kind == OpKind::kRead || operation.kind == OpKind::kCount; }

bool Replied(const Operation& operation, const CrashMoment& crash) {
  return operation.acknowledged && operation.finish < crash.replies_before;
}

// When the last write was sent that was accepted before the crash.
int64_t LastAcceptedUs(const CrashMoment& crash, const std::vector<ClientHistory>& clients) {
  int64_t last_us = 0;
  for (const ClientHistory& client : clients) {
    for (const Operation& operation : client) {
      if (Replied(operation, crash) && !IsRead(operation)) last_us = std::max(last_us, operation.started_us);
    }
  }
  return std::min(last_us, crash.at_us);
}

bool Counts(const Operation& operation, const CrashMoment& crash, Promise promise, int64_t last_accepted_us) {
  if (!Replied(operation, crash)) return false;
  switch (promise) {
    case Promise::kEverything: return true;
    // What was read may be lost as what was acknowledged may be.
    case Promise::kOneSecond: return !IsRead(operation) && operation.finished_us < last_accepted_us - kEverySecondUs;
    case Promise::kPrefix: return false;
  }
  return false;
}

}  // namespace

std::vector<Operation> HistoryUntil(const CrashMoment& crash, Promise promise, const std::vector<Operation>& before,
                                    const std::vector<ClientHistory>& clients) {
  std::vector<Operation> result = before;
  const int64_t last_accepted_us = LastAcceptedUs(crash, clients);
  for (const ClientHistory& client : clients) {
    for (const Operation& sent : client) {
      if (sent.start >= crash.sent_before) break;
      Operation operation = sent;
      if (!Counts(sent, crash, promise, last_accepted_us)) {
        if (IsRead(sent)) continue;
        operation.acknowledged = false;
        operation.finish = crash.sent_before;
      }
      result.push_back(operation);
    }
  }
  return result;
}

}  // namespace cairn::torture
