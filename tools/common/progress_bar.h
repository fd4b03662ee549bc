// A bar on standard error that says how far a long piece of work is: only on a terminal, and neither with --json nor with --quiet.
//
//   cairn-dump: reading the log  [=============>          ]  57 %  812 MB  9 s left
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>

namespace cairn {

class ProgressBar {
 public:
  // `what` says what is done; `total` 0: not known, then only what is done is shown.
  explicit ProgressBar(std::string what, uint64_t total_bytes = 0);
  ~ProgressBar();  // removes the bar
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Cheap: draws a few times a second.
  void Update(uint64_t done_bytes);
  void SetTotal(uint64_t total_bytes) { total_bytes_ = total_bytes; }

 private:
  void Draw(uint64_t done_bytes);

  const std::string what_;
  uint64_t total_bytes_;
  const bool shown_;
  const int64_t began_us_;
  int64_t drawn_us_ = 0;
};

}  // namespace cairn
