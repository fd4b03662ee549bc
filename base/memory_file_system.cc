#include "base/memory_file_system.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/random.h"

namespace cairn {

// By directory, not by path: what is still to be done in one that is gone is no business of the next one of that name.
struct MemoryFileSystem::NameChange {
  std::shared_ptr<MemoryInode> from_directory;  // loses a name, unless null
  std::string from_name;
  std::shared_ptr<MemoryInode> to_directory;  // names `inode` from now on, unless null
  std::string to_name;
  std::shared_ptr<MemoryInode> inode;
};

namespace {

using Inode = MemoryInode;
using NameChange = MemoryFileSystem::NameChange;
using Names = std::map<std::string, std::shared_ptr<Inode>>;

// Without double and trailing slashes and "." parts; the working directory is "", the root "/".
std::string Normalize(std::string_view path) {
  std::string result = !path.empty() && path[0] == '/' ? "/" : "";
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (!result.empty() && result.back() != '/') result += '/';
    result += part;
  }
  return result;
}

std::string Parent(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return "";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string NameIn(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string ChildPrefix(const std::string& directory) {
  return directory.empty() || directory == "/" ? directory : directory + "/";
}

bool IsRoot(const std::string& path) { return path.empty() || path == "/"; }

bool IsDirectory(const Names& names, const std::string& path) {
  if (IsRoot(path)) return true;
  const auto found = names.find(path);
  return found != names.end() && found->second->directory;
}

// Gives everything below `from` its new place.
void MoveChildren(Names& names, const std::string& from, const std::string& to) {
  const std::string prefix = from + "/";
  Names moved;
  for (auto it = names.lower_bound(prefix); it != names.end() && it->first.starts_with(prefix);) {
    moved.emplace(to + "/" + it->first.substr(prefix.size()), it->second);
    it = names.erase(it);
  }
  names.merge(moved);
}

void ApplyDurably(const NameChange& change) {
  if (change.from_directory != nullptr) change.from_directory->durable_names.erase(change.from_name);
  if (change.to_directory != nullptr) change.to_directory->durable_names[change.to_name] = change.inode;
}

Status PowerLost(const std::string& path) { return Status::IoError("use of " + path + ", which was open when the power failed"); }

}  // namespace

class MemoryWritableFile : public WritableFile {
 public:
  MemoryWritableFile(MemoryFileSystem& fs, std::string path, std::shared_ptr<Inode> inode, uint64_t boot)
      : fs_(fs), path_(std::move(path)), inode_(std::move(inode)), boot_(boot), end_(inode_->size_bytes()) {}

  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    MutexLock lock(fs_.mutex_);
    return Write(offset, bytes.size(), bytes.data());
  }
  Status Append(std::string_view bytes) override {
    MutexLock lock(fs_.mutex_);
    return Write(end_, bytes.size(), bytes.data());
  }
  Status ZeroFill(uint64_t offset, uint64_t size_bytes) override {
    MutexLock lock(fs_.mutex_);
    return Write(offset, size_bytes, nullptr);
  }
  Status Sync() override {
    MutexLock lock(fs_.mutex_);
    CAIRN_RETURN_IF_ERROR(CheckUsable());
    inode_->Sync();
    return Status::Ok();
  }
  Status Truncate(uint64_t size_bytes) override {
    MutexLock lock(fs_.mutex_);
    CAIRN_RETURN_IF_ERROR(CheckUsable());
    inode_->Resize(size_bytes);
    end_ = size_bytes;
    return Status::Ok();
  }
  Status Close() override {
    MutexLock lock(fs_.mutex_);
    CAIRN_RETURN_IF_ERROR(CheckUsable());
    closed_ = true;
    return Status::Ok();
  }

 private:
  Status CheckUsable() CAIRN_REQUIRES(fs_.mutex_) {
    if (closed_) return Status::IoError("use of the closed file " + path_);
    if (boot_ != fs_.boots_) return PowerLost(path_);
    return Status::Ok();
  }
  // Zeros where `data` is null.
  Status Write(uint64_t offset, uint64_t size_bytes, const char* data) CAIRN_REQUIRES(fs_.mutex_) {
    CAIRN_RETURN_IF_ERROR(CheckUsable());
    const uint64_t end = offset + size_bytes;
    const uint64_t old_size = inode_->size_bytes();
    if (end > old_size && fs_.capacity_bytes_ != UINT64_MAX && fs_.UsedBytes() + (end - old_size) > fs_.capacity_bytes_) {
      return Status::NoSpace("write " + path_ + " at " + std::to_string(offset) + ": the file system in memory is full");
    }
    inode_->Write(offset, size_bytes, data);
    end_ = std::max(end_, end);
    return Status::Ok();
  }

  MemoryFileSystem& fs_;
  const std::string path_;
  const std::shared_ptr<Inode> inode_;
  const uint64_t boot_;
  uint64_t end_;
  bool closed_ = false;
};

class MemoryReadableFile : public RandomAccessFile {
 public:
  MemoryReadableFile(MemoryFileSystem& fs, std::string path, std::shared_ptr<Inode> inode, uint64_t boot)
      : fs_(fs), path_(std::move(path)), inode_(std::move(inode)), boot_(boot) {}

