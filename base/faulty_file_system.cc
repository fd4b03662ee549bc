#include "base/faulty_file_system.h"

#include <algorithm>
#include <utility>

namespace cairn {
namespace {

constexpr const char* kOperationNames[kFileOperationCount] = {
    "open",
    "read",
    "write",
    "zero-fill",
    "sync",
    "truncate",
    "sync the directory",
    "rename",
    "remove",
    "link",
    "list",
    "create the directory",
};

}  // namespace

class FaultyWritableFile : public WritableFile {
 public:
  FaultyWritableFile(FaultyFileSystem& fs, std::unique_ptr<WritableFile> file, std::string path, uint64_t size_bytes)
      : fs_(fs), file_(std::move(file)), path_(std::move(path)), size_bytes_(size_bytes) {}

  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    FileFault fault;
    Status planned = Check(FileOperation::kWrite, &fault);
    if (!planned.ok()) bytes = bytes.substr(0, fault.written_bytes);
    if (planned.ok() || !bytes.empty()) CAIRN_RETURN_IF_ERROR(Note(file_->WriteAt(offset, bytes)));
    size_bytes_ = std::max<uint64_t>(size_bytes_, offset + bytes.size());
    return planned;
  }
  Status Append(std::string_view bytes) override { return WriteAt(size_bytes_, bytes); }
  Status ZeroFill(uint64_t offset, uint64_t size_bytes) override {
    FileFault fault;
    Status planned = Check(FileOperation::kZeroFill, &fault);
    if (!planned.ok()) size_bytes = std::min(size_bytes, fault.written_bytes);
    if (planned.ok() || size_bytes > 0) CAIRN_RETURN_IF_ERROR(Note(file_->ZeroFill(offset, size_bytes)));
    size_bytes_ = std::max(size_bytes_, offset + size_bytes);
    return planned;
  }
  Status Sync() override {
    const bool after_failure = failed_;
    FileFault fault;
    Status planned = Check(FileOperation::kSync, &fault);
    if (planned.ok() || fault.sync_happened) CAIRN_RETURN_IF_ERROR(Note(file_->Sync()));
    fs_.NoteSync(path_, planned.ok() || fault.sync_happened ? size_bytes_ : 0, after_failure);
    return planned;
  }
  Status Truncate(uint64_t size_bytes) override {
    CAIRN_RETURN_IF_ERROR(fs_.Check(FileOperation::kTruncate, path_));
    CAIRN_RETURN_IF_ERROR(file_->Truncate(size_bytes));
    size_bytes_ = size_bytes;
    return Status::Ok();
  }
  Status Close() override { return file_->Close(); }

 private:
  Status Check(FileOperation operation, FileFault* fault) { return Note(fs_.Check(operation, path_, fault)); }
  Status Note(Status status) {
    failed_ = failed_ || !status.ok();
    return status;
  }

  FaultyFileSystem& fs_;
  const std::unique_ptr<WritableFile> file_;
  const std::string path_;
  uint64_t size_bytes_;
  bool failed_ = false;  // a write or sync of this object failed
};

class FaultyReadableFile : public RandomAccessFile {
 public:
  FaultyReadableFile(FaultyFileSystem& fs, std::unique_ptr<RandomAccessFile> file, std::string path)
      : fs_(fs), file_(std::move(file)), path_(std::move(path)) {}

  Result<size_t> Read(uint64_t offset, size_t size_bytes, char* to) const override {
    CAIRN_RETURN_IF_ERROR(fs_.Check(FileOperation::kRead, path_));
    return file_->Read(offset, size_bytes, to);
  }
  Result<uint64_t> Size() const override { return file_->Size(); }

 private:
  FaultyFileSystem& fs_;
  const std::unique_ptr<RandomAccessFile> file_;
  const std::string path_;
};

FaultyFileSystem::FaultyFileSystem(FileSystem& wrapped) : wrapped_(wrapped) {}
FaultyFileSystem::~FaultyFileSystem() = default;

void FaultyFileSystem::AddFault(FileFault fault) {
  MutexLock lock(mutex_);
  faults_.push_back(std::move(fault));
}

void FaultyFileSystem::FailRandomly(FileOperation operation, uint64_t one_in, int error_number, uint64_t seed) {
  MutexLock lock(mutex_);
  random_faults_[static_cast<int>(operation)] = {one_in, error_number};
  random_ = Random(seed);
}

void FaultyFileSystem::ClearFaults() {
  MutexLock lock(mutex_);
  faults_.clear();
  for (RandomFault& fault : random_faults_) fault = {};
}

uint64_t FaultyFileSystem::calls(FileOperation operation) const {
  MutexLock lock(mutex_);
  return calls_[static_cast<int>(operation)];
}

uint64_t FaultyFileSystem::failures(FileOperation operation) const {
  MutexLock lock(mutex_);
  return failures_[static_cast<int>(operation)];
}

uint64_t FaultyFileSystem::syncs_after_failure() const {
  MutexLock lock(mutex_);
  return syncs_after_failure_;
}

uint64_t FaultyFileSystem::synced_bytes(const std::string& path) const {
  MutexLock lock(mutex_);
  const auto found = synced_bytes_.find(path);
  return found == synced_bytes_.end() ? 0 : found->second;
}

void FaultyFileSystem::SetHook(std::function<void(FileOperation, const std::string&)> hook) { hook_ = std::move(hook); }

