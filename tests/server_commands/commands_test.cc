// The server's own commands as a client sees them.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include "server/config/config.h"
#include "tests/server_net/test_server.h"

namespace cairn {
namespace {

using Words = std::vector<std::string>;

const Words kNoLog = {"--appendonly", "no"};

std::string Bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }

// The text of a bulk reply.
std::string BulkText(const std::string& reply) {
  const size_t end = reply.find("\r\n");
  return end == std::string::npos || reply[0] != '$' ? reply : reply.substr(end + 2, std::stoul(reply.substr(1)));
}

struct Section {
  std::map<std::string, std::string> fields;
};

std::map<std::string, Section> ParseInfo(const std::string& text) {
  std::map<std::string, Section> sections;
  std::istringstream lines(text);
  std::string line, current;
  while (std::getline(lines, line)) {
    EXPECT_TRUE(line.ends_with('\r')) << line;
    line.pop_back();
    if (line.empty()) continue;
    if (line.starts_with("# ")) {
      current = line.substr(2);
      EXPECT_TRUE(sections.emplace(current, Section()).second) << current << " twice";
      continue;
    }
    const size_t colon = line.find(':');
    EXPECT_NE(colon, std::string::npos) << line;
    EXPECT_TRUE(sections[current].fields.emplace(line.substr(0, colon), line.substr(colon + 1)).second) << line << " twice";
  }
  return sections;
}

TEST(Info, SectionsAndFields) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  client.Call({"SET", "k", "v"});
  client.Call({"SET", "t", "v", "EX", "100"});
  auto info = ParseInfo(BulkText(client.Call({"INFO"})));
  std::set<std::string> names;
  for (const auto& [name, section] : info) names.insert(name);
  EXPECT_EQ(names, (std::set<std::string>{"Server", "Clients", "Memory", "Persistence", "Stats", "Replication", "CPU", "Modules",
                                          "Errorstats", "Cluster", "Keyspace"}));
  EXPECT_EQ(info["Server"].fields["redis_version"], "7.0.15");
  EXPECT_EQ(info["Server"].fields["tcp_port"], std::to_string(server.port()));
  EXPECT_EQ(info["Clients"].fields["connected_clients"], "1");
  EXPECT_EQ(info["Persistence"].fields["loading"], "0");
  EXPECT_EQ(info["Persistence"].fields["aof_enabled"], "0");
  EXPECT_EQ(info["Replication"].fields["role"], "master");
  EXPECT_EQ(info["Cluster"].fields["cluster_enabled"], "0");
  EXPECT_TRUE(info["Keyspace"].fields["db0"].starts_with("keys=2,expires=1,avg_ttl=")) << info["Keyspace"].fields["db0"];
  for (const char* const field :
       {"used_memory", "used_memory_human", "mem_clients_normal", "maxmemory_policy", "mem_allocator"}) {
    EXPECT_TRUE(info["Memory"].fields.contains(field)) << field;
  }
  EXPECT_EQ(ParseInfo(BulkText(client.Call({"INFO", "everything"}))).size(), 13u);
  EXPECT_EQ(ParseInfo(BulkText(client.Call({"INFO", "server", "COMMANDSTATS", "nosuch"}))).size(), 2u);
  info = ParseInfo(BulkText(client.Call({"INFO", "commandstats"})));
  EXPECT_TRUE(info["Commandstats"].fields["cmdstat_set"].starts_with("calls=2,usec="))
      << info["Commandstats"].fields["cmdstat_set"];
}

