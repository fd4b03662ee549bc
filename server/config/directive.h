// The table of directives: one row each says what a directive is called, what it takes and what may change it.
//
// A directive's value is kept in one form: a number (bool 0/1, enum value, bit set of enum values, integer, bytes, percentage as a
// negative number) or a text (strings and special directives, in the canonical form that CONFIG GET prints).
// Rows are constants with static lifetime; any thread reads them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace cairn {

enum class DirectiveKind : uint8_t { kBool, kEnum, kFlagSet, kNumber, kText, kSpecial };

// How a number is written.
enum class NumberForm : uint8_t { kPlain, kMemory, kMemoryOrPercent, kOctal };

enum DirectiveFlag : uint32_t {
  kImmutable = 1u << 0,        // only at the start
  kProtectedConfig = 1u << 1,  // CONFIG SET only as enable-protected-configs allows
  kHidden = 1u << 2,           // CONFIG GET by its full name only
  kMultiArg = 1u << 3,         // takes several words
  kSensitive = 1u << 4,        // its value is not to be shown in MONITOR and the slow log
  kDenyLoading = 1u << 5,      // not while the data set loads
  kNoneIfEmpty = 1u << 6,      // the empty text means that there is none: CONFIG REWRITE drops the line
  kAlwaysRewrite = 1u << 7,    // written by CONFIG REWRITE even where it has its default
  kOnlyAtStart = 1u << 8,      // as kImmutable, but CONFIG SET to the value it has is no error: tools set what they got
};

struct EnumName {
  std::string_view name;
  int64_t value;
};

// The words given to a special directive turned into its canonical text. `previous` is its text so far; `first_in_files` is true for the
// directive's first line while the configuration is loaded, `loading` for every line then. An error's message says what is wrong.
using Normalizer = Result<std::string> (*)(std::span<const std::string> words, std::string_view previous, bool loading,
                                           bool first_in_files);
// The lines CONFIG REWRITE writes for a special directive; null: one line, the name and the text.
using RewriteLines = std::vector<std::string> (*)(std::string_view name, std::string_view text);
// A further test of a new value; the message is what CONFIG SET and the file's reader say.
using NumberCheck = Status (*)(int64_t value);
using TextCheck = Status (*)(std::string_view text);

struct Directive {
  std::string_view name;
  std::string_view alias = {};
  DirectiveKind kind = DirectiveKind::kBool;
  uint32_t flags = 0;
  int64_t default_number = 0;
  std::string_view default_text = {};
  int64_t min = 0, max = 1;
  NumberForm form = NumberForm::kPlain;
  std::span<const EnumName> names = {};
  NumberCheck check_number = nullptr;
  TextCheck check_text = nullptr;
  Normalizer normalize = nullptr;
  RewriteLines rewrite_lines = nullptr;

  bool has(DirectiveFlag flag) const { return (flags & flag) != 0; }
};

// All rows; the index of a row is stable while the process lives.
std::span<const Directive> AllDirectives();

// The number or the printed text of a number, by the row's kind; the Status's message is Redis's text for the mistake.
Result<int64_t> ParseDirectiveNumber(const Directive& row, std::span<const std::string> words);
std::string FormatDirectiveNumber(const Directive& row, int64_t value);

// --- the table's parts (each in a file of its own) -----------------------------------------------------------------------
void AppendServerDirectives(std::vector<Directive>* rows);      // what Cairn does
void AppendValueLimitDirectives(std::vector<Directive>* rows);  // up to where collections stay packed
void AppendCompatibleDirectives(std::vector<Directive>* rows);  // accepted for the sake of existing redis.conf files
void AppendSpecialDirectives(std::vector<Directive>* rows);     // save, bind, client-output-buffer-limit...

}  // namespace cairn
