// The configuration: what its reader takes and refuses, CONFIG GET and SET, and how a file is rewritten.
#include "server/config/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <thread>

#include "base/file_system.h"
#include "base/words.h"
#include "server/config/notify_flags.h"
#include "server/config/words.h"
#include "server/process_title.h"

namespace cairn {
namespace {

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/cairn-config-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~TemporaryDirectory() {
    for (const std::string& file : files_) ::unlink(file.c_str());
    ::rmdir(path_.c_str());
  }
  std::string Write(const std::string& name, const std::string& text) {
    std::string path = JoinPath(path_, name);
    std::ofstream(path) << text;
    files_.push_back(path);
    return path;
  }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

std::string Read(const std::string& path) { return ReadWholeFile(RealFileSystem(), path, 1 << 20).value(); }

Status Load(Config* config, std::string_view text) { return config->LoadText(text, "a test"); }

TEST(ConfigWords, SplitAndQuoteAreInverse) {
  struct Case {
    std::string_view line;
    std::vector<std::string> words;
  };
  const Case cases[] = {
      {"", {}},
      {"  port\t6379 ", {"port", "6379"}},
      {"logfile ''", {"logfile", ""}},
      {R"(requirepass "a b\n\x41\"")", {"requirepass", "a b\nA\""}},
      {R"(x 'it\'s \n')", {"x", R"(it's \n)"}},
      {R"("save" "" )", {"save", ""}},
  };
  for (const Case& c : cases) EXPECT_EQ(SplitWords(c.line), c.words) << c.line;
  for (const std::string_view bad : {"a \"b", "a 'b", "a \"b\"c", "a 'b'c"}) EXPECT_EQ(SplitWords(bad), std::nullopt) << bad;
  std::string bytes;
  for (int i = 0; i < 256; i++) bytes += static_cast<char>(i);
  EXPECT_EQ(SplitWords(QuoteWord(bytes))->at(0), bytes);
}

TEST(ConfigLoad, DefaultsAreCairns) {
  const Config config;
  EXPECT_EQ(config.Number("port"), 6379);
  EXPECT_TRUE(config.Bool("appendonly"));
  EXPECT_EQ(config.Print("appendfsync"), "always");
  EXPECT_EQ(config.Print("save"), "3600 1 300 100 60 10000");
  EXPECT_EQ(config.Print("bind"), "* -::*");
  EXPECT_TRUE(config.directory().ends_with("/data"));
  EXPECT_EQ(config.SavePoints().size(), 3u);
  EXPECT_EQ(config.OutputLimit(Config::ClientClass::kPubSub).soft_bytes, 8 << 20);
}

TEST(ConfigLoad, LinesOverrideAndAddUp) {
  Config config;
  ASSERT_TRUE(Load(&config,
                   "# comment\n\nport 7000\nPORT 7001\r\nsave 900 1\nsave 100 100\nmaxmemory 100mb\n"
                   "client-output-buffer-limit pubsub 1mb 2kb 9\nmaxmemory_policy allkeys-lru\n"
                   "shutdown-on-sigterm \"nosave now\"\nnotify-keyspace-events EKx\nrename-command FLUSHALL \"\"\n")
                  .ok());
  EXPECT_EQ(config.Number("port"), 7001);
  EXPECT_EQ(config.Print("save"), "900 1 100 100");
  EXPECT_EQ(config.Number("maxmemory"), 100 << 20);
  EXPECT_EQ(config.Print("maxmemory-policy"), "allkeys-lru");
  EXPECT_EQ(config.Print("shutdown-on-sigterm"), "nosave now");
  EXPECT_EQ(config.Print("notify-keyspace-events"), "xKE");
  const OutputBufferLimit limit = config.OutputLimit(Config::ClientClass::kPubSub);
  EXPECT_EQ(limit.hard_bytes, 1 << 20);
  EXPECT_EQ(limit.soft_bytes, 2048);
  EXPECT_EQ(limit.soft_seconds, 9);
  ASSERT_EQ(config.renamed_commands().size(), 1u);
  EXPECT_EQ(config.renamed_commands()[0].first, "FLUSHALL");
  ASSERT_TRUE(Load(&config, "save \"\"").ok());
  EXPECT_EQ(config.Print("save"), "");
}

