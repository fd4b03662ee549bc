#include "tools/restore/new_directory.h"

namespace cairn {

Result<std::unique_ptr<NewDirectory>> NewDirectory::Create(FileSystem& fs, const std::string& path, StoreOptions options) {
  auto made = std::make_unique<NewDirectory>();
  CAIRN_ASSIGN_OR_RETURN(made->partial_, PartialDirectory::Create(fs, path));
  options.directory = made->partial_->path();
  CAIRN_ASSIGN_OR_RETURN(made->store_, Store::Open(std::move(options)));
  return made;
}

Status NewDirectory::Publish() {
  CAIRN_RETURN_IF_ERROR(store_->SaveAndWait());
  CAIRN_RETURN_IF_ERROR(store_->Close(false));
  store_.reset();
  return partial_->Publish();
}

}  // namespace cairn
