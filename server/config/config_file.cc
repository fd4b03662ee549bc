// Reading configuration: files with includes, standard input and the command line, all made of the same lines.
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/file_system.h"
#include "base/numbers.h"
#include "base/words.h"
#include "server/config/config.h"
#include "server/config/words.h"
#include "server/version.h"

namespace cairn {
namespace {

constexpr int kIncludeDepthMax = 16;
constexpr uint64_t kFileBytesMax = 64ull << 20;

// Names that were directives once, or whose meaning is always on: read and dropped, as Redis does.
constexpr std::string_view kForgotten[] = {"list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"};

Status Fatal(std::string_view where, std::string_view line, std::string_view why) {
  std::string text = "\n*** FATAL CONFIG FILE ERROR (Cairn " + std::string(kCairnVersion) + ") ***\n";
  if (!where.empty()) {
    text += where;
    text += "\n>>> '" + std::string(line) + "'\n";
  }
  text += why;
  text += '\n';
  return Status::InvalidArgument(std::move(text));
}

Status Unsupported(std::string_view what) {
  return Status::InvalidArgument(std::string(what) + " is not supported by this version of Cairn");
}

// The one user there is, as Redis's CONFIG REWRITE writes it: no password, and everything is allowed.
bool IsDefaultUser(std::span<const std::string> words) {
  if (words.empty() || words[0] != "default") return false;
  std::set<std::string> rules;
  for (const std::string& word : words.subspan(1)) {
    std::string rule = ToLower(word);
    if (rule == "~*") rule = "allkeys";
    if (rule == "&*") rule = "allchannels";
    if (rule == "+@all") rule = "allcommands";
    if (rule != "sanitize-payload") rules.insert(std::move(rule));  // DUMP's payloads are always checked
  }
  return rules == std::set<std::string>{"allchannels", "allcommands", "allkeys", "nopass", "on"};
}

bool IsOptionName(std::string_view arg) { return arg.starts_with("--"); }

// The command line's options as the lines they stand for: `--port 7000` is "port "7000"". A name takes at least one value, whatever
// it looks like, except that `--save` before another option or at the end means no save points.
std::string LinesOfOptions(std::span<const std::string> args, size_t from, bool* from_stdin) {
  std::string lines;
  bool name_has_value = true;
  for (size_t i = from; i < args.size(); i++) {
    const std::string& arg = args[i];
    if (arg == "-" && (i == 0 || i + 1 == args.size())) {
      *from_stdin = true;
      continue;
    }
    if (!name_has_value || !IsOptionName(arg)) {
      lines += QuoteWord(arg) + ' ';
      name_has_value = true;
      continue;
    }
    if (!lines.empty()) lines += '\n';
    lines += arg.substr(2) + ' ';
    const auto words = SplitWords(arg);
    name_has_value = !words || words->size() != 1;  // "--port 7000" in one argument brings its value along
    const bool last = i + 1 == args.size();
    if (!name_has_value && EqualsIgnoreCase(arg, "--save") && (last || IsOptionName(args[i + 1]))) {
      lines += "\"\"";
      name_has_value = true;
    }
  }
  return lines;
}

std::string ReadStandardInput() {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof(buffer));
    if (got <= 0) return text;
    text.append(buffer, static_cast<size_t>(got));
  }
}

}  // namespace

Status Config::LoadLine(const std::vector<std::string>& words, const Source& source) {
  const std::string name = ToLower(words[0]);
  const Words values(words.data() + 1, words.size() - 1);
  const int index = IndexOf(name);
  if (index >= 0) {
    const Directive& row = AllDirectives()[static_cast<size_t>(index)];
    if (!row.has(kMultiArg) && values.size() != 1) return Status::InvalidArgument("wrong number of arguments");
    if (row.has(kMultiArg) && values.size() == 1 && !values[0].empty()) {
      const auto inner = SplitWords(values[0]);  // "save '900 1'" is two words
      if (!inner) return Status::InvalidArgument("Unbalanced quotes in configuration line");
      return Store(index, *inner, true);
    }
    return Store(index, values, true);
  }
  for (const std::string_view forgotten : kForgotten) {
    if (name == forgotten && values.size() == 1) return {};
  }
  if (name == "include" && values.size() == 1) return LoadFileAt(values[0], source.depth + 1);
  if (name == "rename-command" && values.size() == 2) {
    renamed_commands_.emplace_back(values[0], values[1]);
    return {};
  }
  if (name == "loadmodule" && !values.empty()) return Unsupported("loading modules");
  if (name == "user" && IsDefaultUser(values)) {
    default_user_nopass_ = true;
    return {};
  }
  if (name == "user" && !values.empty()) return Unsupported("defining users");
  if (name == "sentinel") return Unsupported("being a sentinel");
  if (name.starts_with("tls-")) return Unsupported("TLS");
  return Status::InvalidArgument("Bad directive or wrong number of arguments");
}

