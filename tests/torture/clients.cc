#include "tests/torture/clients.h"

#include <charconv>

#include "tests/torture/observation.h"

namespace cairn::torture {
namespace {

const std::string kNeverComesMs = "1000000000";

uint64_t ToNumber(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

size_t TortureClient::Begin(OpKind kind, uint32_t object, uint64_t value) {
  history_.push_back(
      {.kind = kind, .object = object, .value = value, .start = world_.stamps.Next(), .started_us = world_.clock.MonotonicUs()});
  return history_.size() - 1;
}

bool TortureClient::Run(const Args& args, ReplyValue* reply) {
  const std::vector<std::string_view> views(args.begin(), args.end());
  *reply = world_.store.Run(client_, views, in_batch_ ? Store::Durability::kDoNotAwait : Store::Durability::kAwait);
  if (!reply->is_error()) return true;
  if (!world_.errors_expected || reply->text.find("MISCONF") == std::string::npos)
    violations_.push_back(args[0] + " answers " + reply->text);
  return false;
}

void TortureClient::Replied(size_t at) {
  if (in_batch_) {
    awaited_.push_back(at);
  } else {
    Acknowledge(at);
  }
}

void TortureClient::Acknowledge(size_t at) {
  world_.disk.NoteUsed(world_.store.end_lsn());
  Operation& operation = history_[at];
  operation.finished_us = world_.clock.MonotonicUs();
  operation.acknowledged = true;
  operation.finish = world_.stamps.Next();
}

void TortureClient::Step() {
  if (random_.OneIn(6)) {
    Batch();
  } else {
    One();
  }
}

// A pipeline as a network thread executes it: the replies leave together, when all of them may.
void TortureClient::Batch() {
  in_batch_ = true;
  world_.store.BeginBatch();
  for (uint64_t count = 2 + random_.Uniform(6); count > 0; count--) One();
  world_.store.EndBatch();
  in_batch_ = false;
  const bool waits = world_.store.log().policy() == FsyncPolicy::kAlways;
  const bool durable = !waits || world_.store.WaitDurable(world_.store.end_lsn()).ok();
  for (const size_t at : awaited_) {
    if (durable) Acknowledge(at);
  }
  awaited_.clear();
}

void TortureClient::One() {
  switch (random_.Uniform(18)) {
    case 0:
    case 1:
    case 2: return WriteRegister();
    case 3:
    case 4:
    case 5: return ReadRegister();
    case 6:
    case 7: return WriteGroup();
    case 8: return ReadGroup();
    case 9: return Count();
    case 10: return Push();
    case 11: return Pop();
    case 12: return Move();
    case 13: return Add();
    case 14: return Deliver();
    case 15: return AckDelivered();
    default: return WriteLedger();
  }
}

uint64_t TortureClient::Number(const std::string& where, const ReplyValue& reply) {
  if (reply.is_null()) return 0;
  std::string fault;
  const uint64_t number = NumberOf(reply.text, &fault);
  if (!fault.empty()) violations_.push_back(where + ": " + fault);
  return number;
}

void TortureClient::WriteRegister() {
  const auto object = static_cast<uint32_t>(random_.Uniform(kFirstGroup));
  const uint64_t number = world_.next_number.fetch_add(1);
  const bool swaps = object < kStrings && random_.OneIn(3);
  const size_t at = Begin(swaps ? OpKind::kSwap : OpKind::kWrite, object, number);
  ReplyValue reply;
  bool done;
  if (!swaps && random_.OneIn(4)) {
    done = Replace(object, number);
  } else if (object < kStrings) {
    done = Run({swaps ? "GETSET" : "SET", StringKey(object), ValueOf(number)}, &reply);
    if (done && swaps) history_[at].other = Number("GETSET", reply);
  } else if (object < kStrings + kHashFields) {
    done = Run({"HSET", "hash", std::to_string(object - kStrings), ValueOf(number)}, &reply);
  } else {
    done = Run({"ZADD", "scores", std::to_string(number), std::to_string(object - kStrings - kHashFields)}, &reply);
  }
  if (done) Replied(at);
}

// Deletes what is there and writes it anew, in one transaction; strings with an expiry that will not come.
bool TortureClient::Replace(uint32_t object, uint64_t number) {
  const std::string field = std::to_string(object < kStrings + kHashFields ? object - kStrings : object - kStrings - kHashFields);
  ReplyValue reply;
  bool queued = Run({"MULTI"}, &reply);
  if (object < kStrings) {
    queued = Run({random_.OneIn(2) ? "DEL" : "UNLINK", StringKey(object)}, &reply) && queued;
    queued = Run({"SET", StringKey(object), ValueOf(number), "PX", kNeverComesMs}, &reply) && queued;
    if (random_.OneIn(2)) queued = Run({"PERSIST", StringKey(object)}, &reply) && queued;
  } else if (object < kStrings + kHashFields) {
    queued = Run({"HDEL", "hash", field}, &reply) && queued;
    queued = Run({"HSET", "hash", field, ValueOf(number)}, &reply) && queued;
    if (random_.OneIn(2)) queued = Run({"HPEXPIRE", "hash", kNeverComesMs, "FIELDS", "1", field}, &reply) && queued;
  } else {
    queued = Run({"ZREM", "scores", field}, &reply) && queued;
    queued = Run({"ZADD", "scores", std::to_string(number), field}, &reply) && queued;
  }
  if (queued) return Run({"EXEC"}, &reply);
  (void)Run({"DISCARD"}, &reply);
  return false;
}

void TortureClient::ReadRegister() {
  const auto object = static_cast<uint32_t>(random_.Uniform(kFirstGroup));
  const size_t at = Begin(OpKind::kRead, object, 0);
  ReplyValue reply;
  bool done;
  if (object < kStrings) {
    done = Run({"GET", StringKey(object)}, &reply);
    if (done) history_[at].value = Number("GET", reply);
  } else if (object < kStrings + kHashFields) {
    done = Run({"HGET", "hash", std::to_string(object - kStrings)}, &reply);
    if (done) history_[at].value = Number("HGET", reply);
  } else {
    done = Run({"ZSCORE", "scores", std::to_string(object - kStrings - kHashFields)}, &reply);
    if (done) history_[at].value = ToNumber(reply.text);
  }
  if (done) {
    Replied(at);
  } else {
    Drop();
  }
}

// All keys of the group at once, by MSET or by a transaction.
void TortureClient::WriteGroup() {
  const auto group = static_cast<uint32_t>(random_.Uniform(kGroups));
  const uint64_t number = world_.next_number.fetch_add(1);
  const size_t at = Begin(OpKind::kWrite, kFirstGroup + group, number);
  ReplyValue reply;
  if (random_.OneIn(2)) {
    Args args{"MSET"};
    for (uint32_t member = 0; member < kGroupKeys; member++) args.insert(args.end(), {GroupKey(group, member), ValueOf(number)});
    if (Run(args, &reply)) Replied(at);
    return;
  }
  bool queued = Run({"MULTI"}, &reply);
  for (uint32_t member = 0; member < kGroupKeys; member++) {
    queued = Run({"SET", GroupKey(group, member), ValueOf(number)}, &reply) && queued;
  }
  if (!queued) {
    (void)Run({"DISCARD"}, &reply);
  } else if (Run({"EXEC"}, &reply)) {
    Replied(at);
  }
}

void TortureClient::ReadGroup() {
  const auto group = static_cast<uint32_t>(random_.Uniform(kGroups));
  const size_t at = Begin(OpKind::kRead, kFirstGroup + group, 0);
  Args args{"MGET"};
  for (uint32_t member = 0; member < kGroupKeys; member++) args.push_back(GroupKey(group, member));
  ReplyValue reply;
  if (!Run(args, &reply)) return Drop();
  history_[at].value = Number("MGET", reply.elements[0]);
  for (const ReplyValue& element : reply.elements) {
    if (element != reply.elements[0]) violations_.push_back("MGET shows half a transaction");
  }
  Replied(at);
}

void TortureClient::Count() {
  const auto counter = static_cast<uint32_t>(random_.Uniform(kCounters));
  const std::string key = "counter:" + std::to_string(counter);
  ReplyValue reply;
  if (random_.OneIn(3)) {
    const size_t at = Begin(OpKind::kCount, counter, 0);
    if (!Run({"GET", key}, &reply)) return Drop();
    history_[at].value = ToNumber(reply.text);
    return Replied(at);
  }
  const size_t at = Begin(OpKind::kIncrement, counter, 0);
  if (!Run({"INCR", key}, &reply)) return;
  history_[at].value = static_cast<uint64_t>(reply.integer);
  Replied(at);
}

void TortureClient::Push() {
  const uint64_t number = world_.next_number.fetch_add(1);
  const size_t at = Begin(OpKind::kPush, 0, number);
  ReplyValue reply;
  if (Run({"RPUSH", "queue", std::to_string(number)}, &reply)) Replied(at);
}

void TortureClient::Pop() {
  const size_t at = Begin(OpKind::kPop, 0, 0);
  ReplyValue reply;
  if (!Run({"LPOP", "queue"}, &reply)) return;
  if (reply.is_null()) return Drop();
  history_[at].value = ToNumber(reply.text);
  Replied(at);
}

void TortureClient::Move() {
  const size_t at = Begin(OpKind::kMove, 0, 0);
  ReplyValue reply;
  if (!Run({"LMOVE", "queue", "moved", "LEFT", "RIGHT"}, &reply)) return;
  if (reply.is_null()) return Drop();
  history_[at].value = ToNumber(reply.text);
  Replied(at);
}

void TortureClient::Add() {
  const uint64_t number = world_.next_number.fetch_add(1);
  const size_t at = Begin(OpKind::kAdd, 0, number);
  ReplyValue reply;
  if (Run({"XADD", "stream", "*", "n", std::to_string(number)}, &reply)) Replied(at);
}

void TortureClient::Deliver() {
  const size_t at = Begin(OpKind::kDeliver, index_, 0);
  ReplyValue reply;
  const Args args{"XREADGROUP", "GROUP", "group", "c" + std::to_string(index_), "COUNT", "1", "STREAMS", "stream", ">"};
  if (!Run(args, &reply)) return;
  if (reply.is_null()) return Drop();
  const ReplyValue& entry = reply.elements[0].elements[1].elements[0];
  history_[at].value = ToNumber(entry.elements[1].elements[1].text);
  to_ack_.emplace_back(entry.elements[0].text, history_[at].value);
  Replied(at);
}

void TortureClient::AckDelivered() {
  if (to_ack_.empty()) return;
  const auto [id, number] = to_ack_.back();
  to_ack_.pop_back();
  const size_t at = Begin(OpKind::kAck, index_, number);
  ReplyValue reply;
  if (!Run({"XACK", "stream", "group", id}, &reply)) return;
  if (reply.integer != 1) violations_.push_back("XACK does not know entry " + std::to_string(number));
  Replied(at);
}

void TortureClient::CreateGroup() {
  ReplyValue groups;
  if (Run({"EXISTS", "stream"}, &groups) && groups.integer == 1) return;
  const size_t at = Begin(OpKind::kCreateGroup, 0, 0);
  ReplyValue reply;
  if (Run({"XGROUP", "CREATE", "stream", "group", "0", "MKSTREAM"}, &reply)) Replied(at);
}

void TortureClient::WriteLedger() {
  if (!ledger_open_) return;
  ledger_++;
  const size_t at = Begin(OpKind::kLedger, index_, ledger_);
  ReplyValue reply;
  ledger_open_ = Run({"SET", LedgerKey(world_.generation, index_, ledger_ % kLedgerSlots), std::to_string(ledger_)}, &reply);
  if (ledger_open_) Replied(at);
}

}  // namespace cairn::torture
