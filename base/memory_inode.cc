#include "base/memory_inode.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/random.h"

namespace cairn {
namespace {

constexpr size_t kSectorsPerPage = MemoryInode::kPageBytes / MemoryInode::kSectorBytes;
constexpr std::array<char, MemoryInode::kPageBytes> kZeros{};

size_t PagesFor(uint64_t size_bytes) {
  return static_cast<size_t>((size_bytes + MemoryInode::kPageBytes - 1) / MemoryInode::kPageBytes);
}

}  // namespace

// --- Picture ---

MemoryInode::PageBytes& MemoryInode::Picture::Own(size_t page) {
  Page& held = pages[page];
  if (held == nullptr) {
    held = std::make_shared<PageBytes>(kZeros);
  } else if (held.use_count() > 1) {
    held = std::make_shared<PageBytes>(*held);
  } else {
    // Whoever held it last, perhaps another image's thread, is done with it.
    std::atomic_thread_fence(std::memory_order_acquire);
  }
  return *held;
}

// Bytes behind the end are zero, so that a file that grows again shows none of its past.
void MemoryInode::Picture::Resize(uint64_t bytes) {
  if (bytes < size_bytes && bytes % kPageBytes != 0) {
    const size_t last = static_cast<size_t>(bytes / kPageBytes);
    if (pages[last] != nullptr) {
      PageBytes& page = Own(last);
      std::memset(page.data() + bytes % kPageBytes, 0, kPageBytes - bytes % kPageBytes);
    }
  }
  pages.resize(PagesFor(bytes));
  size_bytes = bytes;
}

std::string_view MemoryInode::Picture::View(size_t page) const {
  return {pages[page] == nullptr ? kZeros.data() : pages[page]->data(), kPageBytes};
}

void MemoryInode::Picture::TakePrefix(const Picture& from, size_t page, size_t prefix_bytes) {
  const uint64_t begin = static_cast<uint64_t>(page) * kPageBytes;
  const uint64_t end = std::min({begin + prefix_bytes, from.size_bytes, size_bytes});
  if (end <= begin) return;
  const bool whole = end - begin == kPageBytes || (end == size_bytes && end == from.size_bytes);
  if (whole) {
    pages[page] = from.pages[page];
  } else {
    std::memcpy(Own(page).data(), from.View(page).data(), end - begin);
  }
}

// --- MemoryInode ---

size_t MemoryInode::Read(uint64_t offset, size_t size_bytes, char* to) const {
  if (offset >= current_.size_bytes) return 0;
  const size_t size = static_cast<size_t>(std::min<uint64_t>(size_bytes, current_.size_bytes - offset));
  for (size_t done = 0; done < size;) {
    const size_t in_page = static_cast<size_t>((offset + done) % kPageBytes);
    const size_t step = std::min(size - done, kPageBytes - in_page);
    std::memcpy(to + done, current_.View(static_cast<size_t>((offset + done) / kPageBytes)).data() + in_page, step);
    done += step;
  }
  return size;
}

void MemoryInode::Write(uint64_t offset, size_t size_bytes, const char* data) {
  if (size_bytes == 0) return;
  if (offset > current_.size_bytes) MarkDirty(current_.size_bytes, offset - current_.size_bytes);
  if (offset + size_bytes > current_.size_bytes) current_.Resize(offset + size_bytes);
  for (size_t done = 0; done < size_bytes;) {
    const size_t page = static_cast<size_t>((offset + done) / kPageBytes);
    const size_t in_page = static_cast<size_t>((offset + done) % kPageBytes);
    const size_t step = std::min(size_bytes - done, kPageBytes - in_page);
    if (data == nullptr && step == kPageBytes) {
      current_.pages[page] = nullptr;
    } else if (data != nullptr) {
      std::memcpy(current_.Own(page).data() + in_page, data + done, step);
    } else if (current_.pages[page] != nullptr) {
      std::memset(current_.Own(page).data() + in_page, 0, step);
    }
    done += step;
  }
  MarkDirty(offset, size_bytes);
}

void MemoryInode::Resize(uint64_t size_bytes) {
  const uint64_t old = current_.size_bytes;
  current_.Resize(size_bytes);
  // Bytes cut off and written again must not come back from before, so these pages count as written either way.
  if (size_bytes > old) MarkDirty(old, size_bytes - old);
  if (size_bytes < old) MarkDirty(size_bytes, old - size_bytes);
}

void MemoryInode::MarkDirty(uint64_t offset, uint64_t size_bytes) {
  if (size_bytes == 0) return;
  const uint64_t last = (offset + size_bytes - 1) / kPageBytes;
  for (uint64_t page = offset / kPageBytes; page <= last; page++) dirty_pages_.insert(page);
}

void MemoryInode::Sync() {
  synced_.Resize(current_.size_bytes);
  before_.resize(synced_.pages.size());
  for (const uint64_t page : dirty_pages_) {
    if (page >= synced_.pages.size()) break;
    before_[page] = synced_.pages[page];
    synced_.TakePrefix(current_, page, kPageBytes);
  }
  dirty_pages_.clear();
}

void MemoryInode::FailSync(Random& random) {
  if (random.OneIn(2)) synced_.Resize(current_.size_bytes);
  const bool shows_disk = random.OneIn(3);
  for (const uint64_t page : dirty_pages_) {
    if (page >= current_.pages.size()) break;
    if (random.OneIn(3)) {
      if (page < synced_.pages.size()) synced_.TakePrefix(current_, page, kPageBytes);
    } else if (shows_disk) {
      current_.pages[page] = page < synced_.pages.size() ? synced_.pages[page] : nullptr;
    }
  }
  dirty_pages_.clear();
}

void MemoryInode::Crash(Random* random) {
  if (random != nullptr) {
    if (random->OneIn(2)) synced_.Resize(current_.size_bytes);
    for (const uint64_t page : dirty_pages_) {
      const uint64_t fate = random->Uniform(3);
      const size_t sectors = fate == 0 ? 0 : fate == 1 ? kSectorsPerPage : random->Uniform(kSectorsPerPage + 1);
      if (page < synced_.pages.size() && page < current_.pages.size()) synced_.TakePrefix(current_, page, sectors * kSectorBytes);
    }
  }
  current_ = synced_;
  dirty_pages_.clear();
}

void MemoryInode::FlipBit(uint64_t offset, int bit) {
  const size_t page = static_cast<size_t>(offset / kPageBytes);
  for (Picture* picture : {&current_, &synced_}) {
    if (offset >= picture->size_bytes) continue;
    char& byte = picture->Own(page)[offset % kPageBytes];
    byte = static_cast<char>(byte ^ (1 << bit));
  }
}

bool MemoryInode::CopyPageFrom(const MemoryInode& source, uint64_t from, uint64_t to) {
  if (from >= source.current_.pages.size() || to >= current_.pages.size()) return false;
  const Page page = source.current_.pages[from];
  for (Picture* picture : {&current_, &synced_}) {
    if (to >= picture->pages.size()) continue;
    picture->pages[to] = page;
    const uint64_t size = picture->size_bytes;
    if (size / kPageBytes == to) {  // the rest of the last page stays zero
      picture->size_bytes = (to + 1) * kPageBytes;
      picture->Resize(size);
    }
  }
  return true;
}

bool MemoryInode::MakeStale(uint64_t page) {
  if (page >= before_.size() || page >= synced_.pages.size() || page >= current_.pages.size()) return false;
  if (before_[page] == synced_.pages[page]) return false;
  current_.pages[page] = synced_.pages[page] = before_[page];
  return true;
}

}  // namespace cairn
