# The manifest is replaced without syncing the directory.
set(file base/file_system.cc)
set(find [[
  return fs.SyncDirectory(ParentOf(path));
]])
set(replace [[
  return Status::Ok();
]])
