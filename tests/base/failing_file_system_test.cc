// Crashes of the file system in memory, and planned faults.
#include <gtest/gtest.h>

#include <cerrno>

#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"

namespace cairn {
namespace {

using OpenMode = FileSystem::OpenMode;

std::unique_ptr<WritableFile> Open(FileSystem& fs, const std::string& path, OpenMode mode = OpenMode::kKeepExisting) {
  auto file = fs.OpenForWriting(path, mode);
  EXPECT_TRUE(file.ok()) << file.status().ToString();
  return std::move(file).value();
}

TEST(MemoryFileSystem, CrashDropsWhatWasNotSynced) {
  MemoryFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectory("d").ok());
  auto file = Open(fs, "d/f");
  ASSERT_TRUE(file->Append("synced").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(fs.SyncDirectory("d").ok());
  ASSERT_TRUE(fs.SyncDirectory(".").ok());
  ASSERT_TRUE(file->Append(" not synced").ok());
  Open(fs, "d/g");
  fs.CrashAndDropUnsynced();
  EXPECT_EQ(*fs.Content("d/f"), "synced");
  EXPECT_FALSE(*fs.Exists("d/g"));
  EXPECT_EQ(file->Append("x").code(), StatusCode::kIoError);
}

TEST(MemoryFileSystem, ASyncedFileWithoutASyncedNameIsLost) {
  MemoryFileSystem fs;
  ASSERT_TRUE(Open(fs, "f")->Sync().ok());
  ASSERT_TRUE(fs.CreateDirectory("d").ok());
  ASSERT_TRUE(Open(fs, "d/f")->Sync().ok());
  ASSERT_TRUE(fs.SyncDirectory("d").ok());
  fs.CrashAndDropUnsynced();
  EXPECT_FALSE(*fs.Exists("f"));
  EXPECT_FALSE(*fs.Exists("d/f"));
}

TEST(MemoryFileSystem, AnImageIsApartAndKeepsWhatIsNotSynced) {
  MemoryFileSystem fs;
  auto file = Open(fs, "f");
  ASSERT_TRUE(file->Append("synced").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(fs.SyncDirectory(".").ok());
  ASSERT_TRUE(file->Append(" or not").ok());
  const std::unique_ptr<MemoryFileSystem> image = fs.Image();
  ASSERT_TRUE(file->Append(", later").ok());
  EXPECT_EQ(*image->Content("f"), "synced or not");
  image->CrashAndDropUnsynced();
  EXPECT_EQ(*image->Content("f"), "synced");
  EXPECT_EQ(*fs.Content("f"), "synced or not, later");
}

// After a failed fsync the next one succeeds, and what the first should have written is on disk in part at most.
TEST(MemoryFileSystem, AFailedSyncForgetsPages) {
  bool lost = false;
  for (uint64_t seed = 1; seed < 40; seed++) {
    MemoryFileSystem fs;
    auto file = Open(fs, "f");
    ASSERT_TRUE(fs.SyncDirectory(".").ok());
    ASSERT_TRUE(file->Append("text").ok());
    fs.FailSync("f", seed);
    ASSERT_TRUE(file->Sync().ok());
    fs.CrashAndDropUnsynced();
    const std::string content = *fs.Content("f");
    EXPECT_TRUE(content == "text" || content == std::string(4, '\0')) << content;
    lost = lost || content != "text";
  }
  EXPECT_TRUE(lost);
}

TEST(MemoryFileSystem, PagesGoAstray) {
  MemoryFileSystem fs;
  const std::string page_a(MemoryFileSystem::kPageBytes, 'a');
  const std::string page_b(MemoryFileSystem::kPageBytes, 'b');
  ASSERT_TRUE(ReplaceFileDurably(fs, "a", page_a + page_a).ok());
  auto file = Open(fs, "a");
  ASSERT_TRUE(file->WriteAt(0, page_b).ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_FALSE(fs.MakePageStale("a", 7));
  ASSERT_TRUE(fs.MisdirectPage("a", 0, "a", 1));
  EXPECT_EQ(*fs.Content("a"), page_b + page_b);
  ASSERT_TRUE(fs.MakePageStale("a", 0));
  EXPECT_EQ(*fs.Content("a"), page_a + page_b);
  EXPECT_EQ(fs.Files(), std::vector<std::string>{"a"});
}

// Removing the old one's content was never synced, and is none of the new one's business.
TEST(MemoryFileSystem, ADirectoryTakesTheNameOfOneThatIsGone) {
  for (uint64_t seed = 0; seed < 40; seed++) {
    MemoryFileSystem fs;
    for (const char* name : {"d", "d.new"}) {
      ASSERT_TRUE(fs.CreateDirectory(name).ok());
      ASSERT_TRUE(ReplaceFileDurably(fs, JoinPath(name, "f"), name).ok());
    }
    ASSERT_TRUE(fs.SyncDirectory(".").ok());
    ASSERT_TRUE(fs.RemoveFile("d/f").ok());
    ASSERT_TRUE(fs.RemoveDirectory("d").ok());
    ASSERT_TRUE(fs.Rename("d.new", "d").ok());
    ASSERT_TRUE(fs.SyncDirectory(".").ok());
    fs.CrashAndDropUnsynced(seed);
    EXPECT_EQ(*fs.Content("d/f"), "d.new") << seed;
  }
}

TEST(MemoryFileSystem, RenameIsOldOrNew) {
  for (uint64_t seed = 0; seed < 40; seed++) {
    MemoryFileSystem fs;
    ASSERT_TRUE(ReplaceFileDurably(fs, "f", "old").ok());
    {
      auto file = Open(fs, "f.tmp");
      ASSERT_TRUE(file->Append("new").ok());
      ASSERT_TRUE(file->Sync().ok());
    }
    ASSERT_TRUE(fs.Rename("f.tmp", "f").ok());
    fs.CrashAndDropUnsynced(seed);
    const std::string content = *fs.Content("f");
    EXPECT_TRUE(content == "old" || content == "new") << content;
    if (seed == MemoryFileSystem::kDropAll) EXPECT_EQ(content, "old");
  }
}

TEST(MemoryFileSystem, RenamedDirectoryKeepsItsSyncedFiles) {
  MemoryFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectory("snap.tmp").ok());
  ASSERT_TRUE(ReplaceFileDurably(fs, "snap.tmp/data", "bytes").ok());
  ASSERT_TRUE(fs.Rename("snap.tmp", "snap").ok());
  ASSERT_TRUE(fs.SyncDirectory(".").ok());
  fs.CrashAndDropUnsynced();
  EXPECT_EQ(*fs.Content("snap/data"), "bytes");
}

TEST(MemoryFileSystem, SeededCrashKeepsPagesOrTearsThem) {
  bool some_new = false;
  bool some_old = false;
  bool some_torn = false;
  for (uint64_t seed = 1; seed < 60; seed++) {
    MemoryFileSystem fs;
    auto file = Open(fs, "f");
    ASSERT_TRUE(file->ZeroFill(0, 16 * 4096).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(fs.SyncDirectory(".").ok());
    ASSERT_TRUE(file->WriteAt(4096, std::string(4096, 'n')).ok());
    fs.CrashAndDropUnsynced(seed);
    const std::string content = *fs.Content("f");
    ASSERT_EQ(content.size(), 16u * 4096);
    const size_t kept = content.find('\0', 4096) - 4096;
    ASSERT_EQ(kept % MemoryFileSystem::kSectorBytes, 0u);
    some_old |= kept == 0;
    some_new |= kept == 4096;
    some_torn |= kept > 0 && kept < 4096;
    ASSERT_EQ(content.substr(0, 4096), std::string(4096, '\0'));
  }
  EXPECT_TRUE(some_new && some_old && some_torn);
}

TEST(MemoryFileSystem, TruncatedBytesDoNotComeBackAfterASync) {
  MemoryFileSystem fs;
  auto file = Open(fs, "f");
  ASSERT_TRUE(file->Append("secret").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(fs.SyncDirectory(".").ok());
  ASSERT_TRUE(file->Truncate(2).ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->WriteAt(6, "x").ok());
  ASSERT_TRUE(file->Sync().ok());
  fs.CrashAndDropUnsynced();
  EXPECT_EQ(*fs.Content("f"), std::string("se\0\0\0\0x", 7));
}

TEST(MemoryFileSystem, CapacityAndDamage) {
  MemoryFileSystem fs;
  fs.SetCapacityBytes(10);
  auto file = Open(fs, "f");
  ASSERT_TRUE(file->Append("12345678").ok());
  EXPECT_EQ(*fs.FreeSpace("."), 2u);
  EXPECT_EQ(file->Append("9ab").code(), StatusCode::kNoSpace);
  ASSERT_TRUE(file->WriteAt(0, "x").ok());
  fs.SetCapacityBytes(UINT64_MAX);
  ASSERT_TRUE(file->Append("9ab").ok());
  ASSERT_TRUE(fs.FlipBit("f", 1, 0).ok());
  EXPECT_EQ(*fs.Content("f"),
            "x3345678"
            "9ab");
  EXPECT_FALSE(fs.FlipBit("f", 100, 0).ok());
}

TEST(FaultyFileSystem, FailsTheNthCallOfAMatchingPath) {
  MemoryFileSystem memory;
  FaultyFileSystem fs(memory);
  fs.AddFault(
      {.operation = FileOperation::kWrite, .path_part = "log", .let_pass = 1, .error_number = ENOSPC, .written_bytes = 2});
  auto other = Open(fs, "other");
  auto log = Open(fs, "log");
  ASSERT_TRUE(other->Append("fine").ok());
  ASSERT_TRUE(log->Append("one").ok());
  EXPECT_EQ(log->Append("two").code(), StatusCode::kNoSpace);
  EXPECT_EQ(*memory.Content("log"), "onetw");
  ASSERT_TRUE(log->Append("x").ok());
  EXPECT_EQ(fs.calls(FileOperation::kWrite), 4u);
  EXPECT_EQ(fs.failures(FileOperation::kWrite), 1u);
  EXPECT_EQ(fs.syncs_after_failure(), 0u);
  ASSERT_TRUE(log->Sync().ok());
  EXPECT_EQ(fs.syncs_after_failure(), 1u);
  EXPECT_EQ(fs.synced_bytes("log"), 6u);
}

TEST(FaultyFileSystem, FailedSyncMayHaveHappenedOrNot) {
  for (const bool happened : {false, true}) {
    MemoryFileSystem memory;
    FaultyFileSystem fs(memory);
    auto file = Open(fs, "f");
    ASSERT_TRUE(fs.SyncDirectory(".").ok());
    ASSERT_TRUE(file->Append("bytes").ok());
    fs.AddFault({.operation = FileOperation::kSync, .sync_happened = happened});
    EXPECT_EQ(file->Sync().code(), StatusCode::kIoError);
    memory.CrashAndDropUnsynced();
    EXPECT_EQ(*memory.Content("f"), happened ? "bytes" : "");
  }
}

TEST(FaultyFileSystem, EveryOperationCanFail) {
  MemoryFileSystem memory;
  FaultyFileSystem fs(memory);
  ASSERT_TRUE(ReplaceFileDurably(fs, "f", "1").ok());
  for (const FileOperation operation : {FileOperation::kOpen, FileOperation::kWrite, FileOperation::kSync, FileOperation::kRename,
                                        FileOperation::kSyncDirectory}) {
    fs.AddFault({.operation = operation});
    EXPECT_FALSE(ReplaceFileDurably(fs, "f", "2").ok());
    EXPECT_EQ(fs.failures(operation), 1u);
    EXPECT_FALSE(*memory.Exists("f.tmp"));
  }
  fs.AddFault({.operation = FileOperation::kRead, .fail_count = UINT64_MAX});
  EXPECT_FALSE(ReadWholeFile(fs, "f", 10).ok());
  EXPECT_FALSE(ReadWholeFile(fs, "f", 10).ok());
  fs.ClearFaults();
  EXPECT_TRUE(ReadWholeFile(fs, "f", 10).ok());
  fs.FailRandomly(FileOperation::kList, 2, EIO, 3);
  int failed = 0;
  for (int i = 0; i < 100; i++) failed += fs.ListDirectory(".").ok() ? 0 : 1;
  EXPECT_GT(failed, 20);
  EXPECT_LT(failed, 80);
  fs.SetFreeSpace(17);
  EXPECT_EQ(*fs.FreeSpace("."), 17u);
}

}  // namespace
}  // namespace cairn
