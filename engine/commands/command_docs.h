// What COMMAND, COMMAND INFO and COMMAND DOCS say about one row, in Redis 7's shapes for RESP2 and RESP3.
#pragma once

#include <optional>
#include <string_view>

#include "engine/commands/command_table.h"
#include "engine/commands/reply_sink.h"

namespace cairn {

// One element of COMMAND and COMMAND INFO: name, arity, flags, first, last and step of the keys, ACL categories, tips, key
// specifications, subcommands.
void ReplyCommandInfo(ReplySink& reply, const CommandRow& row);
// One value of COMMAND DOCS: summary, since, group, complexity, arguments, subcommands...
void ReplyCommandDocs(ReplySink& reply, const CommandRow& row);
// "RW", "access", "update"... as a set.
void ReplyKeyAccess(ReplySink& reply, KeyAccess access);
// "string" to kAclString; nothing for a name that is no category.
std::optional<uint32_t> AclCategoryByName(std::string_view name);

}  // namespace cairn
