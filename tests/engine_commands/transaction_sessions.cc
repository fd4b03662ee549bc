#include "tests/engine_commands/command_harness.h"

namespace cairn {

std::vector<Session> TransactionSessions() {
  return {{"multi, exec, discard, watch, unwatch",
           {{"DISCARD", "-ERR DISCARD without MULTI", "", ""},
            {"EXEC", "-ERR EXEC without MULTI"},
            {"UNWATCH", "+OK", "", ""},
            {"WATCH a b a", "+OK", "", ""},
            {"UNWATCH", "+OK"},
            {"MULTI", "+OK", "", ""},
            {"MULTI", "-ERR MULTI calls can not be nested"},
            {"WATCH a", "-ERR WATCH inside MULTI is not allowed"},
            {"DISCARD", "+OK", "", ""},
            {"DISCARD", "-ERR DISCARD without MULTI"},
            {"WATCH", "-ERR wrong number of arguments for 'watch' command"}}}};
}

static Session KeysOfCommands() {
  return {"command getkeys, command getkeysandflags",
          {{"COMMAND NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try COMMAND HELP."},
           {"COMMAND GETKEYS GET k", "[\"k\"]", "", ""},
           {"COMMAND GETKEYS MSET k1 v1 k2 v2", "[\"k1\" \"k2\"]"},
           {"COMMAND GETKEYS MSETEX 2 k1 v1 k2 v2 NX", "[\"k1\" \"k2\"]"},
           {"COMMAND GETKEYS LCS key1 key2", "[\"key1\" \"key2\"]"},
           {"COMMAND GETKEYS OBJECT ENCODING k", "[\"k\"]"},
           {"COMMAND GETKEYSANDFLAGS SET k1 v1", "[[\"k1\" [+OW +update]]]"},
           {"COMMAND GETKEYSANDFLAGS SET k1 v1 GET", "[[\"k1\" [+RW +access +update]]]"},
           {"COMMAND GETKEYSANDFLAGS SET k v IFEQ x", "[[\"k\" [+RW +update]]]"},
           {"COMMAND GETKEYSANDFLAGS SET k v EX 10 IFDNE x", "[[\"k\" [+RW +update]]]"},
           {"COMMAND GETKEYSANDFLAGS SET k v IFNE x GET", "[[\"k\" [+RW +access +update]]]"},
           {"COMMAND GETKEYSANDFLAGS DELEX k IFEQ x", "[[\"k\" [+RW +delete]]]"},
           {"COMMAND GETKEYSANDFLAGS DELEX k", "[[\"k\" [+RM +delete]]]"},
           {"COMMAND GETKEYSANDFLAGS MSET k1 v1 k2 v2", "[[\"k1\" [+OW +update]] [\"k2\" [+OW +update]]]"},
           {"COMMAND GETKEYSANDFLAGS BITOP AND d a b", "[[\"d\" [+OW +update]] [\"a\" [+RO +access]] [\"b\" [+RO +access]]]"},
           {"COMMAND GETKEYSANDFLAGS BITFIELD k GET u8 0", "[[\"k\" [+RO +access]]]"},
           {"COMMAND GETKEYSANDFLAGS DEL k l", "[[\"k\" [+RM +delete]] [\"l\" [+RM +delete]]]"},
           {"COMMAND GETKEYSANDFLAGS EXISTS k l", "[[\"k\" [+RO]] [\"l\" [+RO]]]"},
           {"COMMAND GETKEYSANDFLAGS ZUNIONSTORE d 2 a b", "[[\"d\" [+OW +update]] [\"a\" [+RO +access]] [\"b\" [+RO +access]]]"},
           {"COMMAND GETKEYSANDFLAGS GEORADIUS a 1 2 3 m STORE d", "[[\"a\" [+RO +access]] [\"d\" [+OW +update]]]"},
           {"COMMAND GETKEYSANDFLAGS SORT a BY w* STORE d", "[[\"a\" [+RO +access]] [\"d\" [+OW +update]]]"},
           {"COMMAND GETKEYSANDFLAGS XREAD STREAMS a b 0 0", "[[\"a\" [+RO +access]] [\"b\" [+RO +access]]]"},
           {"COMMAND GETKEYS LMPOP 2 a b", "[\"a\" \"b\"]"},
           {"COMMAND GETKEYS BLMPOP 0 2 a b", "[\"a\" \"b\"]"},
           {"COMMAND GETKEYS LMPOP 3 a b", "-ERR Invalid arguments specified for command"},
           {"LMPOP 2 a b", "-ERR syntax error"},
           {"BLMPOP 0 2 a b", "-ERR syntax error"},
           {"COMMAND GETKEYS DBSIZE x", "-ERR The command has no key arguments"},
           {"COMMAND GETKEYS GET k x", "-ERR Invalid number of arguments specified for command"},
           {"COMMAND GETKEYS BOGUS k", "-ERR Invalid command specified"},
           {"COMMAND GETKEYS OBJECT BOGUS", "-ERR Invalid command specified"},
           {"COMMAND GETKEYS MSETEX x k1 v1", "-ERR Invalid arguments specified for command"}}};
}

// Key specs that are not a range at a fixed index, and what of them clients without key specs are told.
Session KeySpecsOfCommands() {
  return {"command info, key specs",
          {{"COMMAND INFO zintercard",
            "[[\"zintercard\" :-3 [+readonly +movablekeys] :0 :0 :0 [+@read +@sortedset +@slow] [] [[\"flags\" [+RO +access] "
            "\"begin_search\" [\"type\" \"index\" \"spec\" [\"index\" :1]] \"find_keys\" [\"type\" \"keynum\" \"spec\" "
            "[\"keynumidx\" :0 \"firstkey\" :1 \"keystep\" :1]]]] []]]"},
           {"COMMAND INFO zdiffstore",
            "[[\"zdiffstore\" :-4 [+write +denyoom +movablekeys] :1 :1 :1 [+@write +@sortedset +@slow] [] [[\"flags\" [+OW "
            "+update] \"begin_search\" [\"type\" \"index\" \"spec\" [\"index\" :1]] \"find_keys\" [\"type\" \"range\" "
            "\"spec\" [\"lastkey\" :0 \"keystep\" :1 \"limit\" :0]]] [\"flags\" [+RO +access] \"begin_search\" [\"type\" "
            "\"index\" \"spec\" [\"index\" :2]] \"find_keys\" [\"type\" \"keynum\" \"spec\" [\"keynumidx\" :0 \"firstkey\" :1 "
            "\"keystep\" :1]]]] []]]"},
           {"COMMAND INFO xread",
            "[[\"xread\" :-4 [+readonly +blocking +movablekeys] :0 :0 :0 [+@read +@stream +@slow +@blocking] [] [[\"flags\" [+RO "
            "+access] \"begin_search\" [\"type\" \"keyword\" \"spec\" [\"keyword\" \"STREAMS\" \"startfrom\" :1]] "
            "\"find_keys\" [\"type\" \"range\" \"spec\" [\"lastkey\" :-1 \"keystep\" :1 \"limit\" :2]]]] []]]"},
           {"COMMAND INFO sort_ro",
            "[[\"sort_ro\" :-2 [+readonly +movablekeys] :1 :1 :1 [+@read +@set +@sortedset +@list +@slow +@dangerous] [] "
            "[[\"flags\" [+RO +access] \"begin_search\" [\"type\" \"index\" \"spec\" [\"index\" :1]] \"find_keys\" [\"type\" "
            "\"range\" \"spec\" [\"lastkey\" :0 \"keystep\" :1 \"limit\" :0]]] [\"flags\" [+RO +access +incomplete] "
            "\"begin_search\" [\"type\" \"unknown\" \"spec\" []] \"find_keys\" [\"type\" \"unknown\" \"spec\" []]]] []]]"}}};
}

std::vector<Session> CommandSessions() {
  return {
      KeysOfCommands(),
      KeySpecsOfCommands(),
      {"command",
       {{"COMMAND INFO get|key bogus config|get|key", "[nil nil nil]"},
        {"COMMAND INFO get",
         "[[\"get\" :2 [+readonly +fast] :1 :1 :1 [+@read +@string +@fast] [] [[\"flags\" [+RO +access] \"begin_search\" "
         "[\"type\" \"index\" \"spec\" [\"index\" :1]] \"find_keys\" [\"type\" \"range\" \"spec\" [\"lastkey\" :0 \"keystep\" :1 "
         "\"limit\" :0]]]] []]]"},
        {"COMMAND INFO delex",
         "[[\"delex\" :-2 [+write +fast] :1 :1 :1 [+@write +@string +@fast] [] [[\"flags\" [+RW +delete +variable_flags] "
         "\"begin_search\" [\"type\" \"index\" \"spec\" [\"index\" :1]] \"find_keys\" [\"type\" \"range\" \"spec\" "
         "[\"lastkey\" :0 \"keystep\" :1 \"limit\" :0]]]] []]]"},
        {"COMMAND INFO object|encoding",
         "[[\"object|encoding\" :3 [+readonly] :2 :2 :1 [+@keyspace +@read +@slow] [\"nondeterministic_output\"] [[\"flags\" "
         "[+RO] "
         "\"begin_search\" [\"type\" \"index\" \"spec\" [\"index\" :2]] \"find_keys\" [\"type\" \"range\" \"spec\" [\"lastkey\" "
         ":0 "
         "\"keystep\" :1 \"limit\" :0]]]] []]]"},
        {"COMMAND DOCS", "?"},
        {"COMMAND DOCS bogus", "[]"},
        {"COMMAND DOCS setex bogus",
         "[\"setex\" [\"summary\" \"Stores a string and its time to live in seconds.\" \"since\" \"2.0.0\" \"group\" \"string\" "
         "\"complexity\" \"O(1)\" \"arguments\" [[\"name\" \"key\" \"type\" \"key\" \"key_spec_index\" :0] [\"name\" \"seconds\" "
         "\"type\" \"integer\"] [\"name\" \"value\" \"type\" \"string\"]]]]"},
        {"COMMAND DOCS substr",
         "[\"substr\" [\"summary\" \"Answers a part of a string, by its first and last byte.\" \"since\" \"1.0.0\" \"group\" "
         "\"string\" \"complexity\" \"O(N) for a part of N bytes\" \"doc_flags\" [+deprecated] \"deprecated_since\" \"2.0.0\" "
         "\"replaced_by\" \"`GETRANGE`\" \"arguments\" [[\"name\" \"key\" \"type\" \"key\" \"key_spec_index\" :0] [\"name\" "
         "\"start\" \"type\" \"integer\"] [\"name\" \"end\" \"type\" \"integer\"]]]]"},
        {"COMMAND LIST bad", "-ERR syntax error"},
        {"COMMAND LIST FILTERBY bad bad2", "-ERR syntax error"},
        {"COMMAND LIST FILTERBY MODULE none", "[]"},
        {"COMMAND LIST FILTERBY ACLCAT none", "[]"},
        {"COMMAND LIST FILTERBY PATTERN set", "[\"set\"]"},
        {"COMMAND LIST FILTERBY PATTERN object*",
         "[\"object\" \"object|encoding\" \"object|freq\" \"object|help\" \"object|idletime\" \"object|refcount\"]"},
        {"COMMAND LIST FILTERBY ACLCAT transaction", "[\"discard\" \"exec\" \"multi\" \"unwatch\" \"watch\"]"},
        {"COMMAND BOGUS", "-ERR unknown subcommand 'BOGUS'. Try COMMAND HELP."},
        {"COMMAND COUNT x", "-ERR wrong number of arguments for 'command|count' command"},
        {"COMMAND", "?"},
        {"COMMAND COUNT", "?"},
        {"COMMAND HELP", "?"},
        {"BOGUS", "-ERR unknown command 'BOGUS', with args beginning with: "},
        {"foo a b", "-ERR unknown command 'foo', with args beginning with: 'a' 'b' "},
        {"@protocol 3", ""},
        {"COMMAND INFO dbsize",
         "[[\"dbsize\" :1 ~[+readonly +fast] :0 :0 :0 ~[+@keyspace +@read +@fast] ~[\"request_policy:all_shards\" "
         "\"response_policy:agg_sum\"] ~[] ~[]]]"},
        {"COMMAND DOCS incr",
         "{\"incr\" {\"summary\" \"Adds one to the integer of a key; an absent key counts as 0.\" \"since\" \"1.0.0\" \"group\" "
         "\"string\" \"complexity\" \"O(1)\" \"arguments\" [{\"name\" \"key\" \"type\" \"key\" \"key_spec_index\" :0}]}}"}}}};
}

}  // namespace cairn
