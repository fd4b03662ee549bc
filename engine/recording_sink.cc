#include "engine/recording_sink.h"

#include <bit>

#include "base/bytes.h"

namespace cairn {

class RecordingSink::Reader {
 public:
  explicit Reader(std::string_view calls) : left_(calls) {}

  bool More() const { return !left_.empty(); }
  Call NextCall() { return static_cast<Call>(Take(1)[0]); }
  uint64_t Number() { return LoadLittleEndian<uint64_t>(Take(sizeof(uint64_t)).data()); }
  std::string_view Text() { return Take(Number()); }

 private:
  std::string_view Take(size_t bytes) {
    const std::string_view taken = left_.substr(0, bytes);
    left_.remove_prefix(bytes);
    return taken;
  }
  std::string_view left_;
};

void RecordingSink::AddNumber(Call call, uint64_t number) {
  char bytes[1 + sizeof(number)];
  bytes[0] = static_cast<char>(call);
  StoreLittleEndian(bytes + 1, number);
  calls_.append(bytes, sizeof(bytes));
}

void RecordingSink::AddText(Call call, std::string_view text) {
  AddNumber(call, text.size());
  calls_.append(text);
}

void RecordingSink::Double(double value) { AddNumber(Call::kDouble, std::bit_cast<uint64_t>(value)); }

void RecordingSink::Clear() {
  calls_.clear();
  ropes_.clear();
  errors_ = 0;
}

void RecordingSink::ReplayOne(Call call, Reader& reader, const std::vector<Rope>& ropes, size_t* next_rope, ReplySink& into) {
  switch (call) {
    case Call::kSimple: return into.Simple(reader.Text());
    case Call::kError: return into.Error(reader.Text());
    case Call::kInteger: return into.Integer(static_cast<int64_t>(reader.Number()));
    case Call::kBulk: return into.Bulk(reader.Text());
    case Call::kRope: return into.BulkRope(ropes[(*next_rope)++]);
    case Call::kNull: return into.Null();
    case Call::kNullArray: return into.NullArray();
    case Call::kArray: return into.Array(reader.Number());
    case Call::kMap: return into.Map(reader.Number());
    case Call::kSet: return into.Set(reader.Number());
    case Call::kPush: return into.Push(reader.Number());
    case Call::kDouble: return into.Double(std::bit_cast<double>(reader.Number()));
    case Call::kBigNumber: return into.BigNumber(reader.Text());
    case Call::kTrue: return into.Boolean(true);
    case Call::kFalse: return into.Boolean(false);
    case Call::kVerbatim: break;
  }
  const std::string_view format = reader.Text();
  reader.NextCall();
  into.Verbatim(format, reader.Text());
}

void RecordingSink::Replay(ReplySink& into) const {
  size_t next_rope = 0;
  for (Reader reader(calls_); reader.More();) {
    const Call call = reader.NextCall();
    ReplayOne(call, reader, ropes_, &next_rope, into);
  }
}

}  // namespace cairn
