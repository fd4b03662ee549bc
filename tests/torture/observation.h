// What a recovered store holds, read through commands as a client would.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/store.h"
#include "tests/torture/history.h"

namespace cairn::torture {

struct Observation {
  std::array<uint64_t, kRegisters> registers{};  // 0: nothing was ever written
  std::array<uint64_t, kCounters> counters{};
  std::vector<uint64_t> queue;
  std::vector<uint64_t> moved;
  bool has_group = false;
  std::vector<uint64_t> stream;                             // the entries' numbers, in order
  std::array<std::vector<uint64_t>, kConsumers> delivered;  // pending entries of each consumer
  uint64_t delivered_up_to = 0;                             // entries of the stream up to the group's cursor
  std::array<std::array<uint64_t, kLedgerSlots>, kClients> ledgers{};
  std::vector<std::string> faults;  // what no history could explain: half a transaction, a torn value, an error reply

  bool operator==(const Observation&) const = default;
};

// `generation` names the ledgers. The store must be idle.
Observation Observe(Store& store, uint64_t generation);

// A register's value as it is stored: the number, and as many bytes derived from it as its size asks for, so that a torn or mixed-up
// value shows. 0 and a fault's text where the bytes are not such a value.
std::string ValueOf(uint64_t number);
uint64_t NumberOf(std::string_view value, std::string* fault);

std::string StringKey(uint32_t object);                  // of a string register
std::string GroupKey(uint32_t object, uint32_t member);  // of a group of keys
std::string LedgerKey(uint64_t generation, uint32_t client, uint64_t slot);

}  // namespace cairn::torture
