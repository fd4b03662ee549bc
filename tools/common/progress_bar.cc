#include "tools/common/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/clock.h"
#include "tools/common/tool_main.h"

namespace cairn {
namespace {

constexpr int64_t kDrawEveryUs = 200'000;
constexpr size_t kBarColumns = 24;
constexpr double kMegabyte = 1e6;

bool OnTerminal() { return isatty(STDERR_FILENO) == 1 && !JsonWanted() && !QuietWanted(); }

}  // namespace

ProgressBar::ProgressBar(std::string what, uint64_t total_bytes)
    : what_(std::move(what)), total_bytes_(total_bytes), shown_(OnTerminal()), began_us_(RealClock().MonotonicUs()) {}

ProgressBar::~ProgressBar() {
  if (drawn_us_ != 0) std::fputs("\r\x1b[K", stderr);
}

void ProgressBar::Update(uint64_t done_bytes) {
  if (!shown_) return;
  const int64_t now_us = RealClock().MonotonicUs();
  // Short work shows no bar.
  if (now_us - std::max(drawn_us_, began_us_) < kDrawEveryUs) return;
  drawn_us_ = now_us;
  Draw(done_bytes);
}

void ProgressBar::Draw(uint64_t done_bytes) {
  if (total_bytes_ == 0) {
    std::fprintf(stderr, "\r\x1b[K%s  %.0f MB", what_.c_str(), static_cast<double>(done_bytes) / kMegabyte);
    return;
  }
  const double part = std::min(1.0, static_cast<double>(done_bytes) / static_cast<double>(total_bytes_));
  std::string bar(static_cast<size_t>(part * kBarColumns), '=');
  if (bar.size() < kBarColumns) bar += '>';
  bar.resize(kBarColumns, ' ');
  const double taken_s = static_cast<double>(drawn_us_ - began_us_) / 1e6;
  std::fprintf(stderr, "\r\x1b[K%s  [%s] %3.0f %%  %.0f MB", what_.c_str(), bar.c_str(), part * 100,
               static_cast<double>(done_bytes) / kMegabyte);
  if (part > 0) std::fprintf(stderr, "  %.0f s left", taken_s / part - taken_s);
}

}  // namespace cairn