TEST(ConfigLoad, MistakesNameTheLine) {
  struct Case {
    std::string_view text, why;
  };
  const Case cases[] = {
      {"port", "wrong number of arguments"},
      {"port 1 2", "wrong number of arguments"},
      {"port x", "argument couldn't be parsed into an integer"},
      {"port 70000", "argument must be between 0 and 65535 inclusive"},
      {"appendonly maybe", "argument must be 'yes' or 'no'"},
      {"loglevel loud", "argument(s) must be one of the following: debug, verbose, notice, warning"},
      {"maxmemory -1", "argument must be a memory value"},
      {"unixsocketperm 9", "argument couldn't be parsed as an octal number"},
      {"unixsocketperm 1000", "argument must be between 0 and 777 inclusive"},
      {"save 1", "Invalid save parameters"},
      {"bogus 1", "Bad directive or wrong number of arguments"},
      {"requirepass \"x", "Unbalanced quotes in configuration line"},
      {"cluster-enabled yes", "cluster mode is not supported by this version of Cairn"},
      {"replicaof 127.0.0.1 6379", "being a replica is not supported by this version of Cairn"},
      {"replicaof 127.0.0.1 abc", "Invalid master port"},
      {"loadmodule x.so", "loading modules is not supported by this version of Cairn"},
      {"user alice on", "defining users is not supported by this version of Cairn"},
      {"user default on nopass ~* &* -@all", "defining users is not supported by this version of Cairn"},
      {"user default on nopass ~* &*", "defining users is not supported by this version of Cairn"},
      {"user default off nopass ~* &* +@all", "defining users is not supported by this version of Cairn"},
      {"user default on #0a1b ~* &* +@all", "defining users is not supported by this version of Cairn"},
      {"aclfile users.acl", "an ACL file is not supported by this version of Cairn"},
      {"tls-port 6380", "TLS is not supported by this version of Cairn"},
      {"notify-keyspace-events Q", "Invalid event class character. Use 'Ag$lshzxeKEtmdnSTIV'."},
      {"client-output-buffer-limit other 1 1 1", "Invalid client class specified in buffer limit configuration."},
  };
  for (const Case& c : cases) {
    Config config;
    const Status status = Load(&config, "# one\n" + std::string(c.text));
    ASSERT_FALSE(status.ok()) << c.text;
    const std::string message(status.message());
    EXPECT_NE(message.find("*** FATAL CONFIG FILE ERROR (Cairn "), std::string::npos) << message;
    EXPECT_NE(message.find("at line 2 of a test\n>>> '" + std::string(c.text) + "'\n" + std::string(c.why) + "\n"),
              std::string::npos)
        << message;
  }
}

TEST(ConfigLoad, TheDefaultUserMayBeNamed) {
  for (const std::string_view line : {"user default on nopass sanitize-payload ~* &* +@all", "user default on nopass ~* &* +@all",
                                      "USER default on ALLKEYS allchannels AllCommands nopass"}) {
    Config config;
    EXPECT_TRUE(Load(&config, line).ok()) << line;
    const Status status = Load(&config, "requirepass x");
    EXPECT_NE(status.message().find("contradict each other"), std::string_view::npos) << status.message();
  }
}