void FaultyFileSystem::SetFailureHook(std::function<void(FileOperation, const std::string&)> hook) {
  failure_hook_ = std::move(hook);
}

void FaultyFileSystem::SetFreeSpace(uint64_t free_bytes) {
  MutexLock lock(mutex_);
  free_bytes_ = free_bytes;
}

Status FaultyFileSystem::Check(FileOperation operation, const std::string& path, FileFault* fault) {
  if (hook_) hook_(operation, path);
  Status planned = Plan(operation, path, fault);
  if (!planned.ok() && failure_hook_) failure_hook_(operation, path);
  return planned;
}

Status FaultyFileSystem::Plan(FileOperation operation, const std::string& path, FileFault* fault) {
  const int index = static_cast<int>(operation);
  MutexLock lock(mutex_);
  calls_[index]++;
  const FileFault* planned = nullptr;
  for (FileFault& candidate : faults_) {
    if (candidate.operation != operation || path.find(candidate.path_part) == std::string::npos) continue;
    if (candidate.let_pass > 0) {
      candidate.let_pass--;
    } else if (candidate.fail_count > 0 && planned == nullptr) {
      if (candidate.fail_count != UINT64_MAX) candidate.fail_count--;
      planned = &candidate;
    }
  }
  int error_number = 0;
  if (planned != nullptr) {
    error_number = planned->error_number;
    if (fault != nullptr) *fault = *planned;
  } else if (random_faults_[index].one_in > 0 && random_.OneIn(random_faults_[index].one_in)) {
    error_number = random_faults_[index].error_number;
  } else {
    return Status::Ok();
  }
  failures_[index]++;
  return Status::FromErrno(error_number, std::string(kOperationNames[index]) + " " + path + " (planned fault)");
}

void FaultyFileSystem::NoteSync(const std::string& path, uint64_t size_bytes, bool after_failure) {
  MutexLock lock(mutex_);
  if (after_failure) syncs_after_failure_++;
  if (size_bytes > 0) synced_bytes_[path] = size_bytes;
}

Result<std::unique_ptr<WritableFile>> FaultyFileSystem::OpenForWriting(const std::string& path, OpenMode mode) {
  CAIRN_RETURN_IF_ERROR(Check(FileOperation::kOpen, path));
  CAIRN_ASSIGN_OR_RETURN(auto file, wrapped_.OpenForWriting(path, mode));
  CAIRN_ASSIGN_OR_RETURN(const uint64_t size, wrapped_.FileSize(path));
  return std::unique_ptr<WritableFile>(new FaultyWritableFile(*this, std::move(file), path, size));
}

Result<std::unique_ptr<RandomAccessFile>> FaultyFileSystem::OpenForReading(const std::string& path) {
  CAIRN_RETURN_IF_ERROR(Check(FileOperation::kOpen, path));
  CAIRN_ASSIGN_OR_RETURN(auto file, wrapped_.OpenForReading(path));
  return std::unique_ptr<RandomAccessFile>(new FaultyReadableFile(*this, std::move(file), path));
}

Result<std::vector<std::string>> FaultyFileSystem::ListDirectory(const std::string& path) {
  CAIRN_RETURN_IF_ERROR(Check(FileOperation::kList, path));
  return wrapped_.ListDirectory(path);
}

Status FaultyFileSystem::CreateDirectory(const std::string& path) {
  CAIRN_RETURN_IF_ERROR(Check(FileOperation::kCreateDirectory, path));
  return wrapped_.CreateDirectory(path);
}

Status FaultyFileSystem::SyncDirectory(const std::string& path) {
  CAIRN_RETURN_IF_ERROR(Check(FileOperation::kSyncDirectory, path));
  return wrapped_.SyncDirectory(path);
}

Status FaultyFileSystem::Rename(const std::string& from, const std::string& to) {
  CAIRN_RETURN_IF_ERROR(Check(FileOperation::kRename, to));
  return wrapped_.Rename(from, to);
}

Status FaultyFileSystem::RemoveFile(const std::string& path) {
  CAIRN_RETURN_IF_ERROR(Check(FileOperation::kRemove, path));
  return wrapped_.RemoveFile(path);
}

Status FaultyFileSystem::RemoveDirectory(const std::string& path) {
  CAIRN_RETURN_IF_ERROR(Check(FileOperation::kRemove, path));
  return wrapped_.RemoveDirectory(path);
}

Status FaultyFileSystem::HardLink(const std::string& existing, const std::string& new_name) {
  CAIRN_RETURN_IF_ERROR(Check(FileOperation::kLink, new_name));
  return wrapped_.HardLink(existing, new_name);
}

Result<bool> FaultyFileSystem::Exists(const std::string& path) { return wrapped_.Exists(path); }
Result<uint64_t> FaultyFileSystem::FileSize(const std::string& path) { return wrapped_.FileSize(path); }

Result<uint64_t> FaultyFileSystem::FreeSpace(const std::string& path) {
  {
    MutexLock lock(mutex_);
    if (free_bytes_ != UINT64_MAX) return uint64_t{free_bytes_};
  }
  return wrapped_.FreeSpace(path);
}

Result<std::unique_ptr<FileLock>> FaultyFileSystem::Lock(const std::string& path) { return wrapped_.Lock(path); }

}  // namespace cairn
