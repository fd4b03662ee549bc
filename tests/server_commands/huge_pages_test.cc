// When the process may use huge pages: by the memory limit and disable-thp, together.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/allocator.h"
#include "tests/server_net/test_server.h"

namespace cairn {
namespace {

// As the kernel says; where it does not say, the tests have nothing to look at.
bool HugePagesMayBeUsed() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("THP_enabled:")) return line.back() == '1';
  }
  ADD_FAILURE() << "no THP_enabled in /proc/self/status";
  return false;
}

TEST(HugePages, FollowTheLimitAndTheSetting) {
  struct Case {
    const char* disable;
    const char* limit;
    bool used;
  };
  for (const Case& c : {Case{"no", "0", true}, Case{"no", "100mb", false}, Case{"no", "2gb", true}, Case{"yes", "0", false},
                        Case{"yes", "100mb", false}, Case{"yes", "2gb", false}}) {
    SCOPED_TRACE(std::string(c.disable) + " " + c.limit);
    TestServer server({"--appendonly", "no", "--disable-thp", c.disable, "--maxmemory", c.limit});
    EXPECT_EQ(HugePagesMayBeUsed(), c.used);
    TestClient client(server.port());
    EXPECT_EQ(client.Call({"CONFIG", "SET", "maxmemory", "2gb"}), "+OK\r\n");
    EXPECT_EQ(HugePagesMayBeUsed(), std::string(c.disable) == "no");
    EXPECT_EQ(client.Call({"CONFIG", "SET", "maxmemory", "50mb"}), "+OK\r\n");
    EXPECT_FALSE(HugePagesMayBeUsed());
  }
  AllowHugePages(true);
}

}  // namespace
}  // namespace cairn
