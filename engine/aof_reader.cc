#include "engine/aof_reader.h"

namespace cairn {

bool AofReader::Next() {
  while (true) {
    const size_t at = offset();
    if (at < bytes_.size() && bytes_[at] == '#') {
      const size_t line_end = bytes_.find('\n', at);
      if (line_end == std::string_view::npos) {
        end_ = End::kIncomplete;
        return false;
      }
      begin_ = line_end + 1;
      requests_ = RequestReader(bytes_.substr(begin_));
      continue;
    }
    if (requests_.Next()) return true;
    if (!requests_.status().ok()) end_ = requests_.incomplete() ? End::kIncomplete : End::kMalformed;
    return false;
  }
}

}  // namespace cairn
