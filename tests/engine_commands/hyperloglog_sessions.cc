#include "tests/engine_commands/command_harness.h"

namespace cairn {

static Session AddAndCount() {
  return {"pfadd, pfcount",
          {{"PFADD h", ":1", "PFADD h", "new:h@0 pfadd:h@0"},
           {"PFADD h", ":0", "", ""},
           {"PFCOUNT h", ":0", "SETRANGE h 8 \\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00", ""},
           {"PFADD h a b c", ":1", "PFADD h a b c", "pfadd:h@0"},
           {"PFADD h a b c", ":0", "", ""},
           {"OBJECT ENCODING h", "\"raw\""},
           {"GETRANGE h 15 15", "\"\\x80\""},
           {"GETRANGE h 16 -1", "\"`\\xf3\\x80P\\xb1\\x84K\\xfb\\x80BZ\""},
           {"PFCOUNT h", ":3", "SETRANGE h 8 \\x03\\x00\\x00\\x00\\x00\\x00\\x00\\x00", ""},
           {"PFCOUNT h", ":3", "", ""},
           {"GETRANGE h 8 15", "\"\\x03\\x00\\x00\\x00\\x00\\x00\\x00\\x00\""},
           {"PFADD h \"\"", ":1"},
           {"EXPIRE h 100", ":1"},
           {"PFADD h more", ":1"},
           {"TTL h", ":100"},
           {"PFCOUNT absent", ":0", "", "keymiss:absent@0"},
           {"PFADD g c d", ":1"},
           {"PFCOUNT h g absent", ":6", "", "keymiss:absent@0"},
           {"STRLEN h", ":33"},
           // Dense: registers change where they lie.
           {"PFDEBUG TODENSE h", ":1", "PFDEBUG TODENSE h", ""},
           {"PFDEBUG TODENSE h", ":0", "", ""},
           {"STRLEN h", ":12304"},
           {"PFCOUNT h", ":5"},
           {"PFADD h a b c more", ":0", "", ""},
           {"PFADD h a x y", ":1", "PFADD h a x y", "pfadd:h@0"},
           {"PFCOUNT h", ":7"},
           {"PFCOUNT h g", ":8"},
           {"TTL h", ":100"},
           {"OBJECT ENCODING h", "\"raw\""}}};
}

static Session Merge() {
  return {"pfmerge",
          {{"PFADD a 1 2 3", ":1"},
           {"PFADD b 3 4", ":1"},
           {"PFMERGE c a b absent", "+OK", "PFMERGE c a b absent", "keymiss:c@0 keymiss:absent@0 new:c@0 pfadd:c@0"},
           {"PFCOUNT c", ":4"},
           {"PFDEBUG ENCODING c", "+sparse", "", ""},
           {"EXPIRE a 50", ":1"},
           {"PFMERGE a b", "+OK", "PFMERGE a b", "pfadd:a@0"},
           {"PFCOUNT a", ":4"},
           {"TTL a", ":50"},
           {"PFMERGE a", "+OK", "PFMERGE a", "pfadd:a@0"},
           {"PFCOUNT a", ":4"},
           {"PFMERGE fresh", "+OK", "PFMERGE fresh", "keymiss:fresh@0 new:fresh@0 pfadd:fresh@0"},
           {"PFCOUNT fresh", ":0"},
           {"PFDEBUG TODENSE b", ":1"},
           {"PFMERGE fresh a b", "+OK"},
           {"PFDEBUG ENCODING fresh", "+dense"},
           {"PFCOUNT fresh", ":4"},
           {"PFMERGE b c", "+OK"},
           {"PFCOUNT b", ":4"}}};
}

static Session Corrupt() {
  return {"corrupt hyperloglogs",
          {{"SET s bar", "+OK"},
           {"PFADD s 1", "-WRONGTYPE Key is not a valid HyperLogLog string value.", "", ""},
           {"PFCOUNT s", "-WRONGTYPE Key is not a valid HyperLogLog string value.", "", ""},
           {"PFMERGE new s", "-WRONGTYPE Key is not a valid HyperLogLog string value.", "", "keymiss:new@0"},
           {"PFMERGE s absent", "-WRONGTYPE Key is not a valid HyperLogLog string value."},
           {"PFDEBUG GETREG s", "-WRONGTYPE Key is not a valid HyperLogLog string value."},
           {"SET i 12345", "+OK"},
           {"PFADD i 1", "-WRONGTYPE Key is not a valid HyperLogLog string value."},
           {"PFADD tail a b c", ":1"},
           {"APPEND tail hello", ":32"},
           {"PFCOUNT tail", "-INVALIDOBJ Corrupted HLL object detected", "", ""},
           {"PFCOUNT tail tail", "-INVALIDOBJ Corrupted HLL object detected"},
           {"PFMERGE tail", "-INVALIDOBJ Corrupted HLL object detected", "", ""},
           {"PFDEBUG TODENSE tail", "-INVALIDOBJ Corrupted HLL object detected", "", ""},
           {"PFDEBUG GETREG tail", "-INVALIDOBJ Corrupted HLL object detected", "", ""},
           {"SET cut \"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x00\"", "+OK"},
           {"PFADD cut a b c", "-INVALIDOBJ Corrupted HLL object detected", "", ""},
           {"SETRANGE cut 4 x", ":17"},
           {"PFCOUNT cut", "-WRONGTYPE Key is not a valid HyperLogLog string value."},
           {"SETRANGE cut 4 \"\\x00\"", ":17"},
           {"PFCOUNT cut", "-WRONGTYPE Key is not a valid HyperLogLog string value."}}};
}

static Session Debugging() {
  return {"pfdebug, pfselftest",
          {{"PFDEBUG DECODE absent", "-ERR The specified key does not exist"},
           {"PFADD h a b c", ":1"},
           {"PFDEBUG DECODE h", "\"Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603\"", "", ""},
           {"PFDEBUG nosuch h", "-ERR Unknown PFDEBUG subcommand 'nosuch'"},
           {"PFDEBUG ENCODING h", "+sparse"},
           {"PFDEBUG getreg h", "?", "PFDEBUG getreg h", ""},
           {"PFDEBUG ENCODING h", "+dense"},
           {"PFDEBUG DECODE h", "-ERR HLL encoding is not sparse"},
           {"PFCOUNT h", ":3"},
           {"PFSELFTEST", "+OK", "", ""}}};
}

std::vector<Session> HyperLogLogSessions() { return {AddAndCount(), Merge(), Corrupt(), Debugging()}; }

}  // namespace cairn
