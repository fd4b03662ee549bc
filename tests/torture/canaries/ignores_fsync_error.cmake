# A failed fsync counts as one that succeeded.
set(file wal/group_commit.cc)
set(find [[
  Status status = segment_->Sync();
]])
set(replace [[
  (void)segment_->Sync();
  Status status;
]])
