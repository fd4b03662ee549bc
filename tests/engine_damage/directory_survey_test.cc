// The survey finds every changed byte of a data directory, finds nothing in a sound one, and its repair loses nothing that was readable.
//
// CAIRN_BYTE_CHANGES=10000 changes so many bytes (a minute or two); without it some hundred.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "engine/directory_repair.h"
#include "engine/directory_survey.h"
#include "snapshot/snapshot_format.h"
#include "tests/engine_damage/directory_image.h"
#include "tests/support/test_seed.h"

namespace cairn {
namespace {

uint64_t ChangeCount() {
  const char* given = std::getenv("CAIRN_BYTE_CHANGES");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 300;
}

std::string TextOf(const DirectorySurvey& survey) {
  std::string text;
  for (const DirectoryFault& fault : survey.faults) {
    text += fault.file + " at " + std::to_string(fault.offset) + " (" + std::to_string(fault.bytes) + "): " + fault.what +
            " LSN " + std::to_string(fault.from_lsn) + "-" + std::to_string(fault.until_lsn) + "\n";
  }
  return text;
}

DirectorySurvey SurveyOf(MemoryFileSystem& fs) {
  DirectorySurvey survey;
  const Status status = SurveyDirectory(fs, kImageDirectory, {}, &survey);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return survey;
}

KeyspaceState StateOfDirectory(FileSystem& fs, const std::string& directory) {
  auto opened = Store::Open(ImageStoreOptions(fs, directory));
  EXPECT_TRUE(opened.ok()) << opened.status().ToString();
  return opened.ok() ? StateOf(**opened) : KeyspaceState();
}

// A directory with two snapshots, several segments and all types.
void FillLife(RecordedLife& life) {
  life.Start();
  life.Write(150);
  life.Save(false);
  life.Write(60);
  life.Keep("crashed");
  life.Close();
  life.Keep("closed");
  life.Start();
  life.Write(40);
  life.Save(true);
  life.Write(40);
  life.Close();
  life.Keep("compacted");
}

class DirectorySurveyTest : public testing::Test {
 protected:
  void MakeLife(Random& random, int64_t retention_hours) {
    RuntimeOptions runtime;
    runtime.log_retention_hours = retention_hours;
    life_ = std::make_unique<RecordedLife>(random.Next(), 0, runtime);
    FillLife(*life_);
  }
  std::unique_ptr<RecordedLife> life_;
};

TEST_F(DirectorySurveyTest, SoundDirectoriesAreSound) {
  CAIRN_SEEDED(random);
  for (const int64_t retention_hours : {0, 1}) {
    MakeLife(random, retention_hours);
    for (const RecordedLife::Kept& kept : life_->kept()) {
      MemoryFileSystem fs;
      WriteImage(kept.image, fs);
      const DirectorySurvey survey = SurveyOf(fs);
      EXPECT_TRUE(survey.sound()) << kept.name << ": " << TextOf(survey);
      EXPECT_GT(survey.checked_bytes, 0u);
      EXPECT_EQ(CopyOf(fs), kept.image) << "a survey changes nothing";
    }
  }
}

// Keys that differ from what they were.
std::vector<std::string> Differences(const KeyspaceState& was, const KeyspaceState& is) {
  std::vector<std::string> different;
  for (const auto& [key, value] : was) {
    const auto found = is.find(key);
    if (found == is.end() || found->second != value) different.push_back(key);
  }
  for (const auto& [key, value] : is) {
    if (!was.contains(key)) different.push_back(key);
  }
  return different;
}

TEST_F(DirectorySurveyTest, EveryChangedByteIsFoundAndRepairLosesNothingReadable) {
  CAIRN_SEEDED(random);
  MakeLife(random, 1);
  const RecordedLife::Kept& whole = life_->kept().back();
  std::vector<std::pair<std::string, uint64_t>> files;  // with the sum of bytes up to its end
  uint64_t total = 0;
  for (const auto& [path, bytes] : whole.image) {
    if (KindOf(path) == "lock file") continue;
    files.emplace_back(path, total += bytes.size());
  }
  MemoryFileSystem undamaged;
  WriteImage(whole.image, undamaged);
  const KeyspaceState expected = StateOfDirectory(undamaged, kImageDirectory);
  const uint64_t changes = ChangeCount();
  uint64_t found = 0, lossless = 0;
  for (uint64_t i = 0; i < changes; i++) {
    uint64_t at = random.Uniform(total);
    const auto file = std::find_if(files.begin(), files.end(), [at](const auto& each) { return at < each.second; });
    at -= file->second - whole.image.at(file->first).size();
    const char change = static_cast<char>(1 + random.Uniform(255));
    DirectoryImage image = whole.image;
    image[file->first][at] = static_cast<char>(image[file->first][at] ^ change);
    SCOPED_TRACE(file->first + " at " + std::to_string(at));
    MemoryFileSystem fs;
    WriteImage(image, fs);
    const DirectorySurvey survey = SurveyOf(fs);
    EXPECT_FALSE(survey.sound());
    const bool named = std::any_of(survey.faults.begin(), survey.faults.end(),
                                   [&](const DirectoryFault& fault) { return fault.file == file->first; });
    EXPECT_TRUE(named) << TextOf(survey);
    found += named ? 1 : 0;
    if (i % 10 != 0) continue;
    RepairReport report;
    const Status repaired = RepairDirectory(fs, kImageDirectory, survey, {.new_directory = "repaired"}, &report);
    ASSERT_TRUE(repaired.ok()) << repaired.ToString();
    // An older snapshot and the log stand in for each other, so one changed byte costs nothing, unless it is in the log behind both.
    const std::vector<std::string> different = Differences(expected, StateOfDirectory(fs, "repaired"));
    if (report.losses.empty()) EXPECT_TRUE(different.empty()) << different.front() << "\n" << TextOf(survey);
    lossless += report.losses.empty() ? 1 : 0;
  }
  std::printf("%llu of %llu changed bytes found; %llu of %llu repairs without a loss\n", static_cast<unsigned long long>(found),
              static_cast<unsigned long long>(changes), static_cast<unsigned long long>(lossless),
              static_cast<unsigned long long>((changes + 9) / 10));
}

// One snapshot and no log: a damaged block costs its keys and no others.
TEST_F(DirectorySurveyTest, ADamagedBlockCostsItsKeysOnly) {
  CAIRN_SEEDED(random);
  RuntimeOptions runtime;
  runtime.append_only = false;
  RecordedLife life(random.Next(), 0, runtime);
  life.Start();
  life.Write(300);
  life.Save(false);
  life.Close();
  life.Keep("saved");
  const RecordedLife::Kept& whole = life.kept().back();
  MemoryFileSystem undamaged;
  WriteImage(whole.image, undamaged);
  const KeyspaceState expected = StateOfDirectory(undamaged, kImageDirectory);
  for (int i = 0; i < 60; i++) {
    DirectoryImage image = whole.image;
    const auto data = std::find_if(image.begin(), image.end(), [](const auto& file) { return KindOf(file.first) == "snapshot"; });
    ASSERT_TRUE(data != image.end());
    const uint64_t at = random.Uniform(data->second.size());
    data->second[at] = static_cast<char>(data->second[at] ^ 0x10);
    SCOPED_TRACE(std::to_string(at));
    MemoryFileSystem fs;
    WriteImage(image, fs);
    const DirectorySurvey survey = SurveyOf(fs);
    ASSERT_EQ(survey.faults.size(), 1u) << TextOf(survey);
    RepairReport report;
    const Status repaired = RepairDirectory(fs, kImageDirectory, survey, {.new_directory = "repaired"}, &report);
    ASSERT_TRUE(repaired.ok()) << repaired.ToString();
    const KeyspaceState saved = StateOfDirectory(fs, "repaired");
    EXPECT_EQ(Differences(expected, saved).size(), survey.faults[0].entries);
    EXPECT_EQ(survey.faults[0].loses, survey.faults[0].entries > 0);
    EXPECT_EQ(report.losses.size(), survey.faults[0].loses ? 1u : 0u);
    EXPECT_EQ(report.keys, saved.size());
  }
}

// A damaged frame in a log of one database: what stands behind it is there, and the loss is named.
TEST_F(DirectorySurveyTest, ADamagedFrameCostsItsRecordsOnly) {
  MemoryFileSystem fs;
  {
    auto opened = Store::Open(ImageStoreOptions(fs, kImageDirectory));
    ASSERT_TRUE(opened.ok());
    Client client;
    for (int i = 0; i < 50; i++) (*opened)->Run(client, {"SET", "key:" + std::to_string(i), "value"});
    ASSERT_TRUE((*opened)->Close(false).ok());
  }
  const std::string segment = "db/log/00000000000000000001.log";
  const std::string bytes = *fs.Content(segment);
  const size_t at = bytes.find("key:20");
  ASSERT_TRUE(fs.FlipBit(segment, at + 5, 0).ok());
  const DirectorySurvey survey = SurveyOf(fs);
  ASSERT_EQ(survey.faults.size(), 1u) << TextOf(survey);
  const DirectoryFault& fault = survey.faults[0];
  EXPECT_TRUE(fault.loses);
  EXPECT_LT(fault.offset, at);
  EXPECT_GT(fault.offset + fault.bytes, at);
  EXPECT_NE(fault.holds.find("SET key:"), std::string::npos) << fault.holds;
  RepairReport report;
  ASSERT_TRUE(RepairDirectory(fs, kImageDirectory, survey, {.new_directory = "repaired"}, &report).ok());
  EXPECT_EQ(report.keys, 49u);
  ASSERT_EQ(report.losses.size(), 1u);
  EXPECT_EQ(StateOfDirectory(fs, "repaired").count("0:key:20"), 0u);
  EXPECT_EQ(StateOfDirectory(fs, "repaired").count("0:key:49"), 1u);
  RepairReport cut;
  ASSERT_TRUE(RepairDirectory(fs, kImageDirectory, survey, {.new_directory = "cut", .cut = true}, &cut).ok());
  EXPECT_EQ(cut.keys, 20u);
  EXPECT_EQ(cut.losses.size(), 2u);
  // A directory that has files is left alone.
  EXPECT_EQ(RepairDirectory(fs, kImageDirectory, survey, {.new_directory = "cut"}, &cut).code(), StatusCode::kAlreadyExists);
}

// The log still reaches back beyond a damaged snapshot: nothing of it is needed.
TEST_F(DirectorySurveyTest, TheLogStandsInForADamagedSnapshot) {
  CAIRN_SEEDED(random);
  RecordedLife life(random.Next(), 0);
  life.Start();
  life.Write(100);
  life.Save(false);
  life.Write(10);
  life.Close();
  MemoryFileSystem fs;
  WriteImage(life.Keep("closed"), fs);
  const KeyspaceState expected = [&] {
    MemoryFileSystem copy;
    WriteImage(life.kept().back().image, copy);
    return StateOfDirectory(copy, kImageDirectory);
  }();
  for (const auto& [path, bytes] : life.kept().back().image) {
    if (KindOf(path) == "snapshot") ASSERT_TRUE(fs.FlipBit(path, kFileHeaderBytes + 40, 1).ok());
  }
  const DirectorySurvey survey = SurveyOf(fs);
  EXPECT_FALSE(survey.sound());
  RepairReport report;
  ASSERT_TRUE(RepairDirectory(fs, kImageDirectory, survey, {.new_directory = "repaired"}, &report).ok());
  EXPECT_TRUE(report.losses.empty()) << report.losses[0];
  EXPECT_EQ(Differences(expected, StateOfDirectory(fs, "repaired")), std::vector<std::string>());
}

// A missing or damaged manifest, a missing segment and a damaged segment header do not cost what else is there.
TEST_F(DirectorySurveyTest, WholeFilesMayBeMissing) {
  CAIRN_SEEDED(random);
  MakeLife(random, 1);
  const RecordedLife::Kept& whole = life_->kept().back();
  MemoryFileSystem undamaged;
  WriteImage(whole.image, undamaged);
  const KeyspaceState expected = StateOfDirectory(undamaged, kImageDirectory);
  for (const auto& [path, bytes] : whole.image) {
    if (KindOf(path) == "lock file" || KindOf(path) == "reserve") continue;
    SCOPED_TRACE(path);
    DirectoryImage image = whole.image;
    image.erase(path);
    MemoryFileSystem fs;
    WriteImage(image, fs);
    const DirectorySurvey survey = SurveyOf(fs);
    RepairReport report;
    const Status repaired = RepairDirectory(fs, kImageDirectory, survey, {.new_directory = "repaired"}, &report);
    ASSERT_TRUE(repaired.ok()) << repaired.ToString();
    if (report.losses.empty()) EXPECT_TRUE(Differences(expected, StateOfDirectory(fs, "repaired")).empty());
    if (KindOf(path) != "segment") EXPECT_TRUE(report.losses.empty()) << report.losses[0];
  }
}

}  // namespace
}  // namespace cairn
