// Replies as RESP2 or RESP3 bytes. One sink a network thread: it is bound to the session whose command runs, gathers small replies in a
// buffer of its own and spills into the session's output queue when that is full or something is linked.
//
// The protocol is read through a pointer, because HELLO changes it in the middle of its own reply. Own thread only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "base/numbers.h"
#include "engine/commands/reply_sink.h"
#include "server/resp/output_queue.h"

namespace cairn {

class RespSink final : public ReplySink {
 public:
  // Hears every error reply ("ERR ..."), for the counters; null: nobody.
  using ErrorListener = std::function<void(std::string_view message)>;
  explicit RespSink(ErrorListener on_error = nullptr);
  ~RespSink() override;

  // Replies go to `queue` from now on; the buffer must be empty. Both must outlive the binding; null queue: unbound.
  void Bind(OutputQueue* queue, const int* protocol) {
    queue_ = queue;
    protocol_ = protocol;
  }
  const OutputQueue* bound() const { return queue_; }
  // Called whenever bytes were moved into the queue because the buffer was full, or beside it; null: nobody.
  void OnSpill(std::function<void()> listener) { on_spill_ = std::move(listener); }

  // What is gathered for the bound queue and not yet in it.
  std::string_view gathered() const { return {start_, static_cast<size_t>(position_ - start_)}; }
  void DropGathered() { position_ = start_; }
  void Spill();  // moves it into the queue
  // Leaves what is gathered where it is, to be sent by the caller before Reset(); what follows is gathered behind it.
  std::string_view Detach() {
    const std::string_view detached = gathered();
    start_ = position_;
    return detached;
  }
  void Reset() { start_ = position_ = buffer_.get(); }
  size_t room() const { return static_cast<size_t>(end_ - position_); }
  // The stream offset behind everything written so far, and back to it (CLIENT REPLY OFF).
  uint64_t Mark() const { return queue_->end_offset() + gathered().size(); }
  void Rewind(uint64_t mark);

  void Simple(std::string_view text) override;
  void Error(std::string_view message) override;
  void Integer(int64_t value) override { WriteNumberLine(':', value); }
  void Bulk(std::string_view bytes) override {
    char* to = Room(bytes.size() + kHeaderBytes + 2);
    if (to == nullptr) [[unlikely]]
      return LargeBulk('$', "", bytes);
    *to++ = '$';
    to = WriteUint(to, bytes.size());
    *to++ = '\r';
    *to++ = '\n';
    to = std::copy(bytes.begin(), bytes.end(), to);  // not memcpy: an empty view may point nowhere
    *to++ = '\r';
    *to++ = '\n';
    position_ = to;
  }
  void BulkRope(const Rope& rope) override;
  void Null() override;
  void NullArray() override;
  void Array(size_t elements) override { WriteNumberLine('*', static_cast<int64_t>(elements)); }
  void Map(size_t pairs) override;
  void Set(size_t elements) override { WriteNumberLine(protocol() == 3 ? '~' : '*', static_cast<int64_t>(elements)); }
  void Push(size_t elements) override { WriteNumberLine(protocol() == 3 ? '>' : '*', static_cast<int64_t>(elements)); }
  void Double(double value) override;
  void BigNumber(std::string_view digits) override;
  void Boolean(bool value) override;
  void Verbatim(std::string_view format, std::string_view text) override;
  int protocol() const override { return *protocol_; }
  uint64_t error_count() const override { return errors_; }
  bool abandoned() const override { return abandoned_; }
  void Abandon() { abandoned_ = true; }  // see ReplySink::abandoned()

 private:
  static constexpr size_t kBufferBytes = 64 * 1024;
  static constexpr size_t kHeaderBytes = 24;  // type, a number and a line end

  // Where `bytes` (or fewer) may be written before position_ is moved on; nullptr where the buffer is too small for them at all.
  char* Room(size_t bytes) {
    if (static_cast<size_t>(end_ - position_) >= bytes) [[likely]]
      return position_;
    return SlowRoom(bytes);
  }
  char* SlowRoom(size_t bytes);
  void WriteNumberLine(char type, int64_t value) {
    char* to = Room(kHeaderBytes);
    *to++ = type;
    to = WriteInt(to, value);
    *to++ = '\r';
    *to++ = '\n';
    position_ = to;
  }
  void Raw(std::string_view bytes);
  void Line(char type, std::string_view text);  // without CR and LF inside
  void LargeBulk(char type, std::string_view prefix, std::string_view bytes);

  const ErrorListener on_error_;
  std::function<void()> on_spill_;
  const std::unique_ptr<char[]> buffer_;
  char* start_;     // where the bound queue's share begins
  char* position_;  // where the next byte goes
  char* const end_;
  OutputQueue* queue_ = nullptr;
  const int* protocol_ = nullptr;
  uint64_t errors_ = 0;
  bool abandoned_ = false;
};

}  // namespace cairn
