// Memory that is read without a lock, and freed only when nobody can be reading it any more: epoch-based reclamation (K. Fraser,
// "Practical lock-freedom", Cambridge, 2004), here with one epoch for each thing that is freed.
//
// Who changes a structure unlinks a part of it first, so that whoever begins to read afterwards does not find it, and gives it to
// FreeAfterReaders. What readers follow (pointers, and words that are changed under them) is read and written atomically; a pointer is
// stored with release and loaded with acquire.
// Threads: any. Sections last microseconds, take no lock and do not nest.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cairn {

// While it lives, nothing that this thread can reach is freed.
class ReadSection {
 public:
  ReadSection();
  ~ReadSection();
  ReadSection(const ReadSection&) = delete;
  ReadSection& operator=(const ReadSection&) = delete;
  // False for a thread beyond the first 63 or so that live: it has no place to say what it reads, and must not read.
  bool entered() const { return place_ != nullptr; }

 private:
  struct Place;
  friend struct ReadSections;
  Place* place_;
};

// Frees an allocation of AllocateBytes that no reader finds any more: at once where nobody reads, otherwise with a later call. A leaf
// operation: locks may be held.
void FreeAfterReaders(void* pointer, size_t size_bytes);
// Returns when everybody who reads now has ended, and all is freed that was given to FreeAfterReaders before. Not within a section.
// Yields meanwhile.
void AwaitReaders();

}  // namespace cairn
