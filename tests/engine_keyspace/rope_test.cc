#include "engine/values/rope.h"

#include <gtest/gtest.h>

#include "keyspace_fixture.h"

namespace cairn {
namespace {

std::string Flat(const Rope& rope) {
  std::string bytes;
  rope.CopyTo(0, rope.size(), &bytes);
  return bytes;
}

TEST(Rope, FollowsAString) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 12; round++) {
    std::string model = random.Bytes(random.Uniform(100000));
    Rope rope = Rope::Copy(model);
    std::vector<std::pair<Rope, std::string>> retained;  // what snapshots and replies hold must never change
    for (int step = 0; step < 150; step++) {
      switch (random.Uniform(6)) {
        case 0: {
          const std::string bytes = random.Bytes(random.Uniform(random.OneIn(4) ? 60000 : 50));
          rope.Append(bytes);
          model += bytes;
          break;
        }
        case 1:
        case 2: {
          const std::string bytes = random.Bytes(random.Uniform(random.OneIn(4) ? 60000 : 50));
          const uint64_t offset = random.Uniform(model.size() + (random.OneIn(5) ? 200000 : 10));
          rope.Overwrite(offset, bytes);
          if (!bytes.empty()) {
            if (model.size() < offset + bytes.size()) model.resize(offset + bytes.size());
            model.replace(offset, bytes.size(), bytes);
          }
          break;
        }
        case 3:
          if (retained.size() < 5) retained.emplace_back(rope, model);
          break;
        case 4:
          if (!retained.empty()) retained.erase(retained.begin());
          break;
        default: {
          const uint64_t offset = random.Uniform(model.size() + 1);
          const uint64_t size = random.Uniform(model.size() - offset + 1);
          EXPECT_EQ(Flat(rope.Substr(offset, size)), model.substr(offset, size));
          const std::string_view view = rope.Contiguous(offset, size);
          if (view.data() != nullptr) {
            EXPECT_EQ(view, std::string_view(model).substr(offset, size));
          }
          if (offset < model.size()) {
            EXPECT_EQ(rope.ByteAt(offset), static_cast<uint8_t>(model[offset]));
          }
        }
      }
      ASSERT_EQ(rope.size(), model.size());
    }
    EXPECT_EQ(Flat(rope), model);
    for (const auto& [kept, bytes] : retained) EXPECT_EQ(Flat(kept), bytes);
  }
}

TEST(Rope, SmallAppendsMakeFewSlices) {
  Rope rope = Rope::Copy(std::string(20000, 'x'));
  for (int i = 0; i < 200000; i++) rope.Append("0123456789");
  EXPECT_EQ(rope.size(), 2020000u);
  EXPECT_LT(rope.slices().size(), 60u);
  EXPECT_LT(rope.memory_bytes(), 2500000u);
}

TEST(Rope, SharesWhatItIsGiven) {
  const SharedBytes bytes = SharedBytes::Copy(std::string(1000000, 'a'));
  Rope rope(bytes);
  EXPECT_EQ(rope.slices()[0].view().data(), bytes.view().data());
  const Rope copy = rope;
  rope.Overwrite(500000, "b");
  EXPECT_EQ(copy.ByteAt(500000), 'a');
  EXPECT_EQ(rope.ByteAt(500000), 'b');
  EXPECT_EQ(rope.slices().size(), 3u);  // only the touched piece was replaced
}

TEST(Rope, GapsCostLittle) {
  Rope rope;
  rope.Overwrite(300000000, "x");
  EXPECT_EQ(rope.size(), 300000001u);
  EXPECT_EQ(rope.ByteAt(123456789), 0);
  rope.Overwrite(100000000, "y");
  EXPECT_EQ(rope.ByteAt(100000000), 'y');
  EXPECT_EQ(rope.ByteAt(100000001), 0);
  EXPECT_LT(rope.slices().size(), 400u);
}

}  // namespace
}  // namespace cairn
