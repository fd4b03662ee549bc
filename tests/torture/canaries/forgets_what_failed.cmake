# After a failed write or sync the log goes on behind it.
set(file wal/group_commit_segments.cc)
set(find [[
  written_ = released_;
  disk_full_
]])
set(replace [[
  released_ = written_ = buffer_->Release(written_);
  synced_lsn_ = written_.lsn;
  disk_full_
]])
