#include "server/security/password.h"

#include "server/config/config.h"
#include "server/session.h"

namespace cairn {

bool PasswordsEqual(std::string_view given, std::string_view expected) {
  // Every byte of what was given is looked at, whatever the first difference.
  unsigned difference = given.size() == expected.size() ? 0 : 1;
  for (size_t i = 0; i < given.size(); i++) {
    const char other = expected.empty() ? '\0' : expected[i % expected.size()];
    difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(other);
  }
  return difference == 0 || (given.empty() && expected.empty());
}

bool PasswordRequired(const Config& config) { return config.Number("requirepass") > 0; }

bool IsAuthenticated(const Config& config, const Session& session) { return session.authenticated || !PasswordRequired(config); }

}  // namespace cairn
