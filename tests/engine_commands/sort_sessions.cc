#include "tests/engine_commands/command_harness.h"

namespace cairn {

static const char kNotANumber[] = "-ERR One or more scores can't be converted into double";

static Session Plain() {
  return {"sort",
          {{"SADD s 3 1 10 -2", ":4"},
           {"SORT s", "[\"-2\" \"1\" \"3\" \"10\"]", "", ""},
           {"SORT_RO s DESC", "[\"10\" \"3\" \"1\" \"-2\"]"},
           {"SORT s ALPHA", "[\"-2\" \"1\" \"10\" \"3\"]"},
           {"SORT s ALPHA DESC", "[\"3\" \"10\" \"1\" \"-2\"]"},
           {"SORT s desc asc LIMIT 1 2", "[\"1\" \"3\"]"},
           {"SORT s LIMIT 0 0", "[]"},
           {"SORT s LIMIT 3 10", "[\"10\"]"},
           {"SORT s LIMIT 4 10", "[]"},
           {"SORT s LIMIT -5 2", "[\"-2\" \"1\"]"},
           {"SORT s LIMIT 2 -1", "[\"3\" \"10\"]"},
           {"SORT s LIMIT 9223372036854775807 9223372036854775807", "[]"},
           {"SORT s LIMIT x 1", "-ERR value is not an integer or out of range"},
           {"SORT s LIMIT 1", "-ERR syntax error"},
           {"SORT s BY", "-ERR syntax error"},
           {"SORT s nonsense", "-ERR syntax error"},
           {"SORT_RO s STORE d", "-ERR syntax error"},
           {"SORT absent", "[]"},
           {"SORT absent STORE absent2", ":0", "", "keymiss:absent@0"},
           {"SADD words b a x1", ":3"},
           {"SORT words", kNotANumber},
           {"SORT words ALPHA", "[\"a\" \"b\" \"x1\"]"},
           {"SADD floats 1.5 1e3 \" 7\" \"\" 0x10", ":5"},
           {"SORT floats", "[\"\" \"1.5\" \" 7\" \"0x10\" \"1e3\"]"},
           {"SADD floats nan", ":1"},
           {"SORT floats", kNotANumber},
           {"SET str v", "+OK"},
           {"SORT str", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"COMMAND GETKEYS SORT abc STORE def", "[\"abc\" \"def\"]"},
           {"COMMAND GETKEYS SORT abc STORE a BY store STORE b", "[\"abc\" \"b\"]"},
           {"COMMAND GETKEYS SORT_RO abc", "[\"abc\"]"}}};
}

static Session Patterns() {
  return {"sort by, get",
          {{"SADD s 1 2 3", ":3"},
           {"MSET w1 30 w2 20 w3 10 name1 x name3 z", "+OK"},
           {"SORT s BY w*", "[\"3\" \"2\" \"1\"]", "", ""},
           {"SORT s BY w* DESC LIMIT 0 2", "[\"1\" \"2\"]"},
           {"SORT s BY w* GET # GET name*", "[\"3\" \"z\" \"2\" nil \"1\" \"x\"]"},
           {"SORT s GET name1", "[nil nil nil]"},
           {"SORT s BY absent*", "[\"1\" \"2\" \"3\"]"},
           {"SORT s BY name*", kNotANumber},
           {"SORT s BY name* ALPHA", "[\"2\" \"1\" \"3\"]"},
           {"SORT s BY nosort GET w*", "[\"30\" \"20\" \"10\"]"},
           {"HSET h1 f 5", ":1"},
           {"HSET h2 f 4 g 1", ":2"},
           {"SORT s BY h*->f", "[\"3\" \"2\" \"1\"]"},
           {"SORT s GET h*->f", "[\"5\" \"4\" nil]"},
           {"SORT s GET h*", "[nil nil nil]"},
           {"SORT s GET w*->f", "[nil nil nil]"},
           {"SET x1-> 7", "+OK"},
           {"SORT s GET x*->", "[\"7\" nil nil]"}}};
}

static Session Stored() {
  return {"sort store",
          {{"SADD s 3 1 2", ":3"},
           {"SORT s STORE d", ":3", "SORT s STORE d", "new:d@0 sortstore:d@0"},
           {"SORT d BY nosort", "[\"1\" \"2\" \"3\"]"},
           {"OBJECT ENCODING d", "\"quicklist\""},
           {"EXPIRE d 100", ":1"},
           {"SORT s DESC LIMIT 0 2 STORE d", ":2", "SORT s DESC LIMIT 0 2 STORE d", "sortstore:d@0"},
           {"TTL d", ":-1"},
           {"SORT d BY nosort", "[\"3\" \"2\"]"},
           {"SORT s GET w* GET # STORE d", ":6", "DEL d; RPUSH d  1  2  3"},
           {"SORT d BY nosort", "[\"\" \"1\" \"\" \"2\" \"\" \"3\"]"},
           {"SORT s BY x STORE s", ":3"},
           {"SORT s BY nosort", "[\"1\" \"2\" \"3\"]"},
           {"SORT absent STORE d", ":0", "SORT absent STORE d", "keymiss:absent@0 del:d@0"},
           {"SADD words a 1", ":2"},
           {"SORT words STORE s", kNotANumber, "", ""},
           {"SORT s BY nosort", "[\"1\" \"2\" \"3\"]"}}};
}

static Session Lists() {
  return {"sort lists and sorted sets",
          {{"SADD s 1 2 3 4", ":4"},
           {"MSET w1 3 w2 1 w3 2 w4 1", "+OK"},
           {"SORT s GET w* STORE l", ":4"},
           {"SORT l", "[\"1\" \"1\" \"2\" \"3\"]"},
           {"SORT l BY nosort", "[\"3\" \"1\" \"2\" \"1\"]"},
           {"SORT l BY nosort DESC", "[\"1\" \"2\" \"1\" \"3\"]"},
           {"SORT l BY nosort LIMIT 1 2", "[\"1\" \"2\"]"},
           {"SORT l BY nosort DESC LIMIT 1 2", "[\"2\" \"1\"]"},
           {"SORT l BY nosort LIMIT 1 2 GET # STORE d", ":2"},
           {"SORT d BY nosort", "[\"1\" \"2\"]"},
           {"ZADD z 1 c 2 b 3 a", ":3"},
           {"SORT z ALPHA", "[\"a\" \"b\" \"c\"]"},
           {"SORT z", kNotANumber},
           {"SORT z BY nosort", "[\"c\" \"b\" \"a\"]"},
           {"SORT z BY nosort DESC LIMIT 1 5", "[\"b\" \"c\"]"},
           {"SORT z BY nosort LIMIT 5 5", "[]"},
           {"SORT z BY nosort STORE d", ":3"},
           {"SORT d BY nosort", "[\"c\" \"b\" \"a\"]"}}};
}

// With ALPHA elements of equal weight, or without any, stay as they come, whichever way they are sorted.
static Session EqualWeights() {
  std::string push = "RPUSH long", first = "[\"99\"";
  for (int i = 99; i >= 0; i--) push += " " + std::to_string(i);
  for (int i = 98; i >= 93; i--) first += " \"" + std::to_string(i) + "\"";
  first += "]";
  return {"sort by equal weights",
          {{"RPUSH l z y x", ":3"},
           {"MSET w_z 1 w_y 1 w_x 1", "+OK"},
           {"SORT l BY w_* ALPHA", "[\"z\" \"y\" \"x\"]"},
           {"SORT l BY w_* ALPHA DESC", "[\"z\" \"y\" \"x\"]"},
           {"SORT l BY w_*", "[\"x\" \"y\" \"z\"]"},
           {"RPUSH m a b c a", ":4"},
           {"SORT m BY w_* ALPHA", "[\"a\" \"b\" \"c\" \"a\"]"},
           {"SORT m BY w_* ALPHA LIMIT 1 2", "[\"b\" \"c\"]"},
           {"SORT m BY w_* ALPHA STORE d", ":4"},
           {"LRANGE d 0 -1", "[\"a\" \"b\" \"c\" \"a\"]"},
           {"SORT m BY w_*", "[\"a\" \"a\" \"b\" \"c\"]"},
           {push, ":100"},
           {"SORT long BY w_* ALPHA LIMIT 0 7", first},
           {"SORT long BY w_* ALPHA DESC LIMIT 0 7", first},
           // A set has no order of its own that would be the same when this is replayed.
           {"SADD s z y x", ":3"},
           {"SORT s BY w_* ALPHA STORE d", ":3"},
           {"LRANGE d 0 -1", "[\"x\" \"y\" \"z\"]"}}};
}

std::vector<Session> SortSessions() { return {Plain(), Patterns(), Stored(), Lists(), EqualWeights()}; }

}  // namespace cairn
