// What cairn-restore takes, of any kind: no bytes may crash it, or make it hand on more than is there. The same bytes as a time for --at.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/memory_file_system.h"
#include "tools/common/point_argument.h"
#include "tools/restore/import.h"

namespace {

class SizeTarget final : public cairn::RestoreTarget {
 public:
  cairn::Status Run(uint32_t, const std::vector<std::string_view>& args, uint64_t) override {
    if (args.empty()) std::abort();
    return cairn::Status();
  }
  bool Loads(uint8_t) const override { return false; }
  cairn::Status Finish() override { return cairn::Status(); }
};

std::unique_ptr<cairn::Store> EmptyStore() {
  cairn::StoreOptions options;
  options.in_memory_only = true;
  options.threads = 1;
  auto opened = cairn::Store::Open(std::move(options));
  if (!opened.ok()) std::abort();
  return std::move(opened).value();
}

// Into a store of its own, which ends with the input: a leak is then seen as one.
void ImportLines(const cairn::InputFile& input, cairn::ImportCounts* counts) {
  const std::unique_ptr<cairn::Store> store = EmptyStore();
  (void)cairn::ImportJsonLines(input, *store, counts);
  (void)store->Close(false);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)cairn::ParseTime(bytes);
  cairn::MemoryFileSystem fs;
  auto file = fs.OpenForWriting("in", cairn::FileSystem::OpenMode::kCreateNew);
  if (!file.ok() || !(*file)->Append(bytes).ok()) std::abort();
  const auto input = cairn::InputFile::Open(fs, "in");
  if (!input.ok()) std::abort();
  const auto kind = cairn::KindOf(**input);
  if (!kind.ok()) return 0;
  SizeTarget target;
  cairn::ImportCounts counts;
  switch (*kind) {
    case cairn::InputKind::kRdb: (void)cairn::SendRdb(fs, **input, {}, target, &counts); break;
    case cairn::InputKind::kCommands: (void)cairn::SendCommands(**input, 0, target, &counts); break;
    case cairn::InputKind::kJsonLines: ImportLines(**input, &counts); break;
  }
  return 0;
}
