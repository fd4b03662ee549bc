# A write is acknowledged when it was written, not when it was synced.
set(file wal/group_commit.cc)
set(find [[
  Status status = segment_->Sync();
]])
set(replace [[
  Status status;
]])
