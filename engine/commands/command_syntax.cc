#include "engine/commands/command_syntax.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cairn {
namespace {

using Type = SyntaxArgument::Type;
using Arguments = std::vector<SyntaxArgument>;

bool IsToken(std::string_view word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; }) &&
         std::none_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

std::string Lower(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

Type TypeOf(std::string_view name) {
  static constexpr std::string_view kIntegers[] = {
      "seconds",   "milliseconds",   "numkeys", "offset",    "start",    "end",        "count",
      "index",     "index1",         "index2",  "len",       "cursor",   "timeout",    "bit",
      "decrement", "destination-db", "db",      "increment", "numlocal", "numreplicas"};
  static constexpr std::string_view kKeys[] = {"key", "key1", "key2", "newkey", "source", "destination", "destkey"};
  if (name.starts_with("unix-time")) return Type::kUnixTime;
  if (name == "pattern") return Type::kPattern;
  if (std::find(std::begin(kKeys), std::end(kKeys), name) != std::end(kKeys)) return Type::kKey;
  return std::find(std::begin(kIntegers), std::end(kIntegers), name) != std::end(kIntegers) ? Type::kInteger : Type::kString;
}

SyntaxArgument Word(std::string_view word) {
  SyntaxArgument argument;
  argument.name = Lower(word);
  argument.type = IsToken(word) ? Type::kPureToken : TypeOf(word);
  if (IsToken(word)) argument.token = word;
  return argument;
}

// Several arguments as one; the first one's name stands for all.
SyntaxArgument Group(Arguments arguments) {
  if (arguments.size() == 1) return std::move(arguments[0]);
  SyntaxArgument block;
  block.name = arguments[0].name;
  block.type = Type::kBlock;
  block.arguments = std::move(arguments);
  return block;
}

std::string NameOfChoice(const Arguments& choices) {
  const auto has = [&](std::string_view token) {
    return std::any_of(choices.begin(), choices.end(), [&](const SyntaxArgument& choice) { return choice.token == token; });
  };
  if (has("EX") && has("PX")) return "expiration";
  if (has("NX") && has("XX")) return "condition";
  std::string name;
  for (const SyntaxArgument& choice : choices) name += (name.empty() ? "" : "-") + choice.name;
  return name;
}

class Parser {
 public:
  explicit Parser(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
      if (text[at] == ' ') {
        at++;
        continue;
      }
      const bool mark = std::string_view("[]<>|").find(text[at]) != std::string_view::npos;
      const size_t end = mark ? at + 1 : std::min(text.size(), text.find_first_of(" []<>|", at));
      words_.push_back(text.substr(at, end - at));
      at = end;
    }
  }

  // Reads up to the closing mark: the alternatives, each a sequence.
  std::vector<Arguments> Alternatives(std::string_view closing) {
    std::vector<Arguments> alternatives(1);
    while (next_ < words_.size()) {
      const std::string_view word = words_[next_++];
      if (word == closing) break;
      if (word == "|") {
        alternatives.emplace_back();
      } else if (word == "[") {
        Optional(&alternatives.back());
      } else if (word == "<") {
        alternatives.back().push_back(Choice(Alternatives(">")));
      } else if (word == "...") {
        repeats_ = true;
      } else {
        Plain(word, &alternatives.back());
      }
    }
    return alternatives;
  }

 private:
  static SyntaxArgument Choice(std::vector<Arguments> alternatives) {
    SyntaxArgument choice;
    choice.type = Type::kOneOf;
    for (Arguments& alternative : alternatives) {
      if (!alternative.empty()) choice.arguments.push_back(Group(std::move(alternative)));
    }
    if (choice.arguments.size() == 1) return std::move(choice.arguments[0]);
    choice.name = NameOfChoice(choice.arguments);
    return choice;
  }

  // A token takes the lower-case words that follow it as its arguments.
  void Plain(std::string_view word, Arguments* sequence) {
    if (!IsToken(word)) return sequence->push_back(Word(word));
    Arguments values;
    while (next_ < words_.size() && IsName(words_[next_])) values.push_back(Word(words_[next_++]));
    if (values.empty()) return sequence->push_back(Word(word));
    SyntaxArgument argument = Group(std::move(values));
    if (argument.type == Type::kBlock) argument.name = Lower(word);
    argument.token = word;
    sequence->push_back(std::move(argument));
  }

  static bool IsName(std::string_view word) {
    return !IsToken(word) && word != "..." && std::string_view("[]<>|").find(word[0]) == std::string_view::npos;
  }

  void Optional(Arguments* sequence) {
    const bool outer = std::exchange(repeats_, false);
    std::vector<Arguments> alternatives = Alternatives("]");
    const bool repeats = std::exchange(repeats_, outer);
    if (repeats && alternatives.size() == 1 && Repeat(alternatives[0], sequence)) return;
    SyntaxArgument argument = Choice(std::move(alternatives));
    argument.optional = true;
    argument.multiple = argument.multiple || repeats;
    sequence->push_back(std::move(argument));
  }

  // "key value [key value ...]": the pair that stands before is what repeats.
  static bool Repeat(const Arguments& repeated, Arguments* sequence) {
    const size_t count = repeated.size();
    if (count == 0 || sequence->size() < count) return false;
    const auto first = sequence->end() - static_cast<ptrdiff_t>(count);
    if (!std::equal(repeated.begin(), repeated.end(), first, [](const auto& a, const auto& b) { return a.name == b.name; }))
      return false;
    Arguments group(std::make_move_iterator(first), std::make_move_iterator(sequence->end()));
    sequence->erase(first, sequence->end());
    sequence->push_back(Group(std::move(group)));
    if (sequence->back().type == Type::kBlock) sequence->back().name = "data";
    sequence->back().multiple = true;
    return true;
  }

  std::vector<std::string_view> words_;
  size_t next_ = 0;
  bool repeats_ = false;  // "..." was read in the group under way
};

}  // namespace

std::vector<SyntaxArgument> ParseSyntax(std::string_view syntax) {
  if (syntax.empty()) return {};
  return std::move(Parser(syntax).Alternatives("")[0]);
}

std::string_view TypeText(SyntaxArgument::Type type) {
  switch (type) {
    case Type::kString: return "string";
    case Type::kInteger: return "integer";
    case Type::kDouble: return "double";
    case Type::kKey: return "key";
    case Type::kPattern: return "pattern";
    case Type::kUnixTime: return "unix-time";
    case Type::kPureToken: return "pure-token";
    case Type::kOneOf: return "oneof";
    case Type::kBlock: return "block";
  }
  return "string";
}

}  // namespace cairn
