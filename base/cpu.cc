#include "base/cpu.h"

#include <mutex>
#include <vector>

namespace cairn {
namespace {

struct Numbers {
  std::mutex mutex;
  std::vector<bool> taken;
};

// Never destroyed: threads may end after static objects.
Numbers& AllNumbers() {
  static auto* numbers = new Numbers;
  return *numbers;
}

class ThreadNumber {
 public:
  ThreadNumber() {
    Numbers& numbers = AllNumbers();
    const std::lock_guard<std::mutex> hold(numbers.mutex);
    while (value_ < numbers.taken.size() && numbers.taken[value_]) value_++;
    if (value_ == numbers.taken.size()) numbers.taken.push_back(false);
    numbers.taken[value_] = true;
  }
  ~ThreadNumber() {
    Numbers& numbers = AllNumbers();
    const std::lock_guard<std::mutex> hold(numbers.mutex);
    numbers.taken[value_] = false;
  }
  ThreadNumber(const ThreadNumber&) = delete;
  ThreadNumber& operator=(const ThreadNumber&) = delete;
  uint32_t value() const { return value_; }

 private:
  uint32_t value_ = 0;
};

}  // namespace

uint32_t ThisThreadNumber() {
  thread_local const ThreadNumber number;
  return number.value();
}

}  // namespace cairn
