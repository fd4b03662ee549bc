# After an unclean end LSNs go on where the log was cut.
set(file wal/log_reader.cc)
set(find [[
  result_.next_lsn = exact ? result_.end_lsn : result_.end_lsn + kUncleanLsnGap;
]])
set(replace [[
  (void)exact;
  result_.next_lsn = result_.end_lsn;
]])
