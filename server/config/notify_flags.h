// notify-keyspace-events: the letters and the set of event classes they stand for. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cairn {

// Beyond the EventClass bits (engine/keyspace/change_scope.h): which of the two channels an event is published to.
inline constexpr uint32_t kNotifyKeyspace = 1u << 30;  // K: __keyspace@<db>__:<key>
inline constexpr uint32_t kNotifyKeyevent = 1u << 31;  // E: __keyevent@<db>__:<event>
inline constexpr uint32_t kNotifyChannels = kNotifyKeyspace | kNotifyKeyevent;

// nullopt for an unknown letter. `A` stands for every class but key misses (m) and new keys (n).
std::optional<uint32_t> ParseNotifyFlags(std::string_view letters);
// In Redis's order of letters, with A where it applies.
std::string FormatNotifyFlags(uint32_t flags);

}  // namespace cairn
