#include "server/net/long_reply.h"

#include <chrono>
#include <thread>

#include "server/net/reply_workers.h"
#include "server/resp/resp_sink.h"

namespace cairn {
namespace {

constexpr uint64_t kPieceBytes = 256 * 1024;
constexpr uint64_t kUnsentBytesMax = 8 << 20;
constexpr std::chrono::milliseconds kRest{2};

}  // namespace

bool LongReply::MustRest() const {
  if (abandoned_.load(std::memory_order_relaxed) || workers_.stopping() || workers_.others_wait()) return false;
  return delivered_bytes_ > sent_bytes_.load(std::memory_order_relaxed) + kUnsentBytesMax;
}

void LongReply::Cut(OutputQueue& queue, RespSink& sink) {
  if (abandoned_.load(std::memory_order_relaxed) || workers_.stopping()) {
    sink.Abandon();
    return queue.Clear();
  }
  if (queue.size_bytes() < kPieceBytes) return;
  delivered_bytes_ += queue.size_bytes();
  deliver_(std::make_shared<OutputQueue>(queue.TakeAll()), false);
  while (MustRest()) std::this_thread::sleep_for(kRest);
}

void LongReply::Write(const std::function<void(ReplySink&)>& produce) {
  OutputQueue queue;
  RespSink sink;
  sink.Bind(&queue, &protocol_);
  sink.OnSpill([&] { Cut(queue, sink); });
  produce(sink);
  sink.OnSpill(nullptr);
  sink.Spill();
  deliver_(std::make_shared<OutputQueue>(queue.TakeAll()), true);
}

}  // namespace cairn
