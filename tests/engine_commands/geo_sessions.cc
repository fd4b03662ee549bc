#include "tests/engine_commands/command_harness.h"

namespace cairn {

// Replies are those of redis-server 7.0.15.

static Session GeoAdding() {
  return {"geoadd, geopos, geohash, geodist",
          {{"GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2",
            "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", "new:g@0 zadd:g@0"},
           {"GEOADD g CH 13.361389 38.115556 Palermo", ":0", "", ""},
           {"GEOADD g CH 13.4 38.1 Palermo", ":1", "GEOADD g CH 13.4 38.1 Palermo", "zadd:g@0"},
           {"GEOADD g NX CH 1 2 Palermo 0 0 Null", ":1", "GEOADD g NX CH 1 2 Palermo 0 0 Null"},
           {"GEOADD g XX 5 5 Absent", ":0", "", ""},
           {"GEOADD none XX 5 5 Absent", ":0", "", ""},
           {"EXISTS none", ":0"},
           {"ZRANGE g 0 -1 WITHSCORES",
            "[\"Null\" ,3377699720527872.000000 \"Palermo\" ,3479099937378871.000000 \"Catania\" ,3479447370796909.000000]"},
           {"GEOPOS g Palermo Catania Absent",
            "[[\"13.40000241994857788\" \"38.10000081174143105\"] [\"15.08726745843887329\" \"37.50266842333162032\"] nil-array]",
            "", ""},
           {"GEOPOS none a", "[nil-array]"},
           {"GEOHASH g Palermo Catania Absent", "[\"sqc88zvsdd0\" \"sqdtr74hyu0\" nil]", "", ""},
           {"GEOHASH none a b", "[nil nil]"},
           {"GEODIST g Palermo Catania", "\"162484.5721\"", "", ""},
           {"GEODIST g Palermo Catania km", "\"162.4846\""},
           {"GEODIST g Palermo Catania FT", "\"533085.8665\""},
           {"GEODIST g Palermo Catania mi", "\"100.9635\""},
           {"GEODIST g Palermo Palermo", "\"0.0000\""},
           {"GEODIST g Palermo Absent", "nil"},
           {"GEODIST none a b", "nil"},
           {"GEODIST g Palermo Catania yards", "-ERR unsupported unit provided. please use M, KM, FT, MI"},
           {"GEODIST g Palermo Catania m x", "-ERR syntax error"},
           {"GEOADD g 181 0 x", "-ERR invalid longitude,latitude pair 181.000000,0.000000", "", ""},
           {"GEOADD g 0 86 x", "-ERR invalid longitude,latitude pair 0.000000,86.000000", "", ""},
           {"GEOADD g 1 1 ok 0 -86 x", "-ERR invalid longitude,latitude pair 0.000000,-86.000000", "", ""},
           {"GEOADD g a 0 x", "-ERR value is not a valid float"},
           {"GEOADD g nan 0 x", "-ERR value is not a valid float"},
           {"GEOADD g inf 0 x", "-ERR invalid longitude,latitude pair inf,0.000000"},
           {"GEOADD g 1 1", "-ERR wrong number of arguments for 'geoadd' command"},
           {"GEOADD g NX XX 1 1 x", "-ERR syntax error"},
           {"GEOADD g 1 1 x 2", "-ERR syntax error"},
           {"GEOADD g NX XX CH", "-ERR syntax error"},
           {"SET s x", "+OK"},
           {"GEOADD s 1 1 x", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"GEOPOS s x", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"GEOHASH s x", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"GEODIST s a b", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
           {"ZADD g -1 minus inf infinite 1e300 huge", ":3"},
           {"GEOPOS g minus infinite huge",
            "[[\"180\" \"85.0511287799999991\"] [\"-179.99999731779098511\" \"-85.05112751263942528\"] "
            "[\"-179.99999731779098511\" \"-85.05112751263942528\"]]"}}};
}

static Session GeoSearching() {
  return {
      "geosearch, georadius",
      {{"GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 12.758489 38.788135 edge1 17.241510 38.788135 edge2",
        ":4"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC", "[\"Catania\" \"Palermo\"]", "", ""},
       {"GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km DESC WITHDIST WITHHASH WITHCOORD",
        "[[\"edge1\" \"279.7405\" :3479273021651468 [\"12.7584877610206604\" \"38.78813451624225195\"]] [\"edge2\" \"279.7403\" "
        ":3481342659049484 [\"17.24151045083999634\" \"38.78813451624225195\"]] [\"Palermo\" \"190.4424\" :3479099956230698 "
        "[\"13.36138933897018433\" \"38.11555639549629859\"]] [\"Catania\" \"56.4413\" :3479447370796909 "
        "[\"15.08726745843887329\" \"37.50266842333162032\"]]]",
        "", ""},
       {"GEOSEARCH g FROMMEMBER Palermo BYRADIUS 150 mi ASC COUNT 2 WITHDIST",
        "[[\"Palermo\" \"0.0000\"] [\"edge1\" \"56.7939\"]]"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km COUNT 1 ANY", "[\"Palermo\"]"},
       {"GEOSEARCH g FROMMEMBER Absent BYRADIUS 1 km", "-ERR could not decode requested zset member"},
       {"GEOSEARCH none FROMMEMBER Absent BYRADIUS 1 km", "[]", "", "keymiss:none@0"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 1 km", "[]"},
       {"GEOSEARCH g FROMLONLAT 15 37 ASC WITHDIST", "-ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH"},
       {"GEOSEARCH g BYRADIUS 1 km ASC WITHDIST", "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH"},
       {"GEOSEARCH g FROMLONLAT 15 37 FROMMEMBER Palermo BYRADIUS 1 km", "-ERR syntax error"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km BYBOX 1 1 km", "-ERR syntax error"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km COUNT 0", "-ERR COUNT must be > 0"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km COUNT x", "-ERR value is not an integer or out of range"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km ANY", "-ERR the ANY argument requires COUNT argument"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS x km", "-ERR need numeric radius"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS -1 km", "-ERR radius cannot be negative"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 yd", "-ERR unsupported unit provided. please use M, KM, FT, MI"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYBOX x 1 km", "-ERR need numeric width"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 x km", "-ERR need numeric height"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 -1 km", "-ERR height or width cannot be negative"},
       {"GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km STOREDIST", "-ERR syntax error"},
       {"GEORADIUS g 15 37 200 km WITHDIST", "[[\"Palermo\" \"190.4424\"] [\"Catania\" \"56.4413\"]]", "", ""},
       {"GEORADIUS_RO g 15 37 200 km DESC", "[\"Palermo\" \"Catania\"]", "", ""},
       {"GEORADIUS_RO g 15 37 200 km STORE x", "-ERR syntax error"},
       {"GEORADIUSBYMEMBER g Palermo 200 km ASC WITHDIST",
        "[[\"Palermo\" \"0.0000\"] [\"edge1\" \"91.4007\"] [\"Catania\" \"166.2742\"]]"},
       {"GEORADIUSBYMEMBER_RO g Palermo 200 km COUNT 1", "[\"Palermo\"]"},
       {"GEORADIUSBYMEMBER g Absent 200 km", "-ERR could not decode requested zset member"},
       {"GEORADIUSBYMEMBER none Absent bad bad", "[]"},
       {"GEORADIUS g 15 37 200 km COUNT", "-ERR syntax error"},
       {"GEORADIUS g 0 0 50000 km ASC", "[\"Catania\" \"Palermo\" \"edge1\" \"edge2\"]"},
       {"SET s x", "+OK"},
       {"GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 1 km", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
       {"GEORADIUS s 15 37 200 km", "-WRONGTYPE Operation against a key holding the wrong kind of value"}}};
}

static Session GeoStoring() {
  return {"geosearchstore, georadius store",
          {{"GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2"},
           {"EXPIRE d 100", ":0"},
           {"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km", ":2", "GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km",
            "new:d@0 geosearchstore:d@0"},
           {"ZRANGE d 0 -1 WITHSCORES", "[\"Palermo\" ,3479099956230698.000000 \"Catania\" ,3479447370796909.000000]"},
           {"EXPIRE d 100", ":1"},
           {"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km ASC COUNT 1 STOREDIST", ":1"},
           {"TTL d", ":-1"},
           {"ZRANGE d 0 -1", "[\"Catania\"]"},
           {"GEORADIUS g 15 37 200 km STORE d", ":2", "GEORADIUS g 15 37 200 km STORE d", "georadiusstore:d@0"},
           {"ZRANGE d 0 -1 WITHSCORES", "[\"Palermo\" ,3479099956230698.000000 \"Catania\" ,3479447370796909.000000]"},
           {"GEORADIUSBYMEMBER g Palermo 10 km STOREDIST d", ":1"},
           {"ZRANGE d 0 -1 WITHSCORES", "[\"Palermo\" ,0.000000]"},
           {"GEORADIUS g 15 37 200 km STORE d WITHDIST",
            "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options", "", ""},
           {"GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST",
            "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options", "", ""},
           {"GEOSEARCHSTORE d none FROMLONLAT 15 37 BYRADIUS 200 km", ":0",
            "GEOSEARCHSTORE d none FROMLONLAT 15 37 BYRADIUS 200 km", "keymiss:none@0 del:d@0"},
           {"GEOSEARCHSTORE d none FROMLONLAT 15 37 BYRADIUS 200 km", ":0", "", "keymiss:none@0"},
           {"SET d x", "+OK"},
           {"GEORADIUS g 0 0 1 m STORE d", ":0", "GEORADIUS g 0 0 1 m STORE d", "del:d@0"},
           {"EXISTS d", ":0"},
           {"GEOSEARCHSTORE g g FROMLONLAT 15 37 BYRADIUS 100 km", ":1"},
           {"ZRANGE g 0 -1", "[\"Catania\"]"}}};
}

std::vector<Session> GeoSessions() { return {GeoAdding(), GeoSearching(), GeoStoring()}; }

}  // namespace cairn
