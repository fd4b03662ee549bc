# A read shows what a crash can still take back.
set(file engine/store_core.cc)
set(find [[
  return std::max(unit_lsn, stripes.Newest(scope.read_stripes()));
]])
set(replace [[
  return unit_lsn;
]])
