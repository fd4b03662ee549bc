// Containers that are filled and emptied again and again, and keep their memory in between.
#pragma once

#include <cstddef>
#include <vector>

namespace cairn {

// Empties it. Where one unusual filling (a request of a million arguments) made it large its memory is given back: there is one for each
// thread, for as long as the thread lives.
template <typename T>
void ClearScratch(std::vector<T>& scratch) {
  constexpr size_t kKeptBytes = 256 * 1024;
  scratch.clear();
  if (scratch.capacity() > kKeptBytes / sizeof(T)) [[unlikely]]
    std::vector<T>().swap(scratch);
}

}  // namespace cairn
