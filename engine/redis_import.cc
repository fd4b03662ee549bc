#include "engine/redis_import.h"

#include <algorithm>
#include <vector>

#include "base/logger.h"
#include "engine/aof_import.h"
#include "engine/aof_manifest.h"
#include "engine/rdb_import.h"

namespace cairn {
namespace {

constexpr int64_t kProgressEveryUs = 1'000'000;

class RedisImport {
 public:
  RedisImport(StoreCore& core, std::string directory, const RedisImportOptions& options, const ProgressCallback& progress)
      : core_(core),
        names_(options.names),
        takes_aof_(options.takes_aof),
        directory_(std::move(directory)),
        progress_(progress) {}

  Result<std::string> Run() {
    const int64_t began_us = core_.clock.MonotonicUs();
    CAIRN_ASSIGN_OR_RETURN(const std::string source, Choose());
    if (source.empty()) return source;
    LogF(LogLevel::kNotice, "The directory %s holds Redis's %s and no data of Cairn: importing it", directory_.c_str(),
         source.c_str());
    CAIRN_RETURN_IF_ERROR(source == names_.rdb ? ImportRdb() : ImportAof());
    uint64_t keys = 0;
    for (uint32_t i = 0; i < core_.keyspace->databases(); i++) keys += core_.keyspace->Size(i);
    LogF(LogLevel::kNotice,
         "Imported %llu keys from Redis's %s in %.3f seconds; its files stay as they are and are not read again",
         static_cast<unsigned long long>(keys), source.c_str(), static_cast<double>(core_.clock.MonotonicUs() - began_us) / 1e6);
    LogFunctionsLeftOut(functions_, source);
    return source;
  }

 private:
  std::string PathOf(const std::string& name) const { return JoinPath(directory_, name); }

  // The name of the source; empty for none. The append-only files to read, in order, where those are it.
  Result<std::string> Choose() {
    std::string source;
    if (!names_.aof.empty()) CAIRN_RETURN_IF_ERROR(FindAof());
    CAIRN_ASSIGN_OR_RETURN(const bool has_rdb, names_.rdb.empty() ? Result<bool>(false) : core_.fs.Exists(PathOf(names_.rdb)));
    const bool from_aof = !aof_files_.empty() && takes_aof_;
    if (from_aof) source = aof_source_;
    if (!from_aof && has_rdb) source = names_.rdb;
    if (from_aof && has_rdb) {
      LogF(LogLevel::kNotice, "Redis's %s is not read: with appendonly the append-only file is the data", names_.rdb.c_str());
    }
    if (!from_aof && !aof_files_.empty()) {
      LogF(LogLevel::kWarning, "Redis's %s is not read: with appendonly no the RDB file is the data%s", aof_source_.c_str(),
           has_rdb ? "" : ", and there is none: starting with an empty data set");
    }
    return source;
  }

  // Redis's files are the directory's, unless that has none yet and the single file of an older version lies beside it.
  Status FindAof() {
    const std::string manifest_path = JoinPath(PathOf(names_.aof_directory), names_.aof + ".manifest");
    CAIRN_ASSIGN_OR_RETURN(const bool has_single, core_.fs.Exists(PathOf(names_.aof)));
    CAIRN_ASSIGN_OR_RETURN(const bool has_manifest, core_.fs.Exists(manifest_path));
    AofManifest manifest;
    if (has_manifest && takes_aof_) CAIRN_RETURN_IF_ERROR(ReadManifest(manifest_path, &manifest));
    if (has_manifest && !takes_aof_) manifest.base = names_.aof;  // there is one: no more is asked
    if (!manifest.base.empty()) aof_files_.push_back(JoinPath(PathOf(names_.aof_directory), manifest.base));
    for (const std::string& name : manifest.increments) aof_files_.push_back(JoinPath(PathOf(names_.aof_directory), name));
    aof_source_ = names_.aof_directory;
    if (!has_single) return Status();
    // A move into the directory that was interrupted: named there, but still here.
    bool interrupted = manifest.base == names_.aof && manifest.increments.empty();
    if (interrupted) {
      CAIRN_ASSIGN_OR_RETURN(const bool moved, core_.fs.Exists(aof_files_[0]));
      interrupted = !moved;
    }
    if (!aof_files_.empty() && !interrupted) return Status();
    aof_files_ = {PathOf(names_.aof)};
    aof_source_ = names_.aof;
    return Status();
  }

