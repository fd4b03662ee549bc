#include "engine/commands/sorted_set_commands.h"
#include "engine/commands/sorted_set_support.h"

namespace cairn {
namespace {

constexpr uint32_t kFastWrite = kWrite | kFast;
constexpr uint32_t kGrowing = kWrite | kDenyOom;
constexpr uint32_t kFastGrowing = kWrite | kDenyOom | kFast;
constexpr KeyRange kUpdatedKey{1, 1, 1, kKeyReadWrite | kKeyForUpdate};
constexpr KeyRange kAccessedKey{1, 1, 1, kKeyReadWrite | kKeyForAccess | kKeyForUpdate};
constexpr KeyRange kShrunkKey{1, 1, 1, kKeyReadWrite | kKeyForDelete};
constexpr KeyAccess kForPopping = kKeyReadWrite | kKeyForAccess | kKeyForDelete;
constexpr KeyRange kPoppedKey{1, 1, 1, kForPopping};
constexpr KeyRange kPoppedKeys{1, -2, 1, kForPopping};
constexpr KeySpec kPoppedNumbered[] = {{.first = 1, .step = 1, .access = kForPopping, .counted = true}};
constexpr KeySpec kBlockingPoppedNumbered[] = {{.first = 2, .step = 1, .access = kForPopping, .counted = true}};
constexpr KeySpec kStoredNumbered[] = {{1, 1, 1, kKeyWrite | kKeyForUpdate},
                                       {.first = 2, .step = 1, .access = kKeyRead | kKeyForAccess, .counted = true}};
constexpr KeyRange kRangeStoreKeys{1, 2, 1, kKeyWrite | kKeyForUpdate};
constexpr KeySpec kRangeStoreSpecs[] = {{1, 1, 1, kKeyWrite | kKeyForUpdate}, {2, 2, 1, kKeyRead | kKeyForAccess}};

Status KeysFrom1(ArgSpan args, std::vector<int>* key_indexes) {
  NumberedKeys(args, 1, key_indexes);
  return Status::Ok();
}
Status KeysFrom2(ArgSpan args, std::vector<int>* key_indexes) {
  NumberedKeys(args, 2, key_indexes);
  return Status::Ok();
}
// The destination, then the numbered keys.
Status KeysToStore(ArgSpan args, std::vector<int>* key_indexes) {
  key_indexes->push_back(1);
  NumberedKeys(args, 2, key_indexes);
  return Status::Ok();
}

constexpr CommandRow kChangeRows[] = {
    {.name = "zadd",
     .arity = -4,
     .flags = kFastGrowing,
     .categories = kAclSortedSet,
     .keys = kUpdatedKey,
     .handler = sorted_set_commands::ZAdd,
     .summary = "Adds members with scores to a sorted set, or changes their scores, under conditions if asked.",
     .since = "1.2.0",
     .group = "sorted-set",
     .complexity = "O(log(N)) for each member, N being the number of elements in the sorted set",
     .syntax = "key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]"},
    {.name = "zincrby",
     .arity = 4,
     .flags = kFastGrowing,
     .categories = kAclSortedSet,
     .keys = kAccessedKey,
     .handler = sorted_set_commands::ZIncrBy,
     .summary = "Adds to the score of a member of a sorted set.",
     .since = "1.2.0",
     .group = "sorted-set",
     .complexity = "O(log(N)) with N being the number of elements in the sorted set",
     .syntax = "key increment member"},
    {.name = "zrem",
     .arity = -3,
     .flags = kFastWrite,
     .categories = kAclSortedSet,
     .keys = kShrunkKey,
     .handler = sorted_set_commands::ZRem,
     .summary = "Removes members from a sorted set.",
     .since = "1.2.0",
     .group = "sorted-set",
     .complexity = "O(M*log(N)) with N being the number of elements in the sorted set and M the number of members to remove",
     .syntax = "key member [member ...]"},
    {.name = "zremrangebyrank",
     .arity = 4,
     .flags = kWrite,
     .categories = kAclSortedSet,
     .keys = kShrunkKey,
     .handler = sorted_set_commands::ZRemRangeByRank,
     .summary = "Removes the elements of a sorted set that are within a range of ranks.",
     .since = "2.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed",
     .syntax = "key start stop"},
    {.name = "zremrangebyscore",
     .arity = 4,
     .flags = kWrite,
     .categories = kAclSortedSet,
     .keys = kShrunkKey,
     .handler = sorted_set_commands::ZRemRangeByScore,
     .summary = "Removes the elements of a sorted set that are within a range of scores.",
     .since = "1.2.0",
     .group = "sorted-set",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed",
     .syntax = "key min max"},
    {.name = "zremrangebylex",
     .arity = 4,
     .flags = kWrite,
     .categories = kAclSortedSet,
     .keys = kShrunkKey,
     .handler = sorted_set_commands::ZRemRangeByLex,
     .summary = "Removes the elements of a sorted set that are within a range of members, all scores being the same.",
     .since = "2.8.9",
     .group = "sorted-set",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed",
     .syntax = "key min max"},
    {.name = "zpopmin",
     .arity = -2,
     .flags = kFastWrite,
     .categories = kAclSortedSet,
     .keys = kPoppedKey,
     .handler = sorted_set_commands::ZPopMin,
     .summary = "Removes the elements with the lowest scores from a sorted set and answers them.",
     .since = "5.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N)*M) with N being the number of elements in the sorted set and M the number of elements popped",
     .syntax = "key [count]"},
    {.name = "zpopmax",
     .arity = -2,
     .flags = kFastWrite,
     .categories = kAclSortedSet,
     .keys = kPoppedKey,
     .handler = sorted_set_commands::ZPopMax,
     .summary = "Removes the elements with the highest scores from a sorted set and answers them.",
     .since = "5.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N)*M) with N being the number of elements in the sorted set and M the number of elements popped",
     .syntax = "key [count]"},
    {.name = "zmpop",
     .arity = -4,
     .flags = kWrite | kMovableKeys,
     .categories = kAclSortedSet,
     .handler = sorted_set_commands::ZMPop,
     .summary = "Pops elements from the first of several sorted sets that is not empty.",
     .since = "7.0.0",
     .group = "sorted-set",
     .complexity =
         "O(K) + O(M*log(N)) with K keys, N being the number of elements in the sorted set and M the number of elements popped",
     .syntax = "numkeys key [key ...] <MIN | MAX> [COUNT count]",
     .get_keys = KeysFrom1,
     .key_specs = kPoppedNumbered},
    {.name = "bzpopmin",
     .arity = -3,
     .flags = kFastWrite | kNoScript | kBlocking,
     .categories = kAclSortedSet,
     .keys = kPoppedKeys,
     .handler = sorted_set_commands::BZPopMin,
     .summary =
         "Pops the element with the lowest score from the first of several sorted sets that is not empty, or waits for one.",
     .since = "5.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N)) with N being the number of elements in the sorted set",
     .syntax = "key [key ...] timeout"},
    {.name = "bzpopmax",
     .arity = -3,
     .flags = kFastWrite | kNoScript | kBlocking,
     .categories = kAclSortedSet,
     .keys = kPoppedKeys,
     .handler = sorted_set_commands::BZPopMax,
     .summary =
         "Pops the element with the highest score from the first of several sorted sets that is not empty, or waits for one.",
     .since = "5.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N)) with N being the number of elements in the sorted set",
     .syntax = "key [key ...] timeout"},
    {.name = "bzmpop",
     .arity = -5,
     .flags = kWrite | kBlocking | kMovableKeys,
     .categories = kAclSortedSet,
     .handler = sorted_set_commands::BZMPop,
     .summary = "Pops elements from the first of several sorted sets that is not empty, or waits for one.",
     .since = "7.0.0",
     .group = "sorted-set",
     .complexity =
         "O(K) + O(M*log(N)) with K keys, N being the number of elements in the sorted set and M the number of elements popped",
     .syntax = "timeout numkeys key [key ...] <MIN | MAX> [COUNT count]",
     .get_keys = KeysFrom2,
     .key_specs = kBlockingPoppedNumbered},
    {.name = "zunionstore",
     .arity = -4,
     .flags = kGrowing | kMovableKeys,
     .categories = kAclSortedSet,
     .handler = sorted_set_commands::ZUnionStore,
     .summary = "Stores the union of several sorted sets under a key.",
     .since = "2.0.0",
     .group = "sorted-set",
     .complexity =
         "O(N)+O(M*log(M)) with N being the sum of the sizes of the sorted sets and M the number of elements in the result",
     .syntax = "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX | COUNT>]",
     .get_keys = KeysToStore,
     .key_specs = kStoredNumbered},
    {.name = "zinterstore",
     .arity = -4,
     .flags = kGrowing | kMovableKeys,
     .categories = kAclSortedSet,
     .handler = sorted_set_commands::ZInterStore,
     .summary = "Stores the intersection of several sorted sets under a key.",
     .since = "2.0.0",
     .group = "sorted-set",
     .complexity = "O(N*K)+O(M*log(M)) with N being the smallest of K sorted sets and M the number of elements in the result",
     .syntax = "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX | COUNT>]",
     .get_keys = KeysToStore,
     .key_specs = kStoredNumbered},
    {.name = "zdiffstore",
     .arity = -4,
     .flags = kGrowing | kMovableKeys,
     .categories = kAclSortedSet,
     .handler = sorted_set_commands::ZDiffStore,
     .summary = "Stores what the first of several sorted sets has and no other under a key.",
     .since = "6.2.0",
     .group = "sorted-set",
     .complexity =
         "O(N*K)+O(M*log(M)) with N being the size of the first of K sorted sets and M the number of elements in the result",
     .syntax = "destination numkeys key [key ...]",
     .get_keys = KeysToStore,
     .key_specs = kStoredNumbered},
    {.name = "zrangestore",
     .arity = -5,
     .flags = kGrowing,
     .categories = kAclSortedSet,
     .keys = kRangeStoreKeys,
     .handler = sorted_set_commands::ZRangeStore,
     .summary = "Stores a range of a sorted set under another key.",
     .since = "6.2.0",
     .group = "sorted-set",
     .complexity = "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements stored",
     .syntax = "destination source min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]",
     .key_specs = kRangeStoreSpecs},
};

}  // namespace

void RegisterSortedSetChangeCommands(CommandTable& table) { table.Register(kChangeRows); }

}  // namespace cairn
