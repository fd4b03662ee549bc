// Channels, patterns and shard channels with their subscribers: who gets a message, in which order, and when it may leave.
//
// Delivery
//  1. PUBLISH counts the receivers and keeps the message in its thread's outbox; after the command (or the whole EXEC) ran and the
//     session's visible_lsn says what its client may have seen, the session's thread calls DeliverOutbox: messages leave no earlier
//     than what the publisher saw or wrote is durable (promise P1). Keyspace events carry the LSN of the change itself.
//  2. A message is encoded once per protocol in use and shared by all receivers. Posting happens under the channel's lock, so all
//     receivers see one order per channel, and per publisher.
//  3. What was posted before an UNSUBSCRIBE is delivered before it (HearsFirst). What arrives behind it all the same is dropped on the
//     receiver's thread: a client takes what follows the confirmation for replies to its commands.
// Threads: any. Locks: a channel's stripe, then the patterns' lock, then whatever `post` takes; nothing is called back under them but
// `post`, which must only queue. A session's subscription sets are touched on its own thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/thread_annotations.h"
#include "engine/keyspace/change_scope.h"
#include "server/pubsub/monitor_feed.h"

namespace cairn {

class CommandContext;
class Session;

enum class ChannelKind : uint8_t { kChannel, kPattern, kShard };

// For commands that end subscriptions: whether the command ends here, to be run again behind the messages that were posted to its session
// before.
bool HearsFirst(CommandContext& context, const Session& session);

// The session's subscriptions of a kind.
std::unordered_set<std::string>& NamesOf(Session& session, ChannelKind kind);

// An encoded message: one per protocol in use; the other is made from it where a receiver changed its protocol meanwhile.
class PubSubMessage {
 public:
  // kind and the words behind it: {"message", channel, text} or {"pmessage", pattern, channel, text}.
  static std::shared_ptr<const PubSubMessage> Encode(std::span<const std::string_view> words, bool resp2, bool resp3);
  SharedBytes For(int protocol) const;
  bool WantedBy(Session& session) const;  // its thread: subscribed to the channel or pattern still

 private:
  SharedBytes resp2_, resp3_;
  ChannelKind kind_ = ChannelKind::kChannel;
  std::string name_;
};

class PubSubHub : public ChangeListener {
 public:
  // Queues a message for a session: Server's PostToSession with Session::PushEncoded, or a test's.
  using Post = std::function<void(uint64_t session_id, std::shared_ptr<const PubSubMessage> message, Lsn lsn)>;
  explicit PubSubHub(Post post);
  ~PubSubHub() override;

  // --- subscribing (the session's thread); false where nothing changed ----------------------------------------------------
  bool Subscribe(uint64_t session_id, int protocol, ChannelKind kind, std::string_view name);
  bool Unsubscribe(uint64_t session_id, ChannelKind kind, std::string_view name);
  // Drops every subscription and the monitor of a session that goes away (or is RESET). Call it before a Session is destroyed.
  void Forget(Session& session);

  // --- publishing ---------------------------------------------------------------------------------------------------------
  // Sends now; returns how many receive it. Any thread.
  uint64_t Publish(std::string_view channel, std::string_view text, bool shard_channel, Lsn lsn);
  // PUBLISH's handler: counts now, sends with the next DeliverOutbox on this thread.
  uint64_t PublishLater(std::string_view channel, std::string_view text, bool shard_channel);
  // After each Store::Execute and ExecuteTransaction, with the LSN that its session has now seen. Costs nothing where nothing waits.
  void DeliverOutbox(Lsn visible_lsn) {
    if (!outbox_.empty()) [[unlikely]]
      DeliverOutboxNow(visible_lsn);
  }

  // --- keyspace events ----------------------------------------------------------------------------------------------------
  // notify-keyspace-events as ParseNotifyFlags gives it.
  void SetNotifyFlags(uint32_t flags) { notify_flags_.store(flags, std::memory_order_relaxed); }
  // Nothing is wanted while nobody is subscribed to anything.
  uint32_t wanted_classes() const override;
  void OnEvents(std::span<const KeyspaceEvent> events, Lsn lsn) override;

  // --- PUBSUB, INFO (any thread) ------------------------------------------------------------------------------------------
  std::vector<std::string> ActiveChannels(ChannelKind kind, std::string_view pattern) const;
  uint64_t SubscriberCount(ChannelKind kind, std::string_view channel) const;
  uint64_t channel_count() const { return channels_.load(std::memory_order_relaxed); }
  uint64_t shard_channel_count() const { return shard_channels_.load(std::memory_order_relaxed); }
  uint64_t pattern_count() const { return patterns_.load(std::memory_order_relaxed); }  // distinct patterns

  MonitorFeed& monitors() { return monitors_; }

 private:
  struct Subscriber {
    uint64_t session_id;
    int protocol;
  };
  using Subscribers = std::vector<Subscriber>;
  struct Stripe;
  struct Outgoing {
    std::string channel, text;
    bool shard_channel;
  };
  static constexpr size_t kStripes = 64;

  Stripe& StripeOf(std::string_view channel) const;
  uint64_t Send(std::string_view kind, std::string_view pattern, std::string_view channel, std::string_view text,
                const Subscribers& subscribers, Lsn lsn);
  void DeliverOutboxNow(Lsn visible_lsn);
  void PublishEvent(const KeyspaceEvent& event, uint32_t flags, Lsn lsn);
  void PublishFields(const KeyspaceEvent& event, uint32_t flags, Lsn lsn);

  Post post_;
  std::unique_ptr<Stripe[]> stripes_;
  struct Patterns;
  std::unique_ptr<Patterns> pattern_table_;
  std::atomic<uint64_t> channels_{0}, shard_channels_{0}, patterns_{0};
  std::atomic<uint32_t> notify_flags_{0};
  static thread_local std::vector<Outgoing> outbox_;
  MonitorFeed monitors_;
};

}  // namespace cairn
