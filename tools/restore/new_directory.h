// A data directory that is made whole or not at all: it is written as PATH.partial, synced, and renamed.
#pragma once

#include <memory>
#include <string>

#include "engine/store.h"

namespace cairn {

class NewDirectory {
 public:
  // kAlreadyExists where `path` is there and not empty, kNotFound without its parent. What an attempt that a crash ended left as
  // PATH.partial is removed. `options` without the directory; its `fill`, if any, is what the directory is made of.
  static Result<std::unique_ptr<NewDirectory>> Create(FileSystem& fs, const std::string& path, StoreOptions options);
  ~NewDirectory();  // removes what is not published
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;

  Store& store() { return *store_; }
  // Saves, closes and publishes. Once.
  Status Publish();

 private:
  NewDirectory(FileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)), partial_(path_ + ".partial") {}

  FileSystem& fs_;
  const std::string path_, partial_;
  std::unique_ptr<Store> store_;
  bool published_ = false;
};

}  // namespace cairn
