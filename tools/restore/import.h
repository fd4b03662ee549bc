// Reads what is to be restored, whatever it is, and hands it to a target.
//
// Any bytes may come: kDamaged names the file and the byte (or the line) and what is wrong. Memory grows with what is really there.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "tools/restore/input_file.h"
#include "tools/restore/restore_target.h"

namespace cairn {

class RdbReader;

enum class InputKind : uint8_t { kRdb, kCommands, kJsonLines };

// By the first bytes: "REDIS" or "VALKEY", '*', '{'. An empty file is kCommands: an AOF without a command. kDamaged for anything else.
Result<InputKind> KindOf(const InputFile& input);

struct ImportOptions {
  bool replace = false;  // keys that are there already are replaced; otherwise they end the import
};
struct ImportCounts {
  uint64_t keys = 0;      // of RDB files and JSON lines
  uint64_t commands = 0;  // of command streams
};

// Logs what an RDB file holds that Cairn has not: libraries of functions, values of modules. After the whole file was read.
void WarnOfWhatIsLeftOut(const RdbReader& reader, const std::string& file);

// An RDB file, and the commands behind it where it is the beginning of an AOF.
Status ImportRdb(FileSystem& fs, const InputFile& input, const ImportOptions& options, RestoreTarget& target,
                 ImportCounts* counts);
// RESP commands from `offset` on: what cairn-dump writes, or an AOF. SELECT is followed, MULTI and EXEC are passed over, lines that
// begin with # (timestamps) too.
Status ImportCommands(const InputFile& input, uint64_t offset, RestoreTarget& target, ImportCounts* counts);
Status ImportJsonLines(const InputFile& input, const ImportOptions& options, RestoreTarget& target, ImportCounts* counts);

}  // namespace cairn
