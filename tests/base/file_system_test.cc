// What every FileSystem must do, run against the real one, the one in memory, and the faulty one without faults.
#include "base/file_system.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"

namespace cairn {
namespace {

enum class Kind { kReal, kMemory, kFaulty };

class FileSystemTest : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::kReal) {
      dir_ = testing::TempDir() + "cairn_file_system_test_" + std::to_string(getpid());
      std::filesystem::remove_all(dir_);
    } else {
      dir_ = "some";
    }
    if (GetParam() == Kind::kFaulty) faulty_ = std::make_unique<FaultyFileSystem>(memory_);
    ASSERT_TRUE(fs().CreateDirectory(dir_).ok());
  }
  void TearDown() override {
    if (GetParam() == Kind::kReal) std::filesystem::remove_all(dir_);
  }
  FileSystem& fs() {
    if (GetParam() == Kind::kReal) return RealFileSystem();
    return faulty_ ? static_cast<FileSystem&>(*faulty_) : memory_;
  }
  std::string Path(std::string_view name) { return JoinPath(dir_, name); }
  std::string Read(const std::string& path) {
    auto content = ReadWholeFile(fs(), path, 1 << 24);
    return content.ok() ? *content : "ERROR " + content.status().ToString();
  }

  MemoryFileSystem memory_;
  std::unique_ptr<FaultyFileSystem> faulty_;
  std::string dir_;
};

