#include "tests/torture/history.h"

namespace cairn::torture {
namespace {

constexpr int64_t kEverySecondUs = 1'000'000;

bool IsRead(const Operation& operation) { return operation.kind == OpKind::kRead || operation.kind == OpKind::kCount; }

bool Counts(const Operation& operation, const CrashMoment& crash, Promise promise) {
  if (!operation.acknowledged || operation.finish >= crash.replies_before) return false;
  switch (promise) {
    case Promise::kEverything: return true;
    // What was read may be lost as what was acknowledged may be.
    case Promise::kOneSecond: return !IsRead(operation) && operation.finished_us < crash.at_us - kEverySecondUs;
    case Promise::kPrefix: return false;
  }
  return false;
}

}  // namespace

std::vector<Operation> HistoryUntil(const CrashMoment& crash, Promise promise, const std::vector<Operation>& before,
                                    const std::vector<ClientHistory>& clients) {
  std::vector<Operation> result = before;
  for (const ClientHistory& client : clients) {
    for (const Operation& sent : client) {
      if (sent.start >= crash.sent_before) break;
      Operation operation = sent;
      if (!Counts(sent, crash, promise)) {
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
