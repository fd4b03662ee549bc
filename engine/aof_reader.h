// The commands in a stretch of one of Redis's append-only files, without the annotations between them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/resp_request.h"
#include "base/status.h"

namespace cairn {

//   AofReader reader(bytes);
//   while (reader.Next()) Apply(reader.args());
//   switch (reader.end()) ...
//
// `bytes` begin between two commands and outlive the reader and all views. Any bytes may come. One thread at a time.
class AofReader {
 public:
  enum class End : uint8_t {
    kClean,       // all of the bytes were read
    kIncomplete,  // they end inside the item at offset(): more may follow
    kMalformed,   // the item at offset() is neither a command nor an annotation
  };

  explicit AofReader(std::string_view bytes) : bytes_(bytes), requests_(bytes) {}

  bool Next();
  const std::vector<std::string_view>& args() const { return requests_.args(); }
  // Of the last command.
  size_t command_offset() const { return begin_ + requests_.request_offset(); }
  // Behind the last command, or annotation.
  size_t offset() const { return begin_ + requests_.offset(); }
  End end() const { return end_; }
  // What was expected where it is malformed.
  std::string_view problem() const { return requests_.status().message(); }

 private:
  std::string_view bytes_;
  size_t begin_ = 0;        // of what requests_ reads
  RequestReader requests_;  // from the last annotation on
  End end_ = End::kClean;
};

}  // namespace cairn
