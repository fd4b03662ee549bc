#include "tests/engine_commands/command_harness.h"

namespace cairn {
namespace {

const char kWrongType[] = "-WRONGTYPE Operation against a key holding the wrong kind of value";

// A member that is longer than a packed set may hold: makes the key large, and goes again.
std::string LongMember() { return std::string(65, 'x'); }

std::vector<Step> MakeLarge(const std::string& key) {
  return {{"ZADD " + key + " 1 " + LongMember(), ":1"},
          {"OBJECT ENCODING " + key, "\"skiplist\""},
          {"ZREM " + key + " " + LongMember(), ":1", "ZREM " + key + " " + LongMember(), "zrem:" + key + "@0"}};
}

Session With(std::string name, bool large, std::vector<Step> first, const std::string& key, std::vector<Step> then) {
  if (large) {
    for (Step& step : MakeLarge(key)) first.push_back(std::move(step));
    name += ", large";
  }
  first.insert(first.end(), then.begin(), then.end());
  return {name, first};
}

Session Adding(bool large) {
  return With("zadd, zincrby", large, {{"ZADD z 1 a", ":1", "ZADD z 1 a", "new:z@0 zadd:z@0"}}, "z",
              {{"ZADD z 1 a", ":0", "", ""},
               {"ZADD z 2 a 3 b 3 b", ":1", "ZADD z 2 a 3 b 3 b", "zadd:z@0"},
               {"ZADD z CH 2 a 4 b 1.5 c", ":2"},
               {"ZRANGE z 0 -1 WITHSCORES", "[\"c\" ,1.500000 \"a\" ,2.000000 \"b\" ,4.000000]"},
               {"ZADD z NX 9 a 9 d", ":1"},
               {"ZADD z XX 7 a 9 e", ":0", "ZADD z XX 7 a 9 e", "zadd:z@0"},
               {"ZADD z XX CH 7 a 8 d", ":1"},
               {"ZADD z GT CH 6 a 9 d", ":1"},
               {"ZADD z LT CH 6 a 10 d", ":1"},
               {"ZADD z GT 1 new", ":1"},
               {"ZADD z INCR 1.5 a", ",7.500000", "ZADD z INCR 1.5 a", "zincr:z@0"},
               {"ZADD z NX INCR 1 a", "nil", "", ""},
               {"ZADD z XX INCR 1 absent", "nil", "", ""},
               {"ZADD z GT INCR -1 a", "nil", "", ""},
               {"ZADD z INCR 0 a", ",7.500000", "", ""},
               {"ZINCRBY z -2.5 a", ",5.000000", "ZINCRBY z -2.5 a", "zincr:z@0"},
               {"ZINCRBY z 1 fresh", ",1.000000"},
               {"ZADD z inf up -inf down +inf up2", ":3"},
               {"ZINCRBY z -inf up", "-ERR resulting score is not a number (NaN)", "", ""},
               {"ZSCORE z up", ",inf"},
               {"ZSCORE z down", ",-inf"},
               {"ZADD z nan x", "-ERR value is not a valid float", "", ""},
               {"ZADD z 1 x foo y", "-ERR value is not a valid float", "", ""},
               {"ZSCORE z x", "nil"},
               {"ZADD z 1", "-ERR wrong number of arguments for 'zadd' command"},
               {"ZADD z 1 a 2", "-ERR syntax error"},
               {"ZADD z NX CH", "-ERR syntax error"},
               {"ZADD z NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"},
               {"ZADD z GT LT 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"},
               {"ZADD z NX GT 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"},
               {"ZADD z INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair"},
               {"ZADD absent XX 1 a", ":0", "", ""},
               {"EXISTS absent", ":0"},
               {"ZADD z 5 \"\" 6 12 7 \"\\x00\\xFF\"", ":3"},
               {"ZRANGEBYSCORE z 5 7", "[\"\" \"a\" \"12\" \"\\x00\\xff\"]"},
               {"ZREM z 12 absent", ":1", "ZREM z 12 absent", "zrem:z@0"},
               {"ZREM z absent", ":0", "", ""},
               {"ZREM nothing a", ":0", "", ""}});
}

Session Reading(bool large) {
  return With("zscore, zrank, zcount", large, {{"ZADD z 1 a 2 b 2 c 3 d", ":4"}}, "z",
              {{"ZCARD z", ":4", "", ""},
               {"ZCARD absent", ":0"},
               {"ZSCORE z b", ",2.000000"},
               {"ZSCORE z x", "nil"},
               {"ZSCORE absent x", "nil"},
               {"ZMSCORE z a x d", "[,1.000000 nil ,3.000000]"},
               {"ZMSCORE absent a b", "[nil nil]"},
               {"ZRANK z a", ":0"},
               {"ZRANK z c", ":2"},
               {"ZREVRANK z c", ":1"},
               {"ZRANK z x", "nil"},
               {"ZRANK absent x", "nil"},
               {"ZRANK z d WITHSCORE", "[:3 ,3.000000]"},
               {"ZREVRANK z d WITHSCORE", "[:0 ,3.000000]"},
               {"ZRANK z x WITHSCORE", "nil-array"},
               {"ZRANK z d SCORES", "-ERR syntax error"},
               {"ZCOUNT z 2 3", ":3"},
               {"ZCOUNT z (2 3", ":1"},
               {"ZCOUNT z -inf (2", ":1"},
               {"ZCOUNT z -inf +inf", ":4"},
               {"ZCOUNT z 3 2", ":0"},
               {"ZCOUNT absent 1 2", ":0"},
               {"ZCOUNT z a 2", "-ERR min or max is not a float"},
               {"ZCOUNT z nan 2", "-ERR min or max is not a float"},
               {"ZADD l 0 a 0 b 0 c 0 d", ":4"},
               {"ZLEXCOUNT l - +", ":4"},
               {"ZLEXCOUNT l [b (d", ":2"},
               {"ZLEXCOUNT l (b +", ":2"},
               {"ZLEXCOUNT l + -", ":0"},
               {"ZLEXCOUNT l b c", "-ERR min or max not valid string range item"},
               {"ZRANDMEMBER absent", "nil"},
               {"ZRANDMEMBER absent 3", "[]"},
               {"ZRANDMEMBER z 0", "[]"},
               {"ZRANDMEMBER z 9", "[\"a\" \"b\" \"c\" \"d\"]"},
               {"ZRANDMEMBER z 4 WITHSCORES", "[\"a\" ,1.000000 \"b\" ,2.000000 \"c\" ,2.000000 \"d\" ,3.000000]"},
               {"ZRANDMEMBER z 1 X", "-ERR syntax error"},
               {"ZRANDMEMBER z x", "-ERR value is not an integer or out of range"},
               {"ZRANDMEMBER z -9223372036854775000 WITHSCORES", "-ERR value is out of range"},
               {"ZSCAN absent 0", "[\"0\" []]"},
               {"ZSCAN z 0 MATCH [ad] COUNT 100", large ? "?" : "[\"0\" [\"a\" \"1\" \"d\" \"3\"]]"},
               {"ZSCAN z 0 MATCH [ad] NOSCORES COUNT 100", large ? "?" : "[\"0\" [\"a\" \"d\"]]"},
               {"ZSCAN z 0 NOVALUES", "-ERR syntax error"},
               {"ZSCAN z x", "-ERR invalid cursor"}});
}

Session Ranges(bool large) {
  return With(
      "zrange", large, {{"ZADD z 1 a 2 b 3 c 4 d 5 e", ":5"}}, "z",
      {{"ZRANGE z 0 1", "[\"a\" \"b\"]", "", ""},
       {"ZRANGE z -2 -1", "[\"d\" \"e\"]"},
       {"ZRANGE z -2 -1 LIMIT 1 -1", "[\"d\" \"e\"]"},
       {"ZRANGE z -100 100", "[\"a\" \"b\" \"c\" \"d\" \"e\"]"},
       {"ZRANGE z 5 9", "[]"},
       {"ZRANGE z 3 1", "[]"},
       {"ZRANGE z 0 1 REV", "[\"e\" \"d\"]"},
       {"ZREVRANGE z 1 2 WITHSCORES", "[\"d\" ,4.000000 \"c\" ,3.000000]"},
       {"ZRANGE z 0 x", "-ERR value is not an integer or out of range"},
       {"ZRANGE absent 0 -1", "[]"},
       {"ZRANGE z 2 (4 BYSCORE", "[\"b\" \"c\"]"},
       {"ZRANGE z (4 2 BYSCORE REV WITHSCORES", "[\"c\" ,3.000000 \"b\" ,2.000000]"},
       {"ZRANGE z -inf +inf BYSCORE LIMIT 1 2", "[\"b\" \"c\"]"},
       {"ZRANGE z +inf -inf BYSCORE REV LIMIT 1 2", "[\"d\" \"c\"]"},
       {"ZRANGE z -inf +inf BYSCORE LIMIT 3 -1", "[\"d\" \"e\"]"},
       {"ZRANGE z -inf +inf BYSCORE LIMIT 9 1", "[]"},
       {"ZRANGE z -inf +inf BYSCORE LIMIT -1 1", "[]"},
       {"ZRANGE z 0 1 LIMIT 0 1", "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"},
       {"ZRANGE z [a [b BYLEX WITHSCORES", "-ERR syntax error, WITHSCORES not supported in combination with BYLEX"},
       {"ZRANGE z 0 1 BYSCORE BYLEX", "-ERR syntax error"},
       {"ZRANGE z 0 1 LIMIT 0", "-ERR syntax error"},
       {"ZRANGEBYSCORE z 2 4 LIMIT 1 1 WITHSCORES", "[\"c\" ,3.000000]"},
       {"ZRANGEBYSCORE z x 4", "-ERR min or max is not a float"},
       {"ZRANGEBYSCORE z 2 4 REV", "-ERR syntax error"},
       {"ZREVRANGEBYSCORE z 4 (2", "[\"d\" \"c\"]"},
       {"ZADD l 0 a 0 b 0 c 0 d", ":4"},
       {"ZRANGE l [b (d BYLEX", "[\"b\" \"c\"]"},
       {"ZRANGEBYLEX l - (c", "[\"a\" \"b\"]"},
       {"ZRANGEBYLEX l [aa + LIMIT 1 1", "[\"c\"]"},
       {"ZREVRANGEBYLEX l + [c", "[\"d\" \"c\"]"},
       {"ZRANGEBYLEX l b c", "-ERR min or max not valid string range item"},
       {"ZRANGESTORE d z 1 2", ":2", "ZRANGESTORE d z 1 2", "new:d@0 zrangestore:d@0"},
       {"ZRANGE d 0 -1 WITHSCORES", "[\"b\" ,2.000000 \"c\" ,3.000000]"},
       {"EXPIRE d 100", ":1"},
       {"ZRANGESTORE d z (4 -inf BYSCORE REV LIMIT 0 2", ":2", "?", "zrangestore:d@0"},
       {"TTL d", ":-1"},
       {"ZRANGE d 0 -1", "[\"b\" \"c\"]"},
       {"ZRANGESTORE d z 9 10", ":0", "ZRANGESTORE d z 9 10", "del:d@0"},
       {"ZRANGESTORE d absent 0 1", ":0", "", "keymiss:absent@0"},
       {"ZRANGESTORE z z 0 1", ":2"},
       {"ZRANGE z 0 -1", "[\"a\" \"b\"]"},
       {"@protocol 3", ""},
       {"ZRANGE z 0 0 WITHSCORES", "[[\"a\" ,1.000000]]"}});
}

Session Removing(bool large) {
  return With(
      "zremrangeby, zpop", large, {{"ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g", ":7"}}, "z",
      {{"ZREMRANGEBYRANK z 0 0", ":1", "ZREMRANGEBYRANK z 0 0", "zremrangebyrank:z@0"},
       {"ZREMRANGEBYRANK z 7 9", ":0", "", ""},
       {"ZREMRANGEBYSCORE z (2 3", ":1", "ZREMRANGEBYSCORE z (2 3", "zremrangebyscore:z@0"},
       {"ZRANGE z 0 -1", "[\"b\" \"d\" \"e\" \"f\" \"g\"]"},
       {"ZPOPMIN z", "[\"b\" ,2.000000]", "ZPOPMIN z", "zpopmin:z@0"},
       {"ZPOPMAX z 2", "[\"g\" ,7.000000 \"f\" ,6.000000]", "ZPOPMAX z 2", "zpopmax:z@0"},
       {"ZPOPMIN z 0", "[]", "", ""},
       {"ZPOPMIN z -1", "-ERR value is out of range, must be positive"},
       {"ZPOPMIN z 1 2", "-ERR syntax error"},
       {"ZPOPMIN absent", "[]"},
       {"@protocol 3", ""},
       {"ZPOPMIN z 1", "[[\"d\" ,4.000000]]"},
       {"ZPOPMAX z", "[\"e\" ,5.000000]", "ZPOPMAX z", "zpopmax:z@0 del:z@0"},
       {"EXISTS z", ":0"},
       {"@protocol 2", ""},
       {"ZADD z 1 a 1 b", ":2"},
       {"ZMPOP 2 absent z MIN COUNT 5", "[\"z\" [[\"a\" ,1.000000] [\"b\" ,1.000000]]]", "ZPOPMIN z 2", "zpopmin:z@0 del:z@0"},
       {"ZMPOP 1 z MAX", "nil-array", "", ""},
       {"ZMPOP 0 z MAX", "-ERR numkeys should be greater than 0"},
       {"ZMPOP 2 z MAX", "-ERR syntax error"},
       {"ZMPOP 1 z MAX COUNT 0", "-ERR count should be greater than 0"},
       {"ZMPOP 1 z MIDDLE", "-ERR syntax error"},
       {"ZADD z 1 a 2 b", ":2"},
       {"BZPOPMIN absent z 0", "[\"z\" \"a\" ,1.000000]", "ZPOPMIN z", "zpopmin:z@0"},
       {"BZMPOP 0 1 z MAX", "[\"z\" [[\"b\" ,2.000000]]]", "ZPOPMAX z 1", "zpopmax:z@0 del:z@0"},
       {"BZPOPMAX z -1", "-ERR timeout is negative"},
       {"BZPOPMAX z 0", "nil-array", "", ""},
       {"ZADD z 0 a 0 b 0 c", ":3"},
       {"ZREMRANGEBYLEX z [b +", ":2", "ZREMRANGEBYLEX z [b +", "zremrangebylex:z@0"},
       {"ZREMRANGEBYSCORE z -inf +inf", ":1", "?", "zremrangebyscore:z@0 del:z@0"},
       {"ZREMRANGEBYSCORE z -inf +inf", ":0", "", ""},
       {"ZREMRANGEBYSCORE z x 1", "-ERR min or max is not a float"},
       {"ZREM z a", ":0"}});
}

Session Algebra() {
  return {"zunion, zinter, zdiff",
          {{"ZADD a 1 x 2 y 3 z", ":3"},
           {"ZADD b 10 y 20 z 30 w", ":3"},
           {"SADD s y w", ":2"},
           {"ZUNION 2 a b", "[\"x\" \"y\" \"z\" \"w\"]", "", ""},
           {"ZUNION 2 a b WITHSCORES", "[\"x\" ,1.000000 \"y\" ,12.000000 \"z\" ,23.000000 \"w\" ,30.000000]"},
           {"ZUNION 2 a b WEIGHTS 2 0.5 AGGREGATE MAX WITHSCORES",
            "[\"x\" ,2.000000 \"y\" ,5.000000 \"z\" ,10.000000 \"w\" ,15.000000]"},
           {"ZINTER 2 a b AGGREGATE MIN WITHSCORES", "[\"y\" ,2.000000 \"z\" ,3.000000]"},
           {"ZINTER 3 a b s WITHSCORES", "[\"y\" ,13.000000]"},
           {"ZINTER 3 a b s AGGREGATE COUNT WITHSCORES", "[\"y\" ,3.000000]"},
           {"ZUNION 3 a b s WEIGHTS 10 5 -2 AGGREGATE COUNT WITHSCORES",
            "[\"w\" ,3.000000 \"x\" ,10.000000 \"y\" ,13.000000 \"z\" ,15.000000]"},
           {"ZDIFF 2 a b AGGREGATE COUNT", "-ERR syntax error"},
           {"ZINTER 2 a absent", "[]"},
           {"ZDIFF 2 a b WITHSCORES", "[\"x\" ,1.000000]"},
           {"ZDIFF 2 b s", "[\"z\"]"},
           {"ZINTERCARD 2 a b", ":2", "", ""},
           {"ZINTERCARD 2 a b LIMIT 1", ":1"},
           {"ZINTERCARD 2 a b LIMIT -1", "-ERR LIMIT can't be negative"},
           {"ZUNION 0 a", "-ERR at least 1 input key is needed for 'zunion' command"},
           {"ZUNION x a", "-ERR value is not an integer or out of range"},
           {"ZUNION 3 a b", "-ERR syntax error"},
           {"ZUNION 2 a b WEIGHTS 1", "-ERR syntax error"},
           {"ZUNION 2 a b WEIGHTS 1 x", "-ERR weight value is not a float"},
           {"ZUNION 2 a b AGGREGATE AVG", "-ERR syntax error"},
           {"ZDIFF 1 a WEIGHTS 1", "-ERR syntax error"},
           {"ZUNIONSTORE d 2 a s", ":4", "ZUNIONSTORE d 2 a s", "new:d@0 zunionstore:d@0"},
           {"ZRANGE d 0 -1 WITHSCORES", "[\"w\" ,1.000000 \"x\" ,1.000000 \"y\" ,3.000000 \"z\" ,3.000000]"},
           {"ZINTERSTORE d 2 a b WITHSCORES", "-ERR syntax error"},
           {"ZINTERSTORE d 2 d b", ":3", "ZINTERSTORE d 2 d b", "zinterstore:d@0"},
           {"ZRANGE d 0 -1 WITHSCORES", "[\"y\" ,13.000000 \"z\" ,23.000000 \"w\" ,31.000000]"},
           {"ZDIFFSTORE d 2 a a", ":0", "ZDIFFSTORE d 2 a a", "del:d@0"},
           {"ZDIFFSTORE d 2 a a", ":0", "", ""},
           {"ZADD i inf m", ":1"},
           {"ZADD j -inf m", ":1"},
           {"ZUNION 2 i j WITHSCORES", "[\"m\" ,0.000000]"},
           {"ZUNION 1 i WEIGHTS 0 WITHSCORES", "[\"m\" ,0.000000]"},
           {"SET str v", "+OK"},
           {"ZUNION 2 a str", kWrongType},
           {"ZUNIONSTORE str 1 a", ":3", "ZUNIONSTORE str 1 a", "zunionstore:str@0"},
           {"TYPE str", "+zset"},
           {"ZADD first 1 \"\" 2 " + LongMember(), ":2"},
           {"ZUNIONSTORE d 1 first", ":2"},
           {"ZRANGE d 0 0", "[\"\"]"}}};
}

Session WrongTypes() {
  std::vector<Step> steps = {{"SET k v", "+OK"}, {"ZADD z 1 a", ":1"}};
  for (const char* command : {"ZADD k 1 a",
                              "ZINCRBY k 1 a",
                              "ZREM k a",
                              "ZCARD k",
                              "ZCOUNT k 0 1",
                              "ZLEXCOUNT k - +",
                              "ZSCORE k a",
                              "ZMSCORE k a",
                              "ZRANK k a",
                              "ZREVRANK k a",
                              "ZRANGE k 0 1",
                              "ZRANGEBYSCORE k 0 1",
                              "ZRANGEBYLEX k - +",
                              "ZRANGESTORE d k 0 1",
                              "ZREMRANGEBYRANK k 0 1",
                              "ZREMRANGEBYSCORE k 0 1",
                              "ZREMRANGEBYLEX k - +",
                              "ZPOPMIN k",
                              "ZPOPMAX k 0",
                              "ZMPOP 2 k z MIN",
                              "ZUNION 2 z k",
                              "ZINTER 2 z k",
                              "ZDIFF 2 z k",
                              "ZUNIONSTORE d 2 z k",
                              "ZINTERCARD 2 z k",
                              "ZRANDMEMBER k",
                              "ZRANDMEMBER k 2",
                              "ZSCAN k 0",
                              "BZPOPMIN k 0",
                              "BZMPOP 0 1 k MIN"}) {
    steps.push_back({command, kWrongType, "", ""});
  }
  return {"sorted set commands on other types", steps};
}

}  // namespace

// Redis's listpack holds integers up to 2^62 as such, and ZSCAN copies them; everything else it answers as a double.
Session ScannedScores() {
  const auto scan = [](const char* score, const char* packed, const char* large) -> std::vector<Step> {
    const auto reply = [](const char* text) { return std::string("[\"0\" [\"a\" \"") + text + "\"]]"; };
    std::vector<Step> steps = {{std::string("ZADD z ") + score + " a", "?"}, {"ZSCAN z 0", reply(packed)}};
    for (Step& step : MakeLarge("z")) steps.push_back(std::move(step));
    steps.push_back({"ZSCAN z 0", reply(large)});
    steps.push_back({"DEL z", ":1"});
    return steps;
  };
  std::vector<Step> steps;
  for (const auto& part : {scan("1234567890123456789", "1234567890123456768", "1.2345678901234568e+18"),
                           scan("1e17", "100000000000000000", "1e+17"), scan("-1e17", "-100000000000000000", "-1e+17"),
                           scan("4611686018427387904", "4611686018427387904", "4.6116860184273879e+18"),
                           scan("-4611686018427387904", "-4611686018427387904", "-4.6116860184273879e+18"),
                           scan("4611686018427388928", "4.6116860184273889e+18", "4.6116860184273889e+18"), scan("5", "5", "5"),
                           scan("0.5", "0.5", "0.5"), scan("inf", "inf", "inf")}) {
    steps.insert(steps.end(), part.begin(), part.end());
  }
  return {"zscan, large scores", steps};
}

std::vector<Session> SortedSetSessions() {
  return {Adding(false),   Adding(true),   Reading(false), Reading(true), Ranges(false),  Ranges(true),
          Removing(false), Removing(true), Algebra(),      WrongTypes(),  ScannedScores()};
}

}  // namespace cairn
