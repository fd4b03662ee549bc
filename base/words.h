// How a line of text splits into words: in configuration, inline requests and Redis's manifests of append-only files alike.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

// Splits at white space. "double quotes" know \n \r \t \b \a \xHH and \c for any other c, 'single quotes' only \'. A closing quote must be
// followed by white space or the end. nullopt for unbalanced quotes. Pure function; any thread.
std::optional<std::vector<std::string>> SplitWords(std::string_view line);

}  // namespace cairn
