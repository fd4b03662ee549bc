#include "server/session.h"

#include "server/net/session_io.h"
#include "server/server.h"

namespace cairn {

Session::Session(Server& server, NetworkThread& thread, uint64_t id) : server_(server), thread_(thread), id_(id) {}
Session::~Session() = default;

ReplySink& Session::reply() { return thread_.sink(); }
void Session::PushEncoded(SharedBytes encoded, Lsn lsn) { io_->PushEncoded(encoded, lsn); }
uint64_t Session::output_bytes() const { return io_->output_bytes(); }
SessionBuffers Session::Buffers() const { return io_->Buffers(); }

void Session::Block() {
  if (blocked_) return;
  blocked_ = true;
  server_.shared().blocked_sessions.fetch_add(1, std::memory_order_relaxed);
}

void Session::OnQueuedCommandRan(const CommandRow& row, ArgSpan args, uint64_t errors) {
  io_->AfterQueuedCommand(row, args, errors);
}

void Session::Unblock(const std::function<void(ReplySink&)>& write) { io_->Unblock(write); }
void Session::CloseNow(std::string_view reason) { io_->Close(reason); }
bool Session::closed() const { return io_->closed(); }

Session& SessionOf(CommandContext& context) {
  auto* session = dynamic_cast<Session*>(&context.client);
  CAIRN_CHECK(session != nullptr);
  return *session;
}

}  // namespace cairn
