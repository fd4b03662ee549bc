#include "server/config/notify_flags.h"

#include "engine/keyspace/change_scope.h"

namespace cairn {
namespace {

// Events of modules: there are none, but `d` is a letter that `A` includes and that must print back.
constexpr uint32_t kModuleEvents = 1u << 29;

constexpr struct {
  char letter;
  uint32_t bits;
} kLetters[] = {
    {'g', kEventGeneric},   {'$', kEventString},  {'l', kEventList},    {'s', kEventSet},    {'h', kEventHash},
    {'z', kEventSortedSet}, {'x', kEventExpired}, {'e', kEventEvicted}, {'t', kEventStream}, {'d', kModuleEvents},
};
constexpr uint32_t kAll = kEventGeneric | kEventString | kEventList | kEventSet | kEventHash | kEventSortedSet | kEventExpired |
                          kEventEvicted | kEventStream | kModuleEvents;

}  // namespace

std::optional<uint32_t> ParseNotifyFlags(std::string_view letters) {
  uint32_t flags = 0;
  for (const char letter : letters) {
    uint32_t bits = 0;
    switch (letter) {
      case 'A': bits = kAll; break;
      case 'K': bits = kNotifyKeyspace; break;
      case 'E': bits = kNotifyKeyevent; break;
      case 'm': bits = kEventKeyMiss; break;
      case 'n': bits = kEventNew; break;
      case 'S': bits = kNotifySubkeyspace; break;
      case 'T': bits = kNotifySubkeyevent; break;
      case 'I': bits = kNotifySubkeyspaceItem; break;
      case 'V': bits = kNotifySubkeyspaceEvent; break;
      default:
        for (const auto& row : kLetters) {
          if (row.letter == letter) bits = row.bits;
        }
    }
    if (bits == 0) return std::nullopt;
    flags |= bits;
  }
  return flags;
}

std::string FormatNotifyFlags(uint32_t flags) {
  std::string out;
  if ((flags & kAll) == kAll) {
    out = "A";
  } else {
    for (const auto& row : kLetters) {
      if (flags & row.bits) out += row.letter;
    }
    if (flags & kEventNew) out += 'n';
  }
  if (flags & kNotifyKeyspace) out += 'K';
  if (flags & kNotifyKeyevent) out += 'E';
  if (flags & kEventKeyMiss) out += 'm';
  if (flags & kNotifySubkeyspace) out += 'S';
  if (flags & kNotifySubkeyevent) out += 'T';
  if (flags & kNotifySubkeyspaceItem) out += 'I';
  if (flags & kNotifySubkeyspaceEvent) out += 'V';
  if ((flags & kAll) == kAll && (flags & kEventNew)) out += 'n';  // Redis forgets it here, and a rewritten file would too
  return out;
}

}  // namespace cairn
