// Imports of Redis's files, interrupted at every write and otherwise: the next start imports again, or has what was imported.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"
#include "engine/aof_manifest.h"
#include "engine/aof_reader.h"
#include "engine/keyspace/keyspace.h"
#include "engine/store.h"
#include "snapshot/rdb_writer.h"

namespace cairn {
namespace {

std::string Parsed(std::string_view text) {
  const Result<AofManifest> manifest = ParseAofManifest(text);
  if (!manifest.ok()) return std::string(manifest.status().message());
  std::string files = manifest->base;
  for (const std::string& name : manifest->increments) files += "," + name;
  return files;
}

TEST(AofManifest, NamesTheFilesInOrder) {
  EXPECT_EQ(Parsed("file a.rdb seq 2 type b\nfile old seq 1 type h\nfile b.aof seq 2 type i\nfile c.aof seq 5 type i\n"),
            "a.rdb,b.aof,c.aof");
  EXPECT_EQ(Parsed("# comment\nfile \"with \\\"quotes\\\" and\\x20space\" seq 1 type i new 7\r\n"), ",with \"quotes\" and space");
  EXPECT_EQ(Parsed("file 'it''s' seq 1 type i\n"), "line 1: Invalid AOF manifest file format");
}

TEST(AofManifest, RefusesWhatRedisRefuses) {
  EXPECT_EQ(Parsed(""), "Found an empty AOF manifest");
  EXPECT_EQ(Parsed("\nfile a seq 1 type b\n"), "line 1: Invalid AOF manifest file format");
  EXPECT_EQ(Parsed("file a seq 1\n"), "line 1: Invalid AOF manifest file format");
  EXPECT_EQ(Parsed("file a seq 1 type b odd\n"), "line 1: Invalid AOF manifest file format");
  EXPECT_EQ(Parsed("file a seq x type b\n"), "line 1: Invalid AOF manifest file format");
  EXPECT_EQ(Parsed("file a seq 1 type x\n"), "line 1: Unknown AOF file type");
  EXPECT_EQ(Parsed("file a seq 1 type b\nfile b seq 2 type b\n"), "line 2: Found duplicate base file information");
  EXPECT_EQ(Parsed("file a seq 2 type i\nfile b seq 2 type i\n"), "line 2: Found a non-monotonic sequence number");
  EXPECT_EQ(Parsed("file ../../etc/passwd seq 1 type b\n"), "line 1: File can't be a path, just a filename");
  EXPECT_EQ(Parsed("file a seq 1 type b"), "line 1: The AOF manifest file contains too long line");
  EXPECT_EQ(Parsed("file " + std::string(2000, 'a') + " seq 1 type b\n"), "line 1: The AOF manifest file contains too long line");
}

TEST(AofReader, PassesOverAnnotations) {
  const std::string ping = "*1\r\n$4\r\nPING\r\n";
  const std::string text = "#TS:1\r\n" + ping + "#TS:2\r\n#TS:3\r\n" + ping + "#TS";
  AofReader reader(text);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.command_offset(), 7u);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.args()[0], "PING");
  EXPECT_FALSE(reader.Next());
  EXPECT_EQ(reader.end(), AofReader::End::kIncomplete);
  EXPECT_EQ(reader.offset(), text.size() - 3);
  AofReader malformed("*1\r\n$4\r\nPING\r\nx");
  EXPECT_TRUE(malformed.Next());
  EXPECT_FALSE(malformed.Next());
  EXPECT_EQ(malformed.end(), AofReader::End::kMalformed);
}

