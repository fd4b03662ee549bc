// Frees what large files took on disk little by little, after they have lost their names.
//
// A file system that tells the disk at once what became free (mount option `discard`) keeps it busy with that: while 70 MB went, other
// files' syncs waited 14 ms, and with them whoever awaits a commit. In steps, with rests between, they do not notice. What a process that
// ends leaves undone the system frees.
//
// Linux. Threads: any; the steps are taken by a thread that lives while there is something to free.
#pragma once

#include <string>

namespace cairn {

// A file that is about to lose its name, by removal or because another takes it.
class DyingFile {
 public:
  // Takes hold of a large regular file of that name; of any other, or none, it is nothing.
  explicit DyingFile(const std::string& path);
  // Lets go: the system frees the file when nobody else has it.
  ~DyingFile();
  DyingFile(const DyingFile&) = delete;
  DyingFile& operator=(const DyingFile&) = delete;

  // After the name is gone. A file that has another name, or that somebody has open, is left to them whole.
  void FreeGradually();

 private:
  int fd_ = -1;
};

}  // namespace cairn
