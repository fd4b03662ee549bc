#include "tools/restore/new_directory.h"

#include "engine/backup.h"

namespace cairn {

Result<std::unique_ptr<NewDirectory>> NewDirectory::Create(FileSystem& fs, const std::string& path, StoreOptions options) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  if (trimmed.empty()) return Status::InvalidArgument("a new data directory is needed");
  const Result<std::vector<std::string>> present = fs.ListDirectory(trimmed);
  if (present.ok() && !present->empty()) {
    return Status::AlreadyExists(trimmed + " exists already and is not empty: data is restored into a new directory");
  }
  if (!present.ok() && present.status().code() != StatusCode::kNotFound) {
    return Status::AlreadyExists(trimmed + " exists already and is no directory");
  }
  std::unique_ptr<NewDirectory> made(new NewDirectory(fs, trimmed));
  CAIRN_RETURN_IF_ERROR(RemoveUnfinished(fs, made->partial_));
  options.directory = made->partial_;
  CAIRN_ASSIGN_OR_RETURN(made->store_, Store::Open(std::move(options)));
  return made;
}

NewDirectory::~NewDirectory() {
  store_.reset();
  if (!published_) (void)RemoveUnfinished(fs_, partial_);
}

Status NewDirectory::Publish() {
  CAIRN_RETURN_IF_ERROR(store_->SaveAndWait());
  CAIRN_RETURN_IF_ERROR(store_->Close(false));
  store_.reset();
  CAIRN_RETURN_IF_ERROR(fs_.Rename(partial_, path_));
  published_ = true;
  return fs_.SyncDirectory(ParentOf(path_));
}

}  // namespace cairn
