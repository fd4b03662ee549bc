#include "server/process_title.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "server/config/config.h"
#include "server/config/words.h"

namespace cairn {
namespace {

// The memory of argv and environ, which lie one behind the other: what /proc/PID/cmdline reads.
struct TitlePlace {
  char* begin = nullptr;
  size_t bytes = 0;
  std::string program;
};

TitlePlace& Place() {
  static TitlePlace place;
  return place;
}

TitleVariables VariablesOf(const Config& config) {
  const std::string port = std::to_string(config.Number("port"));
  const std::string socket = config.Text("unixsocket");
  const std::vector<std::string> addresses = SplitAtSpaces(config.Text("bind"));
  const bool only_socket = port == "0" && !socket.empty();
  return {{"title", Place().program},
          {"listen-addr", only_socket ? socket : (addresses.empty() ? "*" : addresses[0]) + ":" + port},
          {"server-mode", ""},
          {"port", port},
          {"tls-port", "0"},
          {"unixsocket", socket},
          {"config-file", config.config_file()}};
}

}  // namespace

std::optional<std::string> ExpandTitle(std::string_view text, const TitleVariables& variables) {
  std::string title;
  for (size_t at = 0; at < text.size(); at++) {
    if (text[at] != '{') {
      title += text[at];
      continue;
    }
    if (at + 1 < text.size() && text[at + 1] == '{') {
      title += text[at++];
      continue;
    }
    const size_t end = text.find('}', at);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view name = text.substr(at + 1, end - at - 1);
    const auto found = std::find_if(variables.begin(), variables.end(), [name](const auto& v) { return v.first == name; });
    if (found == variables.end()) return std::nullopt;
    title += found->second;
    at = end;
  }
  while (!title.empty() && title.back() == ' ') title.pop_back();
  return title;
}

bool IsTitleTemplate(std::string_view text) {
  static constexpr std::string_view kNames[] = {"title",    "listen-addr", "server-mode", "port",
                                                "tls-port", "unixsocket",  "config-file"};
  TitleVariables variables;
  for (const std::string_view name : kNames) variables.emplace_back(name, "");
  return ExpandTitle(text, variables).has_value();
}

void InitProcessTitle(int argc, char** argv) {
  if (argc < 1) return;
  char* end = argv[0];
  const auto take = [&end](const char* text) {
    if (text == end) end += std::strlen(text) + 1;
  };
  for (int i = 0; i < argc; i++) take(argv[i]);
  size_t variables = 0;
  for (; environ[variables] != nullptr; variables++) take(environ[variables]);
  // The environment lives elsewhere from now on; its old place makes room for longer titles.
  auto** moved = static_cast<char**>(std::calloc(variables + 1, sizeof(char*)));
  if (moved == nullptr) return;
  for (size_t i = 0; i < variables; i++) moved[i] = strdup(environ[i]);
  environ = moved;
  Place() = {argv[0], static_cast<size_t>(end - argv[0]), argv[0]};
}

void ShowProcessTitle(const Config& config) {
  const TitlePlace& place = Place();
  if (place.begin == nullptr || !config.Bool("set-proc-title")) return;
  const std::optional<std::string> title = ExpandTitle(config.Text("proc-title-template"), VariablesOf(config));
  if (!title) return;
  const size_t shown = std::min(title->size(), place.bytes - 1);
  std::memset(place.begin, 0, place.bytes);
  std::memcpy(place.begin, title->data(), shown);
}

}  // namespace cairn
