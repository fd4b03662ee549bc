#include "tests/engine_commands/command_harness.h"

namespace cairn {

static Session Pushing() {
  return {"lpush, rpush, lpushx, rpushx, llen, lrange",
          {{"LPUSH l a", ":1", "LPUSH l a", "new:l@0 lpush:l@0"},
           {"RPUSH l b c 10", ":4", "RPUSH l b c 10", "rpush:l@0"},
           {"LPUSH l x y", ":6", "LPUSH l x y", "lpush:l@0"},
           {"LRANGE l 0 -1", "[\"y\" \"x\" \"a\" \"b\" \"c\" \"10\"]", "", ""},
           {"LRANGE l -100 1", "[\"y\" \"x\"]"},
           {"LRANGE l -2 100", "[\"c\" \"10\"]"},
           {"LRANGE l 3 2", "[]"},
           {"LRANGE l 6 10", "[]"},
           {"LRANGE l 0 -7", "[]"},
           {"LRANGE l a 1", "-ERR value is not an integer or out of range"},
           {"LRANGE l 1 a", "-ERR value is not an integer or out of range"},
           {"LRANGE absent 0 -1", "[]", "", "keymiss:absent@0"},
           {"LRANGE absent x -1", "-ERR value is not an integer or out of range"},
           {"LLEN l", ":6", "", ""},
           {"LLEN absent", ":0"},
           {"TYPE l", "+list"},
           {"OBJECT ENCODING l", "\"quicklist\""},
           {"LPUSHX absent a", ":0", "", ""},
           {"RPUSHX absent a b", ":0", "", ""},
           {"LPUSHX l 1 2", ":8", "LPUSHX l 1 2", "lpush:l@0"},
           {"RPUSHX l 3", ":9", "RPUSHX l 3", "rpush:l@0"},
           {"LRANGE l 0 1", "[\"2\" \"1\"]"},
           {"LPUSH l", "-ERR wrong number of arguments for 'lpush' command"},
           {"RPUSH e \"\" \"\\x00\" -5 007", ":4"},
           {"LRANGE e 0 -1", "[\"\" \"\\x00\" \"-5\" \"007\"]"},
           {"SET s v", "+OK"},
           {"LPUSH s a", "-WRONGTYPE Operation against a key holding the wrong kind of value", "", ""},
           {"RPUSHX s a", "-WRONGTYPE Operation against a key holding the wrong kind of value", "", ""},
           {"LLEN s", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"LRANGE s 0 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"EXPIRE l 10", ":1"},
           {"RPUSH l z", ":10"},
           {"TTL l", ":10"},
           {"@advance 10000", ""},
           {"RPUSH l a", ":1", "DEL l; RPUSH l a", "expired:l@0 new:l@0 rpush:l@0"}}};
}

static Session ByIndex() {
  return {"lindex, lset, linsert, lpos",
          {{"RPUSH l a b c b 1", ":5"},
           {"LINDEX l 0", "\"a\"", "", ""},
           {"LINDEX l -1", "\"1\""},
           {"LINDEX l 5", "nil"},
           {"LINDEX l -6", "nil"},
           {"LINDEX l x", "-ERR value is not an integer or out of range"},
           {"LINDEX absent x", "nil", "", "keymiss:absent@0"},
           {"LSET l 1 B", "+OK", "LSET l 1 B", "lset:l@0"},
           {"LSET l -1 22", "+OK", "LSET l -1 22"},
           {"LRANGE l 0 -1", "[\"a\" \"B\" \"c\" \"b\" \"22\"]"},
           {"LSET l 5 x", "-ERR index out of range", "", ""},
           {"LSET l -6 x", "-ERR index out of range"},
           {"LSET l x x", "-ERR value is not an integer or out of range"},
           {"LSET absent x x", "-ERR no such key", "", ""},
           {"LINSERT l BEFORE 22 21", ":6", "LINSERT l BEFORE 22 21", "linsert:l@0"},
           {"LINSERT l after a a2", ":7", "LINSERT l after a a2", "linsert:l@0"},
           {"LINSERT l AFTER 22 23", ":8"},
           {"LRANGE l 0 -1", "[\"a\" \"a2\" \"B\" \"c\" \"b\" \"21\" \"22\" \"23\"]"},
           {"LINSERT l BEFORE nothing x", ":-1", "", ""},
           {"LINSERT absent BEFORE a x", ":0", "", ""},
           {"LINSERT l beside a x", "-ERR syntax error", "", ""},
           {"DEL l", ":1"},
           {"RPUSH l a b c 1 2 3 c c", ":8"},
           {"LPOS l c", ":2", "", ""},
           {"LPOS l 3", ":5"},
           {"LPOS l x", "nil"},
           {"LPOS l c RANK 2", ":6"},
           {"LPOS l c RANK -1", ":7"},
           {"LPOS l c RANK 4", "nil"},
           {"LPOS l c COUNT 0", "[:2 :6 :7]"},
           {"LPOS l c COUNT 2", "[:2 :6]"},
           {"LPOS l c COUNT 2 RANK 2", "[:6 :7]"},
           {"LPOS l c COUNT 0 RANK -2", "[:6 :2]"},
           {"LPOS l c COUNT 0 MAXLEN 7", "[:2 :6]"},
           {"LPOS l c COUNT 0 MAXLEN 2", "[]"},
           {"LPOS l c COUNT 0 MAXLEN 2 RANK -1", "[:7 :6]"},
           {"LPOS l c MAXLEN 2", "nil"},
           {"LPOS l c MAXLEN 3", ":2"},
           {"LPOS absent c", "nil"},
           {"LPOS absent c COUNT 1", "[]"},
           {"LPOS l c RANK 0",
            "-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from "
            "the end of "
            "the list"},
           {"LPOS l c COUNT -1", "-ERR COUNT can't be negative"},
           {"LPOS l c MAXLEN -1", "-ERR MAXLEN can't be negative"},
           {"LPOS l c COUNT", "-ERR syntax error"},
           {"LPOS l c BOGUS 1", "-ERR syntax error"},
           {"SET s v", "+OK"},
           {"LINDEX s 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"LSET s 0 x", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"LINSERT s BEFORE a b", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"LPOS s a", "-WRONGTYPE Operation against a key holding the wrong kind of value"}}};
}

static Session Removing() {
  return {"lrem, ltrim",
          {{"RPUSH l a b a c a 1 a", ":7"},
           {"LREM l 2 a", ":2", "LREM l 2 a", "lrem:l@0"},
           {"LREM l -1 a", ":1", "LREM l -1 a", "lrem:l@0"},
           {"LRANGE l 0 -1", "[\"b\" \"c\" \"a\" \"1\"]"},
           {"LREM l 0 1", ":1", "LREM l 0 1"},
           {"LREM l 0 x", ":0", "", ""},
           {"LREM absent 0 x", ":0", "", ""},
           {"LREM l x x", "-ERR value is not an integer or out of range"},
           {"LREM l -9223372036854775808 b", ":1"},
           {"LREM l 1 a", ":1"},
           {"LREM l 1 c", ":1", "LREM l 1 c", "lrem:l@0 del:l@0"},
           {"EXISTS l", ":0"},
           {"RPUSH l 1 2 3 4 5 6", ":6"},
           {"LTRIM l 1 -2", "+OK", "LTRIM l 1 -2", "ltrim:l@0"},
           {"LRANGE l 0 -1", "[\"2\" \"3\" \"4\" \"5\"]"},
           {"LTRIM l 0 100", "+OK", "", "ltrim:l@0"},
           {"LTRIM l -2 -1", "+OK"},
           {"LRANGE l 0 -1", "[\"4\" \"5\"]"},
           {"LTRIM l a 1", "-ERR value is not an integer or out of range"},
           {"LTRIM absent 0 1", "+OK", "", ""},
           {"LTRIM l 2 1", "+OK", "LTRIM l 2 1", "ltrim:l@0 del:l@0"},
           {"EXISTS l", ":0"},
           {"SET s v", "+OK"},
           {"LREM s 0 x", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"LTRIM s 0 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"}}};
}

static Session Popping() {
  return {"lpop, rpop, lmpop",
          {{"RPUSH l a b c d e f", ":6"},
           {"LPOP l", "\"a\"", "LPOP l", "lpop:l@0"},
           {"RPOP l", "\"f\"", "RPOP l", "rpop:l@0"},
           {"LPOP l 2", "[\"b\" \"c\"]", "LPOP l 2", "lpop:l@0"},
           {"RPOP l 0", "[]", "", ""},
           {"RPOP l 5", "[\"e\" \"d\"]", "RPOP l 5", "rpop:l@0 del:l@0"},
           {"LPOP l", "nil", "", ""},
           {"LPOP l 3", "nil-array", "", ""},
           {"LPOP l 0", "nil-array"},
           {"LPOP l -1", "-ERR value is out of range, must be positive"},
           {"LPOP l x", "-ERR value is out of range, must be positive"},
           {"LPOP l 1 2", "-ERR wrong number of arguments for 'lpop' command"},
           {"RPUSH l 1", ":1"},
           {"RPOP l", "\"1\"", "RPOP l", "rpop:l@0 del:l@0"},
           {"SET s v", "+OK"},
           {"LPOP s", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"RPOP s 2", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"RPUSH m a b c d", ":4"},
           {"LMPOP 2 l m LEFT", "[\"m\" [\"a\"]]", "LPOP m 1", "lpop:m@0"},
           {"LMPOP 2 l m right count 2", "[\"m\" [\"d\" \"c\"]]", "RPOP m 2", "rpop:m@0"},
           {"LMPOP 2 m l LEFT COUNT 10", "[\"m\" [\"b\"]]", "LPOP m 1", "lpop:m@0 del:m@0"},
           {"LMPOP 2 l m LEFT", "nil-array", "", ""},
           {"LMPOP 2 l s LEFT", "-WRONGTYPE Operation against a key holding the wrong kind of value", "", ""},
           {"LMPOP 0 l LEFT", "-ERR numkeys should be greater than 0"},
           {"LMPOP a l LEFT", "-ERR numkeys should be greater than 0"},
           {"LMPOP 2 l LEFT", "-ERR syntax error"},
           {"LMPOP 1 l UP", "-ERR syntax error"},
           {"LMPOP 1 l LEFT COUNT", "-ERR syntax error"},
           {"LMPOP 1 l LEFT COUNT 0", "-ERR count should be greater than 0"},
           {"LMPOP 1 l LEFT COUNT 1 COUNT 1", "-ERR syntax error"},
           {"@protocol 3", ""},
           {"LMPOP 1 l LEFT", "nil"},
           {"LPOP l 3", "nil"}}};
}

static Session Moving() {
  return {"lmove, rpoplpush",
          {{"RPUSH a 1 2 3", ":3"},
           {"LMOVE a b LEFT RIGHT", "\"1\"", "LMOVE a b LEFT RIGHT", "new:b@0 rpush:b@0 lpop:a@0"},
           {"LMOVE a b RIGHT LEFT", "\"3\"", "LMOVE a b RIGHT LEFT", "lpush:b@0 rpop:a@0"},
           {"LRANGE b 0 -1", "[\"3\" \"1\"]"},
           {"RPOPLPUSH a b", "\"2\"", "RPOPLPUSH a b", "lpush:b@0 rpop:a@0 del:a@0"},
           {"RPOPLPUSH a b", "nil", "", ""},
           {"LMOVE a b LEFT LEFT", "nil", "", ""},
           {"LRANGE b 0 -1", "[\"2\" \"3\" \"1\"]"},
           {"RPOPLPUSH b b", "\"1\"", "RPOPLPUSH b b", "lpush:b@0 rpop:b@0"},
           {"LRANGE b 0 -1", "[\"1\" \"2\" \"3\"]"},
           {"LMOVE b b LEFT RIGHT", "\"1\"", "LMOVE b b LEFT RIGHT", "rpush:b@0 lpop:b@0"},
           {"LMOVE b b LEFT LEFT", "\"2\""},
           {"LMOVE b b RIGHT RIGHT", "\"1\""},
           {"LRANGE b 0 -1", "[\"2\" \"3\" \"1\"]"},
           {"LTRIM b 0 0", "+OK"},
           {"LMOVE b b LEFT RIGHT", "\"2\"", "LMOVE b b LEFT RIGHT", "rpush:b@0 lpop:b@0"},
           {"LMOVE b c UP LEFT", "-ERR syntax error"},
           {"LMOVE b c LEFT UP", "-ERR syntax error"},
           {"SET s v", "+OK"},
           {"LMOVE s b LEFT LEFT", "-WRONGTYPE Operation against a key holding the wrong kind of value", "", ""},
           {"LMOVE b s LEFT LEFT", "-WRONGTYPE Operation against a key holding the wrong kind of value", "", ""},
           {"RPOPLPUSH absent s", "nil", "", ""},
           {"LRANGE b 0 -1", "[\"2\"]"}}};
}

static Session MovingSeveral() {
  const std::string wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value";
  std::vector<Step> steps;
  const auto fill = [&] {
    steps.push_back({"DEL a x", "?"});
    steps.push_back({"RPUSH a a b c d", ":4"});
    steps.push_back({"RPUSH x x y", ":2"});
  };
  // Ends and order, the reply, and the lists afterwards.
  const char* const cases[][4] = {
      {"LEFT LEFT COUNT 2 OBO", "[\"b\" \"a\"]", "[\"b\" \"a\" \"x\" \"y\"]", "[\"c\" \"d\"]"},
      {"LEFT LEFT COUNT 2 BULK", "[\"a\" \"b\"]", "[\"a\" \"b\" \"x\" \"y\"]", "[\"c\" \"d\"]"},
      {"LEFT RIGHT EXACTLY 2 OBO", "[\"a\" \"b\"]", "[\"x\" \"y\" \"a\" \"b\"]", "[\"c\" \"d\"]"},
      {"left right count 2 bulk", "[\"a\" \"b\"]", "[\"x\" \"y\" \"a\" \"b\"]", "[\"c\" \"d\"]"},
      {"RIGHT LEFT COUNT 2 OBO", "[\"c\" \"d\"]", "[\"c\" \"d\" \"x\" \"y\"]", "[\"a\" \"b\"]"},
      {"RIGHT LEFT COUNT 2 BULK", "[\"c\" \"d\"]", "[\"c\" \"d\" \"x\" \"y\"]", "[\"a\" \"b\"]"},
      {"RIGHT RIGHT COUNT 2 OBO", "[\"d\" \"c\"]", "[\"x\" \"y\" \"d\" \"c\"]", "[\"a\" \"b\"]"},
      {"RIGHT RIGHT COUNT 2 BULK", "[\"c\" \"d\"]", "[\"x\" \"y\" \"c\" \"d\"]", "[\"a\" \"b\"]"},
      {"LEFT RIGHT", "[\"a\"]", "[\"x\" \"y\" \"a\"]", "[\"b\" \"c\" \"d\"]"},
      {"LEFT RIGHT COUNT 9 OBO", "[\"a\" \"b\" \"c\" \"d\"]", "[\"x\" \"y\" \"a\" \"b\" \"c\" \"d\"]", "[]"}};
  for (const auto& [how, reply, target, source] : cases) {
    fill();
    steps.push_back({std::string("LMOVEM a x ") + how, reply});
    steps.push_back({"LRANGE x 0 -1", target});
    steps.push_back({"LRANGE a 0 -1", source});
  }
  // Within one list, also a whole one, which does not go meanwhile.
  const char* const turns[][3] = {{"LEFT RIGHT COUNT 2 BULK", "[\"a\" \"b\"]", "[\"c\" \"d\" \"a\" \"b\"]"},
                                  {"RIGHT LEFT COUNT 3 OBO", "[\"b\" \"c\" \"d\"]", "[\"b\" \"c\" \"d\" \"a\"]"},
                                  {"LEFT LEFT COUNT 2 OBO", "[\"b\" \"a\"]", "[\"b\" \"a\" \"c\" \"d\"]"},
                                  {"RIGHT RIGHT COUNT 3 OBO", "[\"d\" \"c\" \"b\"]", "[\"a\" \"d\" \"c\" \"b\"]"},
                                  {"RIGHT RIGHT COUNT 9 BULK", "[\"a\" \"b\" \"c\" \"d\"]", "[\"a\" \"b\" \"c\" \"d\"]"},
                                  {"LEFT LEFT EXACTLY 4 OBO", "[\"d\" \"c\" \"b\" \"a\"]", "[\"d\" \"c\" \"b\" \"a\"]"}};
  for (const auto& [how, reply, list] : turns) {
    fill();
    steps.push_back({"EXPIRE a 100", ":1"});
    steps.push_back({std::string("LMOVEM a a ") + how, reply});
    steps.push_back({"LRANGE a 0 -1", list});
    steps.push_back({"TTL a", ":100"});
  }
  fill();
  for (const Step& step : std::initializer_list<Step>{
           {"LMOVEM a new LEFT RIGHT COUNT 2 BULK", "[\"a\" \"b\"]", "LMOVEM a new LEFT RIGHT COUNT 2 BULK",
            "new:new@0 rpush:new@0 lpop:a@0"},
           {"LMOVEM a a LEFT RIGHT COUNT 1 OBO", "[\"c\"]", "LMOVEM a a LEFT RIGHT COUNT 1 OBO", "lpop:a@0 rpush:a@0"},
           {"LMOVEM a x LEFT RIGHT EXACTLY 3 BULK", "nil-array", "", ""},
           {"BLMOVEM a x LEFT RIGHT 0 EXACTLY 3 BULK", "nil-array", "", ""},
           {"BLMOVEM a x RIGHT RIGHT 0 COUNT 9 OBO", "[\"c\" \"d\"]", "LMOVEM a x RIGHT RIGHT EXACTLY 2 OBO",
            "rpush:x@0 rpop:a@0 del:a@0"},
           {"BLMOVEM x a LEFT LEFT 1.5", "[\"x\"]", "LMOVEM x a LEFT LEFT EXACTLY 1 BULK", "new:a@0 lpush:a@0 lpop:x@0"},
           {"SET s v", "+OK"},
           {"LMOVEM absent s LEFT RIGHT", "nil-array", "", ""},
           {"LMOVEM x s LEFT RIGHT EXACTLY 99 OBO", "nil-array", "", ""},
           {"LMOVEM s x LEFT RIGHT", wrong, "", ""},
           {"LMOVEM x s LEFT RIGHT COUNT 2 BULK", wrong, "", ""},
           {"LMOVEM x a LEFT RIGHT COUNT 0 BULK", "-ERR count should be greater than 0"},
           {"LMOVEM x a LEFT RIGHT EXACTLY x OBO", "-ERR count should be greater than 0"},
           {"LMOVEM x a LEFT RIGHT COUNT 1", "-ERR syntax error"},
           {"LMOVEM x a LEFT RIGHT COUNT 1 OBO BULK", "-ERR syntax error"},
           {"LMOVEM x a LEFT RIGHT MANY 1 OBO", "-ERR syntax error"},
           {"LMOVEM x a LEFT RIGHT COUNT 1 ALL", "-ERR syntax error"},
           {"LMOVEM x a UP RIGHT", "-ERR syntax error"},
           {"BLMOVEM x a LEFT RIGHT -1", "-ERR timeout is negative"},
           {"BLMOVEM x a LEFT RIGHT 0 COUNT 1", "-ERR syntax error"}}) {
    steps.push_back(step);
  }
  return {"lmovem, blmovem", steps};
}

// What the blocking forms do where they need not wait, or may not.
static Session Blocking() {
  return {"blpop, brpop, blmpop, blmove, brpoplpush",
          {{"RPUSH l a b c d e f g", ":7"},
           {"BLPOP absent l 0", "[\"l\" \"a\"]", "LPOP l", "lpop:l@0"},
           {"BRPOP l absent 1.5", "[\"l\" \"g\"]", "RPOP l", "rpop:l@0"},
           {"BLMPOP 0 2 absent l RIGHT COUNT 2", "[\"l\" [\"f\" \"e\"]]", "RPOP l 2", "rpop:l@0"},
           {"BLMOVE l m LEFT RIGHT 0", "\"b\"", "LMOVE l m LEFT RIGHT", "new:m@0 rpush:m@0 lpop:l@0"},
           {"BRPOPLPUSH l m 0", "\"d\"", "RPOPLPUSH l m", "lpush:m@0 rpop:l@0"},
           {"BRPOPLPUSH l m 0", "\"c\"", "RPOPLPUSH l m", "lpush:m@0 rpop:l@0 del:l@0"},
           {"LRANGE m 0 -1", "[\"c\" \"d\" \"b\"]"},
           {"SET s v", "+OK"},
           {"BLPOP s 0", "-WRONGTYPE Operation against a key holding the wrong kind of value", "", ""},
           {"BLMOVE m s LEFT LEFT 0", "-WRONGTYPE Operation against a key holding the wrong kind of value", "", ""},
           {"BLMOVE s m LEFT LEFT 0", "-WRONGTYPE Operation against a key holding the wrong kind of value", "", ""},
           {"BLPOP l -1", "-ERR timeout is negative"},
           {"BLPOP l x", "-ERR timeout is not a float or out of range"},
           {"BLMPOP -1 1 l LEFT", "-ERR timeout is negative"},
           {"BLMPOP 0 0 l LEFT", "-ERR numkeys should be greater than 0"},
           {"BLMPOP 0 1 l UP", "-ERR syntax error"},
           {"BLMOVE l m UP LEFT 0", "-ERR syntax error"},
           {"BLMOVE l m LEFT LEFT x", "-ERR timeout is not a float or out of range"},
           {"BRPOPLPUSH l m -1", "-ERR timeout is negative"},
           {"BLPOP l 0", "nil-array", "", ""},
           {"BRPOPLPUSH l m 0", "nil", "", ""},
           {"BLMPOP 0 1 l LEFT", "nil-array", "", ""}}};
}

std::vector<Session> ListSessions() {
  return {Pushing(), ByIndex(), Removing(), Popping(), Moving(), MovingSeveral(), Blocking()};
}

}  // namespace cairn
