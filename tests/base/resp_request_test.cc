#include "base/resp_request.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace cairn {
namespace {

TEST(RespRequest, Encodes) {
  EXPECT_EQ(EncodeRequest({"SET", "key", ""}), "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$0\r\n\r\n");
  EXPECT_EQ(BulkSize(0), 6u);
  EXPECT_EQ(BulkSize(10), 1u + 2 + 2 + 10 + 2);
  EXPECT_EQ(RequestHeaderSize(3), 4u);
}

TEST(RespRequest, ReadsBackWhatWasWritten) {
  Random random(31);
  std::string bytes;
  std::vector<std::vector<std::string>> requests;
  for (int i = 0; i < 200; i++) {
    std::vector<std::string> request;
    for (uint64_t n = 1 + random.Uniform(6); n > 0; n--) request.push_back(random.Bytes(random.Uniform(300)));
    const std::vector<std::string_view> views(request.begin(), request.end());
    AppendRequest(bytes, views);
    requests.push_back(std::move(request));
  }
  RequestReader reader(bytes);
  for (const auto& request : requests) {
    ASSERT_TRUE(reader.Next()) << reader.status().ToString();
    ASSERT_EQ(reader.args().size(), request.size());
    for (size_t i = 0; i < request.size(); i++) ASSERT_EQ(reader.args()[i], request[i]);
  }
  EXPECT_FALSE(reader.Next());
  EXPECT_TRUE(reader.status().ok());
  EXPECT_EQ(reader.offset(), bytes.size());
}

TEST(RespRequest, EveryTruncationIsIncomplete) {
  const std::string first = EncodeRequest({"PING"});
  const std::string bytes = first + EncodeRequest({"SET", "some key", "some value"});
  for (size_t size = first.size() + 1; size < bytes.size(); size++) {
    RequestReader reader(std::string_view(bytes).substr(0, size));
    ASSERT_TRUE(reader.Next());
    ASSERT_FALSE(reader.Next());
    EXPECT_EQ(reader.status().code(), StatusCode::kDamaged);
    EXPECT_TRUE(reader.incomplete()) << size;
    EXPECT_EQ(reader.request_offset(), first.size());
    EXPECT_FALSE(reader.Next());
  }
}

TEST(RespRequest, MalformedBytesAreNamed) {
  for (const char* bytes : {"PING\r\n", "*0\r\n", "*-1\r\n", "*1\r\n:1\r\n", "*1\r\n$-1\r\n", "*01\r\n", "*1\n$4\r\nPING\r\n",
                            "*1\r\n$4\r\nPINGxx", "*1\r\n$4\r\nPING\rx", "*99999999999999999999999\r\n", "*1\r\n$ 4\r\nPING\r\n",
                            "*2000000000\r\n$1\r\na\r\n", "*1\r\n$99999999999\r\na\r\n", "*\r\n"}) {
    RequestReader reader(bytes);
    EXPECT_FALSE(reader.Next()) << bytes;
    EXPECT_EQ(reader.status().code(), StatusCode::kDamaged) << bytes;
    EXPECT_FALSE(reader.incomplete()) << bytes;
  }
}

}  // namespace
}  // namespace cairn
