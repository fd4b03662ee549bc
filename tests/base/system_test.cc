// Clock, random numbers, allocator, logger, locks, status and shared bytes.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "base/allocator.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/logger.h"
#include "base/random.h"
#include "base/status.h"
#include "base/thread_annotations.h"

namespace cairn {
namespace {

TEST(Status, FromErrno) {
  EXPECT_EQ(Status::FromErrno(ENOENT, "open x").code(), StatusCode::kNotFound);
  EXPECT_EQ(Status::FromErrno(ENOSPC, "write x").code(), StatusCode::kNoSpace);
  EXPECT_EQ(Status::FromErrno(EDQUOT, "write x").code(), StatusCode::kNoSpace);
  const Status status = Status::FromErrno(EIO, "write data/x at 7");
  EXPECT_EQ(status.ToString(), "I/O error: write data/x at 7: Input/output error");
  EXPECT_EQ(Status().ToString(), "OK");
}

TEST(SharedBytes, SharesAndFrees) {
  SharedBytes empty = SharedBytes::Copy("");
  EXPECT_EQ(empty.size(), 0u);
  SharedBytes bytes = SharedBytes::Copy("hello");
  EXPECT_TRUE(bytes.unique());
  {
    SharedBytes other = bytes;
    EXPECT_FALSE(bytes.unique());
    EXPECT_EQ(other.view().data(), bytes.view().data());
  }
  EXPECT_TRUE(bytes.unique());
  SharedBytes moved = std::move(bytes);
  EXPECT_EQ(moved.view(), "hello");
}

TEST(LittleEndian, RoundTrips) {
  char room[9] = {};
  StoreLittleEndian<uint64_t>(room + 1, 0x0102030405060708);
  EXPECT_EQ(room[1], 8);
  EXPECT_EQ(LoadLittleEndian<uint64_t>(room + 1), 0x0102030405060708u);
  EXPECT_EQ(LoadLittleEndian<uint16_t>(room + 1), 0x0708);
}

TEST(Clock, RealAndManual) {
  EXPECT_GT(RealClock().WallUs(), 1'600'000'000'000'000);
  const int64_t before = RealClock().MonotonicUs();
  EXPECT_LE(before, RealClock().MonotonicUs());
  ManualClock clock(5'000'000);
  const int64_t monotonic = clock.MonotonicUs();
  clock.Advance(1500);
  EXPECT_EQ(clock.WallUs(), 5'001'500);
  EXPECT_EQ(clock.MonotonicUs(), monotonic + 1500);
  clock.SetWallUs(1);
  EXPECT_EQ(clock.MonotonicUs(), monotonic + 1500);
}

TEST(Random, SameSeedSameSequence) {
  Random a(5);
  Random b(5);
  Random c(6);
  bool differs = false;
  for (int i = 0; i < 100; i++) {
    const uint64_t value = a.Next();
    EXPECT_EQ(value, b.Next());
    differs |= value != c.Next();
  }
  EXPECT_TRUE(differs);
}

TEST(Random, UniformCoversItsRange) {
  Random random(7);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; i++) {
    const uint64_t value = random.Uniform(10);
    ASSERT_LT(value, 10u);
    seen.insert(value);
    const int64_t between = random.Between(-3, 3);
    ASSERT_GE(between, -3);
    ASSERT_LE(between, 3);
    ASSERT_LT(random.UnitDouble(), 1.0);
  }
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_EQ(random.Bytes(13).size(), 13u);
}

TEST(SecureRandomHex, LengthAlphabetAndDifference) {
  const std::string id = SecureRandomHex(40);
  EXPECT_EQ(id.size(), 40u);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(id, SecureRandomHex(40));
}

TEST(Allocator, SizesAreForetold) {
  EXPECT_EQ(AllocationSize(0), 0u);
  for (size_t size = 1; size < 100'000; size += 1 + size / 10) {
    const size_t rounded = AllocationSize(size);
    EXPECT_GE(rounded, size);
    EXPECT_EQ(rounded, AllocationSize(rounded));
    void* pointer = AllocateBytes(size);
    std::memset(pointer, 1, size);
    pointer = ReallocateBytes(pointer, size, size * 2);
    EXPECT_EQ(static_cast<char*>(pointer)[size - 1], 1);
    FreeBytes(pointer, size * 2);
  }
}

TEST(Allocator, StatisticsFollowUse) {
  const uint64_t before = AllocatedBytes();
  constexpr size_t kSize = 64 << 20;
  void* pointer = AllocateBytes(kSize);
  std::memset(pointer, 1, kSize);
  EXPECT_GE(AllocatedBytes(), before + kSize / 2);
  EXPECT_GE(ResidentBytes(), kSize);
  const AllocatorStats stats = ReadAllocatorStats();
  EXPECT_GE(stats.resident_bytes, kSize);
  FreeBytes(pointer, kSize);
  PurgeAllocator();
#if defined(CAIRN_JEMALLOC)
  EXPECT_LT(AllocatedBytes(), before + kSize / 2);
  EXPECT_EQ(std::string(AllocatorName()).rfind("jemalloc-5.", 0), 0u);
#endif
}

TEST(Logger, SinkLevelsAndFile) {
  std::vector<std::string> lines;
  SetLogSink([&](LogLevel level, std::string_view message) {
    lines.push_back(std::string(LogLevelName(level)) + " " + std::string(message));
  });
  LogF(LogLevel::kNotice, "%d of %s", 3, "many");
  SetLogSink(nullptr);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0], "notice 3 of many");

