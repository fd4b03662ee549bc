// The server's request parser: whatever arrives, in one piece or in two, gives the same requests and the same error, and never more
// memory than bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/resp/inline_args.h"
#include "server/resp/request_parser.h"

namespace {

using cairn::PartialRequest;
using cairn::RequestParser;

struct Outcome {
  std::vector<std::vector<std::string>> requests;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

void Take(RequestParser& parser, std::unique_ptr<PartialRequest>& partial, std::string& input, Outcome& outcome) {
  const RequestParser::Limits limits{.max_bulk_bytes = 1 << 20, .authenticated = true};
  while (outcome.error.empty()) {
    std::vector<std::string_view> args;
    const RequestParser::Result result = parser.Next(input, limits, partial, &args);
    if (result.kind == RequestParser::Kind::kError) {
      outcome.error = parser.error();
      return;
    }
    if (result.kind == RequestParser::Kind::kIncomplete) {
      input.erase(0, result.begin);
      if (partial != nullptr) input.resize(std::min(input.size(), partial->TakeCut()));
      return;
    }
    outcome.requests.emplace_back(args.begin(), args.end());
    if (result.ends_batch) parser.Release(partial);
    input.erase(0, result.consumed);
  }
}

Outcome Feed(std::string_view bytes, size_t first_piece) {
  RequestParser parser;
  std::unique_ptr<PartialRequest> partial;
  std::string input;
  Outcome outcome;
  for (std::string_view piece : {bytes.substr(0, first_piece), bytes.substr(first_piece)}) {
    while (!piece.empty() && outcome.error.empty()) {
      if (partial != nullptr && partial->reading_direct()) {
        const std::span<char> room = partial->DirectRoom();
        const size_t part = std::min(room.size(), piece.size());
        std::copy_n(piece.data(), part, room.data());
        partial->DirectFilled(part);
        piece.remove_prefix(part);
        continue;
      }
      input.append(piece);
      piece = {};
      Take(parser, partial, input, outcome);
    }
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t split = bytes.empty() ? 0 : data[0] % (bytes.size() + 1);
  if (!(Feed(bytes, bytes.size()) == Feed(bytes, split))) std::abort();
  std::vector<std::string> words;
  cairn::SplitInline(bytes, &words);
  return 0;
}
