// Any bytes as what damage left of a log or of a snapshot's block: a guess at their content ends, and is printable.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/damage_guess.h"
#include "engine/directory_survey.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const std::string& text : {cairn::GuessLogContent(input), cairn::GuessEntries(input), cairn::Printable(input)}) {
    for (const char c : text) {
      if (c < ' ' || c > '~') std::abort();
    }
  }
  if (size > 0) (void)cairn::CheckEncodedValue(data[0], input.substr(1));
  return 0;
}
