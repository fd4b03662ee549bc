// Clients of a store under torture: each a thread with one connection's worth of state, writing down what it sends and what it is told.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/client.h"
#include "engine/store.h"
#include "tests/torture/disk.h"
#include "tests/torture/history.h"

namespace cairn::torture {

class TortureClient {
 public:
  struct World {
    Store& store;
    Disk& disk;
    Clock& clock;
    HistoryClock& stamps;
    std::atomic<uint64_t>& next_number;  // every number is given out once
    uint64_t generation;
    bool errors_expected;
  };
  TortureClient(const World& world, uint32_t index, uint64_t seed) : world_(world), index_(index), random_(seed) {}

  // One operation, or now and then several whose replies are awaited together.
  void Step();
  // One operation, awaited.
  void One();
  // Makes the stream and its group, where they are missing; the first client's, before any other.
  void CreateGroup();
  const ClientHistory& history() const { return history_; }
  // Replies that no store may give, whatever the disk does.
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  using Args = std::vector<std::string>;
  void Batch();
  // Records the operation as doubtful before it is sent, and returns its place in the history.
  size_t Begin(OpKind kind, uint32_t object, uint64_t value);
  // Whether the command has a reply other than an error.
  bool Run(const Args& args, ReplyValue* reply);
  void Replied(size_t at);
  void Acknowledge(size_t at);
  void Drop() { history_.pop_back(); }  // the newest operation: it did nothing

  void WriteRegister();
  bool Replace(uint32_t object, uint64_t number);
  void ReadRegister();
  void WriteGroup();
  void ReadGroup();
  void Count();
  void Push();
  void Pop();
  void Move();
  void Add();
  void Deliver();
  void AckDelivered();
  void WriteLedger();
  uint64_t Number(const std::string& where, const ReplyValue& reply);

  const World world_;
  const uint32_t index_;
  Random random_;
  Client client_;
  ClientHistory history_;
  bool in_batch_ = false;
  std::vector<size_t> awaited_;  // operations of the batch that have a reply
  std::vector<std::pair<std::string, uint64_t>> to_ack_;
  uint64_t ledger_ = 0;
  bool ledger_open_ = true;  // until a write to it may or may not have happened
  std::vector<std::string> violations_;
};

}  // namespace cairn::torture
