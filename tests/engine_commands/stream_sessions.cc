#include "tests/engine_commands/command_harness.h"

namespace cairn {

static Session Adding() {
  return {
      "xadd",
      {{"XADD s * f v", "\"1700000000000-0\"", "XADD s 1700000000000-0 f v", "new:s@0 xadd:s@0"},
       {"XADD s * f v", "\"1700000000000-1\"", "XADD s 1700000000000-1 f v", "xadd:s@0"},
       {"XADD s 1700000000000-* f v", "\"1700000000000-2\"", "XADD s 1700000000000-2 f v"},
       {"XADD s 1700000000001-* a 1 b 2", "\"1700000000001-0\"", "XADD s 1700000000001-0 a 1 b 2"},
       {"XADD s 1700000000001 f v", "-ERR The ID specified in XADD is equal or smaller than the target stream top item", "", ""},
       {"XADD s 1700000000002 f v", "\"1700000000002-0\""},
       {"XLEN s", ":5", "", ""},
       {"XLEN absent", ":0"},
       {"TYPE s", "+stream"},
       {"OBJECT ENCODING s", "\"stream\""},
       {"XADD s * f", "-ERR wrong number of arguments for 'xadd' command", "", ""},
       {"XADD s * f v g", "-ERR wrong number of arguments for 'xadd' command"},
       {"XADD s x f v", "-ERR Invalid stream ID specified as stream command argument"},
       {"XADD s 0-0 f v", "-ERR The ID specified in XADD must be greater than 0-0"},
       {"XADD n 0-* f v", "\"0-1\"", "XADD n 0-1 f v"},
       {"XADD other NOMKSTREAM * f v", "nil", "", ""},
       {"EXISTS other", ":0"},
       {"SET str x", "+OK"},
       {"XADD str * f v", "-WRONGTYPE Operation against a key holding the wrong kind of value", "", ""},
       {"XADD e 18446744073709551615-18446744073709551615 f v", "\"18446744073709551615-18446744073709551615\""},
       {"XADD e * f v", "-ERR The stream has exhausted the last possible ID, unable to add more items", "", ""},
       {"XADD f 5-18446744073709551615 f v", "\"5-18446744073709551615\""},
       {"XADD f 5-* f v", "-ERR The ID specified in XADD is equal or smaller than the target stream top item", "", ""}}};
}

static Session Trimming() {
  return {"xtrim, xadd with a trim",
          {{"XADD s MAXLEN 2 1-0 f 1", "\"1-0\"", "XADD s 1-0 f 1", "new:s@0 xadd:s@0"},
           {"XADD s 2-0 f 2", "\"2-0\""},
           {"XADD s MAXLEN = 2 3-0 f 3", "\"3-0\"", "XADD s MAXLEN = 2 3-0 f 3", "xadd:s@0 xtrim:s@0"},
           {"XADD s MAXLEN ~ 1 4-0 f 4", "\"4-0\"", "XADD s 4-0 f 4", "xadd:s@0"},
           {"XADD s MINID 3 5-0 f 5", "\"5-0\"", "XADD s MINID = 3-0 5-0 f 5", "xadd:s@0 xtrim:s@0"},
           {"XRANGE s - +", "[[\"3-0\" [\"f\" \"3\"]] [\"4-0\" [\"f\" \"4\"]] [\"5-0\" [\"f\" \"5\"]]]", "", ""},
           {"XTRIM s MAXLEN 3", ":0", "", ""},
           {"XTRIM s MAXLEN ~ 1 LIMIT 10", ":0", "", ""},
           {"XTRIM s MAXLEN 2", ":1", "XTRIM s MAXLEN = 2", "xtrim:s@0"},
           {"XTRIM s MINID = 5", ":1", "XTRIM s MINID = 5-0", "xtrim:s@0"},
           {"XTRIM s MAXLEN ~ 0", ":1", "XTRIM s MAXLEN = 0"},
           {"EXISTS s", ":1"},
           {"XTRIM absent MAXLEN 0", ":0"},
           {"XTRIM s MAXLEN -1", "-ERR The MAXLEN argument must be >= 0."},
           {"XTRIM s MAXLEN 1 LIMIT 5", "-ERR syntax error, LIMIT cannot be used without the special ~ option"},
           {"XTRIM s MAXLEN ~ 1 LIMIT -1", "-ERR The LIMIT argument must be >= 0."},
           {"XTRIM s LIMIT 5", "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"},
           {"XADD s LIMIT 5 * f v", "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"},
           {"XTRIM s MAXLEN 1 MINID 1", "-ERR syntax error, MAXLEN and MINID options at the same time are not compatible"},
           {"XTRIM s MAXLEN x", "-ERR value is not an integer or out of range"},
           {"XTRIM s FOO 1", "-ERR syntax error"}}};
}

static Session Ranges() {
  return {
      "xrange, xrevrange, xdel, xsetid",
      {{"XADD s 1-1 a 1", "\"1-1\""},
       {"XADD s 1-2 a 2", "\"1-2\""},
       {"XADD s 2-0 b x c y", "\"2-0\""},
       {"XADD s 3-0 a 12345678901", "\"3-0\""},
       {"XRANGE s 1 1", "[[\"1-1\" [\"a\" \"1\"]] [\"1-2\" [\"a\" \"2\"]]]", "", ""},
       {"XRANGE s (1-1 (2-0", "[[\"1-2\" [\"a\" \"2\"]]]"},
       {"XRANGE s - + COUNT 1", "[[\"1-1\" [\"a\" \"1\"]]]"},
       {"XREVRANGE s + - COUNT 2", "[[\"3-0\" [\"a\" \"12345678901\"]] [\"2-0\" [\"b\" \"x\" \"c\" \"y\"]]]"},
       {"XRANGE s 5 +", "[]"},
       {"XRANGE s + -", "[]"},
       {"XRANGE s - + COUNT 0", "nil-array"},
       {"XRANGE s - + COUNT -1", "nil-array"},
       {"XRANGE absent - +", "[]"},
       {"XRANGE s (18446744073709551615-18446744073709551615 +", "-ERR invalid start ID for the interval"},
       {"XRANGE s - (0-0", "-ERR invalid end ID for the interval"},
       {"XRANGE s (- +", "-ERR Invalid stream ID specified as stream command argument"},
       {"XRANGE s - + FOO", "-ERR syntax error"},
       {"XDEL s 1-2 7-7 1-2", ":1", "XDEL s 1-2 7-7 1-2", "xdel:s@0"},
       {"XDEL s 7-7", ":0", "", ""},
       {"XDEL s 2-0 x", "-ERR Invalid stream ID specified as stream command argument", "", ""},
       {"XDEL absent 1-1 x", ":0"},
       {"XRANGE s - 2", "[[\"1-1\" [\"a\" \"1\"]] [\"2-0\" [\"b\" \"x\" \"c\" \"y\"]]]"},
       {"XSETID s 2-0", "-ERR The ID specified in XSETID is smaller than the target stream top item", "", ""},
       {"XSETID s 9-0 ENTRIESADDED 1", "-ERR The entries_added specified in XSETID is smaller than the target stream length"},
       {"XSETID s 9-0 ENTRIESADDED 10 MAXDELETEDID 4-0", "+OK", "XSETID s 9-0 ENTRIESADDED 10 MAXDELETEDID 4-0", "xsetid:s@0"},
       {"XSETID s 9-0 MAXDELETEDID 10-0", "-ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"},
       {"XSETID absent 1-0", "-ERR no such key"},
       {"XADD s 9-* a 1", "\"9-1\""}}};
}

static Session Reading() {
  return {"xread",
          {{"XADD s 1-0 a 1", "\"1-0\""},
           {"XADD s 2-0 a 2", "\"2-0\""},
           {"XADD t 1-0 b 1", "\"1-0\""},
           {"XREAD STREAMS s 0", "[[\"s\" [[\"1-0\" [\"a\" \"1\"]] [\"2-0\" [\"a\" \"2\"]]]]]", "", ""},
           {"XREAD COUNT 1 STREAMS s t absent 0 0 0", "[[\"s\" [[\"1-0\" [\"a\" \"1\"]]]] [\"t\" [[\"1-0\" [\"b\" \"1\"]]]]]"},
           {"XREAD STREAMS s t 2 0-5", "[[\"t\" [[\"1-0\" [\"b\" \"1\"]]]]]"},
           {"XREAD STREAMS s $", "nil-array"},
           {"XREAD BLOCK 5 STREAMS s $", "nil-array"},
           {"XREAD STREAMS s t 0", "-ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."},
           {"XREAD STREAMS s >",
            "-ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."},
           {"XREAD GROUP g c STREAMS s 0", "-ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."},
           {"XREAD NOACK STREAMS s 0", "-ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."},
           {"XREAD FOO STREAMS s 0", "-ERR syntax error"},
           {"XREAD COUNT 1 a b", "-ERR syntax error"},
           {"XREAD BLOCK -1 STREAMS s 0", "-ERR timeout is negative"},
           {"SET str 1", "+OK"},
           {"XREAD STREAMS s str 0 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"@protocol 3", ""},
           {"XREAD STREAMS s t 1 1", "{\"s\" [[\"2-0\" [\"a\" \"2\"]]]}"},
           {"XREAD STREAMS s 2", "nil"}}};
}

static Session Waiting() {
  return {"xread and xreadgroup that wait",
          {{"XADD s 1-0 a 1", "\"1-0\""},
           {"@blocking 1", ""},
           {"XREAD BLOCK 100 STREAMS s t $ 5", "+blocked stream 100 2 XREAD BLOCK 100 STREAMS s t 1-0 5", ""},
           {"XREAD BLOCK 0 STREAMS s 1", "+blocked stream 0 1"},
           {"XREAD BLOCK 0 STREAMS s 0", "[[\"s\" [[\"1-0\" [\"a\" \"1\"]]]]]"},
           {"XADD t 6-0 a 1", "\"6-0\""},
           {"@ready 1", ""},
           {"XREAD BLOCK 100 STREAMS s t 0 5", "[[\"t\" [[\"6-0\" [\"a\" \"1\"]]]]]", "", ""},
           {"@ready 0", ""},
           {"XREAD BLOCK 100 STREAMS s t 1 5", "+blocked"},
           {"XGROUP CREATE s g $", "+OK"},
           {"XREADGROUP GROUP g c BLOCK 7 STREAMS s >", "+blocked stream 7 1 gone", "", ""},
           {"XREADGROUP GROUP g c BLOCK 7 STREAMS s 0", "[[\"s\" []]]"},
           {"XADD s 2-0 a 2", "\"2-0\""},
           {"@ready 0", ""},
           {"XREADGROUP GROUP g c BLOCK 7 STREAMS s >", "[[\"s\" [[\"2-0\" [\"a\" \"2\"]]]]]",
            "XCLAIM s g c 0 2-0 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-0; XGROUP SETID s g 2-0 ENTRIESREAD 2"},
           {"XGROUP DESTROY s g", ":1"},
           {"@ready 0", ""},
           {"XREADGROUP GROUP g c BLOCK 7 STREAMS s >", "-NOGROUP the consumer group this client was blocked on no longer exists",
            "", ""},
           {"DEL s", ":1"},
           {"@ready 0", ""},
           {"XREADGROUP GROUP g c BLOCK 7 STREAMS s >", "-UNBLOCKED the stream key no longer exists"},
           {"SET s x", "+OK"},
           {"@ready 0", ""},
           {"XREADGROUP GROUP g c BLOCK 7 STREAMS s >", "-UNBLOCKED the stream key no longer exists"}}};
}

static Session Groups() {
  return {
      "xgroup, xreadgroup, xack",
      {{"XGROUP CREATE s g 0 MKSTREAM MKSTREAM ENTRIESREAD 5",
        "-ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.", "", ""},
       {"XGROUP CREATE s g $",
        "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to "
        "create an empty stream automatically.",
        "", ""},
       {"XGROUP CREATE s g $ MKSTREAM", "+OK", "XGROUP CREATE s g 0-0 MKSTREAM ENTRIESREAD -1", "new:s@0 xgroup-create:s@0"},
       {"XGROUP CREATE s g 0", "-BUSYGROUP Consumer Group name already exists", "", ""},
       {"XADD s 1-0 a 1", "\"1-0\""},
       {"XADD s 2-0 a 2", "\"2-0\""},
       {"XADD s 3-0 a 3", "\"3-0\""},
       {"XREADGROUP GROUP g c COUNT 2 STREAMS s >", "[[\"s\" [[\"1-0\" [\"a\" \"1\"]] [\"2-0\" [\"a\" \"2\"]]]]]",
        "XCLAIM s g c 0 1-0 2-0 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-0; XGROUP SETID s g 2-0 ENTRIESREAD 2",
        "xgroup-createconsumer:s@0"},
       {"@advance 1000", ""},
       {"XREADGROUP GROUP g c NOACK STREAMS s >", "[[\"s\" [[\"3-0\" [\"a\" \"3\"]]]]]", "XGROUP SETID s g 3-0 ENTRIESREAD 3"},
       {"XREADGROUP GROUP g c STREAMS s >", "nil-array", "", ""},
       {"XREADGROUP GROUP g c STREAMS s 0", "[[\"s\" [[\"1-0\" [\"a\" \"1\"]] [\"2-0\" [\"a\" \"2\"]]]]]",
        "XCLAIM s g c 0 1-0 2-0 TIME 1700000001000 RETRYCOUNT 2 FORCE JUSTID LASTID 3-0"},
       {"XREADGROUP GROUP g d STREAMS s 0", "[[\"s\" []]]", "XGROUP CREATECONSUMER s g d"},
       {"XDEL s 2-0", ":1"},
       {"XREADGROUP GROUP g c STREAMS s 1", "[[\"s\" [[\"2-0\" nil-array]]]]", "", ""},
       {"XACK s g 1-0 9-0", ":1", "XACK s g 1-0 9-0"},
       {"XACK s g 1-0", ":0", "", ""},
       {"XACK s nogroup 1-0", ":0"},
       {"XACK s g x", "-ERR Invalid stream ID specified as stream command argument"},
       {"XPENDING s g", "[:1 \"2-0\" \"2-0\" [[\"c\" \"1\"]]]", "", ""},
       {"XREADGROUP GROUP no c STREAMS s >", "-NOGROUP No such key 's' or consumer group 'no' in XREADGROUP with GROUP option"},
       {"XREADGROUP GROUP g c STREAMS s $",
        "-ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by "
        "specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."},
       {"XREADGROUP COUNT 1 NOACK STREAMS s s > >", "-ERR Missing GROUP option for XREADGROUP"},
       {"XGROUP SETID s g 1", "+OK", "XGROUP SETID s g 1-0 ENTRIESREAD -1", "xgroup-setid:s@0"},
       {"XGROUP SETID s no 1", "-NOGROUP No such consumer group 'no' for key name 's'"},
       {"XREADGROUP GROUP g d STREAMS s s > >", "[[\"s\" [[\"3-0\" [\"a\" \"3\"]]]]]"},
       {"XGROUP CREATECONSUMER s g e", ":1", "XGROUP CREATECONSUMER s g e", "xgroup-createconsumer:s@0"},
       {"XGROUP CREATECONSUMER s g e", ":0", "", ""},
       {"XGROUP DELCONSUMER s g d", ":1", "XGROUP DELCONSUMER s g d", "xgroup-delconsumer:s@0"},
       {"XGROUP DELCONSUMER s g nobody", ":0", "", ""},
       {"XGROUP DESTROY s g", ":1", "XGROUP DESTROY s g", "xgroup-destroy:s@0"},
       {"XGROUP DESTROY s g", ":0", "", ""},
       {"XGROUP CREATE s g 0 ENTRIESREAD -2", "-ERR value for ENTRIESREAD must be positive or -1"},
       {"XGROUP CREATE s g 0 FOO", "-ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP."},
       {"XGROUP HELP", "?"}}};
}

static Session Claims() {
  return {"xclaim, xautoclaim, xpending, xnack",
          {{"XADD s 1-0 a 1", "\"1-0\""},
           {"XADD s 2-0 a 2", "\"2-0\""},
           {"XADD s 3-0 a 3", "\"3-0\""},
           {"XGROUP CREATE s g 0", "+OK"},
           {"XREADGROUP GROUP g c STREAMS s >", "?"},
           {"@advance 100", ""},
           {"XPENDING s g - + 10 c", "[[\"1-0\" \"c\" :100 :1] [\"2-0\" \"c\" :100 :1] [\"3-0\" \"c\" :100 :1]]", "", ""},
           {"XPENDING s g IDLE 101 - + 10", "[]"},
           {"XPENDING s g (1 2 10", "[[\"2-0\" \"c\" :100 :1]]"},
           {"XPENDING s g - + 10 nobody", "[]"},
           {"XPENDING s no", "-NOGROUP No such key 's' or consumer group 'no'"},
           {"XPENDING s g - +", "-ERR syntax error"},
           {"XCLAIM s g d 1000 1-0", "[]", "", ""},
           {"XCLAIM s g d 50 1-0 9-0", "[[\"1-0\" [\"a\" \"1\"]]]",
            "XCLAIM s g d 0 1-0 TIME 1700000000100 RETRYCOUNT 2 FORCE JUSTID LASTID 3-0", "xgroup-createconsumer:s@0"},
           {"XCLAIM s g d 0 2-0 IDLE 40 RETRYCOUNT 7 JUSTID", "[\"2-0\"]",
            "XCLAIM s g d 0 2-0 TIME 1700000000060 RETRYCOUNT 7 FORCE JUSTID LASTID 3-0"},
           {"XPENDING s g 2 2 1", "[[\"2-0\" \"d\" :40 :7]]", "", ""},
           {"XDEL s 2-0", ":1"},
           {"XCLAIM s g c 0 2-0", "[]", "XACK s g 2-0"},
           {"XCLAIM s g c 0 3-0 JUSTID LASTID 8", "[\"3-0\"]",
            "XCLAIM s g c 0 3-0 TIME 1700000000100 RETRYCOUNT 1 FORCE JUSTID LASTID 8-0"},
           {"XCLAIM s g c 0 LASTID 9-0", "[]", "XGROUP SETID s g 9-0 ENTRIESREAD 3"},
           {"XCLAIM s g c 0 1-0 FOO", "-ERR Unrecognized XCLAIM option 'FOO'"},
           {"XCLAIM s g c x 1-0", "-ERR Invalid min-idle-time argument for XCLAIM"},
           {"XCLAIM s no c 0 1-0", "-NOGROUP No such key 's' or consumer group 'no'"},
           {"@advance 100", ""},
           {"XAUTOCLAIM s g e 100 - COUNT 1", "[\"3-0\" [[\"1-0\" [\"a\" \"1\"]]] []]",
            "XCLAIM s g e 0 1-0 TIME 1700000000200 RETRYCOUNT 3 FORCE JUSTID LASTID 9-0"},
           {"XDEL s 3-0", ":1"},
           {"XAUTOCLAIM s g e 1000 0 JUSTID", "[\"0-0\" [] [\"3-0\"]]", "XACK s g 3-0"},
           {"XAUTOCLAIM s g e 1000 0 COUNT 0", "-ERR COUNT must be > 0", "", ""},
           {"XNACK s g FAIL IDS 2 1-0 5-0", ":1", "XNACK s g FAIL IDS 2 1-0 5-0"},
           {"XPENDING s g - + 10", "[[\"1-0\" \"\" :-1 :3]]"},
           {"XNACK s g SILENT IDS 1 5-0", ":0", "", ""},
           {"XNACK s g FATAL IDS 1 1-0", ":1"},
           {"XNACK s g FATAL IDS 1 1-0 RETRYCOUNT 4", ":1"},
           {"XNACK s g FAIL FORCE RETRYCOUNT 2 IDS 1 1-0", ":1"},
           {"XNACK s g SILENT IDS 2 1-0", "-ERR number of IDs doesn't match numids"},
           {"XNACK s g SILENT IDS 0 1-0", "-ERR numids must be a positive integer"},
           {"XNACK s g MAYBE IDS 1 1-0", "-ERR mode must be SILENT, FAIL, or FATAL"},
           {"XNACK s g FAIL IDS 1 1-0 2-0", "-ERR Unrecognized XNACK option '2-0'"},
           {"XNACK s g FAIL FORCE RETRYCOUNT 1", "-ERR syntax error, expected IDS keyword"},
           {"XNACK s g FAIL IDS 1 1-0 RETRYCOUNT -1", "-ERR Invalid RETRYCOUNT value, must be >= 0"},
           {"XNACK s g FAIL IDS 1 1-0 RETRYCOUNT x", "-ERR value is not an integer or out of range"},
           {"XAUTOCLAIM s g e 1000 0 JUSTID", "[\"0-0\" [\"1-0\"] []]"},
           {"XPENDING s g", "[:1 \"1-0\" \"1-0\" [[\"e\" \"1\"]]]"}}};
}

static Session GivenBack() {
  return {"xreadgroup claims what was given back first",
          {{"XADD s 1-0 a 1", "\"1-0\""},
           {"XADD s 2-0 a 2", "\"2-0\""},
           {"XADD s 3-0 a 3", "\"3-0\""},
           {"XADD s 4-0 a 4", "\"4-0\""},
           {"XGROUP CREATE s g 0", "+OK"},
           {"XREADGROUP GROUP g c STREAMS s >", "?"},
           {"XNACK s g FAIL IDS 3 1-0 2-0 3-0", ":3"},
           {"XNACK s g FAIL IDS 1 1-0", ":1"},
           {"COPY s t", ":1"},
           {"XPENDING s g - + 10", "[[\"1-0\" \"\" :-1 :1] [\"2-0\" \"\" :-1 :1] [\"3-0\" \"\" :-1 :1] [\"4-0\" \"c\" :0 :1]]"},
           {"XREADGROUP GROUP g d COUNT 2 CLAIM 9223372036854775807 STREAMS s >",
            "[[\"s\" [[\"2-0\" [\"a\" \"2\"] :1700000000000 :1] [\"3-0\" [\"a\" \"3\"] :1700000000000 :1]]]]"},
           {"XNACK t g FAIL IDS 1 2-0", ":1"},
           {"XCLAIM t g d 9223372036854775807 3-0 JUSTID", "[\"3-0\"]"},
           {"XREADGROUP GROUP g d CLAIM 9223372036854775807 STREAMS t >",
            "[[\"t\" [[\"1-0\" [\"a\" \"1\"] :1700000000000 :1] [\"2-0\" [\"a\" \"2\"] :1700000000000 :1]]]]"}}};
}

static Session ReadsThatClaim() {
  return {
      "xreadgroup with claim",
      {{"XADD s 1-0 a 1", "\"1-0\""},
       {"XADD s 2-0 a 2", "\"2-0\""},
       {"XGROUP CREATE s g 0", "+OK"},
       {"XREADGROUP GROUP g c COUNT 1 STREAMS s >", "?"},
       {"@advance 100", ""},
       {"XREADGROUP GROUP g d CLAIM 50 STREAMS s >", "[[\"s\" [[\"1-0\" [\"a\" \"1\"] :100 :1] [\"2-0\" [\"a\" \"2\"] :0 :0]]]]",
        "XCLAIM s g d 0 1-0 TIME 1700000000100 RETRYCOUNT 2 FORCE JUSTID LASTID 1-0; "
        "XCLAIM s g d 0 2-0 TIME 1700000000100 RETRYCOUNT 1 FORCE JUSTID LASTID 2-0; XGROUP SETID s g 2-0 ENTRIESREAD 2"},
       {"XREADGROUP GROUP g d CLAIM 50 STREAMS s >", "nil-array", "", ""},
       {"@advance 60", ""},
       {"XREADGROUP GROUP g e COUNT 1 NOACK CLAIM 50 STREAMS s >", "[[\"s\" [[\"1-0\" [\"a\" \"1\"] :60 :2]]]]"},
       {"XPENDING s g - + 10", "[[\"1-0\" \"e\" :0 :3] [\"2-0\" \"d\" :60 :1]]"}}};
}

static Session LimitedReads() {
  const std::string first = "[\"1-0\" [\"a\" \"1\"]]", second = "[\"2-0\" [\"a\" \"2\"]]", third = "[\"3-0\" [\"a\" \"3\"]]";
  std::vector<Step> steps;
  for (const char* key : {"s", "t", "u"}) {
    for (const char* id : {"1", "2", "3"})
      steps.push_back({std::string("XADD ") + key + " " + id + "-0 a " + id, std::string("\"") + id + "-0\""});
  }
  const auto of = [](const char* key, const std::string& entries) { return std::string("[\"") + key + "\" [" + entries + "]]"; };
  for (const Step& step : std::initializer_list<Step>{
           {"XREAD MAXCOUNT 2 STREAMS s t 0 0", "[" + of("s", first + " " + second) + "]"},
           {"XREAD MAXCOUNT 4 STREAMS t s 0 2", "[" + of("t", first + " " + second + " " + third) + " " + of("s", third) + "]"},
           {"XREAD COUNT 2 MAXCOUNT 3 STREAMS s t u 0 0 0", "[" + of("s", first + " " + second) + " " + of("t", first) + "]"},
           // An entry takes 4 + 9 + 4 + 7 + 7 bytes; the one that passes the size is the last.
           {"XREAD MAXSIZE 1 STREAMS s t 0 0", "[" + of("s", first) + "]"},
           {"XREAD MAXSIZE 31 STREAMS s t 0 0", "[" + of("s", first) + "]"},
           {"XREAD MAXSIZE 32 STREAMS s t 0 0", "[" + of("s", first + " " + second) + "]"},
           {"XREAD MAXSIZE 94 COUNT 5 MAXCOUNT 9 STREAMS s t 0 0",
            "[" + of("s", first + " " + second + " " + third) + " " + of("t", first) + "]"},
           {"XREAD MAXCOUNT 1 MAXSIZE 1 STREAMS s t 3 3", "nil-array"},
           {"XREAD MAXCOUNT 0 STREAMS s 0", "-ERR MAXCOUNT must be a positive integer"},
           {"XREAD MAXSIZE -1 STREAMS s 0", "-ERR MAXSIZE must be a positive integer"},
           {"XREAD MAXSIZE x STREAMS s 0", "-ERR value is not an integer or out of range"},
           {"XREAD COUNT 3 MAXCOUNT 2 STREAMS s 0", "-ERR MAXCOUNT must be greater than or equal to COUNT"},
           {"XGROUP CREATE s g 0", "+OK"},
           {"XGROUP CREATE t g 0", "+OK"},
           // What is not answered is not delivered.
           {"XREADGROUP GROUP g c MAXCOUNT 2 STREAMS s t > >", "[" + of("s", first + " " + second) + "]"},
           {"XREADGROUP GROUP g c MAXSIZE 32 STREAMS s t > >", "[" + of("s", third) + " " + of("t", first) + "]"},
           {"XPENDING s g", "[:3 \"1-0\" \"3-0\" [[\"c\" \"3\"]]]"},
           {"XPENDING t g", "[:1 \"1-0\" \"1-0\" [[\"c\" \"1\"]]]"},
           {"XREADGROUP GROUP g c MAXCOUNT 2 STREAMS s t 0 0", "[" + of("s", first + " " + second) + "]"},
           {"XREADGROUP GROUP g c COUNT 2 MAXCOUNT 4 STREAMS s t 1 0",
            "[" + of("s", second + " " + third) + " " + of("t", first) + "]"},
           {"XREADGROUP GROUP g c MAXSIZE 1 STREAMS s t 9 0", "[" + of("s", "") + " " + of("t", first) + "]"},
           {"XPENDING s g - + 10", "[[\"1-0\" \"c\" :0 :2] [\"2-0\" \"c\" :0 :3] [\"3-0\" \"c\" :0 :2]]"},
           {"@advance 100", ""},
           {"XREADGROUP GROUP g d MAXCOUNT 2 CLAIM 50 STREAMS s t > >",
            "[" + of("s", "[\"1-0\" [\"a\" \"1\"] :100 :2] [\"2-0\" [\"a\" \"2\"] :100 :3]") + "]"},
           {"XREADGROUP GROUP g d MAXSIZE 100 CLAIM 50 STREAMS s t > >",
            "[" + of("s", "[\"3-0\" [\"a\" \"3\"] :100 :2]") + " " +
                of("t", "[\"1-0\" [\"a\" \"1\"] :100 :3] [\"2-0\" [\"a\" \"2\"] :0 :0]") + "]"},
           {"XPENDING t g", "[:2 \"1-0\" \"2-0\" [[\"d\" \"2\"]]]"}}) {
    steps.push_back(step);
  }
  return {"xread and xreadgroup with maxcount and maxsize", steps};
}

static Session References() {
  return {"xdelex, xackdel, trims with references",
          {{"XADD s 0-1 a 1", "\"0-1\""},
           {"XADD s 0-2 a 1", "\"0-2\""},
           {"XADD s 1-0 a 1", "\"1-0\""},
           {"XADD s 2-0 a 2", "\"2-0\""},
           {"XDELEX s ACKED IDS 1 0-1", "[:1]", "XDELEX s ACKED IDS 1 0-1", "xdel:s@0"},
           {"XTRIM s MAXLEN 2 ACKED", ":1", "XTRIM s MAXLEN = 2", "xtrim:s@0"},
           {"XADD s 3-0 a 3", "\"3-0\""},
           {"XADD s MAXLEN 4 ACKED 4-0 a 4", "\"4-0\""},
           {"XGROUP CREATE s g 0", "+OK"},
           {"XDELEX s ACKED IDS 1 1-0", "[:2]", "", ""},
           {"XREADGROUP GROUP g c COUNT 3 STREAMS s >", "?"},
           {"XDELEX s KEEPREF IDS 2 1-0 9-0", "[:1 :-1]", "XDELEX s KEEPREF IDS 2 1-0 9-0", "xdel:s@0"},
           {"XPENDING s g - + 10 c", "?"},
           {"XDELEX s ACKED IDS 3 1-0 9-0 0-9", "[:2 :2 :-1]", "", ""},
           {"XDELEX s IDS 1 1-0 DELREF", "[:-1]", "XDELEX s IDS 1 1-0 DELREF", ""},
           {"XPENDING s g", "[:2 \"2-0\" \"3-0\" [[\"c\" \"2\"]]]"},
           {"XDELEX s ACKED IDS 2 2-0 4-0", "[:2 :2]", "", ""},
           {"XACKDEL s g ACKED IDS 2 2-0 4-0", "[:1 :-1]", "XACKDEL s g ACKED IDS 2 2-0 4-0", "xdel:s@0"},
           {"XTRIM s MAXLEN 0 ACKED", ":0", "", ""},
           {"XACK s g 3-0", ":1"},
           {"XTRIM s MAXLEN 0 ACKED", ":1", "XTRIM s MINID = 3-1 ACKED", "xtrim:s@0"},
           {"XREADGROUP GROUP g c STREAMS s >", "?"},
           {"XADD s MAXLEN 1 DELREF 5-0 a 5", "\"5-0\"", "XADD s MAXLEN = 1 DELREF 5-0 a 5"},
           {"XPENDING s g", "[:0 nil nil nil-array]"},
           {"XACKDEL absent g IDS 2 1-0 2-0", "[:-1 :-1]"},
           {"XDELEX s IDS 0 1-0", "-ERR Number of IDs must be a positive integer"},
           {"XDELEX s KEEPREF DELREF IDS 1 1-0", "-ERR syntax error"},
           {"XACKDEL s g IDS 1 1-0 IDS 1 2-0", "-ERR syntax error"},
           {"XDELEX s FOO IDS 1 1-0", "-ERR syntax error"}}};
}

static Session Producers() {
  return {"xadd with idmp, xcfgset, xidmprecord",
          {{"XADD s IDMP p a * f 1", "\"1700000000000-0\"", "XADD s 1700000000000-0 f 1; XIDMPRECORD s p a 1700000000000-0",
            "new:s@0 xadd:s@0"},
           {"XADD s IDMP p a * f 2", "\"1700000000000-0\"", "XIDMPRECORD s p a 1700000000000-0", ""},
           {"XADD s IDMP q a * f 2", "\"1700000000000-1\""},
           {"XADD s IDMPAUTO q * f 2 g 3", "\"1700000000000-2\""},
           {"XADD s IDMPAUTO q * g 3 f 2", "\"1700000000000-2\""},
           {"XADD s IDMPAUTO q * g 2 f 3", "\"1700000000000-3\""},
           {"XINFO STREAM s",
            "[\"length\" :4 \"radix-tree-keys\" :1 \"radix-tree-nodes\" :2 \"last-generated-id\" \"1700000000000-3\" "
            "\"max-deleted-entry-id\" \"0-0\" \"entries-added\" :4 \"recorded-first-entry-id\" \"1700000000000-0\" "
            "\"idmp-duration\" :100 \"idmp-maxsize\" :100 \"pids-tracked\" :2 \"iids-tracked\" :4 \"iids-added\" :4 "
            "\"iids-duplicates\" :2 \"groups\" :0 \"first-entry\" [\"1700000000000-0\" [\"f\" \"1\"]] \"last-entry\" "
            "[\"1700000000000-3\" [\"g\" \"2\" \"f\" \"3\"]]]",
            "", ""},
           {"@advance 100001", ""},
           {"XADD s IDMP p a * f 2", "\"1700000100001-0\""},
           {"XCFGSET s IDMP-DURATION 10 IDMP-MAXSIZE 1", "+OK", "XCFGSET s IDMP-DURATION 10 IDMP-MAXSIZE 1"},
           {"XADD s IDMP p a * f 2", "\"1700000100001-1\""},
           {"XADD s IDMP p b * f 2", "\"1700000100001-2\""},
           {"XADD s IDMP p a * f 2", "\"1700000100001-3\""},
           {"XADD s IDMP p * f v", "-ERR Invalid stream ID specified as stream command argument", "", ""},
           {"XADD s IDMP p a 1-1 f v", "-ERR IDMP/IDMPAUTO can be used only with auto-generated IDs"},
           {"XADD s IDMPAUTO p IDMP q a * f v", "-ERR IDMP/IDMPAUTO specified multiple times"},
           {"XADD s IDMP \"\" a * f v", "-ERR IDMP requires a non-empty producer ID"},
           {"XADD s IDMP p \"\" * f v", "-ERR IDMP requires a non-empty idempotent ID"},
           {"XADD s IDMPAUTO \"\" * f v", "-ERR IDMPAUTO requires a non-empty producer ID"},
           {"XCFGSET absent IDMP-MAXSIZE 5", "-ERR no such key"},
           {"XCFGSET s IDMP-MAXSIZE 0", "-ERR IDMP-MAXSIZE must be between 1 and 10000 entries"},
           {"XCFGSET s IDMP-DURATION 86401", "-ERR IDMP-DURATION must be between 1 and 86400 seconds"},
           {"XCFGSET s IDMP-DURATION INVALID IDMP-MAXSIZE", "-ERR value is not an integer or out of range"},
           {"XCFGSET s IDMP-DURATION", "-ERR syntax error"},
           {"XCFGSET s", "-ERR At least one parameter must be specified"},
           {"XIDMPRECORD s p a 1700000100001-3", "+OK", "", ""},
           {"XIDMPRECORD s p a 1700000100001-2", "-ERR The idempotent ID already maps to a different stream ID", "", ""},
           {"XIDMPRECORD s p z 1-1", "-ERR The stream ID does not exist in the stream", "", ""},
           {"XIDMPRECORD s q z 1700000100001-2", "+OK", "XIDMPRECORD s q z 1700000100001-2"}}};
}

static Session Information() {
  return {
      "xinfo",
      {{"XGROUP CREATE s g 0 MKSTREAM", "+OK"},
       {"XINFO STREAM s",
        "[\"length\" :0 \"radix-tree-keys\" :0 \"radix-tree-nodes\" :1 \"last-generated-id\" \"0-0\" \"max-deleted-entry-id\" "
        "\"0-0\" \"entries-added\" :0 \"recorded-first-entry-id\" \"0-0\" \"groups\" :1 \"first-entry\" nil "
        "\"last-entry\" nil]"},
       {"XADD s 1-0 a 1", "\"1-0\""},
       {"XADD s 2-0 a 2", "\"2-0\""},
       {"XREADGROUP GROUP g c COUNT 1 STREAMS s >", "?"},
       {"XINFO GROUPS s",
        "[[\"name\" \"g\" \"consumers\" :1 \"pending\" :1 \"last-delivered-id\" \"1-0\" \"entries-read\" :1 \"lag\" :1]]"},
       {"@advance 50", ""},
       {"XINFO CONSUMERS s g", "[[\"name\" \"c\" \"pending\" :1 \"idle\" :50 \"inactive\" :50]]"},
       {"XDEL s 2-0", ":1"},
       {"XINFO GROUPS s",
        "[[\"name\" \"g\" \"consumers\" :1 \"pending\" :1 \"last-delivered-id\" \"1-0\" \"entries-read\" :1 \"lag\" nil]]"},
       {"@protocol 3", ""},
       {"XINFO STREAM s FULL",
        "{\"length\" :1 \"radix-tree-keys\" :1 \"radix-tree-nodes\" :2 \"last-generated-id\" \"2-0\" \"max-deleted-entry-id\" "
        "\"2-0\" \"entries-added\" :2 \"recorded-first-entry-id\" \"1-0\" \"entries\" [[\"1-0\" [\"a\" \"1\"]]] \"groups\" "
        "[{\"name\" \"g\" \"last-delivered-id\" \"1-0\" \"entries-read\" :1 \"lag\" nil \"pel-count\" :1 "
        "\"pending\" [[\"1-0\" \"c\" :1700000000000 :1]] \"consumers\" [{\"name\" \"c\" \"seen-time\" :1700000000000 "
        "\"pel-count\" :1 \"pending\" [[\"1-0\" :1700000000000 :1]]}]}]}"},
       {"XINFO STREAM absent", "-ERR no such key"},
       {"XINFO STREAM s FULL COUNT", "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP."},
       {"XINFO CONSUMERS s no", "-NOGROUP No such consumer group 'no' for key name 's'"},
       {"XINFO HELP", "?"}}};
}

// A miss is heard of once for each lookup that Redis makes; none when a command that waited is served.
static Session Misses() {
  return {
      "streams that are missing",
      {{"XACK s g 1-0", ":0", "", "keymiss:s@0"},
       {"XCLAIM s g c 0 1-0", "-NOGROUP No such key 's' or consumer group 'g'", "", "keymiss:s@0"},
       {"XAUTOCLAIM s g c 0 -", "-NOGROUP No such key 's' or consumer group 'g'", "", "keymiss:s@0"},
       {"XAUTOCLAIM s g c 0 - COUNT 0", "-ERR COUNT must be > 0", "", "keymiss:s@0"},
       {"XREAD STREAMS s t 0 0", "nil-array", "", "keymiss:s@0 keymiss:t@0 keymiss:s@0 keymiss:t@0"},
       {"XREAD STREAMS s t 0 x", "-ERR Invalid stream ID specified as stream command argument", "", "keymiss:s@0 keymiss:t@0"},
       {"XREADGROUP GROUP g c STREAMS s 0", "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option", "",
        "keymiss:s@0"},
       {"@ready 0", ""},
       {"XREADGROUP GROUP g c BLOCK 7 STREAMS s >", "-UNBLOCKED the stream key no longer exists", "", ""},
       {"@ready 0", ""},
       {"XREAD BLOCK 7 STREAMS s 0", "+blocked", "", ""}}};
}

std::vector<Session> StreamSessions() {
  return {Adding(),         Trimming(),  Ranges(),       Reading(),    Waiting(),   Groups(),      Claims(),
          ReadsThatClaim(), GivenBack(), LimitedReads(), References(), Producers(), Information(), Misses()};
}

}  // namespace cairn
