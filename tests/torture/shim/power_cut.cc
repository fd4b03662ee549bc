// power_cut adopt DIR SHADOW     DIR as it is becomes the durable picture: before a server first runs on it.
// power_cut cut DIR SHADOW SEED  after kill -9: DIR becomes what a power cut leaves, and is adopted. What was synced is there; each page,
//                                size and name that was not is kept, dropped or torn, as the seed decides (0: all of it is dropped).
#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "tests/torture/shim/shim_layout.h"

namespace {

namespace fs = std::filesystem;
using cairn::shim::KeyOf;

constexpr size_t kPageBytes = 4096;
constexpr size_t kSectorBytes = 512;

std::string ReadAll(const fs::path& path) {
  std::string bytes(fs::file_size(path), '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(in.gcount()));
  return bytes;
}

// Pages of zeros become holes: a log's reserve is 64 MiB of them.
void WriteAll(const fs::path& path, const std::string& bytes) {
  static const std::string zeros(kPageBytes, '\0');
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  for (size_t at = 0; at < bytes.size(); at += kPageBytes) {
    const size_t size = std::min(kPageBytes, bytes.size() - at);
    if (std::memcmp(bytes.data() + at, zeros.data(), size) == 0) continue;
    out.seekp(static_cast<std::streamoff>(at));
    out.write(bytes.data() + at, static_cast<std::streamsize>(size));
  }
  out.close();
  if (!out || truncate(path.c_str(), static_cast<off_t>(bytes.size())) != 0) {
    std::perror(path.c_str());
    std::exit(1);
  }
}

struct Name {
  std::string key;
  bool directory = false;
};
using Names = std::map<std::string, Name>;

Names CurrentNames(const fs::path& directory) {
  Names names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    names[entry.path().filename()] = {KeyOf(AT_FDCWD, entry.path().c_str()), entry.is_directory()};
  }
  return names;
}

class PowerCut {
 public:
  PowerCut(fs::path directory, fs::path shadow, uint64_t seed)
      : directory_(std::move(directory)), shadow_(std::move(shadow)), drop_all_(seed == 0), random_(seed) {}

  void Cut() {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory_)) {
      current_[KeyOf(AT_FDCWD, entry.path().c_str())] = entry.path();
    }
    const fs::path left = directory_.string() + ".left";
    fs::remove_all(left);
    BuildDirectory(left, KeyOf(AT_FDCWD, directory_.c_str()));
    fs::remove_all(directory_);
    fs::rename(left, directory_);
    Adopt();
  }

  void Adopt() {
    fs::remove_all(shadow_ / "files");
    fs::remove_all(shadow_ / "names");
    fs::create_directories(shadow_ / "files");
    fs::create_directories(shadow_ / "names");
    AdoptDirectory(directory_);
  }

 private:
  uint64_t Uniform(uint64_t n) { return random_() % n; }

  void AdoptDirectory(const fs::path& directory) {
    std::string lines;
    for (const auto& [name, entry] : CurrentNames(directory)) {
      lines += entry.key + (entry.directory ? " d " : " f ") + name + "\n";
      if (entry.directory) {
        AdoptDirectory(directory / name);
      } else {
        WriteAll(shadow_ / "files" / entry.key, ReadAll(directory / name));
      }
    }
    WriteAll(shadow_ / "names" / KeyOf(AT_FDCWD, directory.c_str()), lines);
  }

  Names DurableNames(const std::string& key) {
    Names names;
    std::ifstream in(shadow_ / "names" / key);
    std::string entry_key;
    std::string type;
    std::string name;
    while (in >> entry_key >> type && in.get() && std::getline(in, name)) names[name] = {entry_key, type == "d"};
    return names;
  }

  void BuildDirectory(const fs::path& target, const std::string& key) {
    fs::create_directories(target);
    Names names = DurableNames(key);
    const auto now = current_.find(key);
    if (!drop_all_ && (now != current_.end() || target.extension() == ".left")) {
      const Names current = CurrentNames(now != current_.end() ? now->second : directory_);
      for (const auto& [name, entry] : current) {
        const auto durable = names.find(name);
        const bool same = durable != names.end() && durable->second.key == entry.key;
        if (!same && Uniform(2) == 0) names[name] = entry;
      }
      for (auto it = names.begin(); it != names.end();) {
        it = !current.contains(it->first) && Uniform(2) == 0 ? names.erase(it) : std::next(it);
      }
    }
    for (const auto& [name, entry] : names) {
      if (entry.directory) {
        BuildDirectory(target / name, entry.key);
      } else {
        BuildFile(target / name, entry.key);
      }
    }
  }

  void BuildFile(const fs::path& target, const std::string& key) {
    const fs::path durable_path = shadow_ / "files" / key;
    std::string bytes = fs::exists(durable_path) ? ReadAll(durable_path) : "";
    const auto now = current_.find(key);
    if (now != current_.end() && !drop_all_) {
      const std::string current = ReadAll(now->second);
      if (Uniform(2) == 0) bytes.resize(current.size(), '\0');
      const size_t common = std::min(bytes.size(), current.size());
      for (size_t at = 0; at < common; at += kPageBytes) {
        const size_t size = std::min(kPageBytes, common - at);
        if (std::memcmp(bytes.data() + at, current.data() + at, size) == 0) continue;
        const uint64_t fate = Uniform(3);
        const size_t kept = fate == 0   ? 0
                            : fate == 1 ? size
                                        : std::min<size_t>(size, Uniform(kPageBytes / kSectorBytes + 1) * kSectorBytes);
        std::memcpy(bytes.data() + at, current.data() + at, kept);
      }
    }
    WriteAll(target, bytes);
  }

  const fs::path directory_;
  const fs::path shadow_;
  const bool drop_all_;
  std::mt19937_64 random_;
  std::map<std::string, fs::path> current_;  // key -> where it is now
};

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "adopt" && argc == 4) {
    PowerCut(argv[2], argv[3], 0).Adopt();
  } else if (command == "cut" && argc == 5) {
    PowerCut(argv[2], argv[3], std::strtoull(argv[4], nullptr, 10)).Cut();
  } else {
    std::fprintf(stderr, "usage: power_cut adopt DIR SHADOW | power_cut cut DIR SHADOW SEED\n");
    return 2;
  }
  return 0;
}
