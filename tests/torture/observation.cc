#include "tests/torture/observation.h"

#include <charconv>

#include "engine/client.h"

namespace cairn::torture {
namespace {

uint64_t ToNumber(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

size_t SizeOf(uint64_t number) {
  if (number % 997 == 0) return 1'500'000;  // longer than a frame of the log
  if (number % 61 == 0) return 20'000;      // a rope
  if (number % 17 == 0) return 5'000;
  return 12 + number % 50;
}

class Observer {
 public:
  Observer(Store& store, uint64_t generation) : store_(store), generation_(generation) {}

  Observation Take() {
    Registers();
    Counters();
    result_.queue = Numbers(Run({"LRANGE", "queue", "0", "-1"}));
    result_.moved = Numbers(Run({"LRANGE", "moved", "0", "-1"}));
    Stream();
    Ledgers();
    return std::move(result_);
  }

 private:
  ReplyValue Run(std::initializer_list<std::string_view> args) {
    ReplyValue reply = store_.Run(client_, args);
    if (reply.is_error()) result_.faults.push_back(std::string(*args.begin()) + " answers " + reply.text);
    return reply;
  }

  uint64_t Value(const std::string& where, const ReplyValue& reply) {
    if (reply.is_null() || reply.is_error()) return 0;
    std::string fault;
    const uint64_t number = NumberOf(reply.text, &fault);
    if (!fault.empty()) result_.faults.push_back(where + ": " + fault);
    return number;
  }

  void Registers() {
    uint32_t object = 0;
    for (uint32_t i = 0; i < kStrings; i++, object++) result_.registers[object] = Value(StringKey(i), Run({"GET", StringKey(i)}));
    for (uint32_t i = 0; i < kHashFields; i++, object++) {
      const std::string field = std::to_string(i);
      result_.registers[object] = Value("hash " + field, Run({"HGET", "hash", field}));
    }
    for (uint32_t i = 0; i < kScores; i++, object++) {
      result_.registers[object] = ToNumber(Run({"ZSCORE", "scores", std::to_string(i)}).text);
    }
    for (uint32_t i = 0; i < kGroups; i++, object++) {
      for (uint32_t member = 0; member < kGroupKeys; member++) {
        const std::string key = GroupKey(i, member);
        const uint64_t number = Value(key, Run({"GET", key}));
        if (member == 0) result_.registers[object] = number;
        if (number != result_.registers[object]) {
          result_.faults.push_back("half a transaction: " + GroupKey(i, 0) + " is " + std::to_string(result_.registers[object]) +
                                   ", " + key + " is " + std::to_string(number));
        }
      }
    }
  }

  void Counters() {
    for (uint32_t i = 0; i < kCounters; i++) {
      result_.counters[i] = ToNumber(Run({"GET", "counter:" + std::to_string(i)}).text);
    }
  }

  static std::vector<uint64_t> Numbers(const ReplyValue& reply) {
    std::vector<uint64_t> numbers;
    for (const ReplyValue& element : reply.elements) numbers.push_back(ToNumber(element.text));
    return numbers;
  }

  void Stream() {
    if (Run({"EXISTS", "stream"}).integer == 0) return;
    result_.has_group = !Run({"XINFO", "GROUPS", "stream"}).elements.empty();
    if (!result_.has_group) return;
    std::map<std::string, uint64_t> number_of;
    for (const ReplyValue& entry : Run({"XRANGE", "stream", "-", "+"}).elements) {
      const uint64_t number = ToNumber(entry.elements[1].elements[1].text);
      number_of[entry.elements[0].text] = number;
      result_.stream.push_back(number);
    }
    for (const ReplyValue& pending : Run({"XPENDING", "stream", "group", "-", "+", "100000"}).elements) {
      const uint64_t consumer = ToNumber(std::string_view(pending.elements[1].text).substr(1));
      const auto found = number_of.find(pending.elements[0].text);
      if (found == number_of.end() || consumer >= kConsumers) {
        result_.faults.push_back("entry " + pending.elements[0].text + " is pending with " + pending.elements[1].text +
                                 " but not in the stream");
      } else {
        result_.delivered[consumer].push_back(found->second);
      }
    }
    for (const ReplyValue& group : Run({"XINFO", "GROUPS", "stream"}).elements) {
      for (size_t i = 0; i + 1 < group.elements.size(); i += 2) {
        if (group.elements[i].text != "last-delivered-id") continue;
        const std::string& cursor = group.elements[i + 1].text;
        result_.delivered_up_to = static_cast<uint64_t>(Run({"XRANGE", "stream", "-", cursor}).elements.size());
      }
    }
  }

  void Ledgers() {
    for (uint32_t client = 0; client < kClients; client++) {
      for (uint64_t slot = 0; slot < kLedgerSlots; slot++) {
        result_.ledgers[client][slot] = ToNumber(Run({"GET", LedgerKey(generation_, client, slot)}).text);
      }
    }
  }

  Store& store_;
  const uint64_t generation_;
  Client client_;
  Observation result_;
};

}  // namespace

std::string ValueOf(uint64_t number) {
  std::string value = std::to_string(number) + ':';
  const size_t size = SizeOf(number);
  while (value.size() < size) value += static_cast<char>('a' + (number + value.size() * 7) % 26);
  return value;
}

uint64_t NumberOf(std::string_view value, std::string* fault) {
  const uint64_t number = ToNumber(value);
  if (value == ValueOf(number)) return number;
  *fault = std::to_string(value.size()) + " bytes that nobody wrote, beginning with " + std::string(value.substr(0, 20));
  return 0;
}

std::string StringKey(uint32_t object) { return "string:" + std::to_string(object); }

std::string GroupKey(uint32_t object, uint32_t member) {
  return "group:" + std::to_string(member) + ":" + std::to_string(object);
}

std::string LedgerKey(uint64_t generation, uint32_t client, uint64_t slot) {
  return "ledger:" + std::to_string(generation) + ":" + std::to_string(client) + ":" + std::to_string(slot);
}

Observation Observe(Store& store, uint64_t generation) { return Observer(store, generation).Take(); }

}  // namespace cairn::torture
