// What several commands do to a client's session, and how CLIENT LIST prints one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/commands/command_context.h"

namespace cairn {

class Session;

// CLIENT SETNAME's rule: printable characters without spaces, or nothing; answers the error and returns false otherwise.
bool SetClientName(CommandContext& context, std::string_view name);

// HELLO: the session speaks this protocol from its next reply on, its subscriptions' messages too. Own thread.
void ChangeProtocol(Session& session, int protocol);

enum class ClientType : int8_t { kUnknown = -1, kNormal = 0, kReplica = 1, kPubSub = 2, kMaster = 3 };
ClientType ClientTypeNamed(std::string_view name);
ClientType ClientTypeOf(const Session& session);

// The session as CLIENT LIST and CLIENT INFO show it, without a line end; on the session's own thread. `running`: the command that
// asks, where it is this session's own (its bytes are what the query buffer holds), otherwise null.
std::string ClientInfoLine(Session& session, const CommandContext* running);

}  // namespace cairn
