// Directives whose value is a list with a grammar of its own. Their text is canonical: splitting it at spaces gives words that lead to
// the same text again, which CONFIG SET's undoing relies on.
#include <algorithm>
#include <array>
#include <string>

#include "base/numbers.h"
#include "server/config/config.h"
#include "server/config/directive_rows.h"
#include "server/config/notify_flags.h"
#include "server/config/words.h"

namespace cairn {
namespace {

using rows::Special;
using Words = std::span<const std::string>;

Status Wrong(std::string message) { return Status::InvalidArgument(std::move(message)); }

std::string Join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

// A number with what strtoll allows (sign, leading zeros), as these directives always took.
bool ReadLoose(std::string_view text, int64_t* value) {
  const std::string copy(text);
  if (copy.empty() || copy.front() == ' ') return false;
  char* end = nullptr;
  errno = 0;
  *value = std::strtoll(copy.c_str(), &end, 10);
  return *end == '\0' && errno == 0;
}

Result<std::string> NormalizeSave(Words words, std::string_view previous, bool loading, bool first_in_files) {
  const bool reset = words.size() == 1 && words[0].empty();
  if (reset) return std::string();
  if (words.size() % 2 != 0) return Wrong("Invalid save parameters");
  std::string added;
  for (size_t i = 0; i < words.size(); i++) {
    int64_t value = 0;
    if (!ReadLoose(words[i], &value) || value < (i % 2 == 0 ? 1 : 0) || value > rows::kIntMax)
      return Wrong("Invalid save parameters");
    if (!added.empty()) added += ' ';
    AppendInt(added, value);
  }
  const bool adds = loading && !first_in_files && !previous.empty();
  if (adds && added.empty()) return std::string(previous);
  return adds ? std::string(previous) + ' ' + added : added;
}

std::vector<std::string> SaveLines(std::string_view name, std::string_view text) {
  if (text.empty()) return {std::string(name) + " \"\""};
  const std::vector<std::string> words = SplitAtSpaces(text);
  std::vector<std::string> lines;
  for (size_t i = 0; i + 1 < words.size(); i += 2) lines.push_back(std::string(name) + ' ' + words[i] + ' ' + words[i + 1]);
  return lines;
}

constexpr std::string_view kOutputLimitDefault = "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";

Result<std::string> NormalizeOutputLimits(Words words, std::string_view previous, bool, bool) {
  if (words.size() % 4 != 0 || words.empty()) return Wrong("Wrong number of arguments in buffer limit configuration.");
  std::vector<std::string> limits = SplitAtSpaces(previous);  // three classes of four words
  for (size_t i = 0; i < words.size(); i += 4) {
    const std::string client_class = ToLower(words[i]);
    size_t at = 0;
    if (client_class == "normal") {
      at = 0;
    } else if (client_class == "slave" || client_class == "replica") {
      at = 4;
    } else if (client_class == "pubsub") {
      at = 8;
    } else {
      return Wrong("Invalid client class specified in buffer limit configuration.");
    }
    uint64_t hard = 0, soft = 0;
    int64_t seconds = 0;
    if (!ParseMemory(words[i + 1], &hard) || !ParseMemory(words[i + 2], &soft) || !ReadLoose(words[i + 3], &seconds) ||
        seconds < 0 || hard > static_cast<uint64_t>(rows::kLongMax) || soft > static_cast<uint64_t>(rows::kLongMax)) {
      return Wrong("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
    }
    limits[at + 1] = std::to_string(hard);
    limits[at + 2] = std::to_string(soft);
    limits[at + 3] = std::to_string(seconds);
  }
  return Join(limits);
}

std::vector<std::string> OutputLimitLines(std::string_view name, std::string_view text) {
  const std::vector<std::string> words = SplitAtSpaces(text);
  std::vector<std::string> lines;
  for (size_t i = 0; i + 3 < words.size(); i += 4) {
    uint64_t hard = 0, soft = 0;
    ParseMemory(words[i + 1], &hard);
    ParseMemory(words[i + 2], &soft);
    lines.push_back(std::string(name) + ' ' + (words[i] == "slave" ? "replica" : words[i]) + ' ' +
                    FormatMemory(static_cast<int64_t>(hard)) + ' ' + FormatMemory(static_cast<int64_t>(soft)) + ' ' +
                    words[i + 3]);
  }
  return lines;
}

Result<std::string> NormalizeOomValues(Words words, std::string_view, bool, bool) {
  if (words.size() != 3) return Wrong("wrong number of arguments");
  std::vector<std::string> values;
  for (const std::string& word : words) {
    int64_t value = 0;
    if (!ReadLoose(word, &value) || value < -2000 || value > 2000) {
      return Wrong("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
    }
    values.push_back(std::to_string(value));
  }
  return Join(values);
}

Result<std::string> NormalizeNotify(Words words, std::string_view, bool, bool) {
  const std::optional<uint32_t> flags = words.size() == 1 ? ParseNotifyFlags(words[0]) : std::nullopt;
  if (words.size() != 1) return Wrong("wrong number of arguments");
  if (!flags) return Wrong("Invalid event class character. Use 'Ag$lshzxeKEtmdnSTIV'.");
  return FormatNotifyFlags(*flags);
}

Result<std::string> NormalizeBind(Words words, std::string_view, bool, bool) {
  if (words.size() > 16) return Wrong("Too many bind addresses specified.");
  std::vector<std::string> addresses;
  for (const std::string& word : words) {
    if (word.empty()) continue;  // `bind ""` alone is no address; beside others it adds none
    for (const char c : word) {
      if (c <= ' ' || c == '"' || c == '\'' || c == '\\' || c == 0x7f) return Wrong("Invalid bind address: " + QuoteWord(word));
    }
    addresses.push_back(word);
  }
  return Join(addresses);
}

Result<std::string> NormalizeReplicaOf(Words words, std::string_view, bool, bool) {
  if (words.size() == 1 && words[0].empty()) return std::string();
  if (words.size() != 2) return Wrong("wrong number of arguments");
  if (EqualsIgnoreCase(words[0], "no") && EqualsIgnoreCase(words[1], "one")) return std::string();
  int64_t port = 0;
  if (!ReadLoose(words[1], &port) || port < 0 || port > 65535) return Wrong("Invalid master port");
  return Wrong("being a replica is not supported by this version of Cairn");
}

Result<std::string> NormalizePercentiles(Words words, std::string_view, bool, bool) {
  if (words.empty() || (words.size() == 1 && words[0].empty())) return std::string();
  std::vector<std::string> values;
  for (const std::string& word : words) {
    double value = 0;
    if (!ParseDouble(word, &value)) return Wrong("Invalid latency-tracking-info-percentiles parameters");
    if (value < 0 || value > 100) return Wrong("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
    char text[64];
    std::snprintf(text, sizeof(text), "%f", value);
    std::string trimmed = text;
    while (trimmed.back() == '0') trimmed.pop_back();
    if (trimmed.back() == '.') trimmed.pop_back();
    values.push_back(std::move(trimmed));
  }
  return Join(values);
}

Result<std::string> NormalizeDirectory(Words words, std::string_view, bool, bool) {
  if (words.size() != 1) return Wrong("wrong number of arguments");
  if (words[0].empty()) return Wrong("No such file or directory");
  return words[0];
}

std::vector<std::string> PercentileLines(std::string_view name, std::string_view text) {
  return {std::string(name) + ' ' + (text.empty() ? std::string("\"\"") : std::string(text))};
}

std::vector<std::string> QuotedLine(std::string_view name, std::string_view text) {
  return {std::string(name) + ' ' + QuoteWord(text)};
}

std::vector<std::string> BindLines(std::string_view name, std::string_view text) {
  return {std::string(name) + ' ' + (text.empty() ? std::string("\"\"") : std::string(text))};
}

}  // namespace

void AppendSpecialDirectives(std::vector<Directive>* table) {
  const Directive rows[] = {
      Special("dir", "./data", kProtectedConfig | kDenyLoading | kAlwaysRewrite, NormalizeDirectory, QuotedLine),
      Special("save", "3600 1 300 100 60 10000", kMultiArg | kAlwaysRewrite, NormalizeSave, SaveLines),
      Special("client-output-buffer-limit", kOutputLimitDefault, kMultiArg, NormalizeOutputLimits, OutputLimitLines),
      Special("oom-score-adj-values", "0 200 800", kMultiArg, NormalizeOomValues),
      Special("notify-keyspace-events", "", 0, NormalizeNotify, QuotedLine),
      Special("bind", "* -::*", kMultiArg, NormalizeBind, BindLines),
      Special("replicaof", "", kImmutable | kMultiArg | kNoneIfEmpty, NormalizeReplicaOf, nullptr, "slaveof"),
      Special("latency-tracking-info-percentiles", "50 99 99.9", kMultiArg, NormalizePercentiles, PercentileLines),
  };
  table->insert(table->end(), std::begin(rows), std::end(rows));
}

}  // namespace cairn
