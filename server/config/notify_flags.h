// notify-keyspace-events: the letters and the set of event classes they stand for. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cairn {

// Beyond the EventClass bits (engine/keyspace/change_scope.h): which channels an event is published to.
inline constexpr uint32_t kNotifyKeyspace = 1u << 30;  // K: __keyspace@<db>__:<key>
inline constexpr uint32_t kNotifyKeyevent = 1u << 31;  // E: __keyevent@<db>__:<event>
inline constexpr uint32_t kNotifyChannels = kNotifyKeyspace | kNotifyKeyevent;
// The same with the fields of a hash that an event is about (Redis 8.8).
inline constexpr uint32_t kNotifySubkeyspace = 1u << 25;       // S: __subkeyspace@<db>__:<key>
inline constexpr uint32_t kNotifySubkeyevent = 1u << 26;       // T: __subkeyevent@<db>__:<event>
inline constexpr uint32_t kNotifySubkeyspaceItem = 1u << 27;   // I: __subkeyspaceitem@<db>__:<key>\n<field>, one for each
inline constexpr uint32_t kNotifySubkeyspaceEvent = 1u << 28;  // V: __subkeyspaceevent@<db>__:<event>|<key>
inline constexpr uint32_t kNotifySubkeyChannels =
    kNotifySubkeyspace | kNotifySubkeyevent | kNotifySubkeyspaceItem | kNotifySubkeyspaceEvent;

// nullopt for an unknown letter. `A` stands for every class but key misses (m) and new keys (n).
std::optional<uint32_t> ParseNotifyFlags(std::string_view letters);
// In Redis's order of letters, with A where it applies.
std::string FormatNotifyFlags(uint32_t flags);

}  // namespace cairn
