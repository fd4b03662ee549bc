#include "server/config/config.h"

#include <algorithm>

#include <unordered_map>

#include "base/file_system.h"
#include "base/glob.h"
#include "base/numbers.h"
#include "server/config/words.h"

namespace cairn {
namespace {

// Dashes and underscores are one, and so are upper and lower case.
std::string LookupKey(std::string_view name) {
  std::string key = ToLower(name);
  for (char& c : key) {
    if (c == '_') c = '-';
  }
  return key;
}

const std::unordered_map<std::string, int>& NameIndex() {
  static const auto* const index = [] {
    auto* made = new std::unordered_map<std::string, int>;
    const auto rows = AllDirectives();
    for (size_t i = 0; i < rows.size(); i++) {
      CAIRN_CHECK(made->emplace(LookupKey(rows[i].name), static_cast<int>(i)).second);
      if (!rows[i].alias.empty()) CAIRN_CHECK(made->emplace(LookupKey(rows[i].alias), static_cast<int>(i)).second);
    }
    return made;
  }();
  return *index;
}

bool HoldsText(const Directive& row) { return row.kind == DirectiveKind::kText || row.kind == DirectiveKind::kSpecial; }

}  // namespace

Config::Config() {
  const auto rows = AllDirectives();
  values_ = std::make_unique<Value[]>(rows.size());
  seen_in_files_.resize(rows.size());
  hooks_.resize(rows.size());
  for (size_t i = 0; i < rows.size(); i++) {
    values_[i].text = std::string(rows[i].default_text);
    values_[i].number = HoldsText(rows[i]) ? static_cast<int64_t>(rows[i].default_text.size()) : rows[i].default_number;
  }
  directory_ = AbsolutePath(TextAt(IndexOf("dir")));
}

Config::~Config() = default;

int Config::IndexOf(std::string_view name) {
  const auto& index = NameIndex();
  const auto found = index.find(LookupKey(name));
  return found == index.end() ? -1 : found->second;
}

const Directive& Config::RowOf(std::string_view name, int* index) {
  *index = IndexOf(name);
  CAIRN_CHECK(*index >= 0);
  return AllDirectives()[static_cast<size_t>(*index)];
}

const std::atomic<int64_t>& Config::NumberRef(std::string_view name) const {
  int index = 0;
  RowOf(name, &index);
  return values_[static_cast<size_t>(index)].number;
}

int64_t Config::Number(std::string_view name) const { return NumberRef(name).load(std::memory_order_relaxed); }

std::string Config::TextAt(int index) const {
  MutexLock lock(text_mutex_);
  return values_[static_cast<size_t>(index)].text;
}

std::string Config::Text(std::string_view name) const {
  int index = 0;
  CAIRN_CHECK(HoldsText(RowOf(name, &index)));
  return TextAt(index);
}

std::string Config::PrintAt(int index) const {
  const Directive& row = AllDirectives()[static_cast<size_t>(index)];
  if (row.name == "dir") return directory_;
  if (HoldsText(row)) return TextAt(index);
  return FormatDirectiveNumber(row, values_[static_cast<size_t>(index)].number.load(std::memory_order_relaxed));
}

std::string Config::Print(std::string_view name) const {
  int index = 0;
  RowOf(name, &index);
  return PrintAt(index);
}

std::string Config::PathInDirectory(std::string_view name) const {
  std::string path = Text(name);
  if (path.empty() || path.front() == '/') return path;
  return JoinPath(directory_, path);
}

bool Config::IsSensitive(std::string_view name) {
  const int index = IndexOf(name);
  return index >= 0 && AllDirectives()[static_cast<size_t>(index)].has(kSensitive);
}

Status Config::Store(int index, Words words, bool loading) {
  const Directive& row = AllDirectives()[static_cast<size_t>(index)];
  Value& value = values_[static_cast<size_t>(index)];
  if (!HoldsText(row)) {
    CAIRN_ASSIGN_OR_RETURN(int64_t number, ParseDirectiveNumber(row, words));
    if (row.name == "hz") number = std::clamp<int64_t>(number, 1, 500);
    if (row.has(kOnlyAtStart) && !loading && number != value.number.load(std::memory_order_relaxed)) {
      return Status::InvalidArgument("can't set immutable config");
    }
    value.number.store(number, std::memory_order_relaxed);
    return {};
  }
  std::string text;
  if (row.kind == DirectiveKind::kText) {
    if (row.check_text != nullptr) CAIRN_RETURN_IF_ERROR(row.check_text(words[0]));
    text = words[0];
  } else {
    const bool first = loading && !seen_in_files_[static_cast<size_t>(index)];
    CAIRN_ASSIGN_OR_RETURN(text, row.normalize(words, TextAt(index), loading, first));
    if (row.name == "dir" && !loading && AbsolutePath(text) != directory_) {
      return Status::InvalidArgument("the data directory is held by this server and changes only when it starts anew");
    }
  }
  if (loading) seen_in_files_[static_cast<size_t>(index)] = true;
  MutexLock lock(text_mutex_);
  value.number.store(static_cast<int64_t>(text.size()), std::memory_order_relaxed);
  value.text = std::move(text);
  return {};
}

// --- typed views ---------------------------------------------------------------------------------------------------------------

std::vector<std::string> Config::BindAddresses() const {
  std::vector<std::string> addresses;
  for (std::string& word : SplitAtSpaces(Text("bind"))) {
    if (!word.empty()) addresses.push_back(std::move(word));
  }
  return addresses;
}

std::vector<SavePoint> Config::SavePoints() const {
  std::vector<SavePoint> points;
  const std::vector<std::string> words = SplitAtSpaces(Text("save"));
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    SavePoint point{};
    ParseInt64(words[i], &point.seconds);
    ParseInt64(words[i + 1], &point.changes);
    points.push_back(point);
  }
  return points;
}

