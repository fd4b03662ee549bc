// Idempotent producers: XADD's options IDMP and IDMPAUTO, and what becomes of a message that is known already.
#pragma once

#include <string>
#include <string_view>

#include "engine/commands/command_context.h"
#include "engine/values/stream_value.h"

namespace cairn::stream_commands {

// IDMP producer-id message-id, or IDMPAUTO producer-id, whose message id is a digest of the entry's fields in any order.
class ProducerOption {
 public:
  static bool Is(std::string_view option);
  // Reads the option at args[*index], which Is() one; *index becomes its last argument. Answers the error otherwise.
  bool Read(CommandContext& context, size_t* index);
  bool given() const { return !producer_.empty(); }
  void Resolve(FieldSpan fields);  // makes the digest
  std::string_view producer() const { return producer_; }
  std::string_view message_id() const { return automatic_ ? std::string_view(digest_) : message_id_; }

 private:
  std::string_view producer_, message_id_;
  bool automatic_ = false;
  std::string digest_;
};

// Gives producers the window that a stream's first ones have, which is the configured one.
void ConfigureFirstWindow(const CommandContext& context, StreamProducers* producers);
// Answers the id of a message that the stream knows, and counts it; false where it does not.
bool AnswerKnownMessage(CommandContext& context, ValueEdit& edit, const ProducerOption& option);
// After the message was added and logged.
void RememberMessage(CommandContext& context, Stream& stream, const ProducerOption& option, const StreamId& id);

}  // namespace cairn::stream_commands
