#include "server/pubsub/hub.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/glob.h"
#include "base/numbers.h"
#include "base/resp_request.h"
#include "engine/commands/command_context.h"
#include "server/config/notify_flags.h"
#include "server/session.h"

namespace cairn {
namespace {

struct TextHash {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard library looks for this name
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <typename Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

SharedBytes EncodeWords(char marker, std::span<const std::string_view> words) {
  std::string text(1, marker);
  AppendUint(text, words.size());
  text += "\r\n";
  for (const std::string_view word : words) AppendBulk(text, word);
  return SharedBytes::Copy(text);
}

}  // namespace

struct alignas(64) PubSubHub::Stripe {
  mutable Mutex mutex;
  TextMap<Subscribers> channels CAIRN_GUARDED_BY(mutex);
  TextMap<Subscribers> shard_channels CAIRN_GUARDED_BY(mutex);
};

struct PubSubHub::Patterns {
  mutable std::shared_mutex mutex;  // readers: every PUBLISH; writers: PSUBSCRIBE, PUNSUBSCRIBE
  std::map<std::string, Subscribers, std::less<>> by_pattern;
};

thread_local std::vector<PubSubHub::Outgoing> PubSubHub::outbox_;

std::shared_ptr<const PubSubMessage> PubSubMessage::Encode(std::span<const std::string_view> words, bool resp2, bool resp3) {
  auto message = std::make_shared<PubSubMessage>();
  if (words[0] != "message") message->kind_ = words[0] == "pmessage" ? ChannelKind::kPattern : ChannelKind::kShard;
  message->name_ = words[1];
  if (resp2 || !resp3) message->resp2_ = EncodeWords('*', words);
  if (resp3) message->resp3_ = EncodeWords('>', words);
  return message;
}

bool HearsFirst(CommandContext& context, const Session& session) {
  class Nothing final : public ApartWork {
   public:
    void Run() override {}
    bool brief() const override { return true; }
  };
  const bool hears = session.subscription_count() + session.shard_channels.size() > 0;
  if (!hears || context.apart<Nothing>() != nullptr || !context.may_work_apart()) return false;
  context.WorkApart(std::make_shared<Nothing>());
  return true;
}

std::unordered_set<std::string>& NamesOf(Session& session, ChannelKind kind) {
  if (kind == ChannelKind::kPattern) return session.patterns;
  return kind == ChannelKind::kShard ? session.shard_channels : session.channels;
}

bool PubSubMessage::WantedBy(Session& session) const { return NamesOf(session, kind_).contains(name_); }

SharedBytes PubSubMessage::For(int protocol) const {
  const SharedBytes& wanted = protocol == 3 ? resp3_ : resp2_;
  if (wanted.size() > 0) return wanted;
  SharedBytes made = SharedBytes::Copy(protocol == 3 ? resp2_.view() : resp3_.view());
  made.mutable_data()[0] = protocol == 3 ? '>' : '*';
  return made;
}

PubSubHub::PubSubHub(Post post)
    : post_(std::move(post)), stripes_(std::make_unique<Stripe[]>(kStripes)), pattern_table_(std::make_unique<Patterns>()) {}

PubSubHub::~PubSubHub() = default;

PubSubHub::Stripe& PubSubHub::StripeOf(std::string_view channel) const { return stripes_[TextHash()(channel) % kStripes]; }

// --- subscribing ---------------------------------------------------------------------------------------------------------------

namespace {

template <typename Map, typename Subscriber>
bool AddTo(Map& map, std::string_view name, Subscriber subscriber, std::atomic<uint64_t>& names) {
  auto found = map.find(name);
  if (found == map.end()) {
    found = map.emplace(std::string(name), typename Map::mapped_type()).first;
    names.fetch_add(1, std::memory_order_relaxed);
  }
  for (auto& other : found->second) {
    if (other.session_id != subscriber.session_id) continue;
    other.protocol = subscriber.protocol;
    return false;
  }
  found->second.push_back(subscriber);
  return true;
}

template <typename Map>
bool RemoveFrom(Map& map, std::string_view name, uint64_t session_id, std::atomic<uint64_t>& names) {
  const auto found = map.find(name);
  if (found == map.end()) return false;
  auto& subscribers = found->second;
  const auto gone =
      std::find_if(subscribers.begin(), subscribers.end(), [&](const auto& s) { return s.session_id == session_id; });
  if (gone == subscribers.end()) return false;
  subscribers.erase(gone);  // keeps the order in which the others subscribed
  if (subscribers.empty()) {
    map.erase(found);
    names.fetch_sub(1, std::memory_order_relaxed);
  }
  return true;
}

}  // namespace

bool PubSubHub::Subscribe(uint64_t session_id, int protocol, ChannelKind kind, std::string_view name) {
  const Subscriber subscriber{session_id, protocol};
  if (kind == ChannelKind::kPattern) {
    std::unique_lock lock(pattern_table_->mutex);
    return AddTo(pattern_table_->by_pattern, name, subscriber, patterns_);
  }
  Stripe& stripe = StripeOf(name);
  MutexLock lock(stripe.mutex);
  return kind == ChannelKind::kShard ? AddTo(stripe.shard_channels, name, subscriber, shard_channels_)
                                     : AddTo(stripe.channels, name, subscriber, channels_);
}

bool PubSubHub::Unsubscribe(uint64_t session_id, ChannelKind kind, std::string_view name) {
  if (kind == ChannelKind::kPattern) {
    std::unique_lock lock(pattern_table_->mutex);
    return RemoveFrom(pattern_table_->by_pattern, name, session_id, patterns_);
  }
  Stripe& stripe = StripeOf(name);
  MutexLock lock(stripe.mutex);
  return kind == ChannelKind::kShard ? RemoveFrom(stripe.shard_channels, name, session_id, shard_channels_)
                                     : RemoveFrom(stripe.channels, name, session_id, channels_);
}

void PubSubHub::Forget(Session& session) {
  for (const std::string& name : session.channels) Unsubscribe(session.id(), ChannelKind::kChannel, name);
  for (const std::string& name : session.patterns) Unsubscribe(session.id(), ChannelKind::kPattern, name);
  for (const std::string& name : session.shard_channels) Unsubscribe(session.id(), ChannelKind::kShard, name);
  session.channels.clear();
  session.patterns.clear();
  session.shard_channels.clear();
  if (session.is_monitor) monitors_.Remove(session.id());
  session.is_monitor = false;
}

// --- publishing ----------------------------------------------------------------------------------------------------------------

uint64_t PubSubHub::Send(std::string_view kind, std::string_view pattern, std::string_view channel, std::string_view text,
                         const Subscribers& subscribers, Lsn lsn) {
  std::string_view words[4] = {kind};
  size_t count = 1;
  if (kind == "pmessage") words[count++] = pattern;
  words[count++] = channel;
  words[count++] = text;
  bool resp2 = false, resp3 = false;
  for (const Subscriber& subscriber : subscribers) (subscriber.protocol == 3 ? resp3 : resp2) = true;
  const auto message = PubSubMessage::Encode(std::span(words, count), resp2, resp3);
  for (const Subscriber& subscriber : subscribers) post_(subscriber.session_id, message, lsn);
  return subscribers.size();
}

uint64_t PubSubHub::Publish(std::string_view channel, std::string_view text, bool shard_channel, Lsn lsn) {
  Stripe& stripe = StripeOf(channel);
  MutexLock lock(stripe.mutex);  // held to the end: one order per channel for pattern subscribers too
  uint64_t receivers = 0;
  const auto& channels = shard_channel ? stripe.shard_channels : stripe.channels;
  if (const auto found = channels.find(channel); found != channels.end()) {
    receivers += Send(shard_channel ? "smessage" : "message", {}, channel, text, found->second, lsn);
  }
  if (shard_channel || pattern_count() == 0) return receivers;
  std::shared_lock patterns_lock(pattern_table_->mutex);
  for (const auto& [pattern, subscribers] : pattern_table_->by_pattern) {
    if (GlobMatch(pattern, channel)) receivers += Send("pmessage", pattern, channel, text, subscribers, lsn);
  }
  return receivers;
}

uint64_t PubSubHub::PublishLater(std::string_view channel, std::string_view text, bool shard_channel) {
  uint64_t receivers = 0;
  {
    Stripe& stripe = StripeOf(channel);
    MutexLock lock(stripe.mutex);
    const auto& channels = shard_channel ? stripe.shard_channels : stripe.channels;
    if (const auto found = channels.find(channel); found != channels.end()) receivers += found->second.size();
    if (!shard_channel && pattern_count() > 0) {
      std::shared_lock patterns_lock(pattern_table_->mutex);
      for (const auto& [pattern, subscribers] : pattern_table_->by_pattern) {
        if (GlobMatch(pattern, channel)) receivers += subscribers.size();
      }
    }
  }
  if (receivers > 0) outbox_.push_back({std::string(channel), std::string(text), shard_channel});
  return receivers;
}

void PubSubHub::DeliverOutboxNow(Lsn visible_lsn) {
  std::vector<Outgoing> outgoing;
  outgoing.swap(outbox_);
  for (const Outgoing& message : outgoing) Publish(message.channel, message.text, message.shard_channel, visible_lsn);
  outgoing.clear();
  outbox_.swap(outgoing);  // keeps the room
}

// --- keyspace events -----------------------------------------------------------------------------------------------------------

namespace {

// "__keyspace@0__:"
std::string ChannelOf(std::string_view kind, const KeyspaceEvent& event) {
  std::string channel(kind);
  AppendUint(channel, event.database);
  channel += "__:";
  return channel;
}

// "3:foo"
void AppendWithLength(std::string& text, std::string_view name) {
  AppendUint(text, name.size());
  text += ':';
  text += name;
}

}  // namespace

uint32_t PubSubHub::wanted_classes() const {
  const uint32_t flags = notify_flags_.load(std::memory_order_relaxed);
  if ((flags & (kNotifyChannels | kNotifySubkeyChannels)) == 0 || channel_count() + pattern_count() == 0) return 0;
  uint32_t classes = flags & ~(kNotifyChannels | kNotifySubkeyChannels);
  if ((flags & kNotifyChannels) == 0) classes &= kEventHash;
  return (flags & kNotifySubkeyChannels) != 0 ? classes | kEventFields : classes;
}

void PubSubHub::PublishEvent(const KeyspaceEvent& event, uint32_t flags, Lsn lsn) {
  if (flags & kNotifyKeyspace) Publish(ChannelOf("__keyspace@", event) + event.key, event.name, false, lsn);
  if (flags & kNotifyKeyevent) Publish(ChannelOf("__keyevent@", event).append(event.name), event.key, false, lsn);
  if (!event.fields.empty()) PublishFields(event, flags, lsn);
}

// A field's bytes may be any: in payloads their number stands before them. A key in whose name a line ends would make an item's channel
// ambiguous.
void PubSubHub::PublishFields(const KeyspaceEvent& event, uint32_t flags, Lsn lsn) {
  std::string fields;
  for (const std::string& field : event.fields) {
    if (!fields.empty()) fields += ',';
    AppendWithLength(fields, field);
  }
  if (flags & kNotifySubkeyspace) {
    Publish(ChannelOf("__subkeyspace@", event) + event.key, std::string(event.name) + '|' + fields, false, lsn);
  }
  if (flags & kNotifySubkeyevent) {
    std::string payload;
    AppendWithLength(payload, event.key);
    Publish(ChannelOf("__subkeyevent@", event).append(event.name), payload + '|' + fields, false, lsn);
  }
  if ((flags & kNotifySubkeyspaceItem) && event.key.find('\n') == std::string::npos) {
    const std::string channel = ChannelOf("__subkeyspaceitem@", event) + event.key + '\n';
    for (const std::string& field : event.fields) Publish(channel + field, event.name, false, lsn);
  }
  if (flags & kNotifySubkeyspaceEvent) {
    Publish(ChannelOf("__subkeyspaceevent@", event).append(event.name) + '|' + event.key, fields, false, lsn);
  }
}

void PubSubHub::OnEvents(std::span<const KeyspaceEvent> events, Lsn lsn) {
  const uint32_t flags = notify_flags_.load(std::memory_order_relaxed);
  if ((flags & (kNotifyChannels | kNotifySubkeyChannels)) == 0) return;
  for (const KeyspaceEvent& event : events) {
    if (flags & event.event_class) PublishEvent(event, flags, lsn);
  }
}

// --- PUBSUB --------------------------------------------------------------------------------------------------------------------

std::vector<std::string> PubSubHub::ActiveChannels(ChannelKind kind, std::string_view pattern) const {
  std::vector<std::string> names;
  for (size_t i = 0; i < kStripes; i++) {
    MutexLock lock(stripes_[i].mutex);
    for (const auto& [name, subscribers] : kind == ChannelKind::kShard ? stripes_[i].shard_channels : stripes_[i].channels) {
      if (GlobMatch(pattern, name)) names.push_back(name);
    }
  }
  return names;
}

uint64_t PubSubHub::SubscriberCount(ChannelKind kind, std::string_view channel) const {
  const Stripe& stripe = StripeOf(channel);
  MutexLock lock(stripe.mutex);
  const auto& channels = kind == ChannelKind::kShard ? stripe.shard_channels : stripe.channels;
  const auto found = channels.find(channel);
  return found == channels.end() ? 0 : found->second.size();
}

}  // namespace cairn
