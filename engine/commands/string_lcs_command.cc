#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "engine/commands/arg_reader.h"
#include "engine/commands/string_commands.h"
#include "engine/commands/string_support.h"

namespace cairn::string_commands {
namespace {

struct LcsOptions {
  bool length = false, indexes = false, match_lengths = false;
  int64_t match_length_min = 0;
};

// One contiguous match: positions of its first bytes and how many bytes.
struct LcsMatch {
  uint32_t a_start, b_start, size_bytes;
};

bool ReadOptions(CommandContext& context, LcsOptions* lcs) {
  for (OptionReader options(context, 3); options.More();) {
    std::string_view number;
    size_t index = 0;
    if (options.Take("idx")) {
      lcs->indexes = true;
    } else if (options.Take("len")) {
      lcs->length = true;
    } else if (options.Take("withmatchlen")) {
      lcs->match_lengths = true;
    } else if (options.Take("minmatchlen", &number, &index)) {
      if (!ReadInt(context, index, &lcs->match_length_min)) return false;
    } else {
      context.SyntaxError();
      return false;
    }
  }
  if (!lcs->length || !lcs->indexes) return true;
  context.reply.Error("ERR If you want both the length and indexes, please just use IDX.");
  return false;
}

// The lengths of the longest common subsequences of all pairs of prefixes.
class LcsTable {
 public:
  // Makes room for strings of these sizes; answers an error where it would be more memory than a value may take.
  bool Reserve(uint64_t a_size, uint64_t b_size, CommandContext& context) {
    columns_ = b_size + 1;
    const unsigned __int128 bytes = static_cast<unsigned __int128>(a_size + 1) * columns_ * sizeof(uint32_t);
    if (bytes > static_cast<uint64_t>(context.limits().proto_max_bulk_bytes)) {
      context.reply.Error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
      return false;
    }
    cells_.reset(new (std::nothrow) uint32_t[static_cast<size_t>(bytes) / sizeof(uint32_t)]);
    if (cells_ == nullptr) {
      context.reply.Error("ERR Insufficient memory, failed allocating transient memory for LCS");
      return false;
    }
    return true;
  }
  void Build(std::string_view a, std::string_view b) {
    std::fill_n(cells_.get(), columns_, 0);
    for (size_t i = 1; i <= a.size(); i++) {
      const uint32_t* above = &cells_[(i - 1) * columns_];
      uint32_t* row = &cells_[i * columns_];
      row[0] = 0;
      for (size_t j = 1; j <= b.size(); j++) row[j] = a[i - 1] == b[j - 1] ? above[j - 1] + 1 : std::max(above[j], row[j - 1]);
    }
  }
  uint32_t At(size_t i, size_t j) const { return cells_[i * columns_ + j]; }

 private:
  size_t columns_ = 0;
  std::unique_ptr<uint32_t[]> cells_;
};

// Walks back from the ends: the subsequence itself, and its contiguous matches, last first.
void Trace(const LcsTable& table, std::string_view a, std::string_view b, std::string* subsequence,
           std::vector<LcsMatch>* matches) {
  size_t i = a.size(), j = b.size(), left = table.At(i, j);
  subsequence->resize(left);
  LcsMatch match{0, 0, 0};
  const auto emit = [&] {
    if (match.size_bytes > 0) matches->push_back(match);
    match.size_bytes = 0;
  };
  while (i > 0 && j > 0) {
    if (a[i - 1] == b[j - 1]) {
      if (match.size_bytes > 0 && (match.a_start != i || match.b_start != j)) emit();
      i--, j--;
      (*subsequence)[--left] = a[i];
      match = {static_cast<uint32_t>(i), static_cast<uint32_t>(j), match.size_bytes + 1};
    } else {
      emit();
      if (table.At(i - 1, j) > table.At(i, j - 1)) {
        i--;
      } else {
        j--;
      }
    }
  }
  emit();
}

void ReplyMatches(ReplySink& reply, std::vector<LcsMatch> matches, const LcsOptions& options, uint32_t length) {
  std::erase_if(matches, [&](const LcsMatch& match) { return match.size_bytes < options.match_length_min; });
  const auto range = [&](uint32_t start, uint32_t size_bytes) {
    reply.Array(2);
    reply.Integer(start);
    reply.Integer(static_cast<int64_t>(start) + size_bytes - 1);
  };
  reply.Map(2);
  reply.Bulk("matches");
  reply.Array(matches.size());
  for (const LcsMatch& match : matches) {
    reply.Array(options.match_lengths ? 3 : 2);
    range(match.a_start, match.size_bytes);
    range(match.b_start, match.size_bytes);
    if (options.match_lengths) reply.Integer(match.size_bytes);
  }
  reply.Bulk("len");
  reply.Integer(length);
}

}  // namespace

void Lcs(CommandContext& context) {
  const Entry* entries[2] = {context.Find(context.key(0), Keyspace::Access::kRead),
                             context.Find(context.key(1), Keyspace::Access::kRead)};
  for (const Entry* entry : entries) {
    if (entry == nullptr || entry->type() == ValueType::kString) continue;
    return context.reply.Error("ERR The specified keys must contain string values");
  }
  LcsOptions options;
  if (!ReadOptions(context, &options)) return;
  const StringView views[2] = {StringView(entries[0]), StringView(entries[1])};
  if (views[0].size() >= UINT32_MAX - 1 || views[1].size() >= UINT32_MAX - 1) {
    return context.reply.Error("ERR String too long for LCS");
  }
  LcsTable table;
  if (!table.Reserve(views[0].size(), views[1].size(), context)) return;
  std::string scratch[2];
  const std::string_view a = views[0].Flatten(&scratch[0]), b = views[1].Flatten(&scratch[1]);
  table.Build(a, b);
  const uint32_t length = table.At(a.size(), b.size());
  if (options.length) return context.reply.Integer(length);
  std::string subsequence;
  std::vector<LcsMatch> matches;
  Trace(table, a, b, &subsequence, &matches);
  if (!options.indexes) return context.reply.Bulk(subsequence);
  ReplyMatches(context.reply, std::move(matches), options, length);
}

}  // namespace cairn::string_commands
