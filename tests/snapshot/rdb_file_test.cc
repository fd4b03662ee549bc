// RDB files: what the writer writes the reader gives back, and damaged files are refused, whatever the damage.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/crc64.h"
#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"
#include "snapshot/rdb_reader.h"
#include "snapshot/rdb_writer.h"

namespace cairn {
namespace {

constexpr uint8_t kString = 0, kList = 1, kHash = 4;

// An entry that owns its bytes.
struct Read {
  RdbEntry entry;
  std::string key, value;
};

class RdbFileTest : public ::testing::Test {
 protected:
  void Write(const std::string& bytes) {
    auto file = fs_.OpenForWriting("dump.rdb", FileSystem::OpenMode::kTruncate);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(bytes).ok());
  }
  std::string Bytes() { return *ReadWholeFile(fs_, "dump.rdb", 1 << 30); }

  Status ReadAll(std::vector<Read>* all) {
    CAIRN_ASSIGN_OR_RETURN(const auto reader, RdbReader::Open(fs_, "dump.rdb"));
    for (RdbBatch batch;;) {
      CAIRN_RETURN_IF_ERROR(reader->Next(&batch));
      if (batch.entries.empty()) break;
      for (const RdbEntry& entry : batch.entries) {
        all->push_back({entry, std::string(entry.key), std::string(entry.value)});
        EXPECT_EQ(Bytes().substr(batch.OffsetOf(entry), entry.value.size()), entry.value);
      }
    }
    functions_ = reader->functions();
    aux_fields_ = reader->aux_fields();
    modules_ = reader->skipped_modules();
    end_ = reader->offset();
    return Status();
  }
  // The message of a file's refusal.
  std::string Refusal(const std::string& bytes) {
    Write(bytes);
    std::vector<Read> all;
    const Status status = ReadAll(&all);
    return status.ok() ? "" : std::string(status.message());
  }

  MemoryFileSystem fs_;
  std::vector<std::string> functions_, modules_;
  std::vector<std::pair<std::string, std::string>> aux_fields_;
  uint64_t end_ = 0;
};

std::string Header(int version) {
  const std::string digits = std::to_string(version);
  return "REDIS" + std::string(4 - digits.size(), '0') + digits;
}

std::string WithChecksum(std::string bytes) {
  char checksum[8];
  StoreLittleEndian(checksum, Crc64(bytes));
  return bytes.append(checksum, 8);
}

TEST_F(RdbFileTest, WhatIsWrittenIsRead) {
  auto writer = RdbWriter::Create(fs_, "dump.rdb");
  ASSERT_TRUE(writer.ok());
  (*writer)->AddAux("redis-ver", "7.0.15");
  (*writer)->AddFunction("#!lua name=f\n");
  (*writer)->AddDatabaseSize(0, 3, 1);
  const std::string large(5 << 20, 'x');
  const std::string large_value = std::string("\x80\x00\x50\x00\x00", 5) + large;
  (*writer)->AddEntry({.value_type = kString, .expiry_unix_ms = 12345678901234, .key = "k", .value = "\x01v"});
  (*writer)->AddEntry({.value_type = kList, .idle_s = 77, .key = std::string_view("a\0b", 3), .value = "\x02\x01x\x01y"});
  (*writer)->BeginEntry({.value_type = kString, .frequency = 200, .key = large});
  (*writer)->AppendValue(std::string_view(large_value).substr(0, 1000));
  (*writer)->AppendValue(std::string_view(large_value).substr(1000));
  (*writer)->AddEntry({.database = 70, .value_type = kHash, .expiry_unix_ms = 0, .key = "", .value = "\x01\x01x\x01y"});
  EXPECT_FALSE(*fs_.Exists("dump.rdb"));
  ASSERT_TRUE((*writer)->Finish().ok());
  EXPECT_EQ((*writer)->size_bytes(), Bytes().size());
  EXPECT_FALSE(*fs_.Exists("dump.rdb.tmp"));

  std::vector<Read> all;
  const Status status = ReadAll(&all);
  ASSERT_TRUE(status.ok()) << status.message();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].key, "k");
  EXPECT_EQ(all[0].value, "\x01v");
  EXPECT_EQ(all[0].entry.expiry_unix_ms, 12345678901234);
  EXPECT_EQ(all[0].entry.idle_s, -1);
  EXPECT_EQ(all[1].key, std::string_view("a\0b", 3));
  EXPECT_EQ(all[1].entry.idle_s, 77);
  EXPECT_EQ(all[1].entry.expiry_unix_ms, -1);
  EXPECT_EQ(all[2].key, large);
  EXPECT_EQ(all[2].value, large_value);
  EXPECT_EQ(all[2].entry.frequency, 200);
  EXPECT_EQ(all[3].entry.database, 70u);
  EXPECT_EQ(all[3].entry.expiry_unix_ms, 0);
  EXPECT_EQ(functions_, std::vector<std::string>{"#!lua name=f\n"});
  EXPECT_EQ(aux_fields_.front().second, "7.0.15");
  EXPECT_EQ(end_, Bytes().size());
}

