// What the handlers of sets share: a key's set under change, replies of members, results that become a key's value.
// Called under the key's shard lock on the executing thread, like the handlers themselves.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "engine/commands/command_context.h"
#include "engine/values/set_editor.h"

namespace cairn {

// The set of an entry as what a SetEditor changes. Without an entry only the Store functions may be called.
class EditedSet {
 public:
  explicit EditedSet(ValueEdit& edit) : edit_(edit) {}

  Encoding encoding() const { return edit_.entry()->encoding(); }
  std::string_view packed() const { return edit_.entry()->packed(); }
  const SetTable& table() const { return edit_.entry()->large_as<SetTable>(); }
  void Splice(size_t offset, size_t remove_bytes, std::string_view insert) { edit_.Splice(offset, remove_bytes, insert); }
  char* MutablePacked() { return edit_.MutablePacked(); }
  SetTable& MutableTable() { return edit_.Mutable<SetTable>(); }
  void StorePacked(Encoding encoding, std::string_view bytes) { edit_.StorePacked(ValueType::kSet, encoding, bytes); }
  void StoreLarge(std::unique_ptr<SetTable> table) { edit_.StoreLarge(ValueType::kSet, std::move(table)); }

 private:
  ValueEdit& edit_;
};

inline void ReplyMember(ReplySink& reply, const SetMember& member) {
  char buffer[kIntTextMaxBytes];
  reply.Bulk(member.Text(buffer));
}
// All members, as a set.
void ReplyMembers(ReplySink& reply, const SetView& set);

// Makes `set`, which is not empty, the value of the key, whatever that was; an expiry stays.
void StoreSet(ValueEdit& edit, MemorySet& set);
// The same as the result of a command: without an expiry, with the event `event`; an empty set deletes the key, with "del". Answers the
// number of members.
void StoreSetResult(CommandContext& context, const KeyRef& key, MemorySet& set, std::string_view event);

}  // namespace cairn