OutputBufferLimit Config::OutputLimit(ClientClass client_class) const {
  const std::vector<std::string> words = SplitAtSpaces(Text("client-output-buffer-limit"));
  const size_t at = static_cast<size_t>(client_class) * 4;
  OutputBufferLimit limit;
  ParseInt64(words[at + 1], &limit.hard_bytes);
  ParseInt64(words[at + 2], &limit.soft_bytes);
  ParseInt64(words[at + 3], &limit.soft_seconds);
  return limit;
}

RuntimeOptions Config::MakeRuntimeOptions() const {
  RuntimeOptions options;
  options.append_only = Bool("appendonly");
  options.append_fsync = static_cast<FsyncPolicy>(Number("appendfsync"));
  options.maxmemory_bytes = static_cast<uint64_t>(Number("maxmemory"));
  options.maxmemory_policy = static_cast<EvictionPolicy>(Number("maxmemory-policy"));
  options.maxmemory_samples = static_cast<int>(Number("maxmemory-samples"));
  options.lfu_log_factor = static_cast<int>(Number("lfu-log-factor"));
  options.lfu_decay_time_minutes = static_cast<int>(Number("lfu-decay-time"));
  options.save_points = SavePoints();
  options.stop_writes_on_snapshot_error = Bool("stop-writes-on-bgsave-error");
  options.log_retention_hours = Number("log-retention-hours");
  options.log_retention_bytes = static_cast<uint64_t>(Number("log-retention-bytes"));
  options.log_compact_percentage = static_cast<uint32_t>(Number("auto-aof-rewrite-percentage"));
  options.log_compact_min_bytes = static_cast<uint64_t>(Number("auto-aof-rewrite-min-size"));
  options.limits = MakeValueLimits();
  return options;
}

StoreOptions Config::MakeStoreOptions() const {
  StoreOptions options;
  options.directory = directory_;
  options.owns_process = true;
  options.databases = static_cast<uint32_t>(Number("databases"));
  options.threads = static_cast<uint32_t>(Number("threads"));
  options.redis_files = {Text("dbfilename"), Text("appenddirname"), Text("appendfilename"), Bool("aof-load-truncated")};
  options.runtime = MakeRuntimeOptions();
  return options;
}

// --- CONFIG GET, SET -----------------------------------------------------------------------------------------------------------

std::vector<std::pair<std::string, std::string>> Config::Get(std::span<const std::string_view> patterns) const {
  const auto rows = AllDirectives();
  std::vector<std::pair<std::string, std::string>> found;
  const auto add = [&](std::string_view name, size_t index) {
    for (const auto& [other, value] : found) {
      if (EqualsIgnoreCase(other, name)) return;
    }
    found.emplace_back(std::string(name), PrintAt(static_cast<int>(index)));
  };
  for (const std::string_view pattern : patterns) {
    if (pattern.find_first_of("*?[") == std::string_view::npos) {
      const int index = IndexOf(pattern);
      if (index >= 0) add(pattern, static_cast<size_t>(index));
      continue;
    }
    for (size_t i = 0; i < rows.size(); i++) {
      if (rows[i].has(kHidden)) continue;
      if (GlobMatch(pattern, rows[i].name, true)) add(rows[i].name, i);
      if (!rows[i].alias.empty() && GlobMatch(pattern, rows[i].alias, true)) add(rows[i].alias, i);
    }
  }
  return found;
}

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