TEST_F(RdbFileTest, AnAbandonedWriterLeavesNothing) {
  { auto writer = RdbWriter::Create(fs_, "dump.rdb"); }
  EXPECT_FALSE(*fs_.Exists("dump.rdb"));
  EXPECT_FALSE(*fs_.Exists("dump.rdb.tmp"));
}

// Commits share the disk with a file that is being written, and wait for what of it was given to the disk at once.
TEST_F(RdbFileTest, GoesToDiskInSmallParts) {
  constexpr uint64_t kAtOnceMost = 4 << 20;
  FaultyFileSystem observed(fs_);
  uint64_t synced = 0, most_at_once = 0;
  observed.SetHook([&](FileOperation operation, const std::string& path) {
    if (operation != FileOperation::kSync) return;
    const uint64_t size = *fs_.FileSize(path);
    most_at_once = std::max(most_at_once, size - std::exchange(synced, size));
  });
  auto writer = RdbWriter::Create(observed, "dump.rdb");
  ASSERT_TRUE(writer.ok());
  const std::string value = std::string("\x80\x00\x01\x86\xA0", 5) + std::string(100'000, 'v');
  for (int i = 0; i < 160; i++) {
    const std::string key = std::to_string(i);
    RdbEntry entry;
    entry.value_type = kString;
    entry.key = key;
    entry.value = value;
    (*writer)->AddEntry(entry);
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  EXPECT_EQ(synced, Bytes().size());
  EXPECT_LE(most_at_once, kAtOnceMost);
  std::vector<Read> all;
  ASSERT_TRUE(ReadAll(&all).ok());
  EXPECT_EQ(all.size(), 160u);
}

TEST_F(RdbFileTest, OldVersionsHaveSecondsAndNoChecksum) {
  Write(Header(3) + std::string("\xFE\x01\xFD\x10\x00\x00\x00\x00\xC0\x05\x01v\xFF", 13));
  std::vector<Read> all;
  ASSERT_TRUE(ReadAll(&all).ok());
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].key, "5");  // a key may be written as a number
  EXPECT_EQ(all[0].entry.expiry_unix_ms, 16000);
  EXPECT_EQ(all[0].entry.database, 1u);
}

TEST_F(RdbFileTest, WhatFollowsTheEndIsLeftToTheCaller) {
  const std::string rdb = WithChecksum(Header(10) + std::string("\x00\x01k\x01v\xFF", 6));
  Write(rdb + "*1\r\n$4\r\nPING\r\n");
  std::vector<Read> all;
  ASSERT_TRUE(ReadAll(&all).ok());
  EXPECT_EQ(end_, rdb.size());
}

TEST_F(RdbFileTest, NewerOpcodesAndModulesStateAreSkipped) {
  const std::string slot("\xF4\x05\x01\x00", 4);
  const std::string module = std::string("\xF7\x81\x65\xB2\x96\xC8\x5B\x4C\x00\x01\x02\x01\x05\x03xyz\x04", 18) +
                             std::string(8, 'd') + std::string("\x00", 1);
  Write(WithChecksum(Header(12) + module + slot + std::string("\x00\x01k\x01v\xFF", 6)));
  std::vector<Read> all;
  const Status status = ReadAll(&all);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(all.size(), 1u);
  ASSERT_EQ(modules_.size(), 1u);
  EXPECT_EQ(modules_[0].size(), 9u);
}

// A hash of the field f with the value v, without a deadline, in the form that only Valkey has.
const std::string kValkeyHash = std::string(
                                    "\x16\x01k\x01\x01"
                                    "f\x01v",
                                    8) +
                                std::string(8, '\xFF');

