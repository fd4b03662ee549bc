// A directory that appears whole or not at all: where nothing is yet, and in an empty directory that cannot be replaced.
#include "engine/partial_directory.h"

#include <gtest/gtest.h>

#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"
#include "engine/store.h"

namespace cairn {
namespace {

using Names = std::vector<std::string>;

Names NamesIn(FileSystem& fs, const std::string& path) {
  const Result<Names> names = fs.ListDirectory(path);
  return names.ok() ? *names : Names{"(none)"};
}

void Build(FileSystem& fs, const std::string& path) {
  StoreOptions options;
  options.directory = path;
  options.file_system = &fs;
  options.threads = 1;
  auto store = Store::Open(options);
  ASSERT_TRUE(store.ok()) << store.status().message();
  Client client;
  EXPECT_TRUE((*store)->Run(client, {"SET", "key", "value"}).is_ok());
  EXPECT_TRUE((*store)->SaveAndWait().ok());
  EXPECT_TRUE((*store)->Close(false).ok());
  const auto unplaced = fs.OpenForWriting(JoinPath(path, "unplaced-7.resp"), FileSystem::OpenMode::kCreateNew);
  EXPECT_TRUE(unplaced.ok());
}

bool Holds(FileSystem& fs, const std::string& path) {
  StoreOptions options;
  options.directory = path;
  options.file_system = &fs;
  options.threads = 1;
  auto store = Store::Open(options);
  Client client;
  return store.ok() && (*store)->Run(client, {"GET", "key"}).text == "value";
}

class PartialDirectoryTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam()) return;
    ASSERT_TRUE(memory_.CreateDirectory("new").ok());
    ASSERT_TRUE(memory_.CreateDirectory("new/lost+found").ok());
  }
  Names Before() const { return GetParam() ? Names{"lost+found"} : Names{"(none)"}; }
  std::string Partial() const { return GetParam() ? "new/.partial" : "new.partial"; }

  MemoryFileSystem memory_;
};

TEST_P(PartialDirectoryTest, IsThereOnlyOncePublished) {
  for (const bool publishes : {false, true}) {
    auto made = PartialDirectory::Create(memory_, "new/");
    ASSERT_TRUE(made.ok()) << made.status().message();
    EXPECT_EQ((*made)->path(), Partial());
    Build(memory_, (*made)->path());
    if (publishes) EXPECT_TRUE((*made)->Publish().ok());
    made->reset();
    EXPECT_EQ(NamesIn(memory_, Partial()), Names{"(none)"});
    if (!publishes) EXPECT_EQ(NamesIn(memory_, "new"), Before());
  }
  EXPECT_TRUE(Holds(memory_, "new"));
  EXPECT_TRUE(*memory_.Exists("new/unplaced-7.resp"));
  EXPECT_EQ(PartialDirectory::Create(memory_, "new").status().code(), StatusCode::kAlreadyExists);
}

// Whatever call of the publication fails, for good or until the process is gone: all is there, or nothing is in the way of the next.
TEST_P(PartialDirectoryTest, AFailureAtAnyStepLeavesAllOrNothing) {
  constexpr uint64_t kCalls = 6;
  for (const FileOperation operation : {FileOperation::kRename, FileOperation::kSyncDirectory}) {
    for (const bool recovers : {false, true}) {
      for (uint64_t call = 0; call < kCalls; call++) {
        SCOPED_TRACE("operation " + std::to_string(static_cast<int>(operation)) + ", call " + std::to_string(call));
        MemoryFileSystem memory;
        if (GetParam()) ASSERT_TRUE(memory.CreateDirectory("new").ok());
        FaultyFileSystem faulty(memory);
        {
          auto made = PartialDirectory::Create(faulty, "new");
          ASSERT_TRUE(made.ok()) << made.status().message();
          Build(faulty, (*made)->path());
          faulty.AddFault({.operation = operation, .let_pass = call, .fail_count = recovers ? 1 : UINT64_MAX});
          (void)(*made)->Publish();
        }
        faulty.ClearFaults();
        if (*memory.Exists("new/MANIFEST")) {
          EXPECT_TRUE(Holds(memory, "new"));
          continue;
        }
        auto again = PartialDirectory::Create(memory, "new");
        ASSERT_TRUE(again.ok()) << again.status().message();
        Build(memory, (*again)->path());
        EXPECT_TRUE((*again)->Publish().ok());
        again->reset();
        EXPECT_TRUE(Holds(memory, "new"));
      }
    }
  }
}

TEST_P(PartialDirectoryTest, KeepsItsHandsOffWhatAnotherIsMaking) {
  auto first = PartialDirectory::Create(memory_, "new");
  ASSERT_TRUE(first.ok());
  StoreOptions options;
  options.directory = (*first)->path();
  options.file_system = &memory_;
  auto store = Store::Open(options);
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(PartialDirectory::Create(memory_, "new").status().code(), StatusCode::kLocked);
  EXPECT_TRUE((*store)->SaveAndWait().ok());
  EXPECT_TRUE((*store)->Close(false).ok());
  store->reset();
  EXPECT_TRUE((*first)->Publish().ok());
}

INSTANTIATE_TEST_SUITE_P(NothingThereAndEmpty, PartialDirectoryTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Empty" : "NothingThere"; });

TEST(PartialDirectory, NeedsAParentAndRoom) {
  MemoryFileSystem fs;
  EXPECT_EQ(PartialDirectory::CheckTarget(fs, "a/b").code(), StatusCode::kNotFound);
  EXPECT_EQ(PartialDirectory::Create(fs, "a/b").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(NamesIn(fs, "a"), Names{"(none)"});
  ASSERT_TRUE(fs.CreateDirectory("full").ok());
  ASSERT_TRUE(fs.CreateDirectory("full/log").ok());
  EXPECT_EQ(PartialDirectory::CheckTarget(fs, "full").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(PartialDirectory::CheckTarget(fs, "").code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace cairn
