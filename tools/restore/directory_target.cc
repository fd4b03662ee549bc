#include <utility>

#include "engine/commands/command_context.h"
#include "tools/common/loaded_store.h"
#include "tools/restore/new_directory.h"
#include "tools/restore/restore_target.h"

namespace cairn {
namespace {

class DirectoryTarget final : public RestoreTarget {
 public:
  DirectoryTarget(std::unique_ptr<NewDirectory> directory, uint32_t databases)
      : directory_(std::move(directory)), databases_(databases) {
    RegisterEngineCommands(writes_);
  }

  Status Run(uint32_t database, const std::vector<std::string_view>& args) override {
    // Commands of a server's own would need one.
    const CommandRow* const row = args.empty() ? nullptr : writes_.Find(args);
    if (row == nullptr || !row->has(kWrite)) {
      return Status::InvalidArgument("'" + std::string(args.empty() ? "" : args[0].substr(0, 64)) +
                                     "' is no command that writes keys");
    }
    if (database >= databases_) {
      return Status::InvalidArgument("database " + std::to_string(database) + " is used: give --databases " +
                                     std::to_string(database + 1) + " or more");
    }
    client_.database = database;
    const ReplyValue reply = directory_->store().Run(client_, args, Store::Durability::kDoNotAwait);
    return reply.is_error() ? Status::InvalidArgument(reply.text) : Status();
  }

  Status Finish() override { return directory_->Publish(); }

 private:
  const std::unique_ptr<NewDirectory> directory_;
  const uint32_t databases_;
  CommandTable writes_;
  Client client_;
};

}  // namespace

Result<std::unique_ptr<RestoreTarget>> MakeDirectoryTarget(FileSystem& fs, const std::string& path, uint32_t databases,
                                                           std::function<Status(StoreCore&)> fill, uint64_t* filled_keys) {
  StoreOptions options = ToolStoreOptions(databases);
  options.fill = std::move(fill);
  CAIRN_ASSIGN_OR_RETURN(auto directory, NewDirectory::Create(fs, path, std::move(options)));
  if (filled_keys != nullptr) *filled_keys = directory->store().Info().loaded_keys;
  return std::unique_ptr<RestoreTarget>(new DirectoryTarget(std::move(directory), databases));
}

}  // namespace cairn
