#include "tests/torture/verdict.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "tests/torture/register_check.h"

namespace cairn::torture {
namespace {

using Numbers = std::set<uint64_t>;

class Judgement {
 public:
  Judgement(const std::vector<Operation>& history, const Observation& found, uint64_t now)
      : history_(history), found_(found), now_(now), violations_(found.faults) {}

  std::vector<std::string> Run() {
    Registers();
    for (uint32_t i = 0; i < kCounters; i++) Counter(i);
    Lists();
    Stream();
    Deliveries();
    for (uint32_t i = 0; i < kClients; i++) Ledger(i);
    return std::move(violations_);
  }

 private:
  void Fail(std::string text) { violations_.push_back(std::move(text)); }

  void Registers() {
    std::array<std::vector<RegisterEvent>, kRegisters> events;
    for (const Operation& op : history_) {
      if (op.kind == OpKind::kWrite || op.kind == OpKind::kSwap) {
        events[op.object].push_back({op.value, op.start, op.finish, true, op.acknowledged});
      }
      if (op.kind == OpKind::kRead) events[op.object].push_back({op.value, op.start, op.finish});
      if (op.kind == OpKind::kSwap && op.acknowledged) events[op.object].push_back({op.other, op.start, op.finish});
    }
    for (uint32_t i = 0; i < kRegisters; i++) {
      events[i].push_back({found_.registers[i], now_, now_ + 1});
      const std::string wrong = CheckRegister(events[i]);
      if (!wrong.empty()) Fail("register " + std::to_string(i) + ", found " + std::to_string(found_.registers[i]) + ": " + wrong);
    }
  }

  struct Ranked {
    uint64_t rank = 0;
    const Operation* op = nullptr;
  };
  // Certain operations whose ranks say in which order they took effect: none was sent after one of a higher rank was acknowledged.
  void CheckOrder(const std::string& what, std::vector<Ranked> ranked) {
    std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });
    const Operation* lower = nullptr;   // of those with a lower rank, the one that was sent last
    const Operation* latest = nullptr;  // the same, with this rank's
    for (size_t i = 0; i < ranked.size(); i++) {
      if (i > 0 && ranked[i].rank != ranked[i - 1].rank) lower = latest;
      const Operation* op = ranked[i].op;
      if (lower != nullptr && op->finish < lower->start) {
        Fail(what + ": " + std::to_string(op->value) + " comes after " + std::to_string(lower->value) +
             ", which was sent when it had been acknowledged");
        return;
      }
      if (latest == nullptr || op->start > latest->start) latest = op;
    }
  }

  void Counter(uint32_t counter) {
    const std::string name = "counter " + std::to_string(counter);
    const uint64_t value = found_.counters[counter];
    std::vector<Ranked> steps;
    Numbers taken;
    uint64_t doubtful = 0;
    for (const Operation& op : history_) {
      if (op.object != counter || (op.kind != OpKind::kIncrement && op.kind != OpKind::kCount)) continue;
      if (!op.acknowledged) {
        doubtful++;
        continue;
      }
      steps.push_back({2 * op.value + (op.kind == OpKind::kCount ? 1 : 0), &op});
      if (op.value > value) Fail(name + " is " + std::to_string(value) + " although a client saw " + std::to_string(op.value));
      if (op.kind == OpKind::kIncrement && !taken.insert(op.value).second)
        Fail(name + " gave " + std::to_string(op.value) + " twice");
    }
    if (value > taken.size() + doubtful) {
      Fail(name + " is " + std::to_string(value) + " after at most " + std::to_string(taken.size() + doubtful) + " steps");
    }
    CheckOrder(name, steps);
  }

  void Lists() {
    std::map<uint64_t, const Operation*> pushed;
    std::map<uint64_t, const Operation*> moves;
    Numbers popped;
    uint64_t doubtful_pops = 0;
    for (const Operation& op : history_) {
      if (op.kind == OpKind::kPush) pushed[op.value] = &op;
      if (op.kind == OpKind::kPop && !op.acknowledged) doubtful_pops++;
      if (op.kind == OpKind::kPop && op.acknowledged && !popped.insert(op.value).second) {
        Fail("list: " + std::to_string(op.value) + " was popped twice");
      }
      if (op.kind == OpKind::kMove && op.acknowledged && !moves.emplace(op.value, &op).second) {
        Fail("list: " + std::to_string(op.value) + " was moved twice");
      }
    }
    Numbers present;
    std::vector<Ranked> order;
    for (const uint64_t value : found_.queue) {
      Place(value, pushed, popped, present);
      if (moves.contains(value)) Fail("list: " + std::to_string(value) + " is back in the list it was moved from");
      if (pushed.contains(value) && pushed[value]->acknowledged) order.push_back({order.size(), pushed[value]});
    }
    CheckOrder("list", order);
    order.clear();
    for (const uint64_t value : found_.moved) {
      Place(value, pushed, popped, present);
      if (moves.contains(value)) order.push_back({order.size(), moves[value]});
    }
    CheckOrder("second list", order);
    for (const auto& [value, op] : moves) {
      if (!present.contains(value)) Fail("list: " + std::to_string(value) + " was moved and is lost");
    }
    Numbers missing;
    for (const auto& [value, op] : pushed) {
      if (op->acknowledged && !present.contains(value) && !popped.contains(value)) missing.insert(value);
    }
    if (missing.size() > doubtful_pops) {
      Fail("list: " + std::to_string(missing.size()) + " elements are lost, " + std::to_string(*missing.begin()) +
           " for one; only " + std::to_string(doubtful_pops) + " may have been popped");
    }
  }

