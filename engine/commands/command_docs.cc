#include "engine/commands/command_docs.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/numbers.h"
#include "engine/commands/command_syntax.h"

namespace cairn {
namespace {

struct BitName {
  uint32_t bit;
  std::string_view name;
};

// In Redis's order. Flags that Redis hides or does not have stay unnamed.
constexpr BitName kFlagNames[] = {{kWrite, "write"},
                                  {kReadOnly, "readonly"},
                                  {kDenyOom, "denyoom"},
                                  {kAdmin, "admin"},
                                  {kPubSub, "pubsub"},
                                  {kNoScript, "noscript"},
                                  {kBlocking, "blocking"},
                                  {kLoading, "loading"},
                                  {kStale, "stale"},
                                  {kSkipMonitor, "skip_monitor"},
                                  {kSkipSlowlog, "skip_slowlog"},
                                  {kFast, "fast"},
                                  {kNoAuth, "no_auth"},
                                  {kNoMandatoryKeys, "no_mandatory_keys"},
                                  {kNoAsyncLoading, "no_async_loading"},
                                  {kNoMulti, "no_multi"},
                                  {kMovableKeys, "movablekeys"},
                                  {kAllowBusy, "allow_busy"}};

constexpr BitName kCategoryNames[] = {{kAclKeyspace, "keyspace"},
                                      {kAclRead, "read"},
                                      {kAclWrite, "write"},
                                      {kAclSet, "set"},
                                      {kAclSortedSet, "sortedset"},
                                      {kAclList, "list"},
                                      {kAclHash, "hash"},
                                      {kAclString, "string"},
                                      {kAclBitmap, "bitmap"},
                                      {kAclHyperLogLog, "hyperloglog"},
                                      {kAclGeo, "geo"},
                                      {kAclStream, "stream"},
                                      {kAclPubSub, "pubsub"},
                                      {kAclAdmin, "admin"},
                                      {kAclFast, "fast"},
                                      {kAclSlow, "slow"},
                                      {kAclBlocking, "blocking"},
                                      {kAclDangerous, "dangerous"},
                                      {kAclConnection, "connection"},
                                      {kAclTransaction, "transaction"},
                                      {kAclScripting, "scripting"}};

void ReplySimpleSet(ReplySink& reply, const std::vector<std::string>& texts) {
  reply.Set(texts.size());
  for (const std::string& text : texts) reply.Simple(text);
}

void ReplyBits(ReplySink& reply, uint32_t bits, std::span<const BitName> names, std::string_view prefix) {
  std::vector<std::string> texts;
  for (const BitName& name : names) {
    if (bits & name.bit) texts.push_back(std::string(prefix) + std::string(name.name));
  }
  ReplySimpleSet(reply, texts);
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = std::min(text.size(), text.find(' '));
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return words;
}

std::vector<std::string> AccessNames(KeyAccess access) {
  std::vector<std::string> names;
  static constexpr std::string_view kModes[] = {"", "RO", "OW", "RW"};
  if (access & 3) names.emplace_back(kModes[access & 3]);
  if (access & kKeyRemove) names.emplace_back("RM");
  if ((access & ~7) == 0) access = access | (access == kKeyRead ? kKeyForAccess : kKeyForUpdate);
  if (access & kKeyForAccess) names.emplace_back("access");
  if (access & kKeyForUpdate) names.emplace_back("update");
  if (access & kKeyForInsert) names.emplace_back("insert");
  if (access & kKeyForDelete) names.emplace_back("delete");
  if (access & kNotKey) names.emplace_back("not_key");
  if (access & kKeysIncomplete) names.emplace_back("incomplete");
  return names;
}

void ReplyPair(ReplySink& reply, std::string_view name, std::string_view value) {
  reply.Bulk(name);
  reply.Bulk(value);
}

void ReplyPair(ReplySink& reply, std::string_view name, int64_t value) {
  reply.Bulk(name);
  reply.Integer(value);
}

// {"type": ..., "spec": a map of this many pairs, which the caller writes next}
void ReplySpecHeader(ReplySink& reply, std::string_view section, std::string_view type, size_t pairs) {
  reply.Bulk(section);
  reply.Map(2);
  ReplyPair(reply, "type", type);
  reply.Bulk("spec");
  reply.Map(pairs);
}

void ReplyKeySpec(ReplySink& reply, const CommandRow& row, const KeySpec& spec) {
  reply.Map(3);
  reply.Bulk("flags");
  std::vector<std::string> flags = AccessNames(spec.access);
  if (row.has(kVariableFlags)) flags.emplace_back("variable_flags");
  if (spec.first == 0) flags.emplace_back("incomplete");
  ReplySimpleSet(reply, flags);
  if (spec.first == 0) {
    ReplySpecHeader(reply, "begin_search", "unknown", 0);
    ReplySpecHeader(reply, "find_keys", "unknown", 0);
    return;
  }
  if (spec.keyword.empty()) {
    ReplySpecHeader(reply, "begin_search", "index", 1);
    ReplyPair(reply, "index", spec.first);
  } else {
    ReplySpecHeader(reply, "begin_search", "keyword", 2);
    ReplyPair(reply, "keyword", spec.keyword);
    ReplyPair(reply, "startfrom", spec.first);
  }
  if (spec.counted) {
    ReplySpecHeader(reply, "find_keys", "keynum", 3);
    ReplyPair(reply, "keynumidx", 0);
    ReplyPair(reply, "firstkey", 1);
    ReplyPair(reply, "keystep", spec.step);
    return;
  }
  ReplySpecHeader(reply, "find_keys", "range", 3);
  ReplyPair(reply, "lastkey", spec.last < 0 || !spec.keyword.empty() ? spec.last : spec.last - spec.first);
  ReplyPair(reply, "keystep", spec.step);
  ReplyPair(reply, "limit", spec.limit);
}

KeySpec SpecOf(const KeyRange& keys) {
  return {.first = keys.first, .last = keys.last, .step = keys.step, .access = keys.access};
}

void ReplyKeySpecs(ReplySink& reply, const CommandRow& row) {
  if (!row.key_specs.empty()) {
    reply.Set(row.key_specs.size());
    for (const KeySpec& spec : row.key_specs) ReplyKeySpec(reply, row, spec);
  } else if (row.keys.first != 0 || row.get_keys != nullptr) {
    reply.Set(1);
    ReplyKeySpec(reply, row, SpecOf(row.keys));
  } else {
    reply.Set(0);
  }
}

// First, last and step for clients that know no key specs: of a command whose keys are here and there the ones that are always in
// the same place.
void ReplyKeyRange(ReplySink& reply, const CommandRow& row) {
  KeySpec keys = SpecOf(row.keys);
  if (keys.first == 0) {
    const auto plain = std::find_if(row.key_specs.begin(), row.key_specs.end(), [](const KeySpec& spec) { return spec.plain(); });
    if (plain != row.key_specs.end()) keys = *plain;
  }
  reply.Integer(keys.first);
  reply.Integer(keys.first == 0 ? 0 : keys.last);
  reply.Integer(keys.first == 0 ? 0 : keys.step);
}

void ReplyArguments(ReplySink& reply, const std::vector<SyntaxArgument>& arguments, int* next_key_spec, int key_specs) {
  reply.Array(arguments.size());
  for (const SyntaxArgument& argument : arguments) {
    const bool key = argument.type == SyntaxArgument::Type::kKey && key_specs > 0;
    const bool flags = argument.optional || argument.multiple;
    reply.Map(size_t{2} + (key ? 1 : 0) + (argument.token.empty() ? 0 : 1) + (flags ? 1 : 0) +
              (argument.arguments.empty() ? 0 : 1));
    ReplyPair(reply, "name", argument.name);
    ReplyPair(reply, "type", TypeText(argument.type));
    if (key) {
      ReplyPair(reply, "key_spec_index", std::min(*next_key_spec, key_specs - 1));
      (*next_key_spec)++;
    }
    if (!argument.token.empty()) ReplyPair(reply, "token", argument.token);
    if (flags) {
      reply.Bulk("flags");
      std::vector<std::string> names;
      if (argument.optional) names.emplace_back("optional");
      if (argument.multiple) names.emplace_back("multiple");
      ReplySimpleSet(reply, names);
    }
    if (argument.arguments.empty()) continue;
    reply.Bulk("arguments");
    ReplyArguments(reply, argument.arguments, next_key_spec, key_specs);
  }
}

}  // namespace

void ReplyKeyAccess(ReplySink& reply, KeyAccess access) { ReplySimpleSet(reply, AccessNames(access)); }

std::optional<uint32_t> AclCategoryByName(std::string_view name) {
  for (const BitName& category : kCategoryNames) {
    if (EqualsIgnoreCase(category.name, name)) return category.bit;
  }
  return std::nullopt;
}

void ReplyCommandInfo(ReplySink& reply, const CommandRow& row) {
  reply.Array(10);
  reply.Bulk(CommandTable::FullName(row));
  reply.Integer(row.arity);
  ReplyBits(reply, row.flags, kFlagNames, "");
  ReplyKeyRange(reply, row);
  ReplyBits(reply, CommandTable::Categories(row), kCategoryNames, "@");
  const std::vector<std::string_view> tips = Words(row.tips);
  reply.Set(tips.size());
  for (const std::string_view tip : tips) reply.Bulk(tip);
  ReplyKeySpecs(reply, row);
  if (row.subcommands.empty()) return reply.Set(0);
  reply.Array(row.subcommands.size());
  for (const CommandRow& subcommand : row.subcommands) ReplyCommandInfo(reply, subcommand);
}

void ReplyCommandDocs(ReplySink& reply, const CommandRow& row) {
  const bool deprecated = !row.deprecated_since.empty();
  const std::vector<SyntaxArgument> arguments = ParseSyntax(row.syntax);
  reply.Map(size_t{3} + (row.complexity.empty() ? 0 : 1) + (deprecated ? 2 : 0) + (row.replaced_by.empty() ? 0 : 1) +
            (arguments.empty() ? 0 : 1) + (row.subcommands.empty() ? 0 : 1));
  ReplyPair(reply, "summary", row.summary);
  ReplyPair(reply, "since", row.since);
  ReplyPair(reply, "group", row.group);
  if (!row.complexity.empty()) ReplyPair(reply, "complexity", row.complexity);
  if (deprecated) {
    reply.Bulk("doc_flags");
    ReplySimpleSet(reply, {"deprecated"});
    ReplyPair(reply, "deprecated_since", row.deprecated_since);
  }
  if (!row.replaced_by.empty()) ReplyPair(reply, "replaced_by", row.replaced_by);
  if (!arguments.empty()) {
    const bool movable = row.keys.first == 0 && row.get_keys != nullptr;
    const int key_specs = !row.key_specs.empty()           ? static_cast<int>(row.key_specs.size())
                          : row.keys.first != 0 || movable ? 1
                                                           : 0;
    int next_key_spec = 0;
    reply.Bulk("arguments");
    ReplyArguments(reply, arguments, &next_key_spec, key_specs);
  }
  if (row.subcommands.empty()) return;
  reply.Bulk("subcommands");
  reply.Map(row.subcommands.size());
  for (const CommandRow& subcommand : row.subcommands) {
    reply.Bulk(CommandTable::FullName(subcommand));
    ReplyCommandDocs(reply, subcommand);
  }
}

}  // namespace cairn
