#include "tests/engine_commands/command_harness.h"

namespace cairn {

static Session Members() {
  return {"sadd, srem, sismember",
          {{"SADD s 1 2 3", ":3", "SADD s 1 2 3", "new:s@0 sadd:s@0"},
           {"OBJECT ENCODING s", "\"intset\""},
           {"SADD s 2 3", ":0", "", ""},
           {"SADD s 3 70000", ":1", "SADD s 3 70000", "sadd:s@0"},
           {"SMEMBERS s", "[\"1\" \"2\" \"3\" \"70000\"]"},
           {"SADD s a", ":1"},
           {"OBJECT ENCODING s", "\"hashtable\""},
           {"SADD s 2 a", ":0", "", ""},
           {"SCARD s", ":5", "", ""},
           {"TYPE s", "+set"},
           {"SISMEMBER s 70000", ":1"},
           {"SISMEMBER s 070000", ":0"},
           {"SISMEMBER s a", ":1"},
           {"SMISMEMBER s a b 1", "[:1 :0 :1]"},
           {"SMISMEMBER absent a b", "[:0 :0]"},
           {"SISMEMBER absent a", ":0"},
           {"SCARD absent", ":0"},
           {"SMEMBERS absent", "[]"},
           {"SREM absent a", ":0", "", ""},
           {"SREM s x y", ":0", "", ""},
           {"SREM s 1 x a", ":2", "SREM s 1 x a", "srem:s@0"},
           {"SREM s 2 3 70000 8", ":3", "SREM s 2 3 70000 8", "srem:s@0 del:s@0"},
           {"EXISTS s", ":0"},
           {"SADD s \"\"", ":1", "SADD s ", "new:s@0 sadd:s@0"},
           {"SISMEMBER s \"\"", ":1"},
           {"SISMEMBER s 0", ":0"},
           {"SADD s \"\\x00\\xFF\"", ":1"},
           {"SISMEMBER s \"\\x00\\xFF\"", ":1"},
           {"@protocol 3", ""},
           {"DEL s", ":1"},
           {"SADD s 5", ":1"},
           {"SMEMBERS s", "~[\"5\"]"},
           {"SMEMBERS absent", "~[]"}}};
}

static Session WrongTypes() {
  const std::string wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value";
  std::vector<Step> steps = {{"SET k v", "+OK"}, {"SADD s 1 2", ":2"}};
  for (const char* command :
       {"SADD k a",          "SREM k a",         "SMOVE k s a",       "SMOVE s k 1",      "SISMEMBER k a",   "SMISMEMBER k a",
        "SCARD k",           "SPOP k",           "SPOP k 2",          "SRANDMEMBER k",    "SRANDMEMBER k 2", "SMEMBERS k",
        "SINTER s k",        "SINTERCARD 2 s k", "SINTERSTORE d s k", "SUNIONCARD 2 s k", "SDIFFCARD 2 s k", "SUNION s k",
        "SUNIONSTORE d s k", "SDIFF s k",        "SDIFFSTORE d k s",  "SSCAN k 0"}) {
    steps.push_back({command, wrong, "", ""});
  }
  steps.push_back({"EXISTS d", ":0"});
  steps.push_back({"SMEMBERS s", "[\"1\" \"2\"]"});
  steps.push_back({"GET s", wrong});
  return {"sets and other types", steps};
}

static Session Moving() {
  return {"smove",
          {{"SADD a 1 2", ":2"},
           {"SMOVE a b 3", ":0", "", ""},
           {"SMOVE a b 1", ":1", "SMOVE a b 1", "srem:a@0 new:b@0 sadd:b@0"},
           {"SMOVE a a 2", ":1", "", ""},
           {"SMOVE a a 3", ":0", "", ""},
           {"SMOVE absent a 3", ":0", "", ""},
           {"SADD b 2", ":1"},
           {"SMOVE a b 2", ":1", "SMOVE a b 2", "srem:a@0 del:a@0"},
           {"EXISTS a", ":0"},
           {"SMEMBERS b", "[\"1\" \"2\"]"},
           {"SET k v", "+OK"},
           {"SMOVE absent k 1", ":0"}}};
}

static Session Popping() {
  return {"spop, srandmember",
          {{"SPOP absent", "nil", "", ""},
           {"SPOP absent 3", "[]", "", ""},
           {"SRANDMEMBER absent", "nil"},
           {"SRANDMEMBER absent 3", "[]"},
           {"SADD s 7", ":1"},
           {"SRANDMEMBER s", "\"7\"", "", ""},
           {"SRANDMEMBER s 5", "[\"7\"]"},
           {"SRANDMEMBER s -3", "[\"7\" \"7\" \"7\"]"},
           {"SRANDMEMBER s 0", "[]"},
           {"SRANDMEMBER s x", "-ERR value is not an integer or out of range"},
           {"SRANDMEMBER s -9223372036854775808",
            "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"},
           {"SRANDMEMBER s 1 2", "-ERR syntax error"},
           {"SPOP s 0", "[]", "", ""},
           {"SPOP s -1", "-ERR value is out of range, must be positive"},
           {"SPOP s x", "-ERR value is out of range, must be positive"},
           {"SPOP s 1 2", "-ERR syntax error"},
           {"SPOP s", "\"7\"", "SREM s 7", "spop:s@0 del:s@0"},
           {"SADD s a b", ":2"},
           {"SPOP s 5", "[\"a\" \"b\"]", "DEL s", "spop:s@0 del:s@0"},
           {"EXISTS s", ":0"},
           {"@protocol 3", ""},
           {"SADD s a", ":1"},
           {"SRANDMEMBER s 5", "[\"a\"]"},
           {"SPOP s 2", "~[\"a\"]"}}};
}

static Session Algebra() {
  return {"sinter, sunion, sdiff",
          {{"SADD a 1 2 3 4", ":4"},
           {"SADD b 3 4 5", ":3"},
           {"SADD c 4 x", ":2"},
           {"SINTER a b", "[\"3\" \"4\"]", "", ""},
           {"SINTER a b c", "[\"4\"]"},
           {"SINTER a absent", "[]"},
           {"SINTER c", "[\"4\" \"x\"]"},
           {"SUNION a b", "[\"1\" \"2\" \"3\" \"4\" \"5\"]"},
           {"SUNION absent c absent", "[\"4\" \"x\"]"},
           {"SUNION absent", "[]"},
           {"SUNION c a a a a a a a a", "[\"4\" \"x\" \"1\" \"2\" \"3\"]"},
           {"SDIFF a b", "[\"1\" \"2\"]"},
           {"SDIFF a b c absent", "[\"1\" \"2\"]"},
           {"SDIFF a a", "[]"},
           {"SDIFF absent a", "[]"},
           {"SDIFF a absent", "[\"1\" \"2\" \"3\" \"4\"]"},
           {"SDIFF a b b b b b b b b b c", "[\"1\" \"2\"]"},
           {"SINTERCARD 2 a b", ":2"},
           {"SINTERCARD 2 a b LIMIT 1", ":1"},
           {"SINTERCARD 2 a b limit 0", ":2"},
           {"SINTERCARD 1 absent", ":0"},
           {"SINTERCARD 0 a", "-ERR numkeys should be greater than 0"},
           {"SINTERCARD x a", "-ERR numkeys should be greater than 0"},
           {"SINTERCARD 3 a b", "-ERR Number of keys can't be greater than number of args"},
           {"SINTERCARD 1 a b", "-ERR syntax error"},
           {"SINTERCARD 1 a LIMIT", "-ERR syntax error"},
           {"SINTERCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative"},
           {"SINTERCARD 1 a LIMIT x", "-ERR LIMIT can't be negative"},
           {"SUNIONCARD 3 a b c", ":6"},
           {"SUNIONCARD 9 c a a a a a a a a", ":5"},
           {"SUNIONCARD 2 a b LIMIT 3", ":3"},
           {"SUNIONCARD 2 a b limit 0 approx", ":5"},
           {"SUNIONCARD 2 a c APPROX LIMIT 2", ":2"},
           {"SUNIONCARD 2 absent absent APPROX", ":0"},
           {"SUNIONCARD 1 a LIMIT", "-ERR syntax error"},
           {"SDIFFCARD 3 a b c", ":2"},
           {"SDIFFCARD 2 a b LIMIT 1", ":1"},
           {"SDIFFCARD 2 absent a", ":0"},
           {"SDIFFCARD 1 a APPROX", "-ERR syntax error"},
           {"SDIFFCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative"},
           {"SDIFFCARD 0 a", "-ERR numkeys should be greater than 0"},
           {"@protocol 3", ""},
           {"SINTER a b", "~[\"3\" \"4\"]"},
           {"SDIFF absent", "~[]"}}};
}

static Session Storing() {
  return {"sinterstore, sunionstore, sdiffstore",
          {{"SADD a 1 2 3", ":3"},
           {"SADD b 2 3 4", ":3"},
           {"SINTERSTORE d a b", ":2", "SINTERSTORE d a b", "new:d@0 sinterstore:d@0"},
           {"SMEMBERS d", "[\"2\" \"3\"]"},
           {"SUNIONSTORE d a b", ":4", "SUNIONSTORE d a b", "sunionstore:d@0"},
           {"SDIFFSTORE a a b", ":1", "SDIFFSTORE a a b", "sdiffstore:a@0"},
           {"SMEMBERS a", "[\"1\"]"},
           {"SINTERSTORE d a b", ":0", "SINTERSTORE d a b", "del:d@0"},
           {"EXISTS d", ":0"},
           {"SINTERSTORE d a b", ":0", "", ""},
           {"SDIFFSTORE d absent a", ":0", "", "keymiss:absent@0"},
           {"SET k v EX 100", "+OK"},
           {"SUNIONSTORE k a b", ":4", "SUNIONSTORE k a b", "sunionstore:k@0"},
           {"TYPE k", "+set"},
           {"TTL k", ":-1"},
           {"EXPIRE k 100", ":1"},
           {"SUNIONSTORE k a k", ":4"},
           {"TTL k", ":-1"},
           {"SET str v", "+OK"},
           {"SUNIONSTORE k a str", "-WRONGTYPE Operation against a key holding the wrong kind of value", "", ""},
           {"SCARD k", ":4"},
           {"SADD s x", ":1"},
           {"EXPIRE s 100", ":1"},
           {"SADD s y", ":1"},
           {"TTL s", ":100"}}};
}

static Session Scanning() {
  return {"sscan",
          {{"SADD s 1 2 30", ":3"},
           {"SSCAN s 0", "[\"0\" [\"1\" \"2\" \"30\"]]"},
           {"SSCAN s 0 MATCH 3*", "[\"0\" [\"30\"]]"},
           {"SSCAN s 0 COUNT 1", "[\"0\" [\"1\" \"2\" \"30\"]]"},
           {"SSCAN s 17 COUNT 1 MATCH 1", "[\"0\" [\"1\"]]"},
           {"SSCAN absent 0", "[\"0\" []]"},
           {"SSCAN absent 0 nonsense", "[\"0\" []]"},
           {"SSCAN s x", "-ERR invalid cursor"},
           {"SSCAN s 0 COUNT 0", "-ERR syntax error"},
           {"SSCAN s 0 COUNT x", "-ERR value is not an integer or out of range"},
           {"SSCAN s 0 TYPE set", "-ERR syntax error"}}};
}

std::vector<Session> SetSessions() { return {Members(), WrongTypes(), Moving(), Popping(), Algebra(), Storing(), Scanning()}; }

}  // namespace cairn
