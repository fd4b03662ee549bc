#include "server/net/network_thread.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/logger.h"
#include "base/scheduling.h"
#include "server/commands/client_state.h"
#include "server/config/config.h"
#include "server/net/session_io.h"
#include "server/pubsub/hub.h"
#include "server/security/password.h"
#include "server/server.h"
#include "server/stats.h"

namespace cairn {
namespace {

constexpr int64_t kLookAgainMs = 5;

}  // namespace

NetworkThread::NetworkThread(NetworkShared& shared, size_t index)
    : shared_(shared),
      index_(index),
      stats_(shared.stats.thread(index)),
      read_buffer_(new char[kReadBufferBytes]),
      sink_([this](std::string_view message) { stats_.CountError(message); }) {}

NetworkThread::~NetworkThread() {
  Stop();
  for (auto& [id, session] : sessions_) {
    if (!session->closed()) session->io_->Close("server stops");
  }
  FreeBuried();
}

Status NetworkThread::Init() {
  CAIRN_RETURN_IF_ERROR(loop_.Init(this));
  loop_.Every(1000, [this] { CheckSessions(); });
  return Status::Ok();
}

void NetworkThread::Start() {
  thread_ = std::thread([this] {
    NameThisThread(("net-" + std::to_string(index_)).c_str());
    PreferShortSlices();
    PreferExactTimers();
    loop_.Run();
  });
}

void NetworkThread::Stop() {
  if (!thread_.joinable()) return;
  loop_.Stop();
  thread_.join();
}

void NetworkThread::Adopt(NewConnection connection) {
  loop_.Post([this, connection = std::move(connection)] {
    auto session = std::make_unique<Session>(shared_.server, *this, connection.id);
    session->io_ = std::make_unique<Session::Io>(*session, connection.fd);
    session->info.address = connection.address;
    session->info.local_address = connection.local_address;
    session->info.unix_socket = connection.unix_socket;
    session->info.fd = connection.fd;
    session->info.created_ms = session->info.last_active_ms = loop_.now_ms();
    session->authenticated = !PasswordRequired(shared_.config);
    Session& added = *session;
    sessions_.emplace(connection.id, std::move(session));
    const Status status = loop_.AddSocket(connection.fd, added.io_.get());
    if (!status.ok()) added.io_->Close(status.message());
  });
}

void NetworkThread::PostToSession(uint64_t session_id, std::function<void(Session&)> work) {
  loop_.Post([this, session_id, work = std::move(work)] {
    auto found = sessions_.find(session_id);
    if (found != sessions_.end() && !found->second->closed()) work(*found->second);
  });
}

void NetworkThread::PostToAll(std::function<void(Session&)> work, std::function<void()> done) {
  loop_.Post([this, work = std::move(work), done = std::move(done)] {
    std::vector<Session*> all;
    all.reserve(sessions_.size());
    for (auto& [id, session] : sessions_) all.push_back(session.get());
    for (Session* session : all) {
      if (!session->closed()) work(*session);
    }
    done();
  });
}

void NetworkThread::SetPause(int64_t until_ms, std::function<void()> over) {
  loop_.Post([this, until_ms, over = std::move(over)] {
    ResumePausedHere();
    loop_.CancelTimer(pause_timer_);
    pause_timer_ = {};
    if (until_ms == 0) return;
    // A little later than asked for, so that the sessions find the pause over.
    pause_timer_ = loop_.StartTimer(std::min(until_ms, INT64_MAX - 1) + 1, [this, over] {
      pause_timer_ = {};
      ResumePausedHere();
      over();
    });
  });
}

void NetworkThread::ResumePausedHere() {
  for (Session* session : Take(List::kPaused)) {
    session->io_->listed_paused_ = false;
    session->io_->OnPauseChanged();
  }
}

void NetworkThread::ResumeAll() {
  for (auto& [id, session] : sessions_) session->io_->Resume();
}

void NetworkThread::FlushAll() {
  HandleProgress();
  for (auto& [id, session] : sessions_) session->io_->Flush();
}

void NetworkThread::Bury(Session& session) { buried_.push_back(&session); }

std::vector<Session*> NetworkThread::Take(List list) {
  std::vector<Session*> taken;
  taken.swap(lists_[static_cast<size_t>(list)]);
  return taken;
}

void NetworkThread::RunReady() {
  ready_.swap(lists_[static_cast<size_t>(List::kReady)]);
  Store* const store = shared_.store.load(std::memory_order_acquire);
  if (store != nullptr) store->BeginBatch();
  for (size_t next = 0; next < ready_.size();) {
    slices_.clear();
    size_t used = 0;
    for (; next < ready_.size() && kReadBufferBytes - used >= kSliceBytes; next++) {
      Session::Io& io = *ready_[next]->io_;
      io.listed_ready_ = false;
      moderation_.Count(io.input_window_);
      if (!io.ReadsInGroup()) {
        alone_.push_back(ready_[next]);
        continue;
      }
      const size_t bytes = io.ReadSlice(read_buffer_.get() + used, kSliceBytes);
      if (bytes > 0) slices_.push_back({ready_[next], {read_buffer_.get() + used, bytes}});
      used += bytes;
    }
    if (!slices_.empty()) RunSlices();
    for (Session* session : alone_) session->io_->ReadAndRun();
    alone_.clear();
  }
  ready_.clear();
  if (store != nullptr) store->EndBatch();
}

void NetworkThread::RunSlices() {
  if (slices_.size() > 1) PrefetchSlices();
  deferring_ = true;
  command_clock_.Read();
  for (const Slice& slice : slices_) slice.session->io_->RunSlice(slice.bytes);
  deferring_ = false;
  SendDeferred();
}

void NetworkThread::PrefetchSlices() {
  constexpr size_t kFewRequestsBytes = 1024;  // longer pipelines prefetch for themselves
  Store* const store = shared_.store.load(std::memory_order_acquire);
  if (store == nullptr) return;
  const uint32_t database = slices_.front().session->database;
  batch_.Clear();
  for (const Slice& slice : slices_) {
    if (slice.bytes.size() > kFewRequestsBytes || slice.session->database != database || slice.session->transaction.open)
      continue;
    const size_t first_arg = batch_.args.size();
    if (!parser_.Peek(slice.bytes, &batch_.args)) continue;
    RequestBatch::Item& item = batch_.items.emplace_back();
    item.first_arg = static_cast<uint32_t>(first_arg);
    item.arg_count = static_cast<uint32_t>(batch_.args.size() - first_arg);
  }
  batch_.Resolve(*shared_.view.table, true);
  batch_.Prefetch(*store, database);
}

void NetworkThread::SendDeferred() {
  for (const Slice& deferred : deferred_) deferred.session->io_->SendDeferred(deferred.bytes);
  deferred_.clear();
  sink_.Reset();
}

bool NetworkThread::EndRound() {
  if (!lists_[static_cast<size_t>(List::kReady)].empty()) RunReady();
  HandleProgress();
  if (!lists_[static_cast<size_t>(List::kReadable)].empty()) {
    for (Session* session : Take(List::kReadable)) {
      session->io_->listed_readable_ = false;
      session->io_->Resume();
    }
  }
  if (!lists_[static_cast<size_t>(List::kFlush)].empty()) {
    for (Session* session : Take(List::kFlush)) {
      session->io_->listed_flush_ = false;
      session->io_->Flush();
    }
  }
  if (shared_.ClientsOverLimit()) [[unlikely]]
    EvictClients();
  if (!buried_.empty()) FreeBuried();
  return !lists_[static_cast<size_t>(List::kReadable)].empty() || !lists_[static_cast<size_t>(List::kFlush)].empty();
}

int64_t NetworkThread::GatherUs(int64_t now_us) {
  return moderation_.EndRound(now_us, shared_.input_coalescing_us.load(std::memory_order_relaxed));
}

bool NetworkThread::MustNotSleep() {
  const bool waits = !lists_[static_cast<size_t>(List::kGated)].empty() || !lists_[static_cast<size_t>(List::kParked)].empty();
  waits_for_store_.store(waits, std::memory_order_seq_cst);
  return waits && shared_.progress.load(std::memory_order_seq_cst) != progress_seen_;
}

void NetworkThread::HandleProgress() {
  const uint64_t progress = shared_.progress.load(std::memory_order_acquire);
  if (progress == progress_seen_) return;
  progress_seen_ = progress;
  LookAtWaiting();
}

void NetworkThread::LookAtWaiting() {
  Store* const store = shared_.store.load(std::memory_order_acquire);
  if (store == nullptr ||
      (lists_[static_cast<size_t>(List::kGated)].empty() && lists_[static_cast<size_t>(List::kParked)].empty()))
    return;
  const Lsn durable = store->durable_lsn();
  bool unknown = false;
  const OutputQueue::ReadsWereDurable were_durable = [store, &unknown](std::span<const uint64_t> read_hashes, Lsn lsn) {
    const Store::ReadState state = store->StateOfReads(read_hashes, lsn);
    unknown = unknown || state == Store::ReadState::kUnknown;
    return state == Store::ReadState::kDurable;
  };
  for (Session* session : Take(List::kGated)) {
    Session::Io& io = *session->io_;
    io.listed_gated_ = false;
    io.OnProgress(durable, were_durable);
    if (io.closed() || !io.output_.gated() || io.listed_gated_) continue;
    io.listed_gated_ = true;
    Put(List::kGated, *session);
  }
  for (Session* session : Take(List::kParked)) {
    session->io_->listed_parked_ = false;
    session->io_->OnProgress(durable, were_durable);
  }
  if (!unknown || looks_again_) return;
  looks_again_ = true;
  loop_.At(loop_.now_ms() + kLookAgainMs, [this] {
    looks_again_ = false;
    LookAtWaiting();
  });
}

void NetworkThread::CheckSessions() {
  const int64_t now_ms = loop_.now_ms();
  std::vector<Session*> all;
  all.reserve(sessions_.size());
  for (auto& [id, session] : sessions_) all.push_back(session.get());
  for (Session* session : all) session->io_->CheckTimes(now_ms);
}

void NetworkThread::EvictClients() {
  EvictOwnClients();
  if (!shared_.ClientsOverLimit()) return;
  for (const std::unique_ptr<NetworkThread>& other : shared_.server.threads()) {
    if (other.get() == this || other->asked_to_evict_.exchange(true, std::memory_order_relaxed)) continue;
    other->loop_.Post([thread = other.get()] {
      thread->asked_to_evict_.store(false, std::memory_order_relaxed);
      thread->EvictOwnClients();
    });
  }
}

void NetworkThread::EvictOwnClients() {
  MutexLock lock(shared_.client_memory.eviction_mutex());
  if (!shared_.ClientsOverLimit()) return;
  const size_t smallest_class = shared_.client_memory.SmallestClassToEvict(shared_.ClientLimitBytes());
  std::vector<Session*> largest;
  for (const auto& [id, session] : sessions_) {
    const ClientMemory::Share& share = session->io_->memory_share();
    if (!session->closed() && share.evictable && ClientMemory::ClassOf(share.bytes) >= smallest_class)
      largest.push_back(session.get());
  }
  std::sort(largest.begin(), largest.end(),
            [](Session* a, Session* b) { return a->io_->memory_share().bytes > b->io_->memory_share().bytes; });
  for (Session* session : largest) {
    if (!shared_.ClientsOverLimit()) return;
    LogF(LogLevel::kNotice, "Evicting client: %s", ClientInfoLine(*session, nullptr).c_str());
    stats_.Add(Counter::kEvictedClients);
    session->io_->Close("client eviction");
  }
}

void NetworkThread::FreeBuried() {
  std::vector<Session*> dead;
  dead.swap(buried_);
  for (std::vector<Session*>& list : lists_) {
    std::erase_if(list, [](Session* session) { return session->closed(); });
  }
  for (Session* session : dead) {
    Forget(*session);
    sessions_.erase(session->id());
  }
  shared_.sessions.fetch_sub(dead.size(), std::memory_order_relaxed);
}

void NetworkThread::Forget(Session& session) {
  if (session.io_->listed_paused_) shared_.blocked_sessions.fetch_sub(1, std::memory_order_relaxed);
  shared_.hub.Forget(session);
  Store* const store = shared_.store.load(std::memory_order_acquire);
  if (store != nullptr && session.watch != nullptr) store->Unwatch(session);
}

}  // namespace cairn
