// Any bytes as a configuration file: refused with a text that names the line, or taken and then written and read again unchanged.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/words.h"
#include "server/config/config.h"
#include "server/config/words.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using cairn::Config;
  using cairn::QuoteWord;
  using cairn::SplitWords;
  using cairn::Status;
  using cairn::ToLower;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (ToLower(text).find("include") != std::string::npos) return 0;  // files of this machine are not the input's business
  if (const auto words = SplitWords(text)) {
    std::string line;
    for (const std::string& word : *words) line += QuoteWord(word) + ' ';
    if (SplitWords(line) != words) std::abort();
  }
  Config config;
  const Status status = config.LoadText(text, "input");
  if (!status.ok()) {
    if (status.message().find("at line ") == std::string_view::npos) std::abort();
    return 0;
  }
  Config again;
  if (!again.LoadText(config.RewrittenText(text, true), "rewritten").ok()) std::abort();
  const std::string_view all[] = {"*"};
  if (again.Get(all) != config.Get(all)) std::abort();
  return 0;
}
