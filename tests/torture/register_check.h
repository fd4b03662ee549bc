// Is there an order of a register's operations that explains what everybody saw?
//
// Every number is written once, so the operations fall into clusters: one write and the reads that returned its number. A cluster has
// to take effect as a block. Whatever the order, the block covers the time from its first reply to its last request, where the reply
// comes first (a forward zone); otherwise it fits anywhere between the last request and the first reply (a backward zone). The history
// is linearizable exactly if no two forward zones overlap and no backward zone lies inside a forward one (Gibbons and Korach, Testing
// Shared Memories). What a recovered store holds is one more read, so lost writes, lost reads and values that came back are all found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cairn::torture {

struct RegisterEvent {
  uint64_t value = 0;
  uint64_t start = 0;
  uint64_t finish = 0;
  bool is_write = false;
  bool certain = true;  // a write that is not may not have happened
};

// Empty, or what is wrong. Value 0 is what the register holds before the first write.
std::string CheckRegister(const std::vector<RegisterEvent>& events);

}  // namespace cairn::torture
