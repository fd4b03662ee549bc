# A new segment is synced, its name is not.
set(file wal/segment_set.cc)
set(find [[
  CAIRN_RETURN_IF_ERROR(made->file->Sync());
  return fs_->SyncDirectory(directory_);
]])
set(replace [[
  return made->file->Sync();
]])
