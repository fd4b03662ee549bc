#include "engine/commands/command_context.h"

#include <algorithm>

#include "base/numbers.h"
#include "base/status.h"

namespace cairn {

bool CommandContext::FindTyped(const KeyRef& key, ValueType type, Keyspace::Access access, Entry** entry) {
  *entry = Find(key, access);
  if (*entry == nullptr || (*entry)->type() == type) return true;
  WrongType();
  return false;
}

void CommandContext::WrongArity() { reply.Error(CommandTable::WrongArityText(row)); }

void CommandContext::SubcommandSyntaxError() {
  std::string text = "ERR unknown subcommand or wrong number of arguments for '";
  text.append(args[1].substr(0, 128)).append("'. Try ").append(Upper(args[0])).append(" HELP.");
  reply.Error(text);
}

void CommandContext::Block(const BlockOptions& options) {
  CAIRN_CHECK(may_block());
  BlockRequest& request = *ports_.block;
  request.asked = true;
  if (serving()) return;
  request.options = options;
  request.options.waited_keys = std::min(options.waited_keys, keys_.size());
  request.args.assign(options.args.begin(), options.args.end());
  request.options.args = {};
}

void CommandContext::LogAs(std::initializer_list<std::string_view> command) {
  LogAs(std::span<const std::string_view>(command.begin(), command.size()));
}

void CommandContext::LogAs(std::span<const std::string_view> command, std::span<const SharedBytes> owners) {
  scope.Record(client.database, command, owners);
  log_decided_ = true;
}

}  // namespace cairn