TEST_F(RdbFileTest, ValkeysFilesAreRead) {
  const std::string slot_import = std::string("\xF3\x03job\x01\x05\x40\x80", 9);
  Write(WithChecksum("VALKEY080" + slot_import + kValkeyHash + "\xFF"));
  std::vector<Read> all;
  const Status status = ReadAll(&all);
  ASSERT_TRUE(status.ok()) << status.message();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].entry.value_type, kRdbTypeHash2);
  EXPECT_EQ(all[0].value, kValkeyHash.substr(3));
  EXPECT_EQ(Refusal(WithChecksum(Header(12) + kValkeyHash + "\xFF")),
            "dump.rdb at byte 9: a value of type 22, which this version does not know");
}

TEST_F(RdbFileTest, ModulesNotesOfAKeyAreSkipped) {
  const std::string notes("\xF3\x02\x01\x02\x03\x04\x02\x07\x00\x05\x06\x07\x08\x05\x01x\x00", 17);
  const std::string string("\x00\x01k\x01v", 5);
  Write(WithChecksum(Header(13) + notes + string + notes + string + "\xFF"));
  std::vector<Read> all;
  const Status status = ReadAll(&all);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(all.size(), 2u);
  EXPECT_EQ(modules_.size(), 1u);
}

TEST_F(RdbFileTest, WhatIsNotUnderstoodIsRefusedWithThePlace) {
  EXPECT_EQ(Refusal(""), "dump.rdb at byte 0: it is no RDB file: it begins neither with REDIS nor with VALKEY");
  EXPECT_EQ(Refusal("REDI"), "dump.rdb at byte 0: the file ends inside its header");
  EXPECT_EQ(Refusal("PK\x03\x04 a zip file"),
            "dump.rdb at byte 0: it is no RDB file: it begins neither with REDIS nor with VALKEY");
  EXPECT_EQ(Refusal("REDIS0x10"), "dump.rdb at byte 0: the version is no number");
  EXPECT_EQ(Refusal(Header(80)), "dump.rdb at byte 0: RDB version 80 is newer than the newest known, 15");
  EXPECT_EQ(Refusal("VALKEY081"), "dump.rdb at byte 0: Valkey's RDB version 81 is newer than the newest known, 80");
  EXPECT_EQ(Refusal("VALK"), "dump.rdb at byte 0: the file ends inside its header");
  EXPECT_EQ(Refusal(Header(10)), "dump.rdb at byte 9: the file ends early, without its end mark");
  EXPECT_EQ(Refusal(Header(10) + "\x63\x01k\x01v"), "dump.rdb at byte 9: a value of type 99, which this version does not know");
  EXPECT_EQ(Refusal(Header(10) + std::string("\x07\x01k\x81\x65\xB2\x96\xC8\x5B\x4C\x00\x01", 12)).substr(0, 62),
            "dump.rdb at byte 9: the key 'k' holds a value of the module ty");
  std::string changed = WithChecksum(Header(10) + std::string("\x00\x01k\x01v\xFF", 6));
  changed[11] = 'l';
  EXPECT_EQ(Refusal(changed), "dump.rdb at byte 15: RDB CRC error: the file was changed or damaged since it was written");
}

TEST_F(RdbFileTest, LengthsBeyondTheFileAllocateNothing) {
  const std::string tail = "\xFF________";
  // A string of 2^62 bytes, a list of 2^62 elements, a stream's consumer with 2^60 pending entries.
  const std::string huge("\x81\x40\x00\x00\x00\x00\x00\x00\x00", 9);
  EXPECT_EQ(Refusal(Header(10) + std::string("\x00\x01k", 3) + huge + tail),
            "dump.rdb at byte 9: the file ends early, inside this item");
  EXPECT_EQ(Refusal(Header(10) + std::string("\x01\x01k", 3) + huge + "\x01x\x01y"),
            "dump.rdb at byte 9: the file ends early, inside this item");
  EXPECT_EQ(Refusal(Header(10) + std::string("\xFA\x01k", 3) + huge),
            "dump.rdb at byte 9: the file ends early, inside this item");
}

TEST_F(RdbFileTest, EveryCutAndEveryChangedByteIsNoticed) {
  const std::string whole =
      WithChecksum(Header(10) + std::string("\xFA\x03"
                                            "abc\x01"
                                            "d\xFE\x00\xFB\x01\x01\xFC\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01k\x02vv\xFF",
                                            28));
  ASSERT_EQ(Refusal(whole), "");
  for (size_t size = 0; size < whole.size(); size++) EXPECT_NE(Refusal(whole.substr(0, size)), "") << size;
  for (size_t i = 0; i < whole.size(); i++) {
    for (const int bit : {0, 3, 7}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      EXPECT_NE(Refusal(changed), "") << i;
    }
  }
}

}  // namespace
}  // namespace cairn
