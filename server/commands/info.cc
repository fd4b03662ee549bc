#include "server/commands/info.h"

#include <array>

#include "base/clock.h"
#include "server/commands/info_writer.h"
#include "server/server.h"

namespace cairn {
namespace {

struct SectionRow {
  std::string_view name, other_name;
  bool is_default;
  void (*write)(const InfoSource&, InfoWriter&);
};

constexpr SectionRow kSections[] = {
    {"server", "", true, WriteServerSection},
    {"clients", "", true, WriteClientsSection},
    {"memory", "", true, WriteMemorySection},
    {"persistence", "", true, WritePersistenceSection},
    {"stats", "", true, WriteStatsSection},
    {"replication", "", true, WriteReplicationSection},
    {"cpu", "", true, WriteCpuSection},
    {"modules", "module_list", true, WriteModulesSection},
    {"commandstats", "", false, WriteCommandStatsSection},
    {"errorstats", "", true, WriteErrorStatsSection},
    {"latencystats", "", false, WriteLatencyStatsSection},
    {"cluster", "", true, WriteClusterSection},
    {"keyspace", "", true, WriteKeyspaceSection},
};

bool Wanted(const SectionRow& section, std::span<const std::string_view> names) {
  if (names.empty()) return section.is_default;
  for (const std::string_view name : names) {
    if (EqualsIgnoreCase(name, "all") || EqualsIgnoreCase(name, "everything")) return true;
    if (EqualsIgnoreCase(name, "default") && section.is_default) return true;
    if (EqualsIgnoreCase(name, section.name)) return true;
    if (!section.other_name.empty() && EqualsIgnoreCase(name, section.other_name)) return true;
  }
  return false;
}

}  // namespace

std::string InfoText(Server& server, std::span<const std::string_view> sections) {
  InfoSource source{server, server.loading(), {}, RealClock().WallUs() / 1'000'000};
  if (!source.loading) source.store = server.store().Info();
  InfoWriter out;
  for (const SectionRow& section : kSections) {
    if (Wanted(section, sections)) section.write(source, out);
  }
  return out.Take();
}

}  // namespace cairn
