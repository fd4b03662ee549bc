#include "engine/values/listpack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/values/listpack_search.h"
#include "tests/engine_keyspace/keyspace_fixture.h"

namespace cairn {
namespace {

std::string Packed(const std::vector<std::string>& elements) {
  ListpackBuilder builder;
  for (const std::string& element : elements) builder.Add(element);
  return std::string(builder.listpack());
}

std::vector<std::string> Elements(std::string_view bytes) {
  const ListpackView view(bytes);
  std::vector<std::string> elements;
  for (ListpackView::Position at = view.begin(); at != view.end();) view.Read(&at).AppendTo(&elements.emplace_back());
  return elements;
}

// What another writer of this format makes of the same elements.
TEST(Listpack, Bytes) {
  using namespace std::literals;
  EXPECT_EQ(Packed({}), kEmptyListpack);
  EXPECT_EQ(Packed({"a"}), "\x0a\0\0\0\x01\0\x81\x61\x02\xff"sv);
  EXPECT_EQ(Packed({"5", "127"}), "\x0b\0\0\0\x02\0\x05\x01\x7f\x01\xff"sv);
  EXPECT_EQ(Packed({"128", "-1", "-4096"}), "\x10\0\0\0\x03\0\xc0\x80\x02\xdf\xff\x02\xd0\x00\x02\xff"sv);
  EXPECT_EQ(Packed({"4096", "-32768"}), "\x0f\0\0\0\x02\0\xf1\x00\x10\x03\xf1\x00\x80\x03\xff"sv);
  EXPECT_EQ(Packed({"-32769", "8388607"}), "\x11\0\0\0\x02\0\xf2\xff\x7f\xff\x04\xf2\xff\xff\x7f\x04\xff"sv);
  EXPECT_EQ(Packed({"8388608"}), "\x0d\0\0\0\x01\0\xf3\x00\x00\x80\x00\x05\xff"sv);
  EXPECT_EQ(Packed({"-2147483649"}), "\x11\0\0\0\x01\0\xf4\xff\xff\xff\x7f\xff\xff\xff\xff\x09\xff"sv);
  EXPECT_EQ(Packed({""}), "\x09\0\0\0\x01\0\x80\x01\xff"sv);
  EXPECT_EQ(Packed({std::string(64, 'x')}), "\x4a\0\0\0\x01\0\xe0\x40"s + std::string(64, 'x') + "\x42\xff");
  EXPECT_EQ(Packed({std::string(4096, 'x')}), "\x0e\x10\0\0\x01\0\xf0\0\x10\0\0"s + std::string(4096, 'x') + "\x20\x85\xff");
}

TEST(Listpack, NumbersAreTextsOfNumbers) {
  for (const char* text : {"0", "-0", "007", "+1", " 1", "1 ", "9223372036854775807", "-9223372036854775808",
                           "9223372036854775808", "-9223372036854775809", "-", "12345678901234567890123"}) {
    const std::string bytes = Packed({text});
    EXPECT_EQ(Elements(bytes), std::vector<std::string>{text});
    int64_t number;
    EXPECT_EQ(ListpackView(bytes).Get(kListpackHeaderBytes).is_int(), ParseInt64(text, &number)) << text;
  }
}

TEST(Listpack, LengthsAtTheirLimits) {
  for (const size_t size : {63, 64, 125, 126, 127, 4095, 4096, 16377, 16378, 16379, 16380, 2097145, 2097146, 2097147}) {
    const std::string element(size, 'e');
    const std::string bytes = Packed({"first", element, "last"});
    const ListpackView view(bytes);
    uint32_t count;
    EXPECT_TRUE(ValidateListpack(bytes, &count));
    EXPECT_EQ(view.Get(view.Seek(1)).bytes.size(), size);
    EXPECT_EQ(view.Prev(view.Prev(view.end())), view.Seek(1)) << size;
    EXPECT_EQ(view.Skip(view.begin(), 3), view.end());
    EXPECT_EQ(view.Seek(1) + ListpackItem(element).encoded_bytes(), view.Seek(2));
  }
  // Only the size is asked of these.
  std::string large;
  large.resize(268435450);
  EXPECT_EQ(ListpackItem(std::string_view(large).substr(1)).encoded_bytes(), 268435449u + 5 + 4);
  EXPECT_EQ(ListpackItem(large).encoded_bytes(), 268435450u + 5 + 5);
}

TEST(Listpack, FindsTextsAndNumbers) {
  const std::string bytes = Packed({"a", "1", "1", "a", "", "300", "x", ""});
  const ListpackView view(bytes);
  const auto index_of = [&](std::string_view text, uint32_t skip) {
    const auto found = view.Find(view.begin(), ListpackItem(text), skip);
    uint32_t index = 0;
    for (auto at = view.begin(); at != found; at = view.Next(at)) index++;
    return index;
  };
  EXPECT_EQ(index_of("a", 0), 0u);
  EXPECT_EQ(index_of("1", 0), 1u);
  EXPECT_EQ(index_of("1", 1), 2u);
  EXPECT_EQ(index_of("", 0), 4u);
  EXPECT_EQ(index_of("300", 0), 5u);
  EXPECT_EQ(index_of("300", 1), 8u);
  EXPECT_EQ(index_of("30", 0), 8u);
  EXPECT_EQ(view.Find(view.begin(), ListpackItem(int64_t{300})), view.Seek(5));
  EXPECT_EQ(view.Find(view.begin(), ListpackItem(int64_t{7})), view.end());  // no text: not the empty one either
  EXPECT_EQ(view.Find(view.Seek(5), ListpackItem(view.Get(view.Seek(4)))), view.Seek(7));
}

// Another writer may keep the text of a number, and any length in a longer form.
TEST(Listpack, FindsNumbersThatAreKeptAsText) {
  using namespace std::literals;
  const std::string bytes = "\x0d\0\0\0\x01\0\xe0\x02"s + "42" + "\x04\xff";
  const std::string odd = "\x0c\0\0\0\x01\0\xe0\x02"s + "42" + "\x04\xff";
  uint32_t count;
  EXPECT_FALSE(ValidateListpack(bytes, &count));
  EXPECT_TRUE(ValidateListpack(odd, &count));
  EXPECT_EQ(ListpackView(odd).Find(kListpackHeaderBytes, ListpackItem("42")), kListpackHeaderBytes);
}

// Every element of a long listpack, and what is nearly one, is found where walking finds it.
TEST(ListpackSearch, FindsAsWalkingDoes) {
  CAIRN_SEEDED(random);
  std::vector<std::string> elements = {"",     "0",     "7",    "127",   "128",      "-1",
                                       "4095", "-4096", "4096", "70000", "-8388608", "5000000000"};
  for (const size_t size : {1, 2, 3, 31, 43, 44, 45, 46, 47, 62, 63, 64, 100, 4094, 4095, 4096, 5000}) {
    elements.push_back(std::string(size, 'x'));
    elements.push_back(std::string(size, 'x') + "y");
    elements.push_back("y" + std::string(size, 'x'));
  }
  for (int i = 0; i < 300; i++) elements.push_back("event:" + std::to_string(random.Uniform(1000000)));
  for (int round = 0; round < 20; round++) {
    std::vector<std::string> kept;
    for (const std::string& element : elements) {
      if (!random.OneIn(3)) kept.push_back(element);
    }
    for (size_t i = kept.size(); i > 1; i--) std::swap(kept[i - 1], kept[random.Uniform(i)]);
    const std::string bytes = Packed(kept);
    const ListpackView view(bytes);
    EXPECT_TRUE(HasShortestEncodings(view));
    const ListpackView::Position from = view.Seek(static_cast<int64_t>(random.Uniform(kept.size())));
    for (const std::string& element : elements) {
      const ListpackItem item(element);
      EXPECT_EQ(ListpackSearch(item).Find(view, from), view.Find(from, item)) << element.substr(0, 50);
    }
  }
  using namespace std::literals;
  EXPECT_FALSE(HasShortestEncodings(ListpackView("\x0c\0\0\0\x01\0\xe0\x02\x34\x32\x04\xff"sv)));
  EXPECT_FALSE(HasShortestEncodings(ListpackView("\x0a\0\0\0\x01\0\xc0\x05\x02\xff"sv)));
}

TEST(Listpack, CountsBeyondTheHeader) {
  ListpackBuilder builder;
  for (int i = 0; i < 65534; i++) builder.Add(int64_t{1});
  std::string bytes(builder.listpack());
  EXPECT_EQ(ListpackHeaderCount(bytes), 65534);
  StringSplice target(&bytes);
  ListpackBuilder two;
  two.Add("x");
  two.Add("y");
  AppendToListpack(target, two);
  EXPECT_EQ(ListpackHeaderCount(bytes), kListpackCountUnknown);
  EXPECT_EQ(ListpackView(bytes).count(), 65536u);
  EXPECT_EQ(ListpackView(bytes).Get(ListpackView(bytes).Seek(65535)).bytes, "y");
  EXPECT_EQ(ListpackView(bytes).Seek(65536), ListpackView(bytes).end());
  EXPECT_EQ(ListpackView(bytes).Seek(-65537), ListpackView(bytes).end());
  EXPECT_EQ(ListpackView(bytes).Seek(-65536), ListpackView(bytes).begin());
  RemoveFromListpack(target, kListpackHeaderBytes, 65530);
  EXPECT_EQ(ListpackView(bytes).count(), 6u);  // unknown stays unknown, and is counted
  uint32_t count;
  EXPECT_TRUE(ValidateListpack(bytes, &count));
  EXPECT_EQ(count, 6u);
}

TEST(Listpack, RefusesEveryCutAndMostChanges) {
  CAIRN_SEEDED(random);
  const std::string bytes = Packed({"abc", "17", "-5", std::string(70, 'x'), "70000", std::string(5000, 'y'), "123456789012"});
  uint32_t count;
  ASSERT_TRUE(ValidateListpack(bytes, &count));
  EXPECT_EQ(count, 7u);
  for (size_t size = 0; size < bytes.size(); size++)
    EXPECT_FALSE(ValidateListpack(std::string_view(bytes).substr(0, size), &count));
  for (int i = 0; i < 20000; i++) {
    std::string changed = bytes;
    changed[random.Uniform(changed.size())] = static_cast<char>(random.Next());
    if (!ValidateListpack(changed, &count)) continue;
    EXPECT_EQ(Elements(changed).size(), count);
  }
}

std::string RandomElement(Random& random) {
  switch (random.Uniform(6)) {
    case 0: return std::to_string(random.Between(-200, 200));
    case 1: return std::to_string(static_cast<int64_t>(random.Next()) >> random.Uniform(64));
    case 2: return random.Bytes(random.Uniform(300));
    case 3: return random.OneIn(20) ? random.Bytes(random.Uniform(20000)) : std::string();
    default: return random.Bytes(random.Uniform(12));
  }
}

TEST(Listpack, FollowsAVector) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 30; round++) {
    std::vector<std::string> model;
    std::string bytes(kEmptyListpack);
    StringSplice target(&bytes);
    for (int step = 0; step < 300; step++) {
      const ListpackView view(bytes);
      const uint64_t index = random.Uniform(model.size() + 1);
      const auto at = view.Seek(static_cast<int64_t>(index));
      const auto place = model.begin() + static_cast<std::ptrdiff_t>(index);
      ListpackBuilder builder;
      switch (random.Uniform(index < model.size() ? 4 : 1)) {
        case 0: {
          const uint64_t n = random.Uniform(4);
          std::vector<std::string> added;
          for (uint64_t i = 0; i < n; i++) builder.Add(added.emplace_back(RandomElement(random)));
          InsertIntoListpack(target, at, builder);
          model.insert(place, added.begin(), added.end());
          break;
        }
        case 1: {
          const uint64_t n = random.Uniform(std::min<uint64_t>(model.size() - index, random.OneIn(20) ? 100 : 3) + 1);
          RemoveFromListpack(target, at, static_cast<uint32_t>(n));
          model.erase(place, place + static_cast<std::ptrdiff_t>(n));
          break;
        }
        case 2: builder.Add(*place = RandomElement(random)), ReplaceInListpack(target, at, builder); break;
        default: {
          std::string text;
          view.Get(view.Seek(static_cast<int64_t>(index) - static_cast<int64_t>(model.size()))).AppendTo(&text);
          EXPECT_EQ(text, *place);
          const auto found = view.Find(view.begin(), ListpackItem(text));
          EXPECT_EQ(ListpackSearch(ListpackItem(text)).Find(view, view.begin()), found);
          EXPECT_EQ(found, view.Seek(std::find(model.begin(), model.end(), text) - model.begin()));
        }
      }
      uint32_t count;
      ASSERT_TRUE(ValidateListpack(bytes, &count));
      ASSERT_EQ(count, model.size());
      ASSERT_EQ(ListpackView(bytes).count(), model.size());
    }
    const std::vector<std::string>& expected = model;
    EXPECT_EQ(Elements(bytes), expected);
    EXPECT_EQ(Packed(expected), bytes);
    const ListpackView view(bytes);
    auto at = view.end();
    for (size_t i = expected.size(); i-- > 0;) {
      at = view.Prev(at);
      EXPECT_EQ(at, view.Seek(static_cast<int64_t>(i)));
    }
    EXPECT_EQ(at, view.begin());
  }
}

}  // namespace
}  // namespace cairn
