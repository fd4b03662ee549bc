# After a kill, frames beyond the last durable mark are served as they are found.
set(file wal/log_repair.cc)
set(find [[
  const bool copy = result->log_end_lsn > result->durable_mark;
]])
set(replace [[
  const bool copy = false;
]])
