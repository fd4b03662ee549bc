// A data directory that is made whole or not at all (engine/partial_directory.h), by a store in it.
#pragma once

#include <memory>
#include <string>

#include "engine/partial_directory.h"
#include "engine/store.h"

namespace cairn {

class NewDirectory {
 public:
  // As PartialDirectory::Create and Store::Open. `options` without the directory; its `fill`, if any, is what the directory is made of.
  static Result<std::unique_ptr<NewDirectory>> Create(FileSystem& fs, const std::string& path, StoreOptions options);

  Store& store() { return *store_; }
  // Saves, closes and publishes. Once; without it nothing is left.
  Status Publish();

 private:
  std::unique_ptr<PartialDirectory> partial_;
  std::unique_ptr<Store> store_;  // in it, so it goes first
};

}  // namespace cairn
