#include "base/scheduling.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <system_error>
#include <utility>

namespace cairn {
namespace {

constexpr uint64_t kSliceNs = 200'000;
constexpr unsigned long kTimerSlackNs = 5'000;
constexpr int kBehindOthers = 10;  // nice: about a tenth of what another thread gets

// struct sched_attr of the kernel's first version, which the C library of Debian 12 does not declare.
struct SchedulingAttributes {
  uint32_t size = sizeof(SchedulingAttributes);
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime_ns = 0;
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

}  // namespace

bool TryStartThread(std::thread* thread, std::function<void()> work) {
  try {
    *thread = std::thread(std::move(work));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void NameThisThread(const char* name) { (void)prctl(PR_SET_NAME, name, 0, 0, 0); }

void PreferShortSlices() {
  constexpr uint32_t kNormalPolicy = 0;
  SchedulingAttributes attributes;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  if (attributes.policy != kNormalPolicy) return;
  attributes.size = sizeof(attributes);
  attributes.runtime_ns = kSliceNs;
  (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

// In Linux a thread has a priority of its own.
void LetOthersGoFirst() { (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kBehindOthers); }

void PreferExactTimers() { (void)prctl(PR_SET_TIMERSLACK, kTimerSlackNs, 0, 0, 0); }

}  // namespace cairn