TEST(Hello, NegotiatesAndAuthenticates) {
  TestServer server({"--appendonly", "no", "--requirepass", "secret"});
  TestClient client(server.port());
  EXPECT_EQ(client.Call({"GET", "x"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_TRUE(client.Call({"HELLO", "3"}).starts_with("-NOAUTH HELLO must be called"));
  EXPECT_TRUE(client.Call({"HELLO", "4"}).starts_with("-NOPROTO"));
  EXPECT_TRUE(client.Call({"AUTH", "wrong"}).starts_with("-WRONGPASS"));
  EXPECT_TRUE(client.Call({"HELLO", "3", "AUTH", "other", "secret"}).starts_with("-WRONGPASS"));
  EXPECT_EQ(client.Call({"AUTH", "default", "secret"}), "+OK\r\n");
  EXPECT_TRUE(client.Call({"HELLO", "2", "SETNAME", "me"}).starts_with("*14\r\n"));
  EXPECT_EQ(client.Call({"CLIENT", "GETNAME"}), Bulk("me"));
  EXPECT_EQ(client.Call({"RESET"}), "+RESET\r\n");
  EXPECT_EQ(client.Call({"GET", "x"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(client.Call({"AUTH", "secret"}), "+OK\r\n");
  EXPECT_EQ(client.Call({"CONFIG", "SET", "requirepass", ""}), "+OK\r\n");
  TestClient free(server.port());
  EXPECT_EQ(free.Call({"PING"}), "+PONG\r\n");
  EXPECT_TRUE(free.Call({"AUTH", "x"}).starts_with("-ERR AUTH <password> called without any password configured"));
}

TEST(ClientCommand, ListAndKill) {
  TestServer server(kNoLog);
  TestClient client(server.port()), other(server.port()), third(server.port());
  EXPECT_EQ(other.Call({"CLIENT", "SETNAME", "victim"}), "+OK\r\n");
  EXPECT_EQ(third.Call({"SUBSCRIBE", "c"}), "*3\r\n" + Bulk("subscribe") + Bulk("c") + ":1\r\n");
  const std::string list = BulkText(client.Call({"CLIENT", "LIST"}));
  EXPECT_EQ(std::count(list.begin(), list.end(), '\n'), 3) << list;
  EXPECT_NE(list.find(" name=victim "), std::string::npos);
  EXPECT_NE(list.find(" qbuf=26 "), std::string::npos) << list;
  EXPECT_NE(list.find(" cmd=client|list "), std::string::npos);
  const std::string subscribers = BulkText(client.Call({"CLIENT", "LIST", "TYPE", "pubsub"}));
  EXPECT_EQ(std::count(subscribers.begin(), subscribers.end(), '\n'), 1) << subscribers;
  EXPECT_NE(subscribers.find(" flags=P "), std::string::npos);
  EXPECT_EQ(client.Call({"CLIENT", "KILL", "TYPE", "pubsub"}), ":1\r\n");
  EXPECT_EQ(third.ReceiveAll(), "");
  EXPECT_EQ(client.Call({"CLIENT", "KILL", "1.2.3.4:5"}), "-ERR No such client\r\n");
  EXPECT_EQ(client.Call({"CLIENT", "KILL", "MAXAGE", "0"}), "-ERR maxage should be greater than 0\r\n");
  EXPECT_EQ(client.Call({"CLIENT", "KILL", "MAXAGE", "old"}), "-ERR maxage is not an integer or out of range\r\n");
  EXPECT_EQ(client.Call({"CLIENT", "KILL", "MAXAGE", "9223372036854775807"}), ":0\r\n");
  EXPECT_EQ(client.Call({"CLIENT", "KILL", "SKIPME", "no"}), ":2\r\n");
  EXPECT_EQ(other.ReceiveAll(), "");
  EXPECT_EQ(client.ReceiveAll(), "");
}

TEST(ClientCommand, NobodyHasTheEmptyAddress) {
  TestServer server(kNoLog);
  TestClient client(server.port()), other(server.port());
  EXPECT_EQ(other.Call({"PING"}), "+PONG\r\n");
  EXPECT_EQ(client.Call({"CLIENT", "KILL", "ADDR", ""}), ":0\r\n");
  EXPECT_EQ(client.Call({"CLIENT", "KILL", "LADDR", ""}), ":0\r\n");
  EXPECT_EQ(client.Call({"CLIENT", "KILL", ""}), "-ERR No such client\r\n");
  EXPECT_EQ(other.Call({"PING"}), "+PONG\r\n");
}

TEST(CommandGetKeys, NoneWhereTheirCountIsWrong) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  const std::string wrong = "-ERR Invalid arguments specified for command\r\n";
  EXPECT_EQ(client.Call({"COMMAND", "GETKEYS", "ZUNIONSTORE", "d", "3", "a", "b"}), wrong);
  EXPECT_EQ(client.Call({"COMMAND", "GETKEYS", "ZUNIONSTORE", "d", "x", "a", "b"}), wrong);
  EXPECT_EQ(client.Call({"COMMAND", "GETKEYS", "ZDIFFSTORE", "d", "-1", "a"}), wrong);
  EXPECT_EQ(client.Call({"COMMAND", "GETKEYS", "ZUNION", "3", "a", "b"}), wrong);
  EXPECT_EQ(client.Call({"COMMAND", "GETKEYS", "ZUNIONSTORE", "d", "1", "a"}), "*2\r\n" + Bulk("d") + Bulk("a"));
  EXPECT_EQ(client.Call({"COMMAND", "GETKEYS", "SORT", "k", "STORE", "d"}), "*2\r\n" + Bulk("k") + Bulk("d"));
}

TEST(Subcommands, RefuseArgumentsThatTheyDoNotTake) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  const auto refusal = [](const std::string& subcommand, const std::string& command) {
    return "-ERR unknown subcommand or wrong number of arguments for '" + subcommand + "'. Try " + command + " HELP.\r\n";
  };
  EXPECT_EQ(client.Call({"pubsub", "channels", "a", "b"}), refusal("channels", "PUBSUB"));
  EXPECT_EQ(client.Call({"PUBSUB", "SHARDCHANNELS", "a", "b"}), refusal("SHARDCHANNELS", "PUBSUB"));
  EXPECT_EQ(client.Call({"CLIENT", "UNBLOCK", "1", "ERROR", "x"}), refusal("UNBLOCK", "CLIENT"));
  EXPECT_EQ(client.Call({"CLIENT", "PAUSE", "1", "WRITE", "x"}), refusal("PAUSE", "CLIENT"));
  EXPECT_EQ(client.Call({"FUNCTION", "FLUSH", "SYNC", "x"}), refusal("FLUSH", "FUNCTION"));
}

TEST(CommandInfo, TellsWhereTheServersOwnCommandsGo) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  const auto has = [&client](const char* command, const std::string& text) {
    const std::string info = client.Call({"COMMAND", "INFO", command});
    return info.find(text) == std::string::npos ? testing::AssertionFailure() << info : testing::AssertionSuccess();
  };
  EXPECT_TRUE(has("spublish", "\r\n:1\r\n:1\r\n:1\r\n*"));
  EXPECT_TRUE(has("ssubscribe", "\r\n:1\r\n:-1\r\n:1\r\n*"));
  EXPECT_TRUE(has("ssubscribe", Bulk("flags") + "*1\r\n+not_key\r\n"));
  EXPECT_EQ(client.Call({"COMMAND", "GETKEYS", "SPUBLISH", "c", "m"}), "-ERR The command has no key arguments\r\n");
  EXPECT_TRUE(has("migrate", Bulk("keyword") + Bulk("KEYS") + Bulk("startfrom") + ":-2\r\n"));
  EXPECT_TRUE(has("slowlog|len", Bulk("request_policy:all_nodes") + Bulk("response_policy:agg_sum")));
  EXPECT_TRUE(has("memory|purge", Bulk("request_policy:all_shards") + Bulk("response_policy:all_succeeded")));
}

TEST(ClientCommand, ReplyModes) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  client.Send(Encode({"CLIENT", "REPLY", "OFF"}) + Encode({"PING", "1"}) + Encode({"SUBSCRIBE", "c"}) +
              Encode({"UNSUBSCRIBE", "c"}) + Encode({"PING", "2"}) + Encode({"CLIENT", "REPLY", "ON"}));
  EXPECT_EQ(client.ReceiveReply(), "*3\r\n" + Bulk("subscribe") + Bulk("c") + ":1\r\n");
  EXPECT_EQ(client.ReceiveReply(), "*3\r\n" + Bulk("unsubscribe") + Bulk("c") + ":0\r\n");
  EXPECT_EQ(client.ReceiveReply(), "+OK\r\n");
  client.Send(Encode({"CLIENT", "REPLY", "SKIP"}) + Encode({"PING", "1"}) + Encode({"PING", "2"}));
  EXPECT_EQ(client.ReceiveReply(), Bulk("2"));
  client.Send(Encode({"CLIENT", "REPLY", "SKIP"}) + Encode({"CLIENT", "REPLY", "ON"}) + Encode({"PING", "3"}));
  EXPECT_EQ(client.ReceiveReply(), "+OK\r\n");
  EXPECT_EQ(client.ReceiveReply(), Bulk("3"));
  client.Send(Encode({"CLIENT", "REPLY", "OFF"}) + Encode({"PING", "1"}) + Encode({"RESET"}) + Encode({"PING", "2"}));
  EXPECT_EQ(client.ReceiveReply(), "+RESET\r\n");
  EXPECT_EQ(client.ReceiveReply(), Bulk("2"));
  client.Send(Encode({"CLIENT", "REPLY", "SKIP"}) + Encode({"RESET"}) + Encode({"PING", "3"}));
  EXPECT_EQ(client.ReceiveReply(), Bulk("3"));
}

TEST(Debug, OnlyWhereAllowed) {
  TestServer closed(kNoLog);
  TestClient refused(closed.port());
  EXPECT_TRUE(refused.Call({"DEBUG", "SLEEP", "0"}).starts_with("-ERR DEBUG command not allowed."));
  EXPECT_TRUE(refused.Call({"DEBUG", "HELP"}).starts_with("-ERR DEBUG command not allowed."));
  EXPECT_TRUE(refused.Call({"CONFIG", "SET", "dbfilename", "x"}).ends_with("can't set protected config\r\n"));
  TestServer local({"--appendonly", "no", "--enable-debug-command", "local", "--enable-protected-configs", "local"});
  TestClient allowed(local.port());
  EXPECT_EQ(allowed.Call({"DEBUG", "SLEEP", "0"}), "+OK\r\n");
  EXPECT_EQ(allowed.Call({"CONFIG", "SET", "dbfilename", "x"}), "+OK\r\n");
}

TEST(Debug, DigestSurvivesReload) {
  TestServer server({"--enable-debug-command", "yes"});
  TestClient client(server.port());
  const std::string empty = client.Call({"DEBUG", "DIGEST"});
  EXPECT_EQ(empty, "+" + std::string(40, '0') + "\r\n");
  EXPECT_EQ(client.Call({"DEBUG", "POPULATE", "200", "k", "20"}), "+OK\r\n");
  EXPECT_EQ(client.Call({"SELECT", "3"}), "+OK\r\n");
  client.Call({"SET", "a", "1"});
  client.Call({"SET", "b", "x", "EX", "1000"});
  const std::string digest = client.Call({"DEBUG", "DIGEST"});
  for (const Words& reload : {Words{"DEBUG", "RELOAD"}, Words{"DEBUG", "LOADAOF"}}) {
    EXPECT_EQ(client.Call(reload), "+OK\r\n");
    EXPECT_EQ(client.Call({"DEBUG", "DIGEST"}), digest);
  }
  client.Call({"HSET", "h", "a", "1", "b", "2"});
  EXPECT_EQ(client.Call({"DEBUG", "DIGEST-VALUE", "h"}), "*1\r\n+6c8f22b3bf510fdcfd6122dd0f908a80e88243bf\r\n");
  client.Call({"HEXPIRE", "h", "100", "FIELDS", "1", "a"});
  EXPECT_EQ(client.Call({"DEBUG", "DIGEST-VALUE", "h"}), "*1\r\n+c07db73128914a41e685572f9d83e5ec946f598d\r\n");
  const std::string value = client.Call({"DEBUG", "DIGEST-VALUE", "a"});
  client.Call({"RENAME", "a", "z"});
  EXPECT_EQ(client.Call({"DEBUG", "DIGEST-VALUE", "z"}), value);
  EXPECT_NE(client.Call({"DEBUG", "DIGEST"}), digest);
}

TEST(Saving, ParksOnlyWhoAsked) {
  TestServer server;
  TestClient client(server.port()), other(server.port());
  for (int i = 0; i < 100; i++) client.Call({"SET", "k" + std::to_string(i), "v"});
  client.Send(Encode({"SAVE"}) + Encode({"PING"}));
  EXPECT_EQ(other.Call({"PING"}), "+PONG\r\n");
  EXPECT_EQ(client.ReceiveReply(), "+OK\r\n");
  EXPECT_EQ(client.ReceiveReply(), "+PONG\r\n");
  EXPECT_EQ(client.Call({"BGREWRITEAOF"}), "+Background append only file rewriting started\r\n");
  EXPECT_EQ(client.Call({"BGSAVE", "NOW"}), "-ERR syntax error\r\n");
  client.Call({"MULTI"});
  EXPECT_EQ(client.Call({"SAVE"}), "-ERR Command not allowed inside a transaction\r\n");
  EXPECT_TRUE(client.Call({"EXEC"}).starts_with("-EXECABORT"));
}

TEST(Waiting, ForTheDiskAndForNobody) {
  TestServer server({"--appendfsync", "everysec"});
  TestClient client(server.port()), other(server.port());
  client.Call({"SET", "k", "v"});
  EXPECT_EQ(client.Call({"WAITAOF", "1", "0", "5000"}), "*2\r\n:1\r\n:0\r\n");
  EXPECT_EQ(client.Call({"WAITAOF", "2", "0", "0"}), "-ERR value is out of range, value must between 0 and 1\r\n");
  EXPECT_EQ(client.Call({"WAIT", "0", "0"}), ":0\r\n");
  EXPECT_EQ(client.Call({"WAIT", "1", "20"}), ":0\r\n");
  const std::string id = client.Call({"CLIENT", "ID"}).substr(1);
  client.Send(Encode({"WAIT", "1", "0"}));
  const std::string number = id.substr(0, id.size() - 2);
  while (other.Call({"CLIENT", "UNBLOCK", number}) == ":0\r\n") {
  }
  EXPECT_EQ(client.ReceiveReply(), ":0\r\n");
  client.Send(Encode({"WAIT", "1", "0"}));
  while (other.Call({"CLIENT", "UNBLOCK", number, "ERROR"}) == ":0\r\n") {
  }
  EXPECT_EQ(client.ReceiveReply(), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
  {
    TestClient leaves(server.port());
    leaves.Send(Encode({"WAIT", "1", "0"}));
  }
  EXPECT_EQ(client.Call({"PING"}), "+PONG\r\n");
}

TEST(Monitor, ShowsWhatRuns) {
  TestServer server(kNoLog);
  TestClient watcher(server.port()), client(server.port());
  EXPECT_EQ(watcher.Call({"MONITOR"}), "+OK\r\n");
  client.Call({"SET", "foo", "bar"});
  client.Call({"AUTH", "x", "secret"});
  client.Call({"CONFIG", "GET", "port"});
  client.Call({"GET", "foo"});
  const std::string set = watcher.ReceiveLine(), auth = watcher.ReceiveLine(), get = watcher.ReceiveLine();
  EXPECT_NE(set.find("] \"SET\" \"foo\" \"bar\""), std::string::npos) << set;
  EXPECT_NE(auth.find("\"AUTH\" \"(redacted)\" \"(redacted)\""), std::string::npos) << auth;
  EXPECT_NE(get.find("\"GET\" \"foo\""), std::string::npos) << get;
  EXPECT_EQ(watcher.Call({"RESET"}), "+RESET\r\n");
  EXPECT_EQ(watcher.Call({"PING"}), "+PONG\r\n");  // no line of its own RESET
}

TEST(ConfigCommand, TakesEffect) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  EXPECT_EQ(client.Call({"CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lfu"}), "+OK\r\n");
  EXPECT_EQ(server.server().store().options().runtime.maxmemory_bytes, 100u << 20);
  EXPECT_EQ(server.server().store().options().runtime.maxmemory_policy, EvictionPolicy::kAllKeysLfu);
  EXPECT_EQ(client.Call({"CONFIG", "GET", "maxmemory-policy"}), "*2\r\n" + Bulk("maxmemory-policy") + Bulk("allkeys-lfu"));
  EXPECT_EQ(client.Call({"CONFIG", "SET", "maxmemory", "1", "x"}), "-ERR syntax error\r\n");
  EXPECT_EQ(client.Call({"CONFIG", "SET", "appendonly", "yes"}), "+OK\r\n");
  EXPECT_TRUE(server.server().store().options().runtime.append_only);
}

TEST(ConfigCommand, TheLongestStringIsForCommandsToo) {
  const std::string too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
  TestServer server({"--appendonly", "no", "--proto-max-bulk-len", "2mb"});
  TestClient client(server.port());
  EXPECT_EQ(client.Call({"SETRANGE", "k", "2097151", "x"}), ":2097152\r\n");
  EXPECT_EQ(client.Call({"APPEND", "k", "x"}), too_long);
  EXPECT_EQ(client.Call({"SETBIT", "k", "16777216", "1"}), "-ERR bit offset is not an integer or out of range\r\n");
  EXPECT_EQ(client.Call({"CONFIG", "SET", "proto-max-bulk-len", "3mb"}), "+OK\r\n");
  EXPECT_EQ(client.Call({"APPEND", "k", "x"}), ":2097153\r\n");
  EXPECT_EQ(client.Call({"SETRANGE", "k", "3145728", "x"}), too_long);
  // What the log's reader takes is the most.
  EXPECT_EQ(client.Call({"CONFIG", "SET", "proto-max-bulk-len", "4gb"}), "+OK\r\n");
  EXPECT_EQ(client.Call({"CONFIG", "SET", "proto-max-bulk-len", "5gb"}),
            "-ERR CONFIG SET failed (possibly related to argument 'proto-max-bulk-len') - argument must be between 1048576 and "
            "4294967296 "
            "inclusive\r\n");
}

TEST(ConfigCommand, ACommandMayBeRenamedToItself) {
  TestServer server({"--appendonly", "no", "--rename-command", "CONFIG", "config"});
  TestClient client(server.port());
  EXPECT_EQ(client.Call({"CONFIG", "GET", "hz"}), "*2\r\n" + Bulk("hz") + Bulk("10"));
}

TEST(ConfigCommand, MovesThePort) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  const int taken = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(taken, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(taken, 1), 0);
  ASSERT_EQ(getsockname(taken, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int port = ntohs(address.sin_port);
  EXPECT_EQ(
      client.Call({"CONFIG", "SET", "maxmemory", "77", "port", std::to_string(port)}),
      "-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.\r\n");
  EXPECT_EQ(client.Call({"CONFIG", "GET", "port"}), "*2\r\n" + Bulk("port") + Bulk(std::to_string(server.port())));
  EXPECT_EQ(server.server().store().options().runtime.maxmemory_bytes, 0u);
  EXPECT_EQ(client.Call({"CONFIG", "SET", "bind", "999.999.1.1"}),
            "-ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses.\r\n");
  EXPECT_EQ(TestClient(server.port()).Call({"PING"}), "+PONG\r\n");
  close(taken);
  EXPECT_EQ(client.Call({"CONFIG", "SET", "port", std::to_string(port)}), "+OK\r\n");
  EXPECT_EQ(TestClient(port).Call({"PING"}), "+PONG\r\n");
  EXPECT_EQ(client.Call({"PING"}), "+PONG\r\n");
}

TEST(ClientPause, NothingExpiresMeanwhile) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  const auto expired = [&] { return ParseInfo(BulkText(client.Call({"INFO", "stats"})))["Stats"].fields["expired_keys"]; };
  const auto set_and_pause = [&](const std::string& pause_ms) {
    client.Send(Encode({"MULTI"}) + Encode({"SET", "k", "v", "PX", "20"}) + Encode({"SET", "other", "v", "PX", "20"}) +
                Encode({"CLIENT", "PAUSE", pause_ms, "WRITE"}) + Encode({"EXEC"}));
    for (int i = 0; i < 5; i++) client.ReceiveReply();
  };
  set_and_pause("50000");
  while (client.Call({"GET", "k"}) != "$-1\r\n") std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_EQ(client.Call({"DBSIZE"}), ":2\r\n");
  EXPECT_EQ(expired(), "0");
  client.Call({"CLIENT", "UNPAUSE"});
  EXPECT_EQ(client.Call({"GET", "k"}), "$-1\r\n");
  while (expired() != "2") std::this_thread::yield();
  set_and_pause("60");
  while (expired() != "4") std::this_thread::yield();
}

TEST(Watching, WhatIsRefusedDoesNotCountAsACall) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  client.Call({"CONFIG", "SET", "maxmemory", "1"});
  client.Call({"CONFIG", "RESETSTAT"});
  EXPECT_TRUE(client.Call({"SET", "k", "v"}).starts_with("-OOM"));
  EXPECT_TRUE(client.Call({"CLIENT", "FOO"}).starts_with("-ERR unknown subcommand 'FOO'"));
  auto fields = ParseInfo(BulkText(client.Call({"INFO", "commandstats", "errorstats"})));
  EXPECT_EQ(fields["Commandstats"].fields["cmdstat_set"], "calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0");
  EXPECT_FALSE(fields["Commandstats"].fields.contains("cmdstat_client"));
  EXPECT_EQ(fields["Errorstats"].fields["errorstat_OOM"], "count=1");
}

TEST(Watching, SlowLogHasWhatWaited) {
  TestServer server({"--appendonly", "no", "--slowlog-log-slower-than", "0"});
  TestClient client(server.port()), waiting(server.port());
  const auto slow_log = [&] {
    TestClient reader(server.port());
    reader.Send(Encode({"SLOWLOG", "GET", "-1"}) + Encode({"QUIT"}));
    return reader.ReceiveAll();
  };
  waiting.Send(Encode({"BLPOP", "served", "0"}));
  while (BulkText(client.Call({"INFO", "clients"})).find("blocked_clients:1\r\n") == std::string::npos) std::this_thread::yield();
  EXPECT_EQ(slow_log().find("served"), std::string::npos);
  client.Call({"RPUSH", "served", "e"});
  EXPECT_EQ(waiting.ReceiveReply(), "*2\r\n" + Bulk("served") + Bulk("e"));
  EXPECT_EQ(waiting.Call({"BLPOP", "late", "0.01"}), "*-1\r\n");
  const std::string log = slow_log();
  EXPECT_NE(log.find(Bulk("BLPOP") + Bulk("served") + Bulk("0")), std::string::npos) << log;
  EXPECT_NE(log.find(Bulk("BLPOP") + Bulk("late") + Bulk("0.01")), std::string::npos) << log;
}

TEST(Watching, ExecCountsItsCommands) {
  TestServer server({"--appendonly", "no", "--slowlog-log-slower-than", "100000", "--enable-debug-command", "yes"});
  TestClient client(server.port());
  client.Call({"CONFIG", "RESETSTAT"});
  client.Send(Encode({"MULTI"}) + Encode({"SET", "a", "b"}) + Encode({"AUTH", "x"}) + Encode({"DEBUG", "SLEEP", "0.15"}) +
              Encode({"EXEC"}));
  for (int i = 0; i < 4; i++) client.ReceiveReply();
  EXPECT_TRUE(client.ReceiveReply().starts_with("*3\r\n+OK\r\n-ERR AUTH"));
  auto fields = ParseInfo(BulkText(client.Call({"INFO", "commandstats", "stats"})));
  EXPECT_TRUE(fields["Commandstats"].fields["cmdstat_set"].starts_with("calls=1,"))
      << fields["Commandstats"].fields["cmdstat_set"];
  EXPECT_TRUE(fields["Commandstats"].fields["cmdstat_auth"].ends_with(",failed_calls=1"));
  EXPECT_TRUE(fields["Commandstats"].fields["cmdstat_exec"].ends_with(",failed_calls=0"));
  EXPECT_EQ(fields["Stats"].fields["total_error_replies"], "1");
  EXPECT_EQ(client.Call({"SLOWLOG", "LEN"}), ":1\r\n");
}

TEST(Debug, NobodyIsAnsweredDuringSleep) {
  TestServer server({"--appendonly", "no", "--threads", "2", "--enable-debug-command", "yes"});
  TestClient sleeper(server.port());
  std::vector<std::unique_ptr<TestClient>> others;
  for (int i = 0; i < 4; i++) others.push_back(std::make_unique<TestClient>(server.port()));
  for (const auto& other : others) EXPECT_EQ(other->Call({"PING"}), "+PONG\r\n");
  for (const auto& other : others) {
    sleeper.Send(Encode({"DEBUG", "SLEEP", "0.5"}));
    // One of its commands falls into the sleep, whenever that begins.
    pollfd waiting{sleeper.fd(), POLLIN, 0};
    auto longest = std::chrono::steady_clock::duration::zero();
    while (poll(&waiting, 1, 0) == 0) {
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_EQ(other->Call({"PING"}), "+PONG\r\n");
      longest = std::max(longest, std::chrono::steady_clock::now() - begin);
    }
    EXPECT_EQ(sleeper.ReceiveReply(), "+OK\r\n");
    EXPECT_GE(longest, std::chrono::milliseconds(250));
  }
}

TEST(Watching, SlowLogAndLatency) {
  TestServer server({"--appendonly", "no", "--slowlog-log-slower-than", "0", "--latency-monitor-threshold", "1",
                     "--enable-debug-command", "yes"});
  TestClient client(server.port());
  client.Call({"CLIENT", "SETNAME", "me"});
  client.Call({"DEBUG", "SLEEP", "0.01"});
  const std::string slow = client.Call({"SLOWLOG", "LEN"});
  EXPECT_EQ(slow, ":2\r\n");
  EXPECT_EQ(client.Call({"SLOWLOG", "GET", "1", "1"}),
            "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.\r\n");
  EXPECT_EQ(client.Call({"SLOWLOG", "GET", "-2"}), "-ERR count should be greater than or equal to -1\r\n");
  EXPECT_EQ(client.Call({"SLOWLOG", "RESET"}), "+OK\r\n");
  EXPECT_EQ(client.Call({"LATENCY", "RESET"}), ":1\r\n");
  EXPECT_EQ(client.Call({"LATENCY", "LATEST"}), "*0\r\n");
  EXPECT_EQ(client.Call({"LATENCY", "GRAPH", "command"}), "-ERR No samples available for event 'command'\r\n");
  EXPECT_EQ(client.Call({"LATENCY", "HISTOGRAM", "nosuch"}), "*0\r\n");
}

TEST(Info, FieldsThatExpireAreCountedWhereThereAreAny) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  client.Call({"HSET", "h", "f", "v"});
  const auto keyspace = [&] { return ParseInfo(BulkText(client.Call({"INFO", "keyspace"})))["Keyspace"].fields["db0"]; };
  EXPECT_EQ(keyspace(), "keys=1,expires=0,avg_ttl=0");
  client.Call({"HEXPIRE", "h", "100", "FIELDS", "1", "f"});
  EXPECT_EQ(keyspace(), "keys=1,expires=0,avg_ttl=0,subexpiry=1");
}

}  // namespace
}  // namespace cairn
