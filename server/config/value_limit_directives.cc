// The directives that say how large values and their parts may become: one row, one limit of the engine.
#include <span>
#include <vector>

#include "base/resp_request.h"
#include "engine/values/stream_producers.h"
#include "server/config/config.h"
#include "server/config/directive_rows.h"

namespace cairn {
namespace {

using rows::kIntMax;
using rows::kIntMin;
using rows::kLongMax;
using rows::Memory;
using rows::Number;

struct LimitDirective {
  Directive row;
  LimitSetting ValueLimits::*limit;
};

std::span<const LimitDirective> LimitDirectives() {
  static const LimitDirective rows[] = {
      {Memory("proto-max-bulk-len", int64_t{512} << 20, 1 << 20, RequestReader::kMaxBulkBytes),
       &ValueLimits::proto_max_bulk_bytes},
      {Number("hash-max-listpack-entries", 512, 0, kLongMax, 0, "hash-max-ziplist-entries"),
       &ValueLimits::hash_max_listpack_entries},
      {Memory("hash-max-listpack-value", 64, 0, kLongMax, 0, "hash-max-ziplist-value"), &ValueLimits::hash_max_listpack_value},
      {Number("list-max-listpack-size", -2, kIntMin, kIntMax, 0, "list-max-ziplist-size"), &ValueLimits::list_max_listpack_size},
      {Number("list-compress-depth", 0, 0, kIntMax), &ValueLimits::list_compress_depth},
      {Number("set-max-intset-entries", 512, 0, kLongMax), &ValueLimits::set_max_intset_entries},
      {Number("set-max-listpack-entries", 128, 0, kLongMax), &ValueLimits::set_max_listpack_entries},
      {Memory("set-max-listpack-value", 64, 0), &ValueLimits::set_max_listpack_value},
      {Number("zset-max-listpack-entries", 128, 0, kLongMax, 0, "zset-max-ziplist-entries"),
       &ValueLimits::zset_max_listpack_entries},
      {Memory("zset-max-listpack-value", 64, 0, kLongMax, 0, "zset-max-ziplist-value"), &ValueLimits::zset_max_listpack_value},
      {Memory("hll-sparse-max-bytes", 3000, 0), &ValueLimits::hll_sparse_max_bytes},
      {Memory("stream-node-max-bytes", 4096, 0), &ValueLimits::stream_node_max_bytes},
      {Number("stream-node-max-entries", 100, 0, kLongMax), &ValueLimits::stream_node_max_entries},
      {Number("stream-idmp-duration", 100, 1, kProducerDurationMaxS), &ValueLimits::stream_idmp_duration_s},
      {Number("stream-idmp-maxsize", 100, 1, kProducerSizeMax), &ValueLimits::stream_idmp_maxsize},
  };
  return rows;
}

}  // namespace

void AppendValueLimitDirectives(std::vector<Directive>* table) {
  for (const LimitDirective& directive : LimitDirectives()) table->push_back(directive.row);
}

ValueLimits Config::MakeValueLimits() const {
  ValueLimits limits;
  for (const LimitDirective& directive : LimitDirectives()) (limits.*directive.limit).Set(Number(directive.row.name));
  return limits;
}

std::vector<std::string_view> Config::ValueLimitDirectives() {
  std::vector<std::string_view> names;
  for (const LimitDirective& directive : LimitDirectives()) names.push_back(directive.row.name);
  return names;
}

}  // namespace cairn
