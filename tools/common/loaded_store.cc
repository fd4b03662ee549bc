#include "tools/common/loaded_store.h"

#include <utility>

#include "base/logger.h"
#include "server/commands/registry.h"
#include "tools/common/progress_bar.h"

namespace cairn {
namespace {

constexpr int kLiveTries = 5;

LogReadFunction ReaderOf(const SourceDirectory& source, const Manifest& manifest) {
  return [&source, id = manifest.directory_id](Lsn from, const LogFrameCallback& callback, LogRecoveryResult* result) {
    return source.ReadLog(from, callback, result, id);
  };
}

}  // namespace

StoreOptions ToolStoreOptions(uint32_t databases) {
  StoreOptions options;
  options.databases = databases;
  options.register_commands = RegisterServerCommands;  // the log may hold some of them
  options.runtime.append_only = false;
  options.runtime.active_expire = false;
  return options;
}

Result<ResolvedPoint> ResolveIn(const SourceDirectory& source, const Manifest& manifest, const PointInTime& point) {
  return ResolvePoint(source.fs(), source.path(), manifest, point, RealClock().WallUs(), ReaderOf(source, manifest));
}

std::function<Status(StoreCore&)> FillFrom(const SourceDirectory& source, const Manifest& manifest, const ResolvedPoint& point,
                                           LoadedState* state) {
  return [&source, &manifest, point, state](StoreCore& core) -> Status {
    RecoveryOptions options;
    options.repair_log = false;
    options.until = point.lsn;
    options.log_reader = ReaderOf(source, manifest);
    ProgressBar bar("loading " + source.path());
    const auto progress = [&bar](const Store::Progress& done) {
      bar.SetTotal(done.total_bytes);
      bar.Update(done.done_bytes);
    };
    CAIRN_ASSIGN_OR_RETURN(const RecoveryOutcome outcome, RecoverKeyspace(core, source.path(), manifest, options, progress));
    state->lsn = outcome.end_lsn;
    state->unix_us = point.unix_us;
    state->log_records = outcome.log_records;
    // Beside a running server such an end is one that is just being written.
    if (!source.live() && !point.lsn && outcome.log.end == LogEnd::kTornTail && outcome.log.torn_bytes != 0) {
      state->torn_bytes = outcome.log.torn_bytes;
      LogF(LogLevel::kWarning,
           "the log ends torn, as a crash leaves it: %s at offset %llu: the last %llu bytes were never complete and "
           "are left out",
           outcome.log.end_file.c_str(), static_cast<unsigned long long>(outcome.log.end_offset),
           static_cast<unsigned long long>(outcome.log.torn_bytes));
    }
    return Status();
  };
}

Result<LoadedStore> LoadStore(const SourceDirectory& source, const PointInTime& point, uint32_t databases) {
  // Beside a running server a snapshot may be dropped before it is opened; the next manifest names a newer one.
  for (int tries = 1;; tries++) {
    CAIRN_ASSIGN_OR_RETURN(const Manifest manifest, source.ReadManifest());
    CAIRN_ASSIGN_OR_RETURN(const ResolvedPoint resolved, ResolveIn(source, manifest, point));
    LoadedStore loaded;
    loaded.clock = std::make_unique<StandingClock>(resolved.unix_us);
    StoreOptions options = ToolStoreOptions(databases);
    options.in_memory_only = true;
    options.clock = loaded.clock.get();
    options.fill = FillFrom(source, manifest, resolved, &loaded.state);
    Result<std::unique_ptr<Store>> store = Store::Open(std::move(options));
    if (store.ok()) {
      loaded.store = std::move(store).value();
      return loaded;
    }
    if (!source.live() || tries == kLiveTries) return store.status();
    CAIRN_ASSIGN_OR_RETURN(const Manifest now, source.ReadManifest());
    if (now == manifest) return store.status();
  }
}

}  // namespace cairn
