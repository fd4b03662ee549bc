// Any bytes as one of Redis's files in a new directory: the store opens with what they hold, or refuses and leaves nothing behind. The
// first byte says which file.
#include <cstdint>
#include <string>

#include "base/logger.h"
#include "base/memory_file_system.h"
#include "engine/aof_manifest.h"
#include "engine/store.h"

using namespace cairn;  // NOLINT(google-build-using-namespace)

namespace {

void Put(MemoryFileSystem& fs, const std::string& path, std::string_view bytes) {
  auto file = fs.OpenForWriting(path, FileSystem::OpenMode::kTruncate);
  CAIRN_CHECK(file.ok() && (*file)->Append(bytes).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  SetLogSink([](LogLevel, std::string_view) {});
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  MemoryFileSystem fs;
  CAIRN_CHECK(fs.CreateDirectory("data").ok());
  switch (data[0] % 4) {
    case 0: Put(fs, "data/dump.rdb", bytes); break;
    case 1: Put(fs, "data/appendonly.aof", bytes); break;
    case 2:
      CAIRN_CHECK(fs.CreateDirectory("data/appendonlydir").ok());
      Put(fs, "data/appendonlydir/appendonly.aof.manifest", "file a.aof seq 1 type b\nfile b.aof seq 1 type i\n");
      Put(fs, "data/appendonlydir/a.aof", bytes.substr(0, bytes.size() / 2));
      Put(fs, "data/appendonlydir/b.aof", bytes.substr(bytes.size() / 2));
      break;
    default: (void)ParseAofManifest(bytes); return 0;
  }
  StoreOptions options;
  options.directory = "data";
  options.file_system = &fs;
  options.threads = 1;
  const auto opened = Store::Open(options);
  if (opened.ok()) return 0;
  CAIRN_CHECK(!*fs.Exists("data/MANIFEST") && !*fs.Exists("data/log") && !*fs.Exists("data/snapshots"));
  return 0;
}