TEST(ConfigLoad, CommandLineFollowsRedis) {
  struct Case {
    std::vector<std::string> args;
    std::string_view name, value;
  };
  const Case cases[] = {
      {{"--port", "7000"}, "port", "7000"},
      {{"--port 7000", "--loglevel verbose"}, "port", "7000"},
      {{"--maxmemory_policy", "allkeys-lru"}, "maxmemory-policy", "allkeys-lru"},
      {{"--save", "--loglevel", "verbose"}, "save", ""},
      {{"--loglevel", "verbose", "--save"}, "save", ""},
      {{"--save", ""}, "save", ""},
      {{"--save", "60", "1", "--save", "900", "2"}, "save", "60 1 900 2"},
      {{"--proc-title-template", "--my--title--template", "--loglevel", "verbose"},
       "proc-title-template",
       "--my--title--template"},
      {{"--shutdown-on-sigint", "nosave", "force", "now"}, "shutdown-on-sigint", "nosave now force"},
      {{"--bind", "127.0.0.1", "-::1"}, "bind", "127.0.0.1 -::1"},
      {{"--bind", "", "127.0.0.1", "", "::1", ""}, "bind", "127.0.0.1 ::1"},
      {{"--requirepass", "with space"}, "requirepass", "with space"},
  };
  for (const Case& c : cases) {
    const auto config = Config::FromCommandLine(c.args);
    ASSERT_TRUE(config.ok()) << config.status().message();
    EXPECT_EQ((*config)->Print(c.name), c.value);
  }
  const auto expect_error = [](const std::vector<std::string>& args, std::string_view line, std::string_view why) {
    const auto config = Config::FromCommandLine(args);
    ASSERT_FALSE(config.ok());
    EXPECT_NE(config.status().message().find(line), std::string_view::npos) << config.status().message();
    EXPECT_NE(config.status().message().find(why), std::string_view::npos) << config.status().message();
  };
  expect_error({"--port"}, "'port'", "wrong number of arguments");
  expect_error({"--port", "6379", "6380"}, R"('port "6379" "6380"')", "wrong number of arguments");
  expect_error({"--port", "--loglevel", "verbose"}, R"('port "--loglevel" "verbose"')", "wrong number of arguments");
  expect_error({"--port", "--bla", "--loglevel", "verbose"}, R"('port "--bla"')", "couldn't be parsed into an integer");
  expect_error({"/no/such/file.conf"}, "/no/such/file.conf", "can't open config file");
}

TEST(ConfigLoad, FilesIncludeFiles) {
  TemporaryDirectory directory;
  const std::string inner = directory.Write("inner.conf", "port 7005\n");
  const std::string outer = directory.Write("outer.conf", "port 7004\ninclude " + inner + "\ninclude /no/such/dir/*.conf\n");
  auto config = Config::FromCommandLine(std::vector<std::string>{outer, "--loglevel", "debug"});
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ((*config)->Number("port"), 7005);
  EXPECT_EQ((*config)->config_file(), outer);
  const std::string broken = directory.Write("inner2.conf", "port x\n");
  const std::string above = directory.Write("outer2.conf", "\ninclude " + broken + "\n");
  const Status status = Config::FromCommandLine(std::vector<std::string>{above}).status();
  EXPECT_NE(status.message().find("at line 1 of " + broken), std::string_view::npos) << status.message();
  const std::string loop = directory.Write("loop.conf", "");
  std::ofstream(loop) << "include " << loop << "\n";
  EXPECT_FALSE(Config::FromCommandLine(std::vector<std::string>{loop}).ok());
}

TEST(ConfigGet, PatternsAliasesAndHiddenNames) {
  const Config config;
  const auto get = [&](std::vector<std::string_view> patterns) { return config.Get(patterns); };
  EXPECT_EQ(get({"maxmemory"}).size(), 1u);
  EXPECT_EQ(get({"nosuch", "no*such"}).size(), 0u);
  const auto several = get({"maxmemory", "maxmemory*", "bind", "*of", "MAXMEMORY"});
  std::set<std::string> names;
  for (const auto& [name, value] : several) EXPECT_TRUE(names.insert(name).second) << name;
  for (const char* const name : {"maxmemory", "maxmemory-samples", "bind", "replicaof", "slaveof"})
    EXPECT_TRUE(names.contains(name)) << name;
  for (const auto& [name, value] : get({"*"})) EXPECT_NE(name, "key-load-delay");
  EXPECT_EQ(get({"key-load-delay"}).size(), 1u);
}