  const std::string path = testing::TempDir() + "cairn_logger_test_" + std::to_string(getpid()) + ".log";
  ASSERT_TRUE(SetLogFile(path).ok());
  EXPECT_FALSE(SetLogFile("/nowhere/at/all/x.log").ok());
  Log(LogLevel::kVerbose, "not written");
  Log(LogLevel::kWarning, "written");
  ASSERT_TRUE(ReopenLogFile().ok());
  Log(LogLevel::kNotice, "too");
  ASSERT_TRUE(SetLogFile("").ok());
  std::ifstream file(path);
  std::string first;
  std::string second;
  std::getline(file, first);
  std::getline(file, second);
  EXPECT_EQ(first.substr(0, first.find(' ')), std::to_string(getpid()) + ":M");
  EXPECT_NE(first.find(" # written"), std::string::npos);
  EXPECT_NE(second.find(" * too"), std::string::npos);
  std::remove(path.c_str());
  LogLevel level;
  EXPECT_TRUE(ParseLogLevel("verbose", &level));
  EXPECT_EQ(level, LogLevel::kVerbose);
  EXPECT_FALSE(ParseLogLevel("loud", &level));
}

template <typename LockType>
void CountWithFourThreads() {
  LockType lock;
  int count = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&] {
      for (int n = 0; n < 20'000; n++) {
        BasicLock<LockType> hold(lock);
        count++;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 80'000);
}

TEST(Locks, ExcludeEachOther) {
  CountWithFourThreads<Mutex>();
  CountWithFourThreads<SpinLock>();
}

TEST(Locks, SpinLockSleepersAreWoken) {
  SpinLock lock;
  lock.Lock();
  std::atomic<int> entered{0};
  std::vector<std::thread> threads;
  threads.reserve(3);
  for (int i = 0; i < 3; i++) {
    threads.emplace_back([&] {
      SpinLockHolder hold(lock);
      entered++;
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(entered, 0);
  lock.Unlock();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(entered, 3);
}

TEST(Locks, CondVarWaits) {
  Mutex mutex;
  CondVar condition;
  bool ready = false;
  std::thread thread([&] {
    MutexLock lock(mutex);
    ready = true;
    condition.NotifyAll();
  });
  {
    MutexLock lock(mutex);
    while (!ready) condition.Wait(mutex);
    EXPECT_FALSE(condition.WaitFor(mutex, 1000));
  }
  thread.join();
}

}  // namespace
}  // namespace cairn