  Result<size_t> Read(uint64_t offset, size_t size_bytes, char* to) const override {
    MutexLock lock(fs_.mutex_);
    if (boot_ != fs_.boots_) return PowerLost(path_);
    return inode_->Read(offset, size_bytes, to);
  }
  Result<uint64_t> Size() const override {
    MutexLock lock(fs_.mutex_);
    if (boot_ != fs_.boots_) return PowerLost(path_);
    return inode_->size_bytes();
  }

 private:
  MemoryFileSystem& fs_;
  const std::string path_;
  const std::shared_ptr<Inode> inode_;
  const uint64_t boot_;
};

class MemoryFileLock : public FileLock {
 public:
  MemoryFileLock(MemoryFileSystem& fs, std::string path, uint64_t boot) : fs_(fs), path_(std::move(path)), boot_(boot) {}
  ~MemoryFileLock() override {
    MutexLock lock(fs_.mutex_);
    if (boot_ == fs_.boots_) fs_.locks_.erase(path_);
  }

 private:
  MemoryFileSystem& fs_;
  const std::string path_;
  const uint64_t boot_;
};

MemoryFileSystem::MemoryFileSystem() {
  for (std::shared_ptr<MemoryInode>* root : {&root_, &working_directory_}) {
    *root = std::make_shared<MemoryInode>();
    (*root)->directory = true;
  }
}
MemoryFileSystem::~MemoryFileSystem() = default;

Status MemoryFileSystem::CheckParent(const std::string& path) {
  if (IsRoot(path)) return Status::IoError(path + " is a directory");
  if (IsDirectory(current_, Parent(path))) return Status::Ok();
  return Status::NotFound("no directory " + Parent(path) + " for " + path);
}

std::shared_ptr<MemoryInode> MemoryFileSystem::DirectoryAt(const std::string& path) {
  if (IsRoot(path)) return path.empty() ? working_directory_ : root_;
  return current_.at(path);
}

void MemoryFileSystem::Record(const std::string& from, const std::string& to, std::shared_ptr<MemoryInode> inode) {
  NameChange change{.inode = inode};
  if (!from.empty()) {
    change.from_directory = DirectoryAt(Parent(from));
    change.from_name = NameIn(from);
    current_.erase(from);
  }
  if (!to.empty()) {
    change.to_directory = DirectoryAt(Parent(to));
    change.to_name = NameIn(to);
    current_[to] = inode;
    if (!from.empty() && inode->directory) MoveChildren(current_, from, to);
  }
  pending_.push_back(std::move(change));
}

uint64_t MemoryFileSystem::UsedBytes() const {
  std::set<const Inode*> seen;
  uint64_t used = 0;
  for (const auto& [path, inode] : current_) {
    if (seen.insert(inode.get()).second) used += inode->size_bytes();
  }
  return used;
}

Result<std::unique_ptr<WritableFile>> MemoryFileSystem::OpenForWriting(const std::string& raw_path, OpenMode mode) {
  const std::string path = Normalize(raw_path);
  MutexLock lock(mutex_);
  CAIRN_RETURN_IF_ERROR(CheckParent(path));
  auto found = current_.find(path);
  if (found == current_.end()) {
    Record("", path, std::make_shared<Inode>());
    found = current_.find(path);
  } else if (found->second->directory) {
    return Status::IoError("open for writing " + path + ": it is a directory");
  } else if (mode == OpenMode::kCreateNew) {
    return Status::AlreadyExists("create " + path + ": it exists already");
  } else if (mode == OpenMode::kTruncate) {
    found->second->Resize(0);
  }
  return std::unique_ptr<WritableFile>(new MemoryWritableFile(*this, path, found->second, boots_));
}

Result<std::unique_ptr<RandomAccessFile>> MemoryFileSystem::OpenForReading(const std::string& raw_path) {
  const std::string path = Normalize(raw_path);
  MutexLock lock(mutex_);
  const auto found = current_.find(path);
  if (found == current_.end()) return Status::NotFound("open for reading " + path + ": no such file");
  if (found->second->directory) return Status::IoError("open for reading " + path + ": it is a directory");
  return std::unique_ptr<RandomAccessFile>(new MemoryReadableFile(*this, path, found->second, boots_));
}

Result<std::vector<std::string>> MemoryFileSystem::ListDirectory(const std::string& raw_path) {
  const std::string path = Normalize(raw_path);
  MutexLock lock(mutex_);
  if (!IsDirectory(current_, path)) return Status::NotFound("list " + path + ": no such directory");
  const std::string prefix = ChildPrefix(path);
  std::vector<std::string> names;
  for (auto it = current_.lower_bound(prefix); it != current_.end() && it->first.starts_with(prefix); ++it) {
    if (Parent(it->first) == path) names.push_back(it->first.substr(prefix.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status MemoryFileSystem::CreateDirectory(const std::string& raw_path) {
  const std::string path = Normalize(raw_path);
  MutexLock lock(mutex_);
  if (IsDirectory(current_, path)) return Status::Ok();
  CAIRN_RETURN_IF_ERROR(CheckParent(path));
  if (current_.contains(path)) return Status::IoError("create the directory " + path + ": it is a file");
  auto inode = std::make_shared<Inode>();
  inode->directory = true;
  Record("", path, std::move(inode));
  return Status::Ok();
}

Status MemoryFileSystem::SyncDirectory(const std::string& raw_path) {
  const std::string path = Normalize(raw_path);
  MutexLock lock(mutex_);
  if (!IsDirectory(current_, path)) return Status::NotFound("sync " + path + ": no such directory");
  const std::shared_ptr<Inode> directory = DirectoryAt(path);
  std::vector<NameChange> rest;
  for (NameChange& change : pending_) {
    if (change.from_directory == directory || change.to_directory == directory) {
      ApplyDurably(change);
    } else {
      rest.push_back(std::move(change));
    }
  }
  pending_ = std::move(rest);
  return Status::Ok();
}

Status MemoryFileSystem::Rename(const std::string& raw_from, const std::string& raw_to) {
  const std::string from = Normalize(raw_from);
  const std::string to = Normalize(raw_to);
  MutexLock lock(mutex_);
  const auto found = current_.find(from);
  if (found == current_.end()) return Status::NotFound("rename " + from + ": no such file");
  CAIRN_RETURN_IF_ERROR(CheckParent(to));
  if (from == to) return Status::Ok();
  const auto target = current_.find(to);
  if (target != current_.end() && target->second->directory != found->second->directory) {
    return Status::IoError("rename " + from + " to " + to + ": one is a directory, the other is not");
  }
  if (target != current_.end() && target->second->directory) {
    const auto below = current_.upper_bound(to + "/");
    if (below != current_.end() && below->first.starts_with(to + "/")) {
      return Status::IoError("rename " + from + " to " + to + ": the directory is not empty");
    }
  }
  Record(from, to, found->second);
  return Status::Ok();
}

Status MemoryFileSystem::RemoveFile(const std::string& raw_path) {
  const std::string path = Normalize(raw_path);
  MutexLock lock(mutex_);
  const auto found = current_.find(path);
  if (found == current_.end()) return Status::NotFound("remove " + path + ": no such file");
  if (found->second->directory) return Status::IoError("remove " + path + ": it is a directory");
  Record(path, "", nullptr);
  return Status::Ok();
}

Status MemoryFileSystem::RemoveDirectory(const std::string& raw_path) {
  const std::string path = Normalize(raw_path);
  MutexLock lock(mutex_);
  const auto found = current_.find(path);
  if (found == current_.end()) return Status::NotFound("remove the directory " + path + ": no such directory");
  if (!found->second->directory) return Status::IoError("remove the directory " + path + ": it is a file");
  const auto below = current_.upper_bound(path + "/");
  if (below != current_.end() && below->first.starts_with(path + "/")) {
    return Status::IoError("remove the directory " + path + ": it is not empty");
  }
  Record(path, "", nullptr);
  return Status::Ok();
}

Status MemoryFileSystem::HardLink(const std::string& raw_existing, const std::string& raw_new_name) {
  const std::string existing = Normalize(raw_existing);
  const std::string new_name = Normalize(raw_new_name);
  MutexLock lock(mutex_);
  const auto found = current_.find(existing);
  if (found == current_.end()) return Status::NotFound("link " + existing + ": no such file");
  if (found->second->directory) return Status::IoError("link " + existing + ": it is a directory");
  CAIRN_RETURN_IF_ERROR(CheckParent(new_name));
  if (current_.contains(new_name)) return Status::AlreadyExists("link " + existing + " as " + new_name + ": it exists already");
  Record("", new_name, found->second);
  return Status::Ok();
}

Result<bool> MemoryFileSystem::Exists(const std::string& raw_path) {
  const std::string path = Normalize(raw_path);
  MutexLock lock(mutex_);
  return IsRoot(path) || current_.contains(path);
}

Result<uint64_t> MemoryFileSystem::FileSize(const std::string& raw_path) {
  const std::string path = Normalize(raw_path);
  MutexLock lock(mutex_);
  const auto found = current_.find(path);
  if (found == current_.end()) return Status::NotFound("stat " + path + ": no such file");
  return found->second->size_bytes();
}

Result<uint64_t> MemoryFileSystem::FreeSpace(const std::string&) {
  MutexLock lock(mutex_);
  if (capacity_bytes_ == UINT64_MAX) return uint64_t{1} << 50;
  const uint64_t used = UsedBytes();
  return used >= capacity_bytes_ ? uint64_t{0} : capacity_bytes_ - used;
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::Lock(const std::string& raw_path) {
  const std::string path = Normalize(raw_path);
  MutexLock lock(mutex_);
  CAIRN_RETURN_IF_ERROR(CheckParent(path));
  if (!current_.contains(path)) Record("", path, std::make_shared<Inode>());
  if (!locks_.insert(path).second) return Status::Locked(path + " is locked by another process");
  return std::unique_ptr<FileLock>(new MemoryFileLock(*this, path, boots_));
}

void MemoryFileSystem::CrashAndDropUnsynced(uint64_t seed) {
  MutexLock lock(mutex_);
  Random random(seed);
  Random* const choices = seed == kDropAll ? nullptr : &random;
  if (choices != nullptr) {
    // A journal keeps what was done first; a file system without one keeps what it happened to write.
    const bool journal = choices->OneIn(2);
    const uint64_t kept = choices->Uniform(pending_.size() + 1);
    for (uint64_t i = 0; i < pending_.size(); i++) {
      if (journal ? i < kept : choices->OneIn(2)) ApplyDurably(pending_[i]);
    }
  }
  pending_.clear();
  current_.clear();
  Restore("", *working_directory_);
  Restore("/", *root_);
  std::set<Inode*> crashed;
  for (const auto& [path, inode] : current_) {
    if (crashed.insert(inode.get()).second) inode->Crash(choices);
  }
  locks_.clear();
  boots_++;
}

// Names below a directory that is lost are lost with it.
void MemoryFileSystem::Restore(const std::string& path, const MemoryInode& directory) {
  for (const auto& [name, inode] : directory.durable_names) {
    const std::string child = ChildPrefix(path) + name;
    current_[child] = inode;
    if (inode->directory) Restore(child, *inode);
  }
}

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::Image() {
  auto image = std::make_unique<MemoryFileSystem>();
  MutexLock lock(mutex_);
  MutexLock image_lock(image->mutex_);
  std::map<const Inode*, std::shared_ptr<Inode>> copies;
  const std::function<std::shared_ptr<Inode>(const std::shared_ptr<Inode>&)> copy = [&](const std::shared_ptr<Inode>& inode) {
    if (inode == nullptr) return inode;
    std::shared_ptr<Inode>& made = copies[inode.get()];
    if (made != nullptr) return made;
    made = inode->Clone();
    std::shared_ptr<Inode> result = made;
    for (auto& [name, child] : result->durable_names) child = copy(child);
    return result;
  };
  image->working_directory_ = copy(working_directory_);
  image->root_ = copy(root_);
  for (const auto& [path, inode] : current_) image->current_.emplace_hint(image->current_.end(), path, copy(inode));
  for (const NameChange& change : pending_) {
    image->pending_.push_back(
        {copy(change.from_directory), change.from_name, copy(change.to_directory), change.to_name, copy(change.inode)});
  }
  image->capacity_bytes_ = capacity_bytes_;
  return image;
}

void MemoryFileSystem::SetCapacityBytes(uint64_t capacity_bytes) {
  MutexLock lock(mutex_);
  capacity_bytes_ = capacity_bytes;
}

Result<std::shared_ptr<MemoryInode>> MemoryFileSystem::Find(const std::string& raw_path) {
  const std::string path = Normalize(raw_path);
  const auto found = current_.find(path);
  if (found == current_.end() || found->second->directory) return Status::NotFound("no file " + path);
  return std::shared_ptr<MemoryInode>(found->second);
}

void MemoryFileSystem::FailSync(const std::string& path, uint64_t seed) {
  MutexLock lock(mutex_);
  const auto inode = Find(path);
  Random random(seed);
  if (inode.ok()) (*inode)->FailSync(random);
}

Status MemoryFileSystem::FlipBit(const std::string& path, uint64_t offset, int bit) {
  MutexLock lock(mutex_);
  CAIRN_ASSIGN_OR_RETURN(const std::shared_ptr<Inode> inode, Find(path));
  if (offset >= inode->size_bytes()) return Status::InvalidArgument("damage " + path + ": it is shorter");
  inode->FlipBit(offset, bit);
  return Status::Ok();
}

bool MemoryFileSystem::MisdirectPage(const std::string& from, uint64_t from_page, const std::string& to, uint64_t to_page) {
  MutexLock lock(mutex_);
  const auto source = Find(from);
  const auto target = Find(to);
  return source.ok() && target.ok() && (*target)->CopyPageFrom(**source, from_page, to_page);
}

bool MemoryFileSystem::MakePageStale(const std::string& path, uint64_t page) {
  MutexLock lock(mutex_);
  const auto inode = Find(path);
  return inode.ok() && (*inode)->MakeStale(page);
}

std::vector<std::string> MemoryFileSystem::Files() {
  MutexLock lock(mutex_);
  std::vector<std::string> files;
  for (const auto& [path, inode] : current_) {
    if (!inode->directory) files.push_back(path);
  }
  return files;
}

Result<std::string> MemoryFileSystem::Content(const std::string& path) {
  MutexLock lock(mutex_);
  CAIRN_ASSIGN_OR_RETURN(const std::shared_ptr<Inode> inode, Find(path));
  std::string content(inode->size_bytes(), '\0');
  content.resize(inode->Read(0, content.size(), content.data()));
  return content;
}

}  // namespace cairn
