// Reads a file that is to be restored, whatever it is, and hands it on.
//
// Any bytes may come: kDamaged names the file and the byte (or the line) and what is wrong. Memory grows with what is really there.
#pragma once

#include <cstdint>
#include <functional>

#include "base/status.h"
#include "engine/store.h"
#include "snapshot/rdb_format.h"
#include "tools/restore/input_file.h"
#include "tools/restore/restore_target.h"

namespace cairn {

enum class InputKind : uint8_t { kRdb, kCommands, kJsonLines };

// By the first bytes: "REDIS" or "VALKEY", '*', '{'. An empty file is kCommands: an AOF without a command. kDamaged for anything else.
Result<InputKind> KindOf(const InputFile& input);

struct ImportOptions {
  bool replace = false;  // keys that are there already are replaced; otherwise they end the import
};
struct ImportCounts {
  uint64_t keys = 0;       // of RDB files, JSON lines and directories
  uint64_t commands = 0;   // of command streams
  uint64_t converted = 0;  // keys that a server of Redis 7.0 got in its form
  uint64_t cut_bytes = 0;  // at the end of a command stream: a command or transaction that is not whole
};

// An RDB file, or commands (an AOF, with an RDB file in front or not, or what cairn-dump writes), as the content of a store that is being
// opened: read as a server reads Redis's files at its first start. What is not whole at the end is left out and logged, but kDamaged
// where it is all there is.
std::function<Status(StoreCore&)> FillFromFile(const InputFile& input, ImportCounts* counts);

// Into a store that is empty at first: a key that is there already stands twice in the file, which is an error.
Status ImportJsonLines(const InputFile& input, Store& store, ImportCounts* counts);

// Sends one key to a server, whose form it gets; `offset` as of RestoreTarget::Run.
Status SendKey(const RdbEntry& entry, uint64_t offset, const ImportOptions& options, RestoreTarget& target, ImportCounts* counts);
// Sends an RDB file, and the commands behind it where it is the beginning of an AOF.
Status SendRdb(FileSystem& fs, const InputFile& input, const ImportOptions& options, RestoreTarget& target, ImportCounts* counts);
// Sends commands from `offset` on, those between MULTI and EXEC when EXEC was read. SELECT is followed. An end that is not whole is as for
// FillFromFile.
Status SendCommands(const InputFile& input, uint64_t offset, RestoreTarget& target, ImportCounts* counts);

}  // namespace cairn