TEST(ConfigGet, EveryValueCanBeSetAgain) {
  Config config;
  const std::vector<std::string_view> all = {"*"};
  for (const auto& [name, value] : config.Get(all)) {
    const Status status = config.Set(Pairs{{name, value}}, {});
    if (status.ok()) continue;
    EXPECT_NE(status.message().find("can't set immutable config"), std::string_view::npos) << name << ": " << status.message();
  }
}

TEST(ConfigSet, AllOrNothing) {
  Config config;
  const Status status = config.Set(Pairs{{"maxmemory", "10000001"}, {"maxmemory-clients", "200%"}, {"timeout", "5"}}, {});
  EXPECT_EQ(status.message(),
            "ERR CONFIG SET failed (possibly related to argument 'maxmemory-clients') - percentage argument must be less or "
            "equal to 100");
  EXPECT_EQ(config.Number("maxmemory"), 0);
  ASSERT_TRUE(config.Set(Pairs{{"maxmemory", "10000001"}, {"save", "3000 5"}, {"repl-backlog-size", "2mb"}}, {}).ok());
  EXPECT_EQ(config.Print("maxmemory"), "10000001");
  EXPECT_EQ(config.Print("save"), "3000 5");
  ASSERT_TRUE(config.Set(Pairs{{"maxmemory", ""}}, {}).ok());
  EXPECT_EQ(config.Print("maxmemory"), "0");
}

TEST(ConfigSet, HzStaysWithinItsLimits) {
  Config config;
  for (const auto& [given, kept] : Pairs{{"0", "1"}, {"77", "77"}, {"1000", "500"}}) {
    ASSERT_TRUE(config.Set(Pairs{{"hz", given}}, {}).ok());
    EXPECT_EQ(config.Print("hz"), kept);
    Config loaded;
    ASSERT_TRUE(Load(&loaded, "hz " + std::string(given)).ok());
    EXPECT_EQ(loaded.Print("hz"), kept);
  }
}

TEST(ConfigSet, NobodyWaitsForATurnUnlessAsked) {
  Config config;
  ASSERT_TRUE(config
                  .InTurn([&] {
                    std::thread([&] { EXPECT_EQ(config.TrySet(Pairs{{"hz", "7"}}, {}), std::nullopt); }).join();
                    return Status();
                  })
                  .ok());
  EXPECT_EQ(config.Print("hz"), "10");
  EXPECT_TRUE(config.TrySet(Pairs{{"hz", "7"}}, {}).value().ok());
  EXPECT_EQ(config.Print("hz"), "7");
}

TEST(ConfigSet, Refusals) {
  struct Case {
    Pairs pairs;
    Config::SetContext context;
    std::string_view message;
  };
  const Case cases[] = {
      {{{"foo", "1"}}, {}, "ERR Unknown option or number of arguments for CONFIG SET - 'foo'"},
      {{{"daemonize", "yes"}},
       {},
       "ERR CONFIG SET failed (possibly related to argument 'daemonize') - can't set immutable config"},
      {{{"threads", "7"}}, {}, "ERR CONFIG SET failed (possibly related to argument 'threads') - can't set immutable config"},
      {{{"dir", "x"}},
       {.protected_allowed = false},
       "ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config"},
      {{{"appendonly", "no"}}, {.loading = true}, "LOADING Redis is loading the dataset in memory"},
      {{{"maxmemory", "1"}, {"MAXMEMORY", "2"}},
       {},
       "ERR CONFIG SET failed (possibly related to argument 'MAXMEMORY') - duplicate parameter"},
      {{{"maxmemory", "bla"}},
       {},
       "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value"},
      {{{"HASH-max-ziplist-entries", "bla"}},
       {},
       "ERR CONFIG SET failed (possibly related to argument 'hash-max-ziplist-entries') - argument couldn't be parsed into an "
       "integer"},
      {{{"activedefrag", "yes"}},
       {},
       "ERR CONFIG SET failed (possibly related to argument 'activedefrag') - Active defragmentation cannot be "
       "enabled: Cairn's memory allocator offers no way to do it"},
  };
  for (const Case& c : cases) {
    Config config;
    EXPECT_EQ(config.Set(c.pairs, c.context).message(), c.message);
  }
}