class RedisImportTest : public ::testing::Test {
 protected:
  static void MakeDump(FileSystem& fs) {
    ASSERT_TRUE(fs.CreateDirectory("data").ok());
    auto writer = RdbWriter::Create(fs, "data/dump.rdb");
    ASSERT_TRUE(writer.ok());
    for (int i = 0; i < 100; i++) {
      const std::string key = "key:" + std::to_string(i);
      (*writer)->AddEntry({.database = static_cast<uint32_t>(i % 3), .value_type = 0, .key = key, .value = "\x05value"});
    }
    (*writer)->AddEntry({.value_type = 0, .expiry_unix_ms = 1, .key = "expired", .value = "\x01v"});
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  static StoreOptions Options(FileSystem& fs) {
    StoreOptions options;
    options.directory = "data";
    options.file_system = &fs;
    options.threads = 2;
    return options;
  }
  static uint64_t Keys(Store& store) {
    uint64_t keys = 0;
    for (uint32_t i = 0; i < 16; i++) keys += store.keyspace().Size(i);
    return keys;
  }
};

TEST_F(RedisImportTest, IsDoneOnce) {
  MemoryFileSystem fs;
  MakeDump(fs);
  Client client;
  {
    auto store = Store::Open(Options(fs));
    ASSERT_TRUE(store.ok()) << store.status().message();
    EXPECT_EQ(Keys(**store), 100u);
    EXPECT_TRUE((*store)->Run(client, {"FLUSHALL"}).is_ok());
  }
  auto store = Store::Open(Options(fs));
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(Keys(**store), 0u);
}

TEST_F(RedisImportTest, WritesNothingWhereTheFileIsDamaged) {
  MemoryFileSystem fs;
  MakeDump(fs);
  std::string bytes = *ReadWholeFile(fs, "data/dump.rdb", 1 << 20);
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE((*fs.OpenForWriting("data/dump.rdb", FileSystem::OpenMode::kTruncate))->Append(bytes).ok());
  auto store = Store::Open(Options(fs));
  ASSERT_FALSE(store.ok());
  EXPECT_NE(store.status().message().find("data/dump.rdb at byte"), std::string_view::npos) << store.status().message();
  const std::vector<std::string> left = *fs.ListDirectory("data");
  EXPECT_EQ(left, (std::vector<std::string>{"LOCK", "dump.rdb"}));
}

TEST_F(RedisImportTest, ADiskThatFailsInTheMiddleLosesNothing) {
  constexpr uint64_t kCalls = 8;
  for (const FileOperation operation : {FileOperation::kWrite, FileOperation::kSync, FileOperation::kRename,
                                        FileOperation::kSyncDirectory, FileOperation::kCreateDirectory}) {
    for (uint64_t call = 0; call < kCalls; call++) {
      SCOPED_TRACE("operation " + std::to_string(static_cast<int>(operation)) + ", call " + std::to_string(call));
      MemoryFileSystem memory;
      MakeDump(memory);
      FaultyFileSystem faulty(memory);
      faulty.AddFault({.operation = operation, .let_pass = call, .fail_count = UINT64_MAX});
      {
        const auto store = Store::Open(Options(faulty));
        if (store.ok()) EXPECT_EQ(Keys(**store), 100u);
        faulty.ClearFaults();
      }
      const auto store = Store::Open(Options(memory));
      ASSERT_TRUE(store.ok()) << store.status().message();
      EXPECT_EQ(Keys(**store), 100u);
    }
  }
}

// As a file of its own, and as what an append-only file begins with.
TEST_F(RedisImportTest, ValkeysFilesAreImported) {
  char deadline[8];
  StoreLittleEndian<int64_t>(deadline, 4'000'000'000'000);
  const std::string hash = std::string(
                               "\x16\x01h\x02\x01"
                               "f\x01v",
                               8) +
                           std::string(deadline, 8) + "\x01g\x01w" + std::string(8, '\xFF');
  const std::string rdb = "VALKEY080" + hash + "\xFF" + std::string(8, '\0');
  const std::string command = "*4\r\n$4\r\nHSET\r\n$1\r\nh\r\n$1\r\ni\r\n$1\r\nx\r\n";
  Client client;
  for (const bool append_only : {false, true}) {
    MemoryFileSystem fs;
    ASSERT_TRUE(fs.CreateDirectory("data").ok());
    const std::string name = append_only ? "data/appendonly.aof" : "data/dump.rdb";
    auto file = fs.OpenForWriting(name, FileSystem::OpenMode::kTruncate);
    ASSERT_TRUE((*file)->Append(rdb + (append_only ? command : "")).ok());
    for (int start = 0; start < 2; start++) {
      auto store = Store::Open(Options(fs));
      ASSERT_TRUE(store.ok()) << store.status().message();
      EXPECT_EQ((*store)->Run(client, {"HLEN", "h"}).integer, append_only ? 3 : 2);
      EXPECT_EQ((*store)->Run(client, {"HPEXPIRETIME", "h", "FIELDS", "2", "f", "g"}).ToString(),
                "[(integer) 4000000000000, (integer) -1]");
    }
  }
}

TEST_F(RedisImportTest, AnExportIsImportedAgain) {
  MemoryFileSystem fs, other;
  Client client;
  auto store = Store::Open(Options(fs));
  ASSERT_TRUE(store.ok());
  const std::string id = (*store)->Run(client, {"XADD", "s", "IDMP", "p", "1", "*", "x", "y"}).text;
  for (const auto& command : std::vector<std::vector<std::string_view>>{{"SET", "a", "1", "PX", "1000000"},
                                                                        {"HSET", "h", "f", "v", "g", "w"},
                                                                        {"HPEXPIRE", "h", "1000000", "FIELDS", "1", "f"},
                                                                        {"XGROUP", "CREATE", "s", "g", "0"},
                                                                        {"XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"},
                                                                        {"XNACK", "s", "g", "FAIL", "IDS", "1", id}}) {
    const ReplyValue reply = (*store)->Run(client, command);
    EXPECT_FALSE(reply.is_error()) << command[0] << ": " << reply.text;
  }
  std::atomic<int> done{0};
  ASSERT_TRUE((*store)->StartRdbExport("data/out.rdb", [&](const Status& status) { done = status.ok() ? 1 : -1; }).ok());
  while (done == 0) std::this_thread::yield();
  ASSERT_EQ(done, 1);
  ASSERT_TRUE(other.CreateDirectory("data").ok());
  ASSERT_TRUE((*other.OpenForWriting("data/dump.rdb", FileSystem::OpenMode::kTruncate))
                  ->Append(*ReadWholeFile(fs, "data/out.rdb", 1 << 20))
                  .ok());
  auto copy = Store::Open(Options(other));
  ASSERT_TRUE(copy.ok()) << copy.status().message();
  EXPECT_EQ((*copy)->Run(client, {"GET", "a"}).text, "1");
  EXPECT_GT((*copy)->Run(client, {"PTTL", "a"}).integer, 0);
  EXPECT_EQ((*copy)->Run(client, {"HLEN", "h"}).integer, 2);
  EXPECT_EQ((*copy)->Run(client, {"HPTTL", "h", "FIELDS", "1", "f"}).elements[0].integer, -1);
  const ReplyValue pending = (*copy)->Run(client, {"XPENDING", "s", "g", "-", "+", "10"});
  ASSERT_EQ(pending.elements.size(), 1u);
  EXPECT_EQ(pending.elements[0].elements[1].text, "nacked");
}

}  // namespace
}  // namespace cairn