Status SetFailed(std::string_view name, std::string_view why) {
  std::string message = "ERR CONFIG SET failed (possibly related to argument '" + std::string(name) + "')";
  if (!why.empty()) message += " - " + std::string(why);
  return Status::InvalidArgument(std::move(message));
}

// The directive's name or its alias, whichever the client used.
std::string_view NameAsGiven(const Directive& row, std::string_view given) {
  return EqualsIgnoreCase(given, row.alias) ? row.alias : row.name;
}

std::vector<std::string> WordsOf(const Directive& row, std::string_view value) {
  if (row.has(kMultiArg)) return SplitAtSpaces(value);
  return {std::string(value)};
}

}  // namespace

Status Config::CheckPairs(std::span<const Pair> pairs, const SetContext& context, std::vector<int>* indexes) const {
  for (const auto& [name, value] : pairs) {
    const int index = IndexOf(name);
    if (index < 0) {
      return Status::InvalidArgument("ERR Unknown option or number of arguments for CONFIG SET - '" + std::string(name) + "'");
    }
    const Directive& row = AllDirectives()[static_cast<size_t>(index)];
    if (row.has(kImmutable)) return SetFailed(name, "can't set immutable config");
    if (row.has(kProtectedConfig) && !context.protected_allowed) return SetFailed(name, "can't set protected config");
    if (row.has(kDenyLoading) && context.loading) {
      return Status::Unavailable(std::string(kLoadingError));
    }
    for (const int other : *indexes) {
      if (other == index) return SetFailed(name, "duplicate parameter");
    }
    indexes->push_back(index);
  }
  return {};
}

void Config::Restore(std::span<const int> indexes, std::span<const std::string> old_values) {
  for (size_t i = 0; i < indexes.size(); i++) {
    const Directive& row = AllDirectives()[static_cast<size_t>(indexes[i])];
    CAIRN_CHECK(Store(indexes[i], WordsOf(row, old_values[i]), false).ok());  // it was valid before
  }
}

Status Config::InTurn(const std::function<Status()>& work) {
  MutexLock lock(set_mutex_);
  return work();
}

std::optional<Status> Config::TryInTurn(const std::function<Status()>& work) {
  if (!set_mutex_.TryLock()) return std::nullopt;
  Status status = work();
  set_mutex_.Unlock();
  return status;
}

Status Config::Set(std::span<const Pair> pairs, const SetContext& context) {
  return InTurn([&]() CAIRN_REQUIRES(set_mutex_) { return SetInTurn(pairs, context); });
}

std::optional<Status> Config::TrySet(std::span<const Pair> pairs, const SetContext& context) {
  return TryInTurn([&]() CAIRN_REQUIRES(set_mutex_) { return SetInTurn(pairs, context); });
}

Status Config::SetInTurn(std::span<const Pair> pairs, const SetContext& context) {
  std::vector<int> indexes;
  CAIRN_RETURN_IF_ERROR(CheckPairs(pairs, context, &indexes));
  std::vector<std::string> old_values;
  old_values.reserve(indexes.size());
  for (const int index : indexes) old_values.push_back(PrintAt(index));

  std::vector<bool> changed(indexes.size());
  for (size_t i = 0; i < indexes.size(); i++) {
    const Directive& row = AllDirectives()[static_cast<size_t>(indexes[i])];
    if (const Status status = Store(indexes[i], WordsOf(row, pairs[i].second), false); !status.ok()) {
      Restore(std::span(indexes).first(i), old_values);
      return SetFailed(NameAsGiven(row, pairs[i].first), status.message());
    }
    changed[i] = PrintAt(indexes[i]) != old_values[i];
  }

  std::vector<Hook*> ran;
  for (size_t i = 0; i < indexes.size(); i++) {
    if (!changed[i]) continue;
    for (const std::shared_ptr<Hook>& hook : hooks_[static_cast<size_t>(indexes[i])]) {
      if (std::find(ran.begin(), ran.end(), hook.get()) != ran.end()) continue;
      ran.push_back(hook.get());
      const Status status = (*hook)();
      if (status.ok()) continue;
      Restore(indexes, old_values);
      for (Hook* const undo : ran) (void)(*undo)();  // with the old values, which were in force a moment ago
      return SetFailed(NameAsGiven(AllDirectives()[static_cast<size_t>(indexes[i])], pairs[i].first), status.message());
    }
  }
  return {};
}

void Config::OnChange(std::span<const std::string_view> names, Hook hook) {
  MutexLock turn(set_mutex_);
  const auto shared = std::make_shared<Hook>(std::move(hook));
  for (const std::string_view name : names) {
    int index = 0;
    RowOf(name, &index);
    hooks_[static_cast<size_t>(index)].push_back(shared);
  }
}

}  // namespace cairn
