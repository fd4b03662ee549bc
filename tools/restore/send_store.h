// Sends all keys of a loaded store to a target, by RESTORE.
#pragma once

#include "engine/store.h"
#include "tools/restore/import.h"
#include "tools/restore/restore_target.h"

namespace cairn {

// Nobody else may use the store meanwhile.
Status SendStore(Store& store, const ImportOptions& options, RestoreTarget& target, ImportCounts* counts);

}  // namespace cairn
