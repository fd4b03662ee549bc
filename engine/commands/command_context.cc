#include "engine/commands/command_context.h"

namespace cairn {

bool CommandContext::FindTyped(const KeyRef& key, ValueType type, Keyspace::Access access, Entry** entry) {
  *entry = Find(key, access);
  if (*entry == nullptr || (*entry)->type() == type) return true;
  WrongType();
  return false;
}

void CommandContext::LogAs(std::initializer_list<std::string_view> command) {
  LogAs(std::span<const std::string_view>(command.begin(), command.size()));
}

void CommandContext::LogAs(std::span<const std::string_view> command, std::span<const SharedBytes> owners) {
  scope.Record(client.database, command, owners);
  log_decided_ = true;
}

}  // namespace cairn
