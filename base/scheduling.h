// What a thread tells the system's scheduler about itself.
#pragma once

#include <functional>
#include <thread>

namespace cairn {

// Starts a thread. False where the system has no more to give (the limit of processes, or a container's), where std::thread throws.
[[nodiscard]] bool TryStartThread(std::thread* thread, std::function<void()> work);
// What the user is told then.
inline constexpr char kNoThreadText[] =
    "The system has no more threads to give: raise the limit of processes (ulimit -u, or the pids limit of the container)";

// What `top -H` and profilers call the calling thread; at most 15 characters. Threads that it starts have the name until they get one.
void NameThisThread(const char* name);

// The calling thread answers others and runs for a short while each time: it takes small slices, in return for which it gets a core as
// soon as it wakes, before threads that calculate for long. Linux 6.12 and later; without effect elsewhere.
void PreferShortSlices();

// The calling thread calculates for long and can wait: others, also of other processes, get the core before it when there are more of
// them than cores. For the rest of its life; not for a thread that works while it holds a lock which those who answer clients need.
void LetOthersGoFirst();

// The calling thread's sleeps end when their time is up, and not up to 50 us later together with those of others.
void PreferExactTimers();

}  // namespace cairn