TEST(ConfigSet, HooksRunOncePerCallAndMayRefuse) {
  Config config;
  int runs = 0;
  bool refuse = false;
  int64_t seen = 0;
  config.OnChange({"maxmemory", "timeout"}, [&] {
    runs++;
    seen = config.Number("maxmemory");
    return refuse && seen == 7 ? Status::InvalidArgument("no") : Status();
  });
  ASSERT_TRUE(config.Set(Pairs{{"maxmemory", "5"}, {"timeout", "9"}}, {}).ok());
  EXPECT_EQ(runs, 1);
  ASSERT_TRUE(config.Set(Pairs{{"maxmemory", "5"}}, {}).ok());
  EXPECT_EQ(runs, 1) << "nothing changed";
  refuse = true;
  EXPECT_EQ(config.Set(Pairs{{"maxmemory", "7"}}, {}).message(),
            "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - no");
  EXPECT_EQ(config.Number("maxmemory"), 5);
  EXPECT_EQ(seen, 5) << "the hook saw the old value put back";
  int others = 0;
  config.OnChange({"maxmemory", "port"}, [&] {
    others++;
    return Status();
  });
  ASSERT_TRUE(config.Set(Pairs{{"maxmemory", "6"}, {"port", "7010"}}, {}).ok());
  EXPECT_EQ(seen, 6) << "a second hook takes nothing from the first";
  EXPECT_EQ(others, 1);
}

TEST(ConfigRewrite, KeepsOrderAndComments) {
  TemporaryDirectory directory;
  const std::string file = directory.Write("c.conf",
                                           "# head\nport 7000\n\n\nsave 900 1\nsave 300 10\nhash-max-ziplist-entries 20\n"
                                           "rename-command flushdb badger\nmaxmemory 1mb\n# tail\n");
  auto config = Config::FromCommandLine(std::vector<std::string>{file});
  ASSERT_TRUE(config.ok()) << config.status().message();
  ASSERT_TRUE(
      (*config)->Set(Pairs{{"maxmemory", "3221225472"}, {"save", "60 5"}, {"requirepass", "a\"b"}, {"timeout", "7"}}, {}).ok());
  ASSERT_TRUE((*config)->Rewrite().ok());
  const std::string text = Read(file);
  EXPECT_TRUE(text.starts_with(
      "# head\nport 7000\n\nsave 60 5\n\nhash-max-listpack-entries 20\nrename-command flushdb badger\nmaxmemory 3gb\n# tail\n"))
      << text;
  EXPECT_NE(text.find("# Generated by CONFIG REWRITE\n"), std::string::npos);
  EXPECT_NE(text.find("\ntimeout 7\n"), std::string::npos);
  EXPECT_NE(text.find("\nrequirepass \"a\\\"b\"\n"), std::string::npos);
  EXPECT_EQ(text.find("maxclients"), std::string::npos) << "defaults are not written";
  ASSERT_TRUE((*config)->Rewrite().ok());
  EXPECT_EQ(Read(file), text) << "a second time changes nothing";

  auto again = Config::FromCommandLine(std::vector<std::string>{file});
  ASSERT_TRUE(again.ok()) << again.status().message();
  const std::vector<std::string_view> all = {"*"};
  EXPECT_EQ((*again)->Get(all), (*config)->Get(all));
  ASSERT_TRUE((*config)->Rewrite(true).ok());
  again = Config::FromCommandLine(std::vector<std::string>{file});
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ((*again)->Get(all), (*config)->Get(all));
}

