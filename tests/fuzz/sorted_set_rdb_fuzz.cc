// Any bytes as a sorted set in RDB encoding: they are refused, or what they become encodes to bytes that decode to the same elements.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/codec/sorted_set_rdb.h"
#include "engine/codec/value_codec.h"
#include "engine/values/sorted_set_view.h"

using namespace cairn;  // NOLINT(google-build-using-namespace)

namespace {

SortedSetView ViewOf(const LoadedValue& value) {
  if (value.encoding == Encoding::kLarge) return SortedSetView(static_cast<const SortedSet&>(*value.large));
  return SortedSetView(std::string_view(value.packed));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  constexpr uint8_t kTypes[] = {kRdbTypeSortedSet, kRdbTypeSortedSet2, kRdbTypeSortedSetListpack, kRdbTypeSortedSetZiplist};
  ValueLimits limits;
  limits.zset_max_listpack_entries.Set(data[1] % 8);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  LoadedValue value;
  if (!DecodeSortedSet(kTypes[data[0] % std::size(kTypes)], bytes, limits, &value).ok()) return 0;
  const SortedSetView view = ViewOf(value);
  CAIRN_CHECK(view.size() > 0);
  SortedSet set;
  double last_score = 0;
  std::string last_member;
  uint64_t rank = 0;
  for (SortedSetView::Cursor at = view.At(0); at.valid(); at.Next(), rank++) {
    CAIRN_CHECK(rank == 0 || last_score < at.score() || (last_score == at.score() && last_member < at.member()));
    last_score = at.score();
    last_member = at.member();
    double score = 0;
    uint64_t found = 0;
    CAIRN_CHECK(view.Find(last_member, &score, &found) && found == rank && score == last_score);
    CAIRN_CHECK(set.Add(last_member, last_score));
  }
  CAIRN_CHECK(rank == view.size());
  std::string encoded;
  StringRdbSink sink(&encoded);
  EncodeSortedSet(set, sink);
  LoadedValue again;
  CAIRN_CHECK(DecodeSortedSet(kRdbTypeSortedSet2, encoded, limits, &again).ok());
  SortedSetView::Cursor at = view.At(0);
  for (SortedSetView::Cursor back = ViewOf(again).At(0); back.valid(); back.Next(), at.Next()) {
    CAIRN_CHECK(at.valid() && at.member() == back.member() && at.score() == back.score());
  }
  CAIRN_CHECK(!at.valid());
  return 0;
}