  Status ReadManifest(const std::string& path, AofManifest* manifest) {
    CAIRN_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(core_.fs, path, kAofManifestMaxBytes));
    Result<AofManifest> parsed = ParseAofManifest(text);
    if (!parsed.ok()) {
      return Status(parsed.status().code(), "AOF manifest file error: " + path + ": " + std::string(parsed.status().message()));
    }
    *manifest = std::move(parsed).value();
    return Status();
  }

  Status ImportRdb() {
    const std::string path = PathOf(names_.rdb);
    CAIRN_ASSIGN_OR_RETURN(const uint64_t size, core_.fs.FileSize(path));
    total_bytes_ = size;
    RdbImport import(core_, {});
    const Status status = import.Run(path, [&](uint64_t done_bytes, uint64_t keys) { Report(done_bytes, keys); });
    if (!status.ok()) return Fatal(status);
    functions_ = import.reader().functions().size();
    LogSkippedModules(import.reader(), path);
    if (import.reader().offset() < size) {
      LogF(LogLevel::kWarning, "%s: %llu bytes behind the end of its data were ignored, as Redis does", path.c_str(),
           static_cast<unsigned long long>(size - import.reader().offset()));
    }
    const RdbImport::Counts& counts = import.counts();
    if (counts.empty_keys != 0) {
      LogF(LogLevel::kWarning, "Done loading RDB, keys loaded: %llu, keys expired: %llu, empty keys skipped: %llu.",
           static_cast<unsigned long long>(counts.keys), static_cast<unsigned long long>(counts.expired_keys),
           static_cast<unsigned long long>(counts.empty_keys));
    } else {
      LogF(LogLevel::kNotice, "Done loading RDB, keys loaded: %llu, keys expired: %llu.",
           static_cast<unsigned long long>(counts.keys), static_cast<unsigned long long>(counts.expired_keys));
    }
    return Status();
  }

  Status ImportAof() {
    std::vector<uint64_t> sizes;
    for (const std::string& path : aof_files_) {
      const Result<uint64_t> size = core_.fs.FileSize(path);
      if (!size.ok())
        return Status(size.status().code(),
                      "an append-only file that the manifest names: " + std::string(size.status().message()));
      sizes.push_back(*size);
      total_bytes_ += *size;
    }
    AofFileCounts counts;
    uint64_t before = 0;
    for (size_t i = 0; i < aof_files_.size(); i++) {
      const bool last = i + 1 == aof_files_.size();
      const auto report = [&](uint64_t done_bytes, uint64_t keys) { Report(before + done_bytes, keys); };
      const Status status =
          ApplyAofFile(core_, aof_files_[i], {.may_be_truncated = last && names_.load_truncated_aof}, report, &counts);
      if (!status.ok()) return Fatal(status);
      before += sizes[i];
    }
    functions_ = counts.function_commands;
    return Status();
  }

  Status Fatal(const Status& status) const {
    return Status(status.code(), "Fatal error loading Redis's files, nothing was changed: " + std::string(status.message()));
  }

  void Report(uint64_t done_bytes, uint64_t keys) {
    const int64_t now_us = core_.clock.MonotonicUs();
    if (!progress_ || now_us - last_report_us_ < kProgressEveryUs) return;
    if (last_report_us_ != 0) progress_({"import", done_bytes, total_bytes_, keys});
    last_report_us_ = now_us;
  }

  StoreCore& core_;
  const RedisFileNames& names_;
  const bool takes_aof_;
  const std::string directory_;
  const ProgressCallback& progress_;
  std::vector<std::string> aof_files_;  // in order
  std::string aof_source_;
  uint64_t total_bytes_ = 0;
  uint64_t functions_ = 0;
  int64_t last_report_us_ = 0;
};

}  // namespace

Result<std::string> ImportRedisFiles(StoreCore& core, const std::string& directory, const RedisImportOptions& options,
                                     const ProgressCallback& progress) {
  return RedisImport(core, directory, options, progress).Run();
}

}  // namespace cairn
