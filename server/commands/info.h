// INFO's text: "# Section" lines and "field:value" lines, sections apart by an empty line.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cairn {

class Server;

// The sections named, in INFO's own order whatever the order of the names: none or "default" for the usual ones, "all" and
// "everything" for every one. Unknown names are ignored. Any thread; while loading, what needs the store reads as zero.
std::string InfoText(Server& server, std::span<const std::string_view> sections);

}  // namespace cairn