Status Config::LoadLines(std::string_view text, const Source& source) {
  int line_number = 0;
  size_t begin = 0;
  while (begin <= text.size()) {
    size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) end = text.size();
    const std::string_view line = TrimSpaces(text.substr(begin, end - begin));
    begin = end + 1;
    line_number++;
    if (line.empty() || line.front() == '#') continue;
    const std::string where = "Reading the configuration file, at line " + std::to_string(line_number) +
                              (source.name.empty() ? std::string() : " of " + source.name);
    const auto words = SplitWords(line);
    if (!words) return Fatal(where, line, "Unbalanced quotes in configuration line");
    if (words->empty()) continue;
    if (const Status status = LoadLine(*words, source); !status.ok()) {
      const bool nested = status.message().starts_with("\n***");  // an included file's own error says where
      return nested ? status : Fatal(where, line, status.message());
    }
  }
  return {};
}

Status Config::LoadFileAt(const std::string& path, int depth) {
  if (depth > kIncludeDepthMax) return Status::InvalidArgument("include files are nested too deeply (does one include itself?)");
  std::vector<std::string> files;
  if (path.find_first_of("*?[") != std::string::npos) {
    glob_t matches{};
    if (::glob(path.c_str(), 0, nullptr, &matches) == 0) {
      for (size_t i = 0; i < matches.gl_pathc; i++) files.emplace_back(matches.gl_pathv[i]);
    }
    ::globfree(&matches);
  } else {
    files.push_back(path);
  }
  for (const std::string& file : files) {
    const auto text = ReadWholeFile(RealFileSystem(), file, kFileBytesMax);
    if (!text.ok()) {
      return Status::InvalidArgument("Fatal error, can't open config file '" + file +
                                     "': " + std::string(text.status().message()));
    }
    CAIRN_RETURN_IF_ERROR(LoadLines(*text, {file, depth}));
  }
  return {};
}

Status Config::LoadFile(const std::string& path) {
  config_file_ = AbsolutePath(path);
  if (const Status status = LoadFileAt(path, 0); !status.ok()) {
    return status.message().starts_with("\n***") ? status : Fatal("", "", status.message());
  }
  return FinishLoading();
}

Status Config::LoadText(std::string_view text, std::string_view source) {
  CAIRN_RETURN_IF_ERROR(LoadLines(text, {std::string(source), 0}));
  return FinishLoading();
}

Status Config::FinishLoading() {
  directory_ = AbsolutePath(TextAt(IndexOf("dir")));
  if (default_user_nopass_ && Number("requirepass") > 0) {
    return Fatal("", "", "'requirepass' and the line 'user default ... nopass' contradict each other: remove one of them");
  }
  return {};
}

Result<std::unique_ptr<Config>> Config::FromCommandLine(std::span<const std::string> args) {
  auto config = std::make_unique<Config>();
  size_t next = 0;
  if (!args.empty() && !args[0].empty() && args[0].front() != '-') next = 1;
  bool from_stdin = false;
  const std::string options = LinesOfOptions(args, next, &from_stdin);
  if (next == 1) CAIRN_RETURN_IF_ERROR(config->LoadFile(args[0]));
  if (from_stdin) CAIRN_RETURN_IF_ERROR(config->LoadText(ReadStandardInput(), "standard input"));
  CAIRN_RETURN_IF_ERROR(config->LoadText(options, "the command line"));
  return config;
}

}  // namespace cairn
