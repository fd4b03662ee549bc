#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "engine/commands/arg_reader.h"
#include "engine/commands/string_commands.h"
#include "engine/commands/string_support.h"

namespace cairn::string_commands {
namespace {

constexpr uint64_t kNearPairs = 20'000;    // of prefixes, compared under the lock: some tens of microseconds
constexpr uint64_t kPairsPerElement = 50;  // that take about as long as an element of a long reply

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

// How the longest common subsequences of all pairs of prefixes come about, as far as the bytes do not tell: one bit a pair.
class LcsTable {
 public:
  // False where there is no memory for strings of these sizes.
  bool Reserve(uint64_t a_size, uint64_t b_size, bool keeps_way) {
    row_words_ = b_size / 64 + 1;
    row_.reset(new (std::nothrow) uint32_t[b_size + 1]);
    if (keeps_way) way_.reset(new (std::nothrow) uint64_t[(a_size + 1) * row_words_]);
    return row_ != nullptr && (!keeps_way || way_ != nullptr);
  }
  // Returns the length.
  uint32_t Build(std::string_view a, std::string_view b) {
    std::fill_n(row_.get(), b.size() + 1, 0);
    for (size_t i = 1; i <= a.size(); i++) {
      uint32_t diagonal = 0, left = 0;
      uint64_t word = 0;
      for (size_t j = 1; j <= b.size(); j++) {
        const uint32_t above = row_[j];
        word |= static_cast<uint64_t>(above > left) << (j % 64);
        left = a[i - 1] == b[j - 1] ? diagonal + 1 : std::max(above, left);
        row_[j] = left;
        diagonal = above;
        if (j % 64 == 63 || j == b.size()) {
          if (way_ != nullptr) way_[i * row_words_ + j / 64] = word;
          word = 0;
        }
      }
    }
    return row_[b.size()];
  }
  // Of a pair whose last bytes differ: whether leaving out a's last byte leaves a longer subsequence than leaving out b's.
  bool GoesUp(size_t i, size_t j) const { return (way_[i * row_words_ + j / 64] >> (j % 64) & 1) != 0; }

 private:
  size_t row_words_ = 0;
  std::unique_ptr<uint32_t[]> row_;  // lengths for one prefix of a
  std::unique_ptr<uint64_t[]> way_;
};

// Walks back from the ends: the subsequence itself, and its contiguous matches, last first.
void Trace(const LcsTable& table, std::string_view a, std::string_view b, uint32_t length, std::string* subsequence,
           std::vector<LcsMatch>* matches) {
  size_t i = a.size(), j = b.size(), left = length;
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
      if (table.GoesUp(i, j)) {
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

// A string beyond its key's lock; a long one is shared.
class KeptString {
 public:
  explicit KeptString(const StringView& view) {
    if (view.rope() != nullptr) {
      rope_ = *view.rope();
    } else {
      std::string scratch;
      bytes_ = view.Flatten(&scratch);
    }
  }
  std::string_view Flatten(std::string* scratch) const {
    if (rope_.size() == 0) return bytes_;
    rope_.CopyTo(0, rope_.size(), scratch);
    return *scratch;
  }

 private:
  std::string bytes_;
  Rope rope_;
};

void ReplyLcs(ReplySink& reply, std::string_view a, std::string_view b, const LcsOptions& options) {
  if (options.length && a.size() < b.size()) std::swap(a, b);  // less memory
  LcsTable table;
  if (!table.Reserve(a.size(), b.size(), !options.length)) {
    return reply.Error("ERR Insufficient memory, failed allocating transient memory for LCS");
  }
  const uint32_t length = table.Build(a, b);
  if (options.length) return reply.Integer(length);
  std::string subsequence;
  std::vector<LcsMatch> matches;
  Trace(table, a, b, length, &subsequence, &matches);
  if (!options.indexes) return reply.Bulk(subsequence);
  ReplyMatches(reply, std::move(matches), options, length);
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
  // As Redis counts it, whose table holds a number for each pair of prefixes.
  const unsigned __int128 pairs = static_cast<unsigned __int128>(views[0].size() + 1) * (views[1].size() + 1);
  if (pairs * sizeof(uint32_t) > static_cast<uint64_t>(context.limits().proto_max_bulk_bytes)) {
    return context.reply.Error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  }
  std::string scratch[2];
  if (pairs <= kNearPairs) {
    return ReplyLcs(context.reply, views[0].Flatten(&scratch[0]), views[1].Flatten(&scratch[1]), options);
  }
  const auto produce = [a = KeptString(views[0]), b = KeptString(views[1]), options](ReplySink& reply) {
    std::string scratch[2];
    ReplyLcs(reply, a.Flatten(&scratch[0]), b.Flatten(&scratch[1]), options);
  };
  context.Defer(static_cast<uint64_t>(pairs) / kPairsPerElement, produce);
}

}  // namespace cairn::string_commands