TEST_P(FileSystemTest, WritesReadsAndTruncates) {
  const std::string path = Path("a");
  auto file = fs().OpenForWriting(path, FileSystem::OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  ASSERT_TRUE((*file)->Append("hello ").ok());
  ASSERT_TRUE((*file)->Append("world").ok());
  ASSERT_TRUE((*file)->WriteAt(0, "J").ok());
  ASSERT_TRUE((*file)->Append("!").ok());
  EXPECT_EQ(Read(path), "Jello world!");
  ASSERT_TRUE((*file)->WriteAt(14, "gap").ok());
  EXPECT_EQ(Read(path), std::string("Jello world!\0\0gap", 17));
  ASSERT_TRUE((*file)->Truncate(5).ok());
  ASSERT_TRUE((*file)->Append("y").ok());
  ASSERT_TRUE((*file)->Sync().ok());
  EXPECT_EQ(Read(path), "Jelloy");
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_FALSE((*file)->Append("x").ok());
  EXPECT_EQ(*fs().FileSize(path), 6u);
}

TEST_P(FileSystemTest, ZeroFillGrowsAndErases) {
  auto file = fs().OpenForWriting(Path("z"), FileSystem::OpenMode::kTruncate);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Append("data").ok());
  ASSERT_TRUE((*file)->ZeroFill(2, 600'000).ok());
  const std::string content = Read(Path("z"));
  ASSERT_EQ(content.size(), 600'002u);
  EXPECT_EQ(content.substr(0, 2), "da");
  EXPECT_EQ(content.find_first_not_of('\0', 2), std::string::npos);
}

TEST_P(FileSystemTest, OpenModes) {
  const std::string path = Path("m");
  { ASSERT_TRUE((*fs().OpenForWriting(path, FileSystem::OpenMode::kCreateNew))->Append("12345").ok()); }
  EXPECT_EQ(fs().OpenForWriting(path, FileSystem::OpenMode::kCreateNew).status().code(), StatusCode::kAlreadyExists);
  { ASSERT_TRUE((*fs().OpenForWriting(path, FileSystem::OpenMode::kKeepExisting))->Append("6").ok()); }
  EXPECT_EQ(Read(path), "123456");
  { ASSERT_TRUE((*fs().OpenForWriting(path, FileSystem::OpenMode::kTruncate))->Append("x").ok()); }
  EXPECT_EQ(Read(path), "x");
}

TEST_P(FileSystemTest, MissingThingsAreNotFound) {
  EXPECT_EQ(fs().OpenForReading(Path("none")).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(fs().FileSize(Path("none")).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(fs().RemoveFile(Path("none")).code(), StatusCode::kNotFound);
  EXPECT_EQ(fs().ListDirectory(Path("none")).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(fs().Rename(Path("none"), Path("b")).code(), StatusCode::kNotFound);
  EXPECT_EQ(fs().OpenForWriting(Path("no/dir"), FileSystem::OpenMode::kTruncate).status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(*fs().Exists(Path("none")));
}

TEST_P(FileSystemTest, NamesMoveLinkAndGo) {
  ASSERT_TRUE(fs().CreateDirectory(Path("d")).ok());
  ASSERT_TRUE(fs().CreateDirectory(Path("d")).ok());
  ASSERT_TRUE(ReplaceFileDurably(fs(), Path("d/one"), "1").ok());
  ASSERT_TRUE(ReplaceFileDurably(fs(), Path("d/one"), "11").ok());
  ASSERT_TRUE(fs().HardLink(Path("d/one"), Path("d/two")).ok());
  EXPECT_EQ(fs().HardLink(Path("d/one"), Path("d/two")).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(*fs().ListDirectory(Path("d")), (std::vector<std::string>{"one", "two"}));
  ASSERT_TRUE(fs().Rename(Path("d"), Path("e")).ok());
  EXPECT_EQ(Read(Path("e/two")), "11");
  EXPECT_FALSE(fs().RemoveDirectory(Path("e")).ok());
  ASSERT_TRUE(fs().RemoveFile(Path("e/one")).ok());
  ASSERT_TRUE(fs().RemoveFile(Path("e/two")).ok());
  ASSERT_TRUE(fs().RemoveDirectory(Path("e")).ok());
  EXPECT_TRUE(fs().SyncDirectory(dir_).ok());
  EXPECT_TRUE(fs().ListDirectory(dir_)->empty());
}

// Large files are freed little by little, but only those that nobody else has.
TEST_P(FileSystemTest, WhatOthersHaveOfALargeFileStaysWhole) {
  const std::string content(9 << 20, 'x');
  const auto write = [&](const std::string& path) {
    auto file = fs().OpenForWriting(path, FileSystem::OpenMode::kTruncate);
    ASSERT_TRUE(file.ok() && (*file)->Append(content).ok());
  };
  for (const bool replaced : {false, true}) {
    write(Path("linked"));
    ASSERT_TRUE(fs().HardLink(Path("linked"), Path("other name")).ok());
    write(Path("open"));
    auto reader = fs().OpenForReading(Path("open"));
    ASSERT_TRUE(reader.ok());
    write(Path("alone"));
    for (const char* name : {"linked", "open", "alone"}) {
      if (replaced) {
        write(Path("new"));
        ASSERT_TRUE(fs().Rename(Path("new"), Path(name)).ok());
        EXPECT_EQ(*fs().FileSize(Path(name)), content.size());
      } else {
        ASSERT_TRUE(fs().RemoveFile(Path(name)).ok());
        EXPECT_FALSE(*fs().Exists(Path(name)));
      }
    }
    // The descriptors of files without a name are the reader's, and those of what is being freed.
    const auto files_without_name = [] {
      int count = 0;
      for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
        if (target.find("cairn_file_system_test_") != std::string::npos && target.ends_with(" (deleted)")) count++;
      }
      return count;
    };
    const int of_reader = GetParam() == Kind::kReal ? 1 : 0;
    for (int waits = 0; files_without_name() > of_reader && waits < 1000; waits++) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(files_without_name(), of_reader);
    EXPECT_EQ(Read(Path("other name")), content);
    std::string read(content.size(), ' ');
    ASSERT_EQ(*(*reader)->Read(0, read.size(), read.data()), content.size());
    EXPECT_EQ(read, content);
    ASSERT_TRUE(fs().RemoveFile(Path("other name")).ok());
  }
}

TEST_P(FileSystemTest, ReadsAtOffsets) {
  ASSERT_TRUE(ReplaceFileDurably(fs(), Path("r"), "0123456789").ok());
  auto file = fs().OpenForReading(Path("r"));
  ASSERT_TRUE(file.ok());
  char room[20];
  EXPECT_EQ(*(*file)->Read(7, sizeof(room), room), 3u);
  EXPECT_EQ(std::string(room, 3), "789");
  EXPECT_EQ(*(*file)->Read(10, 1, room), 0u);
  EXPECT_EQ(*(*file)->Size(), 10u);
  EXPECT_EQ(ReadWholeFile(fs(), Path("r"), 9).status().code(), StatusCode::kInvalidArgument);
}

TEST_P(FileSystemTest, LockExcludes) {
  auto lock = fs().Lock(Path("lock"));
  ASSERT_TRUE(lock.ok()) << lock.status().ToString();
  auto second = fs().Lock(Path("lock"));
  ASSERT_EQ(second.status().code(), StatusCode::kLocked);
  if (GetParam() == Kind::kReal) {
    EXPECT_NE(second.status().message().find("pid " + std::to_string(getpid())), std::string_view::npos);
  }
  lock = Status::Unavailable("given back");
  EXPECT_TRUE(fs().Lock(Path("lock")).ok());
  EXPECT_GT(*fs().FreeSpace(dir_), 0u);
}

INSTANTIATE_TEST_SUITE_P(All, FileSystemTest, testing::Values(Kind::kReal, Kind::kMemory, Kind::kFaulty));

}  // namespace
}  // namespace cairn
