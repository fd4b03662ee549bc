// Passwords: compared without telling by the time taken how much of one was right.
#pragma once

#include <string_view>

namespace cairn {

class Config;
class Session;

// Takes as long for a wrong password as for the right one of the same length.
bool PasswordsEqual(std::string_view given, std::string_view expected);
// Whether requirepass is set: sessions then start unauthenticated.
bool PasswordRequired(const Config& config);
// Whether the session may run commands that need authentication.
bool IsAuthenticated(const Config& config, const Session& session);

}  // namespace cairn