TEST(ConfigRewrite, DropsTheDefaultUser) {
  TemporaryDirectory directory;
  const std::string file = directory.Write("c.conf", "port 7000\nuser default on nopass ~* &* +@all\nport 7000\n");
  auto config = Config::FromCommandLine(std::vector<std::string>{file});
  ASSERT_TRUE(config.ok()) << config.status().message();
  ASSERT_TRUE((*config)->Set(Pairs{{"requirepass", "x"}}, {}).ok());
  ASSERT_TRUE((*config)->Rewrite().ok());
  EXPECT_EQ(Read(file).find("user"), std::string::npos) << Read(file);
  EXPECT_TRUE(Config::FromCommandLine(std::vector<std::string>{file}).ok());
}

TEST(ConfigRewrite, NeedsAFile) {
  Config config;
  EXPECT_EQ(config.Rewrite().message(), "ERR The server is running without a config file");
}

TEST(NotifyFlags, ThereAndBack) {
  struct Case {
    std::string_view letters, canonical;
  };
  const Case cases[] = {{"", ""},
                        {"KA", "AK"},
                        {"EA", "AE"},
                        {"gKE", "gKE"},
                        {"$lshzxeKE", "$lshzxeKE"},
                        {"Km", "Km"},
                        {"Kn", "nK"},
                        {"KEg$lshzxetd", "AKE"},
                        {"AKEm", "AKEm"},
                        {"KEKE", "KE"}};
  for (const Case& c : cases) {
    const auto flags = ParseNotifyFlags(c.letters);
    ASSERT_TRUE(flags) << c.letters;
    EXPECT_EQ(FormatNotifyFlags(*flags), c.canonical);
    EXPECT_EQ(ParseNotifyFlags(FormatNotifyFlags(*flags)), flags);
  }
  EXPECT_FALSE(ParseNotifyFlags("Kq"));
}

TEST(ConfigCollections, ReachTheEngineByBothNames) {
  Config config;
  const ValueLimits defaults;
  EXPECT_EQ(config.MakeValueLimits().hash_max_listpack_entries, defaults.hash_max_listpack_entries);
  EXPECT_EQ(config.MakeValueLimits().stream_node_max_entries, defaults.stream_node_max_entries);
  ASSERT_TRUE(Load(&config, "hash-max-ziplist-entries 7\nzset-max-listpack-value 1kb\nset-max-listpack-entries 9\n").ok());
  int changes = 0;
  config.OnChange(Config::ValueLimitDirectives(), [&] {
    changes++;
    return Status();
  });
  ASSERT_TRUE(config.Set(Pairs{{"list-max-ziplist-size", "-4"}, {"hll-sparse-max-bytes", "0"}}, {}).ok());
  EXPECT_EQ(changes, 1);
  EXPECT_FALSE(config.Set(Pairs{{"hash-max-listpack-entries", "-1"}}, {}).ok());
  const ValueLimits limits = config.MakeRuntimeOptions().limits;
  EXPECT_EQ(limits.hash_max_listpack_entries, 7);
  EXPECT_EQ(limits.zset_max_listpack_value, 1024);
  EXPECT_EQ(limits.set_max_listpack_entries, 9);
  EXPECT_EQ(limits.list_max_listpack_size, -4);
  EXPECT_EQ(limits.hll_sparse_max_bytes, 0);
  EXPECT_EQ(config.Print("hash-max-ziplist-entries"), "7");
}

TEST(ProcessTitle, Expands) {
  const TitleVariables variables = {{"title", "cairn"}, {"port", "6379"}, {"server-mode", ""}};
  EXPECT_EQ(ExpandTitle("{title} *:{port} {server-mode}", variables), "cairn *:6379");
  EXPECT_EQ(ExpandTitle("{{title} x", variables), "{title} x");
  EXPECT_EQ(ExpandTitle("", variables), "");
  for (const std::string_view bad : {"{nobody}", "{title", "{}", "{"})
    EXPECT_EQ(ExpandTitle(bad, variables), std::nullopt) << bad;
  EXPECT_TRUE(IsTitleTemplate("{title} {listen-addr} {server-mode} {port} {tls-port} {unixsocket} {config-file}"));
  EXPECT_FALSE(IsTitleTemplate("{invalid-var}"));
}

}  // namespace
}  // namespace cairn
