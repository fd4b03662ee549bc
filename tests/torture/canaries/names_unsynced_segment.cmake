# A segment that only the page cache holds becomes a predecessor.
set(file wal/log_repair.cc)
set(find [[
  if (chain.back().header.first_lsn >= result->durable_mark) {
]])
set(replace [[
  if (chain.empty()) {
]])
