// One file of a MemoryFileSystem: its bytes as running code sees them, and as a power cut leaves them.
//
// Both pictures are lists of 4 KiB pages that are shared until one of them is written, as are the pages of a copy (Clone), so that an
// image of a whole disk costs a list of pointers. A page of zeros is a null pointer.
// Threads: none of its own; the file system's lock guards it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

class Random;

class MemoryInode {
 public:
  static constexpr size_t kPageBytes = 4096;
  static constexpr size_t kSectorBytes = 512;

  bool directory = false;
  std::map<std::string, std::shared_ptr<MemoryInode>> durable_names;  // of a directory: what it holds after a power cut

  uint64_t size_bytes() const { return current_.size_bytes; }
  // Up to `size_bytes` from `offset`; returns how many.
  size_t Read(uint64_t offset, size_t size_bytes, char* to) const;
  // Extends the file where needed. Zeros where `data` is null.
  void Write(uint64_t offset, size_t size_bytes, const char* data);
  void Resize(uint64_t size_bytes);
  // What running code sees is durable from here on, but for pages that FailSync gave up.
  void Sync();
  // As a failed fsync of Linux leaves a file: some dirty pages were written, none is dirty any more, so a later Sync() will not write
  // the others. What running code sees of those is, as `random` decides, what it wrote or what is on disk.
  void FailSync(Random& random);
  // Power lost: running code sees what is durable; `random` decides about what was not synced, null: none of it survives.
  void Crash(Random* random);
  // Flips a bit of both pictures.
  void FlipBit(uint64_t offset, int bit);
  // Both pictures' page `to` becomes a copy of page `from` of `source`: a block that was written to, or read from, the wrong place.
  // False where one of them has no such page.
  bool CopyPageFrom(const MemoryInode& source, uint64_t from, uint64_t to);
  // Both pictures' page goes back to what it held before it was last synced: a write that the disk lost. False where nothing older is
  // known.
  bool MakeStale(uint64_t page);

  std::shared_ptr<MemoryInode> Clone() const { return std::make_shared<MemoryInode>(*this); }

 private:
  using PageBytes = std::array<char, kPageBytes>;
  using Page = std::shared_ptr<PageBytes>;
  struct Picture {
    uint64_t size_bytes = 0;
    std::vector<Page> pages;

    void Resize(uint64_t bytes);
    // The page to write into: its own, not shared.
    PageBytes& Own(size_t page);
    std::string_view View(size_t page) const;
    // The first `prefix_bytes` of a page of `from`, as far as it lies inside both sizes.
    void TakePrefix(const Picture& from, size_t page, size_t prefix_bytes);
  };
  void MarkDirty(uint64_t offset, uint64_t size_bytes);

  Picture current_;
  Picture synced_;
  std::vector<Page> before_;        // pages of the durable picture as they were before their last sync
  std::set<uint64_t> dirty_pages_;  // written since the last sync
};

}  // namespace cairn
