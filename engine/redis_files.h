// The names that Redis's own files have in a directory, by its configuration.
#pragma once

#include <string>

namespace cairn {

struct RedisFileNames {
  std::string rdb = "dump.rdb";                 // dbfilename
  std::string aof_directory = "appendonlydir";  // appenddirname
  std::string aof = "appendonly.aof";           // appendfilename: of the older single file, and what the newer ones' begin with
  bool load_truncated_aof = true;               // aof-load-truncated
};

}  // namespace cairn