  void Place(uint64_t value, const std::map<uint64_t, const Operation*>& pushed, const Numbers& popped, Numbers& present) {
    if (!pushed.contains(value)) Fail("list: nobody pushed " + std::to_string(value));
    if (!present.insert(value).second) Fail("list: " + std::to_string(value) + " is there twice");
    if (popped.contains(value)) Fail("list: " + std::to_string(value) + " was popped and is back");
  }

  void Stream() {
    std::map<uint64_t, const Operation*> added;
    for (const Operation& op : history_) {
      if (op.kind == OpKind::kAdd) added[op.value] = &op;
      if (op.kind == OpKind::kCreateGroup && op.acknowledged && !found_.has_group) Fail("stream: the group is lost");
    }
    Numbers present;
    std::vector<Ranked> order;
    for (const uint64_t value : found_.stream) {
      const auto add = added.find(value);
      if (add == added.end()) Fail("stream: nobody added " + std::to_string(value));
      if (!present.insert(value).second) Fail("stream: " + std::to_string(value) + " is there twice");
      if (add != added.end() && add->second->acknowledged) order.push_back({order.size(), add->second});
    }
    CheckOrder("stream", order);
    for (const auto& [value, op] : added) {
      if (op->acknowledged && !present.contains(value)) Fail("stream: " + std::to_string(value) + " is lost");
    }
  }

  void Deliveries() {
    std::map<uint64_t, uint32_t> delivered;  // entry -> consumer
    Numbers acked;
    Numbers perhaps_acked;
    uint64_t doubtful = 0;
    for (const Operation& op : history_) {
      if (op.kind == OpKind::kAck) (op.acknowledged ? acked : perhaps_acked).insert(op.value);
      if (op.kind != OpKind::kDeliver || op.value == 0) {
        if (op.kind == OpKind::kDeliver && !op.acknowledged) doubtful++;
        continue;
      }
      if (!op.acknowledged) {
        doubtful++;
      } else if (!delivered.emplace(op.value, op.object).second) {
        Fail("group: " + std::to_string(op.value) + " was delivered twice");
      }
    }
    std::map<uint64_t, uint32_t> pending;
    for (uint32_t consumer = 0; consumer < kConsumers; consumer++) {
      for (const uint64_t value : found_.delivered[consumer]) pending[value] = consumer;
    }
    const Numbers passed(found_.stream.begin(), found_.stream.begin() + static_cast<ptrdiff_t>(std::min<uint64_t>(
                                                                            found_.delivered_up_to, found_.stream.size())));
    for (const auto& [value, consumer] : delivered) {
      if (!passed.contains(value)) Fail("group: " + std::to_string(value) + " was delivered and would be again");
      const auto held = pending.find(value);
      if (held != pending.end() && held->second != consumer)
        Fail("group: " + std::to_string(value) + " is with another consumer");
      if (held == pending.end() && !acked.contains(value) && !perhaps_acked.contains(value)) {
        Fail("group: the delivery of " + std::to_string(value) + " is forgotten");
      }
    }
    uint64_t unknown = 0;
    for (const uint64_t value : passed) unknown += delivered.contains(value) ? 0 : 1;
    for (const auto& [value, consumer] : pending) {
      if (acked.contains(value)) Fail("group: the acknowledgement of " + std::to_string(value) + " is forgotten");
    }
    if (unknown > doubtful) {
      Fail("group: " + std::to_string(unknown) + " entries are passed over, only " + std::to_string(doubtful) +
           " may have been delivered");
    }
  }

  void Ledger(uint32_t client) {
    uint64_t least = 0;
    uint64_t most = 0;
    for (const Operation& op : history_) {
      if (op.kind != OpKind::kLedger || op.object != client) continue;
      if (op.acknowledged) least = std::max(least, op.value);
      most = std::max(most, op.value);
    }
    const auto& slots = found_.ledgers[client];
    const uint64_t last = *std::max_element(slots.begin(), slots.end());
    const std::string name = "ledger of client " + std::to_string(client) + ": ";
    if (last < least) Fail(name + std::to_string(least) + " was acknowledged, " + std::to_string(last) + " is the last");
    if (last > most) Fail(name + std::to_string(last) + " was never sent");
    for (uint64_t slot = 0; slot < kLedgerSlots; slot++) {
      const uint64_t back = (last + kLedgerSlots - slot) % kLedgerSlots;
      const uint64_t expected = last > back ? last - back : 0;
      if (slots[slot] != expected) {
        Fail(name + std::to_string(last) + " is there, but slot " + std::to_string(slot) + " holds " +
             std::to_string(slots[slot]) + " and not " + std::to_string(expected));
      }
    }
  }

  const std::vector<Operation>& history_;
  const Observation& found_;
  const uint64_t now_;
  std::vector<std::string> violations_;
};

}  // namespace

std::vector<std::string> Judge(const std::vector<Operation>& history, const Observation& found, uint64_t now) {
  return Judgement(history, found, now).Run();
}

}  // namespace cairn::torture
