# A snapshot is named in the manifest before its data is synced.
set(file snapshot/snapshot_writer.cc)
set(find [[
  if (status.ok()) status = file.file->Sync();
  if (status.ok()) status = file.file->Close();
]])
set(replace [[
  if (status.ok()) status = file.file->Close();
]])
